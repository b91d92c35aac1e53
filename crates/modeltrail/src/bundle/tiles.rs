//! Tiles and entry bundles of the range.

use modeltrail_core::bundle::BundlePath;
use modeltrail_core::tile::{TileSource as _, bundle};

use super::pieces::Pieces;
use super::{BundleError, Writer};
use crate::proofs::StoreTiles;

impl Writer<'_> {
    pub(super) fn write_tiles(&self, pieces: &mut Pieces) -> Result<(), BundleError> {
        let mut tiles = StoreTiles(self.store);
        for tile in self.layout.edge().chain(self.layout.paths()) {
            pieces.put(BundlePath::Tile(tile), &tiles.tile(tile)?)?;
        }
        for tile in self.layout.leaves() {
            let range = tile.first_node()..tile.first_node() + u64::from(tile.width());
            let mut leaves = Vec::with_capacity(usize::from(tile.width()));
            self.store.leaves(range.clone(), &mut |_, leaf, _| leaves.push(leaf.to_vec()))?;
            let missing = BundleError::Entry { index: range.start, what: "a leaf is not there" };
            if leaves.len() != usize::from(tile.width()) {
                return Err(missing);
            }
            let bytes = bundle::encode(leaves.iter().map(Vec::as_slice)).map_err(|_| missing)?;
            pieces.put(BundlePath::Leaves(tile), &bytes)?;
        }
        Ok(())
    }
}
