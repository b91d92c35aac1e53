//! A store in memory, for tests and trials. It survives nothing.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(any(test, feature = "testing"))]
use modeltrail_core::PartId;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
#[cfg(any(test, feature = "testing"))]
use modeltrail_core::commitment::{commit, pairs, salt};
use modeltrail_core::leaf::origin_prev;
use modeltrail_core::lookup::Lookup;
use modeltrail_core::merkle::Frontier;
use modeltrail_core::note::SignatureLine;
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::record::Part;
use modeltrail_core::tile::Tile;
use modeltrail_core::verify::{Finding, StoredEntry, StoredPart};
use modeltrail_core::{Hash, Kind, Leaf};

use super::batch::{NewEntry, ProducerState};
use super::tree::{self, Grow, check_many};
use super::{
    Batch, EachCheckpoint, EachLeaf, Entry, Store, StoreError, Strays, Tip, UsageQuery, UsageRow,
    VerifyItem,
};

/// A ledger in memory; clones and [`Store::another`] share it.
#[derive(Clone)]
pub struct MemoryStore {
    origin: Arc<str>,
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    tip: Tip,
    entries: Vec<NewEntry>,
    lookups: Vec<Lookup<'static>>,
    requests: HashMap<String, u64>,
    producers: HashMap<[u8; 16], ProducerState>,
    terms: Vec<String>,
    term_ids: HashMap<String, u32>,
    /// Full tiles by level and index, each with its root.
    tiles: BTreeMap<(u8, u64), (Hash, Vec<u8>)>,
    checkpoints: BTreeMap<u64, SignedCheckpoint>,
    /// What erasing left of entries: salts of the parts that are there, commitments of the others.
    left: BTreeMap<u64, Left>,
}

/// Both as [`modeltrail_core::commitment::pairs`].
#[derive(Default)]
struct Left {
    salts: Vec<u8>,
    erased: Vec<u8>,
}

impl MemoryStore {
    /// An empty ledger.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        let frontier = Frontier::new();
        let head = Head { size: 0, root: frontier.root() };
        let tip = Tip { head, last_leaf_hash: origin_prev(origin), time_us: 0, frontier };
        let inner = Inner {
            tip,
            entries: Vec::new(),
            lookups: Vec::new(),
            requests: HashMap::new(),
            producers: HashMap::new(),
            terms: Vec::new(),
            term_ids: HashMap::new(),
            tiles: BTreeMap::new(),
            checkpoints: BTreeMap::new(),
            left: BTreeMap::new(),
        };
        Self { origin: origin.into(), inner: Arc::new(Mutex::new(inner)) }
    }

    /// Leaves it as a ledger that was written before tiles were kept.
    #[cfg(test)]
    pub(crate) fn forget_tiles(&self) {
        self.lock().tiles.clear();
    }

    /// Takes parts out of an entry as an erasure does, for tests; the erasure entry is the caller's
    /// to append. False when the entry is not there, or was erased from before.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn take_parts(&self, index: u64, ids: &[PartId]) -> bool {
        let mut inner = self.lock();
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let is_new = !inner.left.contains_key(&index);
        let Some(entry) = inner.entries.get_mut(at).filter(|_| is_new) else { return false };
        let all = commit(&entry.secret, entry.parts.iter().map(Part::as_ref));
        let (erased, rest): (Vec<_>, Vec<_>) = all.iter().partition(|(id, _)| ids.contains(id));
        let salts: Vec<_> = rest.iter().map(|(id, _)| (*id, salt(&entry.secret, *id))).collect();
        entry.parts.retain(|part| !ids.contains(&part.id));
        entry.secret = [0; 32];
        let lookup = derive(entry);
        if let Some(stored) = inner.lookups.get_mut(at) {
            *stored = lookup;
        }
        inner.left.insert(index, Left { salts: pairs(&salts), erased: pairs(&erased) });
        true
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic while the lock was held leaves whole batches only: they are put in at the end.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn term_id(&mut self, text: Option<&str>) -> Option<u32> {
        let text = text?;
        if let Some(id) = self.term_ids.get(text) {
            return Some(*id);
        }
        let id = u32::try_from(self.terms.len()).ok()?;
        self.terms.push(text.to_owned());
        self.term_ids.insert(text.to_owned(), id);
        Some(id)
    }
}

impl Grow for Inner {
    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        let what = "its leaf hash cannot be read";
        let hash = |index| {
            let entry = usize::try_from(index).ok().and_then(|at| self.entries.get(at));
            entry.map(|entry| entry.leaf_hash).ok_or(StoreError::Damaged { index, what })
        };
        range.map(hash).collect()
    }

    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        Ok(range.map_while(|n| self.tiles.get(&(level, n)).map(|(root, _)| *root)).collect())
    }

    fn put(&mut self, tile: Tile, root: Hash, hashes: Vec<u8>) -> Result<(), StoreError> {
        self.tiles.insert((tile.level(), tile.index()), (root, hashes));
        Ok(())
    }
}

