//! The witness's key as a file: `PRIVATE+KEY+name+id+base64(0x04 ‖ seed)`, readable by its owner alone.

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::note::KeyName;

use super::WitnessError;
use crate::files::{self, For};

/// Longest key file: a name of 1,000 bytes and what surrounds it.
const KEY_BYTES_MAX: usize = 2048;

/// Makes a key named `name` and its file.
///
/// # Errors
/// When a file is there already, or it cannot be written: a key is never replaced.
pub(crate) fn create(path: &Path, name: KeyName) -> Result<Cosigner, WitnessError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| WitnessError::file(path, error))?;
    let cosigner = Cosigner::new(name, &seed).map_err(|error| WitnessError::file(path, error))?;
    let text = format!("{}\n", cosigner.to_secret_text());
    files::create(path, text.as_bytes(), For::Owner).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => {
            WitnessError::file(path, "a file is there already; a key is never replaced")
        }
        _ => WitnessError::io(path, source),
    })?;
    Ok(cosigner)
}

/// The file beside a key that says that the key was used, and with which memory.
fn used_file(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".used");
    PathBuf::from(name)
}

/// Refuses a key that was used before with a memory that is empty: the witness has lost what it has
/// cosigned, and could be led to cosign another history of any log.
///
/// # Errors
/// When it is so, or cannot be known.
pub(crate) fn check_unused(path: &Path, state: &Path) -> Result<(), WitnessError> {
    let used = used_file(path);
    let with = files::read(&used, KEY_BYTES_MAX * 4).map_err(|e| WitnessError::io(&used, e))?;
    let Some(with) = with else { return Ok(()) };
    let with = String::from_utf8_lossy(&with);
    let what = format!(
        "is empty, and {} says that this key was used with the memory {}: restore that one. If it is lost, \
         make a new key with `modeltrail witness key --generate`: without its memory a witness can be led to \
         cosign another history. Remove that file only if nothing was ever cosigned",
        used.display(),
        with.trim()
    );
    Err(WitnessError::file(state, what))
}

/// Notes beside the key that it is used with this memory.
///
/// # Errors
/// When it cannot be written, as beside a key that only can be read.
pub(crate) fn mark_used(path: &Path, state: &Path) -> Result<(), WitnessError> {
    let used = used_file(path);
    if used.exists() {
        return Ok(());
    }
    let state = std::path::absolute(state).map_err(|e| WitnessError::io(state, e))?;
    files::replace(&used, format!("{}\n", state.display()).as_bytes(), For::Everybody)
        .map_err(|e| WitnessError::io(&used, e))
}

/// Reads a key.
///
/// # Errors
/// When the file is not there, others can read it, or it holds no key of a witness.
pub(crate) fn read(path: &Path) -> Result<Cosigner, WitnessError> {
    let text = files::read_secret(path, KEY_BYTES_MAX).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => {
            WitnessError::file(path, "no such file; make it with `modeltrail witness key`")
        }
        _ => WitnessError::io(path, source),
    })?;
    Cosigner::parse(&text).map_err(|error| WitnessError::file(path, error))
}
