//! The leaf: 122 bytes that commit to an entry and hold neither payload nor personal data
//! (`spec/leaf.md`).

use crate::hash::{Hash, sha256};

/// Length of a version 1 leaf in bytes.
pub const LEAF_BYTES: usize = 122;

/// The leaf version that is written.
pub const LEAF_VERSION: u8 = 1;

/// A decoded leaf.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Leaf {
    /// Code of the entry's kind ([`crate::Kind`]); kept as a code so that leaves of a later version
    /// of the registry can still be verified.
    pub kind: u8,
    /// Place in the ledger, from 0.
    pub index: u64,
    /// When the sequencer took it, microseconds since 1970 UTC; never goes back.
    pub time_us: u64,
    /// UUIDv7 made at capture.
    pub record_id: [u8; 16],
    /// Who captured it.
    pub producer: [u8; 16],
    /// The producer's number for it, contiguous from 0.
    pub producer_seq: u64,
    /// Leaf hash of the entry before; [`origin_prev`] for index 0.
    pub prev: Hash,
    /// What commits to the parts ([`crate::commitment::body`]).
    pub body: Hash,
}

/// Why bytes are no leaf.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LeafError {
    /// Not 122 bytes.
    #[error("a leaf has {LEAF_BYTES} bytes, these are {0}")]
    Length(usize),
    /// A version that this program does not know.
    #[error("leaf version {0} is not known to this program; use a newer one")]
    Version(u8),
}

impl Leaf {
    /// The 122 bytes that are stored and hashed; integers big-endian.
    #[must_use]
    pub fn encode(&self) -> [u8; LEAF_BYTES] {
        let mut out = [0; LEAF_BYTES];
        let pieces: [&[u8]; 9] = [
            &[LEAF_VERSION],
            &[self.kind],
            &self.index.to_be_bytes(),
            &self.time_us.to_be_bytes(),
            &self.record_id,
            &self.producer,
            &self.producer_seq.to_be_bytes(),
            self.prev.as_bytes(),
            self.body.as_bytes(),
        ];
        let mut rest = out.as_mut_slice();
        for piece in pieces {
            let (head, tail) = rest.split_at_mut(piece.len());
            head.copy_from_slice(piece);
            rest = tail;
        }
        out
    }

    /// Reads a leaf back.
    ///
    /// # Errors
    /// When the length or the version is another one.
    pub fn decode(bytes: &[u8]) -> Result<Self, LeafError> {
        let bytes: &[u8; LEAF_BYTES] =
            bytes.try_into().map_err(|_| LeafError::Length(bytes.len()))?;
        let mut at = 0;
        let version = take::<1>(bytes, &mut at)[0];
        if version != LEAF_VERSION {
            return Err(LeafError::Version(version));
        }
        Ok(Self {
            kind: take::<1>(bytes, &mut at)[0],
            index: u64::from_be_bytes(take(bytes, &mut at)),
            time_us: u64::from_be_bytes(take(bytes, &mut at)),
            record_id: take(bytes, &mut at),
            producer: take(bytes, &mut at),
            producer_seq: u64::from_be_bytes(take(bytes, &mut at)),
            prev: Hash(take(bytes, &mut at)),
            body: Hash(take(bytes, &mut at)),
        })
    }
}

fn take<const N: usize>(bytes: &[u8; LEAF_BYTES], at: &mut usize) -> [u8; N] {
    let mut out = [0; N];
    if let Some(piece) = bytes.get(*at..*at + N) {
        out.copy_from_slice(piece);
    }
    *at += N;
    out
}

/// Leaf hash of RFC 6962: `SHA-256(0x00 ‖ leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0x00], leaf])
}

/// What stands in `prev` of index 0: `SHA-256("modeltrail/v1/origin\0" ‖ origin)`.
#[must_use]
pub fn origin_prev(origin: &str) -> Hash {
    sha256(&[b"modeltrail/v1/origin\0", origin.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_comes_back_as_it_went() {
        let leaf = Leaf {
            kind: 1,
            index: 0x0102_0304_0506_0708,
            time_us: 9,
            record_id: [1; 16],
            producer: [2; 16],
            producer_seq: u64::MAX,
            prev: Hash([3; 32]),
            body: Hash([4; 32]),
        };
        let bytes = leaf.encode();
        assert_eq!(bytes[..10], [1, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(Leaf::decode(&bytes), Ok(leaf));
        assert_eq!(Leaf::decode(&bytes[1..]), Err(LeafError::Length(121)));
        let mut later = bytes;
        later[0] = 2;
        assert_eq!(Leaf::decode(&later), Err(LeafError::Version(2)));
    }
}
