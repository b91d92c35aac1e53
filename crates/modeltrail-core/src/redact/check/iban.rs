//! International bank account numbers (ISO 13616): country, the lengths and kinds of characters of
//! its account numbers, and the check digits by ISO/IEC 7064 MOD 97-10.

/// Countries and their account numbers behind the four leading characters, in the notation of the
/// SWIFT IBAN registry without its `!`: a length and `n` for digits, `a` for letters, `c` for
/// either. Sorted by country.
///
/// From release 101 of that registry, and, for the countries with no entry there, which use IBANs
/// all the same (list "IBAN, partial or experimental use" of Wikipedia), the length alone.
#[rustfmt::skip]
const COUNTRIES: &[([u8; 2], &str)] = &[
    (*b"AD", "8n12c"), (*b"AE", "19n"), (*b"AL", "8n16c"), (*b"AO", "21c"), (*b"AT", "16n"),
    (*b"AZ", "4a20c"), (*b"BA", "16n"), (*b"BE", "12n"), (*b"BF", "24c"), (*b"BG", "4a6n8c"),
    (*b"BH", "4a14c"), (*b"BI", "23n"), (*b"BJ", "24c"), (*b"BR", "23n1a1c"), (*b"BY", "4c4n16c"),
    (*b"CF", "23c"), (*b"CG", "23c"), (*b"CH", "5n12c"), (*b"CI", "24c"), (*b"CM", "23c"),
    (*b"CR", "18n"), (*b"CV", "21c"), (*b"CY", "8n16c"), (*b"CZ", "20n"), (*b"DE", "18n"),
    (*b"DJ", "23n"), (*b"DK", "14n"), (*b"DO", "4c20n"), (*b"DZ", "22c"), (*b"EE", "16n"),
    (*b"EG", "25n"), (*b"ES", "20n"), (*b"FI", "14n"), (*b"FK", "2a12n"), (*b"FO", "14n"),
    (*b"FR", "10n11c2n"), (*b"GA", "23c"), (*b"GB", "4a14n"), (*b"GE", "2a16n"),
    (*b"GI", "4a15c"), (*b"GL", "14n"), (*b"GQ", "23c"), (*b"GR", "7n16c"), (*b"GT", "24c"),
    (*b"GW", "21c"), (*b"HN", "4a20n"), (*b"HR", "17n"), (*b"HU", "24n"), (*b"IE", "4a14n"),
    (*b"IL", "19n"), (*b"IQ", "4a15n"), (*b"IR", "22c"), (*b"IS", "22n"), (*b"IT", "1a10n12c"),
    (*b"JO", "4a4n18c"), (*b"KM", "23c"), (*b"KW", "4a22c"), (*b"KZ", "3n13c"), (*b"LB", "4n20c"),
    (*b"LC", "4a24c"), (*b"LI", "5n12c"), (*b"LT", "16n"), (*b"LU", "3n13c"), (*b"LV", "4a13c"),
    (*b"LY", "21n"), (*b"MA", "24c"), (*b"MC", "10n11c2n"), (*b"MD", "20c"), (*b"ME", "18n"),
    (*b"MG", "23c"), (*b"MK", "3n10c2n"), (*b"ML", "24c"), (*b"MN", "16n"), (*b"MR", "23n"),
    (*b"MT", "4a5n18c"), (*b"MU", "4a19n3a"), (*b"MZ", "21c"), (*b"NE", "24c"), (*b"NI", "4a20n"),
    (*b"NL", "4a10n"), (*b"NO", "11n"), (*b"OM", "3n16c"), (*b"PK", "4a16c"), (*b"PL", "24n"),
    (*b"PS", "4a21c"), (*b"PT", "21n"), (*b"QA", "4a21c"), (*b"RO", "4a16c"), (*b"RS", "18n"),
    (*b"RU", "14n15c"), (*b"SA", "2n18c"), (*b"SC", "4a20n3a"), (*b"SD", "14n"), (*b"SE", "20n"),
    (*b"SI", "15n"), (*b"SK", "20n"), (*b"SM", "1a10n12c"), (*b"SN", "24c"), (*b"SO", "19n"),
    (*b"ST", "21n"), (*b"SV", "4a20n"), (*b"TD", "23c"), (*b"TG", "24c"), (*b"TL", "19n"),
    (*b"TN", "20n"), (*b"TR", "6n16c"), (*b"UA", "6n19c"), (*b"VA", "18n"), (*b"VG", "4a16n"),
    (*b"XK", "16n"), (*b"YE", "4a4n18c"),
];

