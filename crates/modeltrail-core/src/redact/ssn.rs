//! US social security numbers: area, group and serial number as 3-2-4 digits, in the ranges that
//! the Social Security Administration issues (20 CFR 422.103; no area 000, 666 or 900 to 999, no
//! group 00, no serial 0000). Nine digits in one run need a word or a name that says so.

use super::check::americas::us_ssn;
use super::context::{self, Subject};
use super::digits::{Run, Sep};
use super::scan::Hit;

/// The number that starts with group `first`.
pub(super) fn at(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> Option<Hit> {
    let last = match [run.len(first), run.len(first + 1), run.len(first + 2)] {
        [3, 2, 4] if is_grouped(run, first) => first + 2,
        [8 | 9, ..] if is_bare(run, first, subject) => first,
        _ => return None,
    };
    Some(Hit { start: run.group(first)?.start, end: run.group(last)?.end, last_group: last })
}

fn is_grouped(run: &Run<'_>, first: usize) -> bool {
    let last = first + 2;
    let sep = run.sep(last);
    // A further group behind or before the same mark makes it another number.
    let spaced = sep == Sep::Space;
    let before = run.is_free_left(first) && !(spaced && first > 0 && run.sep(first) == sep);
    let after = run.is_free_right(last) && !(spaced && run.sep(last + 1) == sep);
    run.sep(first + 1) == sep
        && matches!(sep, Sep::Space | Sep::Dash | Sep::Dot)
        && is_issued(run.value(first), run.value(first + 1), run.value(last))
        && before
        && after
}

/// An integer loses the zero in front of its area, so that eight digits can be one too; only if
/// they are all there is.
fn is_bare(run: &Run<'_>, first: usize, subject: &Subject<'_>) -> bool {
    let Some(group) = run.group(first) else { return false };
    let value = run.value(first);
    let whole = group.start == 0 && group.end == subject.text.len();
    (run.len(first) == 9 || whole)
        && run.is_free_left(first)
        && run.is_free_right(first)
        && is_issued(value / 1_000_000, value / 10_000 % 100, value % 10_000)
        && context::ssn_nearby(subject, group.start, group.end)
}

fn is_issued(area: u32, group: u32, serial: u32) -> bool {
    let mut rest = area * 1_000_000 + group * 10_000 + serial;
    let mut digits = [b'0'; 9];
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    area <= 999 && us_ssn(&digits)
}
