//! The witness's key as a file: `PRIVATE+KEY+name+id+base64(0x04 ‖ seed)`, readable by its owner alone.

use std::io;
use std::path::Path;

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
