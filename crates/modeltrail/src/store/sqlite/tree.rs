//! Leaves and tiles: what proofs are made of.

use std::ops::Range;

use modeltrail_core::Hash;
use modeltrail_core::tile::Tile;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::super::tree::{Grow, check_many, grow};
use super::super::{EachLeaf, StoreError};
use super::codec::{from_db, to_db};
use super::read::bytes;
use super::schema;

pub(super) fn leaves(
    db: &Connection,
    range: Range<u64>,
    each: &mut EachLeaf<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT idx, leaf, hash FROM leaves WHERE idx >= ?1 AND idx < ?2 ORDER BY idx";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([to_db(range.start), to_db(range.end)])?;
    while let Some(row) = rows.next()? {
        let index = from_db(row.get(0)?);
        each(index, bytes(row, 1).unwrap_or_default(), bytes(row, 2).unwrap_or_default());
    }
    Ok(())
}

pub(super) fn leaf_hashes(db: &Connection, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
    let mut hashes = Vec::with_capacity(check_many(&range)?);
    let sql = "SELECT idx, hash FROM leaves WHERE idx >= ?1 AND idx < ?2 ORDER BY idx";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([to_db(range.start), to_db(range.end)])?;
    for index in range {
        let row = rows.next()?;
        let hash = row.filter(|row| row.get(0) == Ok(to_db(index)));
        let hash = hash.and_then(|row| Hash::from_slice(bytes(row, 1)?));
        let what = "its leaf hash cannot be read";
        hashes.push(hash.ok_or(StoreError::Damaged { index, what })?);
    }
    Ok(hashes)
}

pub(super) fn tile(db: &Connection, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let sql = "SELECT hashes FROM tiles WHERE level = ?1 AND n = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let found = statement.query_row((level, to_db(n)), |row| {
        // Whatever type somebody gave it.
        Ok(bytes(row, 0).unwrap_or_default().to_vec())
    });
    Ok(found.optional()?)
}

pub(super) fn tile_roots(
    db: &Connection,
    level: u8,
    range: Range<u64>,
) -> Result<Vec<Hash>, StoreError> {
    let mut roots = Vec::with_capacity(check_many(&range)?);
    let sql = "SELECT n, root FROM tiles WHERE level = ?1 AND n >= ?2 AND n < ?3 ORDER BY n";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query((level, to_db(range.start), to_db(range.end)))?;
    for n in range {
        let Some(row) = rows.next()?.filter(|row| row.get(0) == Ok(to_db(n))) else { break };
        let Some(root) = bytes(row, 1).and_then(Hash::from_slice) else { break };
        roots.push(root);
    }
    Ok(roots)
}

/// Rows of a transaction, for [`grow`].
pub(super) struct Rows<'a>(pub(super) &'a Transaction<'a>);

impl Grow for Rows<'_> {
    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        leaf_hashes(self.0, range)
    }

    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        tile_roots(self.0, level, range)
    }

    fn put(&mut self, tile: Tile, root: Hash, hashes: Vec<u8>) -> Result<(), StoreError> {
        let sql = "INSERT INTO tiles (level, n, root, hashes) VALUES (?1, ?2, ?3, ?4)";
        let mut statement = self.0.prepare_cached(sql)?;
        let n_rows = statement.execute((tile.level(), to_db(tile.index()), root.0, hashes))?;
        super::write::put_in(n_rows, tile.first_node() << tile.node_level())
    }
}

/// Brings a ledger of format version 1 to version 2, in one transaction: until it is committed the
/// ledger is one of version 1 and nothing else.
pub(super) fn upgrade(db: &mut Connection) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // Another process may have done it while this one waited for the lock.
    if version < schema::FORMAT_VERSION {
        upgrade_within(&transaction)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn upgrade_within(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    transaction.execute_batch(schema::ERASURE_COLUMNS)?;
    transaction.execute_batch(schema::TREE_TABLES)?;
    transaction.execute_batch(schema::TREE_TRIGGERS)?;
    let size = transaction.query_row("SELECT size FROM head", [], |row| row.get(0))?;
    grow(&mut Rows(transaction), 0, from_db(size))?;
    Ok(transaction.pragma_update(None, "user_version", schema::FORMAT_VERSION)?)
}
