//! National identity and tax numbers of Asia, Africa and Oceania.

use super::sums::{
    all_alike, alnum, digits, index_in, is_date, is_short_date, luhn, number, stands_at, two,
    weighted,
};

/// Indian Aadhaar (UIDAI): first digit from 2, no palindrome, Verhoeff.
pub(in crate::redact) fn in_aadhaar(bytes: &[u8]) -> bool {
    let Some(d) = digits::<12>(bytes) else { return false };
    let palindrome = d.iter().eq(d.iter().rev());
    d[0] >= 2 && !palindrome && verhoeff(&d) == 0
}

/// The check of Verhoeff ("Error detecting decimal codes", 1969): products in the dihedral group
/// of the pentagon, each place permuted once more than the one right of it. Zero for a number with
/// its right check digit.
fn verhoeff(values: &[u8]) -> u8 {
    /// The permutation that is applied once per place.
    const STEP: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let step = |value: u8| STEP.get(usize::from(value)).copied().unwrap_or_default();
    // Rotations are 0 to 4, reflections 5 to 9.
    let product = |a: u8, b: u8| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    values.iter().rev().enumerate().fold(0, |sum, (n, &value)| {
        // The permutation has the order 8.
        let permuted = (0..n % 8).fold(value, |value, _| step(value));
        product(sum, permuted)
    })
}

/// Indian PAN (income tax department): five letters of which the fourth tells the kind of holder,
/// four digits, a letter whose rule is not published.
pub(in crate::redact) fn in_pan(bytes: &[u8]) -> bool {
    let Some([a, b, c, kind, e, n1, n2, n3, n4, check]) = alnum::<10>(bytes) else { return false };
    [a, b, c, e, check].iter().all(u8::is_ascii_uppercase)
        && b"ABCEFGHJKLPT".contains(&kind)
        && digits::<4>(&[n1, n2, n3, n4]).is_some_and(|n| number(&n) > 0)
}

/// Singapore NRIC and FIN: series S, T, F, G or M (from 2022), seven digits, check letter mod 11.
pub(in crate::redact) fn sg_nric(bytes: &[u8]) -> bool {
    let Some([series, body @ .., letter]) = alnum::<9>(bytes) else { return false };
    let Some(d) = digits::<7>(&body) else { return false };
    let (offset, letters) = match series {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"XWUTRQPNJLK"),
        _ => return false,
    };
    stands_at(letters, (weighted(&d, &[2, 7, 6, 5, 4, 3, 2]) + offset) % 11, letter)
}

