//! Which records of a producer were there already: read from the ledger itself, so that it is exact
//! even where another process is the sequencer.

use modeltrail::reader::ReadError;
use modeltrail::{Kind, Query, Reader, Stats};
use modeltrail_core::PartId;
use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::hex;

/// What became of numbers of one producer that are no entries of their own kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    /// There already.
    pub(super) n_duplicates: u64,
    /// Kept as conflict entries.
    pub(super) n_conflicts: u64,
    /// Damaged in the spool.
    pub(super) n_lost: u64,
}

/// Counts them from the entry at `size` on.
pub(super) fn tally(
    reader: &Reader,
    size: u64,
    producer: &[u8; 16],
    stats: &Stats,
) -> Result<Tally, ReadError> {
    let mut tally = Tally::default();
    // Whoever sequenced every entry since then has met every duplicate and conflict there was.
    let sequenced_all = reader.size()?.checked_sub(size) == Some(stats.n_sequenced);
    if sequenced_all && stats.n_duplicates == 0 && stats.n_conflicts == 0 {
        return Ok(tally);
    }
    let of_kind = |kind| Query { kind: Some(kind), ..Query::default() };
    reader.each(&of_kind(Kind::Gap), |place, entry| {
        let part = entry.parts.iter().find(|part| part.id == PartId::Control);
        let control = part.and_then(|part| Control::read(Kind::Gap, &part.bytes));
        match control {
            Some(Control::Gap(gap)) if place.index >= size && gap.producer == hex(producer) => {
                tally.add(&gap);
            }
            _ => {}
        }
        Ok::<(), ReadError>(())
    })?;
    reader.each(&of_kind(Kind::Conflict), |_, entry| {
        tally.n_conflicts += u64::from(entry.leaf.producer == *producer);
        Ok::<(), ReadError>(())
    })?;
    Ok(tally)
}

impl Tally {
    fn add(&mut self, gap: &Gap) {
        let n: u64 = gap
            .ranges
            .iter()
            .map(|(first, last)| last.saturating_add(1).saturating_sub(*first))
            .sum();
        match gap.reason {
            GapReason::Duplicate => self.n_duplicates += n,
            GapReason::Quarantined => self.n_lost += n,
            // Counted when they happened.
            GapReason::Dropped | GapReason::Refused | GapReason::Epoch => {}
        }
    }
}
