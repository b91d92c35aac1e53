//! Roots and proofs, made of complete subtrees.
//!
//! RFC 6962 defines both proofs by recursion over ranges of leaves. Each range that comes up is
//! either a complete subtree or reaches to the right edge of the tree, so its root is a fold of at
//! most 63 complete ones. That is why a source of nodes has to know nothing but complete subtrees.

use super::{Nodes, SIZE_MAX, empty_root, node_hash};
use crate::hash::Hash;

/// Why no proof can be made.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError<E> {
    /// The entry is not in the tree.
    #[error("there is no entry {index} in a tree of {size}; ask for a later checkpoint")]
    NoEntry {
        /// Which entry.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// Nothing can be consistent with nothing.
    #[error("an empty tree has no consistency proof: every tree begins with it")]
    FromNothing,
    /// The later tree is the smaller one.
    #[error("a tree of {new} entries does not extend one of {old}")]
    Shrinks {
        /// Size of the tree to begin with.
        old: u64,
        /// Size of the tree to end with.
        new: u64,
    },
    /// Larger than [`SIZE_MAX`].
    #[error("a tree of {0} entries is larger than any that proofs are made of, 2^63")]
    TooLarge(u64),
    /// The source could not give a node.
    #[error("a node of the tree cannot be had: {0}")]
    Nodes(E),
}

/// The root over the first `size` leaves.
///
/// # Errors
/// [`BuildError::TooLarge`], and what the source says.
pub fn root<N: Nodes>(nodes: &mut N, size: u64) -> Result<Hash, BuildError<N::Error>> {
    within_limit(size)?;
    if size == 0 {
        return Ok(empty_root());
    }
    range_root(nodes, &Range { start: 0, end: size })
}

/// The inclusion proof of entry `index` in the tree of the first `size` leaves (RFC 6962 section
/// 2.1.1): the siblings on the way from the leaf to the root, the leaf's own first.
///
/// # Errors
/// [`BuildError::NoEntry`], [`BuildError::TooLarge`], and what the source says.
pub fn inclusion<N: Nodes>(
    nodes: &mut N,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, BuildError<N::Error>> {
    within_limit(size)?;
    if index >= size {
        return Err(BuildError::NoEntry { index, size });
    }
    let mut siblings = Vec::new();
    let mut range = Range { start: 0, end: size };
    while let Some((left, right)) = range.halves() {
        if index < left.end {
            siblings.push(right);
            range = left;
        } else {
            siblings.push(left);
            range = right;
        }
    }
    roots_from_leaf(nodes, &siblings)
}

/// The consistency proof from the tree of the first `old` leaves to that of the first `new`
/// (RFC 6962 section 2.1.2). Empty when the sizes are equal.
///
/// # Errors
/// [`BuildError::FromNothing`], [`BuildError::Shrinks`], [`BuildError::TooLarge`], and what the
/// source says.
pub fn consistency<N: Nodes>(
    nodes: &mut N,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, BuildError<N::Error>> {
    within_limit(new)?;
    if old == 0 {
        return Err(BuildError::FromNothing);
    }
    if old > new {
        return Err(BuildError::Shrinks { old, new });
    }
    let mut ranges = Vec::new();
    let mut range = Range { start: 0, end: new };
    while range.end != old {
        // A range of one leaf ends at `old`, so there are halves as long as it does not.
        let Some((left, right)) = range.halves() else { break };
        if old <= left.end {
            ranges.push(right);
            range = left;
        } else {
            ranges.push(left);
            range = right;
        }
    }
    // What is left is part of both trees. Its root is the old root itself when it begins at the
    // first leaf, and then the verifier has it already.
    if range.start != 0 {
        ranges.push(range);
    }
    roots_from_leaf(nodes, &ranges)
}

fn within_limit<E>(size: u64) -> Result<(), BuildError<E>> {
    if size > SIZE_MAX { Err(BuildError::TooLarge(size)) } else { Ok(()) }
}

/// Roots of ranges that were collected on the way down, in the order of the way up.
fn roots_from_leaf<N: Nodes>(
    nodes: &mut N,
    ranges: &[Range],
) -> Result<Vec<Hash>, BuildError<N::Error>> {
    ranges.iter().rev().map(|range| range_root(nodes, range)).collect()
}

/// Leaves from `start` to before `end`, at least one; `start` is a multiple of the largest power of
/// two that is not above the length.
#[derive(Clone, Copy)]
struct Range {
    start: u64,
    end: u64,
}

impl Range {
    /// The left half with the largest power of two below the length, and the rest; `None` for one
    /// leaf.
    const fn halves(&self) -> Option<(Self, Self)> {
        let n_leaves = self.end - self.start;
        if n_leaves < 2 {
            return None;
        }
        let middle = self.start + (1 << (n_leaves - 1).ilog2());
        Some((Self { start: self.start, end: middle }, Self { start: middle, end: self.end }))
    }
}

fn range_root<N: Nodes>(nodes: &mut N, range: &Range) -> Result<Hash, BuildError<N::Error>> {
    let mut subtrees = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let level = (range.end - start).ilog2();
        // At most 63, as the length is at most 2^63.
        let small = u8::try_from(level).unwrap_or(u8::MAX);
        subtrees.push(nodes.node(small, start >> level).map_err(BuildError::Nodes)?);
        start += 1 << level;
    }
    let folded = subtrees.into_iter().rev().reduce(|right, left| node_hash(&left, &right));
    Ok(folded.unwrap_or_else(empty_root))
}
