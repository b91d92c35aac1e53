//! Taking parts out of an SQLite ledger as an erasure does, for tests: what is left must verify, and
//! what is forged must not. The erasure entry is the caller's to append.

use std::path::Path;

use modeltrail_core::PartId;
use modeltrail_core::commitment::{commit, pairs, salt};
use modeltrail_core::record::Part;
use rusqlite::{Connection, params};

use super::super::{Store as _, StoreError};
use super::codec::to_db;
use super::{Access, SqliteStore, schema};

/// Columns of `lookups` that are cleared with a part.
const fn lookup_columns(part: PartId) -> &'static [&'static str] {
    match part {
        PartId::Input => &["input"],
        PartId::Output => &["label"],
        PartId::Parties => &["user", "request_key", "subject_key", "session_key", "input_mac_key"],
        _ => &[],
    }
}

/// Destroys the bytes of parts and their secrets in one transaction; keeps the salts of the parts that
/// are left, and the commitments of the others; clears the lookup columns. Parts that an entry does
/// not have are passed over.
///
/// # Errors
/// When the ledger cannot be read or written, or an entry is not there.
pub fn take_parts(path: &Path, entries: &[(u64, Vec<PartId>)]) -> Result<(), StoreError> {
    let store = SqliteStore::open(path, Access::Write)?;
    let mut db = Connection::open(path)?;
    db.execute_batch(schema::SETTINGS)?;
    let transaction = db.transaction()?;
    for name in ["parts_no_update", "lookups_no_update", "contents_no_delete"] {
        transaction.execute_batch(&format!("DROP TRIGGER IF EXISTS {name}"))?;
    }
    for (index, ids) in entries {
        take(&transaction, &store, *index, ids)?;
    }
    let unused = "DELETE FROM contents WHERE id NOT IN \
                  (SELECT input FROM parts WHERE input IS NOT NULL)";
    transaction.execute(unused, [])?;
    let triggers = schema::TRIGGERS.replace("CREATE TRIGGER", "CREATE TRIGGER IF NOT EXISTS");
    transaction.execute_batch(&triggers)?;
    Ok(transaction.commit()?)
}

fn take(
    db: &Connection,
    store: &SqliteStore,
    index: u64,
    ids: &[PartId],
) -> Result<(), StoreError> {
    let damaged = |what| StoreError::Damaged { index, what };
    let entry = store.get(index)?.ok_or(damaged("it is not there"))?;
    let secret: [u8; 32] =
        db.query_row("SELECT secret FROM parts WHERE idx = ?1", [to_db(index)], |row| row.get(0))?;
    let all = commit(&secret, entry.parts.iter().map(Part::as_ref));
    let is_taken = |id: &PartId| ids.contains(id);
    let erased: Vec<_> = all.iter().copied().filter(|(id, _)| is_taken(id)).collect();
    let rest = all.iter().filter(|(id, _)| !is_taken(id));
    let salts: Vec<_> = rest.map(|(id, _)| (*id, salt(&secret, *id))).collect();
    db.execute(
        "UPDATE parts SET secret = x'', erased = ?1, salts = ?2 WHERE idx = ?3",
        params![pairs(&erased), pairs(&salts), to_db(index)],
    )?;
    for (id, _) in &erased {
        db.execute(&format!("UPDATE parts SET {id} = NULL WHERE idx = ?1"), [to_db(index)])?;
        for column in lookup_columns(*id) {
            let sql = format!("UPDATE lookups SET {column} = NULL WHERE idx = ?1");
            db.execute(&sql, [to_db(index)])?;
        }
    }
    Ok(())
}
