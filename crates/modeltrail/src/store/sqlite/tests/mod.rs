//! Edits with plain SQL, as somebody with the file would make them, and the finding that each gives.

mod entries;
mod history;
mod lookups;
mod parts;
mod tiles;
mod upgrade;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use modeltrail_core::verify::FindingKind::{self, *};
use modeltrail_core::{Leaf, Record, leaf::leaf_hash, merkle::Frontier};
use rusqlite::{Connection, params};

use super::codec::to_db;
use crate::check::{self, CheckOptions};
use crate::store::tree::grow;
use crate::{Ack, Ledger, Recorder};

/// A ledger of 602 entries with everything that an edit may touch.
struct Edited {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn record(n: u64) -> Record {
    let text = "a longer text, so that the part is stored compressed; ".repeat(20);
    let record = Record::prediction("fraud_detector", if n < 300 { "v1" } else { "v2" })
        .request_id(format!("r{n}"))
        .timestamp_ns(1_700_000_000_000_000_000 + i64::try_from(n).unwrap() * 1_000_000)
        .input(serde_json::json!({"amount": n, "text": if n.is_multiple_of(2) { &text } else { "short" }}))
        .output(serde_json::json!({"prediction": if n.is_multiple_of(3) { "fraud" } else { "ok" }}))
        .user_id(format!("user{}", n % 7))
        .subject_id(format!("subject{n}"))
        .session_id(format!("session{}", n / 10))
        .metadata(serde_json::json!({"region": "eu"}))
        .latency_ms(12.5);
    if n.is_multiple_of(5) { record.error("timeout", "upstream took too long") } else { record }
}

fn ledger() -> Edited {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.db");
    let url = format!("sqlite:{}", path.display());
    let recorder = Recorder::options().create("example.com/edited").open(&url).unwrap();
    // Record n is entry n + 1: before the first the recorder says that it is there, its policy, and what
    // its canary scan found.
    for n in 2..600 {
        recorder.record(record(n)).unwrap();
    }
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    Edited { _dir: dir, path }
}

impl Edited {
    /// A connection without the triggers, as somebody who means it would make one.
    fn open(&self) -> Connection {
        let db = Connection::open(&self.path).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        let mut statement =
            db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").unwrap();
        let names: Vec<String> =
            statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        drop(statement);
        for name in names {
            db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        db
    }

    fn sql(&self, sql: &str) -> &Self {
        self.open().execute_batch(sql).unwrap();
        self
    }

    fn findings(&self) -> Vec<(FindingKind, u64, u64)> {
        findings(&self.path)
    }

    #[track_caller]
    fn expect(&self, expected: &[(FindingKind, u64)]) {
        let runs: Vec<_> = expected.iter().map(|(kind, at)| (*kind, *at, *at)).collect();
        assert_eq!(self.findings(), runs);
    }
}

fn report(path: &Path) -> check::CheckReport {
    let ledger = Ledger::parse(&format!("sqlite:{}", path.display())).unwrap();
    check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap()
}

fn findings(path: &Path) -> Vec<(FindingKind, u64, u64)> {
    report(path).findings.iter().map(|f| (f.kind, f.index, f.index_end)).collect()
}

#[test]
fn nothing_is_found_where_nothing_was_edited_and_the_triggers_refuse_edits() {
    let edited = ledger();
    edited.expect(&[]);
    let db = Connection::open(&edited.path).unwrap();
    let tables = ["leaves", "parts", "contents", "lookups", "terms", "head", "tiles"];
    for table in tables {
        let error = db.execute_batch(&format!("DELETE FROM {table}")).unwrap_err();
        let said = error.to_string();
        assert!(said.contains("append-only") || said.contains("never deleted"), "{table}: {said}");
    }
    for sql in [
        "UPDATE leaves SET leaf = x'00'",
        "UPDATE parts SET header = x'00'",
        "UPDATE contents SET bytes = x'00'",
        "UPDATE lookups SET user = 1",
        "UPDATE terms SET text = 'x'",
        "UPDATE head SET size = 1",
        "UPDATE tiles SET root = x'00'",
    ] {
        assert!(db.execute_batch(sql).is_err(), "{sql}");
    }
    edited.expect(&[]);
}

/// Makes head and tiles fit the leaf hashes, as somebody would who rewrites history.
fn mend(db: &Connection) {
    mend_head(db);
    let transaction = db.unchecked_transaction().unwrap();
    transaction.execute("DELETE FROM tiles", []).unwrap();
    let size: i64 = db.query_row("SELECT size FROM head", [], |row| row.get(0)).unwrap();
    let size = u64::try_from(size).unwrap();
    grow(&mut super::tree::Rows(&transaction), 0, size).unwrap();
    transaction.commit().unwrap();
}

fn mend_head(db: &Connection) {
    let mut statement = db.prepare("SELECT hash FROM leaves ORDER BY idx").unwrap();
    let hashes: Vec<[u8; 32]> =
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut frontier = Frontier::new();
    hashes.iter().for_each(|hash| frontier.push(modeltrail_core::Hash(*hash)));
    db.execute(
        "UPDATE head SET size = ?1, root = ?2, last_leaf = ?3, frontier = ?4",
        params![
            to_db(frontier.size()),
            frontier.root().0,
            hashes.last().unwrap(),
            frontier.to_bytes()
        ],
    )
    .unwrap();
}
