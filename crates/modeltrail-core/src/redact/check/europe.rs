//! National identity and tax numbers of Europe, but for the north and the islands.
//!
//! Sources: the laws and guides named at each function, as python-stdnum (2.2) gathers them; the
//! examples in the tests are those of its documentation, of the authorities and of Wikipedia.

use super::sums::{
    all_alike, alnum, digits, index_in, is_date, is_mod_11_10, is_short_date, number, stands_at,
    two, weighted,
};

/// German tax identification number (Steuer-ID, § 139b AO): of the first ten digits exactly one
/// comes twice or three times, and ISO/IEC 7064 MOD 11,10. (Three in a row are not given out, which is
/// not asked: numbers that people make up for trials have them.)
pub(in crate::redact) fn de_tax_id(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [head @ .., _] = d;
    let times = |digit: u8| head.iter().filter(|&&other| other == digit).count();
    let mut repeated = (0..10).map(times).filter(|&n| n > 1);
    let once = matches!((repeated.next(), repeated.next()), (Some(2 | 3), None));
    d[0] != 0 && once && is_mod_11_10(&d)
}

/// Austrian social insurance number: serial, check digit by weights mod 11, day, month (13 to 15
/// when the serials of a day ran out), year.
pub(in crate::redact) fn at_svnr(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes) else { return false };
    let [.., d1, d2, m1, m2, _, _] = d;
    d[0] != 0
        && weighted(&d, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 == u32::from(d[3])
        && (1..=31).contains(&two(d1, d2))
        && (1..=15).contains(&two(m1, m2))
}

/// Swiss insurance number (AHV, NAVS13): 756 and the check digit of EAN-13.
pub(in crate::redact) fn ch_ahv(bytes: &[u8]) -> bool {
    let Some(d) = digits::<13>(bytes) else { return false };
    d.starts_with(&[7, 5, 6])
        && weighted(&d, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]).is_multiple_of(10)
}

/// French NIR with its key (Insee): sex, year, month (20 and more where it is unknown),
/// department (2A and 2B count as 19 and 18), commune, order; key 97 less the rest mod 97.
pub(in crate::redact) fn fr_nir(bytes: &[u8]) -> bool {
    let Some(mut b) = alnum::<15>(bytes) else { return false };
    match (b[5], b[6]) {
        (b'2', b'A') => (b[5], b[6]) = (b'1', b'9'),
        (b'2', b'B') => (b[5], b[6]) = (b'1', b'8'),
        _ => {}
    }
    let Some(d) = digits::<15>(&b) else { return false };
    let [body @ .., k1, k2] = d;
    let key = u64::from(two(k1, k2));
    matches!(d[0], 1..=4 | 7 | 8)
        && matches!(two(d[3], d[4]), 1..=12 | 20..=42 | 50..=99)
        && two(d[5], d[6]) != 0
        && number(&body) % 97 + key == 97
}

/// Dutch citizen service number (BSN): the eleven test with the last digit counted negative. A
/// number of eight digits has lost its zero.
pub(in crate::redact) fn nl_bsn(bytes: &[u8]) -> bool {
    let d = match digits::<8>(bytes) {
        Some([a, b, c, d, e, f, g, h]) => Some([0, a, b, c, d, e, f, g, h]),
        None => digits::<9>(bytes),
    };
    let Some(d) = d.filter(|d| !all_alike(d)) else { return false };
    weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2, 10]).is_multiple_of(11)
}

/// Belgian national number: date, serial, 97 less the rest mod 97, with a 2 in front for who was
/// born from 2000 on. BIS numbers add 20 or 40 to the month; unknown days and months are zero.
pub(in crate::redact) fn be_nn(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [y1, y2, m1, m2, d1, d2, s1, s2, s3, c1, c2] = d;
    let check = u64::from(two(c1, c2));
    let base = number(&[y1, y2, m1, m2, d1, d2, s1, s2, s3]);
    let fits = |base: u64| base % 97 + check == 97;
    let (month, day) = (two(m1, m2), two(d1, d2));
    let unknown = month % 20 == 0 || day == 0;
    let dated = if unknown {
        month % 20 <= 12 && day <= 31
    } else {
        is_short_date(two(y1, y2), month % 20, day)
    };
    let serial = number(&[s1, s2, s3]);
    month < 60 && dated && (1..=998).contains(&serial) && (fits(base) || fits(2_000_000_000 + base))
}

