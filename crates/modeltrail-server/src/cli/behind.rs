//! Evidence that is made from an older copy of a ledger: true of what it tells, and silent of the rest.

use modeltrail::{Ledger, anchor_file};

use super::context::Context;

/// Warns when the files beside the database know more entries than it has.
pub(super) fn warn(ledger: &Ledger, size: u64, context: &Context) {
    let known = [ledger.anchor_path(), ledger.head_path()]
        .iter()
        .filter_map(|path| anchor_file::read(path).ok().flatten())
        .map(|anchor| anchor.head.size)
        .max();
    if let Some(known) = known.filter(|known| *known > size) {
        context.notes.warn(&format!(
            "the ledger has {size} entries and had {known}: it is an older copy, or its end was cut off, and \
             what is made from it says nothing of the others; run `modeltrail verify`"
        ));
    }
}
