//! A ledger to attack, the tools of an attacker, and the tiers of who verifies.

use std::path::{Path, PathBuf};

use modeltrail::check::{self, CheckOptions, CheckReport, Kept};
use modeltrail::store::{Access, Batch, SqliteStore, Store, VerifyItem};
use modeltrail::{Ack, Ledger, Record, Recorder};
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::merkle::{self, LeafHashes};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::verify::FindingKind;
use modeltrail_core::witness::{self, Decision, LogState, Request};
use modeltrail_core::{Frame, Leaf, PartId};
use rusqlite::Connection;

pub(crate) const ORIGIN: &str = "example.com/attacked";

/// Records of the ledger; entry 0 opens their producer, two say how they are redacted, the last one closes the producer.
pub(crate) const N_RECORDS: u64 = 60;

/// Entries of the ledger.
pub(crate) const SIZE: u64 = N_RECORDS + 4;

/// Size of an earlier checkpoint.
pub(crate) const EARLIER: u64 = 32;

/// The key that signs checkpoints.
pub(crate) fn operator_key() -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[1; 32]).unwrap()
}

/// The key that signs erasures.
pub(crate) fn authority_key() -> NoteSigner {
    NoteSigner::new(KeyName::new("example.com/officer").unwrap(), &[2; 32]).unwrap()
}

pub(crate) type Found = (FindingKind, u64, u64);

/// A ledger in a folder of its own.
pub(crate) struct Room {
    dir: tempfile::TempDir,
}

impl Room {
    /// Sixty records of two models, and a checkpoint in the middle and at the end.
    pub(crate) fn new() -> Self {
        let room = Self { dir: tempfile::tempdir().unwrap() };
        let recorder = Recorder::options().create(ORIGIN).open(&room.url()).unwrap();
        for n in 0..N_RECORDS {
            recorder.record(record(n, "ok")).unwrap();
            if n + 4 == EARLIER {
                recorder.flush(Ack::Sequenced).unwrap();
                room.publish();
            }
        }
        recorder.flush(Ack::Sequenced).unwrap();
        recorder.close().unwrap();
        let last = room.publish();
        assert_eq!(last.checkpoint().head().size, SIZE);
        room
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("audit.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    pub(crate) fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.path(), Access::Write).unwrap()
    }

    /// Signs the head and keeps the checkpoint in the ledger, as its operator does.
    pub(crate) fn publish(&self) -> SignedCheckpoint {
        let mut store = self.store();
        let head = store.tip().unwrap().head;
        let signed = Checkpoint::new(ORIGIN, head).unwrap().sign(&operator_key()).unwrap();
        store.put_checkpoint(&signed).unwrap();
        signed
    }

    /// The last checkpoint, as a second place keeps it.
    pub(crate) fn kept(&self) -> SignedCheckpoint {
        self.store().checkpoint(None).unwrap().unwrap()
    }

    /// The database alone, copied; nothing outside it comes along.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self { dir: tempfile::tempdir().unwrap() };
        let db = Connection::open(self.path()).unwrap();
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(db);
        std::fs::copy(self.path(), copy.path()).unwrap();
        copy
    }

    /// A connection without the triggers, as somebody who means it makes one.
    pub(crate) fn open(&self) -> Connection {
        let db = Connection::open(self.path()).unwrap();
        let names: Vec<String> = db
            .prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for name in names {
            db.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
        }
        db
    }

    pub(crate) fn sql(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap();
    }

    fn check(&self, against: Vec<Kept>) -> CheckReport {
        let ledger = Ledger::parse(&self.url()).unwrap();
        let keys = [operator_key(), authority_key()].map(|key| key.verifier().clone()).to_vec();
        let options = CheckOptions { keys, against, ..CheckOptions::default() };
        check::run(&ledger, &options, |_, _| {}).unwrap()
    }

    /// The report at T0.
    pub(crate) fn report(&self) -> CheckReport {
        self.check(Vec::new())
    }

    /// What the database and a pinned key show.
    pub(crate) fn t0(&self) -> Vec<Found> {
        told(&self.report())
    }

    /// What a checkpoint kept elsewhere shows besides.
    pub(crate) fn t1(&self, kept: &SignedCheckpoint) -> Vec<Found> {
        told(&self.check(vec![kept.clone().into()]))
    }