/// Whether this is an account number. Letters of either case.
pub(in crate::redact) fn iban(bytes: &[u8]) -> bool {
    let Some((&[c1, c2, k1, k2], bban)) = bytes.split_first_chunk::<4>() else { return false };
    let country = [c1.to_ascii_uppercase(), c2.to_ascii_uppercase()];
    let Ok(at) = COUNTRIES.binary_search_by_key(&country, |(name, _)| *name) else { return false };
    let Some((_, form)) = COUNTRIES.get(at) else { return false };
    // 97 less a rest of 0 to 96 and one more: what is not among these is another spelling.
    let spelled =
        matches!((k1, k2), (b'0', b'2'..=b'9') | (b'1'..=b'8', b'0'..=b'9') | (b'9', b'0'..=b'8'));
    spelled && has_form(bban, form) && rest(bban.iter().chain(&[c1, c2, k1, k2])) == Some(1)
}

/// The length that numbers of this country have with country and check digits, for who reads a
/// number out of a longer text. Letters of either case.
pub(in crate::redact) fn length(country: [u8; 2]) -> Option<usize> {
    let at =
        COUNTRIES.binary_search_by_key(&country.map(|b| b.to_ascii_uppercase()), |(name, _)| *name);
    let (_, form) = COUNTRIES.get(at.ok()?)?;
    Some(4 + pieces(form).map(|(n, _)| n).sum::<usize>())
}

/// The pieces of a form: how many characters of which kind.
fn pieces(form: &str) -> impl Iterator<Item = (usize, u8)> + '_ {
    let mut n = 0;
    form.bytes().filter_map(move |byte| {
        if byte.is_ascii_digit() {
            n = n * 10 + usize::from(byte - b'0');
            return None;
        }
        Some((std::mem::take(&mut n), byte))
    })
}

fn has_form(mut bban: &[u8], form: &str) -> bool {
    for (n, kind) in pieces(form) {
        let Some((piece, rest)) = bban.split_at_checked(n) else { return false };
        let fits = match kind {
            b'n' => piece.iter().all(u8::is_ascii_digit),
            b'a' => piece.iter().all(u8::is_ascii_alphabetic),
            _ => piece.iter().all(u8::is_ascii_alphanumeric),
        };
        if !fits {
            return false;
        }
        bban = rest;
    }
    bban.is_empty()
}

/// The rest mod 97 of the number that characters spell, letters as 10 to 35.
fn rest<'a>(bytes: impl Iterator<Item = &'a u8>) -> Option<u32> {
    bytes.copied().try_fold(0_u32, |rest, byte| match byte {
        b'0'..=b'9' => Some((rest * 10 + u32::from(byte - b'0')) % 97),
        b'A'..=b'Z' | b'a'..=b'z' => {
            Some((rest * 100 + u32::from(byte.to_ascii_uppercase() - b'A') + 10) % 97)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sums::tests::{all, none, strict};
    use super::*;

    #[test]
    fn the_registrys_examples_pass_and_their_neighbours_do_not() {
        // The examples of the SWIFT IBAN registry.
        strict(
            iban,
            &[
                "AD1200012030200359100100",
                "AE070331234567890123456",
                "AT611904300234573201",
                "BE68539007547034",
                "BR1800360305000010009795493C1",
                "CH9300762011623852957",
                "DE89370400440532013000",
                "ES9121000418450200051332",
                "FR1420041010050500013M02606",
                "GB29NWBK60161331926819",
                "IT60X0542811101000000123456",
                "MT84MALT011000012345MTLCAST001S",
                "MU17BOMM0101101030300200000MUR",
                "NL91ABNA0417164300",
                "NO9386011117947",
                "PL61109010140000071219812874",
                "SE4550000000058398257466",
                "TR330006100519786457841326",
                "LC55HEMM000100010012001200023015",
                "BA391290079401028494",
            ],
        );
        all(iban, &["CY17002001280000001200527600", "de89370400440532013000"]);
    }

    #[test]
    fn numbers_of_another_length_or_kind_are_none() {
        none(iban, &["DE8937040044053201300", "DE893704004405320130000", "GB29123460161331926819"]);
        none(iban, &["XX89370400440532013000", "DE", "", "DE89", "DE8937040044053201300é"]);
    }

    #[test]
    fn the_table_is_sorted_and_its_lengths_are_those_of_the_standard() {
        assert!(COUNTRIES.is_sorted_by(|a, b| a.0 < b.0));
        for (country, _) in COUNTRIES {
            let n = length(*country).unwrap();
            assert!((15..=34).contains(&n), "{n}");
        }
        assert_eq!((length(*b"no"), length(*b"LC"), length(*b"ZZ")), (Some(15), Some(32), None));
    }
}
