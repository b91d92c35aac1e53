//! A witness: it keeps the last checkpoint of each log that it was told of, and cosigns the next one
//! only if it extends that. To be run where the log's operator cannot reach, or it adds nothing.
//!
//! Over HTTP it is C2SP tlog-witness v1.0. `http` is the only module that knows HTTP; `judge` holds
//! [`modeltrail_core::witness::decide`], the state and the key together under one lock for each log.
//!
//! Architecture invariant: a cosignature exists only after the checkpoint is durable in the state. The
//! other way round, a witness that lost power could be led to cosign another history.

pub(crate) mod http;
pub(crate) mod judge;
pub(crate) mod key;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use judge::Witness;
pub(crate) use state::StateDir;

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::note::{KeyError, VerifierKey};

/// Why a witness cannot start, or cannot do what a request asks for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WitnessError {
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A file that does not hold what it should.
    #[error("{path}: {what}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A verifier key of a log that is none.
    #[error("the log key `{text}`: {error}")]
    LogKey {
        /// As it was given; verifier keys are public.
        text: String,
        /// What is wrong with it.
        error: KeyError,
    },
    /// No log at all.
    #[error("a witness without logs has nothing to do; name each with --log VKEY or witness.logs")]
    NoLogs,
    /// The system's clock cannot be used.
    #[error("the clock stands before 1970, so no cosignature can say when it was made; set it")]
    Clock,
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
}

impl WitnessError {
    fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    fn file(path: &Path, what: impl ToString) -> Self {
        Self::File { path: path.to_owned(), what: what.to_string() }
    }
}

/// Reads the verifier keys of logs.
///
/// # Errors
/// The first one that is none, and [`WitnessError::NoLogs`].
pub(crate) fn parse_logs(texts: &[String]) -> Result<Vec<VerifierKey>, WitnessError> {
    if texts.is_empty() {
        return Err(WitnessError::NoLogs);
    }
    let parse = |text: &String| {
        let error = |error| WitnessError::LogKey { text: text.clone(), error };
        let key = VerifierKey::parse(text).map_err(error)?;
        let (needed, found) = (0x01, key.kind().code());
        if found == needed { Ok(key) } else { Err(error(KeyError::OtherKind { needed, found })) }
    };
    texts.iter().map(parse).collect()
}
