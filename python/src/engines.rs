//! One recorder for each ledger and its options in a process, shared by all loggers that ask for the same.
//!
//! The list is locked only by threads that hold the GIL and never let go of it meanwhile, so that no fork can find it
//! locked. A recorder outlives the loggers that use it: many programs make a logger per module or per request.

use std::fs::{DirBuilder, File};
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use modeltrail::keys::LedgerKeys;
use modeltrail::{Ledger, OnFull, Place, Recorder, RecorderOptions, RecordingError};
use pyo3::prelude::*;

use crate::errors;

/// The seed document's own.
const DEFAULT_URL: &str = "sqlite:///ai_audit.db";

/// Names the ledger for a program that names none.
const URL_VARIABLE: &str = "MODELTRAIL_STORE";

/// How long a record waits for room at `on_full="block"`.
const BLOCK: Duration = Duration::from_millis(100);

/// What a recorder is made with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    /// With an absolute path: a program may change its folder.
    pub(crate) url: String,
    pub(crate) origin: Option<String>,
    pub(crate) policy: Option<PathBuf>,
    pub(crate) on_full: OnFull,
    pub(crate) mode: String,
}

struct Shared {
    wanted: Wanted,
    pid: u32,
    recorder: Recorder,
    n_loggers: usize,
}

static SHARED: Mutex<Vec<Shared>> = Mutex::new(Vec::new());

