//! The registry of rules: what each is called, in counts and in what it leaves behind.

use std::fmt;

/// Declares [`Rule`] with its names, so that the registry is written once.
macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $name:literal $replacement:literal)*) => {
        /// A kind of personal data or secret. The order is that of the registry.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* $rule,)*
        }

        impl Rule {
            /// Every rule, in registry order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$rule),*];

            /// The names of all rules, in registry order.
            pub const NAMES: [&'static str; Self::ALL.len()] = [$($name),*];

            /// The names of all rules with a comma between them, as a setting has them.
            pub const NAMES_TEXT: &'static str = concat!($(",", $name),*).split_at(1).1;

            /// The name and the label (`("credit_card", "CC")`) of each, in registry order: what
            /// policies are read with.
            pub const TYPES: [(&'static str, &'static str); Self::ALL.len()] =
                [$(($name, label($replacement))),*];

            /// The name in counts, reports and policies: `email`, `credit_card`, `us_itin`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$rule => $name,)*
                }
            }

            /// What stands in place of a masked span: `[EMAIL]`, `[CC]`, `[US_ITIN]`. Fixed text
            /// tells neither the length nor the form of what was there.
            pub const fn replacement(self) -> &'static str {
                match self {
                    $(Self::$rule => $replacement,)*
                }
            }
        }
    };
}

rules! {
    /// An e-mail address.
    Email "email" "[EMAIL]"
    /// A telephone number: North American, international, or national beside a word that says
    /// so.
    Phone "phone" "[PHONE]"
    /// A US social security number.
    Ssn "ssn" "[SSN]"
    /// A payment card number that passes its issuer's prefix and length and the Luhn check; the
    /// code on its back by the name of its member.
    CreditCard "credit_card" "[CC]"
    /// An international bank account number: country, length, mod 97.
    Iban "iban" "[IBAN]"
    /// A bank account number beside words, or under a name, that say so.
    BankAccount "bank_account" "[BANK_ACCOUNT]"
    /// A US bank's routing number beside a word that says so.
    AbaRouting "aba_routing" "[ABA_ROUTING]"
    /// An IPv4 or IPv6 address that is neither loopback nor unspecified.
    IpAddress "ip_address" "[IP_ADDRESS]"
    /// A MAC address.
    MacAddress "mac_address" "[MAC_ADDRESS]"
    /// The password, or the signature, in a URL.
    UrlCredentials "url_credentials" "[URL_CREDENTIALS]"
    /// A key or token of a well-known service, or the value of a member or variable so named.
    ApiKey "api_key" "[API_KEY]"
    /// A JSON web token.
    Jwt "jwt" "[JWT]"
    /// A private key in PEM, to its end line or the end of the text.
    PrivateKey "private_key" "[PRIVATE_KEY]"
    /// What is assigned to a password.
    Password "password" "[PASSWORD]"
    /// What is assigned to a secret, a token or a credential.
    Secret "secret" "[SECRET]"
    /// The credentials of an authorization header.
    AuthHeader "auth_header" "[AUTH_HEADER]"
    /// The values of a cookie header.
    Cookie "cookie" "[COOKIE]"
    /// A Bitcoin, Litecoin or Ethereum address.
    CryptoWallet "crypto_wallet" "[CRYPTO_WALLET]"
    /// A date beside a word, or under a name, that says it is one of birth.
    DateOfBirth "date_of_birth" "[DATE_OF_BIRTH]"
    /// A passport number beside a word, or under a name, that says so.
    Passport "passport" "[PASSPORT]"
    /// A driving licence's number beside a word, or under a name, that says so.
    DriverLicense "driver_license" "[DRIVER_LICENSE]"
    /// The value of a member that is named as a person's name is (`first_name`).
    PersonName "person_name" "[PERSON_NAME]"
    /// The value of a member that is named as a postal address is (`street`, `postal_code`).
    Address "address" "[ADDRESS]"
    /// A US individual taxpayer identification number.
    UsItin "us_itin" "[US_ITIN]"
    /// A US national provider identifier.
    UsNpi "us_npi" "[US_NPI]"
    /// A US Medicare beneficiary identifier.
    UsMbi "us_mbi" "[US_MBI]"
    /// A German tax identification number (Steuer-ID).
    DeTaxId "de_tax_id" "[DE_TAX_ID]"
    /// A French social security number (NIR).
    FrNir "fr_nir" "[FR_NIR]"
    /// A Spanish DNI or NIE.
    EsNif "es_nif" "[ES_NIF]"
    /// An Italian codice fiscale.
    ItFiscalCode "it_fiscal_code" "[IT_FISCAL_CODE]"
    /// A Dutch burgerservicenummer.
    NlBsn "nl_bsn" "[NL_BSN]"
    /// A Belgian national number.
    BeNn "be_nn" "[BE_NN]"
    /// A Swedish personnummer or samordningsnummer.
    SePersonnummer "se_personnummer" "[SE_PERSONNUMMER]"
    /// A Finnish personal identity code.
    FiHetu "fi_hetu" "[FI_HETU]"
    /// A Norwegian fødselsnummer.
    NoFnr "no_fnr" "[NO_FNR]"
    /// A Danish CPR number.
    DkCpr "dk_cpr" "[DK_CPR]"
    /// A Polish PESEL.
    PlPesel "pl_pesel" "[PL_PESEL]"
    /// A Portuguese NIF.
    PtNif "pt_nif" "[PT_NIF]"
    /// A Swiss AHV number.
    ChAhv "ch_ahv" "[CH_AHV]"
    /// An Austrian social insurance number.
    AtSvnr "at_svnr" "[AT_SVNR]"
    /// An Irish PPS number.
    IePps "ie_pps" "[IE_PPS]"
    /// A British NHS number.
    UkNhs "uk_nhs" "[UK_NHS]"
    /// A British national insurance number.
    UkNino "uk_nino" "[UK_NINO]"
    /// A Czech or Slovak birth number.
    CzRc "cz_rc" "[CZ_RC]"
    /// A Romanian personal numerical code.
    RoCnp "ro_cnp" "[RO_CNP]"
    /// A Croatian OIB.
    HrOib "hr_oib" "[HR_OIB]"
    /// A Bulgarian EGN.
    BgEgn "bg_egn" "[BG_EGN]"
    /// An Estonian or Lithuanian personal code.
    EeIsikukood "ee_isikukood" "[EE_ISIKUKOOD]"
    /// A Latvian personal code.
    LvPk "lv_pk" "[LV_PK]"
    /// An Icelandic kennitala.
    IsKennitala "is_kennitala" "[IS_KENNITALA]"
    /// A Turkish identification number.
    TrTckn "tr_tckn" "[TR_TCKN]"
    /// An Indian Aadhaar number.
    InAadhaar "in_aadhaar" "[IN_AADHAAR]"
    /// An Indian permanent account number.
    InPan "in_pan" "[IN_PAN]"
    /// A Singapore NRIC or FIN.
    SgNric "sg_nric" "[SG_NRIC]"
    /// A Chinese resident identity number.
    CnRic "cn_ric" "[CN_RIC]"
    /// A Korean resident registration number.
    KrRrn "kr_rrn" "[KR_RRN]"
    /// A Thai national identification number.
    ThTnin "th_tnin" "[TH_TNIN]"
    /// A South African identity number.
    ZaId "za_id" "[ZA_ID]"
    /// An Israeli identity number.
    IlId "il_id" "[IL_ID]"
    /// A Japanese individual number.
    JpMyNumber "jp_my_number" "[JP_MY_NUMBER]"
    /// A Hong Kong identity card number.
    HkId "hk_id" "[HK_ID]"
    /// A Taiwanese national identification number.
    TwId "tw_id" "[TW_ID]"
    /// An Australian tax file number.
    AuTfn "au_tfn" "[AU_TFN]"
    /// An Australian Medicare number.
    AuMedicare "au_medicare" "[AU_MEDICARE]"
    /// A Brazilian CPF.
    BrCpf "br_cpf" "[BR_CPF]"
    /// A Brazilian CNPJ.
    BrCnpj "br_cnpj" "[BR_CNPJ]"
    /// A Canadian social insurance number.
    CaSin "ca_sin" "[CA_SIN]"
    /// A Mexican CURP.
    MxCurp "mx_curp" "[MX_CURP]"
    /// A Chilean RUT.
    ClRut "cl_rut" "[CL_RUT]"
    /// An Argentine CUIT or CUIL.
    ArCuit "ar_cuit" "[AR_CUIT]"
}

