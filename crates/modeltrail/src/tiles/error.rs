//! Why a ledger could not be exported.

use std::io;
use std::path::PathBuf;

use crate::proofs::ProofsError;
use crate::store::StoreError;

/// Why a ledger could not be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The ledger has no checkpoint to put beside the tiles.
    #[error(
        "the ledger has no signed checkpoint; record with a checkpoint key, see `modeltrail key`"
    )]
    Unpublished,
    /// The folder holds something that must not be written over.
    #[error("{path} {what}")]
    Refused {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        what: String,
    },
    /// What is stored does not lead to the checkpoint.
    #[error("what is stored does not fit `{what}`; run `modeltrail verify`")]
    Damaged {
        /// The file that would have been wrong.
        what: String,
    },
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A root cannot be made.
    #[error(transparent)]
    Proofs(#[from] ProofsError),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}
