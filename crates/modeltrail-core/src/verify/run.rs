//! Leaves that follow one another without a fault, taken together: what a verification of leaves
//! alone hashes on many threads.

use super::entry::{Checked, check_leaf};
use crate::hash::Hash;
use crate::leaf::{LEAF_BYTES, LEAF_VERSION, leaf_hash};
use crate::merkle::Frontier;

/// A run of leaves that are in their places, linked to each other, and in the order of time. One that
/// does not follow ends it: then its entries have to be looked at one by one, which says what is wrong.
pub struct LeafRun {
    pub(super) start: u64,
    pub(super) first: Option<Checked>,
    pub(super) last: Hash,
    pub(super) last_time_us: u64,
    /// The tree over the run alone.
    pub(super) frontier: Frontier,
    /// Sizes of the whole tree at which the run's own tree is to be kept, the next one last.
    wanted: Vec<u64>,
    /// The run's own tree at those sizes.
    pub(super) at: Vec<(u64, Frontier)>,
}

/// Bytes of a leaf from `$from` on, as an array.
fn field<const N: usize>(leaf: &[u8; LEAF_BYTES], from: usize) -> Option<[u8; N]> {
    leaf.get(from..)?.first_chunk().copied()
}

impl LeafRun {
    /// A run that begins at the entry `start`. `wanted` are the sizes of the whole tree within it at
    /// which its root will be asked for.
    #[must_use]
    pub fn new(start: u64, mut wanted: Vec<u64>) -> Self {
        wanted.sort_unstable();
        wanted.dedup();
        wanted.reverse();
        Self {
            start,
            first: None,
            last: Hash::default(),
            last_time_us: 0,
            frontier: Frontier::new(),
            wanted,
            at: Vec::new(),
        }
    }

    /// Takes the next row: its key, the leaf, and the leaf hash stored beside it. False when it is not
    /// what follows; the run is then of no use.
    #[must_use]
    pub fn push(&mut self, key: u64, leaf: &[u8], stored: &[u8]) -> bool {
        self.take(key, leaf, stored).is_some()
    }

    fn take(&mut self, key: u64, leaf: &[u8], stored: &[u8]) -> Option<()> {
        let bytes: &[u8; LEAF_BYTES] = leaf.try_into().ok()?;
        let [version] = field(bytes, 0)?;
        let index = u64::from_be_bytes(field(bytes, 2)?);
        let time_us = u64::from_be_bytes(field(bytes, 10)?);
        let prev = Hash(field(bytes, 58)?);
        let next = self.start.checked_add(self.frontier.size())?;
        let follows = version == LEAF_VERSION && index == key && index == next;
        let is_first = self.first.is_none();
        let is_linked = is_first || prev == self.last && time_us >= self.last_time_us;
        let hash = leaf_hash(leaf);
        if !follows || !is_linked || stored != hash.as_bytes() {
            return None;
        }
        if is_first {
            self.first = Some(check_leaf(key, leaf, stored));
        }
        self.last = hash;
        self.last_time_us = time_us;
        self.frontier.push(hash);
        if self.wanted.last() == Some(&(next + 1)) {
            self.wanted.pop();
            self.at.push((next + 1, self.frontier.clone()));
        }
        Some(())
    }

    /// Number of leaves.
    #[must_use]
    pub const fn n_leaves(&self) -> u64 {
        self.frontier.size()
    }
}