/// What a lookup row is worth for an entry whose header cannot be read: found by its index alone.
fn derive(entry: &NewEntry) -> Lookup<'static> {
    let derived = Lookup::derive(entry.kind, entry.parts.iter().map(Part::as_ref));
    derived.map_or_else(|_| Lookup::unreadable(entry.kind), Lookup::into_owned)
}

fn fits(query: &Query, lookup: &Lookup<'_>, at: Cursor, oldest_first: bool) -> bool {
    fn same(asked: &Option<String>, is: &Option<std::borrow::Cow<'_, str>>) -> bool {
        asked.as_deref().is_none_or(|asked| is.as_deref() == Some(asked))
    }
    let place = (at.time_ns, at.index);
    let behind = query.after.is_none_or(|after| {
        let after = (after.time_ns, after.index);
        if oldest_first { place > after } else { place < after }
    });
    behind
        && same(&query.request_id, &lookup.request_id)
        && same(&query.model_name, &lookup.model_name)
        && same(&query.model_version, &lookup.model_version)
        && same(&query.user_id, &lookup.user_id)
        && same(&query.subject_id, &lookup.subject_id)
        && same(&query.session_id, &lookup.session_id)
        && same(&query.label, &lookup.label)
        && query.input_hash.is_none_or(|hash| lookup.input_hash == Some(hash))
        && query.input_mac.is_none_or(|mac| lookup.input_mac == Some(mac))
        && query.status.is_none_or(|status| lookup.status == Some(status))
        && query.kind.is_none_or(|kind| lookup.kind == kind)
        && query.since_ns.is_none_or(|since| lookup.time_ns >= since)
        && query.until_ns.is_none_or(|until| lookup.time_ns < until)
}

