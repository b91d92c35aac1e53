//! Secrets that are told by themselves: tokens of services by their prefix, JSON web tokens,
//! private keys, text in base64 that holds any other rule's.

use super::rule::Rule;
use super::scan::Scan;
use super::services::{self, Kind};
use super::{base64, check, leaf, names, values};

/// Shorter tokens are of no service.
const TOKEN_BYTES_MIN: usize = 16;

/// The shortest run that is tried as base64: eighteen bytes.
pub(super) const BASE64_BYTES_MIN: usize = 24;

/// How deep encodings are followed into each other.
pub(super) const DEPTH_MAX: usize = 4;

/// Between "-----BEGIN" and "PRIVATE KEY" stands a kind of key.
const PEM_LABEL_BYTES_MAX: usize = 48;

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn in_base64(byte: u8) -> bool {
    in_token(byte) || matches!(byte, b'+' | b'/')
}

/// Judges the token around `here`; where to go on if it is one or holds nothing.
pub(super) fn token(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let start = scan.start_of(here, scan.floor.max(scan.token_end).min(here), in_token);
    let end = scan.end_of(here, in_token);
    scan.token_end = end;
    let token = scan.bytes.get(start..end)?;
    if token.len() < TOKEN_BYTES_MIN && !scan.byte_is(end, b'.') && !scan.byte_is(end, b'~') {
        return None;
    }
    if values::is_uuid(token) && scan.before(start) != Some(b'.') {
        return Some(end);
    }
    if check::net::mac(token) {
        return scan.push(start, end, Rule::MacAddress);
    }
    if let Some((from, to, rule)) = service(scan, start, end)
        && let Some(next) = scan.push(from, to, rule)
    {
        return Some(next);
    }
    if let Some(rule) = announced(scan, start, end) {
        return scan.push(start, end, rule);
    }
    if here < scan.base64_end { None } else { encoded(scan, start, end) }
}

/// The service's token in a run of token characters, from the start of the run or behind a dash.
fn service(scan: &Scan<'_, '_>, start: usize, end: usize) -> Option<(usize, usize, Rule)> {
    /// Words joined by dashes in front of a token.
    const WORDS_MAX: usize = 6;
    /// The longest prefix with a dot in it, in which the scan does not stop: `hvs.`, `dp.pt.`.
    const DOTTED_BYTES_MAX: usize = 8;
    if scan.before(start) == Some(b'.') {
        let floor = start.saturating_sub(DOTTED_BYTES_MAX).max(scan.floor);
        let first = scan.start_of(start, floor, |b| in_token(b) || b == b'.');
        if let Some((Kind::Key, len)) = services::at(scan.bytes.get(first..)?, scan.before(first))
            && first + len > start
        {
            return Some((first, first + len, Rule::ApiKey));
        }
    }
    let mut from = start;
    for _ in 0..WORDS_MAX {
        let rest = scan.bytes.get(from..)?;
        if let Some((kind, len)) = services::at(rest, scan.before(start)) {
            let to = from + len;
            return Some(match kind {
                Kind::Key => (from, to, Rule::ApiKey),
                Kind::Jwt => (from, to, Rule::Jwt),
            });
        }
        let token = scan.bytes.get(from..end)?;
        from += token.iter().position(|&b| b == b'-')? + 1;
        if end - from < TOKEN_BYTES_MIN {
            return None;
        }
    }
    None
}

/// The rule for random characters behind words that announce a secret: "the token is …",
/// `Bearer …`, `--api-key …`.
fn announced(scan: &Scan<'_, '_>, start: usize, end: usize) -> Option<Rule> {
    /// Bytes before a token in which its name is sought.
    const HEAD_BYTES_MAX: usize = 32;
    let mut from = start.saturating_sub(HEAD_BYTES_MAX).max(scan.floor).min(start);
    while !scan.subject.text.is_char_boundary(from) {
        from += 1;
    }
    let head = scan.subject.text.get(from..start)?.strip_suffix(' ')?;
    let joined = matches!(scan.bytes.get(end), Some(b'.' | b'/' | b'@' | b'+'))
        && scan.bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    let last = head.rsplit(' ').next()?;
    let verb = [" is", " is:", " was"].iter().find_map(|verb| head.strip_suffix(verb));
    let verdict = match verb {
        _ if joined => None,
        None if last.eq_ignore_ascii_case("bearer") => {
            return random(scan, start, end, Rule::AuthHeader);
        }
        None if last.starts_with("--") => names::verdict(last, None),
        None => None,
        Some(name) => names::verdict(name, None),
    }?;
    match verdict.rule {
        Rule::ApiKey | Rule::Secret | Rule::AuthHeader => random(scan, start, end, verdict.rule),
        _ => None,
    }
}