/// What stands between the brackets of a replacement.
const fn label(replacement: &'static str) -> &'static str {
    replacement.split_at(1).1.split_at(replacement.len() - 2).0
}

impl Rule {
    /// The first four, those of the seed document. They are found by digits and an '@' alone, and so
    /// cost less than the whole registry does.
    pub const BASIC: [Self; 4] = [Self::Email, Self::Phone, Self::Ssn, Self::CreditCard];

    /// Its place in the registry.
    pub(super) const fn slot(self) -> usize {
        self as usize
    }

    /// The rule of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of rules.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct RuleSet(u128);

impl RuleSet {
    pub(super) const NONE: Self = Self(0);

    /// The set of these rules, for tables.
    pub(super) const fn of(rules: &[Rule]) -> Self {
        let (mut bits, mut n) = (0, 0);
        while n < rules.len() {
            bits |= 1 << rules[n].slot();
            n += 1;
        }
        Self(bits)
    }

    pub(super) const fn has(self, rule: Rule) -> bool {
        self.0 >> rule.slot() & 1 == 1
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a rule beyond [`Rule::BASIC`] is on.
    pub(super) const fn is_beyond_basic(self) -> bool {
        self.0 & !Self::of(&Rule::BASIC).0 != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().fold(Self::NONE, |set, rule| set.or(Self::of(&[rule])))
    }
}

/// A set holds one bit per rule.
const _: () = assert!(Rule::ALL.len() <= 128);
