//! Leaves: each is the one in the tree, at its place, linked to the one before.

use std::io::{self, Read, Seek};

use super::Check;
use super::tree::Tree;
use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::hash::Hash;
use crate::leaf::{LEAF_BYTES, Leaf, leaf_hash, origin_prev};
use crate::tile::{Tile, bundle};

/// A leaf of the covered range.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    /// Its bytes and what they say; `None` when they are not those in the tree.
    pub(super) leaf: Option<(Leaf, [u8; LEAF_BYTES])>,
    /// Its hash in the tree; `None` when nothing is known of it.
    pub(super) hash: Option<Hash>,
}

/// What is not known of a leaf.
const UNKNOWN: Slot = Slot { leaf: None, hash: None };

impl<R: Read + Seek> Check<R> {
    /// The leaves of an entry bundle, as many as the tree has there. `before` is the leaf before
    /// them, where that is in the bundle too.
    pub(super) fn check_leaves(
        &mut self,
        tree: &mut Tree,
        tile: Tile,
        mut before: Option<Slot>,
    ) -> io::Result<Vec<Slot>> {
        let width = usize::from(tile.width());
        let path = BundlePath::Leaves(tile);
        let Some(bytes) = self.container.read(path)? else { return Ok(vec![UNKNOWN; width]) };
        let first = tile.first_node();
        let entries = match bundle::decode(&bytes, tile.width()) {
            Ok(entries) => entries,
            Err(error) => {
                let last = first + u64::from(tile.width() - 1);
                let finding = BundleFinding::file(Kind::ChangedLeaf, path, error.to_string());
                self.findings.push(finding.run(first, last));
                return Ok(vec![UNKNOWN; width]);
            }
        };
        // Under a tile that proves nothing, which was said, the leaves are only held against each other.
        let proven = self.hashes(tree, tile)?.unwrap_or_else(|| bundle::leaf_hashes(&entries));
        let mut slots = Vec::with_capacity(width);
        for ((index, bytes), hash) in (first..).zip(entries).zip(proven) {
            let slot = self.check_leaf(path, index, bytes, hash, before);
            slots.push(slot);
            before = Some(slot);
        }
        Ok(slots)
    }

    fn check_leaf(
        &mut self,
        path: BundlePath,
        index: u64,
        bytes: &[u8],
        hash: Hash,
        before: Option<Slot>,
    ) -> Slot {
        let mut push = |kind, detail: String| {
            self.findings.push(BundleFinding::file(kind, path, detail).at(index));
        };
        if leaf_hash(bytes) != hash {
            push(Kind::ChangedLeaf, "the leaf is not the one in the tree".to_owned());
            return Slot { leaf: None, hash: Some(hash) };
        }
        let leaf = match (Leaf::decode(bytes), bytes.try_into()) {
            (Ok(leaf), Ok(bytes)) => (leaf, bytes),
            (Err(error), _) => {
                push(Kind::ChangedLeaf, error.to_string());
                return Slot { leaf: None, hash: Some(hash) };
            }
            // Of another length, which decoding refuses.
            (Ok(_), Err(_)) => return Slot { leaf: None, hash: Some(hash) },
        };
        if leaf.0.index != index {
            push(Kind::MovedEntry, format!("the leaf says that it is entry {}", leaf.0.index));
        }
        let before_hash = match before {
            Some(slot) => slot.hash,
            None if index == 0 => Some(origin_prev(&self.manifest.origin)),
            None => None,
        };
        if before_hash.is_some_and(|before| before != leaf.0.prev) {
            push(Kind::BrokenPrev, "its link is not to the entry before".to_owned());
        }
        let time_before = before.and_then(|slot| slot.leaf).map(|(leaf, _)| leaf.time_us);
        if time_before.is_some_and(|before| before > leaf.0.time_us) {
            push(Kind::TimeBack, "its time is before that of the entry before".to_owned());
        }
        Slot { leaf: Some(leaf), hash: Some(hash) }
    }
}
