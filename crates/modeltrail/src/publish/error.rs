//! Why no checkpoint was published.

use std::path::PathBuf;

use crate::anchor_file::AnchorFileError;
use crate::keys::KeysError;
use crate::proofs::ProofsError;
use crate::signer::SignerError;
use crate::store::StoreError;

/// No checkpoint was published. See [`PublishError::is_passing`] for what that means for the ledger.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// A key cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the entries say of keys cannot be read.
    #[error(transparent)]
    Keys(Box<KeysError>),
    /// The tree at an earlier size cannot be read.
    #[error(transparent)]
    Proofs(#[from] ProofsError),
    /// A file outside the database cannot be read or written.
    #[error(transparent)]
    Anchor(#[from] AnchorFileError),
    /// The ledger had checkpoints, and its key is not there any more.
    #[error(
        "the ledger's checkpoint key is not in {dir}, so nothing is published; restore it, or let the \
         authority key name another with `modeltrail key rotate --reason lost`"
    )]
    KeyGone {
        /// Where it should be.
        dir: PathBuf,
    },
    /// A key that the ledger does not know.
    #[error(
        "the key {vkey} in {dir} has signed no checkpoint of this ledger, and no entry puts it in force; \
         restore the right one"
    )]
    OtherKey {
        /// The key.
        vkey: String,
        /// Where it is.
        dir: PathBuf,
    },
    /// The last stored checkpoint is by nobody that the ledger knows.
    #[error(
        "the last checkpoint in the database, of {size} entries, is signed by no key of this ledger; run `modeltrail verify`"
    )]
    OtherCheckpoint {
        /// Its size.
        size: u64,
    },
    /// The anchor names another ledger or another history.
    #[error("{path} does not belong to this ledger: {what}; run `modeltrail verify`")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The ledger has fewer entries than it had.
    #[error(
        "the ledger has {size} entries, but {path} knows {known}: entries {size} to {} are missing. It is an \
         older copy, or its end was cut off. Restore the newer database; if there is none, \
         `modeltrail recover --new-epoch` goes on in a new one that says what is missing",
        known - 1
    )]
    Behind {
        /// Entries that are there.
        size: u64,
        /// Entries that were there.
        known: u64,
        /// The file that knows.
        path: PathBuf,
    },
    /// A stored leaf is not what was hashed.
    #[error("entry {index}: {what}; nothing is signed over it, run `modeltrail verify`")]
    Leaf {
        /// Which entry.
        index: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// The stored leaves give another root than what was written.
    #[error(
        "the first {size} entries as they are stored have another root than when they were written; \
         nothing is signed over them, run `modeltrail verify`"
    )]
    Root {
        /// How many entries.
        size: u64,
    },
}

impl From<KeysError> for PublishError {
    fn from(error: KeysError) -> Self {
        Self::Keys(Box::new(error))
    }
}

impl PublishError {
    /// True when records may go on being sequenced while publishing is tried again later: a signer, a
    /// key file or a disk that does not work now. False when the ledger itself is not what it was,
    /// so that nothing may be built on it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Signer(_) | Self::KeyGone { .. } | Self::OtherKey { .. } => true,
            Self::Anchor(AnchorFileError::Io { .. }) => true,
            Self::Store(error) | Self::Proofs(ProofsError::Store(error)) => error.is_passing(),
            Self::Keys(error) => match error.as_ref() {
                KeysError::Store(error) => error.is_passing(),
                _ => true,
            },
            _ => false,
        }
    }
}
