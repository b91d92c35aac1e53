//! Verification of a whole ledger from its stored bytes. It goes on after a finding and returns all
//! of them; nothing is canonicalised again.
//!
//! Two steps: [`check_entry`] looks at one entry alone and can run on as many threads as there are;
//! [`Chain`] takes the results in the order of their keys and looks at what holds between entries.
//!
//! One edit gives one finding: what is only a consequence of another finding (the root that no
//! longer fits, the link after a missing entry) is not reported beside it.

mod chain;
mod entry;
mod erasures;
mod heads;
mod keys;
mod known;
mod producers;
mod run;

#[cfg(test)]
mod tests;

pub use chain::{Chain, Ends, Finished, Start};
pub use entry::{Checked, LookupRow, StoredEntry, StoredPart, check_entry, check_leaf};
pub use keys::Keys;
pub use known::{KnownHead, Signature, Source};
pub use producers::ProducerNumbers;
pub use run::LeafRun;

use serde::Serialize;

/// What was found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum FindingKind {
    /// The bytes of a part are not those that the leaf commits to.
    ChangedPart,
    /// A part that the leaf commits to is not there, and no erasure entry says so.
    MissingPart,
    /// The bytes of a leaf are not those that were hashed.
    ChangedLeaf,
    /// An entry's link to the one before does not fit.
    BrokenPrev,
    /// Entries that were there are not.
    MissingEntry,
    /// An entry that was never sequenced.
    InsertedEntry,
    /// An entry that stands at another place than its leaf says.
    MovedEntry,
    /// A lookup column is not what its part says.
    ChangedLookup,
    /// An entry without its lookup row cannot be found by any search.
    HiddenLookup,
    /// A lookup row of no entry.
    InventedLookup,
    /// Numbers of a producer that became no entry and that no gap entry covers.
    ProducerGap,
    /// A number of a producer that became two entries.
    ProducerRepeat,
    /// The sequencer's time is before that of the entry before.
    TimeBack,
    /// The head's size or root is not that of the entries.
    ChangedHead,
    /// The entries are not those whose root the anchor keeps: the history was rewritten.
    AnchorMismatch,
    /// An index of the database disagrees with its table, so that a search may pass an entry over.
    ChangedIndex,
    /// A stored tile is not made of the entries under it, is not there, or stands where none can be.
    ChangedTile,
    /// A stored checkpoint whose signature or root is wrong.
    ChangedCheckpoint,
    /// A checkpoint by a key that none of those given vouches for: the ledger has a new key, or it is not the ledger's.
    UnknownSigner,
    /// There are fewer entries than the ledger's own head or checkpoints say.
    TruncatedTail,
    /// The ledger agrees with itself, but what was kept outside it knows more entries.
    Rollback,
    /// Two signed checkpoints of one size, or a signed checkpoint of other entries than these.
    Fork,
    /// An erasure entry that the authority did not sign as it stands.
    ForgedErasure,
}

impl FindingKind {
    /// The name used in JSON and tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChangedPart => "changed_part",
            Self::MissingPart => "missing_part",
            Self::ChangedLeaf => "changed_leaf",
            Self::BrokenPrev => "broken_prev",
            Self::MissingEntry => "missing_entry",
            Self::InsertedEntry => "inserted_entry",
            Self::MovedEntry => "moved_entry",
            Self::ChangedLookup => "changed_lookup",
            Self::HiddenLookup => "hidden_lookup",
            Self::InventedLookup => "invented_lookup",
            Self::ProducerGap => "producer_gap",
            Self::ProducerRepeat => "producer_repeat",
            Self::TimeBack => "time_back",
            Self::ChangedHead => "changed_head",
            Self::AnchorMismatch => "anchor_mismatch",
            Self::ChangedIndex => "changed_index",
            Self::ChangedTile => "changed_tile",
            Self::ChangedCheckpoint => "changed_checkpoint",
            Self::UnknownSigner => "unknown_signer",
            Self::TruncatedTail => "truncated_tail",
            Self::Rollback => "rollback",
            Self::Fork => "fork",
            Self::ForgedErasure => "forged_erasure",
        }
    }
}

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct Finding {
    /// The entry, or the first of a run.
    pub index: u64,
    /// The last entry of a run; the same as `index` for one.
    pub index_end: u64,
    /// What.
    pub kind: FindingKind,
    /// For people: what exactly, without any content of a record.
    pub detail: String,
}

impl Finding {
    /// A finding about one entry.
    #[must_use]
    pub fn at(index: u64, kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { index, index_end: index, kind, detail: detail.into() }
    }

    /// A finding about a run of entries, both ends included.
    #[must_use]
    pub fn run(first: u64, last: u64, kind: FindingKind, detail: impl Into<String>) -> Self {
        Self { index: first, index_end: last, kind, detail: detail.into() }
    }
}
