//! Of all validators together: that no bytes make one panic, and how many random numbers pass.

use proptest::prelude::*;

use super::{americas, asia, europe, iban, net, nordic, phone, wallet};

/// A validator.
type Check = fn(&[u8]) -> bool;

/// Every validator that answers yes or no.
const ALL: &[(&str, Check)] = &[
    ("ar_cuit", americas::ar_cuit),
    ("at_svnr", europe::at_svnr),
    ("au_medicare", asia::au_medicare),
    ("au_tfn", asia::au_tfn),
    ("be_nn", europe::be_nn),
    ("bech32", wallet::bech32),
    ("bg_egn", europe::bg_egn),
    ("bitcoin", wallet::bitcoin),
    ("br_cnpj", americas::br_cnpj),
    ("br_cpf", americas::br_cpf),
    ("ca_sin", americas::ca_sin),
    ("ch_ahv", europe::ch_ahv),
    ("cl_rut", americas::cl_rut),
    ("cn_ric", asia::cn_ric),
    ("cz_rc", europe::cz_rc),
    ("de_tax_id", europe::de_tax_id),
    ("dk_cpr", nordic::dk_cpr),
    ("ee_isikukood", nordic::ee_isikukood),
    ("es_nif", europe::es_nif),
    ("fi_hetu", nordic::fi_hetu),
    ("fr_nir", europe::fr_nir),
    ("hk_id", asia::hk_id),
    ("hr_oib", europe::hr_oib),
    ("iban", iban::iban),
    ("ie_pps", europe::ie_pps),
    ("il_id", asia::il_id),
    ("in_aadhaar", asia::in_aadhaar),
    ("in_pan", asia::in_pan),
    ("ipv4", net::ipv4),
    ("ipv6", net::ipv6),
    ("is_kennitala", nordic::is_kennitala),
    ("it_fiscal_code", europe::it_fiscal_code),
    ("jp_my_number", asia::jp_my_number),
    ("kr_rrn", asia::kr_rrn),
    ("kr_rrn_date", asia::kr_rrn_date),
    ("lv_pk", nordic::lv_pk),
    ("mac", net::mac),
    ("mx_curp", americas::mx_curp),
    ("nl_bsn", europe::nl_bsn),
    ("no_fnr", nordic::no_fnr),
    ("phone", phone::international),
    ("phone possible", phone::international_possible),
    ("pl_pesel", europe::pl_pesel),
    ("pt_nif", europe::pt_nif),
    ("ro_cnp", europe::ro_cnp),
    ("se_personnummer", nordic::se_personnummer),
    ("sg_nric", asia::sg_nric),
    ("th_tnin", asia::th_tnin),
    ("tr_tckn", europe::tr_tckn),
    ("tw_id", asia::tw_id),
    ("uk_nhs", europe::uk_nhs),
    ("uk_nino", europe::uk_nino),
    ("us_aba", americas::us_aba),
    ("us_itin", americas::us_itin),
    ("us_mbi", americas::us_mbi),
    ("us_npi", americas::us_npi),
    ("us_ssn", americas::us_ssn),
    ("za_id", asia::za_id),
];

/// What passes by itself, of random digits in hundredths of a per cent: a bound for each length
/// that says how much a validator alone is worth. Those that are not here accept shapes.
const BY_CHANCE: &[(&str, usize, u32)] = &[
    ("de_tax_id", 11, 100),
    ("at_svnr", 10, 500),
    ("ch_ahv", 13, 20),
    ("fr_nir", 15, 200),
    ("nl_bsn", 9, 1100),
    ("be_nn", 11, 200),
    ("pt_nif", 9, 1000),
    ("pl_pesel", 11, 400),
    ("tr_tckn", 11, 200),
    ("uk_nhs", 10, 1100),
    ("cz_rc", 10, 300),
    ("ro_cnp", 13, 300),
    ("bg_egn", 10, 300),
    ("se_personnummer", 10, 1000),
    ("no_fnr", 11, 100),
    ("ee_isikukood", 11, 300),
    ("in_aadhaar", 12, 1000),
    ("cn_ric", 18, 20),
    ("th_tnin", 13, 1000),
    ("za_id", 13, 300),
    ("au_tfn", 9, 1100),
    ("au_medicare", 10, 700),
    ("br_cpf", 11, 200),
    ("ca_sin", 9, 1000),
    ("us_aba", 9, 500),
    ("us_npi", 10, 300),
    ("phone", 11, 2500),
];

/// A sequence of digits that looks random and is always the same (multiplicative congruence of
/// Park and Miller, CACM 31, 1988).
struct Digits(u64);

impl Digits {
    fn next(&mut self, len: usize) -> Vec<u8> {
        let mut digits = Vec::with_capacity(len);
        while digits.len() < len {
            self.0 = self.0 * 48_271 % 0x7fff_ffff;
            digits.push(b'0' + u8::try_from(self.0 / 1_000 % 10).unwrap());
        }
        digits
    }
}

#[test]
fn few_random_numbers_pass() {
    const N: u32 = 20_000;
    for &(name, len, most) in BY_CHANCE {
        let (_, check) = ALL.iter().find(|(other, _)| *other == name).unwrap();
        let mut digits = Digits(20_261_122);
        let n_passed: u32 = (0..N).map(|_| u32::from(check(&digits.next(len)))).sum();
        assert!(n_passed * 10_000 <= most * N, "{name}: {n_passed} of {N}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_validator_panic(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..120),
            "[0-9]{0,20}".prop_map(String::into_bytes),
            "[0-9A-Za-z:.+-]{0,45}".prop_map(String::into_bytes),
            "(bc1|0x|1|3|DE|FR)[0-9a-zA-Z]{0,112}".prop_map(String::into_bytes),
        ],
        country in any::<[u8; 2]>(),
    ) {
        let n_passed = ALL.iter().filter(|(_, check)| check(&bytes)).count();
        prop_assert!(bytes.is_ascii() || n_passed == 0);
        prop_assert!(wallet::base58check(&bytes).is_none() || bytes.len() >= 26);
        prop_assert!(wallet::ethereum(&bytes) == wallet::Ethereum::No || bytes.len() == 42);
        prop_assert!(phone::calling_code_len(&bytes).is_none_or(|len| (1..=3).contains(&len)));
        prop_assert!(!phone::national(&bytes, None) || bytes.len() >= 4);
        prop_assert!(!phone::national(&bytes, Some(country)) || country.is_ascii());
        prop_assert!(iban::length(country).is_none_or(|len| (15..=34).contains(&len)));
    }
}
