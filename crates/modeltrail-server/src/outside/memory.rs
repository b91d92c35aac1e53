//! What was put outside, as this side remembers it: `X.db.d/outside.json`.
//!
//! It saves a request a round, and lets `status` tell about places that cannot be asked. It is no
//! evidence: who can write it can write anything there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, For};

/// Longest file: some hundred places with long names.
const BYTES_MAX: usize = 1024 * 1024;

/// What a place or witness was given last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Given {
    /// Size of the checkpoint.
    pub(crate) size: u64,
    /// Its root, 64 hex digits.
    pub(crate) root: String,
    /// When, by this machine's clock: seconds since 1970 UTC.
    pub(crate) time_s: i64,
    /// True for a copy at an address that could be read back before, so that the ledger was held against
    /// what was there.
    #[serde(default)]
    pub(crate) is_compared: bool,
}

/// The last of each place and witness.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Memory {
    /// By the place's name.
    #[serde(default)]
    pub(crate) copies: BTreeMap<String, Given>,
    /// By the witness's verifier key.
    #[serde(default)]
    pub(crate) witnesses: BTreeMap<String, Given>,
    /// What a place or witness said against the ledger in the last round that it answered in, by what
    /// and whom.
    #[serde(default)]
    pub(crate) findings: BTreeMap<String, String>,
}

/// The name of a place or witness among the findings.
pub(crate) fn finding_key(what: &str, whom: &str) -> String {
    format!("{what} {whom}")
}

/// Why it cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub(crate) struct MemoryError {
    /// The file.
    pub(crate) path: PathBuf,
    /// What the system said.
    pub(crate) source: std::io::Error,
}

/// Reads it. What cannot be read is told in the log and taken for nothing: all of it can be asked
/// for again.
pub(crate) fn read(path: &Path) -> Memory {
    let read = files::read(path, BYTES_MAX).map_err(|error| error.to_string());
    let parsed = read.and_then(|bytes| match bytes {
        Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        None => Ok(Memory::default()),
    });
    parsed.unwrap_or_else(|error| {
        tracing::warn!("{}: {error}; it is made anew", path.display());
        Memory::default()
    })
}

/// Keeps it.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, memory: &Memory) -> Result<(), MemoryError> {
    let error = |source| MemoryError { path: path.to_owned(), source };
    let mut text = serde_json::to_vec_pretty(memory).map_err(|e| error(e.into()))?;
    text.push(b'\n');
    files::replace(path, &text, For::Everybody).map_err(error)
}
