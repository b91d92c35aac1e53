//! Coverage: requests that came, counted before anything of them was captured, against what was recorded.
//!
//! Each process that captures requests counts them in a file of its own (`coverage/PRODUCER` beside the database)
//! before it looks at them; the number goes to the kernel with each request, so that it survives the process. What
//! the ledger holds of that producer is counted from its leaves. The two have nothing in common but the producer's
//! name, so a request that was lost on the way, in whatever manner, shows.

mod counter;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use modeltrail_core::control::{Control, GapReason, ProducerEvent};
use modeltrail_core::hash::hex;
use modeltrail_core::query::Query;
use modeltrail_core::record::Header;
use modeltrail_core::{Kind, Leaf, PartId};

use crate::ledger::Ledger;
use crate::reader::{ReadError, Reader};
use crate::spool::{self, SpoolError};
use crate::store::StoreError;

use counter::Counted;
pub(crate) use counter::Counter;

/// Leaves read at a time: 8 MB of rows.
const N_LEAVES: u64 = 1 << 16;

/// Ways of recording that are calls of the application's own, not captured requests.
const CALLS: &[&str] = &["api", "cli"];

/// Why coverage cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CoverageError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool cannot be looked at.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A counter cannot be read.
    #[error("the counters of requests in {dir} cannot be read: {error}; allow it or look there")]
    Counters {
        /// The directory.
        dir: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// Whether a producer goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// It has not ended: what is missing may be on its way.
    Open,
    /// It closed in order.
    Closed,
    /// It died.
    Lost,
}

/// The coverage of one process that captured requests.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct ProducerCoverage {
    /// Which producer, 32 hex digits.
    pub producer: String,
    /// Whether it goes on.
    pub life: Life,
    /// Requests that it counted before it captured them.
    pub n_requests: u64,
    /// Of them, those with an entry: a prediction, or a conflict where another stood under the same request id.
    pub n_recorded: u64,
    /// Of the recorded ones, intents whose outcome is unknown.
    pub n_unknown: u64,
    /// Of all its numbers, those that gap entries cover, by reason.
    pub gaps: BTreeMap<&'static str, u64>,
}

impl ProducerCoverage {
    /// Requests without an entry.
    #[must_use]
    pub const fn n_missing(&self) -> u64 {
        self.n_requests.saturating_sub(self.n_recorded)
    }
}

#[derive(Default)]
struct Tally {
    n_leaves: u64,
    n_outcomes: u64,
    life: Option<Life>,
    gaps: BTreeMap<&'static str, u64>,
}

/// The coverage of every producer that counted requests. `spool_dir` is where they hand over what they record.
///
/// # Errors
/// When ledger, spool or counters cannot be read.
pub fn of(ledger: &Ledger, spool_dir: &Path) -> Result<Vec<ProducerCoverage>, CoverageError> {
    // Before the counters: a process that starts in between is taken for one that goes on.
    let is_over = spool::n_alive(spool_dir)? == 0 && spool::peek(spool_dir)?.n_segments == 0;
    let if_unsaid = if is_over { Life::Lost } else { Life::Open };
    let dir = ledger.coverage_dir();
    let counters = counter::read_all(&dir)
        .map_err(|error| CoverageError::Counters { dir: dir.display().to_string(), error })?;
    let reader = Reader::of(ledger)?;
    let mut tallies: HashMap<[u8; 16], Tally> = HashMap::new();
    for counted in &counters {
        tallies.insert(counted.producer, Tally::default());
    }
    if tallies.is_empty() {
        return Ok(Vec::new());
    }
    count_leaves(&reader, &mut tallies)?;
    read_controls(&reader, &mut tallies)?;
    let mut answers = Vec::new();
    for Counted { producer, n_requests, has_calls } in counters {
        let Some(tally) = tallies.remove(&producer) else { continue };
        // Headers tell requests and calls apart; where there were no calls, leaves say enough.
        let n_captured =
            if has_calls { count_captured(&reader, &producer)? } else { tally.n_leaves };
        answers.push(ProducerCoverage {
            producer: hex(&producer),
            life: tally.life.unwrap_or(if_unsaid),
            n_requests,
            n_recorded: n_captured + tally.n_outcomes,
            n_unknown: tally.n_outcomes,
            gaps: tally.gaps,
        });
    }
    Ok(answers)
}

const fn is_record(kind: u8) -> bool {
    kind == Kind::Prediction.code() || kind == Kind::Conflict.code()
}

