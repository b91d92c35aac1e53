//! Verification of a bundle from its bytes: `spec/bundle.md` section 9. It goes on after a finding
//! and returns all of them.
//!
//! The container is read once as a whole; entries are then read line by line beside their entry
//! bundles, so memory holds the manifest, paths and digests, and a handful of tiles and lines.

mod checkpoint;
mod entries;
mod erasures;
mod facts;
mod files;
mod leaves;
mod matching;
mod outside;
mod parts;
mod receipts;
mod stamp;
mod timestamps;
mod tree;

use std::io::{self, Read, Seek};

use serde::Serialize;

use crate::hash::Hash;
use crate::note::VerifierKey;
use crate::policy::Policy;

use super::BundleFinding;
use super::container::{BundleError, Container};
use super::filter::Filter;
use super::finding::{BundleFindingKind, Findings};
use super::layout::Layout;
use super::manifest::{Completeness, Manifest, Range};
use super::path::BundlePath;

pub use erasures::KeyWithoutEffect;
pub use timestamps::TimestampReport;

/// What was verified, and what was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct BundleReport {
    /// Name of the ledger.
    pub origin: String,
    /// Number of entries of the checkpoint.
    pub size: u64,
    /// Its root, lower-case hex.
    pub root: String,
    /// Whether the checkpoint was held against a key or policy of the auditor's own. Without one the
    /// bundle only agrees with itself.
    pub is_pinned: bool,
    /// Indexes of the `key` entries by which the checkpoint's key follows from one that was given; empty
    /// where a given key signed the checkpoint itself.
    pub key_followed_by: Vec<u64>,
    /// When the last leaf of the checkpoint was recorded, by the sequencer's clock, in microseconds since 1970; where
    /// that leaf is in the bundle.
    pub last_recorded_us: Option<u64>,
    /// Names of the witnesses, of the policy that was used, whose cosignatures hold.
    pub cosigned_by: Vec<String>,
    /// What was asked.
    pub filter: Filter,
    /// Which entries are here.
    pub range: Range,
    /// Whether nothing can have been left out unnoticed, and why.
    pub completeness: Completeness,
    /// Names of the parts that are disclosed of matching entries.
    pub disclose: Vec<String>,
    /// Entries of the range whose line was read.
    pub n_entries: u64,
    /// Entries that match.
    pub n_matching: u64,
    /// Entries outside the range.
    pub n_outside: u64,
    /// Receipts that hold.
    pub n_receipts: u64,
    /// Files of the bundle.
    pub n_files: u64,
    /// Parts that were disclosed and are as committed.
    pub n_parts: u64,
    /// Their bytes.
    pub part_bytes: u64,
    /// Erasures that hold: an authority's key that was in force allows them.
    pub n_erasures: u64,
    /// The vkeys of those authorities, for who has them from elsewhere to compare.
    pub authorities: Vec<String>,
    /// `key` entries that changed nothing, and why; the first thousand.
    pub keys_without_effect: Vec<KeyWithoutEffect>,
    /// Timestamps that are over this checkpoint. Whether their authority signed them is for
    /// `openssl ts -verify` to say.
    pub timestamps: Vec<TimestampReport>,
    /// The text that they are over: that of the checkpoint. Empty where there is none.
    #[serde(skip)]
    pub checkpoint_text: String,
    /// What wrote the bundle, by its own word.
    pub software: String,
    /// What was found; the first ten thousand.
    pub findings: Vec<BundleFinding>,
    /// How many findings there were.
    pub n_findings: u64,
}

impl BundleReport {
    /// Whether nothing was found.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.n_findings == 0
    }
}

/// What the steps of a verification share.
struct Check<R> {
    container: Container<R>,
    manifest: Manifest,
    layout: Layout,
    root: Hash,
    findings: Findings,
    report: Counts,
}

/// What is counted on the way.
#[derive(Default)]
struct Counts {
    n_entries: u64,
    n_outside: u64,
    n_receipts: u64,
    n_parts: u64,
    part_bytes: u64,
    cosigned_by: Vec<String>,
    key_followed_by: Vec<u64>,
    last_recorded_us: Option<u64>,
    n_erasures: u64,
    authorities: Vec<String>,
    keys_without_effect: Vec<KeyWithoutEffect>,
    timestamps: Vec<TimestampReport>,
    checkpoint_text: String,
}

/// What the auditor believes, from elsewhere than the bundle.
#[derive(Clone, Copy, Default, Debug)]
pub struct Pinned<'a> {
    /// A policy that the checkpoint must satisfy.
    pub policy: Option<&'a Policy>,
    /// Keys. Of those that are named like the ledger one must have signed the checkpoint, too; those
    /// that are not are authorities', and then erasures count only under keys that follow from them.
    pub keys: &'a [VerifierKey],
}

