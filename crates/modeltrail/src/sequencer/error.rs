//! Why sequencing stopped.

use std::path::PathBuf;

use crate::anchor_file::AnchorFileError;
use crate::ledger::LedgerError;
use crate::publish::PublishError;
use crate::spool::SpoolError;
use crate::store::StoreError;

/// Why sequencing stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequencerError {
    /// Another sequencer holds the ledger.
    #[error(
        "another process is the sequencer of this ledger with another spool directory; let both use \
         the same one, or stop it"
    )]
    Taken,
    /// The ledger is behind its anchor: an old copy was put back, or entries were cut off.
    #[error(
        "the ledger has {size} entries, but its anchor {path} knows {anchored}: entries {size} to {} \
         are missing, because it is an older copy or its end was cut off; restore the newer database, \
         or, if there is none, go on in a new epoch that says what is missing: `modeltrail recover \
         --new-epoch`",
        anchored - 1
    )]
    BehindAnchor {
        /// Entries that are there.
        size: u64,
        /// Entries that were there.
        anchored: u64,
        /// The file that knows more: anchor or head.
        path: PathBuf,
    },
    /// The anchor is another ledger's, or of another history.
    #[error("the anchor {path} does not belong to this ledger: {what}; run `modeltrail verify`")]
    ForeignAnchor {
        /// The anchor file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot take the batch.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The anchor cannot be read or written.
    #[error(transparent)]
    Anchor(#[from] AnchorFileError),
    /// A file cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// No checkpoint can be published, for a reason that does not pass.
    #[error(transparent)]
    Publish(Box<PublishError>),
    /// Records are to be kept until they are published, and the ledger publishes nothing.
    #[error(
        "trim = published keeps every record in the spool until it is published, and this ledger has no \
         checkpoint key; make one with `modeltrail key generate`, or set trim = sequenced"
    )]
    Unsigned,
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

impl SequencerError {
    /// True when trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Publish(error) => error.is_passing(),
            Self::Spool(_) | Self::Anchor(AnchorFileError::Io { .. }) | Self::Io { .. } => true,
            _ => false,
        }
    }
}

impl From<PublishError> for SequencerError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Behind { size, known, path } => {
                Self::BehindAnchor { size, anchored: known, path }
            }
            PublishError::Foreign { path, what } => Self::ForeignAnchor { path, what },
            PublishError::Anchor(error) => Self::Anchor(error),
            PublishError::Store(error) => Self::Store(error),
            error => Self::Publish(Box::new(error)),
        }
    }
}
