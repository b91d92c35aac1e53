//! Attackers who can write to the database and have no key.

use modeltrail::store::Store as _;
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::verify::FindingKind::*;
use modeltrail_core::{Leaf, PartId};

use crate::room::{EARLIER, Found, Room, SIZE, append, put_back, rewrite, take_all};

/// What shows a rewritten history to who has only the database and a pinned key: nothing is found, but
/// nothing is signed either.
#[track_caller]
fn nothing_is_signed(room: &Room) {
    let report = room.report();
    assert_eq!((report.findings, report.signed_size), (vec![], None));
}

#[track_caller]
fn one(found: &[Found], kind: modeltrail_core::verify::FindingKind, index: u64) {
    assert_eq!(found, [(kind, index, index)]);
}

#[test]
fn nobody_attacked() {
    let room = Room::new();
    let report = room.report();
    assert_eq!((report.findings, report.signed_size), (vec![], Some(SIZE)));
    assert_eq!(report.n_checkpoints, 2);
    assert_eq!(room.t1(&room.kept()), []);
}

#[test]
fn edit_a_record() {
    let room = Room::new();
    room.sql(r#"UPDATE parts SET output = CAST('{"prediction":"fraud"}' AS BLOB) WHERE idx = 20"#);
    one(&room.t0(), ChangedPart, 20);
}

#[test]
fn edit_a_record_and_rewrite_everything_after_it() {
    let room = Room::new();
    let kept = room.kept();
    let mut entries = take_all(&room);
    *entries[20].part(PartId::Output) = br#"{"prediction":"fraud"}"#.to_vec();
    let rewritten = rewrite(&entries);
    nothing_is_signed(&rewritten);
    // With the old checkpoints left in it, so that it looks signed: T0 sees that they are of others.
    let mut store = rewritten.store();
    let mut old = Vec::new();
    room.store().checkpoints(0..u64::MAX, &mut |_, read| old.push(read.unwrap())).unwrap();
    old.iter().for_each(|checkpoint| store.put_checkpoint(checkpoint).unwrap());
    drop(store);
    assert_eq!(rewritten.t0(), [(Fork, EARLIER - 1, SIZE - 1)]);
    assert_eq!(rewrite(&entries).t1(&kept), [(Fork, SIZE - 1, SIZE - 1)]);
}

#[test]
fn delete_a_record() {
    let gone = |table: &str| format!("DELETE FROM {table} WHERE idx = 20;");
    let all = ["leaves", "parts", "lookups"].map(gone).concat();
    let room = Room::new();
    room.sql(&all);
    one(&room.t0(), MissingEntry, 20);
    // Everything after it rewritten: its producer's numbers have a hole, whoever signs.
    let whole = Room::new();
    let kept = whole.kept();
    let mut entries = take_all(&whole);
    entries.remove(20);
    let rewritten = rewrite(&entries);
    one(&rewritten.t0(), ProducerGap, 20);
    // The numbers rewritten as well: the producer's last entry says how many there were.
    for entry in &mut entries[20..] {
        entry.leaf.producer_seq -= 1;
    }
    let rewritten = rewrite(&entries);
    one(&rewritten.t0(), ProducerGap, SIZE - 2);
    // And that one too: then only what is signed or kept elsewhere knows.
    let last = entries.last_mut().unwrap();
    let said = String::from_utf8(last.part(PartId::Control).clone()).unwrap();
    let next = format!("\"next_seq\":{SIZE}");
    assert!(said.contains(&next), "{said}");
    let said = said.replace(&next, &format!("\"next_seq\":{}", SIZE - 1));
    *last.part(PartId::Control) = said.into_bytes();
    let rewritten = rewrite(&entries);
    nothing_is_signed(&rewritten);
    assert_eq!(rewritten.t1(&kept), [(Rollback, SIZE - 1, SIZE - 1)]);
}

#[test]
fn swap_two_records() {
    let swap = |table: &str| {
        format!(
            "UPDATE {table} SET idx = -1 WHERE idx = 20; UPDATE {table} SET idx = 20 WHERE idx = 25; \
             UPDATE {table} SET idx = 25 WHERE idx = -1;"
        )
    };
    let room = Room::new();
    let kept = room.kept();
    let mut entries = take_all(&room);
    room.sql(&["leaves", "parts", "lookups"].map(swap).concat());
    assert_eq!(room.t0(), [(MovedEntry, 20, 20), (MovedEntry, 25, 25)]);
    // With everything rewritten the producer's numbers stand in another order.
    entries.swap(20, 25);
    let rewritten = rewrite(&entries);
    let found = rewritten.t0();
    assert!(found.iter().any(|(kind, ..)| *kind == ProducerRepeat), "{found:?}");
    let found = rewritten.t1(&kept);
    assert!(found.contains(&(Fork, SIZE - 1, SIZE - 1)), "{found:?}");
}

#[test]
fn insert_a_record_with_an_earlier_time() {
    let room = Room::new();
    let kept = room.kept();
    let mut entries = take_all(&room);
    // In the middle of the tables, where the head and the links know nothing of it.
    let shift = |table: &str| {
        let steps = (21..SIZE)
            .rev()
            .map(|index| format!("UPDATE {table} SET idx = {} WHERE idx = {index};", index + 1));
        steps.collect::<String>()
    };
    room.sql(&["leaves", "parts", "lookups"].map(shift).concat());
    room.sql(
        "INSERT INTO leaves SELECT 21, leaf, hash FROM leaves WHERE idx = 10;
         CREATE TEMP TABLE t AS SELECT * FROM parts WHERE idx = 10; UPDATE t SET idx = 21;
         INSERT INTO parts SELECT * FROM t; DROP TABLE t;
         CREATE TEMP TABLE t AS SELECT * FROM lookups WHERE idx = 10; UPDATE t SET idx = 21;
         INSERT INTO lookups SELECT * FROM t;",
    );
    one(&room.t0(), InsertedEntry, 21);
    // With everything rewritten, under a producer of its own: between its neighbours in time, and so
    // without a fault of its own.
    let mut inserted = entries[20].clone();
    inserted.leaf.producer = [9; 16];
    inserted.leaf.producer_seq = 0;
    inserted.leaf.record_id = [9; 16];
    entries.insert(21, inserted);
    let rewritten = rewrite(&entries);
    nothing_is_signed(&rewritten);
    assert_eq!(rewritten.t1(&kept), [(Fork, SIZE - 1, SIZE - 1)]);
}

#[test]
fn cut_the_tail_off() {
    let from = SIZE - 10;
    let gone = |table: &str| format!("DELETE FROM {table} WHERE idx >= {from};");
    let all = ["leaves", "parts", "lookups"].map(gone).concat();
    let room = Room::new();
    let kept = room.kept();
    room.sql(&all);
    assert_eq!(room.t0(), [(TruncatedTail, from, SIZE - 1)]);
    assert_eq!(room.t1(&kept), [(TruncatedTail, from, SIZE - 1)]);
    // The head made to fit, the checkpoints left: they say that there was more.
    let mut entries = take_all(&Room::new());
    entries.truncate(usize::try_from(from).unwrap());
    let cut = rewrite(&entries);
    let db = cut.open();
    let (text, line): (String, String) = room
        .open()
        .query_row(
            "SELECT text, line FROM checkpoints c JOIN checkpoint_signatures s USING (size) \
             WHERE size = ?1",
            [i64::try_from(SIZE).unwrap()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let size = i64::try_from(SIZE).unwrap();
    db.execute("INSERT INTO checkpoints (size, text) VALUES (?1, ?2)", (size, text)).unwrap();
    db.execute(
        "INSERT INTO checkpoint_signatures (size, n, line) VALUES (?1, 0, ?2)",
        (size, line),
    )
    .unwrap();
    drop(db);
    assert_eq!(cut.t0(), [(TruncatedTail, from, SIZE - 1)]);
    // The checkpoints cut off as well: T0 is blind to it.
    let cut = rewrite(&entries);
    nothing_is_signed(&cut);
    assert_eq!(cut.t1(&kept), [(Rollback, from, SIZE - 1)]);
}

#[test]
fn put_an_old_copy_back() {
    let room = Room::new();
    let old = room.copy();
    let more = take_all(&room);
    let mut later = more[SIZE as usize - 2].clone();
    later.leaf.producer = [7; 16];
    later.leaf.producer_seq = 0;
    append(room.store(), &[later]);
    let kept = room.publish();
    put_back(&old.path(), &room.path());
    // The old copy is whole and signed: T0 is blind to what came after it.
    assert_eq!(room.t0(), []);
    assert_eq!(room.t1(&kept), [(Rollback, SIZE, SIZE)]);
}

#[test]
fn swap_a_part_between_two_records() {
    let room = Room::new();
    room.sql(
        "CREATE TEMP TABLE t AS SELECT idx, metadata, parties FROM parts WHERE idx IN (20, 25);
         UPDATE parts SET parties = (SELECT parties FROM t WHERE idx = 25) WHERE idx = 20;
         UPDATE parts SET parties = (SELECT parties FROM t WHERE idx = 20) WHERE idx = 25;",
    );
    assert_eq!(room.t0(), [(ChangedPart, 20, 20), (ChangedPart, 25, 25)]);
    // Also where both parts have the same bytes: the salts are another's.
    let room = Room::new();
    room.sql(
        "CREATE TEMP TABLE t AS SELECT idx, secret, checks FROM parts WHERE idx IN (20, 25);
         UPDATE parts SET secret = (SELECT secret FROM t WHERE idx = 25),
           checks = (SELECT checks FROM t WHERE idx = 25) WHERE idx = 20;
         UPDATE parts SET secret = (SELECT secret FROM t WHERE idx = 20),
           checks = (SELECT checks FROM t WHERE idx = 20) WHERE idx = 25;",
    );
    let found: Vec<_> = room.t0().into_iter().map(|(kind, at, _)| (kind, at)).collect();
    for index in [20, 25] {
        assert!(found.contains(&(ChangedPart, index)), "{found:?}");
    }
}

#[test]
fn change_the_header_only() {
    let room = Room::new();
    room.sql(
        r#"UPDATE parts SET header = CAST(replace(CAST(header AS TEXT), '"v1"', '"v2"') AS BLOB)
           WHERE idx = 20"#,
    );
    one(&room.t0(), ChangedPart, 20);
    // And what is searched by, so that reports count the record under the other version.
    room.sql(
        "INSERT INTO terms (text) VALUES ('v2');
         UPDATE lookups SET version = (SELECT id FROM terms WHERE text = 'v2') WHERE idx = 20;",
    );
    one(&room.t0(), ChangedPart, 20);
    let room = Room::new();
    room.sql(
        "INSERT INTO terms (text) VALUES ('v2');
         UPDATE lookups SET version = (SELECT id FROM terms WHERE text = 'v2') WHERE idx = 20;",
    );
    one(&room.t0(), ChangedLookup, 20);
}

#[test]
fn replay_what_a_producer_sent() {
    let room = Room::new();
    let kept = room.kept();
    // A record again, as it was, under its number: somebody would count it twice.
    let entries = take_all(&room);
    append(room.store(), &entries[20..21]);
    one(&room.t0(), ProducerRepeat, SIZE);
    // It stands behind the last checkpoint, so what was kept before does not speak against it.
    one(&room.t1(&kept), ProducerRepeat, SIZE);
    // Under a number that the producer never gave, behind the entry in which it closed: T0 and T1
    // are blind to it, and the operator would sign it. Who captured it can tell that it is not theirs.
    let room = Room::new();
    let mut invented = take_all(&room)[20].clone();
    invented.leaf.producer_seq = SIZE;
    append(room.store(), &[invented]);
    assert_eq!(room.report().findings, []);
    assert_eq!(room.report().signed_size, Some(SIZE), "and it is not signed yet");
}

/// CVE-2022-36111: a server shows two histories whose linear parts end alike, and a verifier that
/// looks at the ends alone takes both.
#[test]
fn a_history_whose_end_agrees_with_another() {
    let room = Room::new();
    let kept = room.kept();
    let bytes = take_all(&room)[20].leaf;
    let mut other = bytes;
    other.record_id = [9; 16];
    let leaf = other.encode();
    let hash = leaf_hash(&leaf);
    room.open()
        .execute("UPDATE leaves SET leaf = ?1, hash = ?2 WHERE idx = 20", (leaf, hash.0))
        .unwrap();
    // The last leaf, and the hash that it links back to, are as they were.
    assert_eq!(room.store().tip().unwrap().head, kept.checkpoint().head());
    one(&room.t0(), ChangedLeaf, 20);
    // Nor is there a proof of the false entry: its link is no part of any.
    let receipt = modeltrail::proofs::receipt(&room.store(), 20, &kept);
    assert!(matches!(receipt, Err(modeltrail::proofs::ProofsError::Mismatch { .. })));
    let whole = Room::new();
    let mut receipt = modeltrail::proofs::receipt(&whole.store(), 20, &whole.kept()).unwrap();
    let head = whole.kept().checkpoint().head();
    let holds = |leaf: &[u8], proof: &[_]| {
        modeltrail_core::merkle::verify_inclusion(&leaf_hash(leaf), 20, proof, &head).is_ok()
    };
    let leaf = receipt.extra.take().unwrap();
    assert!(holds(&leaf, &receipt.proof));
    let mut other = Leaf::decode(&leaf).unwrap();
    other.record_id = [9; 16];
    assert!(!holds(&other.encode(), &receipt.proof));
}
