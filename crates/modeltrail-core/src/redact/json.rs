//! Tokens of a JSON text, read in place.
//!
//! One table look-up per byte finds the end of a string and, on the way, whether the string holds
//! anything that a rule could want: most strings are never looked at twice.

use super::PASSES_MAX;
use super::secret::BASE64_BYTES_MIN;

/// How deep a document may nest. A record may nest 128 deep; twice that leaves room for whatever
/// wraps it and still bounds the stack of the recursive readers here.
pub(super) const DEPTH_MAX: usize = 256;

/// Fewer digits than this make no integer that any rule masks, unless its name says what it is: the
/// shortest are international telephone numbers and Australian tax file numbers of eight digits.
pub(super) const DIGITS_MIN: u32 = 8;

/// Fewer digits than this in a string, and none of the marks that rules stop at, are nothing that
/// any rule masks: the shortest are the four of `1.1.1.1`.
const DIGITS_IN_STRING_MIN: u32 = 4;

/// Why a document could not be redacted. Holds an offset and no content, so that it may be logged.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The bytes are no UTF-8.
    #[error("not UTF-8 at byte {offset}; submit such content as base64 with a media type")]
    NotUtf8 {
        /// Where the first invalid sequence starts.
        offset: usize,
    },
    /// The bytes are no JSON.
    #[error("not valid JSON at byte {offset}: expected {expected}")]
    Syntax {
        /// Where reading stopped.
        offset: usize,
        /// What would have been right there.
        expected: &'static str,
    },
    /// What is masked makes more to be masked, again and again: a document made for that.
    #[error("not settled after {PASSES_MAX} passes at byte {offset}; split the text")]
    NotSettled {
        /// Where the token starts; 0 for the whole document.
        offset: usize,
    },
    /// A detector did not answer, or named places that are not there.
    #[error("the detector gave no answer that can be used; see that it runs")]
    Detector,
    /// The document nests deeper than the redactor reads.
    #[error("nested deeper than {DEPTH_MAX} levels at byte {offset}; flatten the document")]
    TooDeep {
        /// Where the level one too deep opens.
        offset: usize,
    },
}

impl RedactError {
    /// What a header says of a part that could not be redacted: `failed_` and this.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf",
            Self::Syntax { .. } => "syntax",
            Self::NotSettled { .. } => "not_settled",
            Self::Detector => "detector",
            Self::TooDeep { .. } => "too_deep",
        }
    }
}

const DIGIT: u8 = 1;
const WANTED: u8 = 2;
const STOP: u8 = 4;
/// '-' and '_', which tokens of services have, and private keys.
const JOIN: u8 = 8;
/// 'w' and 'I': see [`is_lettered`].
const LETTER: u8 = 16;
/// What stands in front of an '@' that is spelt out: see [`is_spelt`].
const SPELT: u8 = 32;

/// Shorter strings in which nothing but a dash could be wanted hold no token of a service.
const JOINED_BYTES_MIN: usize = 16;

/// Whether a text holds a run of characters that is long enough to be read as base64.
fn is_run(raw: &str) -> bool {
    let base64 = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    raw.as_bytes().split(|b| !base64(b)).any(|run| run.len() >= BASE64_BYTES_MIN)
}

/// Whether a 'w' or 'I' in a text can be that of a word for a password (`password`, `pwd`, `psw`) or of a
/// key of AWS (`AKIA`, `ASIA`, `ABIA`).
fn is_lettered(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let before = |at: usize| at.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    memchr::memchr3_iter(b'w', b'W', b'I', bytes).any(|at| {
        matches!(
            (before(at), bytes.get(at)),
            (Some(b'S' | b'K' | b'B'), Some(b'I'))
                | (Some(b's' | b'S' | b'p' | b'P'), Some(b'w' | b'W'))
        )
    })
}

/// Whether a text can hold `&#64;`, `[at]` or `(at)`.
fn is_spelt(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    memchr::memchr3_iter(b'&', b'[', b'(', bytes)
        .any(|at| matches!(bytes.get(at + 1), Some(b'#' | b'c' | b'a' | b'A')))
}

/// Class of each byte inside a string.
const CLASS: [u8; 256] = {
    let mut table = [0_u8; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = STOP;
        byte += 1;
    }
    table[b'"' as usize] = STOP;
    table[b'\\' as usize] = STOP;
    let mut digit = b'0' as usize;
    while digit <= b'9' as usize {
        table[digit] = DIGIT;
        digit += 1;
    }
    let marks = b"@%:=>";
    let mut n = 0;
    while n < marks.len() {
        table[marks[n] as usize] = WANTED;
        n += 1;
    }
    table[b'-' as usize] = JOIN;
    table[b'_' as usize] = JOIN;
    table[b'w' as usize] = LETTER;
    table[b'W' as usize] = LETTER;
    table[b'I' as usize] = LETTER;
    table[b'[' as usize] = SPELT;
    table[b'(' as usize] = SPELT;
    table[b'&' as usize] = SPELT;
    // What can be a digit or a mark in another form.
    let mut byte = 0x80;
    while byte < 0x100 {
        table[byte] = WANTED;
        byte += 1;
    }
    table
};

/// A string token.
#[derive(Clone, Copy)]
pub(super) struct StringToken<'j> {
    /// Offset of the opening quote.
    pub(super) start: usize,
    /// Offset behind the closing quote.
    pub(super) end: usize,
    /// What stands between the quotes, escapes unresolved.
    pub(super) raw: &'j str,
    /// Whether `raw` holds a backslash.
    pub(super) escaped: bool,
    /// Whether the string can hold anything that a rule masks.
    pub(super) candidate: bool,
}

