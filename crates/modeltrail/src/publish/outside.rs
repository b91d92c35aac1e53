//! What files outside the database know of a ledger, and whether the ledger still agrees.

use std::path::Path;

use modeltrail_core::anchor::Anchor;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::VerifierKey;

use super::PublishError;
use crate::anchor_file;
use crate::proofs;
use crate::store::{Store, Tip};

/// What a file outside holds.
pub(super) struct Outside {
    /// The head.
    pub(super) anchor: Anchor,
    /// The same with signatures, if it has any.
    pub(super) signed: Option<SignedCheckpoint>,
}

/// Reads an anchor or head file; `None` when it is not there.
pub(super) fn read(path: &Path) -> Result<Option<Outside>, PublishError> {
    let Some((anchor, text)) = anchor_file::read_text(path)? else { return Ok(None) };
    // One without signatures was written by a ledger without a key.
    let signed = SignedCheckpoint::parse(text.as_bytes()).ok();
    Ok(Some(Outside { anchor, signed }))
}

/// Holds a ledger against a file outside it: same name, no fewer entries, and the first of them are
/// those whose root the file keeps.
pub(super) fn check(
    path: &Path,
    known: &Anchor,
    store: &dyn Store,
    tip: &Tip,
) -> Result<(), PublishError> {
    let foreign = |what| PublishError::Foreign { path: path.to_owned(), what };
    if known.origin != store.origin() {
        return Err(foreign("it names another origin"));
    }
    let (size, known) = (tip.head.size, known.head);
    if known.size > size {
        return Err(PublishError::Behind { size, known: known.size, path: path.to_owned() });
    }
    let root = match known.size {
        at if at == size => tip.head.root,
        at => proofs::root(store, at)?,
    };
    if root == known.root {
        return Ok(());
    }
    Err(foreign("the first entries have another root than the one that it keeps"))
}

/// Whether one of these keys has signed what the file holds; true when nobody has signed it.
pub(super) fn is_by<'k>(
    outside: &Outside,
    keys: impl IntoIterator<Item = &'k VerifierKey>,
) -> bool {
    outside.signed.as_ref().is_none_or(|signed| signed.verify_log(keys).is_ok())
}
