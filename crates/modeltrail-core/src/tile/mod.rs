//! Tiles: a tree as files of 256 hashes, as C2SP tlog-tiles has them, so that anybody can make any
//! proof from static files. A tile at level *l* holds nodes of level 8·*l*; full tiles never change.
//!
//! Entry bundles are in [`bundle`], the paths of both in [`Resource`], and [`TileNodes`] makes
//! proofs from tiles.

pub mod bundle;
mod list;
mod path;
mod reader;
#[cfg(test)]
mod tests;

pub use list::{full_tiles, new_tiles, partial_tiles, tiles};
pub use path::Resource;
pub use reader::{TileNodes, TileNodesError, TileSource};

use crate::hash::Hash;
use crate::merkle::complete_root;

/// Hashes of a full tile.
pub const TILE_WIDTH: u16 = 256;

/// Levels of the tree that one level of tiles spans: 2^8 is [`TILE_WIDTH`].
pub const TILE_HEIGHT: u8 = 8;

/// The highest level that has a tile in a tree of at most 2^63 leaves: at level 7 a hash covers 2^56
/// of them. C2SP would have paths up to level 63.
pub const TILE_LEVEL_MAX: u8 = 7;

/// Bytes of a hash in a tile.
const HASH_BYTES: usize = 32;

/// Which tile: level, index within the level, and how many hashes it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

/// Why bytes are no tile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a tile of {width} hashes has {} bytes, these are {found}", usize::from(*width) * HASH_BYTES)]
pub struct TileBytesError {
    /// Hashes that the tile should have.
    pub width: u16,
    /// Bytes that there are.
    pub found: usize,
}

impl Tile {
    /// A tile; `None` for a level above [`TILE_LEVEL_MAX`], an index that no tree of 2^63 leaves
    /// has, or a width that is not 1 to 256.
    #[must_use]
    pub const fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        if level > TILE_LEVEL_MAX || width == 0 || width > TILE_WIDTH {
            return None;
        }
        // Leaves under one hash of the tile; the last leaf must be below 2^63.
        let leaves_log2 = TILE_HEIGHT * level;
        let n_hashes = (1_u64 << 63) >> leaves_log2;
        let Some(start) = index.checked_mul(TILE_WIDTH as u64) else { return None };
        if start >= n_hashes || width as u64 > n_hashes - start {
            return None;
        }
        Some(Self { level, index, width })
    }

    /// The tile that holds node `(level, index)` of a tree of `size` leaves, or what that node is
    /// hashed from, and the place of the first such hash in it. `None` when the tree does not have
    /// the node.
    #[must_use]
    pub fn of_node(level: u8, index: u64, size: u64) -> Option<(Self, u16)> {
        let tile_level = level / TILE_HEIGHT;
        let inner = u32::from(level % TILE_HEIGHT);
        let first = index.checked_shl(inner).filter(|first| first >> inner == index)?;
        let tile_index = first / u64::from(TILE_WIDTH);
        let tile = Self::at(tile_level, tile_index, size)?;
        let offset = u16::try_from(first % u64::from(TILE_WIDTH)).ok()?;
        let end = offset.checked_add(1 << inner)?;
        (end <= tile.width).then_some((tile, offset))
    }

    /// The tile at a place as wide as it is in a tree of `size` leaves; `None` when it is empty
    /// there.
    #[must_use]
    pub fn at(level: u8, index: u64, size: u64) -> Option<Self> {
        let n_hashes = size.checked_shr(u32::from(TILE_HEIGHT) * u32::from(level))?;
        let start = index.checked_mul(u64::from(TILE_WIDTH))?;
        let width = n_hashes.checked_sub(start)?.min(u64::from(TILE_WIDTH));
        Self::new(level, index, u16::try_from(width).ok()?)
    }

    /// Level, from 0 for the tiles of leaf hashes.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Index within the level.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Number of hashes, 1 to 256.
    #[must_use]
    pub const fn width(&self) -> u16 {
        self.width
    }

    /// Whether it has all its 256 hashes and will not change any more.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// The full tile at the same place.
    #[must_use]
    pub const fn full(&self) -> Self {
        Self { level: self.level, index: self.index, width: TILE_WIDTH }
    }

    /// Index of the tile's first hash among the nodes of tree level [`Tile::node_level`].
    #[must_use]
    pub const fn first_node(&self) -> u64 {
        self.index * (TILE_WIDTH as u64)
    }

    /// Level in the tree of the tile's hashes.
    #[must_use]
    pub const fn node_level(&self) -> u8 {
        self.level * TILE_HEIGHT
    }

    /// The hashes of a tile's bytes, first leaf first.
    ///
    /// # Errors
    /// When there are more or fewer bytes than the tile's width says.
    pub fn decode(&self, bytes: &[u8]) -> Result<Vec<Hash>, TileBytesError> {
        let error = TileBytesError { width: self.width, found: bytes.len() };
        let hashes: Option<Vec<Hash>> = bytes.chunks(HASH_BYTES).map(Hash::from_slice).collect();
        hashes.filter(|hashes| hashes.len() == usize::from(self.width)).ok_or(error)
    }
}

/// A tile's bytes: its hashes, 32 bytes each.
#[must_use]
pub fn encode(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// What the tile at the level above has for this full tile; `None` unless there are 256 hashes.
#[must_use]
pub fn parent_hash(hashes: &[Hash]) -> Option<Hash> {
    (hashes.len() == usize::from(TILE_WIDTH)).then(|| complete_root(hashes)).flatten()
}
