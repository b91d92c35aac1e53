//! Why a key could not be made or changed.

use std::io;
use std::path::PathBuf;

use modeltrail_core::keys::{KeyChangeError, KeyRole};
use modeltrail_core::note::{KeyError, NoteError};

use crate::ledger::LedgerError;
use crate::recorder::RecordingError;
use crate::signer::SignerError;
use crate::store::StoreError;

/// A key was not made or changed. Running the command again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeysError {
    /// The entry that says so could not be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be read, written or used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The ledger's origin is no name for a key.
    #[error("the origin {origin} cannot name a key: {source}; make a ledger with another origin")]
    Origin {
        /// The origin.
        origin: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The signatures do not make a note.
    #[error("the change cannot be signed: {0}")]
    Note(#[from] NoteError),
    /// The ledger would not believe the change.
    #[error("the ledger would not accept this change: {0}")]
    Change(#[from] KeyChangeError),
    /// There is a key already.
    #[error(
        "this ledger has a {role} key, {vkey}; `modeltrail key rotate` puts another in its place"
    )]
    There {
        /// What it is for.
        role: KeyRole,
        /// The key.
        vkey: String,
    },
    /// There is no key to change.
    #[error("this ledger has no {role} key; make one with `modeltrail key generate`")]
    None {
        /// What it would be for.
        role: KeyRole,
    },
    /// Two keys sign already.
    #[error(
        "a key is taking over already; end that with `modeltrail key retire` first, or, where the newer key \
         is the one that must not go on, with `modeltrail key retire --newer`"
    )]
    Overlap,
    /// Only one key signs.
    #[error(
        "only one checkpoint key signs, so none can be retired; `modeltrail key rotate` makes the next one"
    )]
    NoOverlap,
    /// Its tokens are being made.
    #[error(
        "epoch {number} of pseudonyms is in use; begin the next one with `modeltrail key rotate --pseudonym` first, and \
         restart what records"
    )]
    EpochInUse {
        /// The epoch.
        number: u32,
    },
    /// There was no such epoch.
    #[error(
        "there is no epoch {number} of pseudonyms; `modeltrail status` names those that there are"
    )]
    NoEpoch {
        /// The epoch.
        number: u32,
    },
    /// It is destroyed already.
    #[error("the key of epoch {number} of pseudonyms was destroyed before; entry {index} says so")]
    EpochDestroyed {
        /// The epoch.
        number: u32,
        /// The entry that says so.
        index: u64,
    },
    /// Nobody here can sign the change.
    #[error(
        "the change needs a signature by {who}, and that key is not at hand; name its file with --authority-key"
    )]
    NoSayer {
        /// Whose.
        who: &'static str,
    },
    /// The entry is there, and the ledger's keys are not what it says.
    #[error(
        "the key entry was written and took no effect; another change came before it, look at `modeltrail key list`"
    )]
    NoEffect,
    /// The command cannot be written into a file of lines.
    #[error("a program and its arguments cannot hold line ends; put them into a script")]
    Lines,
    /// More key entries than any ledger has.
    #[error(
        "the ledger has more than {0} key entries, which no ledger needs; run `modeltrail verify`"
    )]
    TooMany(usize),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}
