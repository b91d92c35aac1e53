//! Telephone numbers.
//!
//! - international: '+' and 8 to 15 digits with a country code that is assigned (ITU-T E.164);
//! - North American: `(212) 555-1234`, `212-555-1234`, `212.555.1234`, `1 212 555 1234`;
//! - in one run, and in the groups of other countries: only beside a word or under a name that
//!   speaks of a telephone.

use super::check::phone as plans;
use super::context::{self, Nearby, Subject};
use super::digits::{Run, Sep};
use super::scan::Hit;

/// E.164: at most fifteen digits with the country code. The shortest in use have eight.
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// National numbers with their trunk prefix: nine digits (Portugal) to thirteen (Argentina, with the
/// 15 of its mobiles).
const NATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 9..=13;

/// The most that is dialled within a country, its trunk prefix included.
const NATIONAL_DIGITS_MAX: usize = 13;

/// The digits of a North American number with its country code.
const NANP_DIGITS: usize = 11;

/// The number that starts with group `first`.
pub(super) fn at(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<Hit> {
    if first == 0
        && let Some(start) = run.plus
        && let Some(hit) = international(run, start, subject)
    {
        return Some(hit);
    }
    if !run.is_free_left(first) {
        return None;
    }
    let last = dialled(run, first, subject)
        .or_else(|| north_american(run, first, subject))
        .or_else(|| bare(run, first, subject))
        .or_else(|| national(run, first, subject))?;
    let group = run.group(first)?;
    let opened = run.sep(first + 1) == Sep::Paren
        && last > first
        && group.start > 0
        && run.byte_is(group.start - 1, b'(');
    let start = group.start - usize::from(opened);
    Some(Hit { start, end: with_extension(run, last)?, last_group: last })
}

/// The end of group `last`, or of an extension (`x55`) behind it.
fn with_extension(run: &Run<'_>, last: usize) -> Option<usize> {
    let end = run.group(last)?.end;
    Some(extension(run, end).unwrap_or(end))
}

/// The end of an extension of one to five digits that starts at `at`.
fn extension(run: &Run<'_>, at: usize) -> Option<usize> {
    let marked = run.byte_is(at, b'x') || run.byte_is(at, b'X');
    let end = run.digits_end(at + 1);
    (marked && (1..=5).contains(&(end - at - 1))).then_some(end)
}

fn is_free_right(run: &Run<'_>, last: usize) -> bool {
    let Some(group) = run.group(last) else { return false };
    !run.is_clock(group.end) && (run.is_free_right(last) || extension(run, group.end).is_some())
}

/// The longest stretch of groups after a '+' that can be a number.
fn international(run: &Run<'_>, start: usize, subject: &Subject<'_>) -> Option<Hit> {
    let code = run.digits(0, 1).take(2).fold(0, |value, digit| value * 10 + digit);
    let mut n_digits = 0;
    let mut found = None;
    for last in 0.. {
        let len = run.len(last);
        n_digits += len;
        if len == 0 || n_digits > *INTERNATIONAL_DIGITS.end() {
            break;
        }
        let complete = if code / 10 == 1 {
            n_digits == NANP_DIGITS && run.digits(0, last).nth(1).is_some_and(|area| area >= 2)
        } else {
            n_digits >= *INTERNATIONAL_DIGITS.start()
                && is_country(code)
                && plans::international_possible(packed(run, 0, last).digits())
        };
        if complete && is_free_right(run, last) {
            found = Some(Hit { start, end: with_extension(run, last)?, last_group: last });
        }
    }
    // `+49.1234567` is the EPP form of a number (RFC 5733) and, more often, a decimal.
    let decimal = |hit: &Hit| hit.last_group == 1 && run.sep(1) == Sep::Dot;
    found.filter(|hit| {
        !decimal(hit)
            || matches!(
                context::phone_nearby(subject, hit.start, hit.end),
                Nearby::Strong | Nearby::Weak
            )
    })
}

/// The digits of some groups, as ASCII.
struct Packed {
    digits: [u8; DIGITS_MAX],
    n: usize,
}

/// E.164 allows fifteen; `00` and a trunk prefix in parentheses can come on top.
const DIGITS_MAX: usize = 18;

impl Packed {
    fn digits(&self) -> &[u8] {
        self.digits.get(..self.n).unwrap_or_default()
    }
}

fn packed(run: &Run<'_>, first: usize, last: usize) -> Packed {
    let mut packed = Packed { digits: [0; DIGITS_MAX], n: 0 };
    for (slot, digit) in packed.digits.iter_mut().zip(run.digits(first, last)) {
        *slot = digit + b'0';
        packed.n += 1;
    }
    packed
}

/// `00` in front of an international number, as it is dialled from much of the world: in groups,
/// or beside a word; the last group.
fn dialled(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<usize> {
    if run.leads(first) != 0 || run.len(first) < 2 || run.digits(first, first).nth(1) != Some(0) {
        return None;
    }
    let mut found = None;
    for last in first..first + 7 {
        let packed = packed(run, first, last);
        if run.len(last) == 0 || packed.n >= DIGITS_MAX {
            break;
        }
        let number = packed.digits().get(2..).unwrap_or_default();
        if is_free_right(run, last) && plans::international(number) {
            found = Some(last);
        }
    }
    let last = found?;
    let (start, end) = (run.group(first)?.start, run.group(last)?.end);
    let near = context::phone_nearby(subject, start, end);
    let fits = match near {
        Nearby::Strong | Nearby::Weak => true,
        Nearby::Silent => last > first + 1,
        Nearby::Other => false,
    };
    fits.then_some(last)
}

/// Whether country codes start with these two digits (ITU-T E.164, list of assigned codes). Zone
/// 1 is judged by its own plan.
fn is_country(code: u8) -> bool {
    code >= 20 && !matches!(code, 28 | 83 | 89)
}

/// Three, three and four digits, perhaps behind a 1; the last group.
///
/// The marks tell how sure the form is. Numbers that the plan allows (area and exchange from 2)
/// need nothing else; such as `555-123-4567`, which people write though the plan has no such
/// exchange, yield to a word that names something else.
fn north_american(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<usize> {
    let area = first + usize::from(run.len(first) == 1 && run.leads(first) == 1);
    let parenthesised = run.sep(area + 1) == Sep::Paren;
    let last = match [run.len(area), run.len(area + 1), run.len(area + 2)] {
        [3, 3, 4] => area + 2,
        [3, 7, _] if parenthesised => area + 1,
        _ => return None,
    };
    // A clause `252.227-7013` mixes marks as no telephone number does.
    let dots = (area + 1..=last).filter(|&n| run.sep(n) == Sep::Dot).count();
    if dots == 1 && !parenthesised {
        return None;
    }
    let spaced = (area + 1..=last).all(|n| run.sep(n) == Sep::Space);
    let crowded = (first > 0 && run.sep(first) == Sep::Space) || run.sep(last + 1) == Sep::Space;
    if !is_free_right(run, last) || (spaced && crowded) {
        return None;
    }
    let planned = run.leads(area) >= 2 && run.leads(area + 1) >= 2;
    if planned && !spaced {
        return Some(last);
    }
    let (start, end) = (run.group(first)?.start, run.group(last)?.end);
    let lowest = if run.sep(area + 1) == Sep::Dot { 2 } else { 1 };
    let fits = match context::phone_nearby(subject, start, end) {
        Nearby::Strong | Nearby::Weak => true,
        Nearby::Silent => planned || (!spaced && run.leads(area) >= lowest),
        Nearby::Other => false,
    };
    fits.then_some(last)
}

/// One run of digits beside a word that says what it is.
fn bare(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<usize> {
    let n_digits = run.len(first);
    if !(7..=NATIONAL_DIGITS_MAX).contains(&n_digits) || !is_free_right(run, first) {
        return None;
    }
    let group = run.group(first)?;
    let near = context::phone_nearby(subject, group.start, group.end);
    if !matches!(near, Nearby::Strong | Nearby::Weak) {
        return None;
    }
    let mut lead = run.digits(first, first);
    let (d0, d1) = (lead.next()?, lead.next()?);
    let exchange = lead.nth(1)?;
    let planned = n_digits == 10 && d0 >= 2 && exchange >= 2;
    let planned_anywhere = || plans::national(packed(run, first, first).digits(), None);
    let possible = match d0 {
        0 => n_digits >= 9 || planned_anywhere(),
        // Times in seconds start with 1 and have ten digits.
        1 => (n_digits == NANP_DIGITS && d1 >= 2) || (n_digits != 10 && planned_anywhere()),
        _ => n_digits >= 10 || planned_anywhere(),
    };
    if !possible {
        return None;
    }
    (near == Nearby::Strong || planned).then_some(first)
}

/// Groups as other countries write them, beside a word that says what they are; the last group.
fn national(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<usize> {
    if first > 0 && run.sep(first) == Sep::Space {
        return None;
    }
    let mut n_digits = 0;
    let (mut short, mut found) = (None, None);
    for last in first.. {
        let len = run.len(last);
        n_digits += len;
        // A trunk prefix can stand by itself, and an area code of one digit in parentheses.
        let alone = matches!(run.leads(first), 0 | 8) || run.sep(first + 1) == Sep::Paren;
        let trunk = last == first && len == 1 && alone;
        if !(trunk || (2..=9).contains(&len)) || n_digits > *NATIONAL_DIGITS.end() {
            break;
        }
        if last == first || !is_free_right(run, last) {
            continue;
        }
        if NATIONAL_DIGITS.contains(&n_digits) {
            found = Some(last);
        } else if n_digits >= 7 {
            short = Some(last);
        }
    }
    let last = found.or(short)?;
    if is_date(run, first, last) || is_zip(run, first, last) {
        return None;
    }
    let (start, end) = (run.group(first)?.start, run.group(last)?.end);
    let is_named = context::phone_nearby(subject, start, end) == Nearby::Strong;
    // The plans say little and take long, so they are asked last.
    let fits =
        is_named && (found.is_some() || plans::national(packed(run, first, last).digits(), None));
    fits.then_some(last)
}

/// A US postal code with its extension, `15213-3890`, which letterheads set beside a telephone.
fn is_zip(run: &Run<'_>, first: usize, last: usize) -> bool {
    last == first + 1
        && run.len(first) == 5
        && run.len(last) == 4
        && matches!(run.sep(last), Sep::Dash)
}

/// `2026-11-22` or `22.11.2026` among the groups.
fn is_date(run: &Run<'_>, first: usize, last: usize) -> bool {
    (first..last.saturating_sub(1)).any(|n| {
        let year = |n| matches!(run.value(n), 1900..=2099);
        match [run.len(n), run.len(n + 1), run.len(n + 2)] {
            [4, 2, 2] => year(n),
            [2, 2, 4] => year(n + 2),
            _ => false,
        }
    })
}