    /// What a witness that cosigned `last` answers when it is shown this ledger's `next`.
    pub(crate) fn t2(&self, last: &SignedCheckpoint, next: &SignedCheckpoint) -> Decision {
        let keys = vec![operator_key().verifier().clone()];
        let known = LogState { keys, last: Some(last.clone()) };
        let (old, new) = (last.checkpoint().head().size, next.checkpoint().head().size);
        let hashes = self.store().leaf_hashes(0..new).unwrap();
        // The best proof that the attacker can make of his own tree.
        let proof = merkle::consistency(&mut LeafHashes(&hashes), old, new).unwrap_or_default();
        let old_size = old.min(new);
        let request = Request { old_size, proof, checkpoint: next.clone() };
        witness::decide(&request, Some(&known))
    }
}

fn told(report: &CheckReport) -> Vec<Found> {
    report.findings.iter().map(|f| (f.kind, f.index, f.index_end)).collect()
}

pub(crate) fn record(n: u64, prediction: &str) -> Record {
    Record::prediction("fraud_detector", "v1")
        .request_id(format!("r{n}"))
        .timestamp_ns(1_700_000_000_000_000_000 + i64::try_from(n).unwrap())
        .input(serde_json::json!({ "amount": n }))
        .output(serde_json::json!({ "prediction": prediction }))
        .user_id(format!("user{}", n % 5))
}

/// An entry as somebody reads it who has the database and the format.
#[derive(Clone)]
pub(crate) struct Taken {
    pub(crate) leaf: Leaf,
    pub(crate) secret: [u8; 32],
    /// Code, encoding and bytes of each part.
    pub(crate) parts: Vec<(u16, u8, Vec<u8>)>,
}

impl Taken {
    pub(crate) fn part(&mut self, id: PartId) -> &mut Vec<u8> {
        &mut self.parts.iter_mut().find(|(code, ..)| *code == id.code()).unwrap().2
    }

    /// The frame that such an entry is made of (`spec/frame.md`).
    fn frame(&self) -> Frame {
        let mut bytes = b"MTF\x01".to_vec();
        bytes.extend([self.leaf.kind, 0]);
        bytes.extend(u16::try_from(self.parts.len()).unwrap().to_be_bytes());
        bytes.extend(self.leaf.record_id);
        bytes.extend(self.secret);
        for (code, encoding, part) in &self.parts {
            bytes.extend(code.to_be_bytes());
            bytes.extend([*encoding, 0]);
            bytes.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            bytes.extend(part);
        }
        Frame::decode(&bytes).unwrap()
    }
}

/// Every entry of a ledger.
pub(crate) fn take_all(room: &Room) -> Vec<Taken> {
    let mut taken = Vec::new();
    room.store()
        .verify_scan(0..u64::MAX, &mut |item| {
            let VerifyItem::Entry(entry) = item else { panic!("an orphan") };
            let part = |p: &modeltrail_core::verify::StoredPart<'_>| {
                (p.id.code(), p.encoding, p.bytes.to_vec())
            };
            taken.push(Taken {
                leaf: Leaf::decode(entry.leaf).unwrap(),
                secret: entry.secret.unwrap().try_into().unwrap(),
                parts: entry.parts.iter().map(part).collect(),
            });
        })
        .unwrap();
    taken
}

/// A ledger of these entries, each hash, link, root, tile and lookup row as it has to be: what
/// somebody makes who rewrites history with all care. No checkpoint is in it.
pub(crate) fn rewrite(entries: &[Taken]) -> Room {
    let room = Room { dir: tempfile::tempdir().unwrap() };
    let store = SqliteStore::create(&room.path(), ORIGIN).unwrap();
    append(store, entries);
    room
}

/// Appends entries to a ledger, past its sequencer.
pub(crate) fn append(mut store: SqliteStore, entries: &[Taken]) {
    let tip = store.tip().unwrap();
    let expected = tip.head;
    let mut batch = Batch::new(tip);
    for taken in entries {
        let Leaf { producer, producer_seq, time_us, .. } = taken.leaf;
        batch.push(taken.frame(), producer, producer_seq, time_us);
    }
    store.append(&batch, &expected).unwrap();
}

/// The files of a database, for attacks that put an old copy back.
pub(crate) fn put_back(old: &Path, over: &Path) {
    for suffix in ["-wal", "-shm"] {
        let mut name = over.as_os_str().to_owned();
        name.push(suffix);
        drop(std::fs::remove_file(name));
    }
    std::fs::copy(old, over).unwrap();
}
