//! What can be wrong with a bundle.

use serde::Serialize;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// What was found in a bundle.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum BundleFindingKind { $($(#[$doc])* $variant,)+ }

        impl BundleFindingKind {
            /// The name used in JSON, in tables and in `spec/bundle.md`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}

kinds! {
    /// A file is not the one whose digest the manifest has.
    ChangedFile = "changed_file";
    /// A file that must be there is not.
    MissingFile = "missing_file";
    /// A file that must not be there is.
    UnexpectedFile = "unexpected_file";
    /// The checkpoint is none, or not the one that the manifest names.
    BadCheckpoint = "bad_checkpoint";
    /// The checkpoint is not signed as the auditor's key or policy asks, or the bundle's own policy.
    UntrustedCheckpoint = "untrusted_checkpoint";
    /// The bundle's policy cannot be read.
    BadPolicy = "bad_policy";
    /// A tile does not lead to the checkpoint's root.
    ChangedTile = "changed_tile";
    /// A leaf is not the one in the tree.
    ChangedLeaf = "changed_leaf";
    /// A leaf stands at another place than it says.
    MovedEntry = "moved_entry";
    /// A leaf's link to the one before does not fit.
    BrokenPrev = "broken_prev";
    /// A leaf's time is before that of the one before.
    TimeBack = "time_back";
    /// A line is not of the form that it must have.
    BadLine = "bad_line";
    /// An entry of the range has no line.
    MissingEntry = "missing_entry";
    /// A line of an entry that has none here.
    InsertedEntry = "inserted_entry";
    /// An entry's commitments do not give its leaf's body.
    ChangedCommitment = "changed_commitment";
    /// A part is not the one that was committed to.
    ChangedPart = "changed_part";
    /// A part that must be disclosed is not, and no erasure that holds says why.
    MissingPart = "missing_part";
    /// An erasure that no authority's key allows which was in force.
    ForgedErasure = "forged_erasure";
    /// A part is disclosed that must not be.
    UnduePart = "undue_part";
    /// A part labelled JSON is none, or a header cannot be read.
    NotJson = "not_json";
    /// Numbers of a producer became no entry, and no gap entry says why.
    ProducerGap = "producer_gap";
    /// A number of a producer stands where it cannot.
    ProducerRepeat = "producer_repeat";
    /// The range is not the one that the filter gives.
    WrongRange = "wrong_range";
    /// An entry matches the filter and was left out.
    OmittedMatch = "omitted_match";
    /// An entry is said to match the filter and does not.
    FalseMatch = "false_match";
    /// What the manifest says of completeness is not so.
    FalseClaim = "false_claim";
    /// A receipt does not hold.
    BadReceipt = "bad_receipt";
    /// The history of keys is not what the entries give.
    ChangedHistory = "changed_history";
    /// The readable records are not what the entries give.
    ChangedView = "changed_view";
    /// A timestamp is not over this checkpoint.
    BadTimestamp = "bad_timestamp";
}

/// One thing that is wrong with a bundle.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
pub struct BundleFinding {
    /// The file of the bundle.
    pub file: String,
    /// The line in it, from 1, where it has lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The entry, or the first of a run, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// The last entry of a run; the same as `index` for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index_end: Option<u64>,
    /// What.
    pub kind: BundleFindingKind,
    /// For people: what exactly, without any content of a record.
    pub detail: String,
}

impl BundleFinding {
    /// A finding about a file.
    pub(super) fn file(
        kind: BundleFindingKind,
        file: impl ToString,
        detail: impl Into<String>,
    ) -> Self {
        let (file, detail) = (file.to_string(), detail.into());
        Self { file, line: None, index: None, index_end: None, kind, detail }
    }

    /// The line of the file that it is about.
    pub(super) fn line(self, line: u64) -> Self {
        Self { line: Some(line), ..self }
    }

    /// The entry that it is about.
    pub(super) fn at(self, index: u64) -> Self {
        self.run(index, index)
    }

    /// The run of entries that it is about, both ends included.
    pub(super) fn run(self, first: u64, last: u64) -> Self {
        Self { index: Some(first), index_end: Some(last), ..self }
    }
}

/// Most findings that are kept: more of them tell nobody more, and a hostile bundle could have
/// billions. Those behind are counted.
const N_FINDINGS_MAX: usize = 10_000;

/// Findings, as many as are worth keeping, and how many there were.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) kept: Vec<BundleFinding>,
    pub(super) n: u64,
}

impl Findings {
    pub(super) fn push(&mut self, finding: BundleFinding) {
        self.n = self.n.saturating_add(1);
        if self.kept.len() < N_FINDINGS_MAX {
            self.kept.push(finding);
        }
    }
}
