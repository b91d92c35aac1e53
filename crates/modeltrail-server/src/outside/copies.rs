//! Second places: the checkpoint as a file in another folder, or sent to an address.
//!
//! A folder holds one ledger's copies:
//!
//! ```text
//! DIR/checkpoint          the last one
//! DIR/kept/2026-03-15T09Z the first one of each hour; never replaced
//! ```
//!
//! Before the last one is replaced, the ledger is held against it: a ledger that was cut, put back or
//! rewritten is told, and what is there stays. At an address for PUT, that is what GET gives; one that
//! takes and does not give (and each for POST) is never held against anything, so it does not count.
//! Whoever controls ledger and folder can still replace
//! both, so let the folder be one that its writer cannot change, or of another machine.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::NOTE_BYTES_MAX;
use modeltrail_core::time::format_rfc3339_short;

use super::history::{History, Standing};
use super::http::{Client, HttpError, Method, shown};
use crate::files::{self, For};

/// Longest answer of an address that is read; only its status counts.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// A place for copies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum CopyPlace {
    /// A folder.
    Folder(PathBuf),
    /// An address that takes the checkpoint.
    Http(Method, String),
}

/// Why there is no copy, or the one that is there says something else.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Nobody answered.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The address does not take it.
    #[error("{url}: status {status}: {text}")]
    Status {
        /// The address.
        url: String,
        /// HTTP status.
        status: u16,
        /// What it says.
        text: String,
    },
    /// Something else stands in the folder.
    #[error("{path}: {what}; give this ledger a folder of its own")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What it is.
        what: String,
    },
    /// The store cannot be read.
    #[error("{0}")]
    Own(String),
    /// What is at the address cannot be used.
    #[error("{place}: {what}")]
    Kept {
        /// The address.
        place: String,
        /// What is there.
        what: String,
    },
    /// The copy is of more entries than the ledger has.
    #[error(
        "{place} is a checkpoint of {kept} entries and the ledger has {size}: entries are missing, or an \
         old copy of the ledger was put back; the copy is left as it is"
    )]
    Behind {
        /// The copy.
        place: String,
        /// Its entries.
        kept: u64,
        /// Entries of the new checkpoint.
        size: u64,
    },
    /// The copy is of another history.
    #[error(
        "{place} has another root at {kept} entries than the ledger has now: entries were changed, or \
         there are two histories; the copy is left as it is"
    )]
    OtherHistory {
        /// The copy.
        place: String,
        /// Its entries.
        kept: u64,
        /// The copy itself.
        note: Box<SignedCheckpoint>,
    },
}

/// What was found at a place before anything is put there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// Nothing yet.
    Nothing,
    /// A checkpoint that the ledger extends.
    Kept(Box<SignedCheckpoint>),
    /// The place takes and does not give.
    Unread(String),
}

impl CopyError {
    /// True when it means that the ledger is not what it was.
    pub(crate) const fn is_finding(&self) -> bool {
        matches!(self, Self::Behind { .. } | Self::OtherHistory { .. })
    }
}

impl fmt::Display for CopyPlace {
    /// As it is told, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => write!(f, "{}", path.display()),
            Self::Http(_, url) => f.write_str(&shown(url)),
        }
    }
}

impl CopyPlace {
    /// Reads a place as the settings have it: a folder, `https://…` for PUT, `post+https://…` for POST.
    pub(crate) fn parse(text: &str) -> Self {
        let is_http = |url: &str| url.starts_with("https://") || url.starts_with("http://");
        match text.strip_prefix("post+") {
            Some(url) if is_http(url) => Self::Http(Method::Post, url.to_owned()),
            _ if is_http(text) => Self::Http(Method::Put, text.to_owned()),
            _ => Self::Folder(PathBuf::from(text)),
        }
    }

    /// Holds the ledger against what is there; writes nothing.
    ///
    /// # Errors
    /// Why it cannot be, or nothing should be put there; what is a finding about the ledger says so.
    pub(crate) fn compare(
        &self,
        checkpoint: &SignedCheckpoint,
        history: &History,
        client: &Client,
    ) -> Result<Found, CopyError> {
        let kept = match self {
            Self::Folder(dir) if !dir.is_dir() => {
                // Not made here: an unmounted disk would leave the copies on the one they are to be
                // apart from.
                let source =
                    io::Error::new(io::ErrorKind::NotFound, "no such folder; make or mount it");
                return Err(CopyError::Io { path: dir.clone(), source });
            }
            Self::Folder(dir) => read(dir)?,
            Self::Http(Method::Post, _) => {
                return Ok(Found::Unread("what was posted cannot be read back".to_owned()));
            }
            Self::Http(_, url) => match get(url, client)? {
                Got::Kept(kept) => kept.map(|kept| *kept),
                Got::Unread(why) => return Ok(Found::Unread(why)),
            },
        };
        let Some(kept) = kept else { return Ok(Found::Nothing) };
        if kept != *checkpoint {
            self.hold(&kept, checkpoint, history)?;
        }
        Ok(Found::Kept(Box::new(kept)))
    }

