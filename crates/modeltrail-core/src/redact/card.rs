//! Payment card numbers: an issuer's prefix with a length that issuer uses, the Luhn check
//! (ISO/IEC 7812-1, annex B), in one run or in the groups that are printed on cards.

use super::context::{self, Subject};
use super::digits::{Run, Sep};
use super::scan::Hit;

/// The shortest (Maestro) and the longest number that ISO/IEC 7812-1 allows an issuer here.
const LENGTHS: std::ops::RangeInclusive<usize> = 12..=19;

/// Groups of the longest printed form, 4-4-4-4-3.
const GROUPS_MAX: usize = 5;

/// The card number that starts with group `first`.
pub(super) fn at(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<Hit> {
    // A lone short group is what nearly every candidate is.
    let most = (first..first + GROUPS_MAX).map(|n| run.len(n)).sum::<usize>();
    if most < *LENGTHS.start() {
        return None;
    }
    let last = (first..first + GROUPS_MAX).rev().find(|&last| matches(run, first, last))?;
    let (start, end) = (run.group(first)?.start, run.group(last)?.end);
    let whole = start == 0 && end == subject.text.len();
    if whole && first == last && context::is_identifier(subject.names) {
        return None;
    }
    Some(Hit { start, end, last_group: last })
}

fn matches(run: &Run<'_>, first: usize, last: usize) -> bool {
    let Some(sep) = form(run, first, last) else { return false };
    let n_digits = (first..=last).map(|n| run.len(n)).sum::<usize>();
    let prefix = run.digits(first, last).take(6).fold(0, |value, d| value * 10 + u32::from(d));
    LENGTHS.contains(&n_digits)
        && is_issued(prefix, n_digits)
        && passes_luhn(run.digits(first, last))
        && is_apart(run, first, last, sep)
}

/// The mark between the groups if they are in a form that cards are printed in.
fn form(run: &Run<'_>, first: usize, last: usize) -> Option<Sep> {
    let mut lens = [0; GROUPS_MAX];
    for (len, n) in lens.iter_mut().zip(first..=last) {
        *len = run.len(n);
    }
    let sep = run.sep(first + 1);
    match lens {
        [12..=19, 0, 0, 0, 0] => return (first == last).then_some(Sep::Start),
        [4, 4, 4, 1..=5, 0] | [4, 4, 4, 4, 1..=3] | [4, 6, 4 | 5, 0, 0] | [6, 13, 0, 0, 0] => {}
        _ => return None,
    }
    let same = (first + 1..=last).all(|n| run.sep(n) == sep);
    (same && matches!(sep, Sep::Space | Sep::Dash)).then_some(sep)
}

/// Whether the neighbours belong to something else. A space is no bond, except that groups of the
/// same form before it make a longer number of another kind (an IBAN in fours).
fn is_apart(run: &Run<'_>, first: usize, last: usize, sep: Sep) -> bool {
    let spaced_before = first > 0 && sep == Sep::Space && run.sep(first) == Sep::Space;
    let alone = !spaced_before || (run.len(first - 1) < 4 && !(first == 1 && run.glued_left));
    alone && run.is_free_left(first) && run.is_free_right(last)
}

fn passes_luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum = digits.rev().enumerate().fold(0_u32, |sum, (n, digit)| {
        let digit = u32::from(digit);
        sum + if n % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 }
    });
    sum % 10 == 0
}

/// Whether an issuer with this prefix (six digits) uses this length. The ranges are those that
/// the networks publish for merchants.
fn is_issued(prefix: u32, n_digits: usize) -> bool {
    let two = prefix / 10_000;
    let four = prefix / 100;
    match (two, four) {
        // Visa
        (40..=49, _) => matches!(n_digits, 13 | 16 | 19),
        // Mastercard
        (51..=55, _) | (_, 2221..=2720) => n_digits == 16,
        // American Express
        (34 | 37, _) => n_digits == 15,
        // Diners Club
        (36 | 38 | 39, _) | (_, 3000..=3059 | 3095) => n_digits == 14 || n_digits == 16,
        // Discover
        (65, _) | (_, 6011 | 6440..=6499) => (16..=19).contains(&n_digits),
        // JCB
        (_, 3528..=3589) => (16..=19).contains(&n_digits),
        // UnionPay
        (62 | 81, _) => (16..=19).contains(&n_digits),
        // Maestro
        (_, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => true,
        // Mir, Verve, Dankort, InstaPayment, RuPay, Troy
        (_, 2200..=2204) => (16..=19).contains(&n_digits),
        (_, 5060 | 5061) => matches!(n_digits, 16 | 18 | 19),
        (60 | 82, _) | (_, 5019 | 6370..=6399 | 9792) => n_digits == 16,
        _ => false,
    }
}