/// Chinese resident identity number (GB 11643-1999): province (GB/T 2260), date, serial, ISO/IEC
/// 7064 MOD 11-2.
pub(in crate::redact) fn cn_ric(bytes: &[u8]) -> bool {
    const WEIGHTS: [u8; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let Some([body @ .., check]) = alnum::<18>(bytes) else { return false };
    let Some(d) = digits::<17>(&body) else { return false };
    let [p1, p2, _, _, _, _, y1, y2, y3, y4, m1, m2, d1, d2, ..] = d;
    let year = two(y1, y2) * 100 + two(y3, y4);
    let province = matches!(
        two(p1, p2),
        11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91
    );
    province
        && (1850..2100).contains(&year)
        && is_date(year, two(m1, m2), two(d1, d2))
        && stands_at(b"10X98765432", weighted(&d, &WEIGHTS) % 11, check)
}

/// Korean resident registration number with the check digit that numbers had until October 2020.
pub(in crate::redact) fn kr_rrn(bytes: &[u8]) -> bool {
    let Some(d) = digits::<13>(bytes) else { return false };
    let sum = weighted(&d, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
    kr_rrn_date(bytes) && (11 - sum % 11) % 10 == u32::from(d[12])
}

/// The same without check digit: a date whose century and sex the seventh digit tells. Numbers
/// given out since October 2020 have random digits behind it.
pub(in crate::redact) fn kr_rrn_date(bytes: &[u8]) -> bool {
    let Some([y1, y2, m1, m2, d1, d2, sex, ..]) = digits::<13>(bytes) else { return false };
    let century = match sex {
        1 | 2 | 5 | 6 => 1900,
        3 | 4 | 7 | 8 => 2000,
        _ => 1800,
    };
    is_date(century + two(y1, y2), two(m1, m2), two(d1, d2))
}

/// Thai identity number: kind of person 1 to 8, weights 13 to 2, mod 11.
pub(in crate::redact) fn th_tnin(bytes: &[u8]) -> bool {
    let Some(d) = digits::<13>(bytes) else { return false };
    let sum = weighted(&d, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    (1..=8).contains(&d[0]) && (11 - sum % 11) % 10 == u32::from(d[12])
}

/// South African identity number: date, citizenship 0 to 2, Luhn.
pub(in crate::redact) fn za_id(bytes: &[u8]) -> bool {
    let Some(d) = digits::<13>(bytes) else { return false };
    let [y1, y2, m1, m2, d1, d2, _, _, _, _, citizen, _, _] = d;
    citizen <= 2
        && is_short_date(two(y1, y2), two(m1, m2), two(d1, d2))
        && luhn(&d).is_multiple_of(10)
}

/// Israeli identity number (teudat zehut): Luhn over nine digits.
pub(in crate::redact) fn il_id(bytes: &[u8]) -> bool {
    digits::<9>(bytes).is_some_and(|d| !all_alike(&d) && luhn(&d).is_multiple_of(10))
}

/// Japanese individual number (My Number; ordinance 85 of 2014): weights 6 to 2 and 7 to 2, mod 11.
pub(in crate::redact) fn jp_my_number(bytes: &[u8]) -> bool {
    let Some(d) = digits::<12>(bytes).filter(|d| !all_alike(d)) else { return false };
    let rest = weighted(&d, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    u32::from(d[11]) == if rest <= 1 { 0 } else { 11 - rest }
}

/// Hong Kong identity card: one or two letters, six digits, check digit or A, mod 11. A missing
/// first letter counts as the 36th.
pub(in crate::redact) fn hk_id(bytes: &[u8]) -> bool {
    let (first, rest) = match bytes {
        [first, rest @ ..] if bytes.len() == 9 => (first.to_ascii_uppercase(), rest),
        _ => (b' ', bytes),
    };
    let Some([second, body @ .., check]) = alnum::<8>(rest) else { return false };
    let Some(d) = digits::<6>(&body) else { return false };
    let letter = |byte: u8| match byte {
        b' ' => Some(36),
        b'A'..=b'Z' => Some(u32::from(byte - b'A') + 10),
        _ => None,
    };
    let (Some(first), Some(second)) = (letter(first), letter(second)) else { return false };
    let check = match check {
        b'A' => 10,
        b'0'..=b'9' => u32::from(check - b'0'),
        _ => return false,
    };
    (first * 9 + second * 8 + weighted(&d, &[7, 6, 5, 4, 3, 2]) + check).is_multiple_of(11)
}

/// Taiwanese identity card: letter of the place, sex (1, 2; 8, 9 for residents), mod 10.
pub(in crate::redact) fn tw_id(bytes: &[u8]) -> bool {
    let Some([letter, body @ ..]) = alnum::<10>(bytes) else { return false };
    let (Some(d), Some(place)) =
        (digits::<9>(&body), index_in(b"ABCDEFGHJKLMNPQRSTUVXYWZIO", letter))
    else {
        return false;
    };
    let place = u32::from(place) + 10;
    let sum = place / 10 + place % 10 * 9 + weighted(&d, &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(d[0], 1 | 2 | 8 | 9) && sum.is_multiple_of(10)
}

/// Australian tax file number of nine digits: weights mod 11.
pub(in crate::redact) fn au_tfn(bytes: &[u8]) -> bool {
    let Some(d) = digits::<9>(bytes).filter(|d| !all_alike(d)) else { return false };
    weighted(&d, &[1, 4, 3, 7, 5, 8, 6, 9, 10]).is_multiple_of(11)
}

/// Australian Medicare number (METeOR 270101): first digit 2 to 6, check digit in the ninth place,
/// issue number, and perhaps the person's number on the card.
pub(in crate::redact) fn au_medicare(bytes: &[u8]) -> bool {
    let card = match bytes {
        [card @ .., b'1'..=b'9'] if bytes.len() == 11 => card,
        _ => bytes,
    };
    let Some(d) = digits::<10>(card) else { return false };
    (2..=6).contains(&d[0])
        && d[9] != 0
        && weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9]) % 10 == u32::from(d[8])
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, changed, none, strict};
    use super::*;

    #[test]
    fn numbers_with_check_digits_are_told_from_their_neighbours() {
        // Examples of python-stdnum's documentation, of GovTech's form checker (M series), of
        // Wikipedia (Taiwan, Hong Kong, Australia).
        strict(in_aadhaar, &["234123412346", "400123456787"]);
        strict(sg_nric, &["S1234567D", "T1234567J", "F1234567N", "G1234567X", "M1234567K"]);
        strict(cn_ric, &["360426199101010071", "11010219840406970X", "31010119900302993X"]);
        strict(za_id, &["7503305044089", "9202201234088"]);
        strict(il_id, &["039337423"]);
        strict(au_tfn, &["123456782"]);
        strict(hk_id, &["A1234563", "G123456A"]);
    }

    #[test]
    fn numbers_whose_rule_lets_some_neighbours_pass_let_few_pass() {
        // Rests that share a check digit (11 and 1; 0 and 1), and digits outside the sum.
        for (check, good, most) in [
            (kr_rrn as fn(&[u8]) -> bool, "9710139019902", 10),
            // The third weight is 11: that digit does not count.
            (th_tnin, "1234545678781", 20),
            (jp_my_number, "123456789018", 10),
            // Even weights see only half of the digits of a place.
            (tw_id, "A123456789", 7),
            (au_medicare, "2123456701", 8),
        ] {
            let n_passed = changed(check, good);
            assert!(n_passed <= most, "{good}: {n_passed}");
        }
    }

    #[test]
    fn dates_and_places_are_looked_at() {
        none(cn_ric, &["360426199113010075", "990426199101010071", "36042619910101007"]);
        none(za_id, &["8503305044089", "9125568", "7513305044089"]);
        all(kr_rrn, &["9605242105135"]);
        all(kr_rrn_date, &["9605242105130", "0102033123456"]);
        none(kr_rrn, &["9605242105130", "9713139019902"]);
        none(kr_rrn_date, &["9613242105135", "960524210513"]);
    }

    #[test]
    fn numbers_of_one_digit_or_a_palindrome_are_none() {
        none(in_aadhaar, &["222222222222", "123412341234", "643343121", "234567765432"]);
        none(il_id, &["000000000"]);
        none(au_tfn, &["999999999", "000000000"]);
        none(th_tnin, &["9234545678781", "0000000000001"]);
        none(au_medicare, &["1123456701", "2123456700", "21234567010"]);
        all(au_medicare, &["21234567011"]);
    }

    #[test]
    fn a_pan_names_a_kind_of_holder() {
        all(in_pan, &["ACUPA7085R", "AAPPV8261K", "abcpe1234f"]);
        none(in_pan, &["ACUPA7085RR", "ABMPA32111", "ABMXA3211G", "ACUPA0000R", "1CUPA7085R"]);
    }

    #[test]
    fn letters_may_be_small() {
        all(sg_nric, &["s1234567d", "m1234567k"]);
        all(hk_id, &["a1234563", "AB9876543"]);
        all(cn_ric, &["11010219840406970x"]);
        none(sg_nric, &["A1234567D", "S1234567E"]);
    }
}
