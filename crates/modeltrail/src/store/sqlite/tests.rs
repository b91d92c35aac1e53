//! Edits with plain SQL, as somebody with the file would make them, and the finding that each gives.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use modeltrail_core::verify::FindingKind::{self, *};
use modeltrail_core::{Leaf, Record, leaf::leaf_hash, merkle::Frontier};
use rusqlite::{Connection, params};

use super::codec::to_db;
use crate::check::{self, CheckOptions};
use crate::{Ack, Ledger, Recorder};

/// A ledger of 600 records with everything that an edit may touch.
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
    for n in 0..600 {
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

fn findings(path: &Path) -> Vec<(FindingKind, u64, u64)> {
    let ledger = Ledger::parse(&format!("sqlite:{}", path.display())).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    report.findings.iter().map(|f| (f.kind, f.index, f.index_end)).collect()
}

#[test]
fn nothing_is_found_where_nothing_was_edited_and_the_triggers_refuse_edits() {
    let edited = ledger();
    edited.expect(&[]);
    let db = Connection::open(&edited.path).unwrap();
    for table in ["leaves", "parts", "contents", "lookups", "terms", "head"] {
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
    ] {
        assert!(db.execute_batch(sql).is_err(), "{sql}");
    }
    edited.expect(&[]);
}

#[test]
fn changed_parts_are_named() {
    for (sql, at) in [
        ("UPDATE parts SET output = replace(output, 'fraud', 'legit') WHERE idx = 10", 10),
        (
            "UPDATE parts SET output = CAST(replace(CAST(output AS TEXT), 'ok', 'no') AS BLOB) WHERE idx = 12",
            12,
        ),
        (
            "UPDATE parts SET header = CAST(replace(CAST(header AS TEXT), 'v1', 'v9') AS BLOB) WHERE idx = 9",
            9,
        ),
        (
            "UPDATE parts SET parties = CAST(replace(CAST(parties AS TEXT), 'user', 'USER') AS BLOB) WHERE idx = 50",
            50,
        ),
        ("UPDATE parts SET metadata = x'7b7d' WHERE idx = 51", 51),
        ("UPDATE parts SET raw = 2 WHERE idx = 52", 52),
        ("UPDATE parts SET secret = zeroblob(32) WHERE idx = 53", 53),
        ("UPDATE parts SET secret = x'00' WHERE idx = 54", 54),
        // A plain input content, and a compressed one made plain garbage.
        (
            "UPDATE contents SET bytes = CAST(replace(CAST(bytes AS TEXT), 'short', 'SHORT') AS BLOB) \
          WHERE id = (SELECT input FROM parts WHERE idx = 100)",
            100,
        ),
        (
            "UPDATE contents SET bytes = x'0102' WHERE id = (SELECT input FROM parts WHERE idx = 101)",
            101,
        ),
        ("UPDATE contents SET form = 0 WHERE id = (SELECT input FROM parts WHERE idx = 103)", 103),
    ] {
        let edited = ledger();
        edited.sql(sql);
        assert_eq!(edited.findings(), [(ChangedPart, at, at)], "{sql}");
    }
}

#[test]
fn the_part_is_said_by_name() {
    let edited = ledger();
    edited.sql("UPDATE parts SET output = x'7b7d' WHERE idx = 10");
    let url = format!("sqlite:{}", edited.path.display());
    let ledger = Ledger::parse(&url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert!(report.findings[0].detail.contains("`output`"), "{:?}", report.findings);
}

#[test]
fn parts_that_are_gone_are_missing() {
    for (sql, at) in [
        ("DELETE FROM parts WHERE idx = 20", 20),
        ("UPDATE parts SET output = NULL WHERE idx = 21", 21),
        ("UPDATE parts SET input = NULL WHERE idx = 22", 22),
        ("DELETE FROM contents WHERE id = (SELECT input FROM parts WHERE idx = 23)", 23),
    ] {
        let edited = ledger();
        edited.sql(sql);
        assert_eq!(edited.findings(), [(MissingPart, at, at)], "{sql}");
    }
}

#[test]
fn changed_leaves_and_broken_links() {
    let at = |from: usize, to: usize, new: &str| {
        format!(
            "UPDATE leaves SET leaf = CAST(substr(leaf, 1, {from}) || {new} || substr(leaf, {to}) AS BLOB) WHERE idx = "
        )
    };
    // Fields of the leaf: kind, time, record id, producer, number, body; then prev.
    for (from, to, new) in [
        (1, 3, "x'02'"),
        (10, 19, "x'0000000000000001'"),
        (18, 20, "x'ff'"),
        (40, 43, "x'ffff'"),
        (52, 59, "x'ffffffffffff'"),
        (100, 103, "x'0000'"),
    ] {
        for index in [1, 300, 601] {
            let edited = ledger();
            edited.sql(&format!("{}{index}", at(from, to, new)));
            assert_eq!(
                edited.findings(),
                [(ChangedLeaf, index, index)],
                "bytes {from}, entry {index}"
            );
        }
    }
    for index in [1, 300, 601] {
        let edited = ledger();
        edited.sql(&format!("{}{index}", at(60, 63, "x'0000'")));
        edited.expect(&[(BrokenPrev, index)]);
    }
    let edited = ledger();
    edited.sql("UPDATE leaves SET hash = zeroblob(32) WHERE idx = 77");
    edited.expect(&[(ChangedLeaf, 77)]);
    let edited = ledger();
    edited.sql("UPDATE leaves SET leaf = x'0102' WHERE idx = 78");
    edited.expect(&[(ChangedLeaf, 78)]);
}

#[test]
fn missing_entries_in_the_middle_and_at_the_end_with_the_head_mended() {
    let edited = ledger();
    edited.sql("DELETE FROM leaves WHERE idx = 30; DELETE FROM parts WHERE idx = 30; DELETE FROM lookups WHERE idx = 30");
    edited.expect(&[(MissingEntry, 30)]);

    let edited = ledger();
    edited.sql("DELETE FROM leaves WHERE idx = 31");
    edited.expect(&[(MissingEntry, 31)]);

    let everywhere = |condition: &str| -> String {
        ["leaves", "parts", "lookups"]
            .map(|t| format!("DELETE FROM {t} WHERE {condition};"))
            .concat()
    };
    let edited = ledger();
    edited.sql(&everywhere("idx BETWEEN 200 AND 299"));
    assert_eq!(edited.findings(), [(MissingEntry, 200, 299)]);

    // The last 100, and the head mended so that all that is left fits together.
    let edited = ledger();
    let size: u64 = 602;
    edited.sql(&everywhere(&format!("idx >= {}", size - 100)));
    mend_head(&edited.open());
    assert_eq!(edited.findings(), [(MissingEntry, size - 100, size - 1)]);

    // 100 in the middle, everything behind them renumbered, the head mended.
    let edited = ledger();
    let db = edited.open();
    db.execute_batch(&everywhere("idx BETWEEN 200 AND 299")).unwrap();
    for table in ["leaves", "parts", "lookups"] {
        for index in 300..602 {
            let sql = format!("UPDATE {table} SET idx = ?1 WHERE idx = ?2");
            db.execute(&sql, params![index - 100, index]).unwrap();
        }
    }
    mend_head(&db);
    assert_eq!(edited.findings(), [(MissingEntry, 200, 299)]);
}

#[test]
fn moved_and_inserted_entries() {
    let swap = |a: u64, b: u64| -> String {
        ["leaves", "parts", "lookups"]
            .map(|t| format!(
                "UPDATE {t} SET idx = -1 WHERE idx = {a}; UPDATE {t} SET idx = {a} WHERE idx = {b}; \
                 UPDATE {t} SET idx = {b} WHERE idx = -1;"
            ))
            .concat()
    };
    let edited = ledger();
    edited.sql(&swap(40, 45));
    edited.expect(&[(MovedEntry, 40), (MovedEntry, 45)]);
    let edited = ledger();
    edited.sql(&swap(40, 41));
    edited.expect(&[(MovedEntry, 40), (MovedEntry, 41)]);

    let copy = |from: u64, to: u64| -> String {
        "INSERT INTO leaves SELECT {to}, leaf, hash FROM leaves WHERE idx = {from}; \
         INSERT INTO parts SELECT {to}, secret, checks, raw, zstd, header, input, output, parties, \
         metadata, pipeline, error, control FROM parts WHERE idx = {from}; \
         INSERT INTO lookups SELECT {to}, time_ns, kind, status, model, version, user, label, \
         latency_us, input, request_key, subject_key, session_key, input_mac_key \
         FROM lookups WHERE idx = {from};"
            .replace("{from}", &from.to_string())
            .replace("{to}", &to.to_string())
    };
    // At the end, behind the head.
    let edited = ledger();
    edited.sql(&copy(10, 602));
    edited.expect(&[(InsertedEntry, 602)]);
    // In the middle, everything behind it renumbered.
    let edited = ledger();
    let db = edited.open();
    for table in ["leaves", "parts", "lookups"] {
        for index in (400..602).rev() {
            let sql = format!("UPDATE {table} SET idx = ?1 WHERE idx = ?2");
            db.execute(&sql, params![index + 1, index]).unwrap();
        }
    }
    db.execute_batch(&copy(10, 400)).unwrap();
    drop(db);
    edited.expect(&[(InsertedEntry, 400)]);
}

#[test]
fn lookup_rows_are_held_against_their_parts() {
    for column in [
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
    ] {
        let edited = ledger();
        edited.sql(&format!("UPDATE lookups SET {column} = {column} + 1 WHERE idx = 60"));
        edited.expect(&[(ChangedLookup, 60)]);
    }
    let edited = ledger();
    edited.sql("UPDATE lookups SET user = NULL WHERE idx = 61");
    edited.expect(&[(ChangedLookup, 61)]);
    let edited = ledger();
    edited.sql("DELETE FROM lookups WHERE idx = 62");
    edited.expect(&[(HiddenLookup, 62)]);
    let edited = ledger();
    edited.sql("INSERT INTO lookups (idx, time_ns, kind) VALUES (5000, 1, 1)");
    edited.expect(&[(InventedLookup, 5000)]);
    let edited = ledger();
    edited.sql("UPDATE contents SET hash = zeroblob(32) WHERE id = (SELECT input FROM parts WHERE idx = 63)");
    edited.expect(&[(ChangedLookup, 63)]);
    // A term that many rows share: every one of them is found.
    let edited = ledger();
    edited.sql("UPDATE terms SET text = 'somebody' WHERE text = 'user3'");
    let found: BTreeSet<_> =
        edited.findings().into_iter().map(|(kind, at, _)| (kind, at)).collect();
    assert_eq!(found.len(), 600 / 7 + usize::from(600 % 7 > 3));
    assert!(found.iter().all(|(kind, at)| *kind == ChangedLookup && (at - 1) % 7 == 3));
}

#[test]
fn an_index_that_passes_an_entry_over_is_found() {
    let edited = ledger();
    let db = edited.open();
    // The row goes back without its index entry: the index is made partial for a moment.
    db.execute_batch(
        "PRAGMA writable_schema = ON; \
         UPDATE sqlite_master SET sql = replace(sql, 'WHERE user IS NOT NULL', 'WHERE user IS NOT NULL AND idx <> 64') \
         WHERE name = 'lookups_by_user';",
    )
    .unwrap();
    drop(db);
    let db = Connection::open(&edited.path).unwrap();
    db.execute_batch(
        "REINDEX lookups_by_user; PRAGMA writable_schema = ON; \
         UPDATE sqlite_master SET sql = replace(sql, ' AND idx <> 64', '') WHERE name = 'lookups_by_user';",
    )
    .unwrap();
    drop(db);
    edited.expect(&[(ChangedIndex, 64)]);
}

#[test]
fn the_head_is_held_against_the_entries() {
    let edited = ledger();
    edited.sql("UPDATE head SET root = zeroblob(32)");
    edited.expect(&[(ChangedHead, 601)]);
    let edited = ledger();
    edited.sql("UPDATE head SET size = 700");
    assert_eq!(edited.findings(), [(MissingEntry, 602, 699)]);
}

#[test]
fn what_stands_beside_the_root_is_held_against_the_entries_too() {
    for sql in [
        "UPDATE head SET last_leaf = zeroblob(32)",
        "UPDATE head SET time_us = time_us + 1",
        "UPDATE head SET frontier = zeroblob(length(frontier))",
        "UPDATE head SET frontier = x'00'",
    ] {
        let edited = ledger();
        edited.sql(sql);
        assert_eq!(edited.findings(), [(ChangedHead, 601, 601)], "{sql}");
    }
    let edited = ledger();
    edited.sql(
        "UPDATE contents SET key = key + 1 WHERE id = (SELECT input FROM parts WHERE idx = 64)",
    );
    edited.expect(&[(ChangedLookup, 64)]);
}

#[test]
fn rows_where_no_entry_can_be_are_found() {
    for (key, at) in [(-5, 0), (i64::MAX, i64::MAX.cast_unsigned()), (700, 700)] {
        let edited = ledger();
        edited.sql(&format!("INSERT INTO lookups (idx, time_ns, kind) VALUES ({key}, 1, 1)"));
        assert_eq!(edited.findings(), [(InventedLookup, at, at)], "{key}");
        let edited = ledger();
        edited
            .sql(&format!("INSERT INTO leaves SELECT {key}, leaf, hash FROM leaves WHERE idx = 9"));
        assert_eq!(edited.findings(), [(InsertedEntry, at, at)], "{key}");
    }
}

#[test]
fn a_ledger_under_another_name_does_not_fit_its_anchor() {
    let edited = ledger();
    let db = edited.open();
    db.execute_batch("UPDATE meta SET value = 'example.com/other' WHERE key = 'origin'").unwrap();
    let mut statement = db.prepare("SELECT leaf FROM leaves WHERE idx = 0").unwrap();
    let bytes: Vec<u8> = statement.query_row([], |row| row.get(0)).unwrap();
    drop(statement);
    let mut leaf = Leaf::decode(&bytes).unwrap();
    leaf.prev = modeltrail_core::leaf::origin_prev("example.com/other");
    let bytes = leaf.encode();
    db.execute("UPDATE leaves SET leaf = ?1 WHERE idx = 0", params![bytes]).unwrap();
    relink(&db, 1);
    drop(db);
    edited.expect(&[(AnchorMismatch, 0), (AnchorMismatch, 601)]);
}

/// Gives the leaves from `from` on new links and hashes, and the head a new root: what somebody
/// would do who knows the format and has the database, but not the anchor.
fn relink(db: &Connection, from: u64) {
    let mut statement = db.prepare("SELECT idx, leaf, hash FROM leaves ORDER BY idx").unwrap();
    let leaves: Vec<(i64, Vec<u8>)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    drop(statement);
    let mut prev = None;
    for (index, bytes) in leaves {
        let mut leaf = Leaf::decode(&bytes).unwrap();
        if index >= to_db(from) {
            leaf.prev = prev.unwrap_or(leaf.prev);
        }
        let bytes = leaf.encode();
        let hash = leaf_hash(&bytes);
        db.execute(
            "UPDATE leaves SET leaf = ?1, hash = ?2 WHERE idx = ?3",
            params![bytes, hash.0, index],
        )
        .unwrap();
        prev = Some(hash);
    }
    mend_head(db);
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

fn edit_leaf(db: &Connection, index: u64, edit: impl FnOnce(&mut Leaf)) {
    let bytes: Vec<u8> = db
        .query_row("SELECT leaf FROM leaves WHERE idx = ?1", [to_db(index)], |row| row.get(0))
        .unwrap();
    let mut leaf = Leaf::decode(&bytes).unwrap();
    edit(&mut leaf);
    let bytes = leaf.encode();
    db.execute("UPDATE leaves SET leaf = ?1 WHERE idx = ?2", params![bytes, to_db(index)]).unwrap();
}

/// As [`Edited::expect`], with the anchor mended too: what is left is what the entries say.
fn expect_after_relink(edited: &Edited, from: u64, expected: &[(FindingKind, u64)]) {
    relink(&edited.open(), from);
    let last = 601;
    let mut with_anchor: Vec<_> = expected.iter().map(|(kind, at)| (*kind, *at, *at)).collect();
    with_anchor.push((AnchorMismatch, last, last));
    with_anchor.sort_by_key(|(kind, at, _)| (*at, *kind));
    assert_eq!(edited.findings(), with_anchor);
}

#[test]
fn a_history_rewritten_in_full_is_found_by_the_anchor() {
    let edited = ledger();
    edit_leaf(&edited.open(), 100, |leaf| leaf.time_us += 1);
    expect_after_relink(&edited, 101, &[]);
}

#[test]
fn a_producer_gap_and_a_time_that_goes_back() {
    let edited = ledger();
    edit_leaf(&edited.open(), 200, |leaf| leaf.time_us = 5);
    expect_after_relink(&edited, 201, &[(TimeBack, 200)]);

    // Entry 200 takes a number further on, and so do all behind it: one number is not covered.
    let edited = ledger();
    let db = edited.open();
    for index in 200..602 {
        edit_leaf(&db, index, |leaf| leaf.producer_seq += 1);
    }
    drop(db);
    expect_after_relink(&edited, 200, &[(ProducerGap, 200)]);

    let edited = ledger();
    edit_leaf(&edited.open(), 200, |leaf| leaf.producer_seq -= 1);
    expect_after_relink(&edited, 200, &[(ProducerRepeat, 200), (ProducerGap, 201)]);
}

#[test]
fn several_edits_give_several_findings() {
    let edited = ledger();
    edited.sql(
        "UPDATE parts SET output = x'7b7d' WHERE idx = 10; DELETE FROM lookups WHERE idx = 500; \
         UPDATE leaves SET hash = zeroblob(32) WHERE idx = 300; UPDATE lookups SET label = NULL WHERE idx = 20;",
    );
    edited.expect(&[
        (ChangedPart, 10),
        (ChangedLookup, 20),
        (ChangedLeaf, 300),
        (HiddenLookup, 500),
    ]);
}

#[test]
fn a_byte_changed_in_the_file_itself() {
    let edited = ledger();
    let db = Connection::open(&edited.path).unwrap();
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let output: Vec<u8> =
        db.query_row("SELECT parties FROM parts WHERE idx = 70", [], |row| row.get(0)).unwrap();
    drop(db);
    let mut file = std::fs::read(&edited.path).unwrap();
    let at = file.windows(output.len()).position(|window| window == output).unwrap();
    let user = file[at..].windows(4).position(|window| window == b"user").unwrap();
    file[at + user + 4] ^= 1;
    std::fs::write(&edited.path, file).unwrap();
    edited.expect(&[(ChangedPart, 70)]);
}
