//! Indexes against their tables: an entry that only a search would miss.
//!
//! SQLite's own `integrity_check` looks every row up in every index, which on random keys costs more
//! than all the hashing of a verification. Here each side is read once, in the order in which it
//! lies: a keyed sum over the rows of the table must be the sum over the entries of the index, and
//! the entries must ascend, so that a search finds each of them. Only where they differ is SQLite
//! asked which row it is.

mod sum;

use modeltrail_core::verify::{Finding, FindingKind};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::super::StoreError;
use super::codec::from_db;
use sum::{Keys, Sum};

/// An index: its name, the columns in its order, and which rows it holds. Where the row's key is not
/// among the columns it comes behind them.
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
    Idx,
}

use Column::{
    Idx, Input, InputMacKey, Kind, Label, LatencyUs, Model, RequestKey, SessionKey, Status,
    SubjectKey, TimeNs, User, Version,
};

/// Number of columns that are read.
const N_COLUMNS: usize = 14;

const NAMES: [&str; N_COLUMNS] = [
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
    "idx",
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
            columns: &[$first $(, $more)*, Idx],
            rows: "IS NOT NULL",
            holds: |row| $first.of(row).is_some(),
        }
    };
}

const INDEXES: [Index; 12] = [
    index!("lookups_by_time", TimeNs),
    Index {
        name: "lookups_by_kind",
        columns: &[Kind, TimeNs, Idx],
        rows: "<> 1",
        holds: |row| Kind.of(row).is_some_and(|kind| kind != 1),
    },
    Index {
        name: "lookups_by_status",
        columns: &[Status, TimeNs, Idx],
        rows: "> 1",
        holds: |row| Status.of(row).is_some_and(|status| status > 1),
    },
    Index {
        name: "lookups_by_model",
        columns: &[Model, TimeNs, Idx, Version, User, Label, LatencyUs, Kind],
        rows: "IS NOT NULL",
        holds: |row| Model.of(row).is_some(),
    },
    index!("lookups_by_version", Version, TimeNs),
    index!("lookups_by_user", User, TimeNs),
    index!("lookups_by_label", Label, TimeNs),
    index!("lookups_by_input", Input, TimeNs),
    index!("lookups_by_request", RequestKey),
    index!("lookups_by_subject", SubjectKey, TimeNs),
    index!("lookups_by_session", SessionKey, TimeNs),
    index!("lookups_by_mac", InputMacKey),
];

/// Holds every index that searches rely on against its table.
pub(super) fn check(db: &Connection) -> Result<Vec<Finding>, StoreError> {
    let keys = Keys::random();
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

/// Reads a row's first columns into `into`; false when one of them is no number.
fn read(row: &Row<'_>, into: &mut [Option<i64>]) -> bool {
    into.iter_mut().enumerate().all(|(at, into)| match row.get_ref(at) {
        Ok(ValueRef::Integer(value)) => {
            *into = Some(value);
            true
        }
        Ok(ValueRef::Null) => {
            *into = None;
            true
        }
        _ => false,
    })
}

/// For each index, the sum over the rows that it should hold.
fn sum_lookups(db: &Connection, keys: &Keys) -> Result<Vec<Sum>, StoreError> {
    let mut sums = vec![Sum::default(); INDEXES.len()];
    let sql = format!("SELECT {} FROM lookups NOT INDEXED", NAMES.join(", "));
    let mut statement = db.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut row = [None; N_COLUMNS];
    while let Some(found) = rows.next()? {
        if !read(found, &mut row) {
            // A column that somebody made a text is in its index under that text; without this row
            // the sums then differ.
            continue;
        }
        for (index, sum) in INDEXES.iter().zip(&mut sums) {
            if (index.holds)(&row) {
                sum.add(keys, index.columns.iter().map(|column| column.of(&row)));
            }
        }
    }
    Ok(sums)
}

/// The sum over an index's entries; `None` when they do not ascend or are no numbers.
fn sum_index(db: &Connection, keys: &Keys, index: &Index) -> Result<Option<Sum>, StoreError> {
    let columns: Vec<&str> = index.columns.iter().map(|column| column.name()).collect();
    let columns = columns.join(", ");
    let first = index.columns.first().map_or("idx", |column| column.name());
    let sql = format!(
        "SELECT {columns} FROM lookups INDEXED BY {} WHERE {first} {} ORDER BY {columns}",
        index.name, index.rows
    );
    sum_ascending(db, keys, &sql, index.columns.len())
}

fn sum_ascending(
    db: &Connection,
    keys: &Keys,
    sql: &str,
    n_columns: usize,
) -> Result<Option<Sum>, StoreError> {
    let mut statement = db.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut sum = Sum::default();
    // Two rows by turns; the columns that an index does not have stay `None` in both.
    let (mut entry, mut before) = ([None; N_COLUMNS], None);
    while let Some(row) = rows.next()? {
        let Some(columns) = entry.get_mut(..n_columns) else { return Ok(None) };
        // SQLite puts NULL first, as Rust puts None.
        if !read(row, columns) || Some(entry) <= before {
            return Ok(None);
        }
        sum.add(keys, entry.into_iter().take(n_columns));
        before = Some(entry);
    }
    Ok(Some(sum))
}

fn contents_differ(db: &Connection, keys: &Keys) -> Result<bool, StoreError> {
    let of_table = "SELECT key, id FROM contents NOT INDEXED ORDER BY id";
    let mut statement = db.prepare(of_table)?;
    let mut rows = statement.query([])?;
    let mut sum = Sum::default();
    let mut entry = [None; 2];
    while let Some(row) = rows.next()? {
        if !read(row, &mut entry) {
            return Ok(true);
        }
        sum.add(keys, entry.into_iter());
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
