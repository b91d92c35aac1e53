//! Tiles: those at the right edge give the root, and each full one the hash that the tile above has
//! for it.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::Check;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::path::BundlePath;
use crate::hash::Hash;
use crate::merkle;
use crate::tile::{TILE_WIDTH, Tile, TileNodes, TileSource, encode, parent_hash};

/// Hashes of tiles that were read last; entries under one tile take the same few.
const N_TILES_KEPT_MAX: usize = 16;

/// The tiles, after they were checked.
pub(super) struct Tree {
    size: u64,
    /// Those at the right edge; none when they do not give the root.
    edge: BTreeMap<Tile, Vec<Hash>>,
    /// Full tiles by last use, the latest at the end; `None` for one that proves nothing.
    kept: Vec<(Tile, Option<Vec<Hash>>)>,
}

/// The right edge as a source of tiles.
struct Edge<'a>(&'a BTreeMap<Tile, Vec<Hash>>);

impl TileSource for Edge<'_> {
    type Error = ();

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, ()> {
        self.0.get(&tile).map(|hashes| encode(hashes)).ok_or(())
    }
}

impl<R: Read + Seek> Check<R> {
    pub(super) fn check_tree(&mut self) -> io::Result<Tree> {
        let size = self.manifest.checkpoint.size;
        let mut tree = Tree { size, edge: self.check_edge()?, kept: Vec::new() };
        for tile in self.layout.paths() {
            // Asking for it is checking it; what is wrong was said then.
            let Some(bytes) = self.container.read(BundlePath::Tile(tile))? else { continue };
            self.check_path_tile(&mut tree, tile, &bytes)?;
        }
        Ok(tree)
    }

    /// The tiles at the right edge, if they give the root.
    fn check_edge(&mut self) -> io::Result<BTreeMap<Tile, Vec<Hash>>> {
        let mut edge = BTreeMap::new();
        let (mut n, mut first) = (0, None);
        for tile in self.layout.edge() {
            let path = BundlePath::Tile(tile);
            first.get_or_insert(path);
            n += 1;
            let Some(bytes) = self.container.read(path)? else { continue };
            match tile.decode(&bytes) {
                Ok(hashes) => drop(edge.insert(tile, hashes)),
                Err(error) => self.file(Kind::ChangedTile, path, error.to_string()),
            }
        }
        // One that is missing or of another length is a finding already.
        if edge.len() < n {
            return Ok(BTreeMap::new());
        }
        let size = self.manifest.checkpoint.size;
        if merkle::root(&mut TileNodes::new(Edge(&edge), size), size).ok() == Some(self.root) {
            return Ok(edge);
        }
        let detail = "the tiles at the right edge do not give the checkpoint's root";
        self.file(Kind::ChangedTile, first.unwrap_or(BundlePath::Checkpoint), detail);
        Ok(BTreeMap::new())
    }

    /// Holds a full tile against the one above it.
    fn check_path_tile(&mut self, tree: &mut Tree, tile: Tile, bytes: &[u8]) -> io::Result<()> {
        let path = BundlePath::Tile(tile);
        let hashes = match tile.decode(bytes) {
            Ok(hashes) => hashes,
            Err(error) => {
                self.file(Kind::ChangedTile, path, error.to_string());
                return Ok(());
            }
        };
        let above = self.hash_above(tree, tile)?;
        if above.is_some() && above != parent_hash(&hashes) {
            let detail = "its hashes do not give what the tile above has for it";
            self.file(Kind::ChangedTile, path, detail);
        }
        Ok(())
    }

    /// What the tile above has for a full tile; `None` where that tile proves nothing.
    fn hash_above(&mut self, tree: &mut Tree, tile: Tile) -> io::Result<Option<Hash>> {
        let width = u64::from(TILE_WIDTH);
        let Some(above) = Tile::at(tile.level() + 1, tile.index() / width, tree.size) else {
            return Ok(None);
        };
        let at = usize::try_from(tile.index() % width).unwrap_or(usize::MAX);
        Ok(self.hashes(tree, above)?.and_then(|hashes| hashes.get(at).copied()))
    }

    /// The hashes of a tile that leads to the root; `None` for one that does not or is not there.
    pub(super) fn hashes(&mut self, tree: &mut Tree, tile: Tile) -> io::Result<Option<Vec<Hash>>> {
        if !tile.is_full() {
            return Ok(tree.edge.get(&tile).cloned());
        }
        if let Some(at) = tree.kept.iter().position(|(kept, _)| *kept == tile) {
            let found = tree.kept.remove(at);
            let hashes = found.1.clone();
            tree.kept.push(found);
            return Ok(hashes);
        }
        let read = self.container.read(BundlePath::Tile(tile))?;
        let mut hashes = read.and_then(|bytes| tile.decode(&bytes).ok());
        // At most eight levels.
        let above = self.hash_above(tree, tile)?;
        if above.is_none() || above != hashes.as_deref().and_then(parent_hash) {
            hashes = None;
        }
        if tree.kept.len() >= N_TILES_KEPT_MAX {
            tree.kept.remove(0);
        }
        tree.kept.push((tile, hashes.clone()));
        Ok(hashes)
    }
}
