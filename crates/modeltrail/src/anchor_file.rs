//! The anchor: the last head, in a file outside the database.

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::anchor::{Anchor, AnchorError};

use crate::disk::{Disk, RealDisk};

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
    match std::fs::read(path) {
        // Bytes that are no text are no anchor either.
        Ok(bytes) => Anchor::parse(&String::from_utf8_lossy(&bytes))
            .map(Some)
            .map_err(|source| AnchorFileError::Text { path: path.to_owned(), source }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AnchorFileError::Io { path: path.to_owned(), source }),
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

/// As [`write`], for any text.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_text(path: &Path, text: &str) -> Result<(), AnchorFileError> {
    let error = |source| AnchorFileError::Io { path: path.to_owned(), source };
    let new = path.with_extension("new");
    let disk = RealDisk;
    std::fs::write(&new, text).map_err(error)?;
    std::fs::File::open(&new).and_then(|file| file.sync_all()).map_err(error)?;
    std::fs::rename(&new, path).map_err(error)?;
    match path.parent() {
        Some(dir) => disk.sync_dir(dir).map_err(error),
        None => Ok(()),
    }
}
