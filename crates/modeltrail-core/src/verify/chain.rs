//! What holds between entries: places, links, time, producer numbers, root, head and anchor.

mod ends;
mod whole;

use crate::anchor::Head;
use crate::control::{Control, ProducerEvent};
use crate::hash::{Hash, unhex};
use crate::keys::KeyRole;
use crate::leaf::origin_prev;
use crate::merkle::Frontier;

use super::entry::Checked;
use super::erasures::Erasures;
use super::heads::Heads;
use super::keys::Keys;
use super::known::KnownHead;
use super::producers::{ProducerNumbers, Producers};
use super::{Finding, FindingKind};

/// What the entries are held against at the end.
#[derive(Clone, Debug)]
pub struct Ends {
    /// The head as stored with the entries.
    pub head: Head,
    /// The last leaf hash as stored with the head.
    pub last_leaf_hash: Hash,
    /// The last entry's time as stored with the head.
    pub time_us: u64,
    /// The root that the stored right edge of the tree gives.
    pub edge_root: Hash,
    /// Heads that were kept outside: the anchor, checkpoints that somebody has.
    pub outside: Vec<KnownHead>,
    /// The ledger's keys: who may allow erasures.
    pub keys: Keys,
}

/// Where a verification begins when what lies before was verified earlier.
#[derive(Clone, Debug)]
pub struct Start {
    /// The tree over the entries before.
    pub frontier: Frontier,
    /// Leaf hash of the last of them.
    pub last_leaf_hash: Hash,
    /// Its time, microseconds since 1970 UTC.
    pub time_us: u64,
    /// Producers that live, and their next numbers.
    pub producers: Vec<ProducerNumbers>,
}

/// What a verification leaves.
#[derive(Clone, Debug)]
pub struct Finished {
    /// All findings, ordered by index.
    pub findings: Vec<Finding>,
    /// Producers that live at the end, for a verification that goes on from there.
    pub producers: Vec<ProducerNumbers>,
}

/// Takes checked entries in ascending order of their keys.
pub struct Chain {
    origin: String,
    ends: Ends,
    findings: Vec<Finding>,
    /// Held back until the entry after it is known.
    waiting: Option<Checked>,
    /// True when the entry that is being looked at stands at another's place.
    moved: bool,
    before: Before,
    /// What is added to a key to give the index that its leaf should have, once entries were taken
    /// out or put in and the keys after them renumbered.
    shift: i64,
    /// The next index that should come.
    expected: u64,
    time_us: u64,
    suspect: Option<u64>,
    /// The first entry that as such is changed, missing, moved or inserted: roots over it cannot fit.
    first_moot: Option<u64>,
    frontier: Frontier,
    heads: Heads,
    /// Size of the largest stored checkpoint that was handed over.
    stored_size: u64,
    producers: Producers,
    erasures: Erasures,
}

/// The entry before the one that is being looked at.
struct Before {
    computed: Hash,
    stored: Option<Hash>,
    /// False after a missing or inserted entry: the link cannot fit and says nothing.
    is_neighbour: bool,
}

impl Chain {
    /// For the ledger `origin`, from its first entry.
    #[must_use]
    pub fn new(origin: &str, ends: Ends) -> Self {
        let start = Start {
            frontier: Frontier::new(),
            last_leaf_hash: origin_prev(origin),
            time_us: 0,
            producers: Vec::new(),
        };
        let mut chain = Self::resume(origin, ends, start);
        chain.producers = Producers::default();
        chain
    }

    /// For the ledger `origin`, from the entry behind those that `start` stands for.
    #[must_use]
    pub fn resume(origin: &str, mut ends: Ends, start: Start) -> Self {
        let mut findings = Vec::new();
        let mut heads = Heads::new(origin);
        let outside = std::mem::take(&mut ends.outside);
        outside.into_iter().for_each(|known| heads.expect(known, &mut findings));
        let (prev, size) = (start.last_leaf_hash, start.frontier.size());
        heads.reach(size, &start.frontier.root());
        Self {
            origin: origin.to_owned(),
            ends,
            findings,
            waiting: None,
            moved: false,
            before: Before { computed: prev, stored: Some(prev), is_neighbour: true },
            shift: 0,
            expected: size,
            time_us: start.time_us,
            suspect: None,
            first_moot: None,
            frontier: start.frontier,
            heads,
            stored_size: 0,
            producers: Producers::resume(start.producers),
            erasures: Erasures::default(),
        }
    }

