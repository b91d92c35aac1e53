//! Time stamps of a checkpoint (RFC 3161): what is asked of an authority, and what of its answer is
//! checked here.
//!
//! What is stamped is the checkpoint's text, the bytes that the ledger signs, so that a stamp stays
//! good when cosignatures are added. Here it is checked that the answer is a granted stamp of exactly
//! this text, with the nonce of this request. **The authority's own signature is not verified here**:
//! who needs the stamp does that with the authority's certificate, and anybody's program:
//!
//! ```text
//! openssl ts -verify -data SIZE.txt -in SIZE.tsr -CAfile authority.pem
//! ```

mod der;
#[cfg(test)]
mod tests;

use modeltrail_core::hash::sha256;
use modeltrail_core::time::parse_rfc3339;

use der::{
    BIT_STRING, BOOLEAN, DerError, GENERALIZED_TIME, INTEGER, NULL, OCTET_STRING, OID, Reader,
    SEQUENCE, SET, UTF8_STRING, Value, constructed, context, positive, value,
};

/// Content type of a request.
pub(crate) const REQUEST_TYPE: &str = "application/timestamp-query";

/// Content type of a response.
pub(crate) const RESPONSE_TYPE: &str = "application/timestamp-reply";

/// Longest response: the evidence bundle takes files of 1 MiB, and a stamp with a chain of
/// certificates has some 10 KB.
pub(crate) const RESPONSE_BYTES_MAX: usize = 1024 * 1024;

/// SHA-256, 2.16.840.1.101.3.4.2.1.
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

/// CMS SignedData, 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// TSTInfo, 1.2.840.113549.1.9.16.1.4.
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];

/// Why a response is no stamp of what was asked.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum StampError {
    /// The bytes are no TimeStampResp in DER.
    #[error("no time stamp response: {0}")]
    Der(#[from] DerError),
    /// The authority did not grant it.
    #[error("the authority did not grant the stamp: {reason} (status {status})")]
    NotGranted {
        /// PKIStatus of RFC 3161.
        status: u8,
        /// What it says, in its own words or RFC 3161's.
        reason: String,
    },
    /// A stamp of something else.
    #[error("the stamp is over other bytes: its imprint is not SHA-256 of this checkpoint's text")]
    OtherImprint,
    /// A stamp that was asked for by another request.
    #[error("the stamp does not hold this request's nonce; it may be an old answer")]
    OtherNonce,
}

/// A request for a stamp.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    imprint: [u8; 32],
    nonce: [u8; 16],
}

/// What a stamp says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    /// When the authority had the text, by its own clock: seconds since 1970 UTC.
    pub(crate) time_s: i64,
}

impl Request {
    /// Asks for a stamp of a text; the nonce is the caller's, and random.
    pub(crate) fn new(text: &str, nonce: [u8; 16]) -> Self {
        Self { imprint: sha256(&[text.as_bytes()]).0, nonce }
    }

    /// TimeStampReq, version 1, with the certificates asked for.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let algorithm = constructed(SEQUENCE, &[&value(OID, SHA256), &value(NULL, &[])]);
        let imprint = constructed(SEQUENCE, &[&algorithm, &value(OCTET_STRING, &self.imprint)]);
        let wants_certificates = value(BOOLEAN, &[0xff]);
        let version = positive(&[1]);
        constructed(SEQUENCE, &[&version, &imprint, &positive(&self.nonce), &wants_certificates])
    }

    /// Reads the answer to this request.
    ///
    /// # Errors
    /// Why it is no stamp of this text, asked for by this request.
    pub(crate) fn check(&self, response: &[u8]) -> Result<Stamp, StampError> {
        let info = granted(response)?;
        let found = read_info(&info)?;
        if found.imprint != self.imprint {
            return Err(StampError::OtherImprint);
        }
        if found.nonce != Some(positive(&self.nonce)) {
            return Err(StampError::OtherNonce);
        }
        Ok(Stamp { time_s: found.time_s })
    }
}

/// Reads a response that was kept: whether it is a stamp of this text. The request's nonce is gone.
///
/// # Errors
/// Why it is none.
pub(crate) fn check_kept(text: &str, response: &[u8]) -> Result<Stamp, StampError> {
    let info = granted(response)?;
    let found = read_info(&info)?;
    if found.imprint != sha256(&[text.as_bytes()]).0 {
        return Err(StampError::OtherImprint);
    }
    Ok(Stamp { time_s: found.time_s })
}

