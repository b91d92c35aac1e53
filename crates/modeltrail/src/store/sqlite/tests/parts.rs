//! Parts that were changed or are gone.

use super::*;

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
        ("UPDATE parts SET raw = 'x' WHERE idx = 55", 55),
        ("UPDATE parts SET zstd = 'x' WHERE idx = 56", 56),
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
