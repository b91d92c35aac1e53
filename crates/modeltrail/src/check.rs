//! Verification of a whole ledger: every part, leaf, link, lookup row and index, on all cores.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use modeltrail_core::anchor::Anchor;
use modeltrail_core::verify::{Chain, Checked, Ends, Finding, FindingKind, check_entry};
use serde::Serialize;

use crate::anchor_file::{self, AnchorFileError};
use crate::ledger::{Ledger, LedgerError};
use crate::store::{Store, StoreError, Strays, Tip, VerifyItem};

/// Entries that one thread takes at a time. Small enough that results wait in a few MiB of memory,
/// large enough that a thread's statement is prepared once for many rows.
const N_CHUNK: u64 = 4096;

/// Chunks in flight for each thread: one that it fills, one that waits to be taken.
const N_CHUNKS_WAITING: usize = 2;

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
    /// A thread could not be started or panicked.
    #[error("a verifying thread ended early")]
    Thread,
}

/// How a ledger is verified.
#[derive(Clone, Debug, Default)]
pub struct CheckOptions {
    /// Threads; all cores when absent.
    pub n_threads: Option<NonZeroUsize>,
    /// An anchor to hold the ledger against instead of the one beside it.
    pub anchor: Option<Anchor>,
    /// Leaves the database's own indexes unchecked, so that an entry which only a search would miss
    /// is not found.
    pub skip_indexes: bool,
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
    /// Bytes of parts that were hashed.
    pub part_bytes: u64,
    /// Size at the anchor; absent when none was there to hold the ledger against, and then a cut
    /// tail that was tidied up cannot be seen.
    pub anchored_size: Option<u64>,
    /// What was found, by index.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// True when nothing was found.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Results of one chunk, in the order of keys. They lie in the chunk itself: a box for each would be
/// freed by another thread than it was made by, which costs more than the few bytes of an orphan.
#[expect(clippy::large_enum_variant, reason = "see above")]
enum Piece {
    Checked(Checked),
    Orphan(u64),
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
    // The anchor first: it is written after the commit, so a head that is read later is never
    // behind it.
    let (anchor, unread_anchor) = match &options.anchor {
        Some(anchor) => (Some(anchor.clone()), None),
        None => read_anchor(ledger)?,
    };
    let (tip, strays) = match tip_and_strays(store.as_ref()) {
        Err(error) if !error.is_passing() => return Ok(headless(store.as_ref(), &error)),
        both => both?,
    };
    let head = tip.head;
    let key_end = strays.end;
    let ends = Ends {
        head,
        last_leaf_hash: tip.last_leaf_hash,
        time_us: tip.time_us,
        edge_root: tip.frontier.root(),
        anchor: anchor.as_ref().map(|anchor| anchor.head),
    };
    let mut chain = Chain::new(store.origin(), ends);
    strays.findings.into_iter().for_each(|finding| chain.note(finding));
    unread_anchor.into_iter().for_each(|finding| chain.note(finding));
    if let Some(other) = anchor.as_ref().filter(|anchor| anchor.origin != store.origin()) {
        let detail = format!("the anchor is of the ledger `{}`", other.origin);
        chain.note(Finding::at(0, FindingKind::AnchorMismatch, detail));
    }
    let part_bytes = AtomicU64::new(0);
    let of_tiles = std::thread::scope(|scope| -> Result<Vec<Finding>, CheckError> {
        let (for_indexes, for_tiles) = (store.another()?, store.another()?);
        let tiles = scope.spawn(move || for_tiles.verify_tiles());
        let indexes = scope.spawn(move || match options.skip_indexes {
            true => Ok(Vec::new()),
            false => for_indexes.verify_indexes(),
        });
        let mut workers = Vec::new();
        let n_workers = n_workers(options, key_end);
        for n in 0..n_workers {
            let (give, taken) = sync_channel(N_CHUNKS_WAITING);
            let (worker, part_bytes) = (store.another()?, &part_bytes);
            let ranges = ranges(key_end, n, n_workers);
            scope.spawn(move || check_ranges(worker.as_ref(), ranges, part_bytes, &give));
            workers.push(taken);
        }
        take_all(&workers, key_end, &mut chain, &mut progress)?;
        let found = indexes.join().map_err(|_| CheckError::Thread)??;
        found.into_iter().for_each(|finding| chain.note(finding));
        Ok(tiles.join().map_err(|_| CheckError::Thread)??)
    })?;
    let mut findings = chain.finish();
    add_tiles(&mut findings, of_tiles);
    Ok(CheckReport {
        origin: store.origin().to_owned(),
        size: head.size,
        root: head.root.to_hex(),
        part_bytes: part_bytes.into_inner(),
        anchored_size: anchor.map(|anchor| anchor.head.size),
        findings,
    })
}

/// Adds the findings about tiles that are no consequence of one about the entries under them.
fn add_tiles(findings: &mut Vec<Finding>, of_tiles: Vec<Finding>) {
    let explains = |of_entry: &Finding, tile: &Finding| match of_entry.kind {
        // What comes behind has moved.
        FindingKind::MissingEntry | FindingKind::InsertedEntry => of_entry.index <= tile.index_end,
        FindingKind::ChangedLeaf | FindingKind::MovedEntry | FindingKind::BrokenPrev => {
            of_entry.index <= tile.index_end && of_entry.index_end >= tile.index
        }
        _ => false,
    };
    let mut new = of_tiles;
    new.retain(|tile| !findings.iter().any(|of_entry| explains(of_entry, tile)));
    findings.append(&mut new);
    findings.sort();
}

/// The anchor beside the ledger, or the finding that it is none.
fn read_anchor(ledger: &Ledger) -> Result<(Option<Anchor>, Option<Finding>), CheckError> {
    match anchor_file::read(&ledger.anchor_path()) {
        Ok(anchor) => Ok((anchor, None)),
        Err(AnchorFileError::Text { source, .. }) => {
            let detail = format!("what stands in the anchor's place is {source}");
            Ok((None, Some(Finding::at(0, FindingKind::AnchorMismatch, detail))))
        }
        Err(error) => Err(error.into()),
    }
}

/// The report on a ledger whose head cannot be read: how far it goes is then not known.
fn headless(store: &dyn Store, error: &StoreError) -> CheckReport {
    let detail = format!("the head cannot be read, and nothing else was checked: {error}");
    CheckReport {
        origin: store.origin().to_owned(),
        size: 0,
        root: String::new(),
        part_bytes: 0,
        anchored_size: None,
        findings: vec![Finding::at(0, FindingKind::ChangedHead, detail)],
    }
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

fn n_workers(options: &CheckOptions, key_end: u64) -> usize {
    let n = options.n_threads.or_else(|| std::thread::available_parallelism().ok());
    let n_chunks = usize::try_from(key_end.div_ceil(N_CHUNK)).unwrap_or(usize::MAX);
    n.map_or(1, NonZeroUsize::get).min(N_WORKERS_MAX).min(n_chunks)
}

/// The chunks of worker `n` of `n_workers`: every `n_workers`-th one.
fn ranges(key_end: u64, n: usize, n_workers: usize) -> impl Iterator<Item = Range<u64>> + Send {
    let starts = (0..key_end.div_ceil(N_CHUNK)).skip(n).step_by(n_workers);
    starts.map(move |chunk| chunk * N_CHUNK..((chunk + 1) * N_CHUNK).min(key_end))
}

type Chunk = Result<Vec<Piece>, StoreError>;

fn check_ranges(
    store: &dyn Store,
    ranges: impl Iterator<Item = Range<u64>>,
    part_bytes: &AtomicU64,
    give: &SyncSender<Chunk>,
) {
    for range in ranges {
        let n_keys = range.end - range.start;
        let mut pieces = Vec::with_capacity(usize::try_from(n_keys).unwrap_or(0));
        let mut n_bytes = 0_u64;
        let scanned = store.verify_scan(range, &mut |item| {
            pieces.push(match item {
                VerifyItem::Entry(entry) => {
                    let lengths = entry.parts.iter().map(|part| part.bytes.len());
                    n_bytes += u64::try_from(lengths.sum::<usize>()).unwrap_or(0);
                    Piece::Checked(check_entry(&entry))
                }
                VerifyItem::OrphanLookup(key) => Piece::Orphan(key),
            });
        });
        part_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        // The other side has gone away when it met an error.
        if give.send(scanned.map(|()| pieces)).is_err() {
            return;
        }
    }
}

/// Takes the workers' chunks in turn, which is the order of keys.
fn take_all(
    workers: &[Receiver<Chunk>],
    key_end: u64,
    chain: &mut Chain,
    progress: &mut impl FnMut(u64, u64),
) -> Result<(), CheckError> {
    let mut n_done = 0;
    for worker in workers.iter().cycle() {
        if n_done >= key_end {
            break;
        }
        let chunk = worker.recv().map_err(|_| CheckError::Thread)?;
        for piece in chunk? {
            match piece {
                Piece::Checked(checked) => chain.push(checked),
                Piece::Orphan(key) => chain.orphan_lookup(key),
            }
        }
        n_done = (n_done + N_CHUNK).min(key_end);
        progress(n_done, key_end);
    }
    Ok(())
}
