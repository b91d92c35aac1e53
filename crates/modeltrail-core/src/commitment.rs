//! Salts, part commitments and the body that a leaf commits to (`spec/leaf.md`).
//!
//! The commitment of a part hides it: its salt comes from 32 random bytes that are stored beside
//! the parts and are destroyed with them.

use crate::code::{Encoding, PartId};
use crate::hash::{Hash, sha256};

/// One part of an entry as it is hashed.
#[derive(Clone, Copy, Debug)]
pub struct PartRef<'a> {
    /// Which part.
    pub id: PartId,
    /// How its bytes are to be read.
    pub encoding: Encoding,
    /// The bytes as stored.
    pub bytes: &'a [u8],
}

/// `SHA-256("modeltrail/v1/salt\0" ‖ secret ‖ u16 part_id)`
#[must_use]
pub fn salt(secret: &[u8; 32], part: PartId) -> Hash {
    sha256(&[b"modeltrail/v1/salt\0", secret, &part.code().to_be_bytes()])
}

/// `SHA-256("modeltrail/v1/part\0" ‖ salt ‖ u16 part_id ‖ u8 encoding ‖ u64 len ‖ bytes)`
#[must_use]
pub fn part(salt: &Hash, part: PartRef<'_>) -> Hash {
    coded_part(salt, part.id.code(), part.encoding.code(), part.bytes)
}

/// As [`part`], by codes that this program need not know: a part of a later version is verified all
/// the same.
#[must_use]
pub fn coded_part(salt: &Hash, part: u16, encoding: u8, bytes: &[u8]) -> Hash {
    let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    sha256(&[
        b"modeltrail/v1/part\0",
        salt.as_bytes(),
        &part.to_be_bytes(),
        &[encoding],
        &len.to_be_bytes(),
        bytes,
    ])
}

/// `SHA-256("modeltrail/v1/body\0" ‖ u16 n ‖ (u16 part_id ‖ C_i) × n)`; `commitments` must be
/// ascending by part.
#[must_use]
pub fn body(commitments: &[(PartId, Hash)]) -> Hash {
    body_of(commitments.iter().map(|(part, commitment)| (part.code(), commitment)))
}

/// As [`body`], by codes of parts.
#[must_use]
pub fn coded_body(commitments: &[(u16, Hash)]) -> Hash {
    body_of(commitments.iter().map(|(part, commitment)| (*part, commitment)))
}

fn body_of<'a>(commitments: impl ExactSizeIterator<Item = (u16, &'a Hash)>) -> Hash {
    let n = u16::try_from(commitments.len()).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(2 + commitments.len() * 34);
    bytes.extend_from_slice(&n.to_be_bytes());
    for (part, commitment) in commitments {
        bytes.extend_from_slice(&part.to_be_bytes());
        bytes.extend_from_slice(commitment.as_bytes());
    }
    sha256(&[b"modeltrail/v1/body\0", &bytes])
}

/// The commitments of all parts of an entry, in the order given.
pub fn commit<'a>(
    secret: &[u8; 32],
    parts: impl IntoIterator<Item = PartRef<'a>>,
) -> Vec<(PartId, Hash)> {
    parts.into_iter().map(|p| (p.id, part(&salt(secret, p.id), p))).collect()
}

/// What tells *which* part was changed when the body no longer fits: part id and the first four
/// bytes of its commitment, for each part. It is stored beside the parts and proves nothing by
/// itself; the leaf does.
#[must_use]
pub fn checks(commitments: &[(PartId, Hash)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(commitments.len() * CHECK_BYTES);
    for (part, commitment) in commitments {
        out.extend_from_slice(&part.code().to_be_bytes());
        out.extend(commitment.0.iter().take(4));
    }
    out
}

/// Length of one item of [`checks`].
pub const CHECK_BYTES: usize = 6;

/// The items of [`checks`]: part and start of its commitment. Unknown part codes are passed over.
pub fn read_checks(checks: &[u8]) -> impl Iterator<Item = (PartId, [u8; 4])> + '_ {
    checks.chunks_exact(CHECK_BYTES).filter_map(|item| match item {
        [high, low, rest @ ..] => {
            let id = PartId::from_code(u16::from_be_bytes([*high, *low]))?;
            Some((id, rest.try_into().ok()?))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_of_a_commitment_changes_it() {
        let secret = [7; 32];
        let part_ref = |id, encoding, bytes| PartRef { id, encoding, bytes };
        let of = |p: PartRef<'_>| part(&salt(&secret, p.id), p);
        let base = of(part_ref(PartId::Input, Encoding::Json, b"{}"));
        assert_ne!(base, of(part_ref(PartId::Output, Encoding::Json, b"{}")));
        assert_ne!(base, of(part_ref(PartId::Input, Encoding::Raw, b"{}")));
        assert_ne!(base, of(part_ref(PartId::Input, Encoding::Json, b"{} ")));
        assert_ne!(
            base,
            part(&salt(&[8; 32], PartId::Input), part_ref(PartId::Input, Encoding::Json, b"{}"))
        );
    }

    #[test]
    fn checks_come_back() {
        let commitments = [(PartId::Header, Hash([1; 32])), (PartId::Control, Hash([2; 32]))];
        let read: Vec<_> = read_checks(&checks(&commitments)).collect();
        assert_eq!(read, [(PartId::Header, [1; 4]), (PartId::Control, [2; 4])]);
    }
}