    /// Takes a checkpoint of the ledger's own table. It has to come before the entry that it ends
    /// with.
    pub fn stored_checkpoint(&mut self, known: KnownHead) {
        if known.is_counted(&self.origin) {
            self.stored_size = self.stored_size.max(known.head.size);
        }
        self.heads.expect(known, &mut self.findings);
    }

    /// Tells the root that the tree had at a size before the entries that this chain begins with, as
    /// stored tiles give it.
    pub fn earlier_root(&mut self, size: u64, root: &Hash) {
        self.heads.reach(size, root);
    }

    /// Takes the next entry.
    pub fn push(&mut self, checked: Checked) {
        if let Some(waiting) = self.waiting.replace(checked) {
            let next = self.waiting.take();
            self.settle(waiting, next.as_ref());
            self.waiting = next;
        }
    }

    /// A lookup row whose key has no leaf.
    pub fn orphan_lookup(&mut self, key: u64) {
        self.findings.push(Finding::at(
            key,
            FindingKind::InventedLookup,
            "a lookup row stands here, but no entry does",
        ));
    }

    /// Any other finding of the store's own checks.
    pub fn note(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// All findings, ordered by index.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        if let Some(last) = self.waiting.take() {
            self.settle(last, None);
        }
        self.check_ends();
        let Self { mut findings, producers, expected, heads, first_moot, erasures, .. } = self;
        heads.finish(first_moot, &mut findings);
        erasures.finish(&mut findings);
        let producers = producers.finish(first_moot.is_none(), &mut findings);
        // Lookup rows of entries that are missing are part of the same edit.
        let missing: Vec<(u64, u64)> = findings
            .iter()
            .filter(|finding| {
                matches!(
                    finding.kind,
                    FindingKind::MissingEntry | FindingKind::TruncatedTail | FindingKind::Rollback
                )
            })
            .map(|finding| (finding.index, finding.index_end))
            .collect();
        findings.retain(|finding| {
            finding.kind != FindingKind::InventedLookup
                || finding.index >= expected
                || !missing.iter().any(|(a, b)| (*a..=*b).contains(&finding.index))
        });
        findings.sort();
        Finished { findings, producers }
    }

    /// Looks at one entry, knowing the one after it.
    fn settle(&mut self, mut entry: Checked, next: Option<&Checked>) {
        self.findings.append(&mut entry.findings);
        self.moved = false;
        if !self.place(&entry, next) {
            return;
        }
        if !self.moved {
            self.check_link(&entry, next);
        }
        self.frontier.push(entry.computed);
        if self.heads.wants(self.frontier.size()) {
            self.heads.reach(self.frontier.size(), &self.frontier.root());
        }
        let index = self.index_of(entry.key);
        if self.suspect != Some(index) {
            self.check_time_and_number(&entry);
        }
        self.erasures.erased(index, &entry.erased);
        self.take_control(index, entry.control.as_ref());
        self.before =
            Before { computed: entry.computed, stored: entry.stored, is_neighbour: !self.moved };
    }

    fn take_control(&mut self, index: u64, control: Option<&Control>) {
        match control {
            Some(Control::Gap(gap)) => self.producers.cover(gap),
            Some(Control::Producer(said)) => {
                let has_ended = matches!(said.event, ProducerEvent::Close | ProducerEvent::Lost);
                let id = unhex(&said.producer).and_then(|id| id.try_into().ok());
                if let Some(id) = id {
                    self.producers.said(id, index, said.next_seq, has_ended);
                }
            }
            Some(Control::Erasure(erasure)) => {
                let keys = self.ends.keys.of(KeyRole::Authority, index);
                self.erasures.erasure(index, &self.origin, erasure, &keys, &mut self.findings);
            }
            Some(Control::Key(_) | Control::Epoch(_) | Control::Lifecycle(_)) | None => {}
        }
    }

    /// Notes that roots over the entry cannot fit.
    fn moot(&mut self, index: u64) {
        self.first_moot = Some(self.first_moot.map_or(index, |first| first.min(index)));
    }

    /// Finds out whether the entry stands where it belongs; false when it is no entry of this place
    /// and the chain goes on without it.
    fn place(&mut self, entry: &Checked, next: Option<&Checked>) -> bool {
        let Some(leaf) = entry.leaf else {
            self.expected = self.index_of(entry.key) + 1;
            return true;
        };
        let belongs = self.index_of(entry.key);
        if leaf.index == belongs {
            self.missing_until(belongs);
            self.expected = belongs + 1;
            return true;
        }
        if entry.stored != Some(entry.computed) {
            // The bytes of the leaf are not its own; the link will say so.
            self.missing_until(belongs);
            self.expected = belongs + 1;
            return true;
        }
        let shift = difference(leaf.index, entry.key);
        let next_leaf = next.and_then(|next| Some((next, next.leaf?)));
        let next_shift = next_leaf.map(|(next, leaf)| difference(leaf.index, next.key));
        if shift > self.shift && next_shift.is_none_or(|of_next| of_next == shift) {
            // Entries were taken out and the ones behind them moved up.
            self.missing_until(leaf.index);
            self.shift = shift;
            self.expected = leaf.index + 1;
            return true;
        }
        if shift == self.shift - 1 && next_shift.is_none_or(|of_next| of_next == shift) {
            // The entry before took this one's place, and the rows from here on moved down.
            self.inserted(entry.key.saturating_sub(1));
            self.before.is_neighbour = false;
            self.expected = leaf.index + 1;
            return true;
        }
        let swapped_with_next = next_leaf.is_some_and(|(next, _)| leaf.prev == next.computed);
        let pushed_down = next_shift == Some(self.shift - 1) && !swapped_with_next;
        if pushed_down || (next.is_none() && belongs >= self.ends.head.size) {
            self.inserted(entry.key);
            return false;
        }
        self.found(
            belongs,
            FindingKind::MovedEntry,
            format!("its leaf says that it is entry {}", leaf.index),
        );
        self.moved = true;
        self.expected = belongs + 1;
        true
    }

    fn inserted(&mut self, key: u64) {
        let kind = FindingKind::InsertedEntry;
        self.findings.push(Finding::at(key, kind, "an entry that was never sequenced"));
        self.suspect = Some(self.index_of(key));
        self.moot(self.index_of(key));
        self.shift -= 1;
    }

    fn index_of(&self, key: u64) -> u64 {
        key.saturating_add_signed(self.shift)
    }

    fn missing_until(&mut self, index: u64) {
        if index <= self.expected {
            return;
        }
        let (first, last) = (self.expected, index - 1);
        self.findings.push(Finding::run(
            first,
            last,
            FindingKind::MissingEntry,
            if first == last { "it is not there" } else { "they are not there" },
        ));
        self.suspect = Some(last);
        self.moot(first);
        self.before.is_neighbour = false;
    }

    fn found(&mut self, index: u64, kind: FindingKind, detail: impl Into<String>) {
        self.findings.push(Finding::at(index, kind, detail));
        self.suspect = Some(index);
        self.moot(index);
    }

    fn check_link(&mut self, entry: &Checked, next: Option<&Checked>) {
        let index = self.index_of(entry.key);
        let Some(leaf) = entry.leaf else {
            self.found(index, FindingKind::ChangedLeaf, "its leaf cannot be read");
            return;
        };
        let links_back = Some(leaf.prev) == self.before.stored || leaf.prev == self.before.computed;
        let next_prev = next.and_then(|next| next.leaf).map(|next| next.prev);
        if entry.stored != Some(entry.computed) {
            let (kind, detail) = if next_prev == Some(entry.computed) {
                (FindingKind::ChangedLeaf, "the leaf hash stored beside the leaf is not its own")
            } else if self.before.is_neighbour && !links_back {
                (FindingKind::BrokenPrev, "its link to the entry before was changed")
            } else {
                (FindingKind::ChangedLeaf, "its leaf is not the one that was hashed")
            };
            self.found(index, kind, detail);
            return;
        }
        if !self.before.is_neighbour || links_back {
            return;
        }
        let confirmed = next_prev.is_none_or(|prev| prev == entry.computed) && index > 0;
        if confirmed {
            // This entry is vouched for by the one after it, so the one before was replaced whole.
            let detail = "its leaf is not the one that the entry after it was linked to";
            self.found(index - 1, FindingKind::ChangedLeaf, detail);
        } else {
            let detail = "its link to the entry before does not fit";
            self.found(index, FindingKind::BrokenPrev, detail);
        }
    }

    fn check_time_and_number(&mut self, entry: &Checked) {
        let Some(leaf) = entry.leaf else { return };
        let index = self.index_of(entry.key);
        if leaf.time_us < self.time_us {
            let detail = format!("{} µs before the entry before", self.time_us - leaf.time_us);
            self.findings.push(Finding::at(index, FindingKind::TimeBack, detail));
        }
        self.time_us = self.time_us.max(leaf.time_us);
        if entry.is_leaf_alone {
            return;
        }
        let (producer, seq) = (leaf.producer, leaf.producer_seq);
        self.producers.take(index, producer, seq, self.suspect, &mut self.findings);
    }
}

fn difference(index: u64, key: u64) -> i64 {
    i64::try_from(i128::from(index) - i128::from(key)).unwrap_or(i64::MAX)
}
