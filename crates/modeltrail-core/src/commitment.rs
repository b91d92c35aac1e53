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

/// Length of one item of [`pairs`].
const PAIR_BYTES: usize = 34;

/// Parts with a hash each, as an erased entry keeps them: the salts of the parts that are left, the
/// commitments of those that are not. A part's code and 32 bytes, for each.
#[must_use]
pub fn pairs(pairs: &[(PartId, Hash)]) -> Vec<u8> {
    let item = |(part, hash): &(PartId, Hash)| part.code().to_be_bytes().into_iter().chain(hash.0);
    pairs.iter().flat_map(item).collect()
}

/// The items of [`pairs`]; `None` when the bytes are not such, name a part that is not known, or name
/// parts in another order than ascending.
#[must_use]
pub fn read_pairs(bytes: &[u8]) -> Option<Vec<(PartId, Hash)>> {
    let read = |item: &[u8]| match item {
        [high, low, hash @ ..] => {
            Some((PartId::from_code(u16::from_be_bytes([*high, *low]))?, Hash::from_slice(hash)?))
        }
        _ => None,
    };
    let pairs: Option<Vec<(PartId, Hash)>> = bytes.chunks(PAIR_BYTES).map(read).collect();
    pairs.filter(|pairs| pairs.is_sorted_by(|a, b| a.0 < b.0))
}

/// The commitments of an entry of which parts were erased: those of the parts that are left, with the
/// salts that were kept, and those that were kept of the others. `None` when a part has neither or
/// both.
#[must_use]
pub fn commit_rest<'a>(
    salts: &[(PartId, Hash)],
    erased: &[(PartId, Hash)],
    parts: impl IntoIterator<Item = PartRef<'a>>,
) -> Option<Vec<(PartId, Hash)>> {
    let mut all = erased.to_vec();
    let mut n_parts = 0;
    for rest in parts {
        let (_, salt) = salts.iter().find(|(id, _)| *id == rest.id)?;
        all.push((rest.id, part(salt, rest)));
        n_parts += 1;
    }
    all.sort_unstable_by_key(|(id, _)| *id);
    let is_set = all.is_sorted_by(|a, b| a.0 < b.0);
    (is_set && n_parts == salts.len()).then_some(all)
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
    fn what_is_left_of_an_erased_entry_gives_the_same_body() {
        let secret = [7; 32];
        let part_ref = |id, bytes| PartRef { id, encoding: Encoding::Json, bytes };
        let parts = [
            part_ref(PartId::Header, b"{}"),
            part_ref(PartId::Input, b"1"),
            part_ref(PartId::Output, b"2"),
        ];
        let whole = commit(&secret, parts);
        let salts = [PartId::Header, PartId::Output].map(|id| (id, salt(&secret, id)));
        let erased = [whole[1]];
        let left = [parts[0], parts[2]];
        let read = |list: &[(PartId, Hash)]| read_pairs(&pairs(list)).unwrap();
        assert_eq!(commit_rest(&read(&salts), &read(&erased), left), Some(whole.clone()));
        assert_eq!(commit_rest(&salts, &erased, parts), None, "a part that is there and erased");
        assert_eq!(commit_rest(&salts[..1], &erased, left), None, "a part without its salt");
        assert_eq!(commit_rest(&salts, &erased, [parts[0]]), None, "a salt without its part");
        let mut bytes = pairs(&whole);
        assert_eq!(read_pairs(&bytes[1..]), None);
        bytes.rotate_left(PAIR_BYTES);
        assert_eq!(read_pairs(&bytes), None, "in another order");
        bytes[0] = 0xff;
        assert_eq!(read_pairs(&bytes), None, "an unknown part");
        assert_eq!(read_pairs(&[]), Some(Vec::new()));
    }

    #[test]
    fn checks_come_back() {
        let commitments = [(PartId::Header, Hash([1; 32])), (PartId::Control, Hash([2; 32]))];
        let read: Vec<_> = read_checks(&checks(&commitments)).collect();
        assert_eq!(read, [(PartId::Header, [1; 4]), (PartId::Control, [2; 4])]);
    }
}
