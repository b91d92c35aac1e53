//! Producer numbers: contiguous from 0, or covered by a gap entry.

use std::collections::BTreeMap;

use crate::control::Gap;
use crate::hash::{hex, unhex};

use super::{Finding, FindingKind};

/// What is known of one producer.
#[derive(Default)]
struct Numbers {
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
}

impl Producers {
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

    /// What is left uncovered.
    pub(super) fn finish(mut self, findings: &mut Vec<Finding>) {
        let mut left: Vec<(u64, String)> = Vec::new();
        for (producer, numbers) in &mut self.of {
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
    }
}

impl Numbers {
    fn use_covered(&mut self) {
        for (first, last) in std::mem::take(&mut self.covered) {
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
