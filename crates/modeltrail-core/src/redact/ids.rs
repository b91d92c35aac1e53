//! Numbers of persons and accounts: national ids, IBANs, wallets, passports.
//!
//! An id of letters and digits whose check character is right needs nothing else. One of digits
//! alone needs a word or a name that speaks of it, or the marks that it is written with.

use super::check::{self, nordic, wallet};
use super::context::{self, Around};
use super::digits::{Run, Sep};
use super::id_tables::{DIGIT_IDS, MARKED_IDS, WORD_IDS};
use super::rule::{Rule, RuleSet};
use super::scan::{Hit, Scan};
use super::{dates, network};

/// The longest id with its marks: a French one.
const MARKED_BYTES_MAX: usize = 24;

/// Judges the run of letters and digits around the digit at `here`; where to go on if something
/// was found.
pub(super) fn word(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    let floor = scan.word_end.max(scan.floor).min(here);
    let start = scan.start_of(here, floor, |b| b.is_ascii_alphanumeric());
    let end = scan.end_of(here, |b| b.is_ascii_alphanumeric());
    scan.word_end = end;
    let word = scan.bytes.get(start..end)?;
    let letters = word.iter().any(u8::is_ascii_alphabetic);
    if !letters {
        if word.len() <= 3
            && scan.byte_is(end, b'.')
            && let Some(next) = network::ipv4(scan, start)
        {
            return Some(next);
        }
        if matches!(word.len(), 1 | 2 | 4 | 8)
            && let Some(next) = birth(scan, start)
        {
            return Some(next);
        }
    }
    let ordinal =
        matches!(word, [.., b's', b't'] | [.., b'n', b'd'] | [.., b'r', b'd'] | [.., b't', b'h']);
    if ordinal
        && word.len() <= 4
        && let Some(next) = birth(scan, start)
    {
        return Some(next);
    }
    if word.len() == 4
        && scan.byte_is(end, b'.')
        && let Some(next) = quads(scan, start)
    {
        return Some(next);
    }
    if let Some(next) = iban(scan, start) {
        return Some(next);
    }
    if !(1..=9).contains(&word.len()) && !letters {
        return dated(scan, start, word.len());
    }
    dated(scan, start, word.len())
        .or_else(|| if letters { single(scan, start, end) } else { None })
        .or_else(|| marked(scan, start, end))
        .or_else(|| if letters { lettered_context(scan, start, end) } else { None })
}

/// A MAC address as three times four digits with dots.
fn quads(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    let end = start + 14;
    let joined = |at: usize| scan.bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let bound = joined(end) || (scan.byte_is(end, b'.') && joined(end + 1));
    if bound || scan.before(start) == Some(b'.') || !check::net::mac(scan.bytes.get(start..end)?) {
        return None;
    }
    scan.push(start, end, Rule::MacAddress)
}

/// An IBAN whose country and check digits start at `start`, in one run or in groups.
fn iban(scan: &mut Scan<'_, '_>, start: usize) -> Option<usize> {
    let &[a, b, c, d] = scan.bytes.get(start..start + 4)?.first_chunk::<4>()?;
    let head = a.is_ascii_alphabetic()
        && b.is_ascii_alphabetic()
        && c.is_ascii_digit()
        && d.is_ascii_digit();
    if !head {
        return None;
    }
    let len = check::iban::length([a, b])?;
    let mut number = [0_u8; 40];
    let (mut n, mut at) = (0, start);
    while n < len {
        let byte = *scan.bytes.get(at)?;
        if byte.is_ascii_alphanumeric() {
            *number.get_mut(n)? = byte;
            (n, at) = (n + 1, at + 1);
        } else {
            let mark = mark_len(scan.bytes, at)?;
            if !scan.bytes.get(at + mark)?.is_ascii_alphanumeric() {
                return None;
            }
            at += mark;
        }
    }
    let free = !scan.bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    if !free || !check::iban::iban(number.get(..len)?) {
        return None;
    }
    scan.push(start, at, Rule::Iban)
}

/// A space or a hyphen between groups.
fn mark_len(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at..)? {
        [b' ' | b'-', ..] => Some(1),
        [0xc2, 0xa0, ..] => Some(2),
        [0xe2, 0x80, 0x87 | 0x89 | 0xaf, ..] => Some(3),
        _ => None,
    }
}

