//! What a witness remembers, in files.
//!
//! ```text
//! DIR/lock                        held by the process that is the witness
//! DIR/witness                     the verifier key whose memory this is
//! DIR/begun/<SHA-256 of origin>   the origin of a log that has had a cosignature
//! DIR/logs/<SHA-256 of origin>/
//!     checkpoint                  the last one that was cosigned, as the log sent it
//!     evidence/<kind>-<SHA-256 of the request>/
//!         request, submitted, known   what was asked, its checkpoint, the last one
//! ```

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::hash::sha256;
use modeltrail_core::note::{VerifierKey, VerifyError};
use modeltrail_core::witness::{Evidence, REQUEST_BYTES_MAX, Request};

use super::WitnessError;
use crate::files::{self, For};

/// Most pieces of evidence that are kept of one kind and log. One is proof enough; more than these say
/// nothing new, and who can sign for the log, or send what it signed, must not fill the disk.
const N_EVIDENCE_MAX: usize = 64;

/// The folder of a witness's memory, held by this process.
pub(crate) struct StateDir {
    dir: PathBuf,
    _lock: File,
}

impl StateDir {
    /// Takes the memory of the witness with this key. The folder must be there: a mistyped path must
    /// not make a witness forget what it has cosigned.
    ///
    /// # Errors
    /// When the folder is not there, belongs to another key, or another process holds it.
    pub(crate) fn open(dir: &Path, key: &VerifierKey) -> Result<Self, WitnessError> {
        if !dir.is_dir() {
            let what =
                "no such folder; a new witness begins with an empty one, so make it with mkdir";
            return Err(WitnessError::file(dir, what));
        }
        let lock = take_lock(&dir.join("lock"))?;
        let state = Self { dir: dir.to_owned(), _lock: lock };
        state.check_key(key)?;
        Ok(state)
    }

    fn check_key(&self, key: &VerifierKey) -> Result<(), WitnessError> {
        let path = self.dir.join("witness");
        let text = format!("{key}\n");
        let known = files::read(&path, 4096).map_err(|e| WitnessError::io(&path, e))?;
        match known {
            Some(bytes) if bytes == text.as_bytes() => Ok(()),
            Some(_) => {
                let what = "this is the memory of a witness with another key; name its own folder";
                Err(WitnessError::file(&path, what))
            }
            None if self.dir.join("logs").exists() => {
                let what = "is missing beside logs/: the memory is not whole; restore it";
                Err(WitnessError::file(&path, what))
            }
            None => files::create(&path, text.as_bytes(), For::Everybody)
                .map_err(|e| WitnessError::io(&path, e)),
        }
    }

    /// True for a folder that has not been any witness's memory yet.
    pub(crate) fn is_new(dir: &Path) -> bool {
        !dir.join("witness").exists()
    }

    fn begun_file(&self, origin: &str) -> PathBuf {
        self.dir.join("begun").join(sha256(&[origin.as_bytes()]).to_hex())
    }

    /// Notes that a log has had a cosignature, apart from its checkpoint, so that the loss of that one is
    /// noticed.
    fn begin(&self, origin: &str) -> Result<(), WitnessError> {
        let path = self.begun_file(origin);
        if path.exists() {
            return Ok(());
        }
        let dir = self.dir.join("begun");
        files::make_dir(&dir).map_err(|e| WitnessError::io(&dir, e))?;
        files::replace(&path, format!("{origin}\n").as_bytes(), For::Everybody)
            .map_err(|e| WitnessError::io(&path, e))
    }

    /// True when there must be a checkpoint of this log: it was cosigned for, or another history of it was
    /// refused, which needs one to hold it against.
    fn has_begun(&self, origin: &str) -> Result<bool, WitnessError> {
        if self.begun_file(origin).exists() {
            return Ok(true);
        }
        let all = self.log_dir(origin).join("evidence");
        if !all.exists() {
            return Ok(false);
        }
        let n_of = |kind| count(&all, kind_name(kind));
        Ok(n_of(Evidence::Equivocation)? + n_of(Evidence::Inconsistency)? > 0)
    }

    fn log_dir(&self, origin: &str) -> PathBuf {
        self.dir.join("logs").join(sha256(&[origin.as_bytes()]).to_hex())
    }

