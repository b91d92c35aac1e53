//! Why a record could not be recorded.

use std::sync::Arc;

use modeltrail_core::RecordError;

use super::Ack;
use crate::ledger::LedgerError;
use crate::reader::ReadError;
use crate::redaction::PolicyFileError;
use crate::sequencer::SequencerError;
use crate::spool::SpoolError;
use crate::store::StoreError;

/// A record was not taken, or its stage was not reached. Cheap to clone.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The record cannot be taken; nothing of it was kept.
    #[error(transparent)]
    Refused(#[from] RecordError),
    /// No room in ring or spool; nothing of the record was kept.
    #[error("no room for the record: {0}; see that a sequencer runs, or choose another on_full")]
    Full(&'static str),
    /// The spool failed. The record may have been kept; recording it again under the same request
    /// id does not double it.
    #[error("the spool: {0}")]
    Spool(#[from] SpoolError),
    /// Another record with other content holds the request id; this one is kept as a `conflict`
    /// entry.
    #[error(
        "request id {request_id} holds another record, at index {index}; this one was kept as a conflict entry"
    )]
    Conflict {
        /// The request id.
        request_id: String,
        /// Index of the record that holds it.
        index: u64,
    },
    /// The stage was not reached in time; the record is safe at the stage before.
    #[error("not {} after {waited_ms} ms: {reason}", .ack.name())]
    Timeout {
        /// The stage waited for.
        ack: Ack,
        /// How long, in milliseconds.
        waited_ms: u64,
        /// What the sequencer said last, if it said something.
        reason: String,
    },
    /// The ledger has no key, so nothing of it is ever published.
    #[error(
        "no checkpoint key of this ledger is at hand, so nothing is published; restore the one that it has, or make \
         one with `modeltrail key generate`, or wait for sequenced"
    )]
    Unsigned,
    /// The record is sequenced, and what the ledger shows for it does not hold.
    #[error("entry {index} has no receipt that holds: {why}; run `modeltrail verify`")]
    Unproven {
        /// The entry.
        index: u64,
        /// Why not.
        why: Arc<str>,
    },
    /// [`super::Recorder::close`] was called.
    #[error("the recorder is closed; open a new one")]
    Closed,
    /// The redactor masks none of the values that it is tried out with.
    #[error(
        "redaction masks none of its {n_vectors} built-in test values, so nothing is recorded; this build is broken, or \
         the policy lets all of them through: mend it, or see `modeltrail redact`"
    )]
    Redactor {
        /// How many there are.
        n_vectors: u32,
    },
    /// The file of a redaction policy cannot be taken.
    #[error("{0}")]
    Policy(Arc<PolicyFileError>),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(Arc<LedgerError>),
    /// The ledger cannot be sequenced here.
    #[error(transparent)]
    Sequencer(Arc<SequencerError>),
    /// The ledger cannot be read.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// A thread could not be started, or no random bytes were had.
    #[error("the system: {0}")]
    System(Arc<str>),
}

impl From<PolicyFileError> for RecordingError {
    fn from(error: PolicyFileError) -> Self {
        Self::Policy(Arc::new(error))
    }
}

impl From<LedgerError> for RecordingError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(Arc::new(error))
    }
}

impl From<SequencerError> for RecordingError {
    fn from(error: SequencerError) -> Self {
        Self::Sequencer(Arc::new(error))
    }
}

impl From<StoreError> for RecordingError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<ReadError> for RecordingError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Ledger(error) => error.into(),
            ReadError::Store(error) => error.into(),
            other => Self::System(other.to_string().into()),
        }
    }
}

impl From<getrandom::Error> for RecordingError {
    fn from(error: getrandom::Error) -> Self {
        Self::System(format!("no random bytes: {error}").into())
    }
}
