//! What entries say about other entries, gathered on the way and used at the end: numbers of
//! producers and the gaps that explain them, erasures and keys, and the history of keys.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek};

use super::erasures::Lawful;
use super::parts::Place;
use super::{Check, Pinned};
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::header::is_object;
use crate::bundle::line::EntryLine;
use crate::bundle::lines::LineReader;
use crate::bundle::path::BundlePath;
use crate::bundle::view::{history_line, part_name};
use crate::code::{self, Encoding, PartId};
use crate::control::Gap;
use crate::erasure::Erasure;
use crate::hash::{hex, unhex};
use crate::keys::KeyChange;
use crate::leaf::Leaf;

type Producer = [u8; 16];

/// Numbers that a producer passed over.
struct Hole {
    producer: Producer,
    first: u64,
    last: u64,
    /// The entry behind them.
    index: u64,
}

/// Runs of numbers, both ends included.
type Runs = Vec<(u64, u64)>;

/// What was gathered.
#[derive(Default)]
pub(super) struct Facts {
    /// The number after the last one of each producer in the range.
    next_seq: BTreeMap<Producer, u64>,
    holes: Vec<Hole>,
    gaps: BTreeMap<Producer, Runs>,
    /// What `erasure` and `key` entries say, and where; nothing where it cannot be read.
    pub(super) erasures: Vec<(Place, Option<Erasure>)>,
    pub(super) changes: Vec<(u64, Option<KeyChange>)>,
    /// Parts that are not there and must be, unless they were erased.
    absent: Vec<(Place, u16)>,
    /// Lines of the history, by index.
    history: Vec<(u64, Vec<u8>)>,
}

impl Facts {
    /// Takes a leaf's producer and number; false when the number is not behind the last one.
    pub(super) fn number(&mut self, index: u64, leaf: &Leaf) -> bool {
        let (producer, seq) = (leaf.producer, leaf.producer_seq);
        let next_seq = self.next_seq.entry(producer).or_insert(seq);
        if seq < *next_seq {
            return false;
        }
        if seq > *next_seq {
            self.holes.push(Hole { producer, first: *next_seq, last: seq - 1, index });
        }
        *next_seq = seq.saturating_add(1);
        true
    }

    /// Takes a part that must be there and is not.
    pub(super) fn absent(&mut self, place: Place, part: u16) {
        self.absent.push((place, part));
    }

    /// Takes what a control entry says whose parts are those of its leaf.
    pub(super) fn control(&mut self, place: Place, leaf: &Leaf, line: &EntryLine<'_>) {
        let control = line.part(PartId::Control.code());
        let json =
            control.filter(|part| part.encoding == Encoding::Json.code() && has_shape(&part.bytes));
        match code::Kind::from_code(leaf.kind) {
            Some(code::Kind::Gap) => {
                let Some(control) = json else { return };
                let Ok(gap) = serde_json::from_slice::<Gap>(&control.bytes) else { return };
                let producer = unhex(&gap.producer).and_then(|id| Producer::try_from(id).ok());
                // Hex has one spelling, as everywhere in the contract.
                let Some(producer) = producer.filter(|id| hex(id) == gap.producer) else { return };
                self.gaps.entry(producer).or_default().extend(gap.ranges);
            }
            Some(code::Kind::Erasure) => {
                let read = json.and_then(|part| serde_json::from_slice(&part.bytes).ok());
                self.erasures.push((place, read));
            }
            Some(code::Kind::Key) => {
                let read = json.and_then(|part| serde_json::from_slice(&part.bytes).ok());
                self.changes.push((place.index, read));
                let Some(control) = control else { return };
                self.history.extend(history_line(leaf, control).map(|line| (leaf.index, line)));
            }
            _ => {}
        }
    }
}

/// Whether what a control entry says is an object whose words are texts. Without this a list would be read as an
/// object, and `{"dropped":null}` as the word in it.
fn has_shape(json: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Words {
        #[serde(default, rename = "event")]
        _event: Option<String>,
        #[serde(default, rename = "reason")]
        _reason: Option<String>,
        #[serde(default, rename = "role")]
        _role: Option<String>,
    }
    is_object(json) && serde_json::from_slice::<Words>(json).is_ok()
}

