//! The entries of the range: `entries.ndjson` and `records.ndjson` in one pass over the store.

use std::borrow::Cow;
use std::collections::BTreeMap;

use modeltrail_core::bundle::{BundlePath, EntryLine, HeaderView, LinePart, view};
use modeltrail_core::commitment;
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::verify::StoredEntry;
use modeltrail_core::{Encoding, Hash, Kind, Leaf, PartId};

use super::pieces::{Lines, Pieces};
use super::{BundleError, Writer};
use crate::store::VerifyItem;

/// Entries that are read in one statement.
const N_CHUNK: u64 = 4096;

/// What is known after the pass.
#[derive(Default)]
pub(super) struct Gathered {
    /// Indexes of the matching entries.
    pub(super) matching: Vec<u64>,
    /// Numbers that producers passed over: producer → runs, both ends included.
    pub(super) holes: BTreeMap<[u8; 16], Vec<(u64, u64)>>,
    /// Lines of `keys/history.ndjson`, of `key` entries in the range.
    pub(super) history: BTreeMap<u64, Vec<u8>>,
    next_seq: BTreeMap<[u8; 16], u64>,
}

/// An entry with all that may be shown of it.
pub(super) struct Shown<'a> {
    pub(super) leaf: Leaf,
    leaf_hash: Hash,
    commitments: Vec<(u16, Hash)>,
    parts: Vec<LinePart<'a>>,
}

/// Where the salts of an entry's parts come from, and what erasing left of the others.
struct Salts {
    of: Box<dyn Fn(PartId) -> Option<Hash>>,
    erased: Vec<(PartId, Hash)>,
}

impl Salts {
    /// From the secret; or, where something was erased and the secret with it, from what was kept.
    fn of(entry: &StoredEntry<'_>) -> Option<Self> {
        let secret = entry.secret?;
        if entry.erased.is_empty() && entry.salts.is_empty() {
            let secret: [u8; 32] = secret.try_into().ok()?;
            let of = Box::new(move |part| Some(commitment::salt(&secret, part)));
            return Some(Self { of, erased: Vec::new() });
        }
        let salts = commitment::read_pairs(entry.salts)?;
        let find = move |part| salts.iter().find(|(id, _)| *id == part).map(|(_, salt)| *salt);
        Some(Self { of: Box::new(find), erased: commitment::read_pairs(entry.erased)? })
    }
}

impl<'a> Shown<'a> {
    /// Reads an entry's rows, which must be those that its leaf commits to.
    pub(super) fn read(entry: &StoredEntry<'a>) -> Result<Self, BundleError> {
        let index = entry.key;
        let wrong = |what| BundleError::Entry { index, what };
        let leaf = Leaf::decode(entry.leaf).map_err(|_| wrong("its leaf is none"))?;
        let Salts { of, erased } = Salts::of(entry).ok_or_else(|| {
            wrong(
                "its parts, or the secret of their salts, are not there or not of the form written",
            )
        })?;
        let mut commitments: Vec<(u16, Hash)> =
            erased.iter().map(|(part, commitment)| (part.code(), *commitment)).collect();
        let mut parts = Vec::with_capacity(entry.parts.len());
        for part in entry.parts {
            let (code, encoding) = (part.id.code(), part.encoding);
            let salt = of(part.id).ok_or_else(|| wrong("a part has no salt"))?;
            commitments.push((code, commitment::coded_part(&salt, code, encoding, part.bytes)));
            let bytes = Cow::Borrowed(part.bytes);
            parts.push(LinePart { part: code, encoding, salt, bytes });
        }
        commitments.sort_unstable_by_key(|(part, _)| *part);
        if !entry.unreadable.is_empty() || commitment::coded_body(&commitments) != leaf.body {
            return Err(wrong("its parts are not those that its leaf commits to"));
        }
        Ok(Self { leaf, leaf_hash: leaf_hash(entry.leaf), commitments, parts })
    }

