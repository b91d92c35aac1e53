//! The services whose tokens are told by their first characters.
//!
//! Prefixes and lengths are those that the services document, or that GitHub's secret scanning
//! and the rule sets of gitleaks publish. A length is taken with room where the service does not
//! promise it.

use super::values;

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A key or token of a service.
    Key,
    /// A JSON web token.
    Jwt,
}

/// The characters behind a prefix.
#[derive(Clone, Copy)]
enum Set {
    Hex,
    Alnum,
    /// Capitals and the digits from 2, as base32 has.
    Upper,
    /// Capitals and digits.
    Upper0,
    /// Letters, digits, '_' and '-'.
    Word,
    /// Hexadecimal digits and '-'.
    Hyphen,
    /// `Word` and '.'.
    Dotted,
    /// `Word`, '+', '/' and '='.
    Base64,
    /// `Word`, '+', '/', '=', '.', '%' and ','.
    Padded,
    /// A UUID.
    Uuid,
}

impl Set {
    fn has(self, b: u8) -> bool {
        let word = b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
        match self {
            Self::Hex => b.is_ascii_hexdigit(),
            Self::Alnum => b.is_ascii_alphanumeric(),
            Self::Upper => b.is_ascii_uppercase() || matches!(b, b'2'..=b'7'),
            Self::Upper0 => b.is_ascii_uppercase() || b.is_ascii_digit(),
            Self::Word => word,
            Self::Hyphen | Self::Uuid => b.is_ascii_hexdigit() || b == b'-',
            Self::Dotted => word || b == b'.',
            Self::Base64 => word || matches!(b, b'+' | b'/' | b'='),
            Self::Padded => word || matches!(b, b'+' | b'/' | b'=' | b'.' | b'%' | b','),
        }
    }
}