fn shared() -> MutexGuard<'static, Vec<Shared>> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why no recorder could be had.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error(transparent)]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Ledger(#[from] modeltrail::LedgerError),
    #[error(transparent)]
    Keys(#[from] modeltrail::keys::KeysError),
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

impl OpenError {
    fn told(&self, py: Python<'_>) -> PyErr {
        match self {
            Self::Recording(error) => errors::recording(py, error),
            other => errors::ledger(py, other),
        }
    }
}

/// The ledger of a program that names none: `MODELTRAIL_STORE`, else the seed document's.
#[pyfunction]
pub(crate) fn default_url() -> String {
    std::env::var(URL_VARIABLE).ok().filter(|url| !url.is_empty()).unwrap_or(DEFAULT_URL.to_owned())
}

/// `on_full` by its name.
pub(crate) fn on_full(py: Python<'_>, name: &str) -> PyResult<OnFull> {
    match name {
        "block" => Ok(OnFull::Block(BLOCK)),
        "fail" => Ok(OnFull::Fail),
        "gap" => Ok(OnFull::Gap),
        _ => Err(errors::refused_at(
            py,
            "/on_full",
            "is none of the known names",
            "use block, fail or gap",
        )),
    }
}

/// The URL with an absolute path.
pub(crate) fn absolute(py: Python<'_>, url: &str) -> PyResult<String> {
    let ledger = Ledger::parse(url).map_err(|error| errors::ledger(py, &error))?;
    match ledger.place() {
        Place::Memory => Ok(url.to_owned()),
        Place::Sqlite(path) => {
            let path = std::path::absolute(path).map_err(|error| errors::ledger(py, &error))?;
            Ok(format!("sqlite:{}", path.display()))
        }
    }
}

/// The recorder for what is wanted, opened if there is none yet.
pub(crate) fn take(py: Python<'_>, wanted: &Wanted) -> PyResult<Recorder> {
    if let Some(recorder) = find(wanted) {
        return Ok(recorder);
    }
    let opened = py.detach(|| open(wanted)).map_err(|error| error.told(py))?;
    // Another thread may have been faster, while this one had let go of the GIL.
    if let Some(recorder) = find(wanted) {
        py.detach(|| drop(opened));
        return Ok(recorder);
    }
    let (wanted, recorder) = (wanted.clone(), opened.clone());
    shared().push(Shared { wanted, pid: std::process::id(), recorder, n_loggers: 1 });
    Ok(opened)
}

fn find(wanted: &Wanted) -> Option<Recorder> {
    let mut all = shared();
    // One of a parent process will do as well: it opens a producer of this one's own.
    let found = all.iter_mut().find(|shared| shared.wanted == *wanted)?;
    found.n_loggers += 1;
    Some(found.recorder.clone())
}

/// Says that a logger is done with its recorder; gives it back to be closed when no other uses it.
pub(crate) fn leave(wanted: &Wanted, close: bool) -> Option<Recorder> {
    let mut all = shared();
    let at = all.iter().position(|shared| shared.wanted == *wanted)?;
    let shared = all.get_mut(at)?;
    shared.n_loggers = shared.n_loggers.saturating_sub(1);
    if close && shared.n_loggers == 0 {
        return Some(all.swap_remove(at).recorder);
    }
    None
}

/// Closes every recorder that this process has used: what was accepted is made durable, and the sequencer gets time to
/// take it. For the end of a process.
#[pyfunction]
pub(crate) fn close_all(py: Python<'_>) -> PyResult<()> {
    let pid = std::process::id();
    let all: Vec<Shared> = std::mem::take(&mut *shared());
    let closed = py.detach(|| {
        let mut outcome = Ok(());
        for shared in &all {
            // A parent's, not used here: to close it would open it first.
            if shared.pid == pid || shared.recorder.is_started() {
                outcome = outcome.and(shared.recorder.close());
            }
        }
        drop(all);
        outcome
    });
    closed.map_err(|error| errors::recording(py, &error))
}

/// Opens a recorder, and makes what is missing. Processes that begin at once take turns.
fn open(wanted: &Wanted) -> Result<Recorder, OpenError> {
    let ledger = Ledger::parse(&wanted.url)?;
    let mut options =
        RecorderOptions::default().on_full(wanted.on_full).capture_mode(wanted.mode.as_str());
    if let Some(path) = &wanted.policy {
        options = options.policy_file(path)?;
    }
    let origin = || wanted.origin.clone().unwrap_or_else(|| default_origin(&ledger));
    if *ledger.place() == Place::Memory {
        return Ok(options.create(origin()).open(&wanted.url)?);
    }
    if ledger.exists() && ledger.key_path().exists() && !is_being_made(&ledger) {
        return Ok(options.open(&wanted.url)?);
    }
    let turn = turn(&ledger)?;
    if !ledger.exists() {
        let made = options.clone().create(origin()).open(&wanted.url)?;
        LedgerKeys::of(&made)?.begin()?;
        // Still inside the turn: a second process finds a ledger with its keys.
        drop(turn);
        return Ok(made);
    }
    drop(turn);
    Ok(options.open(&wanted.url)?)
}

fn turn_path(ledger: &Ledger) -> PathBuf {
    ledger.key_path().with_file_name("making")
}

/// Whether some process makes this ledger now.
fn is_being_made(ledger: &Ledger) -> bool {
    File::open(turn_path(ledger)).is_ok_and(|file| file.try_lock_shared().is_err())
}

/// Waits for the turn to make a ledger; it ends when the file is dropped.
fn turn(ledger: &Ledger) -> Result<File, OpenError> {
    let path = turn_path(ledger);
    let error = |source| OpenError::Io { path: path.clone(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(error)?;
    let mut options = File::options();
    let file =
        options.create(true).truncate(false).write(true).mode(0o600).open(&path).map_err(error)?;
    file.lock().map_err(error)?;
    Ok(file)
}

/// A name that nobody else is likely to have: the file's, and 32 random bits.
fn default_origin(ledger: &Ledger) -> String {
    let stem = match ledger.place() {
        Place::Sqlite(path) => path.file_stem().unwrap_or(Path::new("ledger").as_os_str()),
        Place::Memory => Path::new("memory").as_os_str(),
    };
    let plain = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '-' };
    // An origin holds 200 characters; the rest of a longer file name tells nobody anything.
    let stem: String = stem.to_string_lossy().chars().map(plain).take(100).collect();
    // The keys of a `RandomState` come from the system's generator.
    let random = RandomState::new().build_hasher().finish() >> 32;
    format!("localhost/{stem}-{random:08x}")
}
