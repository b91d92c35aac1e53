//! What can go wrong in the spool.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::names::hex;

/// An error of the spool. Cheap to clone: one failed sync is told to every waiting caller.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// A call to the operating system failed. Frames that were appended and not committed are
    /// still in memory; the next commit tries a new segment.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// The operating system's answer.
        source: Arc<io::Error>,
    },
    /// No segment is free and the directory has reached its limit.
    #[error(
        "the spool {} is full ({bytes} of {bytes_max} bytes): start or repair the sequencer, \
         or raise bytes_max",
        dir.display()
    )]
    Full {
        /// The spool directory.
        dir: PathBuf,
        /// Bytes of all segments.
        bytes: u64,
        /// The limit.
        bytes_max: u64,
    },
    /// The frame is longer than any frame may be.
    #[error("a frame of {n_bytes} bytes is longer than the limit of {n_bytes_max}")]
    FrameTooLong {
        /// Length of the frame.
        n_bytes: usize,
        /// The limit, [`super::FRAME_BYTES_MAX`].
        n_bytes_max: usize,
    },
    /// A gap must cover one number at least, and numbers end at 2^64 - 1.
    #[error("a gap of {n_lost} numbers after {next_seq} cannot be written")]
    BadGap {
        /// How many numbers it was to cover.
        n_lost: u64,
        /// The next number.
        next_seq: u64,
    },
    /// The number was never given to a frame.
    #[error("frame {seq} was not appended, the next number is {next_seq}")]
    NotAppended {
        /// The number asked for.
        seq: u64,
        /// The next number.
        next_seq: u64,
    },
    /// The process that opened it is another one: this is a forked child. Open a new one.
    #[error("opened by process {opened_by}, used by its forked child: open a new one after a fork")]
    Forked {
        /// Number of the process that opened it.
        opened_by: u32,
    },
    /// [`super::Producer::close`] was called.
    #[error("the producer is closed: open a new one")]
    Closed,
    /// A segment in the directory belongs to another ledger.
    #[error(
        "{} belongs to the ledger {}, not to {}: use another spool directory for each ledger",
        file.display(), hex(found), hex(expected)
    )]
    ForeignOrigin {
        /// The segment file.
        file: PathBuf,
        /// The origin in its header.
        found: [u8; 32],
        /// The origin that the caller opened the spool with.
        expected: [u8; 32],
    },
    /// The acknowledged number is beyond what was handed out.
    #[error("cannot acknowledge up to {next_seq}: only frames below {delivered} were handed out")]
    AckAhead {
        /// The number that was acknowledged.
        next_seq: u64,
        /// The next number to be handed out.
        delivered: u64,
    },
    /// The options contradict each other or a limit of the format.
    #[error("{option} cannot be {value}: {why}")]
    BadOption {
        /// Which option.
        option: &'static str,
        /// Its value.
        value: u64,
        /// What it must be.
        why: &'static str,
    },
}

impl SpoolError {
    /// Whether waiting for the sequencer may help, as opposed to repairing something.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Full { .. } => true,
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
            }
            _ => false,
        }
    }
}

/// Adds what was tried, and where, to an error of the operating system.
pub(crate) trait At<T> {
    /// `what` completes the sentence "cannot … PATH".
    fn at(self, what: &'static str, path: &Path) -> Result<T, SpoolError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, what: &'static str, path: &Path) -> Result<T, SpoolError> {
        self.map_err(|source| SpoolError::Io {
            what,
            path: path.to_path_buf(),
            source: Arc::new(source),
        })
    }
}

/// Turns "no such file" into `None`: another process may have moved it.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
