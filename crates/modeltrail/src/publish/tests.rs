//! What is signed, what is refused, and when.

use std::path::Path;
use std::time::Duration;

use modeltrail_core::note::{KeyName, NoteSigner};
use serde_json::json;

use super::*;
use crate::keys::LedgerKeys;
use crate::recorder::{Ack, Recorder};
use crate::sequencer::{Sequencer, SequencerError, SequencerOptions, Trim};
use crate::signer::{FileSigner, Signer as _};
use crate::spool::SpoolOptions;
use crate::{Reader, Record};

const ORIGIN: &str = "example.com/publish";

const NEVER: PublishOptions =
    PublishOptions { every: Duration::from_secs(1 << 30), n_entries: u64::MAX };

struct Place {
    dir: tempfile::TempDir,
    ledger: Ledger,
}

impl Place {
    /// A ledger with keys and some entries, all published.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("audit.db").display());
        let ledger = Ledger::parse(&url).unwrap();
        ledger.create(ORIGIN).unwrap();
        let place = Self { dir, ledger };
        let recorder = Recorder::open(&place.url()).unwrap();
        LedgerKeys::of(&recorder).unwrap().begin().unwrap();
        recorder.close().unwrap();
        place
    }

    fn url(&self) -> String {
        format!("sqlite:{}", self.database().display())
    }

    fn database(&self) -> PathBuf {
        self.dir.path().join("audit.db")
    }

    /// Leaves records in the spool that nobody sequences.
    fn spool(&self, n: usize) {
        let recorder = Recorder::options().sequence(false).ack(Ack::Spooled);
        let recorder = recorder.close_timeout(Duration::ZERO).open(&self.url()).unwrap();
        for _ in 0..n {
            recorder.record(Record::prediction("m", "1").input(json!(1))).unwrap();
        }
        drop(recorder.close());
    }

    fn sequencer(&self, publish: PublishOptions) -> Result<Sequencer, SequencerError> {
        let options = SequencerOptions { publish, trim: Trim::Sequenced };
        let (spool_dir, spool) = (self.ledger.spool_dir(), SpoolOptions::default());
        let opened = Sequencer::try_open_with(&self.ledger, &spool_dir, spool, options)?;
        Ok(opened.expect("nobody else sequences"))
    }

    /// Records and publishes more.
    fn grow(&self) {
        let recorder = Recorder::open(&self.url()).unwrap();
        recorder.record(Record::prediction("m", "1").input(json!(2))).unwrap();
        recorder.close().unwrap();
    }

    fn size(&self) -> u64 {
        Reader::of(&self.ledger).unwrap().size().unwrap()
    }

    fn published(&self) -> u64 {
        let newest = Reader::of(&self.ledger).unwrap().checkpoint().unwrap();
        newest.map_or(0, |checkpoint| checkpoint.checkpoint().head().size)
    }

    fn anchor(&self) -> u64 {
        anchor_file::read(&self.ledger.anchor_path()).unwrap().unwrap().head.size
    }

    fn copy_database(&self, to: &Path) {
        let from = rusqlite::Connection::open(self.database()).unwrap();
        from.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    }

    /// Puts a copy in the database's place.
    fn restore(&self, copy: &Path) {
        for ending in ["-wal", "-shm"] {
            drop(std::fs::remove_file(self.dir.path().join(format!("audit.db{ending}"))));
        }
        std::fs::copy(copy, self.database()).unwrap();
    }
}

#[test]
fn what_was_committed_and_not_published_is_published_by_the_next_sequencer() {
    let place = Place::new();
    let before = place.published();
    assert_eq!((before, before), (place.size(), place.anchor()));
    place.spool(3);
    let mut sequencer = place.sequencer(NEVER).unwrap();
    // Due at once: its predecessor may have left something. From here on nothing is.
    sequencer.step().unwrap();
    let after_first = place.published();
    place.spool(2);
    while sequencer.step().unwrap().n_taken > 0 {}
    let size = place.size();
    assert!(place.published() <= after_first && after_first < size);
    let head = anchor_file::read(&place.ledger.head_path()).unwrap().unwrap();
    assert_eq!(head.head.size, size, "the head is kept outside after each commit");
    drop(sequencer);
    place.sequencer(NEVER).unwrap().step().unwrap();
    assert_eq!((place.published(), place.anchor()), (size, size));
    // And nothing is signed where nothing grew.
    let text = std::fs::read(place.ledger.anchor_path()).unwrap();
    place.sequencer(PublishOptions::default()).unwrap().step().unwrap();
    assert_eq!(std::fs::read(place.ledger.anchor_path()).unwrap(), text);
}

