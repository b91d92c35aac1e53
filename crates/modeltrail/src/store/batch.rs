//! What is appended at once.

use modeltrail_core::anchor::Head;
use modeltrail_core::code::Kind;
use modeltrail_core::commitment;
use modeltrail_core::leaf::{LEAF_BYTES, leaf_hash};
use modeltrail_core::record::Part;
use modeltrail_core::{Frame, Hash, Leaf};

use super::Tip;

/// An entry that is about to be stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEntry {
    /// Its place.
    pub index: u64,
    /// Its kind.
    pub kind: Kind,
    /// The leaf's bytes.
    pub leaf: [u8; LEAF_BYTES],
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// What the salts come from.
    pub secret: [u8; 32],
    /// Its parts, ascending by id.
    pub parts: Vec<Part>,
    /// See [`commitment::checks`].
    pub checks: Vec<u8>,
}

/// Entries that follow a tip, and the tip that they lead to.
#[derive(Clone, Debug)]
pub struct Batch {
    entries: Vec<NewEntry>,
    producers: Vec<([u8; 16], ProducerState)>,
    tip: Tip,
}

/// What the ledger knows of a producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ProducerState {
    /// The first number that is neither an entry nor covered by a gap entry.
    pub next_seq: u64,
    /// True when an entry says that it closed or was lost.
    pub ended: bool,
}

impl Batch {
    /// An empty batch behind `tip`.
    #[must_use]
    pub const fn new(tip: Tip) -> Self {
        Self { entries: Vec::new(), producers: Vec::new(), tip }
    }

    /// Makes an entry of a frame and appends it. `now_us` is raised to the time of the entry before,
    /// so that time never goes back. Returns the entry's index.
    pub fn push(&mut self, frame: Frame, producer: [u8; 16], seq: u64, now_us: u64) -> u64 {
        let commitments =
            commitment::commit(frame.secret(), frame.parts().iter().map(Part::as_ref));
        let index = self.tip.frontier.size();
        self.tip.time_us = self.tip.time_us.max(now_us);
        let leaf = Leaf {
            kind: frame.kind().code(),
            index,
            time_us: self.tip.time_us,
            record_id: *frame.record_id(),
            producer,
            producer_seq: seq,
            prev: self.tip.last_leaf_hash,
            body: commitment::body(&commitments),
        }
        .encode();
        let hash = leaf_hash(&leaf);
        self.tip.frontier.push(hash);
        self.tip.last_leaf_hash = hash;
        self.entries.push(NewEntry {
            index,
            kind: frame.kind(),
            leaf,
            leaf_hash: hash,
            secret: *frame.secret(),
            parts: frame.into_parts(),
            checks: commitment::checks(&commitments),
        });
        index
    }

    /// Notes what the ledger knows of `producer` after the batch.
    pub fn account(&mut self, producer: [u8; 16], state: ProducerState) {
        match self.producers.iter_mut().find(|(id, _)| *id == producer) {
            Some((_, known)) => *known = state,
            None => self.producers.push((producer, state)),
        }
    }

    /// The entries, ascending.
    #[must_use]
    pub fn entries(&self) -> &[NewEntry] {
        &self.entries
    }

    /// Producers and what the ledger knows of them.
    #[must_use]
    pub fn producers(&self) -> &[([u8; 16], ProducerState)] {
        &self.producers
    }

    /// True when there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.producers.is_empty()
    }

    /// The tip that the ledger has after the batch.
    #[must_use]
    pub fn tip(&self) -> Tip {
        let head = Head { size: self.tip.frontier.size(), root: self.tip.frontier.root() };
        Tip { head, ..self.tip.clone() }
    }
}
