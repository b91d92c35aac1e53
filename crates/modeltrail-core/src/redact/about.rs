//! What a candidate of each rule has to pass, in words, for who asks why something was found.

use std::fmt;

use super::rule::Rule;

/// What a candidate needs around it besides its [validation](Rule::validation).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Beside {
    /// Nothing: what passes is found wherever it stands.
    Nothing,
    /// Some spellings need a word near it or a name on its path, others nothing.
    Depends,
    /// A word near it, or a name on its path, that speaks of it.
    Word,
    /// The name of its member, or what it is assigned to: the value alone has no shape.
    Name,
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "needs nothing beside it",
            Self::Depends => "some spellings need a word or a name beside it",
            Self::Word => "needs a word or a name beside it",
            Self::Name => "needs the name that it stands under",
        })
    }
}

impl Rule {
    /// What a candidate has to pass, for people: `mod 97, the country's length and characters`.
    #[must_use]
    pub fn validation(self) -> &'static str {
        ABOUT.get(self.slot()).map_or("", |(_, _, text)| text)
    }

    /// What it needs around it besides.
    #[must_use]
    pub fn beside(self) -> Beside {
        ABOUT.get(self.slot()).map_or(Beside::Nothing, |(_, beside, _)| *beside)
    }
}

/// In registry order, so that a slot is a place in it.
#[rustfmt::skip]
const ABOUT: [(Rule, Beside, &str); Rule::ALL.len()] = [
    (Rule::Email, Beside::Nothing, "a local part, '@', and a domain whose last label has letters alone and is no file's suffix, or an address in brackets"),
    (Rule::Phone, Beside::Depends, "'+' or 00 with an assigned calling code and a length of its plan, or North American 3-3-4 digits; beside a word 7 to 13 digits as national plans have them"),
    (Rule::Ssn, Beside::Depends, "3-2-4 digits, area not 000, 666 or from 900, group not 00, serial not 0000; in one run beside a word"),
    (Rule::CreditCard, Beside::Depends, "Luhn check, issuer's prefix and length; a card's code by its name: 3 or 4 digits"),
    (Rule::Iban, Beside::Nothing, "mod 97, the country's length and characters"),
    (Rule::BankAccount, Beside::Word, "7 to 17 digits, by its member's name 6 to 17; no check digits"),
    (Rule::AbaRouting, Beside::Word, "9 digits, Federal Reserve district in use, weights 3 7 1 mod 10; by its member's name any 9 digits"),
    (Rule::IpAddress, Beside::Nothing, "four octets without leading zeros that are no version, or groups of IPv6; not loopback, unspecified or broadcast"),
    (Rule::MacAddress, Beside::Nothing, "six pairs of hexadecimal digits by ':' or '-', or three groups of four by '.'; not all 0, not all F"),
    (Rule::UrlCredentials, Beside::Nothing, "what stands between ':' and '@' of a URL, 16 and more random characters before that '@', or such under sig or signature in its query; no stand-in"),
    (Rule::ApiKey, Beside::Depends, "prefix, characters and length of a known service's tokens or webhooks; else the value of a name such as api_key"),
    (Rule::Jwt, Beside::Nothing, "two to five parts in base64url, of which the first decodes to JSON with \"alg\""),
    (Rule::PrivateKey, Beside::Depends, "PEM or PGP armour whose first line says PRIVATE KEY, or a wallet's key with its base58 check sum; else the value of a name such as private_key"),
    (Rule::Password, Beside::Name, "the value of a name such as password, or behind \"password is\", --password or -u user:; no stand-in, and in text no name of a variable"),
    (Rule::Secret, Beside::Name, "the value of a name such as client_secret; of other tokens and keys random characters, of PINs and one-time codes 4 to 8 digits; no stand-in"),
    (Rule::AuthHeader, Beside::Name, "the value of a name such as authorization, the credentials behind its scheme, or 16 and more random characters behind Bearer; no stand-in"),
    (Rule::Cookie, Beside::Name, "values of 6 and more characters behind Cookie or Set-Cookie; of a member so named name=value or random characters"),
    (Rule::CryptoWallet, Beside::Depends, "base58 or bech32 check sum; 0x and 40 hexadecimal digits of both cases, or of one case beside a word"),
    (Rule::DateOfBirth, Beside::Word, "a day from 1900 to 2099 that exists; by its member's name at most 40 bytes with 4 digits and more"),
    (Rule::Passport, Beside::Word, "6 to 9 letters and digits with 3 digits and more; by its member's name 2 to 24 characters with a digit; no check digits"),
    (Rule::DriverLicense, Beside::Word, "6 to 18 letters and digits with 3 digits and more; by its member's name 2 to 24 characters with a digit; no check digits"),
    (Rule::PersonName, Beside::Name, "letters and the marks of names, at most 100 bytes, as the value of a name such as first_name"),
    (Rule::Address, Beside::Name, "the value of a name such as street or postal_code, or what lies beneath one such as billing_address"),
    (Rule::UsItin, Beside::Depends, "9 digits, the first a 9, group 50 to 65, 70 to 88, 90 to 92 or 94 to 99; no check digit"),
    (Rule::UsNpi, Beside::Word, "10 digits, the first 1 or 2, Luhn check with 80840 in front"),
    (Rule::UsMbi, Beside::Word, "11 characters, digits and letters each in their places; no check digit"),
    (Rule::DeTaxId, Beside::Word, "11 digits, exactly one of the first ten repeated, ISO 7064 mod 11,10"),
    (Rule::FrNir, Beside::Depends, "sex, month, department, key mod 97; all digits in one run beside a word"),
    (Rule::EsNif, Beside::Depends, "8 digits, or X, Y, Z, K, L, M and 7, and their letter mod 23"),
    (Rule::ItFiscalCode, Beside::Nothing, "16 letters and digits in their places, a date that exists, check letter"),
    (Rule::NlBsn, Beside::Word, "8 or 9 digits, eleven test"),
    (Rule::BeNn, Beside::Depends, "11 digits, a date that exists, mod 97 of either century"),
    (Rule::SePersonnummer, Beside::Word, "10 or 12 digits, a date that exists (days from 61 for coordination numbers), Luhn check"),
    (Rule::FiHetu, Beside::Nothing, "a date that exists, sign of the century, check character mod 31"),
    (Rule::NoFnr, Beside::Word, "11 digits, a date that exists, two check digits mod 11"),
    (Rule::DkCpr, Beside::Word, "10 digits, a date that exists, in the century of the seventh digit; no check digit"),
    (Rule::PlPesel, Beside::Word, "11 digits, a date that exists, weights 1 3 7 9 mod 10"),
    (Rule::PtNif, Beside::Word, "9 digits, first digits in use, weights 9 to 2 mod 11"),
    (Rule::ChAhv, Beside::Depends, "13 digits from 756, check digit of EAN-13"),
    (Rule::AtSvnr, Beside::Word, "10 digits, day and month, check digit mod 11"),
    (Rule::IePps, Beside::Word, "7 digits, check letter mod 23, perhaps a second letter"),
    (Rule::UkNhs, Beside::Word, "10 digits, weights 10 to 2 mod 11"),
    (Rule::UkNino, Beside::Depends, "two letters that are given out, 6 digits, suffix A to D; without it beside a word; no check digit"),
    (Rule::CzRc, Beside::Word, "9 or 10 digits, a date that exists, ten digits mod 11"),
    (Rule::RoCnp, Beside::Word, "13 digits, a date that exists, county, check digit mod 11"),
    (Rule::HrOib, Beside::Word, "11 digits, ISO 7064 mod 11,10"),
    (Rule::BgEgn, Beside::Word, "10 digits, a date that exists, check digit mod 11"),
    (Rule::EeIsikukood, Beside::Word, "11 digits, a date that exists in the century of the first, check digit mod 11"),
    (Rule::LvPk, Beside::Word, "11 digits, a date that exists, check digit mod 11; numbers given out until 2017"),
    (Rule::IsKennitala, Beside::Word, "10 digits, a date that exists, digit of the century, check digit mod 11"),
    (Rule::TrTckn, Beside::Word, "11 digits, two check digits"),
    (Rule::InAadhaar, Beside::Word, "12 digits from 2, no palindrome, Verhoeff's check"),
    (Rule::InPan, Beside::Nothing, "5 capitals, of which the fourth names a kind of holder, 4 digits, a capital; no check digit"),
    (Rule::SgNric, Beside::Nothing, "S, T, F, G or M, 7 digits, check letter mod 11"),
    (Rule::CnRic, Beside::Depends, "18 characters, province, a date that exists, ISO 7064 mod 11-2; digits in groups beside a word"),
    (Rule::KrRrn, Beside::Depends, "13 digits, a date that exists in the century of the seventh, check digit mod 11"),
    (Rule::ThTnin, Beside::Depends, "13 digits, the first 1 to 8, check digit mod 11"),
    (Rule::ZaId, Beside::Word, "13 digits, a date that exists, citizenship 0 to 2, Luhn check"),
    (Rule::IlId, Beside::Word, "9 digits, Luhn check"),
    (Rule::JpMyNumber, Beside::Word, "12 digits, check digit mod 11"),
    (Rule::HkId, Beside::Depends, "a letter, 6 digits, check character mod 11, in parentheses or beside a word"),
    (Rule::TwId, Beside::Word, "letter of a place, sex, 8 digits, mod 10"),
    (Rule::AuTfn, Beside::Word, "9 digits, weights mod 11"),
    (Rule::AuMedicare, Beside::Word, "10 or 11 digits, the first 2 to 6, check digit mod 10"),
    (Rule::BrCpf, Beside::Depends, "11 digits, not all alike, two check digits mod 11"),
    (Rule::BrCnpj, Beside::Depends, "14 characters, two check digits mod 11"),
    (Rule::CaSin, Beside::Word, "9 digits, the first neither 0 nor 8, Luhn check"),
    (Rule::MxCurp, Beside::Nothing, "18 characters, a date that exists, sex, state, check digit"),
    (Rule::ClRut, Beside::Depends, "7 or 8 digits and their check digit or K mod 11"),
    (Rule::ArCuit, Beside::Depends, "11 digits, prefix of a kind of holder, check digit mod 11"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Redactor;
    use super::super::id_tables::{DIGIT_IDS, MARKED_IDS, WORD_IDS};
    use super::*;

    #[test]
    fn every_rule_is_told_in_its_place() {
        for (rule, about) in Rule::ALL.into_iter().zip(ABOUT) {
            assert_eq!(rule, about.0);
            assert_eq!(rule.validation(), about.2);
            // A line of a terminal, and nothing that would end the sentence it stands in.
            let sound = (8..=170).contains(&about.2.len()) && !about.2.ends_with('.');
            assert!(sound, "{rule}: {}", about.2);
        }
    }

    #[test]
    fn ids_need_beside_them_what_their_tables_say() {
        // For each rule whether a spelling goes without a word, and whether one does not.
        let mut spellings: BTreeMap<Rule, (bool, bool)> = BTreeMap::new();
        let mut add = |rule, needs_word: bool| {
            let (free, bound) = spellings.entry(rule).or_default();
            *free |= !needs_word;
            *bound |= needs_word;
        };
        for &(rule, _, _, _, form) in DIGIT_IDS {
            // In other groups than those of its form it needs a word.
            add(rule, true);
            if !form.is_empty() {
                add(rule, false);
            }
        }
        WORD_IDS.iter().for_each(|id| add(id.0, id.4));
        MARKED_IDS.iter().for_each(|id| add(id.0, id.3));
        for (rule, spelt) in spellings {
            let expected = match spelt {
                (true, true) => Beside::Depends,
                (true, false) => Beside::Nothing,
                (false, _) => Beside::Word,
            };
            assert_eq!(rule.beside(), expected, "{rule}");
        }
    }

    #[test]
    fn what_needs_nothing_is_found_alone_and_what_needs_a_word_is_not() {
        let all = Redactor::default();
        let found = |text: &str| all.find(text, None).into_iter().map(|span| span.rule).next();
        for (rule, text) in [
            (Rule::Email, "jo@example.com"),
            (Rule::Iban, "DE89370400440532013000"),
            (Rule::IpAddress, "192.0.2.7"),
            (Rule::MacAddress, "00:00:5E:00:53:AF"),
            (Rule::UrlCredentials, "ftp://jo:hunter22x@example.org"),
            (Rule::Jwt, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"),
            (Rule::ItFiscalCode, "MRTMTT25D09F205Z"),
            (Rule::FiHetu, "131052-308T"),
            (Rule::InPan, "ACUPA7085R"),
            (Rule::SgNric, "S1234567D"),
            (Rule::MxCurp, "PEHJ871017MMCNRS03"),
        ] {
            assert_eq!(rule.beside(), Beside::Nothing, "{rule}");
            assert_eq!(found(text), Some(rule), "{text}");
        }
        for (rule, text, words) in [
            (Rule::BankAccount, "12345678", "account number 12345678"),
            (Rule::AbaRouting, "111000025", "routing number 111000025"),
            (Rule::DateOfBirth, "1985-03-12", "born on 1985-03-12"),
            (Rule::Passport, "C01X00T47", "passport number C01X00T47"),
            (Rule::DriverLicense, "D1234567", "driver license D1234567"),
            (Rule::UkNhs, "9434765870", "NHS number 9434765870"),
        ] {
            assert_eq!(rule.beside(), Beside::Word, "{rule}");
            assert_eq!(found(text), None, "{text}");
            assert_eq!(found(words), Some(rule), "{words}");
        }
        for (rule, name, value) in [
            (Rule::Password, "password", "hunter22x"),
            (Rule::Secret, "client_secret", "hunter22x"),
            (Rule::AuthHeader, "authorization", "hunter22x"),
            (Rule::PersonName, "first_name", "Ann"),
            (Rule::Address, "street", "Long Lane 5"),
        ] {
            assert_eq!(rule.beside(), Beside::Name, "{rule}");
            assert_eq!(found(value), None, "{value}");
            let under = all.find(value, Some(name)).into_iter().map(|span| span.rule).next();
            assert_eq!(under, Some(rule), "{name}");
        }
    }
}
