//! Where a ledger is: its URL, and the folder of small things beside the database.
//!
//! Beside `audit.db` stands the folder `audit.db.d`: `anchor` (the last checkpoint, or the last head
//! of a ledger without a key), `head` (the last head of one with a key), `keys/`, `mac.key` (the key
//! of `input_mac`), `pseudonyms/` (the keys of pseudonyms), `lock` (held by the sequencer) and `spool/`.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use modeltrail_core::hash::{MacKey, hex, unhex};

use crate::redaction::PseudonymKeys;
use crate::small_file;
use crate::store::{MemoryStore, Store, StoreError};

/// Longest file of a MAC key, in bytes; one has 65.
const KEY_FILE_BYTES_MAX: usize = 1024;

/// Where entries live.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// Memory of this process; gone with it.
    Memory,
}

/// Why a ledger could not be named, made or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// Not a URL of a store that is known.
    #[error("`{0}` names no store; write sqlite:PATH, like sqlite:modeltrail.db")]
    Url(String),
    /// An origin that no checkpoint could carry.
    #[error("the origin must be one line of 1 to 200 characters, like example.com/audit")]
    Origin,
    /// The store's own error.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A key file that holds no key, or that others can read.
    #[error("{path}: {what}")]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A ledger by its URL.
#[derive(Clone, Debug)]
pub struct Ledger {
    place: Place,
    dir: PathBuf,
    memory: Arc<OnceLock<SharedMemory>>,
}

struct SharedMemory(MemoryStore);

impl std::fmt::Debug for SharedMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}

