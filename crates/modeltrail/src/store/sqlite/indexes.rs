//! Indexes against their tables: an entry that only a search would miss.
//!
//! SQLite's own `integrity_check` looks every row up in every index, which on random keys costs more
//! than all the hashing of a verification. Here each side is read once, in the order in which it
//! lies: a keyed sum over the rows of the table must be the sum over the entries of the index, and
//! the entries must ascend, so that a search finds each of them. Only where they differ is SQLite
//! asked which row it is.

use std::hash::{BuildHasher as _, RandomState};

use modeltrail_core::verify::{Finding, FindingKind};
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::super::StoreError;
use super::codec::from_db;

/// An index: its name, the columns in its order, and which rows it holds. The row's key comes behind
/// the columns.
struct Index {
    name: &'static str,
    columns: &'static [Column],
    rows: &'static str,
    holds: fn(&[Option<i64>]) -> bool,
}

/// Columns of `lookups` that indexes hold, in the order in which they are read.
#[derive(Clone, Copy)]
enum Column {
    TimeNs,
    Kind,
    Status,
    Model,
    Version,
    User,
    Label,
    LatencyUs,
    Input,
    RequestKey,
    SubjectKey,
    SessionKey,
    InputMacKey,
}

use Column::{
    Input, InputMacKey, Kind, Label, LatencyUs, Model, RequestKey, SessionKey, Status, SubjectKey,
    TimeNs, User, Version,
};

const NAMES: [&str; 13] = [
    "time_ns",
    "kind",
    "status",
    "model",
    "version",
    "user",
    "label",
    "latency_us",
    "input",
    "request_key",
    "subject_key",
    "session_key",
    "input_mac_key",
];

impl Column {
    fn of(self, row: &[Option<i64>]) -> Option<i64> {
        row.get(self as usize).copied().flatten()
    }

    fn name(self) -> &'static str {
        NAMES.get(self as usize).copied().unwrap_or("")
    }
}

/// An index on the rows whose first column is there.
macro_rules! index {
    ($name:literal, $first:ident $(, $more:ident)*) => {
        Index {
            name: $name,
            columns: &[$first $(, $more)*],
            rows: "IS NOT NULL",
            holds: |row| $first.of(row).is_some(),
        }
    };
}

const INDEXES: [Index; 12] = [
    index!("lookups_by_time", TimeNs),
    Index {
        name: "lookups_by_kind",
        columns: &[Kind, TimeNs],
        rows: "<> 1",
        holds: |row| Kind.of(row).is_some_and(|kind| kind != 1),
    },
    Index {
        name: "lookups_by_status",
        columns: &[Status, TimeNs],
        rows: "> 1",
        holds: |row| Status.of(row).is_some_and(|status| status > 1),
    },
    index!("lookups_by_model", Model, TimeNs, Version, User, Label, LatencyUs, Kind),
    index!("lookups_by_version", Version, TimeNs),
    index!("lookups_by_user", User, TimeNs),
    index!("lookups_by_label", Label, TimeNs),
    index!("lookups_by_input", Input, TimeNs),
    index!("lookups_by_request", RequestKey),
    index!("lookups_by_subject", SubjectKey, TimeNs),
    index!("lookups_by_session", SessionKey, TimeNs),
    index!("lookups_by_mac", InputMacKey),
];

/// Number of rows, and the sum of their hashes under a key that nobody knows beforehand.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    n: u64,
    hashes: u64,
}

impl Sum {
    fn add(&mut self, keys: &RandomState, row: &[Option<i64>]) {
        self.n += 1;
        self.hashes = self.hashes.wrapping_add(keys.hash_one(row));
    }
}

/// Holds every index that searches rely on against its table.
pub(super) fn check(db: &Connection) -> Result<Vec<Finding>, StoreError> {
    let keys = RandomState::new();
    let of_table = sum_lookups(db, &keys)?;
    let mut differing = Vec::new();
    for (index, sum) in INDEXES.iter().zip(of_table) {
        // An index that is gone or was defined anew cannot be read under its name.
        if sum_index(db, &keys, index).ok().flatten() != Some(sum) {
            differing.push(index.name);
        }
    }
    let mut findings = Vec::new();
    if !differing.is_empty() {
        findings = ask_sqlite(db, "lookups")?;
        if findings.is_empty() {
            let detail = format!("{} do not hold what their table does", differing.join(", "));
            findings.push(Finding::at(0, FindingKind::ChangedIndex, detail));
        }
    }
    if contents_differ(db, &keys)? {
        let detail = "contents_by_key does not hold what its table does";
        findings.push(Finding::at(0, FindingKind::ChangedIndex, detail));
    }
    findings.extend(ask_sqlite(db, "terms")?);
    Ok(findings)
}

