//! The entries of the range: entry bundles and `entries.ndjson` side by side.

use std::io::{self, Read, Seek};

use super::Check;
use super::checkpoint::Signed;
use super::facts::Facts;
use super::leaves::Slot;
use super::matching::{Listed, Records};
use super::parts::{Judged, Place, header, judge};
use super::tree::Tree;
use crate::bundle::BundleFinding;
use crate::bundle::filter::Window;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::line::EntryLine;
use crate::bundle::lines::LineReader;
use crate::bundle::path::BundlePath;
use crate::bundle::view::record_line;
use crate::hash::Hash;
use crate::leaf::Leaf;

/// The lines of `entries.ndjson`, with the next one read ahead.
struct Lines {
    reader: Option<LineReader>,
    next: Option<(u64, EntryLine<'static>)>,
    /// Lines that could not be read: each stands for an entry that has none otherwise.
    n_bad: u64,
    /// Entries without a line since the last one that had one.
    missing: Option<(u64, u64)>,
}

/// What is gathered along the range.
struct Walk {
    window: Window,
    disclosed: Vec<u16>,
    lines: Lines,
    listed: Listed,
    records: Records,
    facts: Facts,
}

impl<R: Read + Seek> Check<R> {
    pub(super) fn check_entries(&mut self, tree: &mut Tree, signed: &Signed) -> io::Result<Facts> {
        let reader = self.container.extent(BundlePath::Entries).map(LineReader::new);
        let mut walk = Walk {
            window: self.manifest.window(),
            disclosed: self.manifest.disclosed(),
            lines: Lines { reader, next: None, n_bad: 0, missing: None },
            listed: Listed::default(),
            records: Records::new(self),
            facts: Facts::default(),
        };
        self.read_ahead(&mut walk.lines)?;
        let range = self.manifest.range;
        let mut before = None;
        for tile in self.layout.leaves() {
            let slots = self.check_leaves(tree, tile, before)?;
            before = slots.last().copied();
            for (index, slot) in (tile.first_node()..).zip(slots) {
                self.check_edge_time(&walk.window, index, &slot);
                if index >= range.first && index < range.end {
                    self.check_entry(&mut walk, index, &slot, signed)?;
                }
            }
        }
        self.finish_lines(&mut walk.lines)?;
        self.finish_listed(&walk.listed);
        self.finish_records(walk.records)?;
        Ok(walk.facts)
    }

    /// The leaves at both ends of the range and beside them say whether it was narrowed.
    fn check_edge_time(&mut self, window: &Window, index: u64, slot: &Slot) {
        let range = self.manifest.range;
        let Some((Leaf { time_us, .. }, _)) = slot.leaf else { return };
        if index.checked_add(1) == Some(self.manifest.checkpoint.size) {
            self.report.last_recorded_us = Some(time_us);
        }
        let at = |other: Option<u64>| other == Some(index);
        let is_wrong = [
            (at(range.first.checked_sub(1)) && !window.is_before(time_us), "begins too late"),
            (at(Some(range.first)) && window.is_before(time_us), "begins too early"),
            (at(range.end.checked_sub(1)) && window.is_behind(time_us), "ends too late"),
            (at(Some(range.end)) && !window.is_behind(time_us), "ends too early"),
        ];
        for (_, what) in is_wrong.iter().filter(|(is_wrong, _)| *is_wrong) {
            let detail = format!("the range {what}: the filter's times and this leaf's say so");
            let finding = BundleFinding::file(Kind::WrongRange, BundlePath::Manifest, detail);
            self.findings.push(finding.at(index));
        }
    }

    fn check_entry(
        &mut self,
        walk: &mut Walk,
        index: u64,
        slot: &Slot,
        signed: &Signed,
    ) -> io::Result<()> {
        let line = self.line_of(&mut walk.lines, index)?;
        let is_listed = self.is_listed(&mut walk.listed, index);
        if let Some((leaf, _)) = &slot.leaf
            && !walk.facts.number(index, leaf)
        {
            let detail = format!("number {} of its producer stands here again", leaf.producer_seq);
            let finding = BundleFinding::file(Kind::ProducerRepeat, BundlePath::Entries, detail);
            self.findings.push(finding.at(index));
        }
        let mut record = None;
        if let (Some((n, line)), Some((leaf, _)), Some(hash)) = (&line, &slot.leaf, slot.hash) {
            let place = Place { file: BundlePath::Entries, line: *n, index };
            record = self.check_line(walk, place, leaf, &hash, line, is_listed);
            // A leaf at another's place is a finding already, and its line follows from it.
            record = record.filter(|_| leaf.index == index);
        }
        if !is_listed {
            return Ok(());
        }
        self.check_record(&mut walk.records, index, record.as_deref())?;
        if !self.manifest.receipts {
            return Ok(());
        }
        let in_receipt = self.check_receipt(index, signed)?;
        let in_bundle = slot.leaf.map(|(_, bytes)| bytes);
        if in_receipt.is_some() && in_bundle.is_some() && in_receipt != in_bundle {
            let detail = "it holds another leaf than the entry bundle";
            let finding = BundleFinding::file(Kind::BadReceipt, BundlePath::Proof(index), detail);
            self.findings.push(finding.at(index));
        }
        Ok(())
    }

