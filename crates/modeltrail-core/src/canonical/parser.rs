//! One strict pass over a JSON text that writes its canonical bytes.

use std::cmp::Ordering;
use std::ops::Range;

use super::number::canonical_number;
use super::string::{unescape, write_inside};
use super::{JsonError, JsonReason};
use crate::limits::Limits;

/// The canonical bytes of a JSON text.
///
/// # Errors
/// The first thing that cannot be kept exactly, with its JSON pointer and byte offset.
pub fn canonicalize(text: &[u8], limits: &Limits) -> Result<Vec<u8>, JsonError> {
    let mut parser = Parser::new(text, limits)?;
    parser.value(0)?;
    parser.end()?;
    Ok(parser.out)
}

/// The members of a JSON object, each value in canonical bytes, in the order received.
#[derive(Debug)]
pub struct Fields {
    bytes: Vec<u8>,
    members: Vec<(String, Range<usize>)>,
}

impl Fields {
    /// Keys and canonical values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.members
            .iter()
            .map(|(key, range)| (key.as_str(), self.bytes.get(range.clone()).unwrap_or(&[])))
    }
}

/// Reads an object's members without putting them together again.
///
/// # Errors
/// As [`canonicalize`], and when the text is no object.
pub fn object_fields(text: &[u8], limits: &Limits) -> Result<Fields, JsonError> {
    let mut parser = Parser::new(text, limits)?;
    parser.skip_space();
    if parser.peek() != Some(b'{') {
        return Err(parser.error(JsonReason::Syntax("an object, like {\"model\": …}")));
    }
    let members = parser.members(0)?;
    parser.sorted(&members)?;
    parser.end()?;
    let members = members
        .into_iter()
        .map(|member| (decode_key(&parser.out, &member), member.value))
        .collect();
    Ok(Fields { bytes: parser.out, members })
}

/// Where a member stands in the output: its key's inside, and its value.
struct Member {
    key: Range<usize>,
    value: Range<usize>,
    /// Whether the key's bytes order as its UTF-16 code units do.
    is_plain: bool,
    /// Its first eight bytes, so that most comparisons read nothing else.
    head: u64,
}

impl Member {
    fn new(key_bytes: &[u8], key: Range<usize>, value: Range<usize>) -> Self {
        let is_plain = key_bytes.iter().all(|c| *c < 0xee && *c != b'\\');
        // Shorter ones end in zeros, which no key has: it would be an escape.
        let head = key_bytes.iter().chain(&[0; 8]).take(8);
        let head = head.fold(0, |head, c| head << 8 | u64::from(*c));
        Self { key, value, is_plain, head }
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: Vec<u8>,
    limits: Limits,
}

impl<'a> Parser<'a> {
    fn new(text: &'a [u8], limits: &Limits) -> Result<Self, JsonError> {
        let refuse = |offset, reason| JsonError { pointer: String::new(), offset, reason };
        if text.len() > limits.record_bytes_max {
            let reason = JsonReason::TooLarge(limits.record_bytes_max);
            return Err(refuse(limits.record_bytes_max, reason));
        }
        let text = std::str::from_utf8(text)
            .map_err(|error| refuse(error.valid_up_to(), JsonReason::Utf8))?;
        let out = Vec::with_capacity(text.len());
        Ok(Self { text, bytes: text.as_bytes(), at: 0, out, limits: *limits })
    }

    fn error(&self, reason: JsonReason) -> JsonError {
        let reason = match reason {
            JsonReason::Syntax(expected) if self.at >= self.bytes.len() => {
                JsonReason::End(expected)
            }
            other => other,
        };
        JsonError { pointer: String::new(), offset: self.at, reason }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.error(JsonReason::Syntax(expected)))
    }

    fn end(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at < self.bytes.len() {
            return Err(self.error(JsonReason::Syntax("nothing after the value")));
        }
        if self.out.len() > self.limits.record_bytes_max {
            return Err(self.error(JsonReason::TooLarge(self.limits.record_bytes_max)));
        }
        Ok(())
    }

