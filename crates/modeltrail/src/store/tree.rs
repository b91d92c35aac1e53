//! What stores have in common about tiles and checkpoints.

use std::ops::Range;

use modeltrail_core::Hash;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::N_SIGNATURES_MAX;
use modeltrail_core::tile::{self, TILE_WIDTH, Tile};

use super::{N_HASHES_MAX, StoreError};

/// How many hashes a range is, if that is not more than are handed over at once.
pub(super) fn check_many(range: &Range<u64>) -> Result<usize, StoreError> {
    let asked = range.end.saturating_sub(range.start);
    let n = usize::try_from(asked).ok().filter(|_| asked <= N_HASHES_MAX);
    n.ok_or(StoreError::TooMany { asked, most: N_HASHES_MAX })
}

/// What the tiles of a growing tree are made of, and where they go.
pub(super) trait Grow {
    /// Leaf hashes, the new ones among them.
    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// Roots of full tiles that are stored.
    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// Stores a full tile.
    fn put(&mut self, tile: Tile, root: Hash, hashes: Vec<u8>) -> Result<(), StoreError>;
}

/// Stores the tiles that become full when a ledger grows from `old` to `new` entries. Everything is
/// read from what is stored, so that there is nothing in memory that could differ from it; that is
/// 256 rows for as many entries.
pub(super) fn grow(rows: &mut dyn Grow, old: u64, new: u64) -> Result<(), StoreError> {
    for tile in tile::full_tiles(old, new) {
        let range = tile.first_node()..tile.first_node() + u64::from(TILE_WIDTH);
        let hashes = match tile.level().checked_sub(1) {
            None => rows.leaf_hashes(range)?,
            Some(below) => rows.tile_roots(below, range)?,
        };
        // The first leaf under the tile stands for it in the message.
        let index = tile.first_node() << tile.node_level();
        let damaged = StoreError::Damaged { index, what: "a tile over it is not there" };
        let root = tile::parent_hash(&hashes).ok_or(damaged)?;
        rows.put(tile, root, tile::encode(&hashes))?;
    }
    Ok(())
}

/// Refuses a checkpoint that cannot be of this ledger: whoever signs must not find it here later.
pub(super) fn check_checkpoint(
    checkpoint: &SignedCheckpoint,
    origin: &str,
    n_entries: u64,
) -> Result<(), StoreError> {
    let size = checkpoint.checkpoint().head().size;
    let of = checkpoint.checkpoint().origin();
    if of != origin {
        let what = format!("it is of the ledger `{of}`, this one is `{origin}`");
        return Err(StoreError::Checkpoint { size, what });
    }
    if size > n_entries {
        let what = format!("the ledger has {n_entries} entries; sign what is committed");
        return Err(StoreError::Checkpoint { size, what });
    }
    Ok(())
}

pub(super) fn unknown_size(size: u64) -> StoreError {
    let what = "none of this size is stored; store the checkpoint first".to_owned();
    StoreError::Checkpoint { size, what }
}

pub(super) fn too_many_lines(size: u64) -> StoreError {
    let what = format!("it has {N_SIGNATURES_MAX} signature lines, as many as a note can have");
    StoreError::Checkpoint { size, what }
}

pub(super) fn another_text(size: u64) -> StoreError {
    let what = "another one of this size is stored; run `modeltrail verify`".to_owned();
    StoreError::Checkpoint { size, what }
}