#[test]
fn an_anchor_that_was_not_written_after_its_checkpoint_is_written_later() {
    let place = Place::new();
    let old = std::fs::read(place.ledger.anchor_path()).unwrap();
    place.grow();
    let new = std::fs::read(place.ledger.anchor_path()).unwrap();
    std::fs::write(place.ledger.anchor_path(), &old).unwrap();
    place.sequencer(NEVER).unwrap().step().unwrap();
    assert_eq!(std::fs::read(place.ledger.anchor_path()).unwrap(), new);
}

#[test]
fn checkpoints_come_after_so_many_entries_and_a_long_ledger_in_pieces() {
    let place = Place::new();
    place.spool(20);
    let few = PublishOptions { n_entries: 7, ..NEVER };
    let mut sequencer = place.sequencer(few).unwrap();
    let mut sizes = vec![sequencer.published()];
    loop {
        let n_taken = sequencer.step().unwrap().n_taken;
        sizes.push(sequencer.published());
        if n_taken == 0 && place.size() - sequencer.published() < 7 {
            break;
        }
    }
    sizes.dedup();
    assert!(sizes.len() >= 3, "{sizes:?}");
    assert!(sizes.windows(2).all(|pair| pair[1] - pair[0] <= 7), "{sizes:?}");
}

#[test]
fn nothing_is_signed_over_a_leaf_that_changed_in_the_database() {
    for (what, sql) in [
        ("byte", "UPDATE leaves SET leaf = zeroblob(90) || substr(leaf, 91) WHERE idx = ?1"),
        ("gone", "DELETE FROM leaves WHERE idx = ?1"),
    ] {
        let place = Place::new();
        place.spool(3);
        let mut sequencer = place.sequencer(NEVER).unwrap();
        sequencer.step().unwrap();
        place.spool(2);
        while sequencer.step().unwrap().n_taken > 0 {}
        let (published, size) = (place.published(), place.size());
        assert!(published < size);
        let db = rusqlite::Connection::open(place.database()).unwrap();
        let triggers = "SELECT group_concat('DROP TRIGGER ' || name, ';') FROM sqlite_schema WHERE type = 'trigger'";
        let drops: String = db.query_row(triggers, [], |row| row.get(0)).unwrap();
        db.execute_batch(&drops).unwrap();
        assert_eq!(db.execute(sql, [i64::try_from(size - 2).unwrap()]).unwrap(), 1);
        let error = sequencer.close().unwrap_err();
        assert!(
            matches!(&error, SequencerError::Publish(_)) && !error.is_passing(),
            "{what}: {error}"
        );
        assert!(error.to_string().contains(&format!("entry {}", size - 2)), "{error}");
        // Nor by the next one, which does not begin.
        let error = place.sequencer(NEVER).err().expect("refused");
        assert!(matches!(error, SequencerError::Publish(_)), "{what}: {error}");
        assert_eq!((place.published(), place.anchor()), (published, published));
    }
}

#[test]
fn a_restored_copy_is_refused_by_the_anchor_and_by_the_head_alone() {
    let place = Place::new();
    let copy = place.dir.path().join("copy.db");
    place.copy_database(&copy);
    let old = place.size();
    place.grow();
    let size = place.size();
    place.restore(&copy);
    let refused = |path: &Path| match place.sequencer(NEVER).err() {
        Some(SequencerError::BehindAnchor { size: is, anchored, path: by }) => {
            assert_eq!((is, anchored, by.as_path()), (old, size, path));
        }
        other => panic!("{:?}", other.map(|error| error.to_string())),
    };
    refused(&place.ledger.head_path());
    std::fs::remove_file(place.ledger.head_path()).unwrap();
    refused(&place.ledger.anchor_path());
    let error = Recorder::open(&place.url()).map(drop).unwrap_err().to_string();
    let missing = format!("entries {old} to {} are missing", size - 1);
    assert!(error.contains(&missing) && error.contains("recover --new-epoch"), "{error}");
}