fn random(scan: &Scan<'_, '_>, start: usize, end: usize, rule: Rule) -> Option<Rule> {
    values::is_random(scan.subject.text.get(start..end)?, TOKEN_BYTES_MIN).then_some(rule)
}

/// What a service's prefix says about a whole value.
pub(super) fn service_rule(value: &str) -> Option<Rule> {
    let (kind, len) = services::at(value.as_bytes(), None)?;
    (len == value.len()).then_some(match kind {
        Kind::Key => Rule::ApiKey,
        Kind::Jwt => Rule::Jwt,
    })
}

/// Base64 that decodes to text in which something is found.
fn encoded(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    if scan.depth >= DEPTH_MAX || start < scan.base64_end {
        return None;
    }
    let start = scan.start_of(start, scan.floor.max(scan.base64_end).min(start), in_base64);
    let end = scan.end_of(end, in_base64);
    scan.base64_end = end;
    let run = scan.bytes.get(start..end)?;
    if run.len() < BASE64_BYTES_MIN {
        return None;
    }
    let text = base64::decode_text(run)?;
    let what = leaf::first_match(scan.order, &text, scan.subject.names, scan.depth + 1)?;
    let end = scan.end_of(end, |b| b == b'=');
    scan.push_any(start, end, what)
}

/// The runs of a text that are long enough to be read as base64, with their padding.
pub(super) fn base64_runs(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        loop {
            let start = at + bytes.get(at..)?.iter().position(|b| in_base64(*b))?;
            let rest = bytes.get(start..)?;
            let len = rest.iter().position(|b| !in_base64(*b)).unwrap_or(rest.len());
            let padding = rest.get(len..)?.iter().take_while(|b| **b == b'=').count();
            at = start + len + padding;
            if len >= BASE64_BYTES_MIN {
                return Some((start, at));
            }
        }
    })
}

/// `123456789:AA…`: the token of a Telegram bot, its colon at `here`.
pub(super) fn bot_token(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    if !scan.bytes.get(here..)?.starts_with(b":AA") {
        return None;
    }
    let floor = here.saturating_sub(11).max(scan.floor);
    let start = scan.start_of(here, floor, |b| b.is_ascii_digit());
    let tail = scan.bytes.get(here + 1..)?.iter().take(64).take_while(|&&b| in_token(b)).count();
    let known = (8..=10).contains(&(here - start)) && (34..=36).contains(&tail);
    let glued = scan.before(start).is_some_and(|b| b.is_ascii_alphanumeric());
    if known && !glued { scan.push(start, here + 1 + tail, Rule::ApiKey) } else { None }
}

/// A private key in PEM (RFC 7468) or as PGP armour, from its first dash. Without its end line it
/// reaches to the end of the text: half a key is a secret too.
pub(super) fn pem(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let rest = scan.bytes.get(here..)?;
    let label = rest.strip_prefix(b"-----BEGIN ")?;
    let label = label.get(..label.len().min(PEM_LABEL_BYTES_MAX))?;
    let dashes = label.windows(5).position(|w| w == b"-----")?;
    let private = label.get(..dashes)?.windows(11).any(|w| w == b"PRIVATE KEY");
    if !private {
        return None;
    }
    let body = 11 + dashes + 5;
    let ends = memchr::memmem::find(rest.get(body..)?, b"-----END ");
    let end = match ends {
        Some(at) => {
            let line = rest.get(body + at + 9..)?;
            let close = line.iter().take(PEM_LABEL_BYTES_MAX).position(|&b| b == b'-');
            let dashes = close.map_or(0, |c| {
                line.get(c..).unwrap_or_default().iter().take(5).take_while(|&&b| b == b'-').count()
            });
            here + body + at + 9 + close.unwrap_or(0) + dashes
        }
        None => scan.bytes.len(),
    };
    scan.push(here, end, Rule::PrivateKey)
}
