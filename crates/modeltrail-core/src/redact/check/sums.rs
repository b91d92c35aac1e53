//! What the validators share: values of digits, check sums, dates of birth.

/// The values of exactly `N` ASCII digits.
pub(super) fn digits<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let bytes: &[u8; N] = bytes.try_into().ok()?;
    bytes.iter().all(u8::is_ascii_digit).then(|| bytes.map(|byte| byte - b'0'))
}

/// Exactly `N` ASCII letters and digits, letters as capitals.
pub(super) fn alnum<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let bytes: &[u8; N] = bytes.try_into().ok()?;
    bytes.iter().all(u8::is_ascii_alphanumeric).then(|| bytes.map(|byte| byte.to_ascii_uppercase()))
}

/// The number that digit values spell. At most 19 of them.
pub(super) fn number(values: &[u8]) -> u64 {
    values.iter().fold(0_u64, |sum, &value| sum.wrapping_mul(10).wrapping_add(u64::from(value)))
}

/// The sum of the products of values and weights, as far as both go.
pub(super) fn weighted(values: &[u8], weights: &[u8]) -> u32 {
    values.iter().zip(weights).map(|(&value, &weight)| u32::from(value) * u32::from(weight)).sum()
}

/// Whether all values are the same: what people type where a number is asked for.
pub(super) fn all_alike(values: &[u8]) -> bool {
    values.windows(2).all(|pair| matches!(pair, [a, b] if a == b))
}

/// The Luhn sum of digit values, the last being the check digit (ISO/IEC 7812-1, annex B).
pub(super) fn luhn(values: &[u8]) -> u32 {
    let doubled = |value: u32| value * 2 / 10 + value * 2 % 10;
    let places = values.iter().rev().enumerate();
    places.map(|(n, &v)| if n % 2 == 0 { u32::from(v) } else { doubled(u32::from(v)) }).sum()
}

/// Whether digit values with their check digit pass ISO/IEC 7064 MOD 11,10.
pub(super) fn is_mod_11_10(values: &[u8]) -> bool {
    let Some((&check, head)) = values.split_last() else { return false };
    let product = head.iter().fold(10, |product, &value| {
        let sum = (product + u32::from(value)) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (product + u32::from(check)) % 10 == 1
}

/// The number that two digit values spell.
pub(super) fn two(tens: u8, ones: u8) -> u32 {
    u32::from(tens) * 10 + u32::from(ones)
}

/// Whether a day exists in the Gregorian calendar.
pub(in crate::redact) fn is_date(year: u32, month: u32, day: u32) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Whether a day exists in a year of which only the last two digits are known. The year 2000 was
/// a leap year, so that `00` counts as one.
pub(super) fn is_short_date(year: u32, month: u32, day: u32) -> bool {
    is_date(2000 + year % 100, month, day)
}

/// The place of a byte in an alphabet.
pub(super) fn index_in(alphabet: &[u8], byte: u8) -> Option<u8> {
    alphabet.iter().position(|&other| other == byte).and_then(|at| u8::try_from(at).ok())
}

/// Whether `byte` stands at place `at` of an alphabet.
pub(super) fn stands_at(alphabet: &[u8], at: u32, byte: u8) -> bool {
    usize::try_from(at).ok().and_then(|at| alphabet.get(at)) == Some(&byte)
}

/// Tests of a check: numbers that are right, and that no other digit in any place of them is.
#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every number passes.
    pub(in super::super) fn all(check: fn(&[u8]) -> bool, good: &[&str]) {
        for text in good {
            assert!(check(text.as_bytes()), "{text} is right");
        }
    }

    /// No number passes.
    pub(in super::super) fn none(check: fn(&[u8]) -> bool, bad: &[&str]) {
        for text in bad {
            assert!(!check(text.as_bytes()), "{text} is wrong");
        }
    }

    /// Of the numbers that differ from a good one in a single digit, how many pass too.
    pub(in super::super) fn changed(check: fn(&[u8]) -> bool, good: &str) -> usize {
        assert!(check(good.as_bytes()), "{good} is right");
        let mut n_passed = 0;
        for at in 0..good.len() {
            let was = good.as_bytes()[at];
            for digit in (b'0'..=b'9').filter(|&d| was.is_ascii_digit() && d != was) {
                let mut other = good.as_bytes().to_vec();
                other[at] = digit;
                n_passed += usize::from(check(&other));
            }
        }
        n_passed
    }

    /// Good numbers pass; with one digit changed none does; what is cut or of other bytes never.
    pub(in super::super) fn strict(check: fn(&[u8]) -> bool, good: &[&str]) {
        for text in good {
            assert_eq!(changed(check, text), 0, "{text} with another digit");
            assert!(!check(&text.as_bytes()[1..]) && !check(&[text.as_bytes(), b"00"].concat()));
        }
        none(check, &["", "é", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}"]);
    }

    #[test]
    fn the_luhn_sum_of_the_standards_example_ends_in_zero() {
        // ISO/IEC 7812-1, annex B.
        assert_eq!(luhn(&[4, 9, 9, 2, 7, 3, 9, 8, 7, 1, 6]) % 10, 0);
        assert_ne!(luhn(&[4, 9, 9, 2, 7, 3, 9, 8, 7, 1, 7]) % 10, 0);
    }

    #[test]
    fn the_example_of_mod_11_10_passes() {
        // ISO/IEC 7064, the example 0794 with check digit 5.
        assert!(is_mod_11_10(&[0, 7, 9, 4, 5]));
        assert!((0..10).filter(|&d| d != 5).all(|d| !is_mod_11_10(&[0, 7, 9, 4, d])));
    }

    #[test]
    fn days_that_do_not_exist_are_no_dates() {
        assert!(is_date(2024, 2, 29) && is_date(2000, 2, 29) && is_date(1999, 12, 31));
        assert!(!is_date(1900, 2, 29) && !is_date(2023, 2, 29) && !is_date(2024, 4, 31));
        assert!(!is_date(2024, 0, 1) && !is_date(2024, 13, 1) && !is_date(2024, 1, 0));
    }
}
