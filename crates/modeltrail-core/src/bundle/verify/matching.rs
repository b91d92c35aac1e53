//! Which entries match, and the lines that show them.

use std::io::{self, Read, Seek};

use super::Check;
use super::parts::Place;
use crate::bundle::BundleFinding;
use crate::bundle::finding::BundleFindingKind as Kind;
use crate::bundle::header::HeaderView;
use crate::bundle::line::EntryLine;
use crate::bundle::lines::LineReader;
use crate::bundle::path::BundlePath;
use crate::code::PartId;
use crate::leaf::Leaf;

/// A walk along the manifest's `matching`.
#[derive(Default)]
pub(super) struct Listed {
    at: usize,
}

/// A walk along `records.ndjson`.
pub(super) struct Records {
    reader: Option<LineReader>,
}

impl Records {
    /// From the file's beginning; without the file, which is a finding, nothing is compared.
    pub(super) fn new<R: Read + Seek>(check: &Check<R>) -> Self {
        Self { reader: check.container.extent(BundlePath::Records).map(LineReader::new) }
    }
}

impl<R: Read + Seek> Check<R> {
    /// Whether the manifest says that an entry matches. Indexes must come ascending; those of the
    /// manifest that were passed over are in no range.
    pub(super) fn is_listed(&mut self, listed: &mut Listed, index: u64) -> bool {
        loop {
            match self.manifest.matching.get(listed.at).copied() {
                Some(next) if next < index => self.false_match_outside(next),
                next => {
                    let is_listed = next == Some(index);
                    listed.at += usize::from(is_listed);
                    return is_listed;
                }
            }
            listed.at += 1;
        }
    }

    /// Those behind the range.
    pub(super) fn finish_listed(&mut self, listed: &Listed) {
        let rest = self.manifest.matching.get(listed.at..).unwrap_or(&[]).to_vec();
        rest.into_iter().for_each(|index| self.false_match_outside(index));
    }

    fn false_match_outside(&mut self, index: u64) {
        let detail = "the manifest lists an entry that is not in the range";
        let finding = BundleFinding::file(Kind::FalseMatch, BundlePath::Manifest, detail);
        self.findings.push(finding.at(index));
    }

    /// Holds what the manifest says of an entry against its header, and against its parties where
    /// a person was asked for.
    pub(super) fn check_match(
        &mut self,
        place: Place,
        leaf: &Leaf,
        line: &EntryLine<'_>,
        header: &HeaderView<'_>,
        is_listed: bool,
    ) {
        let filter = &self.manifest.filter;
        let fits = filter.fits_header(leaf.kind, header);
        let parties = line.part(PartId::Parties.code());
        let fits_person =
            || parties.is_none_or(|part| filter.fits_parties(part.encoding, &part.bytes));
        let asks_for_person = filter.asks_for_person();
        if is_listed && !(fits && (!asks_for_person || fits_person())) {
            let detail = "the manifest says that it matches, and it does not fit the filter";
            self.findings.push(place.finding(Kind::FalseMatch, detail));
        } else if !is_listed && fits && !asks_for_person {
            let detail = "it fits the filter, and the manifest leaves it out";
            self.findings.push(place.finding(Kind::OmittedMatch, detail));
        }
    }

    /// Takes the next line of `records.ndjson`; `expected` is `None` where it cannot be said, because
    /// of another finding.
    pub(super) fn check_record(
        &mut self,
        records: &mut Records,
        index: u64,
        expected: Option<&[u8]>,
    ) -> io::Result<()> {
        let Some(reader) = &mut records.reader else { return Ok(()) };
        let line = reader.next(&mut self.container)?;
        let n = line.as_ref().map(|line| line.n);
        let is_same = line.is_some_and(|line| {
            let same = |expected: &[u8]| expected.strip_suffix(b"\n") == Some(&line.bytes);
            line.is_ended && expected.is_none_or(same)
        });
        if is_same {
            return Ok(());
        }
        let detail = "the line is not what leaf and parts give; lines behind it are not compared";
        let finding = BundleFinding::file(Kind::ChangedView, BundlePath::Records, detail).at(index);
        self.findings.push(n.map_or(finding.clone(), |n| finding.line(n)));
        records.reader = None;
        Ok(())
    }

    /// There must be no further line.
    pub(super) fn finish_records(&mut self, mut records: Records) -> io::Result<()> {
        let Some(reader) = &mut records.reader else { return Ok(()) };
        if let Some(line) = reader.next(&mut self.container)? {
            let detail = "a line behind those of the matching entries";
            let finding = BundleFinding::file(Kind::ChangedView, BundlePath::Records, detail);
            self.findings.push(finding.line(line.n));
        }
        Ok(())
    }
}
