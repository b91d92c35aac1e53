//! Names of the ledger before, of the one that is being made, and the moves between them.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::RecoverError;
use crate::disk::{Disk as _, RealDisk};
use crate::ledger::{Ledger, LedgerError};
use crate::small_file;

/// Longest file that is copied or noted, in bytes: a key, or a name.
const FILE_BYTES_MAX: usize = 1 << 16;

/// What belongs to a ledger and not to its place: moved with it. The spool and the locks stay.
const OWN_FILES: [&str; 4] = ["anchor", "head", KEYS, "verified"];

/// The folder of keys, which the new ledger always has, if only an empty one.
pub(super) const KEYS: &str = "keys";

/// Copied to the ledger before, so that it can still be asked for exact inputs.
const MAC_KEY: &str = "mac.key";

/// Endings of a database's files; the database itself last, so that it is only there once all is.
const DATABASE_FILES: [&str; 3] = ["-wal", "-shm", ""];

/// Where things are while a ledger is recovered.
pub(super) struct Places {
    /// The ledger's database.
    database: PathBuf,
}

impl Places {
    pub(super) fn of(database: &Path) -> Self {
        Self { database: database.to_owned() }
    }

    /// The database of epoch `number` once it is set aside: `audit.epoch-0.db`.
    pub(super) fn aside(&self, number: u64) -> PathBuf {
        let ending = self.database.extension().map_or(OsString::new(), |it| {
            let mut ending = OsString::from(".");
            ending.push(it);
            ending
        });
        let mut name = self.database.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".epoch-{number}"));
        name.push(ending);
        self.database.with_file_name(name)
    }

    /// The database that is being made: `audit.db.next`.
    pub(super) fn next(&self) -> PathBuf {
        with_suffix(&self.database, ".next")
    }

    /// Says, while it is there, that the moves have begun, and where to.
    fn note(&self) -> PathBuf {
        dir_of(&self.database).join("recovering")
    }

    pub(super) fn is_switching(&self) -> Result<bool, RecoverError> {
        let note = self.note();
        note.try_exists().map_err(at(&note))
    }

    /// Removes what an attempt left that did not get as far as the moves.
    pub(super) fn clear_next(&self) -> Result<(), RecoverError> {
        let next = self.next();
        for ending in DATABASE_FILES {
            let path = with_suffix(&next, ending);
            if_there(std::fs::remove_file(&path)).map_err(at(&path))?;
        }
        let dir = dir_of(&next);
        if_there(std::fs::remove_dir_all(&dir)).map_err(at(&dir))
    }

    /// From here on the moves are made, whatever comes in between.
    pub(super) fn begin(&self, aside: &Path) -> Result<(), RecoverError> {
        for path in [aside.to_owned(), dir_of(aside)] {
            if path.try_exists().map_err(at(&path))? {
                return Err(RecoverError::There(path));
            }
        }
        let note = self.note();
        let new = note.with_extension("new");
        let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
        std::fs::write(&new, format!("{name}\n")).map_err(at(&new))?;
        std::fs::File::open(&new).and_then(|file| file.sync_all()).map_err(at(&new))?;
        rename(&new, &note)
    }

    /// Moves the ledger before aside and the new one into its place. Each move that was made is
    /// passed over, so this can be done again.
    pub(super) fn switch(&self) -> Result<(), RecoverError> {
        let note = self.note();
        let name = small_file::read_text(&note, FILE_BYTES_MAX).map_err(at(&note))?;
        let aside = self.database.with_file_name(name.trim_end());
        let (dir, aside_dir, next) = (dir_of(&self.database), dir_of(&aside), self.next());
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&aside_dir)
            .map_err(at(&aside_dir))?;
        // While the next one waits under its own name, what lies here is the one before.
        let next_dir = dir_of(&next);
        if next.try_exists().map_err(at(&next))? {
            if !aside.try_exists().map_err(at(&aside))? {
                for ending in DATABASE_FILES {
                    rename(&with_suffix(&self.database, ending), &with_suffix(&aside, ending))?;
                }
            }
            for name in OWN_FILES {
                // Of these the new one has only keys; once they are here, the old ones have gone.
                if name != KEYS || next_dir.join(KEYS).exists() {
                    rename(&dir.join(name), &aside_dir.join(name))?;
                }
            }
            copy(&dir.join(MAC_KEY), &aside_dir.join(MAC_KEY))?;
            rename(&next_dir.join(KEYS), &dir.join(KEYS))?;
            for ending in DATABASE_FILES {
                rename(&with_suffix(&next, ending), &with_suffix(&self.database, ending))?;
            }
        }
        if_there(std::fs::remove_dir_all(&next_dir)).map_err(at(&next_dir))?;
        std::fs::remove_file(&note).map_err(at(&note))?;
        RealDisk.sync_dir(&dir).map_err(at(&dir))
    }
}

/// The ledger whose database is at a path.
pub(super) fn ledger_at(database: &Path) -> Result<Ledger, LedgerError> {
    Ledger::parse(&format!("sqlite:{}", database.display()))
}

/// The folder beside a database.
pub(super) fn dir_of(database: &Path) -> PathBuf {
    with_suffix(database, ".d")
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> RecoverError + '_ {
    move |source| RecoverError::Io { path: path.to_owned(), source }
}

fn if_there(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Moves a file, if it is there, and makes the move durable on both sides.
fn rename(from: &Path, to: &Path) -> Result<(), RecoverError> {
    match std::fs::rename(from, to) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        done => done.map_err(at(from))?,
    }
    for dir in [to.parent(), from.parent()].into_iter().flatten() {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        RealDisk.sync_dir(dir).map_err(at(dir))?;
    }
    Ok(())
}

/// Copies a file that only its owner can read, if it is there and the copy is not.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(), RecoverError> {
    if to.try_exists().map_err(at(to))? || !from.try_exists().map_err(at(from))? {
        return Ok(());
    }
    let text = small_file::read_text(from, FILE_BYTES_MAX).map_err(at(from))?;
    Ok(crate::signer::write_closed(to, &text)?)
}
