//! String escapes: decoding what was received, writing what RFC 8785 section 3.2.2.2 says.

use std::borrow::Cow;

use super::JsonReason;

/// The text of a JSON string's inside (without its quotes).
///
/// # Errors
/// The reason and its byte offset inside `inner`, for lone surrogates and bad escapes.
pub fn unescape(inner: &str) -> Result<Cow<'_, str>, (JsonReason, usize)> {
    if !inner.contains('\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let offset = inner.len() - escape.len();
        let (character, length) = decode_escape(escape).map_err(|reason| (reason, offset))?;
        out.push(character);
        rest = escape.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    Ok(Cow::Owned(out))
}

/// The character of the escape that `text` begins with, and the escape's length in bytes.
fn decode_escape(text: &str) -> Result<(char, usize), JsonReason> {
    const ESCAPE: JsonReason =
        JsonReason::Syntax("one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX");
    let character = match text.as_bytes().get(1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return decode_unicode(text).ok_or(ESCAPE)?,
        _ => return Err(ESCAPE),
    };
    Ok((character, 2))
}

/// `\uXXXX`, or a surrogate pair of two of them; `None` when the hex digits are not there.
fn decode_unicode(text: &str) -> Option<Result<(char, usize), JsonReason>> {
    let unit = |at: usize| -> Option<u16> {
        let digits = text.get(at..at + 4)?;
        let all_hex = digits.bytes().all(|c| c.is_ascii_hexdigit());
        if all_hex { u16::from_str_radix(digits, 16).ok() } else { None }
    };
    let first = unit(2)?;
    if let Some(character) = char::from_u32(u32::from(first)) {
        return Some(Ok((character, 6)));
    }
    let second = if text.get(6..8) == Some("\\u") { unit(8) } else { None };
    let pair = [first, second.unwrap_or(0)];
    Some(match char::decode_utf16(pair).next() {
        Some(Ok(character)) => Ok((character, 12)),
        _ => Err(JsonReason::LoneSurrogate(first)),
    })
}

/// Writes `text` as a canonical JSON string with its quotes.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_inside(out, text);
    out.push(b'"');
}

/// Bytes looked at together: without a branch between them the compiler compares a whole register at once.
const N_CHUNK: usize = 64;

/// True when no byte needs an escape.
fn is_plain(bytes: &[u8]) -> bool {
    !bytes
        .iter()
        .fold(false, |found, byte| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\'))
}

/// Writes `text` with the escapes that RFC 8785 asks for and no others.
pub(super) fn write_inside(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    let chunks = bytes.chunks(N_CHUNK).enumerate().filter(|(_, chunk)| !is_plain(chunk));
    let places = chunks.flat_map(|(n, chunk)| {
        chunk.iter().enumerate().map(move |(at, byte)| (n * N_CHUNK + at, byte))
    });
    for (at, byte) in places {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(done..at).unwrap_or(&[]));
        done = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(bytes.get(done..).unwrap_or(&[]));
}
