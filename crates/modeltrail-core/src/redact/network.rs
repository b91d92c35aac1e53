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
    secret::bot_token(scan, here).or_else(|| user_option(scan, here))
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
    // A range is two addresses.
    let range = scan.before(start) == Some(b'-') && scan.floor + 1 == start;
    if scan.before(start).is_some_and(|b| b == b'.' || b == b'-' || b == b'_') && !range {
        return None;
    }
    let mut end = scan.end_of(start, |b| b.is_ascii_digit() || b == b'.');
    while scan.before(end) == Some(b'.') && end > start {
        end -= 1;
    }
    let glued = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
    let next = scan.bytes.get(end);
    let part = scan.end_of(end + 1, |b| b.is_ascii_alphanumeric());
    let tail = next == Some(&b'-') && part > end + 1 && !scan.byte_is(part, b'.');
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
    // `numpy==1.26.4.1`, as a list of packages has it.
    if head.ends_with(b"==") {
        return true;
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

/// The path of a webhook, from behind the `://` on: who knows it may post.
fn webhook(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    const HOOKS: &[&[u8]] = &[
        b"hooks.slack.com/services/",
        b"hooks.slack.com/workflows/",
        b"hooks.slack.com/triggers/",
        b"discord.com/api/webhooks/",
        b"discordapp.com/api/webhooks/",
        b".webhook.office.com/webhookb2/",
    ];
    /// The longest name of an organisation in front of Microsoft's.
    const HOST_BYTES_MAX: usize = 40;
    let rest = scan.bytes.get(start..)?;
    let dot = rest.iter().take(HOST_BYTES_MAX).position(|&b| b == b'.')?;
    let from_dot = rest.get(dot..)?;
    let hook = HOOKS.iter().find_map(|hook| {
        let host = if hook.starts_with(b".") { from_dot } else { rest };
        host.starts_with(hook).then(|| rest.len() - host.len() + hook.len())
    })?;
    let path = rest.get(hook..)?.iter().take(AUTHORITY_BYTES_MAX);
    let len = path
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'@'))
        .count();
    // The address is the secret, not its last part alone.
    let head = scan.bytes.get(scan.floor..start).unwrap_or_default();
    let scheme = head.strip_suffix(b"https://").or_else(|| head.strip_suffix(b"http://"));
    let scheme = start - (head.len() - scheme.unwrap_or(head).len());
    if len < 20 { None } else { scan.push(scheme, start + hook + len, Rule::ApiKey) }
}

/// `curl -u user:password`: a colon at `here` behind such an option and a name.
fn user_option(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    /// Longer names of users are none.
    const USER_BYTES_MAX: usize = 64;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'@' | b'+');
    let floor = here.saturating_sub(USER_BYTES_MAX).max(scan.floor);
    let user = scan.start_of(here, floor, plain);
    let head = scan.bytes.get(..user)?;
    let head = head.strip_suffix(b"'").or_else(|| head.strip_suffix(b"\"")).unwrap_or(head);
    let option =
        [&b" -u "[..], b" -u", b" --user ", b" --user=", b" -U "].iter().any(|o| head.ends_with(o));
    if !option || user == here {
        return None;
    }
    let rest = scan.bytes.get(here + 1..)?;
    let value = |b: &u8| {
        !b.is_ascii_whitespace() && !matches!(b, b'\'' | b'"' | b'`' | b'\\' | b'/' | b'<')
    };
    let len = rest.iter().take(USER_BYTES_MAX).take_while(|b| value(b)).count();
    let password = rest.get(..len)?;
    let text = std::str::from_utf8(password).ok()?;
    let real = len >= 4 && !values::is_stand_in(text) && !values::is_blank(text);
    if real { scan.push(here + 1, here + 1 + len, Rule::Password) } else { None }
}

/// `user:password@host`, from behind the `://` on.
fn credentials(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    if let Some(end) = webhook(scan, start) {
        return Some(end);
    }
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