    /// Writes one value. `depth` counts the arrays and objects around it.
    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => Err(self.not_a_value()),
        }
    }

    fn not_a_value(&self) -> JsonError {
        let rest = self.text.get(self.at..).unwrap_or("");
        let reason = if rest.starts_with("NaN") {
            JsonReason::NotFinite("NaN")
        } else if rest.starts_with("Infinity") {
            JsonReason::NotFinite("Infinity")
        } else {
            JsonReason::Syntax("a value")
        };
        self.error(reason)
    }

    fn literal(&mut self, word: &'static str) -> Result<(), JsonError> {
        if self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.out.extend_from_slice(word.as_bytes());
            self.at += word.len();
            return Ok(());
        }
        Err(self.error(JsonReason::Syntax(word)))
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.out.push(b'"');
        self.string_inside()?;
        self.out.push(b'"');
        Ok(())
    }

    /// Writes the inside of the string that begins here and moves behind its closing quote.
    fn string_inside(&mut self) -> Result<(), JsonError> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at += plain_len(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(control) if control < 0x20 => {
                    return Err(self.error(JsonReason::Control(control)));
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = self.bytes.len();
                    return Err(self.error(JsonReason::End("a closing quote")));
                }
            }
        }
        let inner = self.text.get(start..self.at).unwrap_or("");
        if escaped {
            let text = unescape(inner).map_err(|(reason, offset)| {
                self.at = start + offset;
                self.error(reason)
            })?;
            write_inside(&mut self.out, &text);
        } else {
            self.out.extend_from_slice(inner.as_bytes());
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self, expected: &'static str) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.error(JsonReason::Syntax(expected))) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if self.peek() == Some(b'I') {
                return Err(self.error(JsonReason::NotFinite("-Infinity")));
            }
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.error(JsonReason::Syntax("no digit after a leading zero")));
            }
        } else {
            self.digits("a digit")?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("a digit after the point")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("a digit of the exponent")?;
        }
        let token = self.text.get(start..self.at).unwrap_or("0");
        let canonical = canonical_number(token).ok_or_else(|| JsonError {
            pointer: String::new(),
            offset: start,
            reason: JsonReason::Exponent,
        })?;
        self.out.extend_from_slice(canonical.as_bytes());
        // Long integers in exponent form grow; the bound of the record holds for what is written.
        if self.out.len() > self.limits.record_bytes_max {
            return Err(self.error(JsonReason::TooLarge(self.limits.record_bytes_max)));
        }
        Ok(())
    }

    fn deeper(&self, depth: usize) -> Result<usize, JsonError> {
        if depth >= self.limits.depth_max {
            return Err(self.error(JsonReason::Depth(self.limits.depth_max)));
        }
        Ok(depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.out.push(b'[');
        self.skip_space();
        let mut n = 0_usize;
        while self.peek() != Some(b']') {
            if n > 0 {
                self.expect(b',', "`,` or `]`")?;
                self.out.push(b',');
            }
            self.value(depth).map_err(|error| prefix(error, &n.to_string()))?;
            self.skip_space();
            n += 1;
        }
        self.at += 1;
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonError> {
        let start = self.out.len();
        self.out.push(b'{');
        let members = self.members(depth)?;
        self.out.push(b'}');
        if let Some(sorted) = self.sorted(&members)? {
            self.put_in_order(start, &sorted);
        }
        Ok(())
    }

    /// Reads the members of the object that begins here, writing `"key":value` with commas. Whether
    /// keys are equal is for [`Parser::sorted`] to say.
    fn members(&mut self, depth: usize) -> Result<Vec<Member>, JsonError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        self.skip_space();
        let mut members: Vec<Member> = Vec::new();
        while self.peek() != Some(b'}') {
            if !members.is_empty() {
                self.expect(b',', "`,` or `}`")?;
                self.out.push(b',');
                self.skip_space();
            }
            let key_offset = self.at;
            self.out.push(b'"');
            let key_start = self.out.len();
            self.string_inside().map_err(|error| {
                if self.bytes.get(key_offset) == Some(&b'"') {
                    error
                } else {
                    self.error(JsonReason::Syntax("a key in quotes"))
                }
            })?;
            let key = key_start..self.out.len();
            self.out.extend_from_slice(b"\":");
            self.skip_space();
            self.expect(b':', "`:` after the key")?;
            let value_start = self.out.len();
            let result = self.value(depth);
            let value = value_start..self.out.len();
            let member = Member::new(self.out.get(key.clone()).unwrap_or(&[]), key, value);
            if let Err(error) = result {
                return Err(prefix(error, &decode_key(&self.out, &member)));
            }
            self.skip_space();
            members.push(member);
        }
        self.at += 1;
        Ok(members)
    }

    /// The members in order; `None` when they are. Equal keys are refused.
    fn sorted<'m>(&self, members: &'m [Member]) -> Result<Option<Vec<&'m Member>>, JsonError> {
        let ascends = |a: &Member, b: &Member| self.order(a, b) == Ordering::Less;
        if members.is_sorted_by(ascends) {
            return Ok(None);
        }
        let mut sorted: Vec<&Member> = members.iter().collect();
        sorted.sort_by(|a, b| self.order(a, b));
        let is_equal = |pair: &&[&Member]| matches!(pair, [a, b] if self.order(a, b).is_eq());
        match sorted.windows(2).find(is_equal) {
            Some([_, twice]) => {
                Err(prefix(self.error(JsonReason::DuplicateKey), &decode_key(&self.out, twice)))
            }
            _ => Ok(Some(sorted)),
        }
    }

    /// Order by UTF-16 code units (RFC 8785 section 3.2.3). Bytes of UTF-8 order the same way unless
    /// an escape or a character from U+E000 on is there.
    fn order(&self, a: &Member, b: &Member) -> Ordering {
        if a.is_plain && b.is_plain {
            return a.head.cmp(&b.head).then_with(|| self.key_bytes(a).cmp(self.key_bytes(b)));
        }
        let [a, b] = [a, b].map(|member| decode_bytes(self.key_bytes(member)));
        a.encode_utf16().cmp(b.encode_utf16())
    }

    fn key_bytes(&self, member: &Member) -> &[u8] {
        self.out.get(member.key.clone()).unwrap_or(&[])
    }

    /// Writes the members that stand from `start` on in another order.
    fn put_in_order(&mut self, start: usize, members: &[&Member]) {
        let mut sorted = Vec::with_capacity(self.out.len() - start);
        sorted.push(b'{');
        for (n, member) in members.iter().enumerate() {
            if n > 0 {
                sorted.push(b',');
            }
            let whole = member.key.start - 1..member.value.end;
            sorted.extend_from_slice(self.out.get(whole).unwrap_or(&[]));
        }
        sorted.push(b'}');
        self.out.truncate(start);
        self.out.extend_from_slice(&sorted);
    }
}

