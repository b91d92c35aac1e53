//! What speaks against this ledger and anybody can verify, kept beside it:
//!
//! ```text
//! X.db.d/evidence/<size>-<SHA-256>/
//!     known     a checkpoint that this ledger's key has signed and somebody else has kept
//!     request   a newer one with a consistency proof, as C2SP tlog-witness's add-checkpoint has it
//!     whom      who had `known`
//! ```
//!
//! Both are signed by the ledger, and the proof leads to the newer root from another one than `known`
//! has: there are two histories. An answer without a signed checkpoint proves nothing and is not kept.

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::hash::sha256;
use modeltrail_core::merkle::verify_consistency;
use modeltrail_core::note::{NOTE_BYTES_MAX, VerifierKey};
use modeltrail_core::witness::{REQUEST_BYTES_MAX, Request};

use super::history::{History, Standing};
use crate::files::{self, For};

/// Most pieces. Each round may add one while a fork lasts, and the first one says it all.
const N_EVIDENCE_MAX: usize = 64;

/// Two signed checkpoints that contradict each other.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Piece {
    known: SignedCheckpoint,
    request: Request,
}

impl Piece {
    /// The ledger's own checkpoint and one that somebody else has, if one of `keys` has signed both and
    /// they are of two histories.
    pub(crate) fn of(
        history: &History,
        own: &SignedCheckpoint,
        known: &SignedCheckpoint,
        keys: &[VerifierKey],
    ) -> Option<Self> {
        let (was, is) = (known.checkpoint(), own.checkpoint());
        let (old_size, head) = (was.head().size, is.head());
        if was.origin() != is.origin() || known.verify_log(keys).is_err() {
            return None;
        }
        let Standing::Differs(_) = history.against(known, head.size).ok()? else { return None };
        own.verify_log(keys).ok()?;
        let proof = history.consistency(old_size, &head).ok()?;
        let request = Request { old_size, proof, checkpoint: own.clone() };
        let piece = Self { known: known.clone(), request };
        piece.contradicts().then_some(piece)
    }

    /// Whether it shows what it should. Signatures were verified when it was kept.
    fn contradicts(&self) -> bool {
        let (was, is) = (self.known.checkpoint(), self.request.checkpoint.checkpoint());
        was.origin() == is.origin()
            && was.head().size == self.request.old_size
            && verify_consistency(&was.head(), &is.head(), &self.request.proof).is_err()
    }
}

/// A piece that is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    /// Who had the other checkpoint.
    pub(crate) whom: String,
    /// Entries of that one.
    pub(crate) size: u64,
    /// The folder.
    pub(crate) path: PathBuf,
}

/// Keeps a piece; gives the folder, or `None` when there are as many as there can be.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn keep(dir: &Path, whom: &str, piece: &Piece) -> io::Result<Option<PathBuf>> {
    files::make_dir(dir)?;
    let (known, request) = (piece.known.to_string(), piece.request.to_string());
    let size = piece.request.checkpoint.checkpoint().head().size;
    let name = sha256(&[whom.as_bytes(), b"\n", request.as_bytes()]).to_hex();
    let place = dir.join(format!("{size}-{name}"));
    if !place.exists() && std::fs::read_dir(dir)?.count() >= N_EVIDENCE_MAX {
        return Ok(None);
    }
    files::make_dir(&place)?;
    let whom = format!("{whom}\n");
    // `known` last: without it, it is no piece.
    for (name, text) in [("whom", &whom), ("request", &request), ("known", &known)] {
        files::replace(&place.join(name), text.as_bytes(), For::Everybody)?;
    }
    Ok(Some(place))
}

/// The pieces that are kept, in the order of their names. What does not show two histories is none.
pub(crate) fn list(dir: &Path) -> Vec<Kept> {
    let items = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<Kept> = items.filter_map(|item| read(item.path())).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn read(path: PathBuf) -> Option<Kept> {
    let file = |name: &str, bytes_max| files::read(&path.join(name), bytes_max).ok().flatten();
    let known = SignedCheckpoint::parse(&file("known", NOTE_BYTES_MAX)?).ok()?;
    let request = Request::parse(&file("request", REQUEST_BYTES_MAX)?).ok()?;
    let whom = file("whom", NOTE_BYTES_MAX).unwrap_or_default();
    let whom = String::from_utf8_lossy(&whom).trim().replace(char::is_control, " ");
    let size = request.old_size;
    Piece { known, request }.contradicts().then_some(Kept { whom, size, path })
}