/// Whether a word stands by itself: no dash or dot binds it to a further part.
fn is_single(scan: &Scan<'_, '_>, start: usize, end: usize) -> bool {
    let bound_left = matches!(scan.before(start), Some(b'-' | b'.' | b'+' | b'/'))
        && start
            .checked_sub(1)
            .and_then(|at| scan.before(at))
            .is_some_and(|b| b.is_ascii_alphanumeric());
    let next = scan.bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
    let bound_right = matches!(scan.bytes.get(end), Some(b'-' | b'.' | b'+' | b'/' | b'=')) && next;
    let named = scan.byte_is(end, b'_') || scan.byte_is(end, b'@');
    !bound_left && !bound_right && !named
}

fn single(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    let word = scan.bytes.get(start..end)?;
    if word.len() >= 26 {
        return wallet_at(scan, start, end);
    }
    if word.len() < 8 || !is_single(scan, start, end) {
        return None;
    }
    let mut around = None;
    for &(rule, from, to, check, needs_word) in WORD_IDS {
        if !(from..=to).contains(&word.len()) || !scan.rules.has(rule) || !check(word) {
            continue;
        }
        let near = || context::around(&scan.subject, start, end);
        if !needs_word || around.get_or_insert_with(near).rules.has(rule) {
            return scan.push(start, end, rule);
        }
    }
    glued(scan, start, end)
}

/// Digits behind a word that lost its space: `code is199003052397`. They need a word all the same.
fn glued(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    let word = scan.bytes.get(start..end)?;
    let letters = word.iter().position(u8::is_ascii_digit)?;
    let digits = word.get(letters..)?;
    if !(10..=13).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let passed = passing(scan.rules, digits);
    if passed.is_empty() {
        return None;
    }
    let around = context::around(&scan.subject, start + letters, end);
    let rule = chosen(passed, &around)?;
    scan.push(start + letters, end, rule)
}

/// Wallets: what is told by a check sum, and what Ethereum has.
fn wallet_at(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    let word = scan.bytes.get(start..end)?;
    if word.len() == 42 && word.starts_with(b"0x") {
        let sure = match wallet::ethereum(word) {
            wallet::Ethereum::No => return None,
            wallet::Ethereum::MixedCase => true,
            wallet::Ethereum::OneCase => {
                context::around(&scan.subject, start, end).rules.has(Rule::CryptoWallet)
            }
        };
        return if sure { scan.push(start, end, Rule::CryptoWallet) } else { None };
    }
    if word.len() <= 90 && wallet::bitcoin(word) {
        return scan.push(start, end, Rule::CryptoWallet);
    }
    match wallet::base58check(word)? {
        wallet::Base58::Address => scan.push(start, end, Rule::CryptoWallet),
        wallet::Base58::PrivateKey | wallet::Base58::ExtendedKey => {
            scan.push(start, end, Rule::PrivateKey)
        }
    }
}

/// Ids that start with a date and a sign: Finland's, and Sweden's and Korea's with their dash.
fn dated(scan: &mut Scan<'_, '_>, start: usize, n_digits: usize) -> Option<usize> {
    if !matches!(n_digits, 6 | 8) {
        return None;
    }
    let sign = *scan.bytes.get(start + n_digits)?;
    if !matches!(sign, b'-' | b'+' | b'A'..=b'F' | b'U'..=b'Y') {
        return None;
    }
    let bound = |end: usize| {
        scan.bytes.get(end).is_some_and(|b| b.is_ascii_alphanumeric())
            || (scan.byte_is(end, b'-')
                && scan.bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric))
    };
    if scan.before(start).is_some_and(|b| b == b'-' || b == b'.') {
        return None;
    }
    let end = start + n_digits + 5;
    let text = scan.bytes.get(start..end).filter(|_| !bound(end))?;
    if n_digits == 6 && nordic::fi_hetu(text) {
        return scan.push(start, end, Rule::FiHetu);
    }
    if nordic::se_personnummer(text) {
        let around = context::around(&scan.subject, start, end);
        if around.rules.has(Rule::SePersonnummer) {
            return scan.push(start, end, Rule::SePersonnummer);
        }
    }
    None
}

