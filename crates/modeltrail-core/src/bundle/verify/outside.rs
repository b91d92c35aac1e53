//! Entries outside the range, and receipts that no entry asks for.

use std::collections::BTreeSet;
use std::io::{self, Read, Seek};

use super::Check;
use super::checkpoint::Signed;
use super::facts::Facts;
use super::parts::{Place, judge};
use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::line::EntryLine;
use crate::bundle::lines::LineReader;
use crate::bundle::path::BundlePath;
use crate::code;
use crate::leaf::Leaf;

impl<R: Read + Seek> Check<R> {
    pub(super) fn check_outside(&mut self, signed: &Signed, facts: &mut Facts) -> io::Result<()> {
        let mut indexes = BTreeSet::new();
        let extent = self.container.extent(BundlePath::Outside);
        let mut reader = extent.map(LineReader::new);
        while let Some(reader) = &mut reader
            && let Some(line) = reader.next(&mut self.container)?
        {
            let Some(read) = EntryLine::parse(&line.bytes).filter(|_| line.is_ended) else {
                self.bad_line(BundlePath::Outside, line.n);
                continue;
            };
            let place = Place { file: BundlePath::Outside, line: line.n, index: read.index };
            if let Some(detail) = self.misplaced(&indexes, read.index) {
                self.findings.push(place.finding(Kind::InsertedEntry, detail));
                continue;
            }
            // Without a file of its own an index is not kept: there are fewer files than numbers.
            if self.container.extent(BundlePath::Proof(read.index)).is_some() {
                indexes.insert(read.index);
            }
            self.report.n_outside += 1;
            self.check_outside_line(place, &read, signed, facts)?;
        }
        self.check_proofs(&indexes);
        Ok(())
    }

    /// Why a line cannot stand where it does.
    fn misplaced(&self, before: &BTreeSet<u64>, index: u64) -> Option<&'static str> {
        let range = self.manifest.range;
        if (range.first..range.end).contains(&index) {
            return Some("the entry is in the range");
        }
        if index >= self.manifest.checkpoint.size {
            return Some("the entry is behind the checkpoint");
        }
        let is_behind = before.last().is_none_or(|last| *last < index);
        (!is_behind).then_some("the lines do not ascend by index")
    }

    fn check_outside_line(
        &mut self,
        place: Place,
        line: &EntryLine<'_>,
        signed: &Signed,
        facts: &mut Facts,
    ) -> io::Result<()> {
        let Some(bytes) = self.check_receipt(place.index, signed)? else { return Ok(()) };
        let leaf = match Leaf::decode(&bytes) {
            Ok(leaf) => leaf,
            Err(error) => {
                self.findings.push(place.finding(Kind::ChangedLeaf, error.to_string()));
                return Ok(());
            }
        };
        if leaf.index != place.index {
            let detail = format!("the leaf says that it is entry {}", leaf.index);
            self.findings.push(place.finding(Kind::MovedEntry, detail));
        }
        let kind = code::Kind::from_code(leaf.kind);
        if !matches!(kind, Some(code::Kind::Key | code::Kind::Erasure | code::Kind::Gap)) {
            let detail = "an entry of this kind has no place outside the range";
            self.findings.push(place.finding(Kind::InsertedEntry, detail));
            return Ok(());
        }
        let judged = judge(place, &leaf, line, &[], &mut self.findings);
        self.count(&judged);
        if judged.is_whole {
            facts.control(place, &leaf, line);
        }
        Ok(())
    }

    /// Receipts of entries that have none.
    fn check_proofs(&mut self, outside: &BTreeSet<u64>) {
        let is_due = |index: u64| {
            let is_match = self.manifest.matching.binary_search(&index).is_ok();
            outside.contains(&index) || (self.manifest.receipts && is_match)
        };
        let undue = |path: &str| match BundlePath::parse(path) {
            Some(BundlePath::Proof(index)) if !is_due(index) => Some(BundlePath::Proof(index)),
            _ => None,
        };
        let listed = &self.manifest.files;
        let paths = self.container.files().filter(|(path, _)| listed.contains_key(*path));
        let found: Vec<BundlePath> = paths.filter_map(|(path, _)| undue(path)).collect();
        for path in found {
            let detail = "no entry of the bundle asks for this receipt";
            self.findings.push(BundleFinding::file(Kind::UnexpectedFile, path, detail));
        }
    }
}