    /// Puts a checkpoint there, which was held against `found`.
    ///
    /// # Errors
    /// Why it is not there.
    pub(crate) fn put(
        &self,
        checkpoint: &SignedCheckpoint,
        found: &Found,
        client: &Client,
        now_ns: i64,
    ) -> Result<(), CopyError> {
        match (self, found) {
            (_, Found::Kept(kept)) if **kept == *checkpoint => Ok(()),
            (Self::Folder(dir), _) => put_file(dir, checkpoint, now_ns),
            (Self::Http(method, url), _) => put_http(*method, url, checkpoint, client),
        }
    }

    /// Holds the ledger against the copy that is to be replaced.
    fn hold(
        &self,
        kept: &SignedCheckpoint,
        new: &SignedCheckpoint,
        history: &History,
    ) -> Result<(), CopyError> {
        let (was, is) = (kept.checkpoint(), new.checkpoint());
        let place = match self {
            Self::Folder(dir) => dir.join("checkpoint").display().to_string(),
            Self::Http(..) => self.to_string(),
        };
        if was.origin() != is.origin() {
            let what = format!("it is of the ledger {}", was.origin());
            return Err(CopyError::Foreign { path: PathBuf::from(place), what });
        }
        let (kept_size, size) = (was.head().size, is.head().size);
        match history.against(kept, size).map_err(CopyError::Own)? {
            Standing::Extends => Ok(()),
            Standing::IsBehind => Err(CopyError::Behind { place, kept: kept_size, size }),
            Standing::Differs(_) => Err(CopyError::OtherHistory {
                place,
                kept: kept_size,
                note: Box::new(kept.clone()),
            }),
        }
    }
}

/// What an address gives.
enum Got {
    Kept(Option<Box<SignedCheckpoint>>),
    Unread(String),
}

fn get(url: &str, client: &Client) -> Result<Got, CopyError> {
    let answer = client.get(url, NOTE_BYTES_MAX)?;
    match answer.status {
        200 => {
            let kept = SignedCheckpoint::parse(&answer.body).map_err(|error| CopyError::Kept {
                place: shown(url),
                what: format!(
                    "what is there is no checkpoint ({error}), so nothing is put in its place; give this \
                     ledger an address of its own"
                ),
            })?;
            Ok(Got::Kept(Some(Box::new(kept))))
        }
        404 | 410 => Ok(Got::Kept(None)),
        // It has nothing to give, or gives it to others: not one in trouble, and no redirection.
        status @ (204 | 401 | 403 | 405 | 501) => {
            Ok(Got::Unread(format!("it cannot be read back (GET: status {status})")))
        }
        status => Err(CopyError::Status { url: shown(url), status, text: answer.text() }),
    }
}

/// Once in a round: the next one tries again.
fn put_http(
    method: Method,
    url: &str,
    checkpoint: &SignedCheckpoint,
    client: &Client,
) -> Result<(), CopyError> {
    let text = checkpoint.to_string();
    let content_type = "text/plain; charset=utf-8";
    let answer = client.once(method, url, content_type, text.as_bytes(), ANSWER_BYTES_MAX)?;
    match answer.status {
        200..=299 => Ok(()),
        status => Err(CopyError::Status { url: shown(url), status, text: answer.text() }),
    }
}

/// Reads the copy in a folder.
///
/// # Errors
/// When something else stands there, or it cannot be read.
pub(crate) fn read(dir: &Path) -> Result<Option<SignedCheckpoint>, CopyError> {
    let path = dir.join("checkpoint");
    let bytes = files::read(&path, NOTE_BYTES_MAX)
        .map_err(|source| CopyError::Io { path: path.clone(), source })?;
    let parse = |bytes: Vec<u8>| {
        SignedCheckpoint::parse(&bytes)
            .map_err(|error| CopyError::Foreign { path, what: error.to_string() })
    };
    bytes.map(parse).transpose()
}

fn put_file(dir: &Path, checkpoint: &SignedCheckpoint, now_ns: i64) -> Result<(), CopyError> {
    let path = dir.join("checkpoint");
    let text = checkpoint.to_string();
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CopyError::Io { path, source }
    };
    files::replace(&path, text.as_bytes(), For::Everybody).map_err(io(&path))?;
    let kept = dir.join("kept");
    files::make_dir(&kept).map_err(io(&kept))?;
    let hour: String = format_rfc3339_short(now_ns).chars().take("2026-03-15T09".len()).collect();
    let first = kept.join(format!("{hour}Z"));
    match files::create(&first, text.as_bytes(), For::Everybody) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        done => done.map_err(io(&first)),
    }
}
