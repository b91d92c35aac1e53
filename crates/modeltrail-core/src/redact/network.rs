//! What has colons or dots: IPv4, IPv6 and MAC addresses, credentials in URLs.

use super::check::net;
use super::rule::Rule;
use super::scan::Scan;
use super::{lexicon, secret, values};

/// The longest IPv6 address in text form (RFC 4291 with an IPv4 address at its end).
const ADDRESS_BYTES_MAX: usize = 45;

/// RFC 3986 sets no limit; no host with a user and a password comes near this.
const AUTHORITY_BYTES_MAX: usize = 512;

/// Judges a ':'; where to go on if something was found.
pub(super) fn colon(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    if scan.bytes.get(here..)?.starts_with(b"://") {
        return credentials(scan, here + 3);
    }
    if here >= scan.colons_end
        && let Some(end) = address(scan, here)
    {
        return Some(end);
    }
    secret::bot_token(scan, here)
}

/// An IPv6 or a MAC address around the first of its colons.
fn address(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let in_address = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    let floor = scan.colons_end.max(scan.floor).min(here);
    let start = scan.start_of(here, floor, |b| b.is_ascii_hexdigit());
    let mut end = scan.end_of(here, in_address);
    scan.colons_end = end;
    while end > here + 2
        && scan
            .before(end)
            .is_some_and(|b| b == b'.' || (b == b':' && !scan.byte_is(end - 2, b':')))
    {
        end -= 1;
    }
    let bytes = scan.bytes.get(start..end)?;
    let glued = scan.before(start).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        || scan.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    if glued || !(3..=ADDRESS_BYTES_MAX).contains(&bytes.len()) {
        return None;
    }
    if net::mac(bytes) {
        return scan.push(start, end, Rule::MacAddress);
    }
    // `::` also stands between names of code, and `a::b` is one.
    let digits = bytes.iter().any(u8::is_ascii_digit);
    let long = bytes.iter().filter(|&&b| b == b':').count() > 2;
    if net::ipv6(bytes) && (digits || long) {
        return scan.push(start, end, Rule::IpAddress);
    }
    None
}

/// Four octets that start at `start`, a word of one to three digits.
pub(super) fn ipv4(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    if scan.before(start).is_some_and(|b| b == b'.' || b == b'-' || b == b'_') {
        return None;
    }
    let mut end = scan.end_of(start, |b| b.is_ascii_digit() || b == b'.');
    while scan.before(end) == Some(b'.') && end > start {
        end -= 1;
    }
    let glued = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let next = scan.bytes.get(end);
    let tail = next == Some(&b'-') && scan.bytes.get(end + 1).is_some_and(glued);
    if next.is_some_and(glued)
        || tail
        || !net::ipv4(scan.bytes.get(start..end)?)
        || is_version(scan, start)
    {
        return None;
    }
    scan.push(start, end, Rule::IpAddress)
}

/// Whether what stands before four numbers makes a version of them: `Chrome/120.0.0.1`,
/// `version 1.2.3.4`.
fn is_version(scan: &Scan<'_, '_>, start: usize) -> bool {
    let head = scan.bytes.get(start.saturating_sub(24)..start).unwrap_or_default();
    if let [rest @ .., b'/'] = head {
        return rest.last().is_some_and(u8::is_ascii_alphanumeric);
    }
    let not_letter = |b: &u8| !b.is_ascii_alphabetic();
    let trimmed = head.iter().rposition(|b| !not_letter(b)).map_or(0, |at| at + 1);
    let word = head.get(..trimmed).unwrap_or_default();
    let from = word.iter().rposition(not_letter).map_or(0, |at| at + 1);
    let word = word.get(from..).and_then(|w| std::str::from_utf8(w).ok()).unwrap_or_default();
    // Words further away than a mark or two do not name it.
    head.len() - trimmed <= 3 && lexicon::is_in(&VERSIONS, word)
}

/// Sorted. Words before what looks like an address and is none.
static VERSIONS: lexicon::Words = lexicon::Words::of(&[
    "build", "chapter", "clause", "firmware", "oid", "release", "revision", "section", "v", "ver",
    "version",
]);

/// `user:password@host`, from behind the `://` on.
fn credentials(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    let in_authority = |b: &u8| {
        !matches!(b, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`')
            && !b.is_ascii_whitespace()
    };
    let rest = scan.bytes.get(start..)?;
    let len = rest.iter().take(AUTHORITY_BYTES_MAX).take_while(|b| in_authority(b)).count();
    let sign = start + rest.get(..len)?.iter().rposition(|&b| b == b'@')?;
    let user = scan.subject.text.get(start..sign)?;
    let from = match user.find(':') {
        Some(colon) => start + colon + 1,
        None if values::is_random(user, 16) => start,
        None => return None,
    };
    let password = scan.subject.text.get(from..sign)?;
    if password.is_empty() || values::is_blank(password) || values::is_stand_in(password) {
        return None;
    }
    scan.push(from, sign, Rule::UrlCredentials)?;
    scan.floor = sign + 1;
    Some(sign + 1)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        super::lexicon::check(&super::VERSIONS);
    }
}
