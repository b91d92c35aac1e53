//! A key in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use modeltrail_core::note::{NoteSigner, SignatureLine, VerifierKey};

use super::{Signer, SignerError};
use crate::disk::{Disk as _, RealDisk};

/// Longest file: a name of 1,000 bytes, a key, and a command of some lines.
const FILE_BYTES_MAX: u64 = 16 * 1024;

/// Signs with a key that was read from a file. The key stays in memory; that the file is closed to
/// others was checked when it was read.
#[derive(Debug)]
pub struct FileSigner(NoteSigner);

impl FileSigner {
    /// Reads the key.
    ///
    /// # Errors
    /// When the file cannot be read, others can read it, or it holds no signing key.
    pub fn open(path: &Path) -> Result<Self, SignerError> {
        let text = read_closed(path)?;
        let key = NoteSigner::parse(&text);
        key.map(Self).map_err(|source| SignerError::Key { path: path.to_owned(), source })
    }

    /// Writes a key to a new file that only its owner can read, durably, and gives its signer.
    ///
    /// # Errors
    /// When a file is there already, or it cannot be written.
    pub fn create(path: &Path, key: NoteSigner) -> Result<Self, SignerError> {
        write_closed(path, &format!("{}\n", key.to_secret_text()))?;
        Ok(Self(key))
    }
}

impl Signer for FileSigner {
    fn verifier(&self) -> &VerifierKey {
        self.0.verifier()
    }

    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError> {
        Ok(self.0.sign(text))
    }
}

/// The text of a file that only its owner can read and write.
pub(super) fn read_closed(path: &Path) -> Result<String, SignerError> {
    let error = |source| SignerError::Io { path: path.to_owned(), source };
    let file = File::open(path).map_err(error)?;
    // Of the open file, so that it cannot be another one than the one that is read.
    if file.metadata().map_err(error)?.permissions().mode() & 0o077 != 0 {
        return Err(SignerError::Open { path: path.to_owned() });
    }
    let mut text = String::new();
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(error)?;
    Ok(text)
}

/// Makes a file that only its owner can read, with its folder if that is missing; durably.
pub(crate) fn write_closed(path: &Path, text: &str) -> Result<(), SignerError> {
    let error = |source: io::Error| SignerError::Io { path: path.to_owned(), source };
    let dir = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(error)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(error)?;
    file.write_all(text.as_bytes()).map_err(error)?;
    file.sync_all().map_err(error)?;
    RealDisk.sync_dir(dir).map_err(error)
}
