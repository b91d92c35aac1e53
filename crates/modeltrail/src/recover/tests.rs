//! Restored copies, lost databases, and epochs that were interrupted.

use modeltrail_core::control::GapReason;
use modeltrail_core::note::Note;
use modeltrail_core::query::Query;
use serde_json::json;

use super::*;
use crate::check::{self, CheckOptions};
use crate::signer::KeyRing;
use crate::{Ack, Reader, Record};

const ORIGIN: &str = "example.com/recover";

struct Folder {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Folder {
    fn new(keys: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let ledger = places::ledger_at(&dir.path().join("audit.db")).unwrap();
        ledger.create(ORIGIN).unwrap();
        let folder = Self { dir, ledger };
        let recorder = folder.recorder().unwrap();
        if keys {
            LedgerKeys::of(&recorder).unwrap().begin().unwrap();
        }
        recorder.close().unwrap();
        folder
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join("audit.db")
    }

    fn recorder(&self) -> Result<Recorder, RecordingError> {
        Recorder::open(&format!("sqlite:{}", self.database().display()))
    }

    fn record(&self, id: &str) {
        let recorder = self.recorder().unwrap();
        recorder.record(Self::a_record(id)).unwrap();
        recorder.close().unwrap();
    }

    fn a_record(id: &str) -> Record {
        Record::prediction("m", "1").request_id(id).input(json!(id))
    }

    /// Leaves records in the spool that nobody sequences.
    fn spool(&self, ids: &[&str]) {
        let recorder = Recorder::options().sequence(false).ack(Ack::Spooled);
        let recorder = recorder.close_timeout(Duration::ZERO);
        let recorder = recorder.open(&format!("sqlite:{}", self.database().display())).unwrap();
        for id in ids {
            recorder.record(Self::a_record(id)).unwrap();
        }
        drop(recorder.close());
    }

    /// Records `early`, copies the database, records `late`, leaves `waiting` in the spool, and puts
    /// the copy back.
    fn restore_over(&self) -> (u64, u64) {
        self.record("early");
        let copy = self.dir.path().join("copy");
        let db = rusqlite::Connection::open(self.database()).unwrap();
        db.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        drop(db);
        let before = self.size();
        self.record("late");
        let known = self.size();
        self.spool(&["waiting", "waiting too"]);
        for ending in ["-wal", "-shm"] {
            drop(std::fs::remove_file(self.dir.path().join(format!("audit.db{ending}"))));
        }
        std::fs::rename(copy, self.database()).unwrap();
        (before, known)
    }

    fn size(&self) -> u64 {
        self.reader().size().unwrap()
    }

    fn reader(&self) -> Reader {
        Reader::of(&self.ledger).unwrap()
    }

    fn recover(&self) -> Result<NewEpoch, RecoverError> {
        new_epoch(&self.ledger, &RecoverOptions::default())
    }

    fn is_recorded(&self, id: &str) -> bool {
        !self.reader().by_request_id(id).unwrap().is_empty()
    }

    /// Reasons of all gap entries.
    fn gap_reasons(&self) -> Vec<GapReason> {
        let query = Query { kind: Some(Kind::Gap), ..Query::default() };
        let store = self.ledger.open_read().unwrap();
        let places = store.scan(&query, true, 100).unwrap();
        let control = |index| {
            let entry = store.get(index).unwrap().unwrap();
            let part = entry.parts.iter().find(|part| part.id == PartId::Control).unwrap();
            Control::read(Kind::Gap, &part.bytes).unwrap()
        };
        let reason = |control| match control {
            Control::Gap(gap) => gap.reason,
            other => panic!("{other:?}"),
        };
        places.into_iter().map(|place| reason(control(place.index))).collect()
    }

