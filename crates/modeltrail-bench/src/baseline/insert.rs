//! Of `sequenced`: the same records into the seed's table, a thousand to a transaction.

use std::path::Path;
use std::time::Instant;

use super::table::{self, INDEXES, Row};
use crate::Result;

/// Records to a transaction: where SQLite's rate has levelled off and a caller's wait is still
/// below a tenth of a second.
const BATCH: usize = 1_000;

/// What SQLite may keep in memory and in its log.
#[derive(Clone, Copy)]
pub(crate) struct Tuning {
    pub(crate) cache_kib: i64,
    pub(crate) wal_pages: i64,
}

impl Tuning {
    /// As SQLite comes.
    pub(crate) const PLAIN: Self = Self { cache_kib: 2_000, wal_pages: 1_000 };

    /// As the product sets it for itself.
    pub(crate) const LIKE_PRODUCT: Self = Self { cache_kib: 48 * 1024, wal_pages: 16 * 1024 };
}

/// Inserts the lines into a new table and returns records per second. Reading the lines and
/// hashing their inputs is done before and not counted.
pub(crate) fn run(dir: &Path, lines: &[String], tuning: Tuning) -> Result<f64> {
    let rows = lines.iter().map(|line| Row::from_line(line)).collect::<Result<Vec<_>>>()?;
    let path = dir.join(format!("seed-{}.db", tuning.cache_kib));
    let db = table::create(&path)?;
    db.execute_batch(INDEXES)?;
    db.pragma_update(None, "cache_size", -tuning.cache_kib)?;
    db.pragma_update(None, "wal_autocheckpoint", tuning.wal_pages)?;
    let mut statement = table::insert_statement(&db)?;
    let begun = Instant::now();
    for batch in rows.chunks(BATCH) {
        let transaction = db.unchecked_transaction()?;
        for row in batch {
            table::insert(&mut statement, row)?;
        }
        transaction.commit()?;
    }
    Ok(rows.len() as f64 / begun.elapsed().as_secs_f64())
}
