//! National identity numbers of the Nordic and Baltic countries. Those of Sweden and Finland are
//! read as written, since their sign tells the century.

use super::sums::{digits, is_date, is_short_date, luhn, number, stands_at, two, weighted};

/// Swedish personnummer and samordningsnummer (SKV 704): `YYMMDD-NNNN`, `+` from the hundredth
/// birthday on, with or without sign and century; the day of a samordningsnummer is 60 more; Luhn
/// over the last ten digits.
pub(in crate::redact) fn se_personnummer(bytes: &[u8]) -> bool {
    let Some((head, tail)) = bytes.len().checked_sub(4).and_then(|at| bytes.split_at_checked(at))
    else {
        return false;
    };
    let date = match head {
        [date @ .., b'-' | b'+'] => date,
        date => date,
    };
    let (century, date) = match digits::<8>(date) {
        Some([c1, c2, date @ ..]) => (Some(two(c1, c2)), date),
        None => match digits::<6>(date) {
            Some(date) => (None, date),
            None => return false,
        },
    };
    let Some([n1, n2, n3, n4]) = digits::<4>(tail) else { return false };
    let [y1, y2, m1, m2, d1, d2] = date;
    let (year, month, day) = (two(y1, y2), two(m1, m2), two(d1, d2));
    let day = if day > 60 { day - 60 } else { day };
    let dated = match century {
        Some(century) => (18..=20).contains(&century) && is_date(century * 100 + year, month, day),
        None => is_short_date(year, month, day),
    };
    dated && luhn(&[y1, y2, m1, m2, d1, d2, n1, n2, n3, n4]).is_multiple_of(10)
}

/// Finnish henkilötunnus (decree 128/2010, and 690/2022 for the further signs): day, month, year,
/// sign of the century (`+`; `-`, Y to U; A to F), individual number from 002 (from 900 on for
/// passing use), check character mod 31.
pub(in crate::redact) fn fi_hetu(bytes: &[u8]) -> bool {
    let Ok([d1, d2, m1, m2, y1, y2, sign, n1, n2, n3, check]) = <[u8; 11]>::try_from(bytes) else {
        return false;
    };
    let Some(d) = digits::<9>(&[d1, d2, m1, m2, y1, y2, n1, n2, n3]) else { return false };
    let century = match sign.to_ascii_uppercase() {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return false,
    };
    let [.., i1, i2, i3] = d;
    let rest = number(&d) % 31;
    is_date(century + two(d[4], d[5]), two(d[2], d[3]), two(d[0], d[1]))
        && number(&[i1, i2, i3]) >= 2
        && u32::try_from(rest).is_ok_and(|at| {
            stands_at(b"0123456789ABCDEFHJKLMNPRSTUVWXY", at, check.to_ascii_uppercase())
        })
}

