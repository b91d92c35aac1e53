//! Verification of a whole ledger: every part, leaf, link, lookup row and index, on all cores; or its
//! leaves alone; or what came since the last time.

mod chunks;
mod full;
mod keys;
mod leaves;
mod outside;
mod since;
mod verified;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use modeltrail_core::note::VerifierKey;
use modeltrail_core::verify::{Chain, Ends, Finding, FindingKind, Keys, KnownHead};
use serde::Serialize;

use crate::anchor_file::AnchorFileError;
use crate::ledger::{Ledger, LedgerError};
use crate::proofs::ProofsError;
use crate::store::{Store, StoreError, Strays, Tip};
pub use outside::Kept;
use outside::Outside;
pub use verified::{Verified, VerifiedError};

/// Most threads, whatever is asked for: each holds a connection with its cache and files.
const N_WORKERS_MAX: usize = 64;

/// Why a ledger could not be verified at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The anchor cannot be read.
    #[error(transparent)]
    Anchor(#[from] AnchorFileError),
    /// The nodes of the tree cannot be had.
    #[error(transparent)]
    Proofs(#[from] ProofsError),
    /// The note of the last verification cannot be read or written.
    #[error(transparent)]
    Verified(#[from] VerifiedError),
    /// A thread could not be started or panicked.
    #[error("a verifying thread ended early")]
    Thread,
}

/// How much is looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Everything that is stored.
    #[default]
    Full,
    /// Leaves alone: their hashes, links, places and times, the tree, head, checkpoints and what was
    /// kept outside. Parts, lookup rows, producer numbers and erasures are not read.
    LeavesOnly,
}

/// How a ledger is verified.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Threads; all cores when absent.
    pub n_threads: Option<NonZeroUsize>,
    /// An anchor to hold the ledger against instead of the files beside it.
    pub anchor: Option<Kept>,
    /// Checkpoints, or anchors, that somebody kept elsewhere, to hold the ledger against as well.
    pub against: Vec<Kept>,
    /// Verifier keys that were handed over outside the ledger. Without them the keys that the ledger
    /// itself names are believed.
    pub keys: Vec<VerifierKey>,
    /// How much is looked at.
    pub mode: Mode,
    /// Goes on from the last clean verification, if there was one: entries before are held against
    /// what was found then by the tree alone. A change of their rows that leaves the stored tiles as
    /// they are is not found; a full verification finds it. Only with [`Mode::Full`].
    pub incremental: bool,
    /// Notes a clean full or incremental verification beside the ledger, so that a later one can go on
    /// from there. Whoever can write that note can lie in it, so full verifications are still due.
    pub remember: bool,
    /// Leaves the database's own indexes unchecked, so that an entry which only a search would miss
    /// is not found.
    pub skip_indexes: bool,
}

/// Where the keys come from that signatures were verified with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysFrom {
    /// Handed over outside the ledger, and those that they vouch for.
    Pinned,
    /// Named by the ledger's own entries: who can rewrite the whole ledger can name others.
    Ledger,
    /// There are none, so no signature was verified.
    None,
}

/// A head that the ledger was held against.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct HeldAgainst {
    /// Where it was kept.
    pub source: &'static str,
    /// How many entries it knows.
    pub size: u64,
    /// Whether a key of the ledger has signed it.
    pub is_signed: bool,
}

/// What a verification found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Name of the ledger.
    pub origin: String,
    /// Number of entries that the head says there are.
    pub size: u64,
    /// The stored root, hex.
    pub root: String,
    /// How much was looked at.
    pub mode: Mode,
    /// The first entry that was looked at in full, when an earlier verification covers those before.
    pub since: u64,
    /// Bytes of parts that were hashed.
    pub part_bytes: u64,
    /// Number of stored checkpoints that were verified.
    pub n_checkpoints: u64,
    /// Size of the largest stored checkpoint that a key of the ledger has signed and that knows no more
    /// entries than there are. Entries behind it are under nobody's signature yet.
    pub signed_size: Option<u64>,
    /// Where the keys come from that their signatures were verified with.
    pub keys: KeysFrom,
    /// Largest size that was known outside; absent when nothing was there to hold the ledger against,
    /// and then a cut tail that was tidied up cannot be seen.
    pub anchored_size: Option<u64>,
    /// What was kept outside.
    pub held_against: Vec<HeldAgainst>,
    /// What was found, by index.
    pub findings: Vec<Finding>,
    /// What else is to be said, for people.
    pub notes: Vec<String>,
}

impl CheckReport {
    /// True when nothing was found.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn new(store: &dyn Store, options: &CheckOptions) -> Self {
        Self {
            origin: store.origin().to_owned(),
            size: 0,
            root: String::new(),
            mode: options.mode,
            since: 0,
            part_bytes: 0,
            n_checkpoints: 0,
            signed_size: None,
            keys: KeysFrom::None,
            anchored_size: None,
            held_against: Vec::new(),
            findings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn hold_against(&mut self, outside: &[KnownHead]) {
        let held = |known: &KnownHead| HeldAgainst {
            source: known.source.key(),
            size: known.head.size,
            is_signed: known.is_valid(),
        };
        self.held_against = outside.iter().map(held).collect();
        self.anchored_size = outside.iter().map(|known| known.head.size).max();
    }
}

/// What the parts of a verification share.
struct Job<'a> {
    store: &'a dyn Store,
    options: &'a CheckOptions,
    keys: &'a Keys,
    /// The first entry that is looked at.
    start: u64,
    /// Behind the last key that is looked at.
    end: u64,
}

