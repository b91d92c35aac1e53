//! What runs inside a mount namespace, each on a tmpfs of its own.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use modeltrail::recorder::RecordingError;
use modeltrail::spool::SpoolOptions;
use modeltrail::{Ack, Ledger, OnFull, Reader, Recorded, Recorder};

use crate::child::PATIENCE;
use crate::place::{self, SPOOL};

/// Set where mounts are nobody else's.
pub(super) const HERE: &str = "MODELTRAIL_IT_MOUNTS";

/// Bytes of each record: the disk is full after a few hundred.
const RECORD_BYTES: usize = 20_000;

/// A tmpfs of 24 MiB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` in a process whose mounts are everybody's.
    fn mount() -> Option<Self> {
        std::env::var_os(HERE)?;
        let dir = tempfile::tempdir().unwrap();
        run("mount", &["-t", "tmpfs", "-o", "size=24m", "tmpfs"], dir.path());
        Some(Self(dir))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn ballast(&self) -> PathBuf {
        self.path().join("ballast")
    }

    /// Leaves no byte free.
    fn fill(&self) {
        let mut file = File::create(self.ballast()).unwrap();
        for n_bytes in [1 << 20, 1 << 12, 1] {
            while file.write_all(&vec![1; n_bytes]).is_ok() {}
        }
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // So that the folder itself can be removed; the mount would go with the namespace anyway.
        Command::new("umount").arg("-l").arg(self.path()).status().ok();
    }
}

