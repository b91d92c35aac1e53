//! The secret half of keys.

use std::fmt;

use ed25519_dalek::{Signer as _, SigningKey};

use super::key::{key_text, parse_parts};
use super::{KeyError, KeyKind, KeyName, SignatureLine, VerifierKey};

/// What stands before a secret key as text, so that it is told from a verifier key at a glance and
/// found by scanners.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A secret key with its verifier key; forgotten in memory when it is dropped.
#[derive(Clone)]
pub(crate) struct Secret {
    key: SigningKey,
    verifier: VerifierKey,
}

impl Secret {
    /// A key from 32 random bytes.
    pub(crate) fn new(name: KeyName, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, kind, key.verifying_key().as_bytes())?;
        Ok(Self { key, verifier })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(type ‖ seed)`, a line feed behind it allowed.
    pub(crate) fn parse(text: &str, kind: KeyKind) -> Result<Self, KeyError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyError::NotPrivate)?;
        let (name, id, code, seed) = parse_parts(rest)?;
        if code != kind.code() {
            return Err(KeyError::OtherKind { needed: kind.code(), found: code });
        }
        let secret = Self::new(name, kind, &seed)?;
        if secret.verifier.id() == id { Ok(secret) } else { Err(KeyError::OtherId) }
    }

    pub(crate) fn to_text(&self) -> String {
        let (name, id, kind) = (self.verifier.name(), self.verifier.id(), self.verifier.kind());
        format!("{PRIVATE}{}", key_text(name, id, kind, self.key.as_bytes()))
    }

    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Ed25519 (RFC 8032) over a message; the same message gives the same signature.
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// A line of this key, with what its kind puts there.
    pub(crate) fn line(&self, signature: Vec<u8>) -> SignatureLine {
        SignatureLine { name: self.verifier.name().clone(), id: self.verifier.id(), signature }
    }
}

/// What a log signs its notes with: an Ed25519 key of type 0x01 and its name.
#[derive(Clone)]
pub struct NoteSigner(Secret);

impl NoteSigner {
    /// A key from 32 random bytes of the caller's.
    ///
    /// # Errors
    /// [`KeyError::Point`] for bytes that give an unusable key, which random ones do not.
    pub fn new(name: KeyName, seed: &[u8; 32]) -> Result<Self, KeyError> {
        Secret::new(name, KeyKind::Ed25519, seed).map(Self)
    }

    /// Reads the text that [`NoteSigner::to_secret_text`] writes; a line feed behind it is allowed.
    ///
    /// # Errors
    /// What is wrong with it, without its content.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Secret::parse(text, KeyKind::Ed25519).map(Self)
    }

    /// `PRIVATE+KEY+name+id+base64(0x01 ‖ seed)`, as Go's `sumdb/note` has it. It is the secret
    /// itself: keep it where nobody else reads.
    #[must_use]
    pub fn to_secret_text(&self) -> String {
        self.0.to_text()
    }

    /// What verifies its signatures.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Signs a note's text. What signs may be elsewhere (an agent, a module): then
    /// [`SignatureLine::new`] takes 64 bytes of Ed25519 over the same text.
    #[must_use]
    pub fn sign(&self, text: &str) -> SignatureLine {
        self.0.line(self.0.sign(text.as_bytes()).to_vec())
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({}, secret not shown)", self.verifier())
    }
}
