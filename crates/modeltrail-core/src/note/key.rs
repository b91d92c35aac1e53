//! Who signs notes: names, key IDs and verifier keys.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use super::{SignatureLine, Verified};
use crate::cosignature;
use crate::hash::{base64, hex, sha256, unbase64, unhex};

/// Name of a key: not empty, without white space and without a plus sign. By custom it is a URL without
/// its scheme; a log's key is named like its origin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyName(String);

impl KeyName {
    /// Longest name in bytes. It stands in every signature line and every policy; a ledger's origin has
    /// at most 200 characters, of at most four bytes.
    pub const BYTES_MAX: usize = 1000;

    /// A name.
    ///
    /// # Errors
    /// [`KeyError::Name`] when it is none.
    pub fn new(name: &str) -> Result<Self, KeyError> {
        let refused = |c: char| c.is_whitespace() || c.is_ascii_control() || c == '+';
        if name.is_empty() || name.len() > Self::BYTES_MAX || name.contains(refused) {
            return Err(KeyError::Name);
        }
        Ok(Self(name.to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first four bytes of a SHA-256 over name, kind and public key. It tells keys apart by accident,
/// not against an attacker, who gains nothing but a signature that does not verify.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    /// Eight lower-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

/// How a key signs; C2SP's signature type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// Ed25519 over the note's text (type 0x01): how a log signs.
    Ed25519,
    /// Ed25519 over time and text (type 0x04, `cosignature/v1`): how a witness signs.
    CosignatureV1,
}

impl KeyKind {
    /// C2SP's byte for it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::CosignatureV1 => 0x04,
        }
    }

    /// The kind with this byte; `None` for one that this program cannot verify.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::CosignatureV1),
            _ => None,
        }
    }
}

/// Why a text is no key. The text itself is never in the message: it may be a secret one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// The name is none.
    #[error(
        "a key name is 1 to {} bytes without white space, control characters and plus signs",
        KeyName::BYTES_MAX
    )]
    Name,
    /// It is not `name+id+base64`.
    #[error("a verifier key is a name, eight hex digits and base64, joined by plus signs")]
    Parts,
    /// It is not `PRIVATE+KEY+name+id+base64`.
    #[error(
        "a signing key begins with PRIVATE+KEY+; this is something else, perhaps the public half"
    )]
    NotPrivate,
    /// The ID is not eight lower-case hex digits.
    #[error("the key ID is not eight lower-case hex digits")]
    Id,
    /// The ID is not the one that follows from the key.
    #[error("the key ID does not fit name and key; was the text copied in full?")]
    OtherId,
    /// The key is not base64.
    #[error("the key is not base64")]
    Base64,
    /// A kind that this program does not know.
    #[error("keys of type {0:#04x} are not known to this program; 0x01 and 0x04 are")]
    Kind(u8),
    /// A kind that cannot be used for this.
    #[error("this needs a key of type {needed:#04x}, and the key has type {found:#04x}")]
    OtherKind {
        /// The type that is needed.
        needed: u8,
        /// The type that it has.
        found: u8,
    },
    /// Not 32 bytes behind the type.
    #[error("an Ed25519 key has 32 bytes, this one {0}")]
    Length(usize),
    /// No point of the curve, another spelling of one, or one of small order, under which anybody
    /// can sign.
    #[error("the bytes are no usable Ed25519 public key")]
    Point,
}

/// What verifies signatures: a name, a kind and a public key. As text it is C2SP's vkey,
/// `name+id+base64(type ‖ key)`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    kind: KeyKind,
    key: VerifyingKey,
}

impl VerifierKey {
    /// A verifier key from a public key of 32 bytes (RFC 8032).
    ///
    /// # Errors
    /// [`KeyError::Point`] when the bytes are none that signatures can be verified with.
    pub fn new(name: KeyName, kind: KeyKind, public: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(public).map_err(|_| KeyError::Point)?;
        let is_canonical = key.to_edwards().compress().to_bytes() == *public;
        if key.is_weak() || !is_canonical {
            return Err(KeyError::Point);
        }
        let id = key_id(&name, kind, public);
        Ok(Self { name, id, kind, key })
    }

    /// Reads a vkey.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let (name, id, code, public) = parse_parts(text)?;
        let kind = KeyKind::from_code(code).ok_or(KeyError::Kind(code))?;
        let key = Self::new(name, kind, &public)?;
        if key.id == id { Ok(key) } else { Err(KeyError::OtherId) }
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its ID.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// How it signs.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key, 32 bytes (RFC 8032). Two verifier keys with the same one belong to whoever
    /// has its secret half, whatever their names say.
    #[must_use]
    pub fn public(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether the line says that it is by this key.
    #[must_use]
    pub fn made(&self, line: &SignatureLine) -> bool {
        line.name() == &self.name && line.id() == self.id
    }

    /// Verifies one line over a note's text; `None` when it does not hold or is by another key.
    /// Ed25519 is verified strictly: no second form of a signature, no points of small order.
    #[must_use]
    pub fn verify(&self, text: &str, line: &SignatureLine) -> Option<Verified<'_>> {
        if !self.made(line) {
            return None;
        }
        let time_s = match self.kind {
            KeyKind::Ed25519 => {
                self.verify_bytes(text.as_bytes(), line.signature())?;
                None
            }
            KeyKind::CosignatureV1 => Some(cosignature::open(self, text, line.signature())?),
        };
        Some(Verified { key: self, time_s })
    }

    /// Gives the key an ID that it does not have, as an accident or an attacker would.
    #[cfg(test)]
    pub(super) const fn force_id(&mut self, id: KeyId) {
        self.id = id;
    }

    pub(crate) fn verify_bytes(&self, message: &[u8], signature: &[u8]) -> Option<()> {
        let signature = Signature::from_slice(signature).ok()?;
        self.key.verify_strict(message, &signature).ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", key_text(&self.name, self.id, self.kind, self.public()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// C2SP: the first four bytes of `SHA-256(name ‖ 0x0A ‖ type ‖ public key)`.
fn key_id(name: &KeyName, kind: KeyKind, public: &[u8; 32]) -> KeyId {
    let [a, b, c, d, ..] = sha256(&[name.as_str().as_bytes(), b"\n", &[kind.code()], public]).0;
    KeyId([a, b, c, d])
}

/// `name+id+base64(type ‖ 32 bytes)`, of a public or a secret key.
pub(super) fn key_text(name: &KeyName, id: KeyId, kind: KeyKind, bytes: &[u8; 32]) -> String {
    let typed: Vec<u8> = std::iter::once(kind.code()).chain(*bytes).collect();
    format!("{name}+{id}+{}", base64(&typed))
}

/// Name, ID, type and 32 bytes.
pub(super) fn parse_parts(text: &str) -> Result<(KeyName, KeyId, u8, [u8; 32]), KeyError> {
    // Base64 has plus signs too, so only the first two count.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(KeyError::Parts);
    };
    let name = KeyName::new(name)?;
    let id_bytes = unhex(id).and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let id_bytes = id_bytes.filter(|bytes| hex(bytes) == id).ok_or(KeyError::Id)?;
    let bytes = unbase64(key).ok_or(KeyError::Base64)?;
    let (code, key) = bytes.split_first().ok_or(KeyError::Length(0))?;
    let key = key.try_into().map_err(|_| KeyError::Length(key.len()))?;
    Ok((name, KeyId(id_bytes), *code, key))
}
