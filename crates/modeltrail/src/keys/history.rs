//! The history of a ledger's keys, from its own entries.

use modeltrail_core::code::{Kind, PartId};
use modeltrail_core::control::Control;
use modeltrail_core::keys::{KeyChangeError, KeyHistory, N_KEYS_MAX};
use modeltrail_core::query::Query;

use super::KeysError;
use crate::store::Store;

/// Most `key` entries that are read: two for each key that a ledger can have, and as many again for
/// those that take no effect, which anybody who may record can leave.
const N_ENTRIES_MAX: usize = 4 * N_KEYS_MAX;

/// Places that are asked for at a time.
const N_PAGE: usize = 1024;

/// The keys that the entries of a store name, and those entries that take no effect, with why. An
/// entry takes none if it is not signed by who may say it; that alone is no sign of tampering, since
/// whoever may record can leave such entries.
///
/// # Errors
/// [`KeysError::TooMany`], or when the store cannot be read.
pub fn history(store: &dyn Store) -> Result<(KeyHistory, Vec<(u64, KeyChangeError)>), KeysError> {
    let mut indexes = Vec::new();
    let mut query = Query { kind: Some(Kind::Key), ..Query::default() };
    loop {
        let page = store.scan(&query, true, N_PAGE)?;
        indexes.extend(page.iter().map(|place| place.index));
        if indexes.len() > N_ENTRIES_MAX {
            return Err(KeysError::TooMany(N_ENTRIES_MAX));
        }
        query.after = page.last().copied();
        if page.len() < N_PAGE {
            break;
        }
    }
    // The scan is by the time of the event; what counts is the order of the entries.
    indexes.sort_unstable();
    let mut history = KeyHistory::new(store.origin());
    let mut without_effect = Vec::new();
    for index in indexes {
        let Some(entry) = store.get(index)? else { continue };
        let part = entry.parts.iter().find(|part| part.id == PartId::Control);
        let control = part.and_then(|part| Control::read(Kind::Key, &part.bytes));
        let Some(Control::Key(change)) = control else { continue };
        if let Err(error) = history.apply(index, &change) {
            without_effect.push((index, error));
        }
    }
    Ok((history, without_effect))
}