/// Sorts runs and joins those that overlap or touch. A run that ends before it begins is none.
fn join(runs: &mut Runs) {
    runs.retain(|(first, last)| first <= last);
    runs.sort_unstable();
    let mut joined: Runs = Vec::with_capacity(runs.len());
    for (first, last) in runs.drain(..) {
        match joined.last_mut() {
            Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
            _ => joined.push((first, last)),
        }
    }
    *runs = joined;
}

/// What joined runs leave uncovered of one, if they cover its beginning or nothing of it; else all of
/// what is behind its first number that is not covered.
fn uncovered(of: (u64, u64), by: &[(u64, u64)]) -> Option<(u64, u64)> {
    let behind = by.partition_point(|(first, _)| *first <= of.0);
    let before = behind.checked_sub(1).and_then(|at| by.get(at));
    let first = match before {
        Some((_, last)) if *last >= of.0 => last.checked_add(1)?,
        _ => of.0,
    };
    (first <= of.1).then_some((first, of.1))
}

impl<R: Read + Seek> Check<R> {
    /// Judges what was gathered.
    pub(super) fn check_facts(&mut self, mut facts: Facts, pinned: &Pinned<'_>) -> io::Result<()> {
        facts.gaps.values_mut().for_each(join);
        for Hole { producer, first, last, index } in facts.holes {
            let gaps = facts.gaps.get(&producer).map_or(&[][..], Vec::as_slice);
            let Some((first, last)) = uncovered((first, last), gaps) else { continue };
            let run = if first == last {
                format!("number {first}")
            } else {
                format!("numbers {first} to {last}")
            };
            let producer = hex(&producer);
            let detail =
                format!("{run} of producer {producer} became no entry, and no gap entry says why");
            let finding =
                crate::bundle::BundleFinding::file(Kind::ProducerGap, BundlePath::Entries, detail);
            self.findings.push(finding.at(index));
        }
        let changes = std::mem::take(&mut facts.changes);
        let lawful = self.judge_erasures(std::mem::take(&mut facts.erasures), changes, pinned);
        for (place, part) in facts.absent {
            self.check_absent(place, part, &lawful);
        }
        facts.history.sort();
        self.check_history(facts.history)
    }

    /// A part that must be there and is not: an erasure that holds says so, or it is missing.
    fn check_absent(&mut self, place: Place, part: u16, lawful: &Lawful) {
        if lawful.names(place.index, part) {
            return;
        }
        let why = match lawful.forged(place.index) {
            Some(erasure) => format!("the erasure entry {erasure} that names it does not hold"),
            None => "no erasure entry says why".to_owned(),
        };
        let detail = format!("the part `{}` is not disclosed, and {why}", part_name(part));
        self.findings.push(place.finding(Kind::MissingPart, detail));
    }

    fn check_history(&mut self, lines: Vec<(u64, Vec<u8>)>) -> io::Result<()> {
        let path = BundlePath::History;
        let Some(extent) = self.container.extent(path) else { return Ok(()) };
        let mut reader = LineReader::new(extent);
        let (mut n, mut is_same) = (0_u64, true);
        for (_, expected) in &lines {
            n += 1;
            let line = reader.next(&mut self.container)?;
            is_same = line.is_some_and(|line| {
                line.is_ended && expected.strip_suffix(b"\n") == Some(line.bytes.as_slice())
            });
            if !is_same {
                break;
            }
        }
        if is_same && reader.next(&mut self.container)?.is_some() {
            n += 1;
            is_same = false;
        }
        if !is_same {
            let detail = "the line is not what the key entries of the bundle give";
            let finding = crate::bundle::BundleFinding::file(Kind::ChangedHistory, path, detail);
            self.findings.push(finding.line(n));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_leave_uncovered() {
        let left = |mut runs: Runs| {
            join(&mut runs);
            uncovered((5, 9), &runs)
        };
        assert_eq!(left(vec![]), Some((5, 9)));
        assert_eq!(left(vec![(0, 4), (10, 12)]), Some((5, 9)));
        assert_eq!(left(vec![(8, 20), (6, 7), (0, 6)]), None);
        assert_eq!(left(vec![(5, 6), (8, 9)]), Some((7, 9)));
        assert_eq!(left(vec![(9, 5), (5, 9)]), None);
        assert_eq!(left(vec![(9, 5), (0, u64::MAX), (3, 4)]), None);
    }
}
