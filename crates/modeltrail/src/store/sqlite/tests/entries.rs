//! Leaves, links and places.

use super::*;

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
    mend(&edited.open());
    assert_eq!(edited.findings(), [(Rollback, size - 100, size - 1)]);
    // Without the head mended, the ledger itself says that they were there.
    let edited = ledger();
    edited.sql(&everywhere(&format!("idx >= {}", size - 100)));
    assert_eq!(edited.findings(), [(TruncatedTail, size - 100, size - 1)]);

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
    mend(&db);
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
         metadata, pipeline, error, control, erased, salts FROM parts WHERE idx = {from}; \
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
