//! Secrets that are told by what they are assigned to: `password=…`, `"client_secret": "…"`,
//! `Authorization: Bearer …`, `Cookie: …`, "the password is …".

use super::context::words;
use super::names::{self, Need};
use super::rule::Rule;
use super::scan::Scan;
use super::{secret, steps, values};

/// Bytes before a sign in which a name is sought.
const NAME_BYTES_MAX: usize = 48;

/// Bytes of a value: longer ones are taken to here, and judged again from there on.
const VALUE_BYTES_MAX: usize = 4096;

/// Bytes of an authorization header that are read for its scheme and credentials.
const HEADER_BYTES_MAX: usize = 2048;

/// Bytes of a value that no quote ends.
const BARE_BYTES_MAX: usize = 512;

/// Letters behind the 'w' of a word for a password: none has more.
const WORD_BYTES_MAX: usize = 8;

/// What stands behind a sign.
struct Value {
    start: usize,
    end: usize,
    quoted: bool,
}

/// Judges the sign at `here`: a colon, an equals sign, the comma behind the first of two arguments, or the '>' of an element's start; where to go on if something was found.
pub(super) fn at(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let tag = scan.byte_is(here, b'>');
    let comma = scan.byte_is(here, b',');
    let equals = tag || comma || scan.byte_is(here, b'=');
    // `::`, `:=`, `==`: the second byte is the sign, or there is none.
    if matches!(scan.bytes.get(here + 1), Some(b':' | b'='))
        || (!equals && scan.before(here) == Some(b':'))
    {
        return None;
    }
    let name = name_before(scan, here)?;
    if tag && (scan.before(here - name.len()) != Some(b'<') || scan.byte_is(here - 1, b' ')) {
        return None;
    }
    // `setenv("API_KEY", "…")`: in a list, names stand beside each other and mean nothing.
    if comma && !argument(scan, here, name) {
        return None;
    }
    if !words(name).last().is_some_and(names::may_end) {
        return None;
    }
    let verdict = names::verdict(name, None).or_else(|| signature(scan, name, here))?;
    match verdict.rule {
        // A cookie that stands by itself is a value as any other.
        Rule::Cookie if verdict.need == Need::Cookie => return cookies(scan, here + 1),
        Rule::AuthHeader => return authorization(scan, here + 1),
        Rule::Password
        | Rule::Secret
        | Rule::ApiKey
        | Rule::PrivateKey
        | Rule::Cookie
        | Rule::CreditCard
        | Rule::UrlCredentials => {}
        _ => return None,
    }
    let value = value(scan, here + 1)?;
    // `user:<password>@host` is no element.
    if tag && !scan.byte_is(value.end, b'<') {
        return None;
    }
    let text = scan.subject.text.get(value.start..value.end)?;
    if comma && !value.quoted {
        return None;
    }
    let sure = value.quoted || equals;
    let met = match (verdict.need, verdict.rule) {
        (Need::Any, Rule::Password) => is_password(text, sure, value.quoted),
        (Need::Any, _) => is_secret(text, sure),
        // "pass" alone is also what a test does.
        (Need::Random, Rule::Password) => {
            is_password(text, false, value.quoted) && text.bytes().any(|b| b.is_ascii_digit())
        }
        (need, _) => need.is_met(text),
    };
    if !met || values::is_blank(text) {
        return None;
    }
    let rule = secret::service_rule(text).unwrap_or(verdict.rule);
    scan.push(value.start, value.end, rule)
}

/// Whether the quoted name before the comma at `here` is the first argument of a call.
fn argument(scan: &Scan<'_, '_>, here: usize, name: &str) -> bool {
    let quote = |at: usize| matches!(scan.before(at), Some(b'"' | b'\''));
    let Some(start) = here.checked_sub(name.len() + 1) else { return false };
    quote(here) && quote(start) && scan.before(start - 1) == Some(b'(')
}

/// `sig=` and `signature=` in the query of a URL, as signed links have.
fn signature(scan: &Scan<'_, '_>, name: &str, here: usize) -> Option<names::Verdict> {
    let last = words(name).last()?;
    let signs = ["sig", "signature"].iter().any(|s| last.eq_ignore_ascii_case(s));
    let query = matches!(scan.before(here.checked_sub(last.len())?), Some(b'?' | b'&' | b'-'));
    (signs && query && scan.byte_is(here, b'=')).then_some(names::Verdict {
        rule: Rule::UrlCredentials,
        need: Need::Random,
        deep: false,
    })
}

/// The name in front of a sign: the end of its line, up to a mark that ends a name. Quotes, a
/// closing bracket and spaces between name and sign are passed over.
fn name_before<'t>(scan: &Scan<'_, 't>, here: usize) -> Option<&'t str> {
    let mut end = here;
    for _ in 0..4 {
        match scan.before(end) {
            Some(b' ' | b'"' | b'\'' | b'`' | b'\\' | b']' | b'?' | b'*' | b':') => end -= 1,
            _ => break,
        }
    }
    let floor = here.saturating_sub(NAME_BYTES_MAX).max(scan.floor).min(end);
    let start = scan.start_of(end, floor, |b| {
        b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' ') || b >= 0x80
    });
    let mut start = start;
    while !scan.subject.text.is_char_boundary(start) && start < end {
        start += 1;
    }
    scan.subject.text.get(start..end).filter(|name| !name.is_empty())
}