impl Job<'_> {
    /// Chunks of `n_chunk` entries, the first and the last perhaps shorter.
    const fn n_chunks(&self, n_chunk: u64) -> u64 {
        if self.start < self.end { self.end.div_ceil(n_chunk) - self.start / n_chunk } else { 0 }
    }

    /// How many threads share so many chunks.
    fn n_workers(&self, n_chunks: u64) -> usize {
        let asked = self.options.n_threads.or_else(|| std::thread::available_parallelism().ok());
        let n_chunks = usize::try_from(n_chunks).unwrap_or(usize::MAX);
        asked.map_or(1, NonZeroUsize::get).min(N_WORKERS_MAX).min(n_chunks)
    }
}

/// Verifies a ledger. `progress` is called with the number of entries that have been checked and the
/// number that there are.
///
/// # Errors
/// When the ledger or its anchor cannot be read at all. What is merely wrong is a finding.
pub fn run(
    ledger: &Ledger,
    options: &CheckOptions,
    mut progress: impl FnMut(u64, u64),
) -> Result<CheckReport, CheckError> {
    let store = ledger.open_read()?;
    let store = store.as_ref();
    let mut report = CheckReport::new(store, options);
    // What is outside first: it is written after the commit, so a head that is read later is never
    // behind it.
    let outside = Outside::read(ledger, options)?;
    let before = since::note_of(ledger, options, &mut report)?;
    let (tip, strays) = match tip_and_strays(store) {
        Err(error) if !error.is_passing() => return Ok(headless(report, &error)),
        both => both?,
    };
    let keys = keys::load(store, tip.head.size, options.keys.clone())?;
    report.keys = match (keys.are_pinned(), keys.is_empty()) {
        (true, _) => KeysFrom::Pinned,
        (false, true) => KeysFrom::None,
        (false, false) => KeysFrom::Ledger,
    };
    let (mut known, mut findings) = outside.judge(&keys);
    report.hold_against(&known);
    let start = since::start(store, &tip, before, &mut known, &mut report)?;
    let sizes: Vec<u64> = known.iter().map(|known| known.head.size).collect();
    let ends = Ends {
        head: tip.head,
        last_leaf_hash: tip.last_leaf_hash,
        time_us: tip.time_us,
        edge_root: tip.frontier.root(),
        outside: known,
        keys: keys.clone(),
    };
    report.size = tip.head.size;
    report.root = tip.head.root.to_hex();
    let mut chain = match start {
        Some(start) => since::resume(store, ends, start, &sizes)?,
        None => Chain::new(store.origin(), ends),
    };
    findings.extend(strays.findings);
    findings.into_iter().for_each(|finding| chain.note(finding));
    ahead(store, tip.head.size, &keys, &sizes, &mut chain)?;
    let job = Job { store, options, keys: &keys, start: report.since, end: strays.end };
    let of_tiles = match options.mode {
        Mode::Full => full::check(&job, &mut chain, &mut report, &mut progress)?,
        Mode::LeavesOnly => {
            leaves::check(&job, &sizes, &mut chain, &mut report, &mut progress)?;
            Vec::new()
        }
    };
    let finished = chain.finish();
    report.findings = finished.findings;
    full::add_tiles(&mut report.findings, of_tiles);
    if options.remember && options.mode == Mode::Full && report.is_clean() {
        verified::remember(ledger, store.origin(), tip.head, finished.producers, &mut report);
    }
    Ok(report)
}

/// The report on a ledger whose head cannot be read: how far it goes is then not known.
fn headless(mut report: CheckReport, error: &StoreError) -> CheckReport {
    let detail = format!("the head cannot be read, and nothing else was checked: {error}");
    report.findings.push(Finding::at(0, FindingKind::ChangedHead, detail));
    report
}

/// Hands over the stored checkpoints that know more entries than the head: the largest, and those of
/// which somebody else keeps one too.
fn ahead(
    store: &dyn Store,
    size: u64,
    keys: &Keys,
    sizes: &[u64],
    chain: &mut Chain,
) -> Result<(), StoreError> {
    let (mut last, mut others) = (None, Vec::new());
    store.checkpoints(size.saturating_add(1)..u64::MAX, &mut |size, read| {
        let before = last.replace(chunks::judge(size, read, keys));
        if let Some(before) = before.filter(|known| is_kept(known, sizes)) {
            others.push(before);
        }
    })?;
    others.into_iter().chain(last).for_each(|known| match known {
        Ok(known) => chain.stored_checkpoint(known),
        Err(finding) => chain.note(finding),
    });
    Ok(())
}

fn is_kept(known: &Result<KnownHead, Finding>, sizes: &[u64]) -> bool {
    known.as_ref().is_ok_and(|known| sizes.contains(&known.head.size))
}

/// Both of one snapshot: what another process appends meanwhile is in neither.
fn tip_and_strays(store: &dyn Store) -> Result<(Tip, Strays), StoreError> {
    let mut both = None;
    store.in_one_read(&mut || {
        let tip = store.tip()?;
        let strays = store.strays(tip.head.size)?;
        both = Some((tip, strays));
        Ok(())
    })?;
    match both {
        Some(both) => Ok(both),
        None => {
            let tip = store.tip()?;
            let strays = store.strays(tip.head.size)?;
            Ok((tip, strays))
        }
    }
}

/// A file beside a ledger cannot be used.
fn io_error(path: PathBuf, source: std::io::Error) -> AnchorFileError {
    AnchorFileError::Io { path, source }
}
