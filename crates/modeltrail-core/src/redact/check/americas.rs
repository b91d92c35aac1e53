//! National identity, tax and health numbers of the Americas, and bank routing in the USA.

use super::sums::{
    all_alike, alnum, digits, index_in, is_short_date, luhn, number, stands_at, two, weighted,
};

/// Brazilian CPF (Receita Federal): two check digits mod 11, not all digits alike.
pub(in crate::redact) fn br_cpf(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes).filter(|d| !all_alike(d)) else { return false };
    check_11(weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[9])
        && check_11(weighted(&d, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(d[10])
}

/// Brazilian CNPJ: two check digits mod 11; letters count their ASCII code less 48 (IN RFB
/// 2229/2024, in use from July 2026).
pub(in crate::redact) fn br_cnpj(bytes: &[u8]) -> bool {
    let Some(b) = alnum::<14>(bytes) else { return false };
    let v = b.map(|byte| byte - b'0');
    let [body @ .., c1, c2] = v;
    c1 <= 9
        && c2 <= 9
        && !all_alike(&body)
        && check_11(weighted(&body, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(c1)
        && check_11(weighted(&v, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])) == u32::from(c2)
}

/// 11 less the rest of a sum, where 10 and 11 become 0.
fn check_11(sum: u32) -> u32 {
    (11 - sum % 11) % 11 % 10
}

/// Canadian social insurance number (Service Canada): Luhn. No series begins with 8; those with 0
/// are for trials.
pub(in crate::redact) fn ca_sin(bytes: &[u8]) -> bool {
    let Some(d) = digits::<9>(bytes).filter(|d| !all_alike(d)) else { return false };
    !matches!(d[0], 0 | 8) && luhn(&d).is_multiple_of(10)
}

/// Mexican CURP (DOF 18 October 2021): letters of the names, date, sex (X from 2024), state,
/// consonants, a mark of the century (digit until 1999, then a letter), check digit.
pub(in crate::redact) fn mx_curp(bytes: &[u8]) -> bool {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ";
    const STATES: &[u8] = b"ASBCBSCCCHCLCMCSDFDGGRGTHGJCMCMNMSNENLNTOCPLQRQTSLSPSRTCTLTSVZYNZS";
    let Some(b) = alnum::<18>(bytes) else { return false };
    let [l1, l2, l3, l4, y1, y2, m1, m2, d1, d2, sex, s1, s2, n1, n2, n3, _, check] = b;
    let Some(d) = digits::<6>(&[y1, y2, m1, m2, d1, d2]) else { return false };
    let sum = b.iter().take(17).zip((2_u32..=18).rev()).try_fold(0, |sum, (&byte, weight)| {
        Some(sum + u32::from(index_in(ALPHABET, byte)?) * weight)
    });
    let Some(sum) = sum else { return false };
    [l1, l2, l3, l4, n1, n2, n3].iter().all(u8::is_ascii_uppercase)
        && b"AEIOUX".contains(&l2)
        && b"HMX".contains(&sex)
        && STATES.chunks_exact(2).any(|state| state == [s1, s2])
        && is_short_date(two(d[0], d[1]), two(d[2], d[3]), two(d[4], d[5]))
        && stands_at(b"0123456789", (10 - sum % 10) % 10, check)
}

/// Chilean RUT: seven or eight digits, check digit or K, mod 11.
pub(in crate::redact) fn cl_rut(bytes: &[u8]) -> bool {
    let padded = match <[u8; 8]>::try_from(bytes) {
        Ok([a, b, c, d, e, f, g, h]) => alnum::<9>(&[b'0', a, b, c, d, e, f, g, h]),
        Err(_) => alnum::<9>(bytes),
    };
    let Some([body @ .., check]) = padded else { return false };
    let Some(d) = digits::<8>(&body).filter(|d| !all_alike(d)) else { return false };
    let sum = weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2]);
    stands_at(b"0123456789K", (11 - sum % 11) % 11, check)
}

/// Argentine CUIT and CUIL: kinds of holder in use, 11 less the rest mod 11, where 11 becomes 0 and
/// 10 becomes 9.
pub(in crate::redact) fn ar_cuit(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let rest = weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    matches!(two(d[0], d[1]), 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55)
        && stands_at(b"09987654321", rest, b'0' + d[10])
}

/// US social security number: area, group and serial that the Social Security Administration
/// gives out (20 CFR 422.103: no area 000, 666, 900 to 999; no group 00; no serial 0000).
pub(in crate::redact) fn us_ssn(bytes: &[u8]) -> bool {
    let Some([a1, a2, a3, g1, g2, s1, s2, s3, s4]) = digits::<9>(bytes) else { return false };
    let area = number(&[a1, a2, a3]);
    (1..=899).contains(&area) && area != 666 && two(g1, g2) != 0 && number(&[s1, s2, s3, s4]) != 0
}

