//! The keys of a ledger, from its own entries.

use modeltrail_core::Kind;
use modeltrail_core::control::Control;
use modeltrail_core::keys::KeyChange;
use modeltrail_core::note::VerifierKey;
use modeltrail_core::query::Query;
use modeltrail_core::verify::{Keys, check_entry};

use crate::store::{Store, StoreError, VerifyItem};

/// Most `key` entries that are looked at: a rotation and a retirement for each key that a ledger can
/// name. A bound for what a hostile file can ask of memory.
const N_CHANGES_MAX: usize = 2 * modeltrail_core::keys::N_KEYS_MAX;

/// Reads the `key` entries before `size`. Only those count whose parts are the ones that their leaf
/// commits to; that none was hidden from this search is for the verification to say.
pub(super) fn load(
    store: &dyn Store,
    size: u64,
    pinned: Vec<VerifierKey>,
) -> Result<Keys, StoreError> {
    let query = Query { kind: Some(Kind::Key), ..Query::default() };
    let mut indexes: Vec<u64> = store
        .scan(&query, true, N_CHANGES_MAX)?
        .into_iter()
        .map(|place| place.index)
        .filter(|index| *index < size)
        .collect();
    indexes.sort_unstable();
    let mut changes: Vec<(u64, KeyChange)> = Vec::new();
    for index in indexes {
        store.verify_scan(index..index + 1, &mut |item| {
            if let VerifyItem::Entry(entry) = item
                && let Some(Control::Key(change)) = check_entry(&entry).control
            {
                changes.push((index, change));
            }
        })?;
    }
    Ok(Keys::new(store.origin(), pinned, &changes))
}
