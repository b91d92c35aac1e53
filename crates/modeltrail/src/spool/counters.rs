//! What a producer counts.

use std::sync::atomic::AtomicU64;

/// Counters of a producer since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProducerCounters {
    /// Frames appended.
    pub n_appended: u64,
    /// Bytes of these frames.
    pub appended_bytes: u64,
    /// Syncs of a segment that were tried.
    pub n_syncs: u64,
    /// Segments given up after a failed write or sync, or because somebody removed the file, and
    /// segments that could not be begun.
    pub n_sync_failures: u64,
    /// Frames appended that are not durable.
    pub n_pending: u64,
}

/// The counters themselves; shared with the writer.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) n_appended: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) n_syncs: AtomicU64,
    pub(crate) n_sync_failures: AtomicU64,
    pub(crate) next_seq: AtomicU64,
    pub(crate) durable_seq: AtomicU64,
}