/// How the tokens of a service look: prefix, characters behind it, least and most of them. No most
/// is 0.
type Service = (&'static str, Set, usize, usize);

/// Sorted by prefix.
#[rustfmt::skip]
const SERVICES: &[Service] = &[
    ("4b1d", Set::Alnum, 38, 38), ("ABIA", Set::Upper, 16, 16), ("ABSK", Set::Base64, 100, 0),
    ("ACCA", Set::Upper, 16, 16), ("AGE-SECRET-KEY-1", Set::Upper0, 58, 58),
    ("AIza", Set::Word, 35, 35), ("AKCp", Set::Alnum, 60, 80), ("AKIA", Set::Upper, 16, 16),
    ("AKID", Set::Alnum, 32, 40), ("AQ.Ab", Set::Word, 30, 0), ("AQVN", Set::Word, 35, 38),
    ("ASIA", Set::Upper, 16, 16), ("ATATT3", Set::Padded, 100, 0), ("ATBB", Set::Alnum, 24, 40),
    ("ATCTT3", Set::Padded, 100, 0), ("ATTA", Set::Alnum, 70, 80), ("BBDC-", Set::Base64, 40, 50),
    ("CCIPAT_", Set::Word, 40, 80), ("CCIPRJ_", Set::Word, 40, 80), ("CFPAT-", Set::Word, 43, 43),
    ("CLOJARS_", Set::Alnum, 60, 60), ("EAA", Set::Alnum, 100, 0), ("EAAA", Set::Word, 60, 64),
    ("EAACEdEose0cBA", Set::Alnum, 10, 0), ("EZAK", Set::Alnum, 54, 54),
    ("EZTK", Set::Alnum, 54, 54), ("FLWPUBK_TEST-", Set::Word, 32, 36),
    ("FLWSECK", Set::Word, 12, 60), ("GOCSPX-", Set::Word, 24, 36),
    ("GR1348941", Set::Word, 20, 20), ("HRKU-", Set::Word, 36, 66), ("IGQV", Set::Word, 100, 0),
    ("LTAI", Set::Alnum, 12, 24), ("NRAK-", Set::Upper0, 27, 27), ("NRII-", Set::Word, 32, 32),
    ("NRIQ-", Set::Word, 32, 32), ("NRJS-", Set::Hex, 19, 19), ("NRSP-", Set::Word, 20, 60),
    ("PMAK-", Set::Hyphen, 50, 65), ("SG.", Set::Dotted, 60, 80), ("SK", Set::Hex, 32, 32),
    ("YCAJE", Set::Word, 20, 20), ("YCM", Set::Word, 37, 37),
    ("access-development-", Set::Uuid, 36, 36), ("access-production-", Set::Uuid, 36, 36),
    ("access-sandbox-", Set::Uuid, 36, 36), ("ak_live_", Set::Alnum, 20, 60),
    ("amzn.mws.", Set::Word, 36, 36), ("amzn1.oa2-cs.v1.", Set::Hex, 64, 64),
    ("api-", Set::Uuid, 36, 36), ("api_org_", Set::Alnum, 30, 40),
    ("apify_api_", Set::Alnum, 30, 50), ("authress_", Set::Dotted, 60, 160),
    ("b_", Set::Word, 44, 44), ("bedrock-api-key-", Set::Base64, 30, 0),
    ("bkaj_", Set::Word, 20, 80), ("bkua_", Set::Hex, 40, 40), ("cfat_", Set::Alnum, 40, 60),
    ("cfk_", Set::Alnum, 40, 60), ("cfut_", Set::Alnum, 40, 60), ("cio", Set::Alnum, 32, 32),
    ("cmVmd", Set::Alnum, 59, 59), ("csk-", Set::Alnum, 40, 60), ("dG9rO", Set::Padded, 50, 70),
    ("dapi", Set::Hyphen, 32, 36), ("dckr_oat_", Set::Word, 20, 50),
    ("dckr_pat_", Set::Word, 20, 50), ("ddog_", Set::Alnum, 30, 60), ("dkea", Set::Hex, 32, 32),
    ("dnkey-", Set::Word, 26, 90), ("doo_v1_", Set::Hex, 64, 64), ("dop_v1_", Set::Hex, 64, 64),
    ("dor_v1_", Set::Hex, 64, 64), ("dose", Set::Hex, 32, 32), ("dp.audit.", Set::Dotted, 40, 70),
    ("dp.ct.", Set::Dotted, 40, 70), ("dp.pt.", Set::Dotted, 40, 70),
    ("dp.sa.", Set::Dotted, 40, 70), ("dp.scim.", Set::Dotted, 40, 70),
    ("dp.st.", Set::Dotted, 40, 70), ("dt0c01.", Set::Dotted, 80, 100),
    ("dt0s", Set::Dotted, 80, 100), ("duffel_live_", Set::Word, 43, 43),
    ("duffel_test_", Set::Word, 43, 43), ("e2b_", Set::Hex, 40, 40), ("endr+", Set::Alnum, 16, 16),
    ("esecret_", Set::Alnum, 20, 40), ("ext_", Set::Dotted, 60, 160),
    ("eyJrIjoi", Set::Padded, 70, 400), ("fc-", Set::Hex, 32, 32), ("figd_", Set::Word, 30, 60),
    ("figo_", Set::Word, 30, 60), ("fio-u-", Set::Padded, 60, 70), ("fm1a_", Set::Padded, 60, 0),
    ("fm1r_", Set::Padded, 60, 0), ("fm2_", Set::Padded, 60, 0), ("fo1_", Set::Word, 43, 43),
    ("fw_", Set::Alnum, 22, 30), ("gho_", Set::Alnum, 36, 255), ("ghp_", Set::Alnum, 36, 255),
    ("ghr_", Set::Alnum, 36, 255), ("ghs_", Set::Alnum, 36, 255), ("ghu_", Set::Alnum, 36, 255),
    ("github_pat_", Set::Word, 40, 255), ("glagent-", Set::Dotted, 20, 300),
    ("glc_", Set::Padded, 32, 400), ("glcbt-", Set::Dotted, 20, 300),
    ("gldt-", Set::Dotted, 20, 300), ("glffct-", Set::Dotted, 20, 300),
    ("glft-", Set::Dotted, 20, 300), ("glimt-", Set::Dotted, 20, 300), ("gloas-", Set::Hex, 64, 64),
    ("glpat-", Set::Dotted, 20, 300), ("glptt-", Set::Hex, 40, 40), ("glrt-", Set::Dotted, 20, 300),
    ("glrtr-", Set::Dotted, 20, 300), ("glsa_", Set::Word, 41, 45),
    ("glsoat-", Set::Dotted, 20, 300), ("gsk_", Set::Alnum, 40, 60), ("hcaic_", Set::Alnum, 40, 70),
    ("hcaik_", Set::Alnum, 40, 70), ("hf_", Set::Alnum, 30, 40), ("hvb.", Set::Word, 24, 300),
    ("hvr.", Set::Word, 24, 300), ("hvs.", Set::Word, 24, 300), ("ico-", Set::Alnum, 32, 32),
    ("jina_", Set::Alnum, 48, 80), ("key-", Set::Hex, 32, 32), ("lin_api_", Set::Alnum, 32, 48),
    ("lin_oauth_", Set::Alnum, 32, 70), ("live_", Set::Hex, 35, 35), ("llx-", Set::Alnum, 40, 60),
    ("ls__", Set::Hex, 32, 32), ("lsv2_pt_", Set::Word, 32, 0), ("lsv2_sk_", Set::Word, 32, 0),
    ("mdb_sa_sk_", Set::Word, 30, 60), ("mob-", Set::Uuid, 36, 36), ("napi_", Set::Alnum, 50, 70),
    ("nfp_", Set::Alnum, 36, 44), ("npm_", Set::Alnum, 36, 40), ("ntn_", Set::Alnum, 40, 50),
    ("nvapi-", Set::Word, 40, 90), ("ops_eyJ", Set::Padded, 200, 0), ("os_v2_", Set::Word, 60, 120),
    ("oy2", Set::Alnum, 43, 43), ("p8e-", Set::Alnum, 32, 32), ("pa-", Set::Word, 43, 43),
    ("pat", Set::Dotted, 70, 90), ("pat-eu1-", Set::Word, 36, 36), ("pat-na1-", Set::Word, 36, 36),
    ("pat-na2-", Set::Word, 36, 36), ("pat.", Set::Dotted, 60, 90), ("pcsk_", Set::Word, 40, 100),
    ("phc_", Set::Alnum, 40, 50), ("phx_", Set::Alnum, 40, 50), ("pk-lf-", Set::Word, 30, 40),
    ("pk.eyJ", Set::Dotted, 40, 200), ("pnb_", Set::Alnum, 36, 36), ("pnu_", Set::Alnum, 36, 36),
    ("pplx-", Set::Alnum, 32, 64), ("prefect_", Set::Alnum, 36, 50),
    ("pscale_oauth_", Set::Dotted, 32, 80), ("pscale_pw_", Set::Dotted, 32, 80),
    ("pscale_tkn_", Set::Dotted, 32, 80), ("pul-", Set::Hex, 40, 40),
    ("pypi-AgE", Set::Word, 50, 0), ("r8_", Set::Alnum, 30, 48), ("rdme_", Set::Alnum, 70, 70),
    ("re_", Set::Word, 30, 40), ("rk_live_", Set::Alnum, 10, 255),
    ("rk_prod_", Set::Alnum, 10, 255), ("rk_test_", Set::Alnum, 10, 255),
    ("rnd_", Set::Alnum, 28, 40), ("rpa_", Set::Alnum, 40, 60), ("rubygems_", Set::Hex, 48, 48),
    ("rzp_live_", Set::Alnum, 14, 14), ("rzp_test_", Set::Alnum, 14, 14),
    ("s-s4t2af-", Set::Hex, 64, 64), ("s-s4t2ud-", Set::Hex, 64, 64), ("sat.", Set::Dotted, 60, 90),
    ("sb_secret_", Set::Word, 30, 50), ("sbp_", Set::Alnum, 40, 46), ("sc_", Set::Dotted, 60, 160),
    ("scauth_", Set::Dotted, 60, 160), ("sdk-", Set::Uuid, 36, 36), ("secret_", Set::Alnum, 43, 43),
    ("sgp_", Set::Word, 40, 70), ("sha256~", Set::Word, 43, 43), ("shippo_live_", Set::Hex, 40, 40),
    ("shippo_test_", Set::Hex, 40, 40), ("shpat_", Set::Alnum, 32, 32),
    ("shpca_", Set::Alnum, 32, 32), ("shppa_", Set::Alnum, 32, 32), ("shpsh_", Set::Alnum, 32, 32),
    ("shpss_", Set::Alnum, 32, 32), ("sk-", Set::Alnum, 32, 64), ("sk-None-", Set::Word, 20, 0),
    ("sk-admin-", Set::Word, 20, 0), ("sk-ant-", Set::Word, 20, 0),
    ("sk-helicone-", Set::Word, 20, 0), ("sk-lf-", Set::Word, 30, 40), ("sk-or-", Set::Word, 32, 0),
    ("sk-proj-", Set::Word, 20, 0), ("sk-svcacct-", Set::Word, 20, 0),
    ("sk.eyJ", Set::Dotted, 40, 200), ("sk_", Set::Hex, 48, 48), ("sk_live_", Set::Alnum, 10, 255),
    ("sk_prod_", Set::Alnum, 10, 255), ("sk_test_", Set::Alnum, 10, 255),
    ("slk_", Set::Hex, 64, 64), ("sm_aat_", Set::Alnum, 16, 16), ("sm_pat_", Set::Alnum, 16, 16),
    ("sm_sat_", Set::Alnum, 16, 16), ("sntrya_", Set::Hex, 64, 64), ("sntrys_", Set::Padded, 60, 0),
    ("sntryu_", Set::Hex, 64, 64), ("sq0atp-", Set::Word, 22, 60), ("sq0csp-", Set::Word, 22, 60),
    ("sq0idp-", Set::Word, 22, 60), ("sqa_", Set::Hex, 40, 40), ("sqp_", Set::Hex, 40, 40),
    ("squ_", Set::Hex, 40, 40), ("test_", Set::Hex, 35, 35), ("tfp_", Set::Dotted, 40, 70),
    ("tgp_v1_", Set::Word, 40, 50), ("tk-us-", Set::Word, 48, 48), ("tskey-", Set::Word, 24, 80),
    ("tvly-", Set::Word, 20, 60), ("v1.0-", Set::Word, 100, 200), ("vca_", Set::Alnum, 24, 70),
    ("vci_", Set::Alnum, 24, 70), ("vck_", Set::Alnum, 24, 70), ("vcp_", Set::Alnum, 24, 70),
    ("vcr_", Set::Alnum, 24, 70), ("wandb_v1_", Set::Word, 60, 100),
    ("whsec_", Set::Base64, 24, 90), ("xaat-", Set::Uuid, 36, 36), ("xai-", Set::Alnum, 60, 100),
    ("xapp-", Set::Word, 30, 200), ("xapt-", Set::Uuid, 36, 36), ("xau_", Set::Alnum, 36, 60),
    ("xkeysib-", Set::Word, 64, 100), ("xoxa-", Set::Word, 16, 300), ("xoxb-", Set::Word, 16, 300),
    ("xoxc-", Set::Word, 16, 300), ("xoxd-", Set::Word, 16, 300), ("xoxe-", Set::Word, 16, 300),
    ("xoxe.xox", Set::Dotted, 30, 300), ("xoxo-", Set::Word, 16, 300),
    ("xoxp-", Set::Word, 16, 300), ("xoxr-", Set::Word, 16, 300), ("xoxs-", Set::Word, 16, 300),
    ("xsmtpsib-", Set::Word, 64, 100), ("ya29.", Set::Word, 40, 0), ("zpka_", Set::Word, 30, 60),
];

/// Where the prefixes with each first byte start, among ASCII.
const FIRSTS: [u16; 128] = {
    let mut firsts = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        let mut n = 0;
        while n < SERVICES.len() && (SERVICES[n].0.as_bytes()[0] as usize) < byte {
            n += 1;
        }
        firsts[byte] = n as u16;
        byte += 1;
    }
    firsts
};

