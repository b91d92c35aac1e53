//! Time stamps kept beside the ledger: `X.db.d/timestamps/<size>.tsr`, and `<size>.txt` with the bytes
//! that were stamped.

use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::note::NOTE_BYTES_MAX;

use super::http::{Client, HttpError, Method, shown};
use super::rfc3161::{
    REQUEST_TYPE, RESPONSE_BYTES_MAX, RESPONSE_TYPE, Request, Stamp, StampError, check_kept,
};
use crate::files::{self, For};

/// Why there is no stamp.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StampsError {
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Nobody answered.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The answer is none of RFC 3161.
    #[error("{url}: status {status}, {content_type}: {text}")]
    Answer {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
        /// Content type.
        content_type: String,
        /// What it says.
        text: String,
    },
    /// The stamp is not what was asked for.
    #[error("{url}: {error}")]
    Stamp {
        /// The address, or the file.
        url: String,
        /// What is wrong with it.
        error: StampError,
    },
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A stamp that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    /// What was stamped.
    pub(crate) checkpoint: Checkpoint,
    /// When, by the authority's clock: seconds since 1970 UTC.
    pub(crate) time_s: i64,
}

/// Has a checkpoint stamped and keeps the answer.
///
/// # Errors
/// Why there is no stamp.
pub(crate) fn stamp(
    client: &Client,
    url: &str,
    dir: &Path,
    checkpoint: &SignedCheckpoint,
) -> Result<Stamp, StampsError> {
    let text = checkpoint.note().text();
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce).map_err(StampsError::Random)?;
    let request = Request::new(text, nonce);
    let body = request.to_der();
    let answer = client.send(Method::Post, url, REQUEST_TYPE, &body, RESPONSE_BYTES_MAX)?;
    if answer.status != 200 || answer.content_type != RESPONSE_TYPE {
        let (status, content_type) = (answer.status, answer.content_type.clone());
        let text = if content_type.starts_with("text/") { answer.text() } else { String::new() };
        return Err(StampsError::Answer { url: shown(url), status, content_type, text });
    }
    let stamp = request
        .check(&answer.body)
        .map_err(|error| StampsError::Stamp { url: shown(url), error })?;
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StampsError::Io { path, source }
    };
    files::make_dir(dir).map_err(io(dir))?;
    let size = checkpoint.checkpoint().head().size;
    // The text first: a stamp without its text is not found.
    for (ending, bytes) in [("txt", text.as_bytes()), ("tsr", &answer.body)] {
        let path = dir.join(format!("{size}.{ending}"));
        files::replace(&path, bytes, For::Everybody).map_err(io(&path))?;
    }
    Ok(stamp)
}

/// The stamp of the largest size; `None` when none is kept.
///
/// # Errors
/// When it cannot be read, or is no stamp of the text beside it.
pub(crate) fn newest(dir: &Path) -> Result<Option<Kept>, StampsError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| StampsError::Io { path, source }
    };
    let items = match std::fs::read_dir(dir) {
        Ok(items) => items,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StampsError::Io { path: dir.to_owned(), source }),
    };
    let mut largest: Option<u64> = None;
    for item in items {
        let name = item.map_err(io(dir))?.file_name();
        let size = name.to_str().and_then(|name| name.strip_suffix(".tsr")?.parse().ok());
        largest = largest.max(size);
    }
    let Some(size) = largest else { return Ok(None) };
    let file = |ending: &str, bytes_max| {
        let path = dir.join(format!("{size}.{ending}"));
        files::read(&path, bytes_max).map(Option::unwrap_or_default).map_err(io(&path))
    };
    let (text, response) = (file("txt", NOTE_BYTES_MAX)?, file("tsr", RESPONSE_BYTES_MAX)?);
    let text = String::from_utf8_lossy(&text);
    let path = dir.join(format!("{size}.tsr"));
    let bad = |error| StampsError::Stamp { url: path.display().to_string(), error };
    let stamp = check_kept(&text, &response).map_err(bad)?;
    let checkpoint = Checkpoint::parse(&text).map_err(|_| bad(StampError::OtherImprint))?;
    Ok(Some(Kept { checkpoint, time_s: stamp.time_s }))
}