/// US individual taxpayer identification number (IRS publication 1915): area 9xx and the groups
/// that are given out.
pub(in crate::redact) fn us_itin(bytes: &[u8]) -> bool {
    let Some(d) = digits::<9>(bytes) else { return false };
    d[0] == 9 && matches!(two(d[3], d[4]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// US bank routing number (American Bankers Association): the districts in use, weights 3 7 1.
pub(in crate::redact) fn us_aba(bytes: &[u8]) -> bool {
    let Some(d) = digits::<9>(bytes) else { return false };
    matches!(two(d[0], d[1]), 1..=12 | 21..=32 | 61..=72 | 80)
        && weighted(&d, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// US national provider identifier (45 CFR 162.406): 1 or 2, Luhn with 80840 in front.
pub(in crate::redact) fn us_npi(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes) else { return false };
    // The digits 80840 add 24 to the Luhn sum.
    matches!(d[0], 1 | 2) && (luhn(&d) + 24).is_multiple_of(10)
}

/// US Medicare beneficiary identifier (CMS, "Understanding the MBI"): which of digits and letters
/// may stand in each of eleven places; letters without S, L, O, I, B and Z. No check digit.
pub(in crate::redact) fn us_mbi(bytes: &[u8]) -> bool {
    let Some(b) = alnum::<11>(bytes) else { return false };
    let letter = |byte: u8| byte.is_ascii_uppercase() && !b"SLOIBZ".contains(&byte);
    b.iter().zip(b"CAEN AEN AANN".iter().filter(|kind| **kind != b' ')).all(|(&byte, kind)| {
        match kind {
            b'C' => matches!(byte, b'1'..=b'9'),
            b'A' => letter(byte),
            b'N' => byte.is_ascii_digit(),
            _ => letter(byte) || byte.is_ascii_digit(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, changed, none, strict};
    use super::*;

    #[test]
    fn numbers_with_check_digits_are_told_from_their_neighbours() {
        // Examples of python-stdnum's documentation, of the Receita Federal (12ABC34501DE35), the
        // CMS (1245319599) and the Federal Reserve (111000025, 021000021).
        strict(ca_sin, &["123456782", "604600692", "550090112"]);
        strict(cl_rut, &["760864285", "125319092"]);
        strict(us_aba, &["111000025", "021000021"]);
        strict(us_npi, &["1245319599", "1003000126"]);
        strict(ar_cuit, &["20055361682"]);
        all(ar_cuit, &["27000000006", "20000000001", "20000000019"]);
    }

    #[test]
    fn numbers_whose_rule_lets_some_neighbours_pass_let_few_pass() {
        // Rests of 0 and 1 share the check digit 0.
        assert!(changed(br_cpf, "39053344705") <= 1);
        assert!(changed(br_cnpj, "16727230000197") <= 1);
        assert!(changed(br_cnpj, "12ABC34501DE35") <= 1);
        // Mod 10 with even weights misses a digit that is five more in every second place.
        let n_passed = changed(mx_curp, "BOXW310820HNERXN09");
        assert!(n_passed <= 9, "{n_passed}");
    }

    #[test]
    fn known_numbers_pass() {
        all(br_cpf, &["86215267007", "11144477735"]);
        all(mx_curp, &["PEHJ871017MMCNRS03", "boxw310820hnerxn09"]);
        all(us_mbi, &["1EG4TE5MK73", "3CD5FG7HJ89", "1eg4te5mk72"]);
        all(us_itin, &["912903456", "900700000", "999881234"]);
        all(us_ssn, &["123456789", "899999999", "001010001", "518414593"]);
        all(cl_rut, &["10000013K", "10000013k"]);
    }

    #[test]
    fn what_is_not_given_out_is_none() {
        none(br_cpf, &["11111111111", "23100299900", "3905334470"]);
        none(br_cnpj, &["00000000000000", "16727230000198", "12ABC34501DEAA"]);
        none(ca_sin, &["823456785", "046454286", "999999999", "000000000"]);
        none(mx_curp, &["BOXW310820HNERXN08", "BOXW311320HNERXN09", "BOXW310820HQQRXN09"]);
        none(us_mbi, &["1SG4TE5MK73", "0EG4TE5MK73", "1EG4TE5MK7", "1EG4TE5MKA3"]);
        none(us_itin, &["912934567", "123456789", "912493456", "912893456"]);
        none(us_ssn, &["000123456", "666123456", "900123456", "123006789", "123450000"]);
        none(us_aba, &["112000025", "991000025", "000000000"]);
        none(us_npi, &["3245319599", "1245319598"]);
        none(ar_cuit, &["20267565392", "99055361682"]);
    }
}