/// Bytes behind a prefix that are looked at where a service sets no bound: a token is longer only
/// when it is no token.
const TOKEN_BYTES_MAX: usize = 4096;

/// The token at the start of `rest` and its length. `before` is the byte in front of it.
pub(super) fn at(rest: &[u8], before: Option<u8>) -> Option<(Kind, usize)> {
    if rest.starts_with(b"eyJ")
        && let Some(len) = jwt(rest)
    {
        return Some((Kind::Jwt, len));
    }
    // Prefixes of a token are prefixes of each other; the longest that fits is taken.
    let first = *rest.first()?;
    let from = usize::from(*FIRSTS.get(usize::from(first))?);
    let mut found = None;
    for service in SERVICES.get(from..).unwrap_or_default() {
        if service.0.as_bytes().first() != Some(&first) {
            break;
        }
        if rest.starts_with(service.0.as_bytes()) {
            found = length(rest, service).or(found);
        }
    }
    let len = found.or_else(|| formless(rest, before))?;
    Some((Kind::Key, len))
}

fn length(rest: &[u8], &(prefix, set, least, most): &Service) -> Option<usize> {
    let rest = rest.get(prefix.len()..)?;
    let bound = if most == 0 { TOKEN_BYTES_MAX } else { most };
    let mut n = rest.iter().take(bound + 1).take_while(|b| set.has(**b)).count();
    // A full stop ends the sentence that a token is in.
    while n > 0 && matches!(rest.get(n - 1), Some(b'.' | b',' | b'%')) {
        n -= 1;
    }
    let fits = n >= least && n <= bound;
    let body = rest.get(..n)?;
    let uuid = !matches!(set, Set::Uuid) || values::is_uuid(body);
    (fits && uuid && !is_sample(body) && is_mixed(prefix, body)).then_some(prefix.len() + n)
}

