//! The keys of pseudonyms, as files: one for each epoch, 32 random bytes as hexadecimal digits.
//!
//! `LEDGER.d/pseudonyms/N.key`, readable by its owner alone. The highest epoch that has a file is the one in
//! use; earlier ones stay, so that their tokens can be made again from values, until they are destroyed.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use modeltrail_core::hash::{hex, unhex};
use modeltrail_core::redact::rules::PseudonymKey;

use crate::disk::{Disk as _, RealDisk};
use crate::ledger::LedgerError;
use crate::small_file;

/// Longest key file in bytes; one has 65.
const KEY_FILE_BYTES_MAX: usize = 1024;

/// Highest epoch: one a day for eleven years, as for signing keys.
pub(super) const EPOCH_MAX: u32 = 4095;

/// How the file of a key ends.
const ENDING: &str = ".key";

/// How it ends while no entry says yet that its epoch began.
const STAGED: &str = ".key.new";

/// The keys of a ledger's pseudonyms.
#[derive(Clone, Debug)]
pub struct PseudonymKeys {
    dir: PathBuf,
}

impl PseudonymKeys {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    /// Where they lie.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn path(&self, number: u32, ending: &str) -> PathBuf {
        self.dir.join(format!("{number}{ending}"))
    }

    /// The epochs whose keys are there, ascending.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn epochs(&self) -> Result<Vec<u32>, LedgerError> {
        let names = match std::fs::read_dir(&self.dir) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&self.dir)(error)),
        };
        let mut epochs = Vec::new();
        for name in names {
            let name = name.map_err(at(&self.dir))?.file_name();
            let number = name.to_str().and_then(|name| name.strip_suffix(ENDING));
            // `07` is no name that was given here.
            let number = number.and_then(|digits| {
                digits.parse::<u32>().ok().filter(|number| number.to_string() == digits)
            });
            epochs.extend(number.filter(|number| *number <= EPOCH_MAX));
        }
        epochs.sort_unstable();
        Ok(epochs)
    }

    /// The key in use: that of the highest epoch.
    ///
    /// # Errors
    /// When its file cannot be read, others can read it too, or it holds no key.
    pub fn current(&self) -> Result<Option<PseudonymKey>, LedgerError> {
        self.epochs()?.last().map(|number| self.key(*number)).transpose()
    }

    /// The key of an epoch.
    ///
    /// # Errors
    /// As [`PseudonymKeys::current`], and when there is none.
    pub fn key(&self, number: u32) -> Result<PseudonymKey, LedgerError> {
        let path = self.path(number, ENDING);
        let bad = |what| LedgerError::Key { path: path.clone(), what };
        let mode = std::fs::metadata(&path).map_err(at(&path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(bad("others can read this key; run chmod 600 on it"));
        }
        let text = small_file::read_text(&path, KEY_FILE_BYTES_MAX).map_err(at(&path))?;
        let key = unhex(text.trim_end()).and_then(|key| <[u8; 32]>::try_from(key).ok());
        key.map(|key| PseudonymKey::new(number, &key))
            .ok_or_else(|| bad("holds no key of 64 hex digits; restore it from a backup"))
    }

    /// Makes the key of an epoch, unless another process was faster: then that one's counts.
    pub(crate) fn make(&self, number: u32) -> Result<PseudonymKey, LedgerError> {
        self.put(number, ENDING)?;
        self.key(number)
    }

    /// Makes the key of an epoch that is not in use before [`PseudonymKeys::place`], unless one lies there.
    pub(crate) fn stage(&self, number: u32) -> Result<(), LedgerError> {
        self.put(number, STAGED)
    }

    /// Whether the key of an epoch waits to be placed.
    pub(crate) fn is_staged(&self, number: u32) -> bool {
        self.path(number, STAGED).exists()
    }

    /// Takes a staged key into use.
    pub(crate) fn place(&self, number: u32) -> Result<(), LedgerError> {
        let (from, to) = (self.path(number, STAGED), self.path(number, ENDING));
        match std::fs::hard_link(&from, &to) {
            // Another process placed the same one.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked.map_err(at(&to))?,
        }
        self.remove(&from)
    }

    /// Writes a new key under a name that nobody has, whole and durable before the name is there.
    fn put(&self, number: u32, ending: &str) -> Result<(), LedgerError> {
        if number > EPOCH_MAX {
            let what = "this ledger has had 4096 epochs, which is the most; keep the last key";
            return Err(LedgerError::Key { path: self.dir.clone(), what });
        }
        let dir = &self.dir;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
        let (mut key, mut tail) = ([0; 32], [0; 8]);
        getrandom::fill(&mut key).map_err(LedgerError::Random)?;
        getrandom::fill(&mut tail).map_err(LedgerError::Random)?;
        let staging = self.dir.join(format!("{number}.{}", hex(&tail)));
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&staging)?;
            file.write_all(format!("{}\n", hex(&key)).as_bytes())?;
            file.sync_all()
        };
        write().map_err(at(&staging))?;
        // A link takes no name that is taken, and a name never shows half a key.
        let path = self.path(number, ending);
        let linked = match std::fs::hard_link(&staging, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked.map_err(at(&path)),
        };
        self.remove(&staging)?;
        linked
    }

    /// Overwrites and removes the key of an epoch. False when there was none.
    pub(crate) fn destroy(&self, number: u32) -> Result<bool, LedgerError> {
        let path = self.path(number, ENDING);
        let overwrite = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            let len = usize::try_from(file.metadata()?.len()).unwrap_or(KEY_FILE_BYTES_MAX);
            file.write_all(&vec![b'0'; len.min(KEY_FILE_BYTES_MAX)])?;
            file.sync_all()
        };
        match overwrite() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            done => done.map_err(at(&path))?,
        }
        self.remove(&path)?;
        Ok(true)
    }

    fn remove(&self, path: &Path) -> Result<(), LedgerError> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            removed => removed.map_err(at(path))?,
        }
        RealDisk.sync_dir(&self.dir).map_err(at(&self.dir))
    }
}