/// Counts predictions by producer, and those that another producer wrote for an intent of one that is gone.
fn count_leaves(
    reader: &Reader,
    tallies: &mut HashMap<[u8; 16], Tally>,
) -> Result<(), CoverageError> {
    // Intents without a record yet: those in flight, as a record follows its intent.
    let mut intents: HashMap<[u8; 16], [u8; 16]> = HashMap::new();
    let size = reader.size()?;
    reader.store().leaves(0..size, &mut |_, bytes, _| {
        let Ok(leaf) = Leaf::decode(bytes) else { return };
        if leaf.kind == Kind::Intent.code() && tallies.contains_key(&leaf.producer) {
            intents.insert(leaf.record_id, leaf.producer);
            return;
        }
        if !is_record(leaf.kind) {
            return;
        }
        let asker = if intents.is_empty() { None } else { intents.remove(&leaf.record_id) };
        match asker.filter(|asker| *asker != leaf.producer) {
            Some(asker) => {
                if let Some(tally) = tallies.get_mut(&asker) {
                    tally.n_outcomes += 1;
                }
            }
            None => {
                if let Some(tally) = tallies.get_mut(&leaf.producer) {
                    tally.n_leaves += 1;
                }
            }
        }
    })?;
    Ok(())
}

/// Of a producer's predictions, those that were captured.
fn count_captured(reader: &Reader, producer: &[u8; 16]) -> Result<u64, CoverageError> {
    let (size, mut n_captured, mut from) = (reader.size()?, 0, 0);
    while from < size {
        let to = (from + N_LEAVES).min(size);
        let mut indexes = Vec::new();
        reader.store().leaves(from..to, &mut |index, bytes, _| {
            let of_producer = |leaf: &Leaf| leaf.producer == *producer && is_record(leaf.kind);
            indexes.extend(Leaf::decode(bytes).ok().filter(of_producer).map(|_| index));
        })?;
        for index in indexes {
            let Some(entry) = reader.at(index)? else { continue };
            let header = entry.parts.iter().find(|part| part.id == PartId::Header);
            let header =
                header.and_then(|part| serde_json::from_slice::<Header<'_>>(&part.bytes).ok());
            n_captured += u64::from(header.is_some_and(|header| is_captured(&header)));
        }
        from = to;
    }
    Ok(n_captured)
}

/// True for the header of a record that a way in captured, and no call of the application's own made.
#[must_use]
pub fn is_captured(header: &Header<'_>) -> bool {
    header.capture.as_ref().is_some_and(|capture| !CALLS.contains(&&*capture.mode))
}

/// What producers and gaps say of themselves.
fn read_controls(
    reader: &Reader,
    tallies: &mut HashMap<[u8; 16], Tally>,
) -> Result<(), CoverageError> {
    let by_name: HashMap<String, [u8; 16]> = tallies.keys().map(|id| (hex(id), *id)).collect();
    for kind in [Kind::Producer, Kind::Gap] {
        reader.each::<CoverageError>(
            &Query { kind: Some(kind), ..Query::default() },
            |_, entry| {
                let part = entry.parts.iter().find(|part| part.id == PartId::Control);
                let control = part.and_then(|part| Control::read(kind, &part.bytes));
                let named = match &control {
                    Some(Control::Producer(producer)) => &producer.producer,
                    Some(Control::Gap(gap)) => &gap.producer,
                    _ => return Ok(()),
                };
                let tally = by_name.get(named).and_then(|id| tallies.get_mut(id));
                if let (Some(tally), Some(control)) = (tally, control) {
                    tally.take(&control);
                }
                Ok(())
            },
        )?;
    }
    Ok(())
}

impl Tally {
    fn take(&mut self, control: &Control) {
        match control {
            Control::Producer(producer) => match producer.event {
                ProducerEvent::Close => self.life = Some(Life::Closed),
                ProducerEvent::Lost => self.life = Some(Life::Lost),
                ProducerEvent::Open | ProducerEvent::Heartbeat => {}
            },
            Control::Gap(gap) => {
                let reason = match gap.reason {
                    GapReason::Duplicate => "duplicate",
                    GapReason::Dropped => "dropped",
                    GapReason::Quarantined => "quarantined",
                    GapReason::Refused => "refused",
                    GapReason::Epoch => "epoch",
                };
                let n: u64 =
                    gap.ranges.iter().map(|(first, last)| last.saturating_sub(*first) + 1).sum();
                *self.gaps.entry(reason).or_default() += n;
            }
            _ => {}
        }
    }
}
