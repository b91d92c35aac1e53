//! Heads, anchors, and histories that were rewritten in full.

use super::*;

#[test]
fn the_head_is_held_against_the_entries() {
    let edited = ledger();
    edited.sql("UPDATE head SET root = zeroblob(32)");
    edited.expect(&[(ChangedHead, 601)]);
    let edited = ledger();
    edited.sql("UPDATE head SET size = 700");
    assert_eq!(edited.findings(), [(TruncatedTail, 602, 699)]);
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
fn a_head_that_says_too_much_or_nothing_and_an_anchor_that_is_none() {
    let edited = ledger();
    edited.sql(&format!("UPDATE head SET size = {}", i64::MAX));
    assert_eq!(edited.findings(), [(TruncatedTail, 602, i64::MAX.cast_unsigned() - 1)]);
    for sql in ["UPDATE head SET root = x''", "UPDATE head SET time_us = 'a'", "DELETE FROM head"] {
        let edited = ledger();
        edited.sql(sql);
        assert_eq!(edited.findings(), [(ChangedHead, 0, 0)], "{sql}");
    }
    for text in [&b""[..], b"\xff\xfe", b"example.com/edited\n602\n"] {
        let edited = ledger();
        std::fs::write(edited.path.with_extension("db.d").join("anchor"), text).unwrap();
        assert_eq!(edited.findings(), [(AnchorMismatch, 0, 0)]);
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
    edited.expect(&[(AnchorMismatch, 0)]);
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
    mend(db);
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
