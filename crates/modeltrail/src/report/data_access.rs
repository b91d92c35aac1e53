//! `data-access`: the predictions that a user asked for.

use std::collections::BTreeMap;

use modeltrail_core::code::Kind;
use modeltrail_core::lookup::Lookup;
use modeltrail_core::query::Query;
use modeltrail_core::record::Part;
use serde::Serialize;

use super::{Period, time_text};
use crate::reader::{ReadError, Reader};
use crate::store::Entry;

/// The figures of the seed document's `data_access_report` that come before its list of requests.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DataAccess {
    /// The user.
    pub user_id: String,
    /// How many days back.
    pub period_days: u32,
    /// Number of requests.
    pub total_requests: u64,
    /// Requests by model.
    pub models_used: BTreeMap<String, u64>,
}

/// One request of the list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Request {
    /// Its request id.
    pub request_id: String,
    /// When it occurred.
    pub timestamp: String,
    /// The model.
    pub model: String,
}

impl Request {
    fn of(entry: &Entry) -> Option<Self> {
        let lookup = Lookup::derive(Kind::Prediction, entry.parts.iter().map(Part::as_ref)).ok()?;
        Some(Self {
            request_id: lookup.request_id?.into_owned(),
            timestamp: time_text(lookup.time_ns),
            model: lookup.model_name?.into_owned(),
        })
    }
}

/// Reports what a user asked for: the figures first, then each request in the order of time. The
/// requests are handed over one by one and never held together.
///
/// # Errors
/// When the ledger cannot be read, or a callback says to stop.
pub fn data_access<E: From<ReadError>>(
    reader: &Reader,
    user_id: &str,
    period: &Period,
    figures: impl FnOnce(&DataAccess) -> Result<(), E>,
    mut request: impl FnMut(Request) -> Result<(), E>,
) -> Result<(), E> {
    let query = Query {
        user_id: Some(user_id.to_owned()),
        kind: Some(Kind::Prediction),
        since_ns: Some(period.since_ns()),
        until_ns: period.until_ns(),
        ..Query::default()
    };
    // What is sequenced between the two passes must be in neither.
    let size = reader.size()?;
    let each = |take: &mut dyn FnMut(Request) -> Result<(), E>| {
        reader.each(&query, |place, entry| match Request::of(&entry) {
            Some(request) if place.index < size => take(request),
            _ => Ok(()),
        })
    };
    let mut report = DataAccess {
        user_id: user_id.to_owned(),
        period_days: period.days,
        total_requests: 0,
        models_used: BTreeMap::new(),
    };
    each(&mut |request| {
        report.total_requests += 1;
        *report.models_used.entry(request.model).or_default() += 1;
        Ok(())
    })?;
    figures(&report)?;
    each(&mut request)
}