/// Whether a token is one that stands in documentation.
fn is_sample(body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    let holds = |word: &[u8]| lower.windows(word.len()).any(|w| w == word);
    values::is_masked(body)
        || lower.ends_with(b"example")
        || holds(b"xxxxxxxx")
        || holds(b"your-")
        || holds(b"your_")
        || holds(b"placeholder")
}

/// Whether a short prefix is followed by more than a word.
fn is_mixed(prefix: &str, body: &[u8]) -> bool {
    let digit = body.iter().any(u8::is_ascii_digit);
    let upper = body.iter().any(u8::is_ascii_uppercase);
    let lower = body.iter().any(u8::is_ascii_lowercase);
    digit || (upper && lower) || prefix.len() > 4 || prefix.starts_with('A')
}

/// Tokens that are told by their form rather than a prefix.
fn formless(rest: &[u8], before: Option<u8>) -> Option<usize> {
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let run = rest.iter().take(80).take_while(|b| word(b)).count();
    let tail = |from: usize| {
        rest.get(from..).unwrap_or_default().iter().take(200).take_while(|b| word(b)).count()
    };
    let is = |byte: u8| rest.get(run) == Some(&byte);
    let digits = rest.get(..run)?.iter().all(u8::is_ascii_digit);
    // An application's id and its secret, of Facebook.
    if matches!(run, 15 | 16) && digits && is(b'|') && (27..=40).contains(&tail(run + 1)) {
        return Some(run + 1 + tail(run + 1));
    }
    // A bot's token, of Discord: id, time and signature.
    if (24..=28).contains(&run) && is(b'.') && matches!(rest.first(), Some(b'M' | b'N' | b'O')) {
        let (time, from) = (tail(run + 1), run + 1 + tail(run + 1) + 1);
        let signed = rest.get(from - 1) == Some(&b'.') && (27..=40).contains(&tail(from));
        return (time == 6 && signed).then(|| from + tail(from));
    }
    // HCP Terraform: an id, ".atlasv1." and the token.
    if run == 14 && rest.get(run..)?.starts_with(b".atlasv1.") && tail(run + 9) >= 60 {
        return Some(run + 9 + tail(run + 9));
    }
    // A client's secret, of Microsoft Entra: three characters, a digit, "Q~".
    if run == 5 && is(b'~') && rest.get(4) == Some(&b'Q') && rest.get(3)?.is_ascii_digit() {
        let secret = rest
            .get(6..)?
            .iter()
            .take(40)
            .take_while(|b| word(b) || matches!(b, b'~' | b'.'))
            .count();
        return (31..=34).contains(&secret).then_some(6 + secret);
    }
    // Mailchimp: 32 hexadecimal digits and a data centre.
    let ([key @ .., b'-', b'u', b's', _] | [key @ .., b'-', b'u', b's', _, _]) = rest.get(..run)?
    else {
        return None;
    };
    let free = before.is_none_or(|b| !b.is_ascii_alphanumeric());
    (free && key.len() == 32 && key.iter().all(u8::is_ascii_hexdigit)).then_some(run)
}