/// Ids with marks between groups of letters and digits.
fn marked(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    let len = end - start;
    // A letter or two in front belong to some: `X-1234567-L`, `AB 12 34 56 C`.
    let free = |at: usize| {
        !scan
            .before(at)
            .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/'))
    };
    let lead = scan.bytes.get(start.saturating_sub(3).max(scan.floor)..start)?;
    let led = match lead {
        [.., x, b'-'] if len == 7 && x.is_ascii_alphabetic() => start - 2,
        [a, b, b' ' | b'-']
            if (len == 2 || len == 6) && a.is_ascii_alphabetic() && b.is_ascii_alphabetic() =>
        {
            start - 3
        }
        _ => start,
    };
    let from = if free(led) { led } else { start };
    if !free(from) {
        return None;
    }
    let mut around: Option<Around> = None;
    for &(rule, form, check, needs_word) in MARKED_IDS {
        let mut packed = [0_u8; MARKED_BYTES_MAX];
        let Some((n, to)) = fits(scan.bytes, from, form, &mut packed) else { continue };
        if !scan.rules.has(rule) || !check(packed.get(..n)?) {
            continue;
        }
        let near = || context::around(&scan.subject, from, to);
        if !needs_word || around.get_or_insert_with(near).rules.has(rule) {
            return scan.push(from, to, rule);
        }
    }
    None
}

/// Reads groups of letters and digits with marks, as `form` has them (`2.3.3-1`), into `packed`:
/// how many there are and where they end.
fn fits(bytes: &[u8], from: usize, form: &str, packed: &mut [u8]) -> Option<(usize, usize)> {
    let (mut at, mut n) = (from, 0);
    for piece in form.bytes() {
        if !piece.is_ascii_digit() {
            let mark = bytes.get(at)?;
            if piece == b' ' {
                at += mark_len(bytes, at).filter(|_| *mark != b'-')?;
            } else if *mark == piece {
                at += 1;
            } else {
                return None;
            }
            continue;
        }
        for _ in 0..piece - b'0' {
            let byte = *bytes.get(at).filter(|b| b.is_ascii_alphanumeric())?;
            *packed.get_mut(n)? = byte;
            (n, at) = (n + 1, at + 1);
        }
    }
    let next = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    let bound = next(at) || (matches!(bytes.get(at), Some(b'-' | b'.' | b'/')) && next(at + 1));
    (!bound).then_some((n, at))
}

/// A code beside a word that says it is a passport's or a driving licence's.
fn lettered_context(scan: &mut Scan<'_, '_>, start: usize, end: usize) -> Option<usize> {
    /// The longest licence is a British one.
    const CODE_BYTES_MAX: usize = 18;
    if scan.before(start) == Some(b'-') || end - start > CODE_BYTES_MAX {
        return None;
    }
    let to =
        scan.end_of(end, |b| b.is_ascii_alphanumeric() || b == b'-').min(start + CODE_BYTES_MAX);
    let to = if scan.bytes.get(to).is_some_and(u8::is_ascii_alphanumeric) { end } else { to };
    let to = if scan.before(to) == Some(b'-') { end } else { to };
    let word = scan.bytes.get(start..to)?;
    if word.len() < 6 || word.iter().filter(|b| b.is_ascii_digit()).count() < 3 {
        return None;
    }
    let around = context::around(&scan.subject, start, to);
    let rule = documented(&around, to - start)?;
    scan.push(start, to, rule)
}

/// The rule for a code of `len` characters that has no check digits.
fn documented(around: &Around, len: usize) -> Option<Rule> {
    if around.other {
        return None;
    }
    if around.near.has(Rule::Passport) && (6..=9).contains(&len) {
        return Some(Rule::Passport);
    }
    (around.near.has(Rule::DriverLicense) && (5..=18).contains(&len)).then_some(Rule::DriverLicense)
}

/// A date beside a word that says it is one of birth.
pub(super) fn birth(scan: &mut Scan<'_, '_>, here: usize) -> Option<usize> {
    // Behind the digits of a time or of another number; `dob:1985-03-12` is neither.
    let bound = match scan.before(here) {
        Some(b'-' | b'.' | b'/') => true,
        Some(b':') => scan.before(here - 1).is_some_and(|b| b.is_ascii_digit()),
        _ => false,
    };
    if !scan.rules.has(Rule::DateOfBirth) || bound {
        return None;
    }
    let (start, end) = dates::at(scan.subject.text, here)?;
    let born = context::named_since_number(&scan.subject, start, end).has(Rule::DateOfBirth);
    if born { scan.push(start, end, Rule::DateOfBirth) } else { None }
}

/// The rules whose checks some digits pass.
fn passing(on: RuleSet, digits: &[u8]) -> RuleSet {
    let mut passed = RuleSet::NONE;
    for &(rule, from, to, check, _) in DIGIT_IDS {
        if (from..=to).contains(&digits.len()) && on.has(rule) && check(digits) {
            passed = passed.or(RuleSet::of(&[rule]));
        }
    }
    passed
}