impl<'a> Pinned<'a> {
    /// A policy alone.
    #[must_use]
    pub const fn policy(policy: &'a Policy) -> Self {
        Self { policy: Some(policy), keys: &[] }
    }

    /// Keys alone.
    #[must_use]
    pub const fn keys(keys: &'a [VerifierKey]) -> Self {
        Self { policy: None, keys }
    }

    const fn is_nothing(&self) -> bool {
        self.policy.is_none() && self.keys.is_empty()
    }

    /// Whether a key signs for the ledger `origin`. Beside a policy keys can be the authority's alone; without
    /// one somebody has to sign the checkpoint.
    fn has_log(&self, origin: &str) -> bool {
        let is_named = |key: &VerifierKey| key.name().as_str() == origin;
        self.keys.iter().any(is_named) || (self.policy.is_none() && !self.keys.is_empty())
    }

    fn authorities(&self, origin: &str) -> Vec<VerifierKey> {
        self.keys.iter().filter(|key| key.name().as_str() != origin).cloned().collect()
    }
}

/// Verifies a bundle against what the auditor has from elsewhere.
///
/// # Errors
/// [`BundleError::Refused`] when it is no bundle, and [`BundleError::Read`] when it cannot be read.
pub fn verify<R: Read + Seek>(from: R, pinned: &Pinned<'_>) -> Result<BundleReport, BundleError> {
    let mut container = Container::open(from)?;
    let Some(bytes) = container.read(BundlePath::Manifest)? else {
        return Err(BundleError::refused("", 0, "there is no manifest.json in it"));
    };
    let refused = |what: String| BundleError::refused("manifest.json", 0, what);
    let manifest = Manifest::parse(&bytes).map_err(|error| refused(error.to_string()))?;
    drop(bytes);
    let layout = Layout::new(manifest.checkpoint.size, manifest.range);
    // Else a few bytes of a manifest would have a verifier look for files without end.
    if layout.n_leaves() > container.n_files() {
        return Err(refused("its range needs more entry bundles than there are files".to_owned()));
    }
    let root = Hash::from_hex(&manifest.checkpoint.root).unwrap_or_default();
    let (findings, report) = (Findings::default(), Counts::default());
    let mut check = Check { container, manifest, layout, root, findings, report };
    check.run(pinned)?;
    Ok(check.into_report(!pinned.is_nothing()))
}

impl<R: Read + Seek> Check<R> {
    fn run(&mut self, pinned: &Pinned<'_>) -> io::Result<()> {
        self.check_claim();
        self.check_files()?;
        let Some(checkpoint) = self.check_checkpoint()? else { return Ok(()) };
        let mut tree = self.check_tree()?;
        let mut facts = self.check_entries(&mut tree, &checkpoint)?;
        self.check_outside(&checkpoint, &mut facts)?;
        self.check_trust(&checkpoint, &facts, pinned)?;
        self.check_facts(facts, pinned)?;
        self.check_timestamps(&checkpoint)
    }

    /// What the manifest says of completeness.
    fn check_claim(&mut self) {
        if self.manifest.completeness != Completeness::of(&self.manifest.filter) {
            let detail = "what it says of completeness is not what its filter gives";
            self.file(BundleFindingKind::FalseClaim, BundlePath::Manifest, detail);
        }
    }

    /// A finding about a file as a whole.
    fn file(&mut self, kind: BundleFindingKind, file: BundlePath, detail: impl Into<String>) {
        self.findings.push(BundleFinding::file(kind, file, detail));
    }

    fn into_report(self, is_pinned: bool) -> BundleReport {
        let Self { container, manifest, findings, report, .. } = self;
        let n_matching = u64::try_from(manifest.matching.len()).unwrap_or(u64::MAX);
        BundleReport {
            origin: manifest.origin,
            size: manifest.checkpoint.size,
            root: manifest.checkpoint.root,
            is_pinned,
            cosigned_by: report.cosigned_by,
            key_followed_by: report.key_followed_by,
            last_recorded_us: report.last_recorded_us,
            filter: manifest.filter,
            range: manifest.range,
            completeness: manifest.completeness,
            disclose: manifest.disclose,
            n_entries: report.n_entries,
            n_matching,
            n_outside: report.n_outside,
            n_receipts: report.n_receipts,
            n_files: container.n_files(),
            n_parts: report.n_parts,
            part_bytes: report.part_bytes,
            n_erasures: report.n_erasures,
            authorities: report.authorities,
            keys_without_effect: report.keys_without_effect,
            timestamps: report.timestamps,
            checkpoint_text: report.checkpoint_text,
            software: manifest.software,
            findings: findings.kept,
            n_findings: findings.n,
        }
    }
}