    fn part(&self, part: PartId) -> Option<&LinePart<'a>> {
        self.parts.iter().find(|shown| shown.part == part.code())
    }

    /// The line with these parts and no others.
    pub(super) fn line(&self, disclosed: &[u16]) -> EntryLine<'a> {
        let parts = self.parts.iter().filter(|part| disclosed.contains(&part.part));
        EntryLine {
            index: self.leaf.index,
            commitments: self.commitments.clone(),
            parts: parts.cloned().collect(),
        }
    }

    /// The part `control` of a control entry.
    pub(super) fn control(&self) -> Option<&LinePart<'a>> {
        self.part(PartId::Control).filter(|part| part.encoding == Encoding::Json.code())
    }

    /// The line of `keys/history.ndjson`, of a `key` entry.
    pub(super) fn history_line(&self) -> Option<Vec<u8>> {
        let is_key = self.leaf.kind == Kind::Key.code();
        self.part(PartId::Control)
            .filter(|_| is_key)
            .and_then(|control| view::history_line(&self.leaf, control))
    }
}

impl Gathered {
    fn number(&mut self, leaf: &Leaf) {
        let (producer, seq) = (leaf.producer, leaf.producer_seq);
        let next_seq = self.next_seq.entry(producer).or_insert(seq);
        if seq > *next_seq {
            self.holes.entry(producer).or_default().push((*next_seq, seq - 1));
        }
        *next_seq = seq.saturating_add(1).max(*next_seq);
    }
}

impl Writer<'_> {
    pub(super) fn write_entries(
        &self,
        pieces: &mut Pieces,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Gathered, BundleError> {
        let mut gathered = Gathered::default();
        let (mut entries, mut records) = (pieces.begin()?, pieces.begin()?);
        let (first, end) = (self.range.first, self.range.end);
        let mut next = first;
        while next < end {
            let chunk_end = end.min(next.saturating_add(N_CHUNK));
            let mut result = Ok(());
            self.store.verify_scan(next..chunk_end, &mut |item| {
                let VerifyItem::Entry(entry) = item else { return };
                if result.is_err() {
                    return;
                }
                result = if entry.key == next {
                    next += 1;
                    self.write_entry(&entry, pieces, &mut entries, &mut records, &mut gathered)
                } else {
                    Err(BundleError::Entry { index: next, what: "it is not there" })
                };
            })?;
            result?;
            if next < chunk_end {
                return Err(BundleError::Entry { index: next, what: "it is not there" });
            }
            progress(next - first, end - first);
        }
        pieces.end(BundlePath::Entries, entries);
        pieces.end(BundlePath::Records, records);
        Ok(gathered)
    }

    fn write_entry(
        &self,
        entry: &StoredEntry<'_>,
        pieces: &mut Pieces,
        entries: &mut Lines,
        records: &mut Lines,
        gathered: &mut Gathered,
    ) -> Result<(), BundleError> {
        let shown = Shown::read(entry)?;
        let leaf = &shown.leaf;
        gathered.number(leaf);
        gathered.history.extend(shown.history_line().map(|line| (leaf.index, line)));
        let is_match = self.is_match(&shown);
        let disclosed: &[u16] = if is_match { &self.disclosed } else { &ALWAYS };
        let line = shown.line(disclosed);
        pieces.line(entries, &line.to_bytes())?;
        if is_match {
            let record = view::record_line(leaf, &shown.leaf_hash, &line, &self.disclosed);
            pieces.line(records, &record)?;
            gathered.matching.push(leaf.index);
        }
        Ok(())
    }

    fn is_match(&self, shown: &Shown<'_>) -> bool {
        let filter = &self.request.filter;
        let header = shown.part(PartId::Header);
        let header =
            header.map(|part| HeaderView::read(part.encoding, &part.bytes)).unwrap_or_default();
        if !filter.fits_header(shown.leaf.kind, &header) {
            return false;
        }
        let parties = shown.part(PartId::Parties);
        !filter.asks_for_person()
            || parties.is_some_and(|part| filter.fits_parties(part.encoding, &part.bytes))
    }
}

/// What is disclosed of entries that do not match.
pub(super) const ALWAYS: [u16; 2] = [PartId::Header.code(), PartId::Control.code()];
