//! The Merkle tree of RFC 6962 section 2.1 over leaf hashes: its right edge for appending
//! ([`Frontier`]), its root and proofs from nodes kept anywhere ([`Nodes`]), and their verification.
//!
//! A node is named by level and index: `(level, index)` is the root of the complete subtree over
//! the leaves from `index · 2^level` to `(index + 1) · 2^level`. Level 0 holds the leaf hashes.

mod frontier;
mod proof;
#[cfg(test)]
mod tests;
mod verify;

pub use frontier::Frontier;
pub use proof::{BuildError, consistency, inclusion, root};
pub use verify::{ProofError, verify_consistency, verify_inclusion};

use crate::hash::{Hash, sha256};

/// Most leaves of a tree that proofs are made of; twice as many would not fit the integers.
pub const SIZE_MAX: u64 = 1 << 63;

/// Most hashes of a proof in text, which is C2SP's bound for witnesses; longer lists are refused
/// before they are read. Every inclusion proof fits, and every consistency proof of trees up to
/// 2^62 leaves.
pub const PROOF_HASHES_MAX: usize = 63;

/// Interior node of RFC 6962: `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The root of a tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// Where the nodes of a tree come from: a table of leaf hashes, tiles, a server.
///
/// An implementation answers for complete subtrees only; what lies at the right edge of a tree is
/// made of several of them here. It need not be trusted: a proof that is made of wrong nodes does
/// not verify.
pub trait Nodes {
    /// Why a node cannot be had.
    type Error;

    /// The root of the complete subtree over leaves `index << level` to `(index + 1) << level`.
    ///
    /// # Errors
    /// When the node cannot be had, or the tree is too small to have it.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

impl<N: Nodes + ?Sized> Nodes for &mut N {
    type Error = N::Error;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        (**self).node(level, index)
    }
}

/// Leaf hashes in memory as a source of nodes; each node above them is hashed again when it is
/// asked for, so this is for trees of some thousand leaves.
#[derive(Clone, Copy, Debug)]
pub struct LeafHashes<'a>(pub &'a [Hash]);

/// There are not enough leaves for a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a tree of {n_leaves} leaves has no node {index} at level {level}")]
pub struct NoNode {
    /// Level that was asked for.
    pub level: u8,
    /// Index within it.
    pub index: u64,
    /// How many leaves there are.
    pub n_leaves: usize,
}

impl Nodes for LeafHashes<'_> {
    type Error = NoNode;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, NoNode> {
        let none = NoNode { level, index, n_leaves: self.0.len() };
        let first = usize::try_from(index).ok().zip(1_usize.checked_shl(level.into()));
        let range = first.and_then(|(index, width)| {
            let start = index.checked_mul(width)?;
            Some(start..start.checked_add(width)?)
        });
        let leaves = range.and_then(|range| self.0.get(range)).ok_or(none)?;
        Ok(complete_root(leaves).unwrap_or_else(empty_root))
    }
}

/// The root over a number of hashes that is a power of two; `None` for no hashes.
pub(crate) fn complete_root(hashes: &[Hash]) -> Option<Hash> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        _ => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            Some(node_hash(&complete_root(left)?, &complete_root(right)?))
        }
    }
}
