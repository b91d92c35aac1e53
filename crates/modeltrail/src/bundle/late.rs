//! Entries that fit a filter but were recorded outside of its stretch of time, so that no bundle with that
//! filter has them: backfilled ones, and those of machines that were cut off.

use modeltrail_core::bundle::{Filter, LATE_BY_US_MAX};
use modeltrail_core::code::{Kind, Status};
use modeltrail_core::query::Query;
use modeltrail_core::time::parse_rfc3339;

use super::{BundleError, BundleRequest, checkpoint_of, leaf, range};
use crate::store::Store;

/// Places that are looked at in one step.
const N_STEP: usize = 4096;

/// What fits and was recorded at another time than the filter's range has.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Elsewhere {
    /// How many were recorded more than `late_by_us` after `until`.
    pub n_late: u64,
    /// How much later than `until` the last entry that fits was recorded, in microseconds, rounded up
    /// to whole seconds; what `late_by_us` has to be so that none is late. At most ten years.
    pub late_by_us: u64,
    /// How many were recorded more than a day before `since`: their clock ran ahead.
    pub n_early: u64,
}

/// Looks for them with the store's lookup columns.
///
/// # Errors
/// As [`super::write`].
pub fn elsewhere(store: &dyn Store, request: &BundleRequest) -> Result<Elsewhere, BundleError> {
    let size = checkpoint_of(store, request)?.checkpoint().head().size;
    let filter = &request.filter;
    let window = filter.window().map_err(BundleError::Filter)?;
    let range = range(store, &window, size)?;
    let mut query = query(filter);
    let (mut found, mut last) = (Elsewhere::default(), None);
    loop {
        let places = store.scan(&query, true, N_STEP)?;
        let Some(after) = places.last().copied() else { break };
        for place in places.iter().filter(|place| place.index < size) {
            found.n_late += u64::from(place.index >= range.end);
            found.n_early += u64::from(place.index < range.first);
            last = last.max(Some(place.index));
        }
        query.after = Some(after);
    }
    if let (Some(last), Some(until_ns)) = (last, query.until_ns) {
        let until_us = i128::from(until_ns.div_euclid(1000));
        let late_us = i128::from(leaf(store, last)?.time_us) - until_us;
        let late_us = u64::try_from(late_us).unwrap_or(0).min(LATE_BY_US_MAX);
        found.late_by_us = late_us.next_multiple_of(1_000_000).min(LATE_BY_US_MAX);
    }
    Ok(found)
}

fn query(filter: &Filter) -> Query {
    let time_ns = |text: &Option<String>| text.as_ref().and_then(|text| parse_rfc3339(text).ok());
    Query {
        model_name: filter.model_name.clone(),
        model_version: filter.model_version.clone(),
        user_id: filter.user_id.clone(),
        subject_id: filter.subject_id.clone(),
        status: filter.status.as_deref().and_then(Status::from_name),
        kind: filter.kind.as_deref().and_then(Kind::from_name),
        since_ns: time_ns(&filter.since),
        until_ns: time_ns(&filter.until),
        ..Query::default()
    }
}
