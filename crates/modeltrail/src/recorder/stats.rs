//! Counters that an embedding application can read.

use std::sync::atomic::{AtomicU64, Ordering};

/// What a recorder has done since it was opened, and what waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// Records taken from callers.
    pub n_recorded: u64,
    /// Accepted records that could not be kept as they were; a gap entry covers each.
    pub n_refused: u64,
    /// Records passed over for want of room (on_full = gap); gap entries cover them.
    pub n_dropped: u64,
    /// Entries that this process has sequenced, its own and other producers'.
    pub n_sequenced: u64,
    /// Records that this process met again as a sequencer and did not store twice.
    pub n_duplicates: u64,
    /// Records that this process met as a sequencer under a request id that was taken.
    pub n_conflicts: u64,
    /// Canary scans of this recorder's redactor that left a value, since it was opened; the ledger says which rules.
    pub n_canaries_failed: u64,
    /// Depth: records of this process that are not sequenced yet.
    pub depth: u64,
    /// Lag: how long the oldest of them has waited, in milliseconds; 0 when none waits.
    pub lag_ms: u64,
    /// Bytes of all segments of the spool that are in use.
    pub spool_bytes: u64,
    /// The bound of the spool.
    pub spool_bytes_max: u64,
    /// Seconds until the spool is full if it goes on filling as in the last second.
    pub seconds_until_full: Option<u64>,
    /// True while this process is the sequencer.
    pub is_sequencer: bool,
}

/// The counters behind [`Stats`].
#[derive(Default)]
pub(super) struct Counters {
    pub(super) n_recorded: AtomicU64,
    pub(super) n_refused: AtomicU64,
    pub(super) n_dropped: AtomicU64,
    pub(super) n_sequenced: AtomicU64,
    pub(super) n_duplicates: AtomicU64,
    pub(super) n_conflicts: AtomicU64,
    pub(super) n_canaries_failed: AtomicU64,
    /// Dropped records that no gap entry covers yet.
    pub(super) n_uncovered: AtomicU64,
}

impl Counters {
    pub(super) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Ordering::Relaxed);
    }

    pub(super) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}