    /// The line against its leaf; the line of `records.ndjson` where it can be made.
    fn check_line(
        &mut self,
        walk: &mut Walk,
        place: Place,
        leaf: &Leaf,
        leaf_hash: &Hash,
        line: &EntryLine<'_>,
        is_listed: bool,
    ) -> Option<Vec<u8>> {
        self.report.n_entries += 1;
        let disclosed: &[u16] = if is_listed { &walk.disclosed } else { &[] };
        let judged = judge(place, leaf, line, disclosed, &mut self.findings);
        self.count(&judged);
        judged.absent.iter().for_each(|part| walk.facts.absent(place, *part));
        if !judged.is_whole {
            return None;
        }
        let header = header(place, line, &mut self.findings);
        self.check_match(place, leaf, line, &header, is_listed);
        walk.facts.control(place, leaf, line);
        is_listed.then(|| record_line(leaf, leaf_hash, line, &walk.disclosed))
    }

    pub(super) fn count(&mut self, judged: &Judged) {
        self.report.n_parts += judged.n_parts;
        self.report.part_bytes = self.report.part_bytes.saturating_add(judged.part_bytes);
    }

    /// The line of an entry, if it has one. Lines of earlier entries should not come any more.
    fn line_of(
        &mut self,
        lines: &mut Lines,
        index: u64,
    ) -> io::Result<Option<(u64, EntryLine<'static>)>> {
        while let Some((n, next)) = &lines.next {
            if next.index > index {
                break;
            }
            if next.index == index {
                self.say_missing(lines);
                let found = lines.next.take();
                self.read_ahead(lines)?;
                return Ok(found);
            }
            self.inserted(*n, next.index);
            self.read_ahead(lines)?;
        }
        if lines.n_bad > 0 {
            lines.n_bad -= 1;
            return Ok(None);
        }
        lines.missing = Some(lines.missing.map_or((index, index), |(first, _)| (first, index)));
        Ok(None)
    }

    fn inserted(&mut self, n: u64, index: u64) {
        let detail = "a line of an entry that is not in the range, or has a line already";
        let finding = BundleFinding::file(Kind::InsertedEntry, BundlePath::Entries, detail);
        self.findings.push(finding.line(n).at(index));
    }

    fn say_missing(&mut self, lines: &mut Lines) {
        let Some((first, last)) = lines.missing.take() else { return };
        let finding = BundleFinding::file(
            Kind::MissingEntry,
            BundlePath::Entries,
            "an entry of the range has no line",
        );
        self.findings.push(finding.run(first, last));
    }

    /// Reads the next line that can be read.
    fn read_ahead(&mut self, lines: &mut Lines) -> io::Result<()> {
        lines.next = None;
        let Some(reader) = &mut lines.reader else { return Ok(()) };
        while let Some(line) = reader.next(&mut self.container)? {
            match EntryLine::parse(&line.bytes).filter(|_| line.is_ended) {
                Some(read) => {
                    lines.next = Some((line.n, read));
                    return Ok(());
                }
                None => {
                    lines.n_bad += 1;
                    self.bad_line(BundlePath::Entries, line.n);
                }
            }
        }
        Ok(())
    }

    pub(super) fn bad_line(&mut self, file: BundlePath, n: u64) {
        let detail = "the line is not a canonical object with commitments, index and parts";
        self.findings.push(BundleFinding::file(Kind::BadLine, file, detail).line(n));
    }

    /// Lines behind the range.
    fn finish_lines(&mut self, lines: &mut Lines) -> io::Result<()> {
        self.say_missing(lines);
        while let Some((n, next)) = &lines.next {
            self.inserted(*n, next.index);
            self.read_ahead(lines)?;
        }
        Ok(())
    }
}
