//! Lookup rows and indexes.

use super::*;

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
