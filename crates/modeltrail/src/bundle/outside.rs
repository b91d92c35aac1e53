//! Entries outside the range that are needed to judge it: keys, erasures of what it holds, and gaps that
//! explain numbers which its producers passed over.

use std::collections::BTreeSet;

use modeltrail_core::Kind;
use modeltrail_core::bundle::BundlePath;
use modeltrail_core::control::Gap;
use modeltrail_core::hash::unhex;
use modeltrail_core::query::Query;

use super::entries::{ALWAYS, Gathered, Shown};
use super::pieces::Pieces;
use super::{BundleError, Writer};
use crate::store::VerifyItem;

/// Places that are looked at in one step of a search.
const N_SCAN_MAX: usize = 1024;

impl Writer<'_> {
    /// Writes `outside.ndjson` and `keys/history.ndjson`; returns the indexes of the former.
    pub(super) fn write_outside(
        &self,
        pieces: &mut Pieces,
        gathered: &Gathered,
    ) -> Result<BTreeSet<u64>, BundleError> {
        let mut indexes = BTreeSet::new();
        for kind in [Kind::Key, Kind::Erasure, Kind::Gap] {
            self.each_outside(kind, &mut |shown| {
                if is_needed(kind, shown, self, gathered) {
                    indexes.insert(shown.leaf.index);
                }
                Ok(())
            })?;
        }
        let mut history = gathered.history.clone();
        let mut lines = pieces.begin()?;
        for index in &indexes {
            self.read(*index, &mut |shown| {
                history.extend(shown.history_line().map(|line| (*index, line)));
                pieces.line(&mut lines, &shown.line(&ALWAYS).to_bytes())
            })?;
        }
        pieces.end(BundlePath::Outside, lines);
        let mut lines = pieces.begin()?;
        for line in history.values() {
            pieces.line(&mut lines, line)?;
        }
        pieces.end(BundlePath::History, lines);
        Ok(indexes)
    }

    /// Hands over each entry of a kind that the checkpoint covers and the range does not.
    fn each_outside(
        &self,
        kind: Kind,
        each: &mut dyn FnMut(&Shown<'_>) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        let size = self.checkpoint.checkpoint().head().size;
        let mut query = Query { kind: Some(kind), ..Query::default() };
        loop {
            let places = self.store.scan(&query, true, N_SCAN_MAX)?;
            let Some(last) = places.last().copied() else { return Ok(()) };
            for place in places {
                let is_inside = (self.range.first..self.range.end).contains(&place.index);
                if place.index < size && !is_inside {
                    self.read(place.index, each)?;
                }
            }
            query.after = Some(last);
        }
    }

    fn read(
        &self,
        index: u64,
        each: &mut dyn FnMut(&Shown<'_>) -> Result<(), BundleError>,
    ) -> Result<(), BundleError> {
        let mut result = Err(BundleError::Entry { index, what: "it is not there" });
        self.store.verify_scan(index..index + 1, &mut |item| {
            if let VerifyItem::Entry(entry) = item {
                result = Shown::read(&entry).and_then(|shown| each(&shown));
            }
        })?;
        result
    }
}

/// What is read of the `control` part of an `erasure` entry: entries, and codes of their parts.
#[derive(serde::Deserialize)]
struct Erasure {
    entries: Vec<(u64, serde::de::IgnoredAny)>,
}

/// Whether the range cannot be judged without this entry.
fn is_needed(kind: Kind, shown: &Shown<'_>, writer: &Writer<'_>, gathered: &Gathered) -> bool {
    let Some(control) = shown.control() else { return false };
    match kind {
        Kind::Key => true,
        Kind::Gap => serde_json::from_slice::<Gap>(&control.bytes).is_ok_and(|gap| {
            let producer = unhex(&gap.producer).and_then(|id| <[u8; 16]>::try_from(id).ok());
            let holes = producer.and_then(|producer| gathered.holes.get(&producer));
            let overlaps = |(first, last): &(u64, u64)| {
                gap.ranges.iter().any(|(from, to)| from <= last && first <= to)
            };
            holes.is_some_and(|holes| holes.iter().any(overlaps))
        }),
        _ => serde_json::from_slice::<Erasure>(&control.bytes).is_ok_and(|erasure| {
            let range = writer.range.first..writer.range.end;
            erasure.entries.iter().any(|(index, _)| range.contains(index))
        }),
    }
}