/// Which of the rules that digits pass the words around them speak of.
fn chosen(passed: RuleSet, around: &Around) -> Option<Rule> {
    let pick = |set: RuleSet| DIGIT_IDS.iter().map(|id| id.0).find(|rule| set.has(*rule));
    pick(passed.and(around.near))
        .or_else(|| if around.other { None } else { pick(passed.and(around.rules)) })
}

/// The id whose digits start with group `first`.
pub(super) fn digits(scan: &Scan<'_, '_>, run: &Run<'_>, first: usize) -> Option<(Hit, Rule)> {
    /// A French number has seven groups.
    const GROUPS_MAX: usize = 7;
    /// The longest is a Chinese one.
    const DIGITS_MAX: usize = 18;
    if !run.is_free_left(first) || (first == 0 && run.plus.is_some()) {
        return None;
    }
    let mut packed = [0_u8; DIGITS_MAX];
    let (mut n, mut found) = (0, None);
    for last in first..first + GROUPS_MAX {
        let len = run.len(last);
        if len == 0 || n + len > DIGITS_MAX || (last > first && run.sep(last) == Sep::Paren) {
            break;
        }
        for digit in run.digits(last, last) {
            *packed.get_mut(n)? = digit + b'0';
            n += 1;
        }
        if n < 8 || !run.is_free_right(last) {
            continue;
        }
        let passed = passing(scan.rules, packed.get(..n)?);
        if passed.is_empty() {
            continue;
        }
        let (start, end) = (run.group(first)?.start, run.group(last)?.end);
        let written = DIGIT_IDS
            .iter()
            .find(|(rule, .., form)| passed.has(*rule) && is_written(run, first, last, form));
        let rule = match written {
            Some((rule, ..)) => Some(*rule),
            None => chosen(passed, &context::around(&scan.subject, start, end)),
        };
        if let Some(rule) = rule {
            found = Some((Hit { start, end, last_group: last }, rule));
        }
    }
    found
}

/// Whether groups and marks are those with which an id is written.
fn is_written(run: &Run<'_>, first: usize, last: usize, form: &str) -> bool {
    if form.is_empty() {
        return false;
    }
    let mut pieces = form.split(|c: char| !c.is_ascii_digit());
    let mut marks = form.chars().filter(|c| !c.is_ascii_digit());
    let groups = (first..=last).all(|n| {
        let len = pieces.next().and_then(|piece| piece.parse().ok());
        let mark = n == first
            || matches!(
                (marks.next(), run.sep(n)),
                (Some(' '), Sep::Space) | (Some('-'), Sep::Dash) | (Some('.'), Sep::Dot)
            );
        len == Some(run.len(n)) && mark
    });
    groups && pieces.next().is_none()
}

/// Where a licence's number starts whose digits do at `start`: `DL-1420110012345` has its state's or
/// its kind's letters in front.
fn issuer(scan: &Scan<'_, '_>, start: usize) -> usize {
    /// `DL`, `LIC`: longer ones are words.
    const LETTERS_MAX: usize = 3;
    if scan.before(start) != Some(b'-') {
        return start;
    }
    let floor = scan.floor.max(start.saturating_sub(LETTERS_MAX + 1)).min(start - 1);
    let from = scan.start_of(start - 1, floor, |b| b.is_ascii_uppercase());
    let letters = start - 1 - from;
    let bound = scan.before(from).is_some_and(|b| b.is_ascii_alphanumeric() || b == b'-');
    if (1..=LETTERS_MAX).contains(&letters) && !bound { from } else { start }
}

/// Digits without check digits, beside words that say what they are.
pub(super) fn spoken_of(scan: &Scan<'_, '_>, run: &Run<'_>, first: usize) -> Option<(Hit, Rule)> {
    if !run.is_free_left(first) {
        return None;
    }
    let mut last = first;
    while run.len(last + 1) > 0
        && matches!(run.sep(last + 1), Sep::Space | Sep::Dash)
        && last < first + 4
    {
        last += 1;
    }
    let n_digits = (first..=last).map(|n| run.len(n)).sum::<usize>();
    if !(6..=17).contains(&n_digits) || !run.is_free_right(last) {
        return None;
    }
    let (start, end) = (run.group(first)?.start, run.group(last)?.end);
    let around = context::around(&scan.subject, start, end);
    let rule = match documented(&around, n_digits) {
        Some(rule) => rule,
        None if around.near.has(Rule::BankAccount) && !around.other && n_digits >= 7 => {
            Rule::BankAccount
        }
        None => return None,
    };
    let start = if rule == Rule::DriverLicense { issuer(scan, start) } else { start };
    scan.rules.has(rule).then_some((Hit { start, end, last_group: last }, rule))
}
