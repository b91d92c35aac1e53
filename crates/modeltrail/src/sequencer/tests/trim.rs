//! A spool that keeps records until they are published.

use modeltrail_core::keys::KeyRole;

use super::*;
use crate::keys::LedgerKeys;
use crate::publish::PublishOptions;
use crate::{Reader, Recorder};

const NEVER: PublishOptions =
    PublishOptions { every: Duration::from_secs(1 << 30), n_entries: u64::MAX };

fn signed() -> Place {
    let place = Place::sqlite();
    let crate::Place::Sqlite(path) = place.ledger.place() else { panic!("a file") };
    let url = format!("sqlite:{}", path.display());
    let recorder = Recorder::options().spool_dir(place.spool()).spool(SPOOL).open(&url).unwrap();
    let keys = LedgerKeys::of(&recorder).unwrap();
    keys.begin().unwrap();
    assert_eq!(keys.history().unwrap().in_force(KeyRole::Checkpoint, u64::MAX).count(), 1);
    recorder.close().unwrap();
    place
}

fn open(place: &Place, trim: Trim) -> Sequencer {
    let options = SequencerOptions { publish: NEVER, trim };
    Sequencer::try_open_with(&place.ledger, &place.spool(), SPOOL, options).unwrap().unwrap()
}

fn acked(producer: &SpoolProducer) -> u64 {
    producer.acked_seq().unwrap()
}

/// The first checkpoint after opening is due at once; this takes it before anything is recorded.
fn settled(place: &Place, trim: Trim) -> Sequencer {
    let mut sequencer = open(place, trim);
    drain(&mut sequencer);
    sequencer
}

#[test]
fn a_record_is_forgotten_when_it_is_published_and_not_before() {
    let place = signed();
    let mut sequencer = settled(&place, Trim::Published);
    let producer = place.producer();
    for n in 0..3 {
        place.append(&producer, record(n));
        commit(&producer);
        drain(&mut sequencer);
    }
    let size = sequencer.size();
    assert!(sequencer.published() < size);
    assert_eq!(acked(&producer), 0, "sequenced, and kept");
    sequencer.publish(true).unwrap();
    assert_eq!((sequencer.published(), acked(&producer)), (size, 3));
    // As it is by default.
    drop(sequencer);
    let mut sequencer = settled(&place, Trim::Sequenced);
    place.append(&producer, record(3));
    commit(&producer);
    drain(&mut sequencer);
    assert!(sequencer.published() < sequencer.size());
    assert_eq!(acked(&producer), 4);
}

#[test]
fn what_was_kept_is_held_against_its_entry_by_the_next_sequencer() {
    let place = signed();
    let producer = place.producer();
    let mut sequencer = settled(&place, Trim::Published);
    for n in 0..4 {
        place.append(&producer, record(n));
    }
    // A duplicate and a conflict have no entry of their own to be held against.
    place.append(&producer, record(0));
    place.append(&producer, record(0).output(json!("another")));
    commit(&producer);
    drain(&mut sequencer);
    let size = sequencer.size();
    drop(sequencer);
    let mut sequencer = open(&place, Trim::Published);
    drain(&mut sequencer);
    assert_eq!(sequencer.size(), size, "nothing is sequenced twice");
    assert_eq!((sequencer.published(), acked(&producer)), (size, 6));
    assert!(!place.spool().join("quarantine").exists());
    place.assert_clean();
}

#[test]
fn a_record_whose_entry_was_exchanged_is_kept_as_evidence() {
    let place = signed();
    let producer = place.producer();
    let mut sequencer = settled(&place, Trim::Published);
    place.append(&producer, record(1));
    commit(&producer);
    drain(&mut sequencer);
    let reader = Reader::of(&place.ledger).unwrap();
    let index = reader.by_request_id("r1").unwrap()[0].leaf.index;
    drop(sequencer);
    // Somebody with the database, and with nothing that was signed over the entry yet, exchanges
    // its body and fits hash and head.
    exchange_last(&place, index);
    std::fs::remove_file(place.ledger.head_path()).unwrap();
    let mut sequencer = open(&place, Trim::Published);
    drain(&mut sequencer);
    let kept = std::fs::read_dir(place.spool().join("quarantine")).unwrap();
    let names: Vec<String> =
        kept.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, [format!("frame-{}-0", hex(&producer.id()))]);
}

/// Gives the last entry another body, as one who can write to the database and computes hashes.
fn exchange_last(place: &Place, index: u64) {
    let crate::Place::Sqlite(path) = place.ledger.place() else { panic!("a file") };
    let db = rusqlite::Connection::open(path).unwrap();
    let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
    let drops: String = db.query_row(triggers, [], |row| row.get(0)).unwrap();
    db.execute_batch(&drops).unwrap();
    let key = i64::try_from(index).unwrap();
    let mut leaf: Vec<u8> =
        db.query_row("SELECT leaf FROM leaves WHERE idx = ?1", [key], |row| row.get(0)).unwrap();
    assert_eq!(leaf.len(), 122);
    leaf[90..].fill(7);
    let store = place.ledger.open_read().unwrap();
    let tip = store.tip().unwrap();
    assert_eq!(tip.head.size, index + 1, "it is the last");
    let mut frontier = modeltrail_core::merkle::Frontier::new();
    for hash in store.leaf_hashes(0..index).unwrap() {
        frontier.push(hash);
    }
    let hash = modeltrail_core::leaf::leaf_hash(&leaf);
    frontier.push(hash);
    drop(store);
    let hash = hash.0.to_vec();
    let changed = "UPDATE leaves SET leaf = ?2, hash = ?3 WHERE idx = ?1";
    assert_eq!(db.execute(changed, rusqlite::params![key, leaf, hash]).unwrap(), 1);
    let head = "UPDATE head SET root = ?1, last_leaf = ?2, frontier = ?3";
    let root = frontier.root().0.to_vec();
    assert_eq!(db.execute(head, rusqlite::params![root, hash, frontier.to_bytes()]).unwrap(), 1);
}