/// The TSTInfo in a response that grants.
fn granted(response: &[u8]) -> Result<Value<'_>, StampError> {
    let mut whole = Reader::new(response);
    let mut response = whole.expect(SEQUENCE, "a TimeStampResp")?.inside();
    whole.end("the end of the response")?;
    let mut info = response.expect(SEQUENCE, "a PKIStatusInfo")?.inside();
    let status = info.expect(INTEGER, "a PKIStatus")?;
    // 0 granted, 1 granted with modifications.
    if !matches!(status.content, [0 | 1]) {
        let status = status.content.last().copied().unwrap_or(u8::MAX);
        return Err(StampError::NotGranted { status, reason: reason(&mut info)? });
    }
    let mut token = response.expect(SEQUENCE, "a TimeStampToken")?.inside();
    response.end("the end of the TimeStampResp")?;
    is(token.expect(OID, "a content type")?, SIGNED_DATA, "CMS SignedData")?;
    let mut explicit = token.expect(context(0), "the content of the token")?.inside();
    let mut signed = explicit.expect(SEQUENCE, "SignedData")?.inside();
    signed.expect(INTEGER, "the version of SignedData")?;
    signed.expect(SET, "digest algorithms")?;
    let mut content = signed.expect(SEQUENCE, "an EncapsulatedContentInfo")?.inside();
    is(content.expect(OID, "a content type")?, TST_INFO, "a TSTInfo")?;
    let mut explicit = content.expect(context(0), "the signed content")?.inside();
    Ok(explicit.expect(OCTET_STRING, "the signed bytes")?)
}

fn is(oid: Value<'_>, wanted: &[u8], expected: &'static str) -> Result<(), DerError> {
    if oid.content == wanted { Ok(()) } else { Err(DerError { at: oid.at, expected }) }
}

/// What an authority says when it refuses: its texts, else the bit of PKIFailureInfo.
fn reason(info: &mut Reader<'_>) -> Result<String, DerError> {
    let mut said = Vec::new();
    if let Some(texts) = info.optional(SEQUENCE)? {
        let mut texts = texts.inside();
        while !texts.is_empty() {
            let text = texts.expect(UTF8_STRING, "a status text")?;
            said.push(String::from_utf8_lossy(text.content).replace(char::is_control, " "));
        }
    }
    let failure = info.optional(BIT_STRING)?;
    if said.is_empty() {
        said.push(failure.map_or("no reason given", |bits| failure_name(bits.content)).to_owned());
    }
    Ok(said.join("; "))
}

/// The name of the first bit that is set; the first byte counts unused bits.
fn failure_name(bits: &[u8]) -> &'static str {
    let bytes = bits.get(1..).unwrap_or_default();
    let first = bytes.iter().enumerate().find(|(_, byte)| **byte != 0);
    let bit = first.map(|(at, byte)| at * 8 + usize::try_from(byte.leading_zeros()).unwrap_or(0));
    match bit {
        Some(0) => "badAlg",
        Some(2) => "badRequest",
        Some(5) => "badDataFormat",
        Some(14) => "timeNotAvailable",
        Some(15) => "unacceptedPolicy",
        Some(16) => "unacceptedExtension",
        Some(17) => "addInfoNotAvailable",
        Some(25) => "systemFailure",
        _ => "no reason given",
    }
}

/// What of a TSTInfo matters here.
struct Info {
    imprint: Vec<u8>,
    time_s: i64,
    /// The whole INTEGER.
    nonce: Option<Vec<u8>>,
}

fn read_info(signed: &Value<'_>) -> Result<Info, DerError> {
    let mut whole = signed.inside();
    let mut info = whole.expect(SEQUENCE, "a TSTInfo")?.inside();
    whole.end("the end of the TSTInfo")?;
    info.expect(INTEGER, "the version of the TSTInfo")?;
    info.expect(OID, "the authority's policy")?;
    let mut imprint = info.expect(SEQUENCE, "a MessageImprint")?.inside();
    let mut algorithm = imprint.expect(SEQUENCE, "a hash algorithm")?.inside();
    is(algorithm.expect(OID, "a hash algorithm")?, SHA256, "SHA-256, which was asked for")?;
    let hash = imprint.expect(OCTET_STRING, "the hashed message")?;
    info.expect(INTEGER, "a serial number")?;
    let time = info.expect(GENERALIZED_TIME, "the time of the stamp")?;
    let time_s = generalized_time(time.content);
    let time_s = time_s.ok_or(DerError { at: time.at, expected: "a time in UTC to the second" })?;
    info.optional(SEQUENCE)?; // accuracy
    info.optional(BOOLEAN)?; // ordering
    let nonce = info.optional(INTEGER)?.map(|nonce| value(INTEGER, nonce.content));
    // The authority's name and extensions may follow.
    Ok(Info { imprint: hash.content.to_vec(), time_s, nonce })
}

/// `YYYYMMDDhhmmss[.f…]Z`, seconds since 1970 UTC.
fn generalized_time(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?.strip_suffix('Z')?;
    let (digits, fraction) = text.split_once('.').map_or((text, None), |(d, f)| (d, Some(f)));
    let is_digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
    if digits.len() != 14 || !is_digits(digits) || fraction.is_some_and(|f| !is_digits(f)) {
        return None;
    }
    let part = |from, to| digits.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let rfc3339 = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    parse_rfc3339(&rfc3339).ok().map(|time_ns| time_ns.div_euclid(1_000_000_000))
}
