//! Why a store could not do it.

use std::path::PathBuf;

/// What went wrong in a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// No ledger is at this place, and creating one was not asked for.
    #[error("no ledger at {0}; create one with `modeltrail init` or --create, or mend the path")]
    NotFound(PathBuf),
    /// A ledger is there already.
    #[error("a ledger is at {0} already; open it, or choose another path")]
    Exists(PathBuf),
    /// The file is a database but no ledger.
    #[error("{0} is no modeltrail ledger; choose another path")]
    NotALedger(PathBuf),
    /// Something without which a ledger is none was taken from it.
    #[error(
        "{path} is a modeltrail ledger from which somebody has removed {what}: nothing in it can be \
         relied on; keep the file as evidence and restore a backup"
    )]
    Gone {
        /// The database.
        path: PathBuf,
        /// What was removed.
        what: &'static str,
    },
    /// Written by a later version.
    #[error(
        "the ledger has format version {found}, this program reads up to {known}; use a newer one"
    )]
    Version {
        /// What the ledger says.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// The ledger ends elsewhere than the caller thought.
    #[error(
        "the ledger has {found} entries where {expected} were expected: another sequencer writes to \
         it; stop one of the two"
    )]
    Conflict {
        /// Size found.
        found: u64,
        /// Size expected.
        expected: u64,
    },
    /// Opened for reading only.
    #[error("the ledger is open for reading only")]
    ReadOnly,
    /// Stored bytes are not what they should be.
    #[error("entry {index}: {what}; run `modeltrail verify`")]
    Damaged {
        /// Which entry.
        index: u64,
        /// What cannot be read.
        what: &'static str,
    },
    /// A checkpoint that cannot be read, or must not be stored.
    #[error("checkpoint of {size} entries: {what}")]
    Checkpoint {
        /// Its size.
        size: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// More than is handed over at once.
    #[error("{asked} hashes are more than the {most} that are read at once; ask for fewer")]
    TooMany {
        /// How many were asked for.
        asked: u64,
        /// The bound.
        most: u64,
    },
    /// A term that is not there.
    #[error("term {0} is not in the ledger; run `modeltrail verify`")]
    NoTerm(u32),
    /// The database's own error.
    #[cfg(feature = "sqlite")]
    #[error("database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

impl StoreError {
    /// True when the caller may try the same again later (a lock, a full disk).
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                rusqlite::ErrorCode::DatabaseBusy
                    | rusqlite::ErrorCode::DatabaseLocked
                    | rusqlite::ErrorCode::DiskFull
                    | rusqlite::ErrorCode::SystemIoFailure
                    | rusqlite::ErrorCode::OutOfMemory
                    | rusqlite::ErrorCode::CannotOpen
            ),
            Self::Io { .. } => true,
            _ => false,
        }
    }
}
