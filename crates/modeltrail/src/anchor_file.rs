//! The anchor: the last checkpoint or head, in a file outside the database.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use modeltrail_core::anchor::{Anchor, AnchorError};
use modeltrail_core::note::NOTE_BYTES_MAX;

use crate::disk::{Disk, RealDisk};

/// Most bytes that are read: the longest note. Somebody may have put anything in the file's place.
const ANCHOR_BYTES_MAX: u64 = NOTE_BYTES_MAX as u64;

/// Why an anchor could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AnchorFileError {
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Something else stands in the file.
    #[error("{path}: {source}")]
    Text {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: AnchorError,
    },
}

/// Reads an anchor; `None` when there is no file.
///
/// # Errors
/// When the file cannot be read or is no anchor.
pub fn read(path: &Path) -> Result<Option<Anchor>, AnchorFileError> {
    Ok(read_text(path)?.map(|(anchor, _)| anchor))
}

/// Reads an anchor with the file's text: of a ledger with a key it is a signed checkpoint.
pub(crate) fn read_text(path: &Path) -> Result<Option<(Anchor, String)>, AnchorFileError> {
    let error = |source| AnchorFileError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(error(source)),
    };
    let mut bytes = Vec::new();
    file.take(ANCHOR_BYTES_MAX).read_to_end(&mut bytes).map_err(error)?;
    // Bytes that are no text are no anchor either.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    match Anchor::parse(&text) {
        Ok(anchor) => Ok(Some((anchor, text))),
        Err(source) => Err(AnchorFileError::Text { path: path.to_owned(), source }),
    }
}

/// Replaces an anchor: a new file, its fsync, a rename, the directory's fsync. At any moment the file
/// holds the old anchor or the new one.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, anchor: &Anchor) -> Result<(), AnchorFileError> {
    write_text(path, &anchor.to_text())
}

/// As [`write()`], with any text: what a signed checkpoint has, or another small file's.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), AnchorFileError> {
    let error = |source| AnchorFileError::Io { path: path.to_owned(), source };
    let new = path.with_extension("new");
    let disk = RealDisk;
    std::fs::write(&new, text).map_err(error)?;
    File::open(&new).and_then(|file| file.sync_all()).map_err(error)?;
    std::fs::rename(&new, path).map_err(error)?;
    match path.parent() {
        Some(dir) => disk.sync_dir(dir).map_err(error),
        None => Ok(()),
    }
}
