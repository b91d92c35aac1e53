//! Producer numbers: contiguous from 0, or covered by a gap entry.

use std::collections::BTreeMap;

use crate::control::Gap;
use crate::hash::{hex, unhex};

use super::{Finding, FindingKind};

/// Where a producer stands, for a verification that goes on from there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerNumbers {
    /// Which producer.
    pub id: [u8; 16],
    /// The next number that should come.
    pub next_seq: u64,
    /// Numbers behind it that gap entries have covered before they were passed over: first and last of
    /// each run.
    pub covered: Vec<(u64, u64)>,
}

/// What is known of one producer.
#[derive(Default)]
struct Numbers {
    /// True behind an entry which says that it closed or was lost.
    has_ended: bool,
    /// What was last said of its next number, and the entry that says so.
    claimed: Option<(u64, u64)>,
    next_seq: u64,
    last_index: u64,
    /// Numbers passed over and not yet covered: first → (last, index of the entry after them).
    /// A gap entry follows in the same batch, so this stays as small as a batch is.
    open: BTreeMap<u64, Hole>,
    /// Covered before the numbers after them were seen: first → last.
    covered: BTreeMap<u64, u64>,
}

struct Hole {
    last: u64,
    index: u64,
    explained: bool,
}

/// The numbers of all producers.
#[derive(Default)]
pub(super) struct Producers {
    of: BTreeMap<[u8; 16], Numbers>,
    /// True when entries before were not looked at. Producers that had ended by then are not in `of`,
    /// so the first number of one that is not is taken as it is.
    begins_later: bool,
}

impl Producers {
    pub(super) fn resume(known: Vec<ProducerNumbers>) -> Self {
        let numbers = |known: ProducerNumbers| {
            let covered = known.covered.into_iter().collect();
            (known.id, Numbers { next_seq: known.next_seq, covered, ..Numbers::default() })
        };
        Self { of: known.into_iter().map(numbers).collect(), begins_later: true }
    }

    /// Takes what an entry says of a producer: that all numbers below `next_seq` are accounted for, and
    /// perhaps that no more come.
    pub(super) fn said(&mut self, producer: [u8; 16], index: u64, next_seq: u64, has_ended: bool) {
        let begins_later = self.begins_later;
        let numbers = self.of.entry(producer).or_insert_with(|| Numbers {
            next_seq: if begins_later { next_seq } else { 0 },
            ..Numbers::default()
        });
        numbers.has_ended = has_ended;
        if next_seq > numbers.claimed.map_or(0, |(claimed, _)| claimed) {
            numbers.claimed = Some((next_seq, index));
        }
    }

    /// Takes an entry's producer and number. `suspect_since` is the last index at which an entry
    /// was changed, moved or missing: a hole that spans it is a consequence, not a finding.
    pub(super) fn take(
        &mut self,
        index: u64,
        producer: [u8; 16],
        seq: u64,
        suspect_since: Option<u64>,
        findings: &mut Vec<Finding>,
    ) {
        let first_time = !self.of.contains_key(&producer);
        let numbers = self.of.entry(producer).or_default();
        if first_time && self.begins_later {
            numbers.next_seq = seq;
        }
        if seq < numbers.next_seq {
            let detail = format!("number {seq} of producer {} stands here again", hex(&producer));
            findings.push(Finding::at(index, FindingKind::ProducerRepeat, detail));
            return;
        }
        if seq > numbers.next_seq {
            let explained = suspect_since
                .is_some_and(|at| at <= index && (first_time || at >= numbers.last_index));
            let hole = Hole { last: seq - 1, index, explained };
            numbers.open.insert(numbers.next_seq, hole);
            numbers.use_covered();
        }
        numbers.next_seq = seq.saturating_add(1);
        numbers.has_ended = false;
        numbers.last_index = index;
    }

    /// Takes a gap entry: numbers that are accounted for.
    pub(super) fn cover(&mut self, gap: &Gap) {
        let Some(producer) = unhex(&gap.producer).and_then(|id| id.try_into().ok()) else { return };
        let numbers = self.of.entry(producer).or_default();
        for (first, last) in &gap.ranges {
            if first > last {
                continue;
            }
            if *first >= numbers.next_seq {
                numbers.covered.insert(*first, *last);
            } else {
                numbers.cover(*first, *last);
            }
        }
    }

    /// What is left uncovered; gives the producers that have not ended. `is_whole` says that no entry
    /// is missing: then numbers that an entry says were used must be there too.
    pub(super) fn finish(
        mut self,
        is_whole: bool,
        findings: &mut Vec<Finding>,
    ) -> Vec<ProducerNumbers> {
        let mut left: Vec<(u64, String)> = Vec::new();
        for (producer, numbers) in &mut self.of {
            if is_whole && let Some((next_seq, index)) = numbers.claimed {
                numbers.lose_tail(next_seq, index);
            }
            numbers.use_covered();
            for (first, hole) in numbers.open.iter().filter(|(_, hole)| !hole.explained) {
                let run = if *first == hole.last {
                    format!("number {first}")
                } else {
                    format!("numbers {first} to {}", hole.last)
                };
                let detail = format!(
                    "{run} of producer {} became no entry, and no gap entry says why",
                    hex(producer)
                );
                left.push((hole.index, detail));
            }
        }
        left.sort();
        let finding = |(index, detail)| Finding::at(index, FindingKind::ProducerGap, detail);
        findings.extend(left.into_iter().map(finding));
        let live = self.of.into_iter().filter(|(_, numbers)| !numbers.has_ended);
        live.map(|(id, numbers)| ProducerNumbers {
            id,
            next_seq: numbers.next_seq,
            covered: numbers.ahead(),
        })
        .collect()
    }
}

impl Numbers {
    /// Covered runs behind the next number.
    fn ahead(self) -> Vec<(u64, u64)> {
        let next_seq = self.next_seq;
        self.covered.into_iter().filter(|(_, last)| *last >= next_seq).collect()
    }

    /// Opens a hole behind the last number when an entry says that more were used.
    fn lose_tail(&mut self, next_seq: u64, index: u64) {
        if let Some(last) = next_seq.checked_sub(1).filter(|last| *last >= self.next_seq) {
            self.open.insert(self.next_seq, Hole { last, index, explained: false });
            self.next_seq = next_seq;
        }
    }

    /// Takes what is covered out of the holes. Runs ahead of the last number stay: they were covered
    /// before they were passed over.
    fn use_covered(&mut self) {
        let (next_seq, covered) = (self.next_seq, self.covered.clone());
        self.covered.retain(|_, last| *last >= next_seq);
        for (first, last) in covered {
            self.cover(first, last);
        }
    }

    /// Takes a covered run out of the open holes.
    fn cover(&mut self, first: u64, last: u64) {
        let touched: Vec<u64> = self
            .open
            .range(..=last)
            .filter(|(_, hole)| hole.last >= first)
            .map(|(start, _)| *start)
            .collect();
        for start in touched {
            let Some(hole) = self.open.remove(&start) else { continue };
            if start < first {
                let left = Hole { last: first - 1, ..hole };
                self.open.insert(start, left);
            }
            if hole.last > last {
                self.open.insert(last + 1, hole);
            }
        }
    }
}