fn integers(row: &Row<'_>, n: usize) -> Option<Vec<Option<i64>>> {
    (0..n).map(|at| row.get(at).ok()).collect()
}

/// For each index, the sum over the rows that it should hold.
fn sum_lookups(db: &Connection, keys: &RandomState) -> Result<Vec<Sum>, StoreError> {
    let mut sums = vec![Sum::default(); INDEXES.len()];
    let sql = format!("SELECT {}, idx FROM lookups NOT INDEXED", NAMES.join(", "));
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut entry = Vec::with_capacity(NAMES.len());
    while let Some(row) = rows.next()? {
        // A column that somebody made a text is in its index under that text; the sums then differ.
        let row = integers(row, NAMES.len() + 1).unwrap_or_default();
        let key = row.last().copied().flatten();
        for (index, sum) in INDEXES.iter().zip(&mut sums) {
            if (index.holds)(&row) {
                entry.clear();
                entry.extend(index.columns.iter().map(|column| column.of(&row)));
                entry.push(key);
                sum.add(keys, &entry);
            }
        }
    }
    Ok(sums)
}

/// The sum over an index's entries; `None` when they do not ascend or are no numbers.
fn sum_index(
    db: &Connection,
    keys: &RandomState,
    index: &Index,
) -> Result<Option<Sum>, StoreError> {
    let columns: Vec<&str> = index.columns.iter().map(|column| column.name()).collect();
    let columns = columns.join(", ");
    let first = index.columns.first().map_or("idx", |column| column.name());
    let sql = format!(
        "SELECT {columns}, idx FROM lookups INDEXED BY {} WHERE {first} {} ORDER BY {columns}, idx",
        index.name, index.rows
    );
    sum_ascending(db, keys, &sql, index.columns.len() + 1)
}

fn sum_ascending(
    db: &Connection,
    keys: &RandomState,
    sql: &str,
    n_columns: usize,
) -> Result<Option<Sum>, StoreError> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut sum = Sum::default();
    let mut before: Vec<Option<i64>> = Vec::new();
    while let Some(row) = rows.next()? {
        let Some(entry) = integers(row, n_columns) else { return Ok(None) };
        // SQLite puts NULL first, as Rust puts None.
        if entry <= before {
            return Ok(None);
        }
        sum.add(keys, &entry);
        before = entry;
    }
    Ok(Some(sum))
}

fn contents_differ(db: &Connection, keys: &RandomState) -> Result<bool, StoreError> {
    let of_table = "SELECT id, key FROM contents NOT INDEXED ORDER BY id";
    let mut statement = db.prepare(of_table)?;
    let mut rows = statement.query([])?;
    let mut sum = Sum::default();
    while let Some(row) = rows.next()? {
        let [id, key] = integers(row, 2).unwrap_or_default()[..] else { return Ok(true) };
        sum.add(keys, &[key, id]);
    }
    let of_index = "SELECT key, id FROM contents INDEXED BY contents_by_key ORDER BY key, id";
    Ok(sum_ascending(db, keys, of_index, 2)? != Some(sum))
}

/// What SQLite itself finds wrong with a table and its indexes.
fn ask_sqlite(db: &Connection, table: &str) -> Result<Vec<Finding>, StoreError> {
    let mut findings = Vec::new();
    let mut statement = db.prepare(&format!("PRAGMA integrity_check('{table}')"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        if text != "ok" {
            let index = if table == "lookups" { entry_of(db, &text)? } else { 0 };
            let detail = format!("SQLite says of the table {table}: {text}");
            findings.push(Finding::at(index, FindingKind::ChangedIndex, detail));
        }
    }
    Ok(findings)
}

/// The entry of SQLite's "row N missing from index …": its N-th row, from 1; 0 for other texts.
fn entry_of(db: &Connection, text: &str) -> Result<u64, StoreError> {
    let number = text.strip_prefix("row ").and_then(|rest| rest.split(' ').next());
    let Some(number) = number.and_then(|number| number.parse::<i64>().ok()) else { return Ok(0) };
    let sql = "SELECT idx FROM lookups NOT INDEXED ORDER BY idx LIMIT 1 OFFSET ?1";
    let index: Option<i64> = db.query_row(sql, [number - 1], |row| row.get(0)).optional()?;
    Ok(index.map_or(0, from_db))
}
