//! What holds between entries: places, links, time, producer numbers, root, head and anchor.

use crate::anchor::Head;
use crate::control::Control;
use crate::hash::Hash;
use crate::leaf::origin_prev;
use crate::merkle::Frontier;

use super::entry::Checked;
use super::producers::Producers;
use super::{Finding, FindingKind};

/// What the entries are held against at the end.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// The head as stored with the entries.
    pub head: Head,
    /// The last leaf hash as stored with the head.
    pub last_leaf_hash: Hash,
    /// The last entry's time as stored with the head.
    pub time_us: u64,
    /// The root that the stored right edge of the tree gives.
    pub edge_root: Hash,
    /// The head as kept outside, if one is.
    pub anchor: Option<Head>,
}

/// Takes checked entries in ascending order of their keys.
pub struct Chain {
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
    /// True when an entry as such is changed, missing, moved or inserted: the root cannot fit.
    root_is_moot: bool,
    frontier: Frontier,
    anchor_root: Option<Hash>,
    producers: Producers,
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
        let prev = origin_prev(origin);
        let anchor_root =
            ends.anchor.filter(|anchor| anchor.size == 0).map(|_| Frontier::new().root());
        Self {
            ends,
            findings: Vec::new(),
            waiting: None,
            moved: false,
            before: Before { computed: prev, stored: Some(prev), is_neighbour: true },
            shift: 0,
            expected: 0,
            time_us: 0,
            suspect: None,
            root_is_moot: false,
            frontier: Frontier::new(),
            anchor_root,
            producers: Producers::default(),
        }
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
    pub fn finish(mut self) -> Vec<Finding> {
        if let Some(last) = self.waiting.take() {
            self.settle(last, None);
        }
        self.check_ends();
        let Self { mut findings, producers, expected, .. } = self;
        producers.finish(&mut findings);
        // Lookup rows of entries that are missing are part of the same edit.
        let missing: Vec<(u64, u64)> = findings
            .iter()
            .filter(|finding| finding.kind == FindingKind::MissingEntry)
            .map(|finding| (finding.index, finding.index_end))
            .collect();
        findings.retain(|finding| {
            finding.kind != FindingKind::InventedLookup
                || finding.index >= expected
                || !missing.iter().any(|(a, b)| (*a..=*b).contains(&finding.index))
        });
        findings.sort();
        findings
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
        if self.ends.anchor.is_some_and(|anchor| anchor.size == self.frontier.size()) {
            self.anchor_root = Some(self.frontier.root());
        }
        if self.suspect != Some(self.index_of(entry.key)) {
            self.check_time_and_number(&entry);
        }
        if let Some(Control::Gap(gap)) = &entry.control {
            self.producers.cover(gap);
        }
        self.before =
            Before { computed: entry.computed, stored: entry.stored, is_neighbour: !self.moved };
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
        self.root_is_moot = true;
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
        self.root_is_moot = true;
        self.before.is_neighbour = false;
    }

    fn found(&mut self, index: u64, kind: FindingKind, detail: impl Into<String>) {
        self.findings.push(Finding::at(index, kind, detail));
        self.suspect = Some(index);
        self.root_is_moot = true;
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
        let (producer, seq) = (leaf.producer, leaf.producer_seq);
        self.producers.take(index, producer, seq, self.suspect, &mut self.findings);
    }

    fn check_ends(&mut self) {
        let Ends { head, anchor, last_leaf_hash, time_us, edge_root } = self.ends;
        let outside = anchor.map_or(0, |anchor| anchor.size);
        let last = head.size.max(outside);
        if self.expected < last {
            let detail = if head.size < outside && self.expected <= head.size {
                format!("the anchor outside the database knows {outside} entries")
            } else {
                "they are not there".to_owned()
            };
            let kind = FindingKind::MissingEntry;
            self.findings.push(Finding::run(self.expected, last - 1, kind, detail));
            return;
        }
        if self.root_is_moot {
            return;
        }
        if self.expected > head.size {
            let kind = FindingKind::InsertedEntry;
            let detail = format!("the head says that there are {} entries", head.size);
            self.findings.push(Finding::run(head.size, self.expected - 1, kind, detail));
            return;
        }
        let index = head.size.saturating_sub(1);
        let last_fits = self.before.computed == last_leaf_hash && self.time_us == time_us;
        let detail = if self.frontier.root() != head.root {
            Some("the stored root is not that of the entries")
        } else if edge_root != head.root || !last_fits {
            Some("the right edge, last leaf hash or time stored with it is not that of the entries")
        } else {
            None
        };
        if let Some(detail) = detail {
            self.findings.push(Finding::at(index, FindingKind::ChangedHead, detail));
        }
        if let (Some(anchor), Some(root)) = (anchor, self.anchor_root)
            && anchor.root != root
        {
            let detail = format!(
                "the first {} entries are not those whose root the anchor keeps",
                anchor.size
            );
            let index = anchor.size.saturating_sub(1);
            self.findings.push(Finding::at(index, FindingKind::AnchorMismatch, detail));
        }
    }
}

fn difference(index: u64, key: u64) -> i64 {
    i64::try_from(i128::from(index) - i128::from(key)).unwrap_or(i64::MAX)
}
