//! Nodes of a tree from its tiles.

use super::{Tile, TileBytesError};
use crate::hash::Hash;
use crate::merkle::{Nodes, complete_root};

/// Tiles that are kept while proofs are made, 8 KiB each. A proof takes at most two tiles at each of
/// the levels, of which a tree of 2^32 leaves has four; proofs of neighbouring entries take the
/// same ones.
const N_TILES_KEPT_MAX: usize = 16;

/// Where tiles come from: files, a table, a server.
pub trait TileSource {
    /// Why a tile cannot be had.
    type Error;

    /// The bytes of a tile. For a partial one the full tile at its place does as well: a log may
    /// have dropped the partial one since.
    ///
    /// # Errors
    /// When it cannot be had.
    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, Self::Error>;
}

/// The nodes of a tree of a certain size, from tiles. What is wrong in a tile shows when a proof
/// made of it does not verify against a signed checkpoint.
#[derive(Debug)]
pub struct TileNodes<S> {
    source: S,
    size: u64,
    /// Tiles by last use, the latest at the end.
    kept: Vec<(Tile, Vec<Hash>)>,
}

/// Why a node cannot be had from tiles.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TileNodesError<E> {
    /// The tree is too small to have it.
    #[error("a tree of {size} entries has no node {index} at level {level}")]
    NoNode {
        /// Level that was asked for.
        level: u8,
        /// Index within it.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The tile's bytes are not as many as its width says.
    #[error("tile {index} at level {level}: {error}")]
    Bytes {
        /// The tile's level.
        level: u8,
        /// The tile's index.
        index: u64,
        /// What is wrong.
        error: TileBytesError,
    },
    /// The source does not have it.
    #[error("tile {index} at level {level} cannot be had: {error}")]
    Source {
        /// The tile's level.
        level: u8,
        /// The tile's index.
        index: u64,
        /// What the source says.
        error: E,
    },
}

impl<S: TileSource> TileNodes<S> {
    /// The nodes of the tree of the first `size` leaves.
    pub const fn new(source: S, size: u64) -> Self {
        Self { source, size, kept: Vec::new() }
    }

    /// Hashes of a tile, from those kept or from the source.
    fn hashes(&mut self, tile: Tile) -> Result<&[Hash], TileNodesError<S::Error>> {
        let found = match self.kept.iter().position(|(kept, _)| *kept == tile) {
            Some(at) => self.kept.remove(at),
            None => (tile, self.fetch(tile)?),
        };
        if self.kept.len() >= N_TILES_KEPT_MAX {
            self.kept.remove(0);
        }
        self.kept.push(found);
        Ok(self.kept.last().map_or(&[], |(_, hashes)| hashes))
    }

    fn fetch(&mut self, tile: Tile) -> Result<Vec<Hash>, TileNodesError<S::Error>> {
        let (level, index) = (tile.level(), tile.index());
        let bytes = self.source.tile(tile);
        let bytes = bytes.map_err(|error| TileNodesError::Source { level, index, error })?;
        let decoded =
            tile.decode(&bytes).or_else(|error| tile.full().decode(&bytes).map_err(|_| error));
        let mut hashes = decoded.map_err(|error| TileNodesError::Bytes { level, index, error })?;
        hashes.truncate(usize::from(tile.width()));
        Ok(hashes)
    }
}

impl<S: TileSource> Nodes for TileNodes<S> {
    type Error = TileNodesError<S::Error>;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let none = TileNodesError::NoNode { level, index, size: self.size };
        let Some((tile, offset)) = Tile::of_node(level, index, self.size) else {
            return Err(none);
        };
        let width = 1_usize << (level % super::TILE_HEIGHT);
        let start = usize::from(offset);
        let hashes = self.hashes(tile)?;
        hashes.get(start..start + width).and_then(complete_root).ok_or(none)
    }
}
