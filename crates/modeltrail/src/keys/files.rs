//! Names of key files, changed durably.

use std::io;
use std::path::Path;

use super::KeysError;
use crate::disk::{Disk as _, RealDisk};

fn at(path: &Path) -> impl Fn(io::Error) -> KeysError + '_ {
    move |source| KeysError::Io { path: path.to_owned(), source }
}

pub(super) fn is_there(path: &Path) -> Result<bool, KeysError> {
    path.try_exists().map_err(at(path))
}

/// Removes a file, if it is there.
pub(super) fn remove(path: &Path) -> Result<(), KeysError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(at(path)(error)),
        Ok(()) => sync_dir_of(path),
    }
}

/// Moves a file to its name, over what is there.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), KeysError> {
    std::fs::rename(from, to).map_err(at(from))?;
    sync_dir_of(to)
}

fn sync_dir_of(path: &Path) -> Result<(), KeysError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    RealDisk.sync_dir(dir).map_err(at(dir))
}
