//! Which tiles and entry bundles a bundle has, from its range and the checkpoint's size alone.

use crate::tile::{TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH, Tile};

use super::manifest::Range;

/// The place of a range in a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    size: u64,
    range: Range,
}

impl Layout {
    /// Of a range within the first `size` entries.
    #[must_use]
    pub const fn new(size: u64, range: Range) -> Self {
        Self { size, range }
    }

    /// First and end of the indexes whose leaves must be there: the range, and one leaf more at each
    /// end, so that a verifier sees that the range was not narrowed.
    #[must_use]
    pub fn covered(&self) -> (u64, u64) {
        let Range { first, end } = self.range;
        (first.saturating_sub(1), end.saturating_add(1).min(self.size))
    }

    /// Numbers of the first entry bundle and behind the last.
    fn numbers(&self) -> (u64, u64) {
        let width = u64::from(TILE_WIDTH);
        let (first, end) = self.covered();
        if first >= end { (0, 0) } else { (first / width, end.div_ceil(width)) }
    }

    /// How many entry bundles there are; more of them than files means that files are missing.
    #[must_use]
    pub fn n_leaves(&self) -> u64 {
        let (first, end) = self.numbers();
        end - first
    }

    /// The entry bundles, ascending, as level 0 tiles of the same place.
    pub fn leaves(&self) -> impl Iterator<Item = Tile> + use<> {
        let (first, end) = self.numbers();
        let size = self.size;
        (first..end).filter_map(move |index| Tile::at(0, index, size))
    }

    /// The partial tiles at the right edge of the tree, ascending by level: they give the root.
    pub fn edge(&self) -> impl Iterator<Item = Tile> + use<> {
        crate::tile::partial_tiles(self.size)
    }

    /// Indexes of the full tiles of a level over those entry bundles that are full: the last one may
    /// not be.
    fn level(&self, level: u8) -> std::ops::Range<u64> {
        let (first, end) = self.numbers();
        let shift = u32::from(TILE_HEIGHT) * u32::from(level);
        let n_full = self.size.checked_shr(shift + u32::from(TILE_HEIGHT)).unwrap_or(0);
        match end.min(self.size / u64::from(TILE_WIDTH)).checked_sub(1) {
            Some(last) if last >= first => first >> shift..((last >> shift) + 1).min(n_full),
            _ => 0..0,
        }
    }

    /// The full tiles over the entry bundles, ascending by level and index.
    pub fn paths(&self) -> impl Iterator<Item = Tile> + use<> {
        let layout = *self;
        (0..=TILE_LEVEL_MAX).flat_map(move |level| {
            layout.level(level).filter_map(move |index| Tile::new(level, index, TILE_WIDTH))
        })
    }

    /// Whether this entry bundle is one of them.
    #[must_use]
    pub fn has_leaves(&self, tile: Tile) -> bool {
        let (first, end) = self.numbers();
        (first..end).contains(&tile.index()) && Tile::at(0, tile.index(), self.size) == Some(tile)
    }

    /// Whether this tile is one of them.
    #[must_use]
    pub fn has_tile(&self, tile: Tile) -> bool {
        if tile.is_full() {
            self.level(tile.level()).contains(&tile.index())
        } else {
            self.edge().any(|edge| edge == tile)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tile::Resource;

    fn names(tiles: impl Iterator<Item = Tile>) -> Vec<String> {
        tiles.map(|tile| Resource::Tile(tile).to_string()).collect()
    }

    #[test]
    fn the_files_of_a_range_are_those_of_the_definition() {
        for size in [0, 1, 255, 256, 257, 512, 700, 65_536, 65_537, 70_000, 131_072] {
            for (first, end) in
                [(0, size), (0, 0), (size, size), (size / 2, size / 2 + 1), (1, size / 3)]
            {
                if first > end || end > size {
                    continue;
                }
                let layout = Layout::new(size, Range { first, end });
                let (from, to) = (first.saturating_sub(1), (end + 1).min(size));
                let bundles: BTreeSet<u64> = (from..to).map(|index| index / 256).collect();
                let ours: Vec<u64> = layout.leaves().map(|tile| tile.index()).collect();
                assert_eq!(
                    ours,
                    bundles.iter().copied().collect::<Vec<_>>(),
                    "{size} {first} {end}"
                );
                assert_eq!(layout.n_leaves(), ours.len() as u64);
                let mut paths = BTreeSet::new();
                for bundle in bundles.iter().filter(|bundle| (*bundle + 1) * 256 <= size) {
                    let (mut level, mut index) = (0_u8, *bundle);
                    while (index + 1) << (8 * (u32::from(level) + 1)) <= size {
                        paths.insert((level, index));
                        (level, index) = (level + 1, index >> 8);
                    }
                }
                let ours: Vec<(u8, u64)> = layout.paths().map(|t| (t.level(), t.index())).collect();
                assert_eq!(ours, paths.into_iter().collect::<Vec<_>>(), "{size} {first} {end}");
                assert!(layout.paths().chain(layout.edge()).all(|tile| layout.has_tile(tile)));
                assert!(layout.leaves().all(|tile| layout.has_leaves(tile)));
                let other = Tile::at(0, end / 256 + 3, u64::MAX >> 1).unwrap();
                assert!(!layout.has_tile(other) && !layout.has_leaves(other));
            }
        }
        let edge = names(Layout::new(70_000, Range { first: 0, end: 0 }).edge());
        assert_eq!(edge, ["tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1"]);
    }
}
