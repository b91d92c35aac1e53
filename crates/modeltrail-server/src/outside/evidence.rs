//! What speaks against this ledger, kept beside it: `X.db.d/evidence/<size>-<SHA-256>/`, with the
//! `request` that a witness refused and its `answer`.

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::hash::sha256;
use modeltrail_core::witness::Request;

use crate::files::{self, For};

/// Most pieces. Each round may add one while a fork lasts, and the first one says it all.
const N_EVIDENCE_MAX: usize = 64;

/// Keeps a refused request with what the witness said; gives the folder, or `None` when there are as
/// many as there can be.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn keep(
    dir: &Path,
    witness: &str,
    request: &Request,
    status: u16,
    text: &str,
) -> io::Result<Option<PathBuf>> {
    files::make_dir(dir)?;
    let size = request.checkpoint.checkpoint().head().size;
    let body = request.to_string();
    let name = sha256(&[witness.as_bytes(), b"\n", body.as_bytes()]).to_hex();
    let place = dir.join(format!("{size}-{name}"));
    if !place.exists() && std::fs::read_dir(dir)?.count() >= N_EVIDENCE_MAX {
        return Ok(None);
    }
    files::make_dir(&place)?;
    let answer = format!("{witness}\nstatus {status}\n{text}\n");
    files::replace(&place.join("request"), body.as_bytes(), For::Everybody)?;
    files::replace(&place.join("answer"), answer.as_bytes(), For::Everybody)?;
    Ok(Some(place))
}

/// Number of pieces that are kept.
pub(crate) fn count(dir: &Path) -> usize {
    std::fs::read_dir(dir).map_or(0, Iterator::count)
}