impl Ledger {
    /// Reads a URL: `sqlite:PATH`, the seed document's `sqlite:///PATH` (relative, as SQLAlchemy
    /// has it; `sqlite:////PATH` is absolute), a plain path that ends in `.db`, or `memory:`.
    ///
    /// # Errors
    /// [`LedgerError::Url`].
    pub fn parse(url: &str) -> Result<Self, LedgerError> {
        let bad = || LedgerError::Url(url.to_owned());
        if url == "memory:" {
            let name = crate::entropy::uuid_v7().map_err(LedgerError::Random)?;
            let dir = std::env::temp_dir().join(format!("modeltrail-{}", hex(&name)));
            return Ok(Self { place: Place::Memory, dir, memory: Arc::default() });
        }
        let path = match url.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("///").unwrap_or(rest),
            None if url.ends_with(".db") && !url.contains("://") => url,
            None => return Err(bad()),
        };
        if path.is_empty() || path.starts_with("//") {
            return Err(bad());
        }
        let path = PathBuf::from(path);
        let mut dir = path.clone().into_os_string();
        dir.push(".d");
        Ok(Self { place: Place::Sqlite(path), dir: dir.into(), memory: Arc::default() })
    }

    /// Where its entries live.
    #[must_use]
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// The file of the last head.
    #[must_use]
    pub fn anchor_path(&self) -> PathBuf {
        self.dir.join("anchor")
    }

    /// The file of the last head that was committed, of a ledger that has a key: the anchor is then
    /// the last signed checkpoint, which is a moment older.
    #[must_use]
    pub fn head_path(&self) -> PathBuf {
        self.dir.join("head")
    }

    /// The folder of the signing keys; see [`crate::signer`].
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// The keys of its pseudonyms.
    #[must_use]
    pub fn pseudonym_keys(&self) -> PseudonymKeys {
        PseudonymKeys::new(self.dir.join("pseudonyms"))
    }

    /// The spool's directory.
    #[must_use]
    pub fn spool_dir(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// Where processes count the requests that came to them, a file for each producer.
    #[must_use]
    pub fn coverage_dir(&self) -> PathBuf {
        self.dir.join("coverage")
    }

    /// The file that the sequencer holds locked.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.dir.join("lock")
    }

    pub(crate) const fn is_memory(&self) -> bool {
        matches!(self.place, Place::Memory)
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// True when something is there already.
    #[must_use]
    pub fn exists(&self) -> bool {
        match &self.place {
            Place::Sqlite(path) => path.exists(),
            Place::Memory => self.memory.get().is_some(),
        }
    }

    /// Makes an empty ledger named `origin`, with its key. Creating is always asked for, never done
    /// on the way: a mistyped path must not start a second, empty ledger.
    ///
    /// # Errors
    /// When one is there already, or a file cannot be written.
    pub fn create(&self, origin: &str) -> Result<(), LedgerError> {
        let usable = (1..=200).contains(&origin.chars().count())
            && !origin.chars().any(char::is_control)
            && origin.trim() == origin;
        if !usable {
            return Err(LedgerError::Origin);
        }
        match &self.place {
            Place::Memory => {
                self.memory.get_or_init(|| SharedMemory(MemoryStore::new(origin)));
                self.make_dir()
            }
            #[cfg(feature = "sqlite")]
            Place::Sqlite(path) => {
                if path.exists() {
                    return Err(StoreError::Exists(path.clone()).into());
                }
                // The key first: a ledger without its key cannot record.
                self.make_dir()?;
                self.make_key()?;
                let store = crate::store::SqliteStore::create(path, origin)?;
                Ok(store.set_key_check(&self.mac_key()?.check())?)
            }
            #[cfg(not(feature = "sqlite"))]
            Place::Sqlite(path) => Err(LedgerError::Url(path.display().to_string())),
        }
    }

    /// Opens the store for reading.
    ///
    /// # Errors
    /// When no ledger is there, or it cannot be read.
    pub fn open_read(&self) -> Result<Box<dyn Store>, LedgerError> {
        self.open_store(false)
    }

    /// Opens the store for the sequencer.
    pub(crate) fn open_write(&self) -> Result<Box<dyn Store>, LedgerError> {
        self.open_store(true)
    }

    fn open_store(&self, write: bool) -> Result<Box<dyn Store>, LedgerError> {
        match &self.place {
            Place::Memory => match self.memory.get() {
                Some(shared) => Ok(Box::new(shared.0.clone())),
                None => Err(StoreError::NotFound(PathBuf::from("memory:")).into()),
            },
            #[cfg(feature = "sqlite")]
            Place::Sqlite(path) => {
                use crate::store::Access;
                let access = if write { Access::Write } else { Access::Read };
                Ok(Box::new(crate::store::SqliteStore::open(path, access)?))
            }
            #[cfg(not(feature = "sqlite"))]
            Place::Sqlite(path) => {
                let _ = write;
                Err(LedgerError::Url(path.display().to_string()))
            }
        }
    }

    fn make_dir(&self) -> Result<(), LedgerError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.dir)
            .map_err(|source| LedgerError::Io { path: self.dir.clone(), source })
    }

    /// The file of the key of `input_mac`.
    #[must_use]
    pub fn key_path(&self) -> PathBuf {
        self.dir.join("mac.key")
    }

    fn make_key(&self) -> Result<(), LedgerError> {
        let path = self.key_path();
        let error = |source| LedgerError::Io { path: path.clone(), source };
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(LedgerError::Random)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(format!("{}\n", hex(&key)).as_bytes()).map_err(error)?;
                file.sync_all().map_err(error)
            }
            // Left by an attempt that did not get as far as the database.
            Err(source) if source.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(source) => Err(error(source)),
        }
    }

    /// The key of `input_mac`, if it is the one that the ledger was made with.
    ///
    /// # Errors
    /// As [`Ledger::mac_key`], and when the key is another ledger's: records would no longer be
    /// recognised as the same.
    pub(crate) fn mac_key_of(&self, store: &dyn Store) -> Result<MacKey, LedgerError> {
        let key = self.mac_key()?;
        match store.key_check()? {
            Some(check) if check != key.check() => Err(LedgerError::Key {
                path: self.key_path(),
                what: "is not the key of this ledger; restore the right one from a backup",
            }),
            _ => Ok(key),
        }
    }

    /// The key of `input_mac`.
    ///
    /// # Errors
    /// When the file is not there, others can read it, or it holds no key.
    pub fn mac_key(&self) -> Result<MacKey, LedgerError> {
        if self.is_memory() {
            // Nothing of it outlives the process, so a key of the process will do.
            static KEY: OnceLock<[u8; 32]> = OnceLock::new();
            let mut key = [0; 32];
            getrandom::fill(&mut key).map_err(LedgerError::Random)?;
            return Ok(MacKey::new(*KEY.get_or_init(|| key)));
        }
        let path = self.key_path();
        let error = |source| LedgerError::Io { path: path.clone(), source };
        let bad = |what| LedgerError::Key { path: path.clone(), what };
        let mode = std::fs::metadata(&path).map_err(error)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(bad("others can read this key; run chmod 600 on it"));
        }
        let text = small_file::read_text(&path, KEY_FILE_BYTES_MAX).map_err(error)?;
        let key = unhex(text.trim_end()).and_then(|key| <[u8; 32]>::try_from(key).ok());
        key.map(MacKey::new)
            .ok_or_else(|| bad("holds no key of 64 hex digits; restore it from a backup"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_paths_as_people_write_them() {
        let path = |url: &str| match Ledger::parse(url).unwrap().place {
            Place::Sqlite(path) => path.display().to_string(),
            Place::Memory => "memory".into(),
        };
        assert_eq!(path("sqlite:a/b.db"), "a/b.db");
        assert_eq!(path("sqlite:/a/b.db"), "/a/b.db");
        assert_eq!(path("sqlite:///ai_audit.db"), "ai_audit.db");
        assert_eq!(path("sqlite:////var/ai_audit.db"), "/var/ai_audit.db");
        assert_eq!(path("audit.db"), "audit.db");
        assert_eq!(path("memory:"), "memory");
        for bad in ["", "sqlite:", "mysql://x", "audit", "postgres://h/db.db", "sqlite://host/x"] {
            assert!(matches!(Ledger::parse(bad), Err(LedgerError::Url(_))), "{bad}");
        }
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("a.db").display());
        let ledger = Ledger::parse(&url).unwrap();
        ledger.create("example.com/a").unwrap();
        assert!(ledger.mac_key().is_ok());
        let open = std::fs::Permissions::from_mode(0o644);
        std::fs::set_permissions(ledger.key_path(), open).unwrap();
        assert!(matches!(ledger.mac_key(), Err(LedgerError::Key { .. })));
        assert!(matches!(
            ledger.create("example.com/a"),
            Err(LedgerError::Store(StoreError::Exists(_)))
        ));
        assert!(matches!(ledger.create("a\nb"), Err(LedgerError::Origin)));
    }
}
