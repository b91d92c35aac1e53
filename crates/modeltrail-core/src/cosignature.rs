//! Cosignatures, as C2SP tlog-cosignature has them (`cosignature/v1`): a witness says when it saw a
//! checkpoint as the largest one of its log, consistent with all it had seen before.

use std::fmt;

use crate::note::{KeyError, KeyKind, KeyName, Secret, SignatureLine, VerifierKey};

/// Latest time of a cosignature, in seconds since 1970: C2SP's bound, 2^63 - 1.
pub const TIME_S_MAX: u64 = (1 << 63) - 1;

/// What a witness signs at `time_s`, seconds since 1970 UTC, for a checkpoint's text.
#[must_use]
pub fn message(time_s: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// The time of a cosignature that holds.
pub(crate) fn open(key: &VerifierKey, text: &str, bytes: &[u8]) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk()?;
    let time_s = Some(u64::from_be_bytes(*time)).filter(|time_s| *time_s <= TIME_S_MAX)?;
    key.verify_bytes(message(time_s, text).as_bytes(), signature)?;
    Some(time_s)
}

/// What a witness signs with: an Ed25519 key of type 0x04 and its name. The message does not hold
/// the name, so one key must not serve two witnesses.
#[derive(Clone)]
pub struct Cosigner(Secret);

impl Cosigner {
    /// A key from 32 random bytes of the caller's.
    ///
    /// # Errors
    /// [`KeyError::Point`] for bytes that give an unusable key, which random ones do not.
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Secret::new(name, KeyKind::CosignatureV1, seed).map(Self)
    }

    /// Reads the text that [`Cosigner::to_secret_text`] writes; a line feed behind it is allowed.
    ///
    /// # Errors
    /// What is wrong with it, without its content.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Secret::parse(text, KeyKind::CosignatureV1).map(Self)
    }

    /// `PRIVATE+KEY+name+id+base64(0x04 ‖ seed)`. It is the secret itself: keep it where nobody else
    /// reads.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        self.0.to_text()
    }

    /// What verifies its cosignatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Cosigns a checkpoint's text at `time_s`, seconds since 1970 UTC; times after
    /// [`TIME_S_MAX`] are taken for that one. Whether it may, [`crate::witness::decide`] says.
    #[must_use]
    pub fn cosign(&self, text: &str, time_s: u64) -> SignatureLine {
        let time_s = time_s.min(TIME_S_MAX);
        let mut bytes = time_s.to_be_bytes().to_vec();
        bytes.extend(self.0.sign(message(time_s, text).as_bytes()));
        self.0.line(bytes)
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({}, secret not shown)", self.verifier())
    }
}