/// The value from `from` on: in quotes to the quote that closes it, bare to a mark that ends it.
fn value(scan: &Scan<'_, '_>, from: usize) -> Option<Value> {
    let rest = scan.bytes.get(from..)?;
    let rest = rest.get(..rest.len().min(VALUE_BYTES_MAX))?;
    let mut skipped =
        rest.iter().take(4).take_while(|&&b| b == b' ' || b == b'\t' || b == b'>').count();
    let quote = match rest.get(skipped..)? {
        [b'\\', q @ (b'"' | b'\''), ..] => {
            skipped += 2;
            Some((*q, true))
        }
        [q @ (b'"' | b'\'' | b'`'), ..] => {
            skipped += 1;
            Some((*q, false))
        }
        _ => None,
    };
    let tail = rest.get(skipped..)?;
    let tail = if quote.is_none() { tail.get(..tail.len().min(BARE_BYTES_MAX))? } else { tail };
    let stops = |n: usize, b: u8| match quote {
        Some((_, true)) => b == b'\\' && tail.get(n + 1).is_some_and(|q| matches!(q, b'"' | b'\'')),
        Some((q, false)) => b == q || b == b'\n',
        None => {
            b.is_ascii_whitespace()
                || matches!(
                    b,
                    b'"' | b'\'' | b'`' | b'<' | b'>' | b',' | b';' | b'&' | b'}' | b'\\'
                )
        }
    };
    let mut len = tail.iter().enumerate().position(|(n, &b)| stops(n, b)).unwrap_or(tail.len());
    steps::add(len);
    if quote.is_none() {
        while len > 0 && matches!(tail.get(len - 1), Some(b'.' | b':' | b'?' | b')' | b']')) {
            len -= 1;
        }
    }
    let start = from + skipped;
    let mut end = start + len;
    while !scan.subject.text.is_char_boundary(end) {
        end -= 1;
    }
    (end > start).then_some(Value { start, end, quoted: quote.is_some() })
}

/// Whether text behind "password" is one. `sure` is a form that only an assignment has.
fn is_password(text: &str, sure: bool, quoted: bool) -> bool {
    let n_chars = text.chars().count();
    if values::is_stand_in(text) || n_chars < 4 || (!quoted && text.contains('(')) {
        return false;
    }
    let has = |set: fn(&char) -> bool| text.chars().any(|c| set(&c));
    let digit = has(char::is_ascii_digit);
    let symbol =
        has(|c| c.is_ascii_punctuation() && !matches!(c, '.' | '_' | '-' | ':' | '/' | ')' | '('));
    let mixed =
        text.chars().skip(1).any(char::is_uppercase) && text.chars().any(char::is_lowercase);
    // `password = req.body.password`: a name and no value.
    let name = !quoted && !digit && !symbol && (text.contains('.') || mixed || text.contains('_'));
    let prose = quoted && text.contains(' ') && !digit;
    if name || prose {
        return false;
    }
    n_chars >= 6 && (sure || digit || symbol) || (quoted && (digit || symbol))
}

/// Whether text behind "secret", "api key" and the like is one.
fn is_secret(text: &str, sure: bool) -> bool {
    if values::is_random(text, 12) || values::is_scrambled(text) {
        return true;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text.bytes().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'-' | b'_' | b'+' | b'=' | b'!' | b'@' | b'#' | b'$' | b'%')
    });
    let letters = text.bytes().any(|b| b.is_ascii_alphabetic());
    sure && plain
        && letters
        && digits > 0
        && text.len() >= 8
        && !values::is_stand_in(text)
        && !values::is_uuid(text.as_bytes())
}

/// What follows `Authorization:`: the credentials behind the scheme.
fn authorization(scan: &mut Scan<'_, '_>, from: usize) -> Option<usize> {
    /// Schemes of the IANA registry that carry a secret, and those that services add.
    const SCHEMES: &[&str] = &[
        "apikey",
        "aws4-hmac-sha256",
        "basic",
        "bearer",
        "bot",
        "digest",
        "dpop",
        "hawk",
        "hmac",
        "key",
        "negotiate",
        "ntlm",
        "sharedkey",
        "splunk",
        "token",
    ];
    let text = scan.subject.text.get(from..)?;
    let start = text.len() - text.trim_start_matches([' ', '\t', '"', '\'', '\\']).len();
    if start > 6 {
        return None;
    }
    let line = text.get(start..)?;
    let end = line
        .bytes()
        .take(HEADER_BYTES_MAX)
        .position(|b| matches!(b, b'\r' | b'\n' | b'"' | b'\'' | b'`' | b'\\' | b'<'));
    let mut end = end.unwrap_or(line.len().min(HEADER_BYTES_MAX));
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    steps::add(end);
    let line = line.get(..end)?.trim_end();
    let scheme = line.split(' ').next().unwrap_or_default();
    let known = SCHEMES.iter().any(|s| s.eq_ignore_ascii_case(scheme));
    let credentials = line.get(scheme.len()..)?.trim_start();
    let first = credentials.split([' ', ',']).next().unwrap_or_default();
    // A digest is a list of parameters; the rest are one token, and what follows is prose.
    let listed = first.contains('=') && credentials.contains(',');
    let value = match known {
        true if listed => credentials,
        true => first,
        false => scheme,
    };
    let value = value.trim_end_matches([',', ';', '.', ')']);
    if values::is_blank(value)
        || values::is_stand_in(value)
        || (!known && !values::is_random(value, 12))
    {
        return None;
    }
    let at = from + start + if known { line.len() - credentials.len() } else { 0 };
    if known && value.len() < 4 {
        return None;
    }
    scan.push(at, at + value.len(), Rule::AuthHeader)
}

