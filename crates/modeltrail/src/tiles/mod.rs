//! The ledger as static files in the layout of C2SP tlog-tiles, for mirrors and for tools that know
//! nothing of this program: `checkpoint`, `tile/<level>/<index>` and `tile/entries/<index>`.
//!
//! An entry is its leaf: 122 bytes without any payload. Files are made of the leaves themselves, held
//! against the stored tiles, and the checkpoint is put last, when the files beside it lead to its
//! root: who finds a checkpoint finds everything under it. A further run writes what came since;
//! what lies under a published checkpoint is not written again.

mod error;
mod folder;
#[cfg(test)]
mod tests;

pub use error::ExportError;

use std::path::Path;

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle;
use modeltrail_core::tile::{self, Resource, Tile, TileNodes, bundle};

use crate::Reader;
use crate::proofs::{self, StoreTiles};
use crate::store::{Store, StoreError};
use folder::Folder;

/// What an export did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Entries under the checkpoint that lies in the folder now.
    pub size: u64,
    /// Entries under the one that lay there before; 0 for none.
    pub old_size: u64,
    /// Files that were written, the checkpoint among them.
    pub n_files: u64,
    /// Bytes of them.
    pub n_bytes: u64,
}

/// Writes the newest checkpoint and all tiles and entries under it to a folder, which is made if it
/// is not there. Everything is on disk before the checkpoint is.
///
/// # Errors
/// [`ExportError::Unpublished`] without a checkpoint; [`ExportError::Refused`] for a folder that holds
/// another log, another history of this one, a later checkpoint, or other things;
/// [`ExportError::Damaged`] when what is stored does not lead to the checkpoint. The checkpoint in
/// the folder is then the one that lay there before.
pub fn export(reader: &Reader, dir: &Path) -> Result<Exported, ExportError> {
    let store = reader.store();
    let checkpoint = store.checkpoint(None)?.ok_or(ExportError::Unpublished)?;
    let head = checkpoint.checkpoint().head();
    let mut folder = Folder::open(dir)?;
    let old_size = match folder.checkpoint()? {
        Some(before) => continues(store, &before, &checkpoint, &folder)?,
        None => folder.must_be_fresh().map(|()| 0)?,
    };
    for tile in tile::new_tiles(old_size, head.size) {
        write_tile(store, &mut folder, tile)?;
    }
    folder.sync()?;
    check_root(&mut folder, &head)?;
    folder.put_checkpoint(&checkpoint.to_string())?;
    // A partial tile may go when the full one is there.
    let is_full = |old: &Tile| Tile::at(old.level(), old.index(), head.size) == Some(old.full());
    for old in tile::partial_tiles(old_size).filter(is_full) {
        for resource in resources(old) {
            folder.remove_partial(&resource.to_string())?;
        }
    }
    Ok(Exported { size: head.size, old_size, n_files: folder.n_files, n_bytes: folder.n_bytes })
}

/// The size of the checkpoint in the folder, if the ledger's own grew out of it.
fn continues(
    store: &dyn Store,
    before: &SignedCheckpoint,
    now: &SignedCheckpoint,
    folder: &Folder,
) -> Result<u64, ExportError> {
    let (before, now) = (before.checkpoint(), now.checkpoint());
    let Head { size, root } = before.head();
    if before.origin() != now.origin() {
        let what = format!(
            "is of `{}`, this ledger is `{}`; choose another folder",
            before.origin(),
            now.origin()
        );
        return Err(folder.refused("checkpoint", what));
    }
    let newest = now.head().size;
    if size > newest {
        let what = format!(
            "has {size} entries and the ledger's newest checkpoint {newest}: was the ledger set back? \
             Keep the folder as evidence and run `modeltrail verify --against` it"
        );
        return Err(folder.refused("checkpoint", what));
    }
    if proofs::root(store, size)? != root {
        let what = format!(
            "has another root than the first {size} entries of the ledger: its history was rewritten. \
             Keep the folder as evidence and run `modeltrail verify --against` it"
        );
        return Err(folder.refused("checkpoint", what));
    }
    Ok(size)
}

/// The files of a tile: itself, and at the lowest level the entries under it.
fn resources(tile: Tile) -> impl Iterator<Item = Resource> {
    let entries = (tile.level() == 0).then_some(Resource::Entries(tile));
    entries.into_iter().chain([Resource::Tile(tile)])
}

fn write_tile(store: &dyn Store, folder: &mut Folder, tile: Tile) -> Result<(), ExportError> {
    let hashes = if tile.level() == 0 {
        let (entries, hashes) = entries(store, tile)?;
        let bytes = bundle::encode(entries.iter().map(Vec::as_slice));
        // Stored leaves that are no entries of a bundle are none of a ledger either.
        let bytes = bytes.map_err(|_| damaged(tile))?;
        folder.put(&Resource::Entries(tile).to_string(), &bytes)?;
        hashes
    } else {
        StoreTiles(store).hashes(tile.level(), tile.first_node(), tile.width())?
    };
    if let Some(root) = tile::parent_hash(&hashes) {
        // What the level above is made of.
        let place = tile.index()..tile.index() + 1;
        let stored = store.tile_roots(tile.level(), place)?;
        if stored.first().is_some_and(|stored| *stored != root) {
            return Err(damaged(tile));
        }
    }
    folder.put(&Resource::Tile(tile).to_string(), &tile::encode(&hashes))
}

/// The leaves under a tile of level 0, and their hashes made anew.
fn entries(store: &dyn Store, tile: Tile) -> Result<(Vec<Vec<u8>>, Vec<Hash>), ExportError> {
    let range = tile.first_node()..tile.first_node() + u64::from(tile.width());
    let (mut entries, mut hashes) = (Vec::new(), Vec::new());
    let (mut next, mut changed) = (range.start, None);
    store.leaves(range.clone(), &mut |index, leaf, hash| {
        let computed = leaf_hash(leaf);
        if index != next || computed.0 != *hash {
            changed = changed.or(Some(next));
        }
        next = index.saturating_add(1);
        entries.push(leaf.to_vec());
        hashes.push(computed);
    })?;
    match changed.or((next != range.end).then_some(next)) {
        Some(index) => Err(StoreError::Damaged { index, what: "its leaf was changed" }.into()),
        None => Ok((entries, hashes)),
    }
}

fn damaged(tile: Tile) -> ExportError {
    ExportError::Damaged { what: Resource::Tile(tile).to_string() }
}

/// Holds the files against the checkpoint, as whoever downloads them will.
fn check_root(folder: &mut Folder, head: &Head) -> Result<(), ExportError> {
    let root = merkle::root(&mut TileNodes::new(folder, head.size), head.size);
    match root {
        Ok(root) if root == head.root => Ok(()),
        _ => Err(ExportError::Damaged { what: "checkpoint".to_owned() }),
    }
}