    /// The last checkpoint of a log that was cosigned; `None` before the first.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged. It must not be taken for none: the witness would
    /// cosign any history.
    pub(crate) fn last(
        &self,
        origin: &str,
        keys: &[VerifierKey],
    ) -> Result<Option<SignedCheckpoint>, WitnessError> {
        let path = self.log_dir(origin).join("checkpoint");
        let read = files::read(&path, REQUEST_BYTES_MAX).map_err(|e| WitnessError::io(&path, e))?;
        let Some(bytes) = read else {
            if !self.has_begun(origin)? {
                return Ok(None);
            }
            let what = format!(
                "is missing, and this witness has cosigned for {origin}: restore this file; without it \
                 another history of the log could be cosigned. If it is lost for good, make a new witness, \
                 with a new key (modeltrail witness key --generate) and an empty folder"
            );
            return Err(WitnessError::file(&path, what));
        };
        let damaged = |what: String| {
            let todo = "restore this file; without it the witness must not cosign for this log";
            WitnessError::file(&path, format!("{what}; {todo}"))
        };
        let last = SignedCheckpoint::parse(&bytes).map_err(|error| damaged(error.to_string()))?;
        if last.checkpoint().origin() != origin {
            return Err(damaged("it is of another log".to_owned()));
        }
        // A key that the log had then may have left the settings since; one that is known must hold.
        match last.verify_log(keys) {
            Err(error @ VerifyError::Invalid { .. }) => Err(damaged(error.to_string())),
            Ok(()) | Err(VerifyError::NoKnownKey) => {
                // For one that was stopped between the two, or is older than this note.
                self.begin(origin)?;
                Ok(Some(last))
            }
        }
    }

    /// Makes this the last checkpoint of its log. When it returns, a power loss does not take it back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn set_last(&self, checkpoint: &SignedCheckpoint) -> Result<(), WitnessError> {
        let dir = self.log_dir(checkpoint.checkpoint().origin());
        files::make_dir(&dir).map_err(|e| WitnessError::io(&dir, e))?;
        let path = dir.join("checkpoint");
        files::replace(&path, checkpoint.to_string().as_bytes(), For::Everybody)
            .map_err(|e| WitnessError::io(&path, e))?;
        self.begin(checkpoint.checkpoint().origin())
    }

    /// Keeps what a log has signed and should not have; gives the folder, or `None` when as much of
    /// this kind is kept as there can be.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn keep_evidence(
        &self,
        kind: Evidence,
        request: &Request,
        known: Option<&SignedCheckpoint>,
    ) -> Result<Option<PathBuf>, WitnessError> {
        let origin = request.checkpoint.checkpoint().origin();
        let all = self.log_dir(origin).join("evidence");
        files::make_dir(&all).map_err(|e| WitnessError::io(&all, e))?;
        let text = request.to_string();
        let kind = kind_name(kind);
        let dir = all.join(format!("{kind}-{}", sha256(&[text.as_bytes()]).to_hex()));
        if !dir.exists() && count(&all, kind)? >= N_EVIDENCE_MAX {
            return Ok(None);
        }
        files::make_dir(&dir).map_err(|e| WitnessError::io(&dir, e))?;
        let known = known.map_or_else(String::new, ToString::to_string);
        let submitted = request.checkpoint.to_string();
        for (name, text) in [("request", &text), ("submitted", &submitted), ("known", &known)] {
            let path = dir.join(name);
            files::replace(&path, text.as_bytes(), For::Everybody)
                .map_err(|e| WitnessError::io(&path, e))?;
        }
        Ok(Some(dir))
    }
}

/// The word for a kind of evidence, in names of folders.
const fn kind_name(kind: Evidence) -> &'static str {
    match kind {
        Evidence::Equivocation => "equivocation",
        Evidence::Inconsistency => "inconsistency",
        Evidence::EmptyRoot => "empty-root",
    }
}

fn count(dir: &Path, kind: &str) -> Result<usize, WitnessError> {
    let error = |source| WitnessError::io(dir, source);
    let mut n = 0;
    for item in std::fs::read_dir(dir).map_err(error)? {
        n += usize::from(item.map_err(error)?.file_name().to_string_lossy().starts_with(kind));
    }
    Ok(n)
}

/// The lock ends with the process, however that ends.
fn take_lock(path: &Path) -> Result<File, WitnessError> {
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(|e| WitnessError::io(path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let what = "another process is this witness; two of them could cosign two histories";
            Err(WitnessError::file(path, what))
        }
        Err(TryLockError::Error(source)) => Err(WitnessError::io(path, source)),
    }
}
