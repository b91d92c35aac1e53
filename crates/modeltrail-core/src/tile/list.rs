//! Which tiles a tree has, and which come with its growth.

use super::{TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH, Tile};

/// Every tile of a tree of `size` leaves, by level and index; at each level the last may be partial.
pub fn tiles(size: u64) -> impl Iterator<Item = Tile> {
    full_tiles(0, size).chain(partial_tiles(size))
}

/// Tiles that become full when a tree grows from `old` to `new` leaves, by level and index. Those
/// of one level come before those above it, whose hashes they are.
pub fn full_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    levels().flat_map(move |level| {
        let (first, end) = (n_full(level, old), n_full(level, new));
        (first..end).filter_map(move |index| Tile::new(level, index, TILE_WIDTH))
    })
}

/// The partial tiles of a tree of `size` leaves: at most one a level.
pub fn partial_tiles(size: u64) -> impl Iterator<Item = Tile> {
    levels().filter_map(move |level| {
        Tile::at(level, n_full(level, size), size).filter(|tile| !tile.is_full())
    })
}

/// Tiles that a log has to write, full and partial, before it publishes a checkpoint of `new` leaves
/// behind one of `old`. Its entry bundles are those of level 0.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let is_new = move |tile: &Tile| Tile::at(tile.level(), tile.index(), old) != Some(*tile);
    full_tiles(old, new).chain(partial_tiles(new).filter(is_new))
}

fn levels() -> impl Iterator<Item = u8> {
    0..=TILE_LEVEL_MAX
}

/// Full tiles of a level; each spans 256 hashes, which span 256^level leaves each.
fn n_full(level: u8, size: u64) -> u64 {
    size.checked_shr(u32::from(TILE_HEIGHT) * (u32::from(level) + 1)).unwrap_or(0)
}
