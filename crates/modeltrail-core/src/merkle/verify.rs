//! Verification of proofs, by the algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2, whose trees
//! are those of RFC 6962.
//!
//! The number of hashes is checked first. It follows from the sizes alone, and no proof of another
//! length is right.

use super::node_hash;
use crate::anchor::Head;
use crate::hash::Hash;

/// Why a proof does not hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProofError {
    /// The entry is not in the tree.
    #[error("there is no entry {index} in a tree of {size}")]
    NoEntry {
        /// Which entry.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// Too few hashes, or too many.
    #[error("the proof has {found} hashes; between these sizes it has {expected}")]
    Length {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// The hashes lead to another root.
    #[error("the proof leads to the root {computed}, the tree has another one")]
    Root {
        /// Where they lead.
        computed: Hash,
    },
    /// The hashes lead to another root of the earlier tree.
    #[error("the proof leads to the earlier root {computed}, that tree has another one")]
    OldRoot {
        /// Where they lead.
        computed: Hash,
    },
    /// Every tree extends the empty one, so there is nothing to prove.
    #[error("there is no consistency proof from an empty tree")]
    FromNothing,
    /// The later tree is the smaller one.
    #[error("a tree of {new} entries does not extend one of {old}")]
    Shrinks {
        /// Size of the earlier tree.
        old: u64,
        /// Size of the later tree.
        new: u64,
    },
}

/// Verifies that the entry with this leaf hash stands at `index` in the tree of `head`.
///
/// # Errors
/// Why it does not.
pub fn verify_inclusion(
    leaf_hash: &Hash,
    index: u64,
    proof: &[Hash],
    head: &Head,
) -> Result<(), ProofError> {
    let size = head.size;
    if index >= size {
        return Err(ProofError::NoEntry { index, size });
    }
    has_length(proof, inclusion_length(index, size))?;
    let (mut node, mut last) = (index, size - 1);
    let mut computed = *leaf_hash;
    for sibling in proof {
        if node & 1 == 1 || node == last {
            computed = node_hash(sibling, &computed);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            computed = node_hash(&computed, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if computed == head.root { Ok(()) } else { Err(ProofError::Root { computed }) }
}

/// Verifies that the tree of `new` begins with the tree of `old`.
///
/// # Errors
/// Why it does not. A proof from an empty tree is an error; a caller that allows one, such as a
/// witness that sees a log for the first time, does not ask.
pub fn verify_consistency(old: &Head, new: &Head, proof: &[Hash]) -> Result<(), ProofError> {
    if old.size == 0 {
        return Err(ProofError::FromNothing);
    }
    if old.size > new.size {
        return Err(ProofError::Shrinks { old: old.size, new: new.size });
    }
    has_length(proof, consistency_length(old.size, new.size))?;
    let mut hashes = proof.iter();
    // The largest complete subtree at the old tree's right edge. When that is the old tree itself,
    // its root is known and not in the proof.
    let shift = old.size.trailing_zeros();
    let (mut node, mut last) = ((old.size - 1) >> shift, (new.size - 1) >> shift);
    let seed = if node == 0 { None } else { hashes.next() };
    // Between equal sizes the proof is empty, and the new root has to be the old one.
    let seed = *seed.unwrap_or(&old.root);
    let (mut old_root, mut new_root) = (seed, seed);
    for sibling in hashes {
        if node & 1 == 1 || node == last {
            old_root = node_hash(sibling, &old_root);
            new_root = node_hash(sibling, &new_root);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_root = node_hash(&new_root, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if old_root != old.root {
        return Err(ProofError::OldRoot { computed: old_root });
    }
    if new_root == new.root { Ok(()) } else { Err(ProofError::Root { computed: new_root }) }
}

fn has_length(proof: &[Hash], expected: u32) -> Result<(), ProofError> {
    let found = proof.len();
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    if found == expected { Ok(()) } else { Err(ProofError::Length { found, expected }) }
}

/// Hashes of an inclusion proof: one for each level below the place where the ways to the leaf and
/// to the last leaf part, and one for each complete subtree to the left of both above it.
const fn inclusion_length(index: u64, size: u64) -> u32 {
    let apart = u64::BITS - (index ^ (size - 1)).leading_zeros();
    let above = match index.checked_shr(apart) {
        Some(rest) => rest.count_ones(),
        None => 0,
    };
    apart + above
}

/// Hashes of a consistency proof: the inclusion proof of the old tree's last complete subtree, and
/// that subtree itself unless it is the old tree.
const fn consistency_length(old: u64, new: u64) -> u32 {
    if old == new {
        return 0;
    }
    let shift = old.trailing_zeros();
    let (node, last) = (old - 1, new - 1);
    let siblings = inclusion_length(node >> shift, (last >> shift) + 1);
    if old.is_power_of_two() { siblings } else { siblings + 1 }
}
