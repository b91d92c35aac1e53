//! Validators: whether bytes of a known shape are what their shape says. Pure, no allocation, no
//! context; who calls decides how sure a "yes" is (the last column), and what word or name it
//! needs beside it. All of the table is ready to be called.
//!
//! Every function takes `&[u8]` and answers `bool`, unless said otherwise. Input that has another
//! length or other characters than the shape is answered with "no", never with a panic. Kinds of
//! input:
//!
//! - *digits*: ASCII digits, separators already removed;
//! - *alnum*: ASCII letters (either case) and digits, separators already removed;
//! - *text*: as it stands, with the separators that the notation has.
//!
//! | function | input | lengths | checks | by chance, of inputs of that shape |
//! |---|---|---|---|---|
//! | `iban::iban` | alnum | 15..=34 | country, its length and its kinds of characters, mod 97 | 1 % |
//! | `iban::length(country)` | two letters | | answers `Option<usize>`: the whole length in that country | |
//! | `europe::de_tax_id` | digits | 11 | repeated-digit rule, ISO 7064 mod 11,10 | < 1 % |
//! | `europe::at_svnr` | digits | 10 | weights mod 11, date | 1 % |
//! | `europe::ch_ahv` | digits | 13 | 756, EAN-13 | 0.01 % |
//! | `europe::fr_nir` | alnum | 15 (or 13 without key: no) | sex, month, department (2A, 2B), key mod 97 | 0.1 % |
//! | `europe::nl_bsn` | digits | 9 (8 with its zero lost) | eleven test | 9 % |
//! | `europe::be_nn` | digits | 11 | date (and BIS numbers), mod 97 of both centuries | < 1 % |
//! | `europe::es_nif` | alnum | 9 | DNI and NIE (X, Y, Z), K L M, letter mod 23 | 4 % |
//! | `europe::pt_nif` | digits | 9 | first digits in use, mod 11 | 7 % |
//! | `europe::it_fiscal_code` | alnum | 16 | letters of names, month, day, place, omocodia, check letter | < 0.1 % |
//! | `europe::pl_pesel` | digits | 11 | date with century, weights mod 10 | 1 % |
//! | `europe::tr_tckn` | digits | 11 | two check digits | 1 % |
//! | `europe::ie_pps` | alnum | 8 or 9 | check letter mod 23 | 4 % |
//! | `europe::uk_nhs` | digits | 10 | mod 11 | 9 % |
//! | `europe::uk_nino` | alnum | 9, or 8 without suffix | prefix letters, suffix A to D | — (shape only) |
//! | `europe::cz_rc` | digits | 9 or 10 | date, mod 11 (10 digits; 9 digits: date alone) | 1 % |
//! | `europe::ro_cnp` | digits | 13 | date, county, mod 11 | 0.3 % |
//! | `europe::hr_oib` | digits | 11 | ISO 7064 mod 11,10 | 10 % |
//! | `europe::bg_egn` | digits | 10 | date, weights | 0.5 % |
//! | `nordic::se_personnummer` | text: 10 or 12 digits, `-` or `+` before the last four or nothing | | date, coordination numbers (day + 60), Luhn | < 1 % |
//! | `nordic::fi_hetu` | text: `DDMMYYCZZZQ` | 11 | century sign incl. those of 2023, date, check character | 0.1 % |
//! | `nordic::no_fnr` | digits | 11 | date (D and H numbers too), two check digits | < 0.1 % |
//! | `nordic::dk_cpr` | digits | 10 | date with the century of digit 7; no check digit since 2007 | 3 % |
//! | `nordic::ee_isikukood` | digits | 11 | date, mod 11 (Lithuania's numbers too) | 0.5 % |
//! | `nordic::is_kennitala` | digits | 10 | date, mod 11, century | < 0.5 % |
//! | `nordic::lv_pk` | digits | 11 | date, mod 11 (numbers given out until 2017) | 0.5 % |
//! | `asia::in_aadhaar` | digits | 12 | first digit from 2, no palindrome, Verhoeff | 8 % |
//! | `asia::in_pan` | alnum | 10 | `AAAAA9999A`, fourth letter a kind of holder | shape only |
//! | `asia::sg_nric` | alnum | 9 | S T F G M, check letter | 4 % |
//! | `asia::cn_ric` | alnum | 18 | province, date, ISO 7064 mod 11-2 | < 0.1 % |
//! | `asia::kr_rrn` | digits | 13 | date with century digit, mod 11 | 0.2 % |
//! | `asia::kr_rrn_date` | digits | 13 | the same without check digit, which numbers given out from October 2020 have not | 2 % |
//! | `asia::th_tnin` | digits | 13 | first digit 1 to 8, mod 11 | 9 % |
//! | `asia::za_id` | digits | 13 | date, citizenship 0 to 2, Luhn | < 0.1 % |
//! | `asia::il_id` | digits | 9 | Luhn | 10 % |
//! | `asia::jp_my_number` | digits | 12 | mod 11 | 10 % |
//! | `asia::hk_id` | alnum | 8 or 9 | check character mod 11 | 9 % |
//! | `asia::tw_id` | alnum | 10 | letter, sex, mod 10 | 2 % |
//! | `asia::au_tfn` | digits | 9 (or 8) | mod 11 | 9 % |
//! | `asia::au_medicare` | digits | 10, or 11 with the person's | first digit 2 to 6, mod 10 | 5 % |
//! | `americas::br_cpf` | digits | 11 | two check digits, not all alike | 1 % |
//! | `americas::br_cnpj` | alnum | 14 | two check digits (letters allowed since 2026) | 1 % |
//! | `americas::ca_sin` | digits | 9 | first digit not 8 (0 is for trials), Luhn | 8 % |
//! | `americas::mx_curp` | alnum | 18 | letters, date, sex, state, check digit | < 0.01 % |
//! | `americas::cl_rut` | alnum | 8 or 9 | mod 11 with K | 9 % |
//! | `americas::ar_cuit` | digits | 11 | prefixes, mod 11 | 1 % |
//! | `americas::us_ssn` | digits | 9 | area, group, serial that are given out | shape only |
//! | `americas::us_itin` | digits | 9 | 9xx, group 50–65, 70–88, 90–92, 94–99 | 5 % |
//! | `americas::us_aba` | digits | 9 | first two digits in use, 3-7-1 | 4 % |
//! | `americas::us_npi` | digits | 10 | 1 or 2, Luhn with 80840 | 2 % |
//! | `americas::us_mbi` | alnum | 11 | kinds of characters at each place | shape only |
//! | `net::ipv4` | text | 7..=15 | four octets without leading zeros; not 0.0.0.0/8, 127/8, 255.255.255.255 | shape only |
//! | `net::ipv6` | text (no brackets, no zone) | 3..=45 | `core::net`; at least two groups; not `::`, `::1` | shape only |
//! | `net::mac` | text: 6 pairs by `:` or `-` alike, or 3 quads by `.` | 14 or 17 | not all 0, not all F | shape only |
//! | `wallet::bitcoin` | text, case as it stands | 14..=90 | base58check address (also of Litecoin, Dogecoin, Dash, Tron, Zcash), or bech32 and bech32m (`bc1`, `tb1`, `bcrt1`, `ltc1`) | none |
//! | `wallet::base58check` | text, case as it stands | 26..=112 | answers `Option<`[`wallet::Base58`]`>`: `Address`, `PrivateKey` (WIF), `ExtendedKey` (`xprv`, `xpub`) | none |
//! | `wallet::ethereum` | text `0x…` | 42 | answers [`wallet::Ethereum`]: `No`, `OneCase`, `MixedCase` | shape only |
//! | `phone::international` | digits after the `+` | 7..=15 | calling code, lengths and leading digits of its plan; passes over a trunk `0` (`+44 (0)20…`) | 6 % |
//! | `phone::international_possible` | digits after the `+` | | calling code and lengths alone (`+1 555 555 5555`) | 40 % |
//! | `phone::national(digits, country)` | digits; `Option<[u8; 2]>` ISO 3166 in capitals | | the plan of that country, with or without trunk prefix; with `None` of any | 7 %; nearly all |
//! | `phone::calling_code_len` | digits after the `+` | | answers `Option<usize>`: digits of the calling code | |

pub(super) mod americas;
pub(super) mod asia;
pub(super) mod europe;
pub(super) mod iban;
pub(super) mod net;
pub(super) mod nordic;
pub(super) mod phone;
mod sums;
#[cfg(test)]
mod tests;
pub(super) mod wallet;

pub(super) use sums::is_date;
