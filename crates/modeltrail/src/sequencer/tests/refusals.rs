//! Who may not sequence: a second one, and one whose ledger is not the one that its anchor knows.

use std::fs;

use modeltrail_core::Hash;
use modeltrail_core::anchor::{Anchor, Head};

use super::*;
use crate::Recorder;
use crate::recorder::RecordingError;

#[test]
fn a_second_sequencer_on_a_ledger_is_refused() {
    let place = Place::sqlite();
    let mut first = place.sequencer();
    assert!(place.try_sequencer().unwrap().is_none(), "the same spool: wait for one's turn");
    let elsewhere = place.dir.path().join("another-spool");
    let other = || Sequencer::try_open(&place.ledger, &elsewhere, SPOOL);
    assert!(matches!(other(), Err(SequencerError::Taken)));
    assert!(matches!(other(), Err(SequencerError::Taken)), "the refusal kept no lock");
    let producer = place.producer();
    place.append(&producer, record(0));
    commit(&producer);
    assert_eq!(drain(&mut first).n_entries, 1, "the first one goes on");
    drop(first);
    drop(other().unwrap().unwrap());
    assert!(place.try_sequencer().unwrap().is_some());
}

#[test]
fn a_second_sequencer_that_got_past_the_locks_is_told_of_the_conflict() {
    for place in Place::each() {
        let producer = place.producer();
        place.append(&producer, record(0));
        commit(&producer);
        let mut first = place.sequencer();
        drain(&mut first);
        // Somebody appends who holds no lock at all.
        let mut intruder = place.ledger.open_write().unwrap();
        let tip = intruder.tip().unwrap();
        let mut batch = Batch::new(tip.clone());
        batch.push(place.frame(record(77)), [7; 16], 0, 0);
        intruder.append(&batch, &tip.head).unwrap();
        place.append(&producer, record(1));
        commit(&producer);
        for _ in 0..2 {
            let error = first.step().unwrap_err();
            let is_conflict = matches!(
                error,
                SequencerError::Store(StoreError::Conflict { found: 2, expected: 1 })
            );
            assert!(is_conflict && !error.is_passing(), "{error}");
        }
        assert!(!is_acked(&producer, 1), "what was not committed is not acknowledged");
        drop(first);
        drain(&mut place.sequencer());
        assert_eq!(place.entries().len(), 3);
        assert!(is_acked(&producer, 1));
        place.assert_clean();
    }
}

/// What is at `path` and beside it, away from it.
fn put_back(copy: &Path, path: &Path) {
    for end in ["-wal", "-shm"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(end);
        drop(fs::remove_file(beside));
    }
    fs::copy(copy, path).unwrap();
}

#[test]
fn an_old_copy_of_the_database_is_refused_with_what_is_missing() {
    let place = Place::sqlite();
    let path = place.dir.path().join("audit.db");
    let copy = place.dir.path().join("copy.db");
    let producer = place.producer();
    let mut sequencer = place.sequencer();
    for n in 0..5 {
        place.append(&producer, record(n));
    }
    commit(&producer);
    drain(&mut sequencer);
    let db = rusqlite::Connection::open(&path).unwrap();
    db.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    drop(db);
    for n in 5..9 {
        place.append(&producer, record(n));
    }
    commit(&producer);
    drain(&mut sequencer);
    drop(sequencer);
    put_back(&copy, &path);

    let error = place.try_sequencer().err().unwrap();
    assert!(matches!(error, SequencerError::BehindAnchor { size: 5, anchored: 9, .. }));
    let text = error.to_string();
    assert!(
        text.contains("has 5 entries") && text.contains("entries 5 to 8 are missing"),
        "{text}"
    );
    assert!(!error.is_passing());
    let url = format!("sqlite:{}", path.display());
    let opened = Recorder::options().spool_dir(place.spool()).open(&url);
    assert!(matches!(opened.err().unwrap(), RecordingError::Sequencer(_)));
    // Nothing was appended and the anchor still knows the nine.
    assert_eq!(place.entries().len(), 5);
    let anchor = anchor_file::read(&place.ledger.anchor_path()).unwrap().unwrap();
    assert_eq!(anchor.head.size, 9);
}

#[test]
fn an_anchor_of_another_ledger_or_history_is_refused() {
    let place = Place::sqlite();
    let producer = place.producer();
    place.append(&producer, record(0));
    commit(&producer);
    drain(&mut place.sequencer());
    let path = place.ledger.anchor_path();
    let own = anchor_file::read(&path).unwrap().unwrap();
    let foreign = [
        (Anchor { origin: "example.com/other".to_owned(), ..own.clone() }, "another origin"),
        (Anchor { head: Head { root: Hash([1; 32]), ..own.head }, ..own.clone() }, "another root"),
    ];
    for (anchor, what) in foreign {
        anchor_file::write(&path, &anchor).unwrap();
        let error = place.try_sequencer().err().unwrap();
        assert!(matches!(error, SequencerError::ForeignAnchor { .. }));
        assert!(error.to_string().contains(what), "{error}");
    }
    fs::write(&path, "something else\n").unwrap();
    let error = place.try_sequencer().err().unwrap();
    assert!(matches!(error, SequencerError::Anchor(AnchorFileError::Text { .. })));
    anchor_file::write(&path, &own).unwrap();
    assert!(place.try_sequencer().unwrap().is_some());
}

#[test]
fn a_head_whose_frontier_does_not_give_its_root_is_refused() {
    for what in ["x''", "zeroblob(32)", "zeroblob(64)"] {
        let place = Place::sqlite();
        let producer = place.producer();
        place.append(&producer, record(0));
        commit(&producer);
        drain(&mut place.sequencer());
        let db = rusqlite::Connection::open(place.dir.path().join("audit.db")).unwrap();
        db.execute(&format!("UPDATE head SET frontier = {what}"), []).unwrap();
        let error = place.try_sequencer().err().unwrap();
        let is_damaged =
            matches!(error, SequencerError::Store(StoreError::Damaged { index: 0, .. }));
        assert!(is_damaged, "{what}: {error}");
    }
}

#[test]
fn a_spool_of_another_ledger_is_refused() {
    let place = Place::sqlite();
    let other =
        SpoolProducer::open_dir(&place.spool(), SPOOL, spool_origin("example.com/other")).unwrap();
    other.append(b"frame").unwrap();
    commit(&other);
    let error = place.try_sequencer().err().unwrap();
    assert!(matches!(error, SequencerError::Spool(SpoolError::ForeignOrigin { .. })));
    assert_eq!(place.entries().len(), 0);
}