    #[track_caller]
    fn assert_clean(&self) {
        let report = check::run(&self.ledger, &CheckOptions::default(), |_, _| {}).unwrap();
        assert_eq!(report.findings, []);
    }
}

#[test]
fn a_restored_copy_goes_on_in_a_new_epoch_that_says_what_is_missing() {
    let folder = Folder::new(true);
    let old_ring = KeyRing::load(&folder.ledger.keys_dir(), ORIGIN).unwrap().unwrap();
    let (size, known) = folder.restore_over();
    let refused = folder.recorder().map(drop).unwrap_err().to_string();
    assert!(refused.contains("recover --new-epoch"), "{refused}");
    let new = folder.recover().unwrap();
    assert_eq!(new.origin, format!("{ORIGIN}/epoch-1"));
    assert_eq!(new.epoch.missing, [(size, known - 1)]);
    assert_eq!((new.epoch.size_before, new.epoch.number), (size, 1));
    let anchor = new.epoch.anchor.clone().unwrap();
    assert!(anchor.starts_with(&format!("{ORIGIN}\n{known}\n")), "{anchor}");
    // Who trusts the old key finds the new one.
    let vkey = new.vkey.clone().unwrap();
    let note = Note::parse(new.epoch.note.as_deref().unwrap().as_bytes()).unwrap();
    assert_eq!(note.text(), new.epoch.text(&new.origin, Some(&vkey.to_string())));
    note.verify(old_ring.verifiers()).unwrap();
    // What waited is here; what was lost with the database is not, and says so.
    let store = folder.ledger.open_read().unwrap();
    assert_eq!(first_epoch(store.as_ref()).unwrap(), Some(new.epoch.clone()));
    assert!(folder.is_recorded("waiting") && folder.is_recorded("waiting too"));
    assert!(!folder.is_recorded("early") && new.n_taken >= 2);
    folder.assert_clean();
    // The one before is whole, under its new name.
    let aside = places::ledger_at(&new.set_aside).unwrap();
    assert_eq!(new.set_aside, folder.dir.path().join("audit.epoch-0.db"));
    let reader = Reader::of(&aside).unwrap();
    assert_eq!((reader.origin(), reader.size().unwrap()), (ORIGIN, size));
    assert_eq!(reader.by_request_id("early").unwrap().len(), 1);
    let left = KeyRing::load(&aside.keys_dir(), ORIGIN).unwrap().unwrap();
    assert!(left.verifiers().eq(old_ring.verifiers()));
    assert!(aside.mac_key().unwrap().check() == folder.ledger.mac_key().unwrap().check());
    // And recording goes on, signed.
    let recorder = folder.recorder().unwrap();
    let recorded = recorder.record_at(Folder::a_record("after"), Ack::Published).unwrap();
    let checkpoint = recorded.receipt.unwrap().checkpoint;
    assert_eq!(checkpoint.verify_log([&vkey]), Ok(()));
    recorder.close().unwrap();
    folder.assert_clean();
    assert!(matches!(folder.recover(), Err(RecoverError::Healthy)));
}

#[test]
fn numbers_before_those_that_waited_are_covered_as_of_the_epoch_before() {
    let folder = Folder::new(false);
    // A producer that lives on both sides of the copy.
    let producer = Recorder::options().sequence(false).ack(Ack::Spooled);
    let producer = producer.close_timeout(Duration::ZERO);
    let producer = producer.open(&format!("sqlite:{}", folder.database().display())).unwrap();
    producer.record(Folder::a_record("of the producer")).unwrap();
    let (size, known) = {
        folder.record("early");
        let copy = folder.dir.path().join("copy");
        let db = rusqlite::Connection::open(folder.database()).unwrap();
        db.execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
        drop(db);
        let size = folder.size();
        folder.record("late");
        let known = folder.size();
        producer.record(Folder::a_record("waiting")).unwrap();
        drop(producer.close());
        drop(producer);
        std::fs::rename(copy, folder.database()).unwrap();
        (size, known)
    };
    let new = folder.recover().unwrap();
    assert_eq!((new.epoch.missing.as_slice(), &new.vkey), (&[(size, known - 1)][..], &None));
    assert!(folder.is_recorded("waiting") && !folder.is_recorded("of the producer"));
    assert_eq!(folder.gap_reasons(), [GapReason::Epoch]);
    folder.assert_clean();
}

#[test]
fn an_interrupted_epoch_is_gone_on_with() {
    let options = RecoverOptions::default();
    for stop in 0..3 {
        let folder = Folder::new(true);
        let (size, known) = folder.restore_over();
        let places = Places::of(&folder.database());
        epoch::prepare(&folder.ledger, &places, &options).unwrap();
        let note = places::dir_of(&folder.database()).join("recovering");
        match stop {
            // Prepared, and the note not written: all of it is made again.
            0 => std::fs::remove_file(note).unwrap(),
            // The database has been moved, the rest has not.
            1 => std::fs::rename(folder.database(), places.aside(0)).unwrap(),
            // All has been moved, and nothing of the spool taken.
            _ => places.switch().unwrap(),
        }
        let new = folder.recover().unwrap();
        assert_eq!(new.epoch.missing, [(size, known - 1)], "{stop}");
        assert!(folder.is_recorded("waiting"), "{stop}");
        assert!(new.vkey.is_some(), "{stop}");
        folder.assert_clean();
        let left: Vec<_> = std::fs::read_dir(folder.dir.path())
            .unwrap()
            .map(|item| item.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".next"))
            .collect();
        assert_eq!(left, [] as [String; 0], "{stop}");
        assert!(matches!(folder.recover(), Err(RecoverError::Healthy)), "{stop}");
    }
}

#[test]
fn a_lost_database_goes_on_from_its_anchor_alone() {
    let folder = Folder::new(true);
    folder.record("lost");
    let known = folder.size();
    std::fs::remove_file(folder.database()).unwrap();
    let new = folder.recover().unwrap();
    assert_eq!((new.epoch.missing.as_slice(), new.epoch.size_before), (&[(0, known - 1)][..], 0));
    folder.record("after");
    folder.assert_clean();
    // A second time it is the second epoch.
    std::fs::remove_file(folder.database()).unwrap();
    let again = folder.recover().unwrap();
    assert_eq!(again.origin, format!("{ORIGIN}/epoch-2"));
    assert_eq!(again.epoch.origin_before, new.origin);
}

#[test]
fn a_healthy_ledger_and_one_in_use_are_left_alone() {
    let folder = Folder::new(true);
    assert!(matches!(folder.recover(), Err(RecoverError::Healthy)));
    let recorder = folder.recorder().unwrap();
    assert!(matches!(folder.recover(), Err(RecoverError::Busy)));
    recorder.close().unwrap();
    // An anchor of another ledger is a mistake, and nothing to recover from.
    let other = Folder::new(false);
    std::fs::write(
        other.ledger.anchor_path(),
        "example.com/x\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    )
    .unwrap();
    assert!(matches!(other.recover(), Err(RecoverError::Sequencer(_))));
}
