//! SHA-256 and HMAC-SHA-256, in the one place where hashing exists.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// A 32-byte SHA-256 value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// The bytes, big end first as SHA-256 gives them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash from exactly 32 bytes; `None` for any other length.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Lower-case hex, 64 characters.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// A hash from 64 hex digits of either case.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::from_slice(&unhex(text)?)
    }

    /// Standard base64 with padding, 44 characters, as C2SP's text formats have it.
    #[must_use]
    pub fn to_base64(&self) -> String {
        base64(&self.0)
    }

    /// A hash from the 44 characters that [`Hash::to_base64`] writes, and from no others.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_slice(&unbase64(text)?)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

/// Lower-case hex of any bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)]);
        out.push(DIGITS[usize::from(byte & 15)]);
    }
    out
}

/// Standard base64 with padding (RFC 4648 section 4).
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// Bytes of a standard base64 text with padding; `None` for anything else, a second spelling of the
/// same bytes (spare bits set, padding left out) among it.
#[must_use]
pub fn unbase64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).ok()
}

/// Bytes of a hex text of either case; `None` when the length is odd or a character is no digit.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some((digit(*high)? << 4) | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// SHA-256 over the concatenation of `pieces`.
#[must_use]
pub fn sha256(pieces: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for piece in pieces {
        hasher.update(piece);
    }
    Hash(hasher.finalize().into())
}

/// The key of `input_mac`: 32 bytes made when a ledger is created, kept beside the ledger and
/// never in it.
#[derive(Clone)]
pub struct MacKey([u8; 32]);

impl MacKey {
    /// A key from 32 random bytes of the caller's.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// What tells one key from another without telling the key: the first 16 hex digits of the MAC
    /// of a fixed text.
    #[must_use]
    pub fn check(&self) -> String {
        self.mac(&[b"modeltrail/v1/mac key check"]).to_hex().chars().take(16).collect()
    }

    /// HMAC-SHA-256 (RFC 2104) over the concatenation of `pieces`.
    #[must_use]
    pub fn mac(&self, pieces: &[&[u8]]) -> Hash {
        // A key of any length is accepted by HMAC; the fallback can therefore not be reached, and
        // an all-zero value would never equal a stored one.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return Hash::default();
        };
        for piece in pieces {
            mac.update(piece);
        }
        Hash(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(not shown)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_the_standard_examples() {
        // FIPS 180-4 examples "abc" and the empty message.
        assert_eq!(
            sha256(&[b"a", b"bc"]).to_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            sha256(&[]).to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }

    #[test]
    fn mac_of_an_rfc_4231_like_key() {
        // RFC 4231 case 1, its 20-byte key padded with zeros as HMAC itself does.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        assert_eq!(
            MacKey::new(key).mac(&[b"Hi ", b"There"]).to_hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(unbase64(&base64(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unbase64("AA=="), Some(vec![0]));
        for other in ["AB==", "AA", "AA=", "AA==\n", " AA==", "AA==AA==", "__8="] {
            assert_eq!(unbase64(other), None, "{other:?}");
        }
        assert_eq!(Hash::from_base64(&Hash([7; 32]).to_base64()), Some(Hash([7; 32])));
        assert_eq!(Hash::from_base64("AA=="), None);
    }

    #[test]
    fn hex_round_trip_and_refusals() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!(unhex("abc"), None);
        assert_eq!(unhex("zz"), None);
        assert_eq!(Hash::from_hex("00"), None);
    }
}
