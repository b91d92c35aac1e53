//! Edits of tiles, and edits of leaves that the tiles would show too.

use super::super::Access;
use super::*;
use crate::store::{SqliteStore, Store};

/// Entries under tile `n` of level 0.
fn under(n: u64) -> (FindingKind, u64, u64) {
    (ChangedTile, n * 256, n * 256 + 255)
}

#[test]
fn changed_tiles_are_named() {
    for (sql, expected) in [
        ("UPDATE tiles SET hashes = zeroblob(8192) WHERE n = 1", vec![under(1)]),
        ("UPDATE tiles SET hashes = x'00' WHERE n = 0", vec![under(0)]),
        ("UPDATE tiles SET hashes = hashes || x'00' WHERE n = 0", vec![under(0)]),
        ("UPDATE tiles SET hashes = 7 WHERE n = 0", vec![under(0)]),
        ("UPDATE tiles SET root = zeroblob(32) WHERE n = 1", vec![under(1)]),
        ("UPDATE tiles SET root = 'no root' WHERE n = 1", vec![under(1)]),
        ("DELETE FROM tiles WHERE n = 1", vec![under(1)]),
        ("DELETE FROM tiles", vec![(ChangedTile, 0, 511)]),
        ("UPDATE tiles SET hashes = zeroblob(8192)", vec![(ChangedTile, 0, 511)]),
        ("UPDATE tiles SET n = 7 WHERE n = 1", vec![under(1), under(7)]),
        ("UPDATE tiles SET level = 1 WHERE n = 0", vec![under(0), (ChangedTile, 0, 65_535)]),
        ("INSERT INTO tiles SELECT level, 2, root, hashes FROM tiles WHERE n = 1", vec![under(2)]),
        (
            "INSERT INTO tiles SELECT 'a', -5, root, hashes FROM tiles WHERE n = 1",
            vec![(ChangedTile, u64::MAX, u64::MAX)],
        ),
    ] {
        let edited = ledger();
        edited.sql(sql);
        assert_eq!(edited.findings(), expected, "{sql}");
    }
}

#[test]
fn one_hash_of_a_tile_is_enough() {
    let edited = ledger();
    let db = edited.open();
    let sql = "SELECT hashes FROM tiles WHERE n = 1";
    let mut hashes: Vec<u8> = db.query_row(sql, [], |row| row.get(0)).unwrap();
    hashes[8191] ^= 1;
    db.execute("UPDATE tiles SET hashes = ?1 WHERE n = 1", [hashes]).unwrap();
    assert_eq!(edited.findings(), [under(1)]);
    let report = report(&edited.path);
    let detail = &report.findings[0].detail;
    assert_eq!(detail, "tile 1 of level 0: 1 hashes are not those of the entries");
}

#[test]
fn a_tile_of_a_higher_level_is_held_against_the_entries() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.db");
    let mut store = SqliteStore::create(&path, "example.com/edited").unwrap();
    crate::proofs::tests::append(&mut store, 65_800);
    assert_eq!(store.verify_tiles().unwrap(), []);
    let edited = Edited { _dir: dir, path };
    let db = edited.open();
    db.execute_batch(
        "UPDATE tiles SET hashes = zeroblob(8192) WHERE level = 1;
         UPDATE tiles SET hashes = zeroblob(8192), root = zeroblob(32) WHERE level = 0 AND n = 3;
         DELETE FROM tiles WHERE level = 0 AND n IN (10, 11, 12, 255, 256)",
    )
    .unwrap();
    let store = SqliteStore::open(&edited.path, Access::Read).unwrap();
    let found = store.verify_tiles().unwrap();
    let mut found: Vec<_> = found.iter().map(|f| (f.kind, f.index, f.index_end)).collect();
    found.sort();
    let runs = [(0, 65_535), (768, 1023), (2560, 3327), (65_280, 65_791)];
    assert_eq!(found, runs.map(|(first, last)| (ChangedTile, first, last)));
}

#[test]
fn an_edit_of_a_leaf_is_not_told_again_by_its_tile() {
    let edited = ledger();
    edited
        .sql("UPDATE leaves SET hash = zeroblob(32) WHERE idx = 100")
        .expect(&[(ChangedLeaf, 100)]);
    let edited = ledger();
    edited.sql("UPDATE leaves SET hash = 'none' WHERE idx = 300").expect(&[(ChangedLeaf, 300)]);
    let edited = ledger();
    edited.sql("DELETE FROM leaves WHERE idx = 5").expect(&[(MissingEntry, 5)]);
}

#[test]
fn a_rewritten_entry_that_fits_its_neighbours_is_shown_by_its_tile() {
    let edited = ledger();
    let db = edited.open();
    // The last entry under tile 1 and all behind it anew, chained, the head mended: without an
    // anchor nothing but the tile tells.
    rewrite_from(&db, 511);
    std::fs::remove_file(format!("{}.d/anchor", edited.path.display())).unwrap();
    assert_eq!(edited.findings(), [under(1)]);
}

/// Gives every entry from `first` on another time, with leaf hashes and links that fit.
fn rewrite_from(db: &Connection, first: i64) {
    let mut prev: Option<[u8; 32]> = None;
    let mut statement =
        db.prepare("SELECT idx, leaf FROM leaves WHERE idx >= ?1 ORDER BY idx").unwrap();
    let rows: Vec<(i64, Vec<u8>)> = statement
        .query_map([first], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (index, bytes) in rows {
        let mut leaf = Leaf::decode(&bytes).unwrap();
        leaf.time_us += 1;
        if let Some(prev) = prev {
            leaf.prev = modeltrail_core::Hash(prev);
        }
        let bytes = leaf.encode();
        let hash = leaf_hash(&bytes);
        db.execute(
            "UPDATE leaves SET leaf = ?2, hash = ?3 WHERE idx = ?1",
            params![index, bytes, hash.0],
        )
        .unwrap();
        prev = Some(hash.0);
        db.execute("UPDATE head SET time_us = ?1", [to_db(leaf.time_us)]).unwrap();
    }
    mend_head(db);
}
