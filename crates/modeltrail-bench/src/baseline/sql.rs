//! Of `report`: the usage report as SQL by hand, over the seed's table with the label as a column
//! of its own and an index that holds every column that the report reads.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde::Serialize;

use super::table::{self, Row};
use crate::Result;
use crate::generate::Generator;

/// The report's figures.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Usage {
    pub(crate) n: i64,
    pub(crate) n_users: i64,
    pub(crate) by_label: Vec<(String, i64)>,
    pub(crate) by_version: Vec<(String, i64)>,
    pub(crate) latency_mean_ms: f64,
    pub(crate) latency_p95_ms: f64,
    pub(crate) latency_max_ms: f64,
    pub(crate) first: String,
    pub(crate) last: String,
}

/// Records to a transaction while the table is filled, which is not timed.
const LOAD_BATCH: usize = 10_000;

/// Page cache in KiB: 1 GiB, so that no read of the index ever goes to the disk.
const CACHE_KIB: i64 = 1 << 20;

/// Fills the table with the load of `n` records. The index is built last, in one sort: its pages
/// are as dense as they can be.
pub(crate) fn build(path: &Path, n: u64, seed: u64) -> Result<Connection> {
    let db = table::create(path)?;
    db.execute_batch("PRAGMA synchronous = OFF;")?;
    db.pragma_update(None, "cache_size", -CACHE_KIB)?;
    let mut generator = Generator::new(n, seed);
    let mut insert = table::insert_statement(&db)?;
    loop {
        let lines = generator.take_lines(LOAD_BATCH);
        if lines.is_empty() {
            break;
        }
        let transaction = db.unchecked_transaction()?;
        for line in &lines {
            table::insert(&mut insert, &Row::from_line(line)?.with_label()?)?;
        }
        transaction.commit()?;
    }
    drop(insert);
    db.execute_batch(
        "CREATE INDEX ix_usage ON ai_audit_logs
           (model_name, timestamp, model_version, label, user_id, latency_ms);
         ANALYZE;",
    )?;
    Ok(db)
}

/// Runs the report's queries and returns its figures and the time of all of them together.
pub(crate) fn run(db: &Connection, model: &str, since: &str) -> Result<(Usage, Duration)> {
    let begun = Instant::now();
    let (n, n_users, latency_mean_ms, latency_max_ms, first, last) = db.query_row(
        "SELECT count(*), count(DISTINCT user_id), avg(latency_ms), max(latency_ms),
                min(timestamp), max(timestamp)
         FROM ai_audit_logs WHERE model_name = ?1 AND timestamp >= ?2",
        (model, since),
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
    )?;
    let by_label = counts(db, "label", model, since)?;
    let by_version = counts(db, "model_version", model, since)?;
    // The place that the seed document's report takes, counted from 0.
    let place = (n as f64 * 0.95) as i64;
    let latency_p95_ms = db.query_row(
        "SELECT latency_ms FROM ai_audit_logs WHERE model_name = ?1 AND timestamp >= ?2
         ORDER BY latency_ms LIMIT 1 OFFSET ?3",
        (model, since, place),
        |row| row.get(0),
    )?;
    let time = begun.elapsed();
    let usage = Usage {
        n,
        n_users,
        by_label,
        by_version,
        latency_mean_ms,
        latency_p95_ms,
        latency_max_ms,
        first,
        last,
    };
    Ok((usage, time))
}

fn counts(
    db: &Connection,
    column: &'static str,
    model: &str,
    since: &str,
) -> Result<Vec<(String, i64)>> {
    let sql = format!(
        "SELECT {column}, count(*) FROM ai_audit_logs
         WHERE model_name = ?1 AND timestamp >= ?2 GROUP BY {column} ORDER BY {column}"
    );
    let mut statement = db.prepare(&sql)?;
    let rows = statement.query_map((model, since), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