/// Three parts in base64url (RFC 7519; five where it is encrypted), of which the first decodes to
/// JSON with an algorithm.
fn jwt(rest: &[u8]) -> Option<usize> {
    let word = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let part =
        |from: usize| rest.get(from..).unwrap_or_default().iter().take_while(|b| word(b)).count();
    let header = part(0);
    let text = super::base64::decode_text(rest.get(..header)?)
        .or_else(|| super::base64::decode_short(rest.get(..header)?))?;
    if !text.starts_with('{') || !text.contains("\"alg\"") {
        return None;
    }
    let (mut end, mut parts) = (header, 1);
    while rest.get(end) == Some(&b'.') && parts < 5 {
        let len = part(end + 1);
        (end, parts) = (end + 1 + len, parts + 1);
    }
    // Cut off or not, a header with claims behind it is a token.
    if parts < 2 || end < header + 8 {
        return None;
    }
    while rest.get(end.checked_sub(1)?) == Some(&b'.') {
        end -= 1;
    }
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_sorted_and_bounds_are_in_order() {
        assert!(SERVICES.is_sorted_by(|a, b| a.0 < b.0));
        for (prefix, _, least, most) in SERVICES {
            assert!(*most == 0 || least <= most, "{prefix}");
        }
    }

    #[test]
    fn a_token_of_the_least_length_is_found_and_a_shorter_one_is_not() {
        for service in SERVICES {
            let (prefix, set, least, _) = *service;
            let body: String = match set {
                Set::Uuid => "7c512e36-bc14-4f05-ad07-cc6eceebce77".into(),
                Set::Upper | Set::Upper0 => "A2B3C4D5".chars().cycle().take(least).collect(),
                _ => "a1b2c3d4e5f6".chars().cycle().take(least).collect(),
            };
            let token = format!("{prefix}{body}");
            assert_eq!(length(token.as_bytes(), service), Some(token.len()), "{token}");
            let short = &token[..token.len() - 1];
            assert_eq!(length(short.as_bytes(), service), None, "{short}");
        }
    }
}
