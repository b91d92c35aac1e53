//! Proofs from a store: that an entry is in the ledger, that the ledger only grew, and receipts.
//!
//! Nodes come from the stored full tiles. What is at the right edge of the tree is made anew: at the
//! lowest level from the leaf hashes, above it from the roots that lie beside the tiles, so that a
//! proof reads some ten rows' worth of pages at any size. Where tiles are not stored, as in a ledger
//! of an older format that is open for reading, they are made of the leaf hashes, slowly.

use modeltrail_core::Hash;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{self, BuildError, ProofError, verify_inclusion};
use modeltrail_core::receipt::Receipt;
use modeltrail_core::tile::{self, TILE_WIDTH, Tile, TileNodes, TileNodesError, TileSource};

use crate::store::{Store, StoreError};

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProofsError {
    /// The store cannot be read, or what it holds is damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree has no such proof, or a tile is not what it should be.
    #[error(transparent)]
    Build(BuildError<TileNodesError<StoreError>>),
    /// No stored checkpoint covers the entry.
    #[error("no checkpoint covers entry {index} yet; ask again after the next one is published")]
    Unpublished {
        /// Which entry.
        index: u64,
    },
    /// The checkpoint is of another ledger.
    #[error("the checkpoint is of `{found}`, the ledger is `{expected}`; give one of this ledger")]
    Origin {
        /// What the checkpoint says.
        found: String,
        /// What the ledger is called.
        expected: String,
    },
    /// What is stored does not lead to the root of the checkpoint, so that nobody would accept it.
    #[error(
        "entry {index} as it is stored does not lead to the root of the checkpoint of {size} entries \
         ({source}); run `modeltrail verify`"
    )]
    Mismatch {
        /// Which entry.
        index: u64,
        /// Size of the checkpoint.
        size: u64,
        /// What a verifier would say.
        source: ProofError,
    },
}

impl From<BuildError<TileNodesError<StoreError>>> for ProofsError {
    fn from(error: BuildError<TileNodesError<StoreError>>) -> Self {
        Self::Build(error)
    }
}

/// The tiles of a store: those that are stored, and the others made anew.
#[derive(Clone, Copy)]
pub struct StoreTiles<'a>(pub &'a dyn Store);

/// The nodes of the tree of a store's first entries. It keeps a few tiles, so one value for many
/// proofs of neighbouring entries reads each tile once.
pub type StoreNodes<'a> = TileNodes<StoreTiles<'a>>;

/// The nodes of the tree of the first `size` entries.
#[must_use]
pub const fn nodes(store: &dyn Store, size: u64) -> StoreNodes<'_> {
    TileNodes::new(StoreTiles(store), size)
}

impl StoreTiles<'_> {
    /// The hashes of a tile's level from node `first` on, `width` of them.
    fn hashes(&self, level: u8, first: u64, width: u16) -> Result<Vec<Hash>, StoreError> {
        let range = first..first + u64::from(width);
        let Some(below) = level.checked_sub(1) else { return self.0.leaf_hashes(range) };
        let mut hashes = self.0.tile_roots(below, range.clone())?;
        let n_read = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
        for n in first.saturating_add(n_read)..range.end {
            let under = self.hashes(below, n * u64::from(TILE_WIDTH), TILE_WIDTH)?;
            // `hashes` gives as many as it was asked for, or an error.
            hashes.extend(tile::parent_hash(&under));
        }
        Ok(hashes)
    }
}

impl TileSource for StoreTiles<'_> {
    type Error = StoreError;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, StoreError> {
        if tile.is_full()
            && let Some(bytes) = self.0.tile(tile.level(), tile.index())?
        {
            return Ok(bytes);
        }
        Ok(tile::encode(&self.hashes(tile.level(), tile.first_node(), tile.width())?))
    }
}

/// The root over the first `size` entries.
///
/// # Errors
/// When the store has fewer entries, or cannot be read.
pub fn root(store: &dyn Store, size: u64) -> Result<Hash, ProofsError> {
    Ok(merkle::root(&mut nodes(store, size), size)?)
}

/// The inclusion proof of entry `index` in the tree of the first `size` entries, the leaf's sibling
/// first.
///
/// # Errors
/// When `index` is not below `size`, the store has fewer entries, or it cannot be read.
pub fn inclusion(store: &dyn Store, index: u64, size: u64) -> Result<Vec<Hash>, ProofsError> {
    Ok(merkle::inclusion(&mut nodes(store, size), index, size)?)
}

/// The consistency proof from the tree of the first `old` entries to that of the first `new`; empty
/// when the sizes are equal.
///
/// # Errors
/// When `old` is 0 or above `new`, the store has fewer entries, or it cannot be read.
pub fn consistency(store: &dyn Store, old: u64, new: u64) -> Result<Vec<Hash>, ProofsError> {
    Ok(merkle::consistency(&mut nodes(store, new), old, new)?)
}

/// The receipt of entry `index` under a checkpoint. It is held against the checkpoint's root before
/// it is handed out; the checkpoint's signatures are for whoever gets it to verify.
///
/// # Errors
/// [`ProofsError::Mismatch`] when a verifier would refuse it; when the checkpoint does not cover the
/// entry or is of another ledger, or the store cannot be read.
pub fn receipt(
    store: &dyn Store,
    index: u64,
    checkpoint: &SignedCheckpoint,
) -> Result<Receipt, ProofsError> {
    let head = checkpoint.checkpoint().head();
    receipt_from(store, &mut nodes(store, head.size), index, checkpoint)
}

/// As [`receipt`], for several receipts under one checkpoint: `nodes` is of its size.
///
/// # Errors
/// As [`receipt`].
pub fn receipt_from(
    store: &dyn Store,
    nodes: &mut StoreNodes<'_>,
    index: u64,
    checkpoint: &SignedCheckpoint,
) -> Result<Receipt, ProofsError> {
    let (origin, head) = (checkpoint.checkpoint().origin(), checkpoint.checkpoint().head());
    if origin != store.origin() {
        let (found, expected) = (origin.to_owned(), store.origin().to_owned());
        return Err(ProofsError::Origin { found, expected });
    }
    let proof = merkle::inclusion(nodes, index, head.size)?;
    let mut leaf = None;
    store.leaves(index..index + 1, &mut |_, bytes, _| leaf = Some(bytes.to_vec()))?;
    let what = "its leaf is not there";
    let leaf = leaf.ok_or(StoreError::Damaged { index, what })?;
    verify_inclusion(&leaf_hash(&leaf), index, &proof, &head)
        .map_err(|source| ProofsError::Mismatch { index, size: head.size, source })?;
    Ok(Receipt { extra: Some(leaf), index, proof, checkpoint: checkpoint.clone() })
}

#[cfg(test)]
pub(crate) mod tests;