/// What follows `Cookie:` or `Set-Cookie:`: every value of six characters and more. Shorter ones
/// are settings (`theme=dark`).
fn cookies(scan: &mut Scan<'_, '_>, from: usize) -> Option<usize> {
    if from < scan.cookies_end {
        return None;
    }
    let text = scan.subject.text.get(from..)?;
    // `{"Cookie": "sid=…"}`, `document.cookie = "sid=…"`.
    let quote = text.bytes().take(3).take_while(|b| matches!(b, b' ' | b'"' | b'\'')).count();
    let (from, text) = (from + quote, text.get(quote..)?);
    let end =
        text.bytes().take(VALUE_BYTES_MAX).position(|b| matches!(b, b'\r' | b'\n' | b'"' | b'\''));
    let mut end = end.unwrap_or(text.len().min(VALUE_BYTES_MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    steps::add(end);
    scan.cookies_end = from + end;
    let (mut at, mut last) = (from, None);
    for pair in text.get(..end)?.split(';') {
        if let Some((name, value)) = pair.split_once('=') {
            let start = at + name.len() + 1;
            let value = value.trim_end();
            let attribute = ["expires", "path", "domain", "max-age", "samesite"];
            let setting = attribute.iter().any(|a| name.trim().eq_ignore_ascii_case(a));
            if !setting
                && value.len() >= 6
                && !value.contains(' ')
                && !values::is_blank(value)
                && !values::is_stand_in(value)
            {
                last = scan.push(start, start + value.len(), Rule::Cookie).or(last);
            }
        }
        at += pair.len() + 1;
    }
    last
}

/// Whether the name of a call that ends with the word at `start` sets what the word means: nothing
/// stands before it, or `set` and the like. `getPassword("user")` is given something else.
fn called(scan: &Scan<'_, '_>, start: usize) -> bool {
    let head = scan.bytes.get(..start).unwrap_or_default();
    let head = head.strip_suffix(b"_").unwrap_or(head);
    let sets = ["set", "with", "new", "change", "update"].iter().any(|verb| {
        head.len() >= verb.len()
            && head
                .get(head.len() - verb.len()..)
                .is_some_and(|h| h.eq_ignore_ascii_case(verb.as_bytes()))
    });
    sets || !head.last().is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80)
}

/// "password is …", `--password …`: a 'w' at `here` that may be that of such a word.
pub(super) fn spoken(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let head = scan.bytes.get(here.saturating_sub(4)..here)?;
    let passw = head.len() == 4 && head.eq_ignore_ascii_case(b"pass");
    let pwd = head.last().is_some_and(|b| b.eq_ignore_ascii_case(&b'p'));
    if !passw && !pwd {
        return None;
    }
    let letters = scan.bytes.get(here..)?.iter().take(WORD_BYTES_MAX + 1);
    let end = here + letters.take_while(|b| b.is_ascii_alphabetic()).count();
    if end > here + WORD_BYTES_MAX {
        return None;
    }
    let start = here - if passw { 4 } else { 1 };
    let word = scan.subject.text.get(start..end)?;
    if !names::is_password(word) {
        return None;
    }
    let rest = scan.subject.text.get(end..)?;
    let option = scan.bytes.get(..start)?.ends_with(b"--");
    let verb = [" is now ", " is: ", " is ", " was ", " = ", " - ", " lautet ", " ist "]
        .iter()
        .find(|verb| rest.starts_with(**verb));
    let skip = match verb {
        Some(verb) => verb.len(),
        None if option && rest.starts_with(' ') => 1,
        // `setPassword("…")`, `password('…')`: a call that has it as its argument.
        None if called(scan, start) && (rest.starts_with("(\"") || rest.starts_with("('")) => 1,
        None => return None,
    };
    let value = value(scan, end + skip)?;
    let text = scan.subject.text.get(value.start..value.end)?;
    if !is_password(text, option || value.quoted, value.quoted) || values::is_blank(text) {
        return None;
    }
    scan.push(value.start, value.end, Rule::Password)
}