fn at(path: &Path) -> impl Fn(io::Error) -> LedgerError + '_ {
    move |source| LedgerError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(dir: &tempfile::TempDir) -> PseudonymKeys {
        PseudonymKeys::new(dir.path().join("pseudonyms"))
    }

    fn text(keys: &PseudonymKeys, number: u32) -> String {
        std::fs::read_to_string(keys.path(number, ENDING)).unwrap()
    }

    #[test]
    fn many_who_make_the_same_epoch_at_once_have_one_key() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(&dir);
        assert!(keys.epochs().unwrap().is_empty());
        assert!(keys.current().unwrap().is_none());
        let made = |_| {
            keys.make(0).unwrap();
            text(&keys, 0)
        };
        let texts: Vec<String> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || made(n))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
        let names = std::fs::read_dir(keys.dir()).unwrap().count();
        assert_eq!(names, 1, "nothing is left of those that were slower");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(keys.dir()), mode(&keys.path(0, ENDING))), (0o700, 0o600));
    }

    #[test]
    fn the_highest_epoch_is_in_use_and_a_staged_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(&dir);
        keys.make(0).unwrap();
        keys.stage(1).unwrap();
        let staged = std::fs::read_to_string(keys.path(1, STAGED)).unwrap();
        assert_eq!(keys.current().unwrap().unwrap().epoch(), 0);
        keys.stage(1).unwrap();
        keys.place(1).unwrap();
        assert_eq!((keys.current().unwrap().unwrap().epoch(), text(&keys, 1)), (1, staged));
        assert_ne!(text(&keys, 0), text(&keys, 1));
        keys.make(10).unwrap();
        assert_eq!(keys.epochs().unwrap(), [0, 1, 10], "by number, not by name");
        assert!(keys.destroy(0).unwrap() && !keys.destroy(0).unwrap());
        assert_eq!(keys.epochs().unwrap(), [1, 10]);
        assert!(matches!(keys.make(EPOCH_MAX + 1), Err(LedgerError::Key { .. })));
    }

    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let keys = keys(&dir);
        keys.make(0).unwrap();
        let path = keys.path(0, ENDING);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(keys.current().unwrap_err().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "12\n").unwrap();
        assert!(keys.current().unwrap_err().to_string().contains("64 hex digits"));
        std::fs::write(keys.dir().join("07.key"), "x").unwrap();
        assert_eq!(keys.epochs().unwrap(), [0]);
    }
}