#[test]
fn a_copy_that_went_on_by_itself_is_refused_although_it_is_as_long() {
    let place = Place::new();
    let copy = place.dir.path().join("copy.db");
    place.copy_database(&copy);
    place.grow();
    let kept = [place.ledger.anchor_path(), place.ledger.head_path()]
        .map(|path| (std::fs::read(&path).unwrap(), path));
    place.restore(&copy);
    for (_, path) in &kept {
        std::fs::remove_file(path).unwrap();
    }
    // Another history, validly signed.
    place.grow();
    place.grow();
    for (bytes, path) in &kept {
        std::fs::write(path, bytes).unwrap();
        let error = place.sequencer(NEVER).err().expect("refused");
        assert!(matches!(error, SequencerError::ForeignAnchor { .. }), "{error}");
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn an_anchor_by_another_key_or_of_another_ledger_is_refused() {
    let place = Place::new();
    let path = place.ledger.anchor_path();
    let text = std::fs::read(&path).unwrap();
    let own = SignedCheckpoint::parse(&text).unwrap();
    let forged = |name: &str| {
        let other = NoteSigner::new(KeyName::new(name).unwrap(), &[3; 32]).unwrap();
        Checkpoint::new(name, own.checkpoint().head()).unwrap().sign(&other).unwrap()
    };
    for (name, says) in [(ORIGIN, "no key of this ledger"), ("example.com/x", "another origin")] {
        std::fs::write(&path, forged(name).to_string()).unwrap();
        match place.sequencer(NEVER).err() {
            Some(SequencerError::ForeignAnchor { what, .. }) => assert!(what.contains(says)),
            other => panic!("{name}: {:?}", other.map(|error| error.to_string())),
        }
    }
    std::fs::write(&path, &text).unwrap();
    place.sequencer(NEVER).unwrap();
    // While it runs somebody puts one there that knows more.
    place.spool(2);
    let mut sequencer = place.sequencer(PublishOptions { every: Duration::ZERO, ..NEVER }).unwrap();
    let more = Head { size: 1000, root: Hash([1; 32]) };
    let more = Anchor { origin: ORIGIN.into(), head: more };
    anchor_file::write(&path, &more).unwrap();
    let error = sequencer.step().unwrap_err();
    assert!(matches!(error, SequencerError::BehindAnchor { anchored: 1000, .. }), "{error}");
}

#[test]
fn a_signer_that_fails_stops_no_record_and_is_asked_again() {
    let place = Place::new();
    let path = place.ledger.keys_dir().join("checkpoint.key");
    let before = place.published();
    place.spool(2);
    let mut sequencer = place.sequencer(PublishOptions { every: Duration::ZERO, ..NEVER }).unwrap();
    let kept = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, "not a key").unwrap();
    while sequencer.step().unwrap().n_taken > 0 {}
    assert!(place.size() > before);
    assert_eq!(place.published(), before);
    assert!(sequencer.trouble().unwrap().contains("checkpoint.key"), "{:?}", sequencer.trouble());
    std::fs::write(&path, kept).unwrap();
    sequencer.step().unwrap();
    assert_eq!((sequencer.trouble(), place.published()), (None, place.size()));
    let verifier = FileSigner::open(&path).unwrap().verifier().clone();
    let newest = Reader::of(&place.ledger).unwrap().checkpoint().unwrap().unwrap();
    assert_eq!(newest.verify_log([&verifier]), Ok(()));
}

#[test]
fn a_ledger_without_a_key_goes_on_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("audit.db").display());
    let ledger = Ledger::parse(&url).unwrap();
    ledger.create(ORIGIN).unwrap();
    let place = Place { dir, ledger };
    place.grow();
    assert_eq!((place.anchor(), place.published()), (place.size(), 0));
    assert!(!place.ledger.head_path().exists());
    let recorder = Recorder::open(&place.url()).unwrap();
    let published = recorder.flush(Ack::Published);
    assert!(matches!(published, Err(crate::RecordingError::Unsigned)), "{published:?}");
    let unsigned = SequencerOptions { trim: Trim::Published, ..SequencerOptions::default() };
    recorder.close().unwrap();
    let (spool_dir, spool) = (place.ledger.spool_dir(), SpoolOptions::default());
    let refused = Sequencer::try_open_with(&place.ledger, &spool_dir, spool, unsigned);
    assert!(matches!(refused.err(), Some(SequencerError::Unsigned)));
    // The first key makes the ledger a signed one, from its first entry on.
    let recorder = Recorder::open(&place.url()).unwrap();
    LedgerKeys::of(&recorder).unwrap().begin().unwrap();
    recorder.close().unwrap();
    assert_eq!((place.anchor(), place.published()), (place.size(), place.size()));
}