fn decode_bytes(inner: &[u8]) -> String {
    let text = std::str::from_utf8(inner).unwrap_or("");
    unescape(text).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

fn decode_key(out: &[u8], member: &Member) -> String {
    decode_bytes(out.get(member.key.clone()).unwrap_or(&[]))
}

/// Puts a reference token in front of an error's pointer (RFC 6901 escapes).
fn prefix(mut error: JsonError, token: &str) -> JsonError {
    let escaped = token.replace('~', "~0").replace('/', "~1");
    error.pointer = format!("/{escaped}{}", error.pointer);
    error
}

/// How many bytes of a string's inside stand in front of the first quote, backslash or control
/// character, or of the last seven bytes.
fn plain_len(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    // The usual test for a zero byte: the lowest bit that it sets is right, and those above it may
    // be wrong.
    let has_zero = |x: u64| x.wrapping_sub(ONES) & !x & HIGHS;
    let (mut at, mut rest) = (0, bytes);
    while let Some((chunk, tail)) = rest.split_first_chunk::<8>() {
        let x = u64::from_le_bytes(*chunk);
        let quote = has_zero(x ^ (ONES * b'"' as u64));
        let backslash = has_zero(x ^ (ONES * b'\\' as u64));
        let control = x.wrapping_sub(ONES * 0x20) & !x & HIGHS;
        let stops = quote | backslash | control;
        if stops != 0 {
            return at + stops.trailing_zeros() as usize / 8;
        }
        (at, rest) = (at + 8, tail);
    }
    at
}
