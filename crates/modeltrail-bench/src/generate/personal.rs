//! Made-up personal data: addresses at example domains, numbers that have the shape and the check
//! digit of real ones. Nobody's, but a redactor cannot know that.

use super::words::{DOMAINS, FIRST_NAMES, LAST_NAMES};
use super::write::{padded, whole};
use crate::random::Rng;

/// Appends an e-mail address (2 of 6), a telephone number (2), an SSN or a card number (1 each).
pub(super) fn any(rng: &mut Rng, out: &mut String) {
    match rng.below(6) {
        0 | 1 => email(rng, out),
        2 | 3 => phone(rng, out),
        4 => ssn(rng, out),
        _ => card(rng, out),
    }
}

fn email(rng: &mut Rng, out: &mut String) {
    out.push_str(rng.pick(FIRST_NAMES));
    out.push('.');
    out.push_str(rng.pick(LAST_NAMES));
    whole(out, rng.below(100));
    out.push('@');
    out.push_str(rng.pick(DOMAINS));
}

fn phone(rng: &mut Rng, out: &mut String) {
    let [before, first, second] = match rng.below(5) {
        0 => ["", "-", "-"],
        1 => ["", ".", "."],
        2 => ["(", ") ", "-"],
        3 => ["+1 ", " ", " "],
        _ => ["", "", ""],
    };
    out.push_str(before);
    whole(out, 200 + rng.below(799));
    out.push_str(first);
    whole(out, 200 + rng.below(799));
    out.push_str(second);
    padded(out, rng.below(10_000), 4);
}

fn ssn(rng: &mut Rng, out: &mut String) {
    padded(out, 100 + rng.below(672), 3);
    out.push('-');
    padded(out, 1 + rng.below(98), 2);
    out.push('-');
    padded(out, 1 + rng.below(9_998), 4);
}

fn card(rng: &mut Rng, out: &mut String) {
    let number = card_number(rng);
    let between = rng.pick(&["", " ", "-"]);
    for group in (0..4).rev() {
        padded(out, number / 10_000_u64.pow(group) % 10_000, 4);
        if group > 0 {
            out.push_str(between);
        }
    }
}

/// Sixteen digits from 4 on whose last is the Luhn check digit (ISO/IEC 7812-1, annex B).
pub(super) fn card_number(rng: &mut Rng) -> u64 {
    let body = 400_000_000_000_000 + rng.below(100_000_000_000_000);
    let (mut sum, mut rest, mut doubled) = (0, body, true);
    while rest > 0 {
        let digit = rest % 10 * if doubled { 2 } else { 1 };
        sum += if digit > 9 { digit - 9 } else { digit };
        doubled = !doubled;
        rest /= 10;
    }
    body * 10 + (10 - sum % 10) % 10
}
