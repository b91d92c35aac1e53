//! Number tokens: RFC 8785 form where that denotes exactly the same value, else the exact decimal.

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
pub fn canonical_number(token: &str) -> Option<String> {
    if let Some(done) = plain_integer(token) {
        return Some(done.to_owned());
    }
    let decimal = parse(token)?;
    if decimal.digits.is_empty() {
        // Zero of any sign and length; RFC 8785 writes -0 as 0, which is the same value.
        return Some("0".to_owned());
    }
    let rounded_equal = is_shortest_double(&decimal);
    Some(layout(&decimal, if rounded_equal { N_PLAIN_DIGITS_ES } else { N_PLAIN_DIGITS_MAX }))
}

/// Most tokens are short integers and already canonical.
fn plain_integer(token: &str) -> Option<&str> {
    let digits = token.strip_prefix('-').unwrap_or(token);
    let short = digits.len() <= 15 && digits.bytes().all(|c| c.is_ascii_digit());
    let canonical = digits != "0" || token == "0";
    (short && canonical).then_some(token)
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
