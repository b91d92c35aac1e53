//! Forms as names and values.

use memchr::memmem;

use super::Content;
use crate::capture::path::percent_decode;

/// Names and values, in the order in which they came.
pub(super) type Fields = Vec<(String, String)>;

/// What reads a form; `None` where it is none.
pub(super) type Reader = fn(&Content<'_>) -> Option<Fields>;

/// Most fields of a form that are read; one with more is kept as it came.
const N_FIELDS_MAX: usize = 10_000;

/// The fields of an `application/x-www-form-urlencoded` body (WHATWG URL, 5.1).
pub(super) fn urlencoded(content: &Content<'_>) -> Option<Fields> {
    let text = std::str::from_utf8(content.bytes).ok()?;
    let plain = |text: &str| percent_decode(&text.replace('+', " "));
    let pairs = text.trim_end().split('&').filter(|pair| !pair.is_empty());
    let fields: Vec<_> = pairs
        .take(N_FIELDS_MAX + 1)
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (plain(name), plain(value)))
        .collect();
    (fields.len() <= N_FIELDS_MAX).then_some(fields)
}

/// The fields of a `multipart/form-data` body (RFC 7578) that has texts alone; `None` for one with a file, which is
/// kept as it came.
pub(super) fn multipart(content: &Content<'_>) -> Option<Fields> {
    let boundary = parameter(content.media_type?, "boundary")?;
    let delimiter = format!("--{boundary}");
    let finder = memmem::Finder::new(&delimiter);
    let mut places = finder.find_iter(content.bytes);
    let mut from = places.next()? + delimiter.len();
    let mut fields = Vec::new();
    for place in places {
        let part = content.bytes.get(from..place)?.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
        fields.push(field(std::str::from_utf8(part).ok()?)?);
        if fields.len() > N_FIELDS_MAX {
            return None;
        }
        from = place + delimiter.len();
    }
    content.bytes.get(from..)?.starts_with(b"--").then_some(fields)
}

/// A part that is a text: its name and its value.
fn field(part: &str) -> Option<(String, String)> {
    let (head, value) = part.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        head.split("\r\n").find_map(|line| {
            let (at, value) = line.split_once(':')?;
            at.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    let is_text = header("content-type").is_none_or(|text| text.starts_with("text/plain"));
    if !is_text || parameter(disposition, "filename").is_some() {
        return None;
    }
    Some((parameter(disposition, "name")?, value.to_owned()))
}

/// A parameter of a header's value, quoted or not (RFC 9110, 5.6.6).
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (at, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        (at.trim().eq_ignore_ascii_case(name) && !value.is_empty()).then(|| value.to_owned())
    })
}
