//! Small files that must not be lost or torn: replaced in one step, made durable before anybody is
//! told, and secrets that nobody else can read.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use tempfile::NamedTempFile;

pub(crate) use modeltrail::small_file::read;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum For {
    /// Whoever can reach it: checkpoints are public.
    Everybody,
    /// Its owner alone.
    Owner,
}

impl For {
    fn permissions(self) -> Permissions {
        Permissions::from_mode(match self {
            Self::Everybody => 0o644,
            Self::Owner => 0o600,
        })
    }
}

/// Replaces a file or makes it: a new one, its fsync, a rename, the folder's fsync. At any moment the
/// file holds all of the old bytes or all of the new ones.
///
/// # Errors
/// When it cannot be written; the old bytes may or may not be there then, whole in both cases.
pub(crate) fn replace(path: &Path, bytes: &[u8], readers: For) -> io::Result<()> {
    let dir = dir_of(path);
    written(dir, bytes, readers)?.persist(path).map_err(|error| error.error)?;
    sync_dir(dir)
}

/// Makes a file that is not there yet, durably.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], or when it cannot be written.
pub(crate) fn create(path: &Path, bytes: &[u8], readers: For) -> io::Result<()> {
    let dir = dir_of(path);
    written(dir, bytes, readers)?.persist_noclobber(path).map_err(|error| error.error)?;
    sync_dir(dir)
}

fn written(dir: &Path, bytes: &[u8], readers: For) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(".new-")
        .permissions(readers.permissions())
        .tempfile_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a folder, with those above it, if it is not there, durably.
///
/// # Errors
/// When it cannot be made.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(above) = path.parent().filter(|above| !above.as_os_str().is_empty()) {
        make_dir(above)?;
    }
    match DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(dir_of(path)),
    }
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn dir_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// Reads a secret of at most `bytes_max`.
///
/// # Errors
/// When it is not there, others can read it, or it is no text.
pub(crate) fn read_secret(path: &Path, bytes_max: usize) -> io::Result<String> {
    let mode = std::fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        let what = "others can read this key; run chmod 600 on it";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    let bytes = read(path, bytes_max)?.ok_or(io::ErrorKind::NotFound)?;
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "no text, so no key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_whole_and_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/file");
        make_dir(path.parent().unwrap()).unwrap();
        make_dir(path.parent().unwrap()).unwrap();
        assert_eq!(read(&path, 9).unwrap(), None);
        replace(&path, b"old", For::Everybody).unwrap();
        replace(&path, b"new", For::Everybody).unwrap();
        let refused = create(&path, b"other", For::Everybody).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(read(&path, 3).unwrap().as_deref(), Some(&b"new"[..]));
        assert!(read(&path, 2).is_err());
        let n_files = std::fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(n_files, 1, "nothing half-written is left");
    }

    #[test]
    fn a_secret_is_its_owners() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create(&path, b"secret\n", For::Owner).unwrap();
        assert_eq!(read_secret(&path, 100).unwrap(), "secret\n");
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let refused = read_secret(&path, 100).unwrap_err();
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
        assert!(read_secret(&dir.path().join("none"), 100).is_err());
    }
}