impl Store for MemoryStore {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn another(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(self.clone()))
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        Ok(self.lock().tip.clone())
    }

    fn append(&mut self, batch: &Batch, expected: &Head) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let follows = batch.entries().first().is_none_or(|entry| entry.index == expected.size);
        if inner.tip.head != *expected || !follows {
            let found = inner.tip.head.size;
            return Err(StoreError::Conflict { found, expected: expected.size });
        }
        for entry in batch.entries() {
            let lookup = derive(entry);
            if let (Some(id), true) = (&lookup.request_id, entry.kind.has_unique_request_id()) {
                inner.requests.entry(id.to_string()).or_insert(entry.index);
            }
            inner.lookups.push(lookup);
            inner.entries.push(entry.clone());
        }
        tree::grow(&mut *inner, expected.size, batch.tip().head.size)?;
        inner.producers.extend(batch.producers().iter().copied());
        inner.tip = batch.tip();
        Ok(())
    }

    fn producer(&self, producer: &[u8; 16]) -> Result<ProducerState, StoreError> {
        Ok(self.lock().producers.get(producer).copied().unwrap_or_default())
    }

    fn find_request(&self, request_id: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.lock().requests.get(request_id).copied())
    }

    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        let inner = self.lock();
        let Some(entry) = usize::try_from(index).ok().and_then(|at| inner.entries.get(at)) else {
            return Ok(None);
        };
        let leaf = Leaf::decode(&entry.leaf)
            .map_err(|_| StoreError::Damaged { index, what: "its leaf cannot be read" })?;
        Ok(Some(Entry { leaf, leaf_hash: entry.leaf_hash, parts: entry.parts.clone() }))
    }

    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        let inner = self.lock();
        let mut places: Vec<Cursor> = inner
            .lookups
            .iter()
            .zip(0_u64..)
            .map(|(lookup, index)| (lookup, Cursor { time_ns: lookup.time_ns, index }))
            .filter(|(lookup, at)| fits(query, lookup, *at, oldest_first))
            .map(|(_, at)| at)
            .collect();
        places.sort_by_key(|at| (at.time_ns, at.index));
        if !oldest_first {
            places.reverse();
        }
        places.truncate(limit);
        Ok(places)
    }

    fn usage(&self, query: &UsageQuery, row: &mut dyn FnMut(UsageRow)) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let lookups = std::mem::take(&mut inner.lookups);
        let mut rows = Vec::new();
        for lookup in &lookups {
            let in_time = lookup.time_ns >= query.since_ns
                && query.until_ns.is_none_or(|until| lookup.time_ns < until);
            let of_model = lookup.model_name.as_deref() == Some(query.model_name.as_str());
            if !in_time || !of_model || lookup.kind != Kind::Prediction {
                continue;
            }
            rows.push(UsageRow {
                time_ns: lookup.time_ns,
                user: inner.term_id(lookup.user_id.as_deref().filter(|user| !user.is_empty())),
                version: inner.term_id(lookup.model_version.as_deref()),
                label: inner.term_id(lookup.label.as_deref()),
                latency_us: lookup.latency_us,
            });
        }
        inner.lookups = lookups;
        drop(inner);
        rows.sort_by_key(|row| row.time_ns);
        rows.into_iter().for_each(row);
        Ok(())
    }

    fn term(&self, term: u32) -> Result<String, StoreError> {
        let inner = self.lock();
        let text = usize::try_from(term).ok().and_then(|at| inner.terms.get(at));
        text.cloned().ok_or(StoreError::NoTerm(term))
    }

    fn verify_scan(
        &self,
        range: Range<u64>,
        item: &mut dyn FnMut(VerifyItem<'_>),
    ) -> Result<(), StoreError> {
        let inner = self.lock();
        for (entry, lookup) in inner.entries.iter().zip(&inner.lookups) {
            if !range.contains(&entry.index) {
                continue;
            }
            let stored = entry.parts.iter().map(|part| StoredPart {
                id: part.id,
                encoding: part.encoding.code(),
                bytes: &part.bytes,
            });
            let parts: Vec<StoredPart<'_>> = stored.collect();
            let left = inner.left.get(&entry.index);
            let (salts, erased) = left.map_or((&[][..], &[][..]), |l| (&l.salts, &l.erased));
            let secret: &[u8] = if left.is_some() { &[] } else { &entry.secret };
            item(VerifyItem::Entry(StoredEntry {
                key: entry.index,
                leaf: &entry.leaf,
                leaf_hash: entry.leaf_hash.as_bytes(),
                secret: Some(secret),
                parts: &parts,
                checks: &entry.checks,
                erased,
                salts,
                unreadable: &[],
                lookup: Some(lookup),
            }));
        }
        Ok(())
    }

    fn strays(&self, _size: u64) -> Result<Strays, StoreError> {
        let end = u64::try_from(self.lock().entries.len()).unwrap_or(u64::MAX);
        Ok(Strays { end, findings: Vec::new() })
    }

    fn verify_indexes(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }

    fn verify_tiles(&self) -> Result<Vec<Finding>, StoreError> {
        Ok(Vec::new())
    }

    fn leaves(&self, range: Range<u64>, each: &mut EachLeaf<'_>) -> Result<(), StoreError> {
        let inner = self.lock();
        let place = |at| usize::try_from(at).unwrap_or(usize::MAX);
        let (first, end) = (place(range.start), place(range.end));
        // Entries lie under their indexes.
        for entry in inner.entries.iter().take(end).skip(first) {
            each(entry.index, &entry.leaf, &entry.leaf_hash.0);
        }
        Ok(())
    }

    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        check_many(&range)?;
        self.lock().leaf_hashes(range)
    }

    fn tile(&self, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.lock().tiles.get(&(level, n)).map(|(_, hashes)| hashes.clone()))
    }

    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        check_many(&range)?;
        self.lock().tile_roots(level, range)
    }

    fn checkpoint(&self, at_most: Option<u64>) -> Result<Option<SignedCheckpoint>, StoreError> {
        let inner = self.lock();
        let mut up_to = inner.checkpoints.range(..=at_most.unwrap_or(u64::MAX));
        Ok(up_to.next_back().map(|(_, checkpoint)| checkpoint.clone()))
    }

    fn checkpoints(
        &self,
        range: Range<u64>,
        each: &mut EachCheckpoint<'_>,
    ) -> Result<(), StoreError> {
        let is_in = |size: &&u64| range.contains(*size);
        let sizes: Vec<u64> = self.lock().checkpoints.keys().filter(is_in).copied().collect();
        for size in sizes {
            // Not under the lock: the caller may ask the store for more.
            let checkpoint = self.lock().checkpoints.get(&size).cloned();
            checkpoint.into_iter().for_each(|checkpoint| each(size, Ok(checkpoint)));
        }
        Ok(())
    }

    fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        let mut inner = self.lock();
        tree::check_checkpoint(checkpoint, &self.origin, inner.tip.head.size)?;
        let size = checkpoint.checkpoint().head().size;
        let Some(stored) = inner.checkpoints.get(&size) else {
            inner.checkpoints.insert(size, checkpoint.clone());
            return Ok(());
        };
        if stored.note().text() != checkpoint.note().text() {
            return Err(tree::another_text(size));
        }
        let mut merged = stored.clone();
        for line in checkpoint.note().signatures() {
            merged.add(line.clone()).map_err(|_| tree::too_many_lines(size))?;
        }
        inner.checkpoints.insert(size, merged);
        Ok(())
    }

    fn add_signature(&mut self, size: u64, line: &SignatureLine) -> Result<(), StoreError> {
        let mut inner = self.lock();
        let stored = inner.checkpoints.get_mut(&size).ok_or_else(|| tree::unknown_size(size))?;
        stored.add(line.clone()).map_err(|_| tree::too_many_lines(size))
    }
}
