//! Intents whose record has not come: which there are, of a producer that is over.
//!
//! Of a producer that this sequencer has seen from its first number they are known from the batches it committed. Of
//! another they are read from the leaves since the producer opened, once, when it is over.

use std::collections::HashMap;

use modeltrail_core::Leaf;
use modeltrail_core::code::Kind;
use modeltrail_core::query::Query;

use crate::spool::ProducerId;
use crate::store::{Batch, Store, StoreError};

/// Most open intents that are remembered of a producer; more are read from the leaves when it is over. As many
/// requests in flight at once as a recorder's ring has records.
const N_REMEMBERED_MAX: usize = 16_384;

/// Most intents that are settled when a producer is over, since that is done in one batch: 64 MiB of entries.
const N_SETTLED_MAX: usize = 65_536;

/// Producer entries that are looked through in one read for where a producer opened.
const N_SCAN: usize = 1024;

/// Record ids of open intents, with the index of each.
type Open = HashMap<[u8; 16], u64>;

/// What is known of open intents, by producer: one that is not here is read when it is over.
#[derive(Default)]
pub(super) struct OpenIntents {
    producers: HashMap<ProducerId, Open>,
}

impl OpenIntents {
    /// Learns from a batch that was committed.
    pub(super) fn committed(&mut self, batch: &Batch) {
        for entry in batch.entries() {
            let Ok(leaf) = Leaf::decode(&entry.leaf) else { continue };
            if leaf.producer_seq == 0 {
                self.producers.insert(leaf.producer, Open::new());
            }
            let Some(open) = self.producers.get_mut(&leaf.producer) else { continue };
            note(open, &leaf);
            if open.len() > N_REMEMBERED_MAX {
                self.producers.remove(&leaf.producer);
            }
        }
        for (producer, state) in batch.producers() {
            if state.ended {
                self.producers.remove(producer);
            }
        }
    }

    /// Indexes of the intents that have no record, of a producer that is over with this batch, ascending. Those in
    /// the batch itself are among them.
    pub(super) fn of(
        &self,
        producer: &ProducerId,
        store: &dyn Store,
        batch: &Batch,
    ) -> Result<Vec<u64>, StoreError> {
        let mut open = match self.producers.get(producer) {
            Some(open) => open.clone(),
            None => read(producer, store)?,
        };
        for entry in batch.entries() {
            if let Ok(leaf) = Leaf::decode(&entry.leaf)
                && (leaf.kind != Kind::Intent.code() || leaf.producer == *producer)
            {
                note(&mut open, &leaf);
            }
        }
        let mut indexes: Vec<u64> = open.into_values().collect();
        indexes.sort_unstable();
        if indexes.len() > N_SETTLED_MAX {
            let n_left = indexes.len() - N_SETTLED_MAX;
            tracing::error!(n_left, "more intents without a record than are settled at once");
            indexes.truncate(N_SETTLED_MAX);
        }
        Ok(indexes)
    }
}

fn note(open: &mut Open, leaf: &Leaf) {
    if leaf.kind == Kind::Intent.code() {
        open.insert(leaf.record_id, leaf.index);
    } else if !open.is_empty() {
        open.remove(&leaf.record_id);
    }
}

/// The open intents of a producer as the ledger has them.
fn read(producer: &ProducerId, store: &dyn Store) -> Result<Open, StoreError> {
    let mut open = Open::new();
    let any = Query { kind: Some(Kind::Intent), ..Query::default() };
    if store.scan(&any, false, 1)?.is_empty() {
        return Ok(open);
    }
    let (first, size) = (opened(producer, store)?, store.tip()?.head.size);
    store.leaves(first..size, &mut |_, leaf, _| {
        if let Ok(leaf) = Leaf::decode(leaf)
            && (leaf.kind != Kind::Intent.code() || leaf.producer == *producer)
        {
            note(&mut open, &leaf);
        }
    })?;
    Ok(open)
}

/// Where a producer's first entry is; 0 where that is not known.
fn opened(producer: &ProducerId, store: &dyn Store) -> Result<u64, StoreError> {
    let mut query = Query { kind: Some(Kind::Producer), ..Query::default() };
    loop {
        let places = store.scan(&query, false, N_SCAN)?;
        let Some(last) = places.last().copied() else { return Ok(0) };
        for place in places {
            let mut is_first = false;
            store.leaves(place.index..place.index.saturating_add(1), &mut |_, leaf, _| {
                is_first = Leaf::decode(leaf)
                    .is_ok_and(|leaf| leaf.producer == *producer && leaf.producer_seq == 0);
            })?;
            if is_first {
                return Ok(place.index);
            }
        }
        query.after = Some(last);
    }
}