/// A number token.
#[derive(Clone, Copy)]
pub(super) struct NumberToken<'j> {
    pub(super) start: usize,
    pub(super) end: usize,
    /// The digits of an integer that is not negative; of any other number nothing.
    pub(super) digits: Option<&'j str>,
}

/// A place in a JSON text.
pub(super) struct Cursor<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Cursor<'j> {
    pub(super) fn new(json: &'j [u8]) -> Result<Self, RedactError> {
        let text = std::str::from_utf8(json)
            .map_err(|error| RedactError::NotUtf8 { offset: error.valid_up_to() })?;
        Ok(Self { text, at: 0 })
    }

    pub(super) fn offset(&self) -> usize {
        self.at
    }

    pub(super) fn expected(&self, expected: &'static str) -> RedactError {
        RedactError::Syntax { offset: self.at, expected }
    }

    /// The next byte that is no white space, not yet consumed.
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.as_bytes().get(self.at)?;
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Some(byte);
            }
            self.at += 1;
        }
    }

    /// Consumes the next byte if it is `byte`.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let taken = self.peek() == Some(byte);
        self.at += usize::from(taken);
        taken
    }

    /// The text from `start` up to here.
    pub(super) fn since(&self, start: usize) -> &'j str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Nothing but white space may be left.
    pub(super) fn finish(&mut self) -> Result<(), RedactError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.expected("the end of the document")),
        }
    }

    /// `true`, `false` or `null`.
    pub(super) fn literal(&mut self) -> Result<(), RedactError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        for word in [&b"true"[..], b"false", b"null"] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(());
            }
        }
        Err(self.expected("a value"))
    }

    /// A string, from its opening quote.
    pub(super) fn string(&mut self) -> Result<StringToken<'j>, RedactError> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        let start = self.at;
        self.at += 1;
        let (mut n_digits, mut seen, mut escaped, mut unicode) = (0_u32, 0_u8, false, false);
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let mut stop = None;
            for (n, &byte) in rest.iter().enumerate() {
                let class = CLASS[usize::from(byte)];
                if class & STOP != 0 {
                    stop = Some((n, byte));
                    break;
                }
                n_digits += u32::from(class & DIGIT);
                seen |= class;
            }
            let Some((n, byte)) = stop else {
                return Err(self.expected("the end of a string"));
            };
            self.at += n;
            match byte {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    unicode |= self.escape()?;
                }
                _ => return Err(self.expected("no control character in a string")),
            }
        }
        let raw = self.text.get(start + 1..self.at).unwrap_or_default();
        self.at += 1;
        let candidate = unicode
            || seen & WANTED != 0
            || n_digits >= DIGITS_IN_STRING_MIN
            || (seen & JOIN != 0 && raw.len() >= JOINED_BYTES_MIN)
            || (seen & LETTER != 0 && is_lettered(raw))
            || (seen & SPELT != 0 && is_spelt(raw))
            || (n_digits > 0 && raw.len() >= BASE64_BYTES_MIN && is_run(raw));
        Ok(StringToken { start, end: self.at, raw, escaped, candidate })
    }

    /// One escape, from its backslash; whether it was a `\u` escape.
    fn escape(&mut self) -> Result<bool, RedactError> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        match rest {
            [b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => {
                self.at += 2;
                Ok(false)
            }
            [b'u', a, b, c, d, ..] if [a, b, c, d].iter().all(|h| h.is_ascii_hexdigit()) => {
                self.at += 6;
                Ok(true)
            }
            _ => Err(self.expected("an escape")),
        }
    }

    /// A number.
    pub(super) fn number(&mut self) -> Result<NumberToken<'j>, RedactError> {
        let start = self.at;
        let negative = self.take(b'-');
        let first = self.at;
        match self.digits() {
            0 => return Err(self.expected("a digit")),
            1 => {}
            _ if self.text.as_bytes().get(first) == Some(&b'0') => {
                return Err(RedactError::Syntax { offset: first, expected: "no leading zero" });
            }
            _ => {}
        }
        let mut integer = !negative;
        if self.byte() == Some(b'.') {
            integer = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.expected("a digit"));
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            self.at += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            if self.digits() == 0 {
                return Err(self.expected("a digit"));
            }
        }
        let digits = integer.then(|| self.since(start));
        Ok(NumberToken { start, end: self.at, digits })
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Consumes digits and says how many there were.
    fn digits(&mut self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let n = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
        self.at += n;
        n
    }
}

/// Appends the text of a string token whose escapes [`Cursor::string`] has checked. `start` is
/// the token's offset, for the error.
pub(super) fn unescape(raw: &str, start: usize, out: &mut String) -> Result<(), RedactError> {
    let lone = RedactError::Syntax { offset: start, expected: "no lone surrogate in a string" };
    let mut rest = raw;
    while let Some((plain, tail)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = tail.chars();
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let (c, tail) = code_point(chars.as_str()).ok_or_else(|| lone.clone())?;
                out.push(c);
                rest = tail;
                continue;
            }
            Some(c) => out.push(c),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Ok(())
}

/// Reads the four digits after `\u`, and the low surrogate's escape if they are a high one.
fn code_point(text: &str) -> Option<(char, &str)> {
    let (high, rest) = unit(text)?;
    if !(0xd800..0xe000).contains(&high) {
        return Some((char::from_u32(high)?, rest));
    }
    let (low, rest) = unit(rest.strip_prefix("\\u")?)?;
    if high >= 0xdc00 || !(0xdc00..0xe000).contains(&low) {
        return None;
    }
    Some((char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?, rest))
}

fn unit(text: &str) -> Option<(u32, &str)> {
    let (hex, rest) = text.split_at_checked(4)?;
    Some((u32::from_str_radix(hex, 16).ok()?, rest))
}

/// Appends a JSON string in canonical form (RFC 8785, section 3.2.2.2).
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            0x00..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