/// Spanish NIF of a person: DNI (eight digits), NIE (X, Y, Z) or K, L, M, with its letter mod 23.
pub(in crate::redact) fn es_nif(bytes: &[u8]) -> bool {
    let Some(mut b) = alnum::<9>(bytes) else { return false };
    b[0] = match b[0] {
        b'X' | b'K' | b'L' | b'M' => b'0',
        b'Y' => b'1',
        b'Z' => b'2',
        other => other,
    };
    let [head @ .., letter] = b;
    let Some(d) = digits::<8>(&head) else { return false };
    u32::try_from(number(&d) % 23)
        .is_ok_and(|rest| stands_at(b"TRWAGMYFPDXBNJZSQVHLCKE", rest, letter))
}

/// Portuguese NIF: the kinds of holder in use, weights 9 to 2, mod 11.
pub(in crate::redact) fn pt_nif(bytes: &[u8]) -> bool {
    let Some(d) = digits::<9>(bytes) else { return false };
    let kind = two(d[0], d[1]);
    let known = matches!(d[0], 1 | 2 | 3 | 5 | 6 | 8)
        || matches!(kind, 45 | 70 | 71 | 72 | 74 | 75 | 77 | 78 | 79 | 90 | 91 | 98 | 99);
    let rest = weighted(&d, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    known && u32::from(d[8]) == (11 - rest) % 11 % 10
}

/// Italian codice fiscale of a person (DM 23 December 1976): the check letter, and month, day and
/// year also where digits were written as letters to tell namesakes apart (omocodia).
pub(in crate::redact) fn it_fiscal_code(bytes: &[u8]) -> bool {
    /// What a character counts in odd places (from the table of the decree), 0 to 9 as A to J.
    const ODD: [u8; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some(b) = alnum::<16>(bytes) else { return false };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        _ => index_in(b"LMNPQRSTUV", byte).map(u32::from),
    };
    let pair = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    let [names @ .., y1, y2, m, d1, d2, place, p1, p2, p3, check] = b;
    let (Some(year), Some(day)) = (pair(y1, y2), pair(d1, d2)) else { return false };
    let Some(month) = index_in(b"ABCDEHLMPRST", m) else { return false };
    let lettered = names.iter().chain([&place, &check]).all(u8::is_ascii_uppercase);
    let placed = [p1, p2, p3].into_iter().all(|byte| digit(byte).is_some());
    let day = if day > 40 { day - 40 } else { day };
    let [body @ .., _] = b;
    let sum = body.iter().enumerate().fold(0, |sum, (n, &byte)| {
        let value = if byte.is_ascii_digit() { byte - b'0' } else { byte - b'A' };
        let odd = ODD.get(usize::from(value)).copied().unwrap_or_default();
        sum + u32::from(if n % 2 == 0 { odd } else { value })
    });
    lettered
        && placed
        && is_short_date(year, u32::from(month) + 1, day)
        && sum % 26 == u32::from(check.wrapping_sub(b'A'))
}

/// Polish PESEL: date whose month tells the century, weights 1 3 7 9, mod 10.
pub(in crate::redact) fn pl_pesel(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [y1, y2, m1, m2, d1, d2, ..] = d;
    let month = two(m1, m2);
    let century = match month / 20 {
        0 => 1900,
        1 => 2000,
        2 => 2100,
        3 => 2200,
        _ => 1800,
    };
    is_date(century + two(y1, y2), month % 20, two(d1, d2))
        && weighted(&d, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]).is_multiple_of(10)
}

