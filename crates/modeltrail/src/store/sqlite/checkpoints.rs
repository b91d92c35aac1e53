//! Signed checkpoints, and the signature lines that they collect.

use std::ops::Range;

use modeltrail_core::checkpoint::{CheckpointError, SignedCheckpoint};
use modeltrail_core::note::{N_SIGNATURES_MAX, SignatureLine};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::super::tree::{another_text, check_checkpoint, too_many_lines, unknown_size};
use super::super::{EachCheckpoint, StoreError};
use super::codec::{from_db, to_db};
use super::read::bytes;

pub(super) fn newest(
    db: &Connection,
    at_most: Option<u64>,
) -> Result<Option<SignedCheckpoint>, StoreError> {
    let sql = "SELECT size, text FROM checkpoints WHERE size <= ?1 ORDER BY size DESC LIMIT 1";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([at_most.map_or(i64::MAX, to_db)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let size = from_db(row.get(0)?);
    let read = read(db, size, bytes(row, 1).unwrap_or_default())?;
    read.map(Some).map_err(|error| StoreError::Checkpoint {
        size,
        what: format!("what is stored is {error}; run `modeltrail verify`"),
    })
}

pub(super) fn each(
    db: &Connection,
    range: Range<u64>,
    each: &mut EachCheckpoint<'_>,
) -> Result<(), StoreError> {
    let sql = "SELECT size, text FROM checkpoints WHERE size >= ?1 AND size < ?2 ORDER BY size";
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query([to_db(range.start), to_db(range.end)])?;
    while let Some(row) = rows.next()? {
        let size = from_db(row.get(0)?);
        each(size, read(db, size, bytes(row, 1).unwrap_or_default())?);
    }
    Ok(())
}

/// A checkpoint from its text and lines. The size that it is stored under must be its own.
fn read(
    db: &Connection,
    size: u64,
    text: &[u8],
) -> Result<Result<SignedCheckpoint, CheckpointError>, StoreError> {
    let mut note = text.to_vec();
    note.push(b'\n');
    // One more than there can be is refused by the parser.
    let sql = "SELECT line FROM checkpoint_signatures WHERE size = ?1 ORDER BY n LIMIT ?2";
    let mut statement = db.prepare_cached(sql)?;
    let n_max = i64::try_from(N_SIGNATURES_MAX + 1).unwrap_or(i64::MAX);
    let mut rows = statement.query([to_db(size), n_max])?;
    while let Some(row) = rows.next()? {
        note.extend_from_slice(bytes(row, 0).unwrap_or_default());
        note.push(b'\n');
    }
    let read = SignedCheckpoint::parse(&note);
    let expected = "the size that it is stored under";
    Ok(read.and_then(|read| match read.checkpoint().head().size == size {
        true => Ok(read),
        false => Err(CheckpointError::Line { line: 2, expected }),
    }))
}

pub(super) fn put(
    db: &mut Connection,
    origin: &str,
    checkpoint: &SignedCheckpoint,
) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let n_entries: i64 = transaction.query_row("SELECT size FROM head", [], |row| row.get(0))?;
    check_checkpoint(checkpoint, origin, from_db(n_entries))?;
    let size = checkpoint.checkpoint().head().size;
    let text = checkpoint.note().text();
    let stored: Option<Vec<u8>> = transaction
        .prepare_cached("SELECT text FROM checkpoints WHERE size = ?1")?
        .query_row([to_db(size)], |row| Ok(bytes(row, 0).unwrap_or_default().to_vec()))
        .optional()?;
    match stored {
        Some(stored) if stored != text.as_bytes() => {
            return Err(another_text(size));
        }
        Some(_) => {}
        None => {
            transaction
                .prepare_cached("INSERT INTO checkpoints (size, text) VALUES (?1, ?2)")?
                .execute((to_db(size), text))?;
        }
    }
    for line in checkpoint.note().signatures() {
        add_line(&transaction, size, line)?;
    }
    Ok(transaction.commit()?)
}

pub(super) fn add_signature(
    db: &mut Connection,
    size: u64,
    line: &SignatureLine,
) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_there = transaction
        .prepare_cached("SELECT 1 FROM checkpoints WHERE size = ?1")?
        .exists([to_db(size)])?;
    if !is_there {
        return Err(unknown_size(size));
    }
    add_line(&transaction, size, line)?;
    Ok(transaction.commit()?)
}

fn add_line(
    transaction: &Transaction<'_>,
    size: u64,
    line: &SignatureLine,
) -> Result<(), StoreError> {
    let line = line.to_string();
    let is_there = transaction
        .prepare_cached("SELECT 1 FROM checkpoint_signatures WHERE size = ?1 AND line = ?2")?
        .exists((to_db(size), &line))?;
    if is_there {
        return Ok(());
    }
    let n_lines: i64 = transaction
        .prepare_cached("SELECT count(*) FROM checkpoint_signatures WHERE size = ?1")?
        .query_row([to_db(size)], |row| row.get(0))?;
    if usize::try_from(n_lines).unwrap_or(usize::MAX) >= N_SIGNATURES_MAX {
        return Err(too_many_lines(size));
    }
    transaction
        .prepare_cached("INSERT INTO checkpoint_signatures (size, n, line) VALUES (?1, ?2, ?3)")?
        .execute((to_db(size), n_lines, &line))?;
    Ok(())
}
