//! The ids of persons: the checks of each, its length, and what it needs beside it.

use super::check::{americas, asia, europe, nordic};
use super::rule::Rule;

type Check = fn(&[u8]) -> bool;

/// An id of digits: its rule, its digits from and to, its check, and the groups and marks with
/// which it needs no word (a space for any space).
pub(super) type DigitId = (Rule, usize, usize, Check, &'static str);

/// The surer the check, the earlier.
pub(super) const DIGIT_IDS: &[DigitId] = &[
    (Rule::UsItin, 9, 9, americas::us_itin, "3-2-4"),
    (Rule::FrNir, 15, 15, europe::fr_nir, "1 2 2 2 3 3 2"),
    (Rule::CnRic, 18, 18, asia::cn_ric, "18"),
    (Rule::BrCnpj, 14, 14, americas::br_cnpj, ""),
    (Rule::ThTnin, 13, 13, asia::th_tnin, "1-4-5-2-1"),
    (Rule::KrRrn, 13, 13, korean, "6-7"),
    (Rule::ZaId, 13, 13, asia::za_id, ""),
    (Rule::RoCnp, 13, 13, europe::ro_cnp, ""),
    (Rule::ChAhv, 13, 13, europe::ch_ahv, "3.4.4.2"),
    (Rule::BrCpf, 11, 11, americas::br_cpf, "3.3.3-2"),
    (Rule::BeNn, 11, 11, europe::be_nn, "2.2.2-3.2"),
    (Rule::NoFnr, 11, 11, nordic::no_fnr, ""),
    (Rule::EeIsikukood, 11, 11, nordic::ee_isikukood, ""),
    (Rule::PlPesel, 11, 11, europe::pl_pesel, ""),
    (Rule::TrTckn, 11, 11, europe::tr_tckn, ""),
    (Rule::DeTaxId, 11, 11, europe::de_tax_id, ""),
    (Rule::ArCuit, 11, 11, americas::ar_cuit, "2-8-1"),
    (Rule::SePersonnummer, 10, 12, swedish, ""),
    (Rule::HrOib, 11, 11, europe::hr_oib, ""),
    (Rule::AuMedicare, 10, 11, asia::au_medicare, ""),
    (Rule::InAadhaar, 12, 12, asia::in_aadhaar, ""),
    (Rule::LvPk, 11, 11, nordic::lv_pk, ""),
    (Rule::IsKennitala, 10, 10, nordic::is_kennitala, ""),
    (Rule::JpMyNumber, 12, 12, asia::jp_my_number, ""),
    (Rule::BgEgn, 10, 10, europe::bg_egn, ""),
    (Rule::AtSvnr, 10, 10, europe::at_svnr, ""),
    (Rule::CzRc, 9, 10, europe::cz_rc, ""),
    (Rule::UkNhs, 10, 10, europe::uk_nhs, ""),
    (Rule::UsNpi, 10, 10, americas::us_npi, ""),
    (Rule::DkCpr, 10, 10, nordic::dk_cpr, ""),
    (Rule::CaSin, 9, 9, americas::ca_sin, ""),
    (Rule::AuTfn, 8, 9, asia::au_tfn, ""),
    (Rule::NlBsn, 8, 9, europe::nl_bsn, ""),
    (Rule::PtNif, 9, 9, europe::pt_nif, ""),
    (Rule::AbaRouting, 9, 9, americas::us_aba, ""),
    (Rule::IlId, 9, 9, asia::il_id, ""),
    (Rule::ClRut, 8, 9, americas::cl_rut, ""),
];

/// An id of letters and digits in one run: its rule, its characters from and to, its check, and
/// whether it needs a word.
pub(super) type WordId = (Rule, usize, usize, Check, bool);

pub(super) const WORD_IDS: &[WordId] = &[
    (Rule::MxCurp, 18, 18, americas::mx_curp, false),
    (Rule::CnRic, 18, 18, asia::cn_ric, false),
    (Rule::ItFiscalCode, 16, 16, europe::it_fiscal_code, false),
    (Rule::FrNir, 15, 15, europe::fr_nir, false),
    (Rule::FiHetu, 11, 11, nordic::fi_hetu, false),
    (Rule::UsMbi, 11, 11, americas::us_mbi, true),
    (Rule::InPan, 10, 10, indian_pan, false),
    (Rule::TwId, 10, 10, asia::tw_id, true),
    (Rule::EsNif, 9, 9, europe::es_nif, false),
    (Rule::SgNric, 9, 9, asia::sg_nric, false),
    (Rule::UkNino, 9, 9, europe::uk_nino, false),
    (Rule::UkNino, 8, 8, europe::uk_nino, true),
    (Rule::IePps, 8, 9, europe::ie_pps, true),
    (Rule::HkId, 8, 8, asia::hk_id, true),
    (Rule::ClRut, 8, 9, americas::cl_rut, true),
    (Rule::BrCnpj, 14, 14, americas::br_cnpj, true),
];

/// Letters and digits with marks between them, as lengths of groups.
pub(super) const MARKED_IDS: &[(Rule, &str, Check, bool)] = &[
    (Rule::EsNif, "8-1", europe::es_nif, false),
    (Rule::EsNif, "8 1", europe::es_nif, true),
    (Rule::EsNif, "1-7-1", europe::es_nif, false),
    (Rule::UkNino, "2 2 2 2 1", europe::uk_nino, false),
    (Rule::UkNino, "2-2-2-2-1", europe::uk_nino, false),
    (Rule::UkNino, "2 6 1", europe::uk_nino, false),
    (Rule::UsMbi, "4-3-4", americas::us_mbi, true),
    (Rule::ClRut, "2.3.3-1", americas::cl_rut, false),
    (Rule::ClRut, "1.3.3-1", americas::cl_rut, false),
    (Rule::ClRut, "8-1", americas::cl_rut, true),
    (Rule::ClRut, "7-1", americas::cl_rut, true),
    (Rule::FrNir, "1 2 2 2 3 3 2", europe::fr_nir, false),
    (Rule::BrCnpj, "2.3.3/4-2", americas::br_cnpj, false),
    (Rule::CzRc, "6/4", europe::cz_rc, true),
    (Rule::CzRc, "6/3", europe::cz_rc, true),
    (Rule::IePps, "7 1", europe::ie_pps, true),
    (Rule::IePps, "7 2", europe::ie_pps, true),
    (Rule::HkId, "7(1)", asia::hk_id, false),
];

fn korean(digits: &[u8]) -> bool {
    asia::kr_rrn(digits)
}

fn swedish(digits: &[u8]) -> bool {
    nordic::se_personnummer(digits)
}

/// Capitals alone: in small letters the form is that of many codes.
fn indian_pan(code: &[u8]) -> bool {
    !code.iter().any(u8::is_ascii_lowercase) && asia::in_pan(code)
}