#[track_caller]
fn run(command: &str, args: &[&str], dir: &Path) {
    let output = Command::new(command).args(args).arg(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What became of the records of a run.
#[derive(Default)]
struct Outcome {
    acked: BTreeSet<String>,
    dropped: BTreeSet<String>,
    /// Not acknowledged: may be there or not, but not twice.
    open: BTreeSet<String>,
    errors: Vec<RecordingError>,
}

impl Outcome {
    fn note(&mut self, id: String, result: Result<Recorded, RecordingError>) {
        match result {
            Ok(receipt) if receipt.dropped => self.dropped.insert(id),
            Ok(receipt) if receipt.ack >= Ack::Spooled => self.acked.insert(id),
            Ok(_) => self.open.insert(id),
            Err(error) => {
                self.errors.push(error);
                self.open.insert(id)
            }
        };
    }

    fn n_not_acked(&self) -> usize {
        self.dropped.len() + self.open.len()
    }
}

/// Records at `spooled` through a disk that fills and is freed again, with one recorder.
fn through_a_full_disk(on_full: OnFull) -> Option<(Outcome, place::Found)> {
    let disk = SmallDisk::mount()?;
    let ledger = place::create(disk.path());
    // Room for a dozen records in memory, so that this is full too before long.
    let spool = SpoolOptions { pending_bytes_max: 12 * RECORD_BYTES, ..SPOOL };
    let options = Recorder::options().ack(Ack::Spooled).on_full(on_full).spool(spool);
    let recorder = options.open(&place::url(disk.path())).unwrap();
    let mut outcome = Outcome::default();
    let record = |outcome: &mut Outcome, n: usize| {
        let id = format!("{}-{n}", outcome.acked.len() + outcome.n_not_acked());
        let result = recorder.record(place::record(&id, RECORD_BYTES));
        outcome.note(id, result);
    };
    for n in 0..50 {
        record(&mut outcome, n);
    }
    assert_eq!(outcome.n_not_acked(), 0, "there is room: {:?}", outcome.errors);
    disk.fill();
    let n_before = outcome.acked.len();
    // What segments and log still hold is used up, and then the disk is full for good.
    for n in 0..1000 {
        if outcome.n_not_acked() == 20 {
            break;
        }
        record(&mut outcome, n);
    }
    assert_eq!(outcome.n_not_acked(), 20, "the disk is full");
    let n_meanwhile = outcome.acked.len() - n_before;
    disk.free();
    let deadline = Instant::now() + PATIENCE;
    let n_enough = outcome.acked.len() + 100;
    while outcome.acked.len() < n_enough {
        assert!(Instant::now() < deadline, "it goes on: {:?}", outcome.errors.last());
        record(&mut outcome, 0);
    }
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    let found = place::judge(&ledger, &outcome.acked);
    eprintln!(
        "full disk, {on_full:?}: {} acknowledged ({n_meanwhile} on what was left), 0 lost, 0 \
         doubled; {} not acknowledged, {} dropped; {} entries",
        outcome.acked.len(),
        outcome.open.len(),
        outcome.dropped.len(),
        found.size,
    );
    Some((outcome, found))
}

fn assert_told_that_it_is_full(outcome: &Outcome) {
    assert!(outcome.dropped.is_empty());
    for error in &outcome.errors {
        let full = match error {
            RecordingError::Full(_) => true,
            RecordingError::Spool(error) => error.is_full(),
            _ => false,
        };
        assert!(full, "{error}");
    }
}

#[test]
#[ignore = "runs in a mount namespace, started by another test"]
fn on_full_fail() {
    let Some((outcome, found)) = through_a_full_disk(OnFull::Fail) else { return };
    assert_told_that_it_is_full(&outcome);
    assert_eq!(outcome.errors.len(), outcome.open.len());
    assert_eq!(found.n_gaps.get("dropped"), None);
}

#[test]
#[ignore = "runs in a mount namespace, started by another test"]
fn on_full_block() {
    let time = Duration::from_millis(30);
    let Some((outcome, found)) = through_a_full_disk(OnFull::Block(time)) else { return };
    assert_told_that_it_is_full(&outcome);
    assert_eq!(found.n_gaps.get("dropped"), None);
}

#[test]
#[ignore = "runs in a mount namespace, started by another test"]
fn on_full_gap() {
    let Some((outcome, found)) = through_a_full_disk(OnFull::Gap) else { return };
    assert!(outcome.errors.is_empty(), "inference goes on: {:?}", outcome.errors);
    assert!(outcome.dropped.len() >= 5 && outcome.open.len() >= 5, "both happened");
    let there: Vec<&String> = outcome.dropped.intersection(&found.ids).collect();
    assert!(there.is_empty(), "dropped and there all the same: {there:?}");
    let n_dropped = found.n_gaps.get("dropped").copied().unwrap_or(0);
    assert_eq!(n_dropped, outcome.dropped.len() as u64, "each is counted by a gap entry");
    // What stayed in memory meanwhile was written when there was room.
    let missing: Vec<&String> = outcome.open.difference(&found.ids).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
#[ignore = "runs in a mount namespace, started by another test"]
fn read_only() {
    let Some(disk) = SmallDisk::mount() else { return };
    // A name that means something in a URI.
    let dir = disk.path().join("50% of it? #1 é");
    fs::create_dir(&dir).unwrap();
    let url = place::url(&dir);
    let ledger = place::create(&dir);
    let recorder = Recorder::options().spool(SPOOL).open(&url).unwrap();
    let id = "read-only".to_owned();
    recorder.record_at(place::record(&id, 100), Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    run("mount", &["-o", "remount,ro"], disk.path());
    // Nothing can be recorded, and it is said at once and with the place.
    let error = Recorder::open(&url).err().unwrap();
    let text = error.to_string();
    assert!(text.contains("audit.db") && text.contains("ead-only"), "{text}");
    let other = dir.join("other.db");
    let created = Ledger::parse(&format!("sqlite:{}", other.display())).unwrap().create("x");
    assert!(created.unwrap_err().to_string().contains("other.db"));
    // Reading and verifying is what a read-only copy is for.
    let reader = Reader::of(&ledger).unwrap();
    assert_eq!(reader.by_request_id(&id).unwrap().len(), 1);
    place::judge(&ledger, &BTreeSet::from([id]));
}
