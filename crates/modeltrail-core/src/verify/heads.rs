//! Holds the tree against every head that is known from elsewhere, in one pass over the entries.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{KnownHead, Signature, Source};
use super::{Finding, FindingKind};
use crate::hash::Hash;

/// Heads that are waited for, and what was found where the tree had reached them.
pub(super) struct Heads {
    origin: String,
    /// By size, those that the tree has not reached.
    ahead: BTreeMap<u64, Vec<KnownHead>>,
    /// Signed by the ledger, and another root.
    forked: Wrong,
    /// Stored in the ledger without a signature that can be judged, and another root.
    stored: Wrong,
    /// Kept outside without one, and another root.
    outside: Wrong,
    /// Sizes of which two checkpoints are signed.
    two_signed: BTreeSet<u64>,
}

/// Heads with another root than the tree. After one of them all later ones differ too, so the
/// first counts and the others are told with it.
#[derive(Default)]
struct Wrong {
    first: u64,
    last: u64,
    n: u64,
    sources: BTreeSet<Source>,
}

impl Wrong {
    fn add(&mut self, known: &KnownHead) {
        if self.n == 0 {
            self.first = known.head.size;
        }
        self.last = known.head.size;
        self.n += 1;
        self.sources.insert(known.source);
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.sources.iter().map(|source| source.name()).collect();
        names.join(" and ")
    }

    /// A finding about the run of them, from the last entry of the first to the last of the last.
    fn finding(&self, kind: FindingKind, detail: String) -> Finding {
        let more = match self.n {
            0 | 1 => String::new(),
            n => format!("; {n} of them, up to {} entries", self.last),
        };
        let (first, last) = (self.first.saturating_sub(1), self.last.saturating_sub(1));
        Finding::run(first, last, kind, detail + &more)
    }
}

impl Heads {
    pub(super) fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            ahead: BTreeMap::new(),
            forked: Wrong::default(),
            stored: Wrong::default(),
            outside: Wrong::default(),
            two_signed: BTreeSet::new(),
        }
    }

    /// Takes a head that the tree has not passed yet. One that is no head of this ledger is a finding
    /// at once, and nothing more is asked of it.
    pub(super) fn expect(&mut self, known: KnownHead, findings: &mut Vec<Finding>) {
        let kind = match known.source {
            Source::Stored => FindingKind::ChangedCheckpoint,
            _ => FindingKind::AnchorMismatch,
        };
        let name = known.source.name();
        if known.origin != self.origin {
            let index = if known.source.is_outside() { 0 } else { known.last_index() };
            let detail = format!("{name} is of the ledger `{}`", known.origin);
            findings.push(Finding::at(index, kind, detail));
        } else if let Signature::Invalid(error) = &known.signature {
            let detail = format!("{name} of {} entries: {error}", known.head.size);
            findings.push(Finding::at(known.last_index(), kind, detail));
        } else if known.signature == Signature::Unvouched {
            let detail = format!(
                "{name} of {} entries is signed by no key that you gave, nor by one that such a key vouches for; either                  the ledger has a new key that your key did not sign, as after a loss or in a new epoch, or somebody                  else signed it: ask who keeps the ledger for the key of today",
                known.head.size
            );
            findings.push(Finding::at(known.last_index(), FindingKind::UnknownSigner, detail));
        } else {
            self.ahead.entry(known.head.size).or_default().push(known);
        }
    }

    /// True when a head of this size is waited for.
    pub(super) fn wants(&self, size: u64) -> bool {
        self.ahead.first_key_value().is_some_and(|(next, _)| *next == size)
    }

    /// Sizes that are waited for, behind `after` and up to `last`.
    pub(super) fn wanted(&self, after: u64, last: u64) -> impl Iterator<Item = u64> + '_ {
        let behind = self.ahead.range(after.saturating_add(1)..).map(|(size, _)| *size);
        behind.take_while(move |size| *size <= last)
    }

    /// The tree has reached a size that is waited for, and has this root there.
    pub(super) fn reach(&mut self, size: u64, root: &Hash) {
        let Some(here) = self.ahead.remove(&size) else { return };
        self.note_two_signed(size, &here);
        for known in here.iter().filter(|known| known.head.root != *root) {
            let wrong = match (&known.signature, known.source) {
                (Signature::Valid, _) => &mut self.forked,
                (_, Source::Stored) => &mut self.stored,
                _ => &mut self.outside,
            };
            wrong.add(known);
        }
    }

    fn note_two_signed(&mut self, size: u64, here: &[KnownHead]) {
        let mut signed = here.iter().filter(|known| known.is_valid()).map(|known| known.head.root);
        if let Some(first) = signed.next()
            && signed.any(|other| other != first)
        {
            self.two_signed.insert(size);
        }
    }

    /// The largest head ahead that was kept outside: its size, and where.
    pub(super) fn largest_outside(&self) -> Option<(u64, Source)> {
        let mut ahead = self.ahead.values().rev().flatten();
        let known = ahead.find(|known| known.source.is_outside())?;
        Some((known.head.size, known.source))
    }

    /// What the roots say. `first_moot` is the first entry that was found to be another than it was:
    /// roots over it cannot fit, and say nothing more.
    pub(super) fn finish(mut self, first_moot: Option<u64>, findings: &mut Vec<Finding>) {
        for (size, here) in std::mem::take(&mut self.ahead) {
            self.note_two_signed(size, &here);
        }
        for size in &self.two_signed {
            let detail =
                format!("two checkpoints of {size} entries with different roots are signed");
            findings.push(Finding::at(size.saturating_sub(1), FindingKind::Fork, detail));
        }
        let counts =
            |wrong: &Wrong| wrong.n > 0 && first_moot.is_none_or(|first| wrong.first <= first);
        let forks = counts(&self.forked);
        if forks && !self.two_signed.contains(&self.forked.first) {
            let detail = format!(
                "{} is signed for {} entries, and the first {} entries have another root: a second \
                 history was signed, or this one was rewritten",
                self.forked.names(),
                self.forked.first,
                self.forked.first,
            );
            findings.push(self.forked.finding(FindingKind::Fork, detail));
        }
        // What a signed checkpoint shows, one without a signature need not say again.
        let says_more =
            |wrong: &Wrong| counts(wrong) && !(forks && self.forked.first <= wrong.first);
        if says_more(&self.stored) {
            let detail = format!(
                "the checkpoint stored for {} entries has another root than they have",
                self.stored.first
            );
            findings.push(self.stored.finding(FindingKind::ChangedCheckpoint, detail));
        }
        if says_more(&self.outside) {
            let detail = format!(
                "the first {} entries are not those whose root {} keeps",
                self.outside.first,
                self.outside.names()
            );
            findings.push(self.outside.finding(FindingKind::AnchorMismatch, detail));
        }
    }
}