/// Norwegian fødselsnummer (Skatteetaten): date (a D number adds 40 to the day, an H number 40 to
/// the month, a synthetic one 80), individual number by century, two check digits mod 11.
pub(in crate::redact) fn no_fnr(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [d1, d2, m1, m2, y1, y2, i1, i2, i3, _, _] = d;
    let (day, month, year) = (two(d1, d2), two(m1, m2), two(y1, y2));
    let individual = number(&[i1, i2, i3]);
    let century = match (individual, year) {
        (0..=499, _) | (900..=999, 40..) => 1900,
        (500..=749, 54..) => 1800,
        (500..=999, ..=39) => 2000,
        _ => return false,
    };
    let day = if day > 40 { day - 40 } else { day };
    is_date(century + year, month % 40, day)
        && weighted(&d, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(&d, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Danish CPR number: a date, whose century the seventh digit tells (CPR office; 60 is added to
/// the day of a number for passing use). Numbers given out since 2007 need not pass mod 11, so
/// that it says nothing.
pub(in crate::redact) fn dk_cpr(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes) else { return false };
    let [d1, d2, m1, m2, y1, y2, seventh, ..] = d;
    let year = two(y1, y2);
    let century = match (seventh, year) {
        (4 | 9, ..=36) | (5..=8, ..=57) => 2000,
        (5..=8, _) => 1800,
        _ => 1900,
    };
    let day = two(d1, d2);
    let day = if day > 60 { day - 60 } else { day };
    is_date(century + year, two(m1, m2), day)
}

/// Estonian isikukood and Lithuanian asmens kodas: sex and century, date, serial, mod 11 with two
/// rows of weights (EVS 585).
pub(in crate::redact) fn ee_isikukood(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [sex, y1, y2, m1, m2, d1, d2, .., check] = d;
    let century = match sex {
        1 | 2 => 1800,
        3 | 4 => 1900,
        5 | 6 => 2000,
        7 | 8 => 2100,
        _ => return false,
    };
    let first = weighted(&d, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let second = weighted(&d, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10;
    is_date(century + two(y1, y2), two(m1, m2), two(d1, d2))
        && u32::from(check) == if first == 10 { second } else { first }
}

/// Icelandic kennitala: date (companies add 40 to the day), mod 11, digit of the century.
pub(in crate::redact) fn is_kennitala(bytes: &[u8]) -> bool {
    let Some(d) = digits::<10>(bytes) else { return false };
    let [d1, d2, m1, m2, y1, y2, .., c] = d;
    let century = match c {
        8 => 1800,
        9 => 1900,
        0 => 2000,
        _ => return false,
    };
    let day = two(d1, d2);
    let day = if day > 40 { day - 40 } else { day };
    is_date(century + two(y1, y2), two(m1, m2), day)
        && weighted(&d, &[3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Latvian personas kods of the form that had a date (until 2017): mod 11.
pub(in crate::redact) fn lv_pk(bytes: &[u8]) -> bool {
    let Some(d) = digits::<11>(bytes) else { return false };
    let [d1, d2, m1, m2, y1, y2, century, .., check] = d;
    let sum = weighted(&d, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
    century < 3
        && is_short_date(two(y1, y2), two(m1, m2), two(d1, d2))
        && (1 + sum) % 11 % 10 == u32::from(check)
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, changed, none, strict};
    use super::*;

    #[test]
    fn numbers_with_check_digits_are_told_from_their_neighbours() {
        // Examples of python-stdnum's documentation, Skatteverket and Wikipedia.
        strict(se_personnummer, &["880320-0016", "811228-9874"]);
        strict(fi_hetu, &["131052-308T"]);
        strict(no_fnr, &["15108695088"]);
    }

    #[test]
    fn a_personnummer_is_read_with_and_without_century_and_sign() {
        all(se_personnummer, &["8112289874", "198112289874", "811228+9874", "540505-3983"]);
        // The day of a coordination number is 60 more.
        all(se_personnummer, &["701063-2391", "19701063-2391"]);
        none(se_personnummer, &["811328-9874", "811228 9874", "171812289874", "556016-0680"]);
        none(se_personnummer, &["81122-89874", "-9874", "9874", "19811228--9874"]);
    }

    #[test]
    fn each_sign_of_a_century_is_read() {
        // Signs of 2023: the check character does not count them.
        for sign in ["-", "+", "Y", "X", "W", "V", "U", "A", "B", "C", "D", "E", "F", "a"] {
            assert!(fi_hetu(format!("131052{sign}308T").as_bytes()), "{sign}");
        }
        all(fi_hetu, &["010516B902W", "020594X903P", "131052-308t"]);
        none(fi_hetu, &["131052-308U", "310252-308Y", "131052G308T", "131052-001P", "131052308T"]);
    }

    #[test]
    fn norwegian_numbers_of_other_kinds_are_read() {
        // D number (day + 40), and the synthetic ones of Skatteetaten (month + 80).
        all(no_fnr, &["04027893436"]);
        none(no_fnr, &["15108695077", "32108695088", "15138695088"]);
    }

    #[test]
    fn a_danish_number_is_a_date() {
        all(dk_cpr, &["2110625629", "0707614285", "2902004123"]);
        none(dk_cpr, &["5110625629", "2110525629".get(1..).unwrap_or_default(), "2902000123"]);
        assert!(changed(dk_cpr, "2110625629") > 0);
    }

    #[test]
    fn the_century_of_a_kennitala_is_its_last_digit() {
        all(is_kennitala, &["1201743399", "4504013150"]);
        none(is_kennitala, &["5305750299", "3201743399", "1201743397"]);
        assert_eq!(changed(is_kennitala, "1201743399"), 2);
    }

    #[test]
    fn baltic_dates_are_dates() {
        // Where the first row of weights gives 10 the second decides, which some neighbours share.
        assert!(changed(ee_isikukood, "36805280109") <= 2);
        all(ee_isikukood, &["37605030299", "33309240064"]);
        none(ee_isikukood, &["36813280109", "96805280109"]);
        all(lv_pk, &["16117519997"]);
        none(lv_pk, &["16117519994", "16137519997"]);
    }
}
