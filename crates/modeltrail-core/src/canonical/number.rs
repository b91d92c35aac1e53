//! Number tokens: RFC 8785 form where that denotes exactly the same value, else the exact decimal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest run of plain digits that an integer is written with when RFC 8785's form would round it.
/// 309 is the number of digits of the largest double; beyond it the exponent form is used, so that
/// a short token such as `1e999999` cannot grow without bound.
const N_PLAIN_DIGITS_MAX: i64 = 309;

/// The same bound in ECMAScript's layout.
const N_PLAIN_DIGITS_ES: i64 = 21;

/// Largest magnitude of an exponent that is taken.
const EXPONENT_MAX: i64 = 999_999_999;

/// A decimal value: `0.d1d2d3… × 10^point`, with neither leading nor trailing zeros in `digits`.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

/// Writes the canonical form of a number token that follows the grammar of RFC 8259; `None` when
/// its exponent is out of range.
#[must_use]
pub fn canonical_number(token: &str) -> Option<Cow<'_, str>> {
    if is_plain(token) {
        return Some(Cow::Borrowed(token));
    }
    let decimal = parse(token)?;
    if decimal.digits.is_empty() {
        // Zero of any sign and length; RFC 8785 writes -0 as 0, which is the same value.
        return Some(Cow::Borrowed("0"));
    }
    let rounded_equal = is_shortest_double(&decimal);
    let n_plain_max = if rounded_equal { N_PLAIN_DIGITS_ES } else { N_PLAIN_DIGITS_MAX };
    Some(Cow::Owned(layout(&decimal, n_plain_max)))
}

/// Most tokens are short integers and decimals that are canonical already: at most fifteen digits,
/// no exponent, no zero at the end of a fraction, and a fraction that [`layout`] writes without
/// one.
fn is_plain(token: &str) -> bool {
    /// With as many zeros behind the point ECMAScript writes a fraction with an exponent.
    const FRACTION_ZEROS_MIN: usize = 6;
    let digits = token.strip_prefix('-').unwrap_or(token);
    let is_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    match digits.split_once('.') {
        None => digits.len() <= 15 && is_digits(digits) && (digits != "0" || token == "0"),
        Some((whole, fraction)) => {
            let zeros = fraction.bytes().take_while(|c| *c == b'0').count();
            whole.len() + fraction.len() <= 15
                && is_digits(whole)
                && is_digits(fraction)
                && !fraction.ends_with('0')
                && (whole != "0" || zeros < FRACTION_ZEROS_MIN)
        }
    }
}

fn parse(token: &str) -> Option<Decimal> {
    let (negative, unsigned) = match token.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, token),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
    let n_leading = all.iter().take_while(|d| **d == b'0').count();
    let n_trailing = all.iter().rev().take_while(|d| **d == b'0').count();
    let digits = match all.get(n_leading..all.len() - n_trailing.min(all.len())) {
        Some(digits) if n_leading < all.len() => digits.to_vec(),
        _ => Vec::new(),
    };
    let whole_len = i64::try_from(whole.len()).ok()?;
    let point = whole_len - i64::try_from(n_leading).ok()? + exponent;
    Some(Decimal { negative, digits, point })
}

/// An exponent of zero mantissa may be anything, so the bound holds for the token, not the value.
fn parse_exponent(text: &str) -> Option<i64> {
    let value: i64 = text.strip_prefix('+').unwrap_or(text).parse().ok()?;
    (-EXPONENT_MAX..=EXPONENT_MAX).contains(&value).then_some(value)
}

/// True when the double nearest to the value prints, in its shortest form, as exactly this value.
fn is_shortest_double(decimal: &Decimal) -> bool {
    // Up to 15 significant digits survive a round trip through any normal double.
    if decimal.digits.len() <= 15 && (-300..=300).contains(&decimal.point) {
        return true;
    }
    // No shortest form has more than 17 digits.
    if decimal.digits.len() > 17 {
        return false;
    }
    let mut text = String::with_capacity(32);
    text.push_str("0.");
    text.extend(decimal.digits.iter().map(|d| char::from(*d)));
    if write!(text, "e{}", decimal.point).is_err() {
        return false;
    }
    let Ok(double) = text.parse::<f64>() else { return false };
    if !double.is_finite() || double == 0.0 {
        return false;
    }
    parse(&format!("{double:e}"))
        .is_some_and(|short| short.digits == decimal.digits && short.point == decimal.point)
}

/// ECMAScript's `Number::toString` layout (RFC 8785 section 3.2.2.3), with the length up to which
/// integers are written as plain digits as a parameter (21 there).
fn layout(decimal: &Decimal, n_plain_max: i64) -> String {
    let digits: String = decimal.digits.iter().map(|d| char::from(*d)).collect();
    let n_digits = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let point = decimal.point;
    let zeros = |n: i64| "0".repeat(usize::try_from(n).unwrap_or(0));
    let body = if n_digits <= point && point <= n_plain_max {
        format!("{digits}{}", zeros(point - n_digits))
    } else if 0 < point && point < n_digits {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        format!("{whole}.{fraction}")
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{dot}{rest}e{sign}{}", exponent.unsigned_abs())
    };
    if decimal.negative { format!("-{body}") } else { body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_as_it_stands_is_what_the_layout_gives() {
        let wholes =
            ["0", "1", "7", "10", "42", "100", "987654321", "123456789012345", "1234567890123456"];
        let fractions = [
            "",
            "1",
            "5",
            "05",
            "50",
            "0",
            "00",
            "000001",
            "0000001",
            "00000012",
            "123456789",
            "99999999999999",
        ];
        let mut n_plain = 0;
        for whole in wholes {
            for fraction in fractions {
                for sign in ["", "-"] {
                    let dot = if fraction.is_empty() { "" } else { "." };
                    let token = format!("{sign}{whole}{dot}{fraction}");
                    let decimal = parse(&token).unwrap();
                    let exact = match decimal.digits.is_empty() {
                        true => "0".to_owned(),
                        false if is_shortest_double(&decimal) => {
                            layout(&decimal, N_PLAIN_DIGITS_ES)
                        }
                        false => layout(&decimal, N_PLAIN_DIGITS_MAX),
                    };
                    assert_eq!(canonical_number(&token).unwrap(), exact, "{token}");
                    n_plain += u32::from(is_plain(&token));
                }
            }
        }
        assert!(n_plain > 60, "{n_plain}");
    }
}
