//! What a canary scan looks for: one made-up value for each rule, with right check digits. Nothing here is
//! anybody's; keys are cut in two so that no scanner of repositories takes them for live ones.

use super::rule::Rule;

/// A value in the words that it stands among.
pub(super) struct Vector {
    pub(super) rule: Rule,
    /// The member that holds the text.
    pub(super) name: &'static str,
    /// What stands before the value.
    pub(super) before: &'static str,
    /// The value, in two pieces.
    pub(super) value: [&'static str; 2],
    /// What stands behind it.
    pub(super) after: &'static str,
    /// A member under which the value is found as a bare integer.
    pub(super) integer_under: Option<&'static str>,
}

const fn text(rule: Rule, before: &'static str, value: [&'static str; 2]) -> Vector {
    Vector { rule, name: "text", before, value, after: "", integer_under: None }
}

const fn named(rule: Rule, name: &'static str, value: [&'static str; 2]) -> Vector {
    Vector { rule, name, before: "", value, after: "", integer_under: None }
}

const fn number(
    rule: Rule,
    before: &'static str,
    value: [&'static str; 2],
    under: &'static str,
) -> Vector {
    Vector { rule, name: "text", before, value, after: "", integer_under: Some(under) }
}

/// One for each rule, in the order of the registry.
pub(super) static VECTORS: [Vector; Rule::ALL.len()] = [
    text(Rule::Email, "write to ", ["canary.k7q2", "@example.com"]),
    number(Rule::Phone, "call ", ["+1415", "5550132"], "phone"),
    number(Rule::Ssn, "SSN ", ["5123", "34567"], "ssn"),
    number(Rule::CreditCard, "card ", ["41111111", "11111111"], "card_number"),
    text(Rule::Iban, "IBAN ", ["DE893704", "00440532013000"]),
    number(Rule::BankAccount, "account number ", ["12345", "67890"], "account_number"),
    number(Rule::AbaRouting, "routing number ", ["1210", "00358"], "routing_number"),
    text(Rule::IpAddress, "from ", ["203.0.", "113.77"]),
    text(Rule::MacAddress, "mac ", ["3c:22:fb:", "4a:9e:01"]),
    Vector {
        after: "@cache.example:6379",
        ..text(Rule::UrlCredentials, "redis://:", ["Zx81kq90", "Wm3"])
    },
    text(Rule::ApiKey, "with ghp", ["_16C7e42F292c6912E7", "710c838347Ae178B4a"]),
    text(
        Rule::Jwt,
        "got ",
        [
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ",
            ".c2lnbmVkLWJ5LW5vYm9keS1hdC1hbGwtYW5kLWZvci1uby11c2U",
        ],
    ),
    text(
        Rule::PrivateKey,
        "-----BEGIN EC PRIVATE ",
        ["KEY-----\nwxpS5C42lmsDPrHCyUNx6Wv6Fasv", "Zvn1ORhFW88bc7Vsgvs11oocgDrsNbrg277q"],
    ),
    text(Rule::Password, "password: ", ["hX4-vale", "-9Qm"]),
    named(Rule::Secret, "client_secret", ["q8Zr2kLm", "5tYv"]),
    text(Rule::AuthHeader, "Authorization: Bearer ", ["pL9xQ2wE", "7rT4yU1i"]),
    text(Rule::Cookie, "Cookie: session=", ["9fK2mQ8x", "Z1pL4vT7"]),
    text(Rule::CryptoWallet, "to ", ["3J98t1WpEZ73CNm", "QviecrnyiWrnqRhWNLy"]),
    text(Rule::DateOfBirth, "date of birth ", ["1985", "-03-13"]),
    text(Rule::Passport, "passport: ", ["X1234", "567"]),
    text(Rule::DriverLicense, "driver's license: ", ["B1234", "567"]),
    named(Rule::PersonName, "first_name", ["Canar", "ina"]),
    named(Rule::Address, "street", ["12 Nowhere ", "Lane"]),
    text(Rule::UsItin, "ITIN ", ["912-70", "-1234"]),
    number(Rule::UsNpi, "NPI ", ["10030", "00126"], "npi"),
    text(Rule::UsMbi, "MBI ", ["1EG4-TE5", "-MK73"]),
    number(Rule::DeTaxId, "Steuer-ID ", ["36574", "261809"], "steuer_id"),
    number(Rule::FrNir, "NIR ", ["2550814", "16802538"], "nir"),
    text(Rule::EsNif, "DNI ", ["36588", "154F"]),
    text(Rule::ItFiscalCode, "codice fiscale ", ["RCCMNL83", "S18D969H"]),
    number(Rule::NlBsn, "BSN ", ["2758", "62689"], "bsn"),
    text(Rule::BeNn, "rijksregister ", ["85.07.30", "-033.28"]),
    text(Rule::SePersonnummer, "personnummer ", ["19880320", "-0016"]),
    text(Rule::FiHetu, "hetu ", ["131052", "-308T"]),
    text(Rule::NoFnr, "fnr ", ["151086", "95088"]),
    text(Rule::DkCpr, "CPR ", ["211062", "-5629"]),
    number(Rule::PlPesel, "PESEL ", ["44051", "401359"], "pesel"),
    number(Rule::PtNif, "contribuinte ", ["5019", "64843"], "nif"),
    text(Rule::ChAhv, "AHV ", ["756.9217", ".0769.85"]),
    text(Rule::AtSvnr, "SVNR ", ["1237 ", "010180"]),
    text(Rule::IePps, "PPS number ", ["6433", "435F"]),
    number(Rule::UkNhs, "NHS number ", ["94347", "65870"], "nhs_number"),
    text(Rule::UkNino, "NI number ", ["AB 12 34", " 56 C"]),
    text(Rule::CzRc, "rodne cislo ", ["710319", "/2745"]),
    number(Rule::RoCnp, "CNP ", ["1630615", "123457"], "cnp"),
    number(Rule::HrOib, "OIB ", ["33392", "005961"], "oib"),
    number(Rule::BgEgn, "EGN ", ["75231", "69263"], "egn"),
    number(Rule::EeIsikukood, "isikukood ", ["36805", "280109"], "isikukood"),
    text(Rule::LvPk, "personas kods ", ["161175", "-19997"]),
    text(Rule::IsKennitala, "kennitala ", ["120174", "-3399"]),
    number(Rule::TrTckn, "TC kimlik no ", ["17291", "716060"], "tckn"),
    text(Rule::InAadhaar, "aadhaar ", ["2341 2341", " 2346"]),
    text(Rule::InPan, "PAN ", ["ACUPA", "7085R"]),
    text(Rule::SgNric, "NRIC ", ["S1234", "567D"]),
    text(Rule::CnRic, "ID card ", ["110101196", "209037168"]),
    text(Rule::KrRrn, "RRN ", ["971013", "-9019902"]),
    text(Rule::ThTnin, "Thai ID ", ["3100600", "445635"]),
    text(Rule::ZaId, "South African ID ", ["7503305", "044089"]),
    text(Rule::IlId, "israeli id ", ["0393", "37423"]),
    text(Rule::JpMyNumber, "My Number ", ["123456", "789018"]),
    text(Rule::HkId, "HKID ", ["A1234", "56(3)"]),
    text(Rule::TwId, "Taiwan ID ", ["A12345", "6789"]),
    text(Rule::AuTfn, "tax file number ", ["123 456", " 782"]),
    text(Rule::AuMedicare, "medicare card ", ["2123 4567", "0 1"]),
    text(Rule::BrCpf, "CPF ", ["390.533", ".447-05"]),
    text(Rule::BrCnpj, "CNPJ ", ["16.727.230", "/0001-97"]),
    text(Rule::CaSin, "SIN ", ["123-456", "-782"]),
    text(Rule::MxCurp, "CURP ", ["PEHJ87101", "7MMCNRS03"]),
    text(Rule::ClRut, "RUT ", ["12.531", ".909-2"]),
    text(Rule::ArCuit, "CUIT ", ["20-05536", "168-2"]),
];
