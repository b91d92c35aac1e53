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
        let mut bytes = [0; 32];
        unhex_into(text, &mut bytes)?;
        Some(Self(bytes))
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
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digit = |n: u8| char::from(DIGITS[usize::from(n & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
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
    let mut out = vec![0; text.len() / 2];
    unhex_into(text, &mut out)?;
    Some(out)
}

/// Fills `out` from a text of exactly twice its length.
fn unhex_into(text: &str, out: &mut [u8]) -> Option<()> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != out.len() || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(())
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

/// SHA-256 over bytes that come piece by piece, for what is too long to be held.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all that was taken.
    #[must_use]
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// The key of `input_mac`: 32 bytes made when a ledger is created, kept beside the ledger and
/// never in it.
#[derive(Clone)]
pub struct MacKey {
    /// HMAC with the key already taken in: that is half the work of a short message.
    keyed: Hmac<Sha256>,
}

impl MacKey {
    /// A key from 32 random bytes of the caller's.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        block.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Self { keyed: Hmac::new(&block) }
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
        let mut mac = self.begin();
        pieces.iter().for_each(|piece| mac.update(piece));
        mac.finish()
    }

    /// An HMAC-SHA-256 that takes its message piece by piece.
    pub(crate) fn begin(&self) -> MacStream {
        MacStream(self.keyed.clone())
    }
}

/// An HMAC-SHA-256 that is under way.
pub(crate) struct MacStream(Hmac<Sha256>);

impl MacStream {
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    pub(crate) fn finish(self) -> Hash {
        Hash(self.0.finalize().into_bytes().into())
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