/// Turkish identity number (T.C. Kimlik No): two check digits.
pub(in crate::redact) fn tr_tckn(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let odd = weighted(&d, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(&d, &[0, 1, 0, 1, 0, 1, 0, 1]);
    // 9 × even is −even mod 10.
    let tenth = (odd * 7 + even * 9) % 10;
    d[0] != 0 && tenth == u32::from(d[9]) && (odd + even + tenth) % 10 == u32::from(d[10])
}

/// Irish PPS number: seven digits, check letter mod 23, perhaps a second letter that counts nine
/// times (A, B, H from 2013 on) or not at all (W, T, X before).
pub(in crate::redact) fn ie_pps(bytes: &[u8]) -> bool {
    let (second, head) = match bytes {
        [head @ .., second] if bytes.len() == 9 => (second.to_ascii_uppercase(), head),
        _ => (b'W', bytes),
    };
    let Some(b) = alnum::<8>(head) else { return false };
    let [body @ .., letter] = b;
    let Some(d) = digits::<7>(&body) else { return false };
    let extra = match second {
        b'A' | b'B' | b'H' => u32::from(second - b'A') + 1,
        b'W' | b'T' | b'X' => 0,
        _ => return false,
    };
    let sum = weighted(&d, &[8, 7, 6, 5, 4, 3, 2]) + 9 * extra;
    stands_at(b"WABCDEFGHIJKLMNOPQRSTUV", sum % 23, letter)
}

/// NHS number of England, Wales and the Isle of Man (NHS Data Dictionary): weights 10 to 2, mod
/// 11; a check digit of 10 is not given out.
pub(in crate::redact) fn uk_nhs(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes).filter(|d| !all_alike(d)) else { return false };
    weighted(&d, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// UK national insurance number (HMRC manual NIM39110): two letters that are given out, six
/// digits, and a suffix A to D that may be missing. There is no check digit.
pub(in crate::redact) fn uk_nino(bytes: &[u8]) -> bool {
    let head = match bytes {
        [head @ .., b'A'..=b'D' | b'a'..=b'd'] if bytes.len() == 9 => head,
        _ => bytes,
    };
    let Some([p1, p2, rest @ ..]) = alnum::<8>(head) else { return false };
    let refused = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    p1.is_ascii_uppercase()
        && p2.is_ascii_uppercase()
        && !b"DFIQUV".contains(&p1)
        && !b"DFIOQUV".contains(&p2)
        && !refused.contains(&&[p1, p2])
        && digits::<6>(&rest).is_some()
}

/// Czech and Slovak birth number (rodné číslo): date (women's months + 50, + 20 where serials ran
/// out), from 1954 a multiple of 11, or a rest of 10 written as 0 (until 1985).
pub(in crate::redact) fn cz_rc(bytes: &[u8]) -> bool {
    let dated = |d: &[u8; 6]| {
        let month = two(d[2], d[3]) % 50;
        let month = if month > 20 { month - 20 } else { month };
        is_short_date(two(d[0], d[1]), month, two(d[4], d[5]))
    };
    if let Some([a, b, c, d, e, f, s1, s2, s3]) = digits::<9>(bytes) {
        let old = two(a, b) < 54 || two(a, b) >= 80;
        return old && number(&[s1, s2, s3]) > 0 && dated(&[a, b, c, d, e, f]);
    }
    let Some(d) = digits::<10>(bytes) else { return false };
    let [a, b, c, dd, e, f, .., check] = d;
    let rest = (number(&d) / 10 % 11) % 10;
    dated(&[a, b, c, dd, e, f]) && rest == u64::from(check)
}

/// Romanian CNP: sex and century, date, county, weights mod 11.
pub(in crate::redact) fn ro_cnp(bytes: &[u8]) -> bool {
    let Some(d) = digits::<13>(bytes) else { return false };
    let rest = weighted(&d, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    d[0] != 0
        && is_short_date(two(d[1], d[2]), two(d[3], d[4]), two(d[5], d[6]))
        && matches!(two(d[7], d[8]), 1..=48 | 51 | 52 | 70 | 80..=83)
        && u32::from(d[12]) == if rest == 10 { 1 } else { rest }
}

/// Croatian OIB: ISO/IEC 7064 MOD 11,10.
pub(in crate::redact) fn hr_oib(bytes: &[u8]) -> bool {
    digits::<11>(bytes).is_some_and(|d| is_mod_11_10(&d) && !all_alike(&d))
}

/// Bulgarian EGN: date whose month tells the century (+ 20: 1800s, + 40: 2000s), weights mod 11.
pub(in crate::redact) fn bg_egn(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes) else { return false };
    let (year, month) = (two(d[0], d[1]), two(d[2], d[3]));
    let century = match month / 20 {
        0 => 1900,
        1 => 1800,
        2 => 2000,
        _ => return false,
    };
    is_date(century + year, month % 20, two(d[4], d[5]))
        && weighted(&d, &[2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11 % 10 == u32::from(d[9])
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, changed, none, strict};
    use super::*;

    #[test]
    fn numbers_with_check_digits_are_told_from_their_neighbours() {
        // Examples of python-stdnum's documentation, of the BZSt (86095742719, 47036892816), the
        // Insee, Logius and the Italian ministry of finance.
        strict(de_tax_id, &["36574261809", "86095742719", "47036892816"]);
        strict(at_svnr, &["1237010180"]);
        strict(ch_ahv, &["7569217076985"]);
        strict(fr_nir, &["295109912611193", "253072B07300470", "253072A07300443"]);
        strict(nl_bsn, &["111222333", "123456782"]);
        strict(be_nn, &["85073003328", "17073003384"]);
        strict(es_nif, &["54362315K", "X2482300W", "X5253868R", "M1234567L"]);
        strict(pl_pesel, &["44051401359", "02070803628"]);
        strict(tr_tckn, &["17291716060", "10000000146"]);
        strict(ro_cnp, &["1630615123457"]);
        strict(hr_oib, &["33392005961"]);
        strict(cz_rc, &["7103192745"]);
        strict(uk_nhs, &["9434765870", "4489406975"]);
        strict(ie_pps, &["6433435F", "6433435FW", "6433435OA", "6433435IH"]);
        strict(bg_egn, &["7523169263", "8032056031"]);
    }

    #[test]
    fn numbers_whose_rule_lets_some_neighbours_pass_let_few_pass() {
        // Rests of 0 and 1 share the check digit 0 in Portugal.
        assert!(changed(pt_nif, "501964843") <= 2);
        // A Belgian number fits either of two centuries.
        assert!(changed(be_nn, "98472899765") <= 1 && changed(be_nn, "01490700185") <= 1);
        // Letters count different from digits, so that a digit may stand for another.
        assert!(changed(it_fiscal_code, "RCCMNL83S18D969H") == 0);
    }

    #[test]
    fn a_steuer_id_without_its_repeated_digit_is_none() {
        none(de_tax_id, &["36554266806", "11112345678", "00574261809"]);
        all(de_tax_id, &["36945828809"]);
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        none(pl_pesel, &["02381307589", "44053201350"]);
        none(bg_egn, &["8019010008"]);
        none(cz_rc, &["1103492745", "590312123"]);
        none(ro_cnp, &["0800101221142", "1632215123457"]);
        none(at_svnr, &["1237320180"]);
        none(fr_nir, &["253002A07300443", "555109912611193"]);
    }

    #[test]
    fn codici_fiscali_may_have_letters_for_digits() {
        all(it_fiscal_code, &["MRTMTT25D09F205Z", "MRTMTT91D08F205J", "rccmnl83s18d969h"]);
        all(it_fiscal_code, &["CNTCHR83T41D969D", "MRTMTTVRD08F20RJ", "BNCSFN85T58G702W"]);
        none(it_fiscal_code, &["RCCMNL83S18D969", "CNTCHR83T41D969A", "MRTMTT91D08F205I"]);
        none(it_fiscal_code, &["MRTMTT25Z09F205Z", "MRTMTT25B30F205Z"]);
    }

    #[test]
    fn national_insurance_numbers_have_letters_that_are_given_out() {
        all(uk_nino, &["AA123456C", "ab123456", "JG103759A", "jg103759d"]);
        none(uk_nino, &["QQ123456C", "DA123456A", "AO123456A", "GB123456A", "AA123456E"]);
        none(uk_nino, &["A1123456C", "AA12345C", "AA1234567"]);
    }

    #[test]
    fn what_everybody_types_is_no_number() {
        none(nl_bsn, &["000000000", "00000000"]);
        all(cz_rc, &["991231123"]);
        none(uk_nhs, &["0000000000"]);
        none(tr_tckn, &["00000000000", "07291716092"]);
        none(be_nn, &["00000000097"]);
        none(ch_ahv, &["1234567890128"]);
    }
}
