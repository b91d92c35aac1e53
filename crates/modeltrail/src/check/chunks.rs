//! Sharing the entries among threads, chunk by chunk, and taking the results in their order.

use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use modeltrail_core::checkpoint::{CheckpointError, SignedCheckpoint};
use modeltrail_core::verify::{Chain, Finding, FindingKind, Keys, KnownHead, Source};

use super::{CheckError, CheckReport, Job};
use crate::store::{Store, StoreError};

/// Chunks in flight for each thread: one that it fills, one that waits to be taken.
const N_CHUNKS_WAITING: usize = 2;

/// A stored checkpoint that was looked at, or what is wrong with it.
pub(super) type Judged = Result<KnownHead, Finding>;

/// What a thread made of one chunk.
pub(super) struct Done<T> {
    pub(super) range: Range<u64>,
    /// Stored checkpoints that end in it.
    pub(super) checkpoints: Vec<Judged>,
    pub(super) result: T,
}

type Sent<T> = Result<Done<T>, StoreError>;

/// Threads that each make every n-th chunk.
pub(super) struct Workers<T> {
    from: Vec<Receiver<Sent<T>>>,
    n_chunks: u64,
}

impl<T: Send> Workers<T> {
    /// Starts them. `make` makes the result of one chunk, given the sizes of the stored checkpoints
    /// that end in it.
    pub(super) fn start<'scope, 'env>(
        scope: &'scope Scope<'scope, 'env>,
        job: &'env Job<'_>,
        n_chunk: u64,
        make: impl Fn(&dyn Store, Range<u64>, &[Judged]) -> Result<T, StoreError> + Copy + Send + 'scope,
    ) -> Result<Self, CheckError>
    where
        T: 'scope,
    {
        let n_chunks = job.n_chunks(n_chunk);
        let n_workers = job.n_workers(n_chunks);
        let mut from = Vec::new();
        for n in 0..n_workers {
            let (give, taken) = sync_channel(N_CHUNKS_WAITING);
            let (store, keys) = (job.store.another()?, job.keys);
            let own = ranges(job.start, job.end, n_chunk).skip(n).step_by(n_workers);
            scope.spawn(move || work(store.as_ref(), own, keys, make, &give));
            from.push(taken);
        }
        Ok(Self { from, n_chunks })
    }

    /// Hands the results over in the order of keys.
    pub(super) fn take_all(
        &self,
        mut take: impl FnMut(Done<T>) -> Result<(), CheckError>,
    ) -> Result<(), CheckError> {
        for (worker, _) in self.from.iter().cycle().zip(0..self.n_chunks) {
            take(worker.recv().map_err(|_| CheckError::Thread)??)?;
        }
        Ok(())
    }
}

fn work<T>(
    store: &dyn Store,
    ranges: impl Iterator<Item = Range<u64>>,
    keys: &Keys,
    make: impl Fn(&dyn Store, Range<u64>, &[Judged]) -> Result<T, StoreError>,
    give: &SyncSender<Sent<T>>,
) {
    for range in ranges {
        let done = checkpoints(store, &range, keys).and_then(|checkpoints| {
            let result = make(store, range.clone(), &checkpoints)?;
            Ok(Done { range, checkpoints, result })
        });
        // The other side has gone away when it met an error.
        if give.send(done).is_err() {
            return;
        }
    }
}

/// The stored checkpoints of sizes behind `range.start`, up to `range.end`, their signatures verified.
fn checkpoints(
    store: &dyn Store,
    range: &Range<u64>,
    keys: &Keys,
) -> Result<Vec<Judged>, StoreError> {
    let mut judged = Vec::new();
    let sizes = range.start.saturating_add(1)..range.end.saturating_add(1);
    store.checkpoints(sizes, &mut |size, read| judged.push(judge(size, read, keys)))?;
    Ok(judged)
}

/// What can be said of a stored checkpoint alone.
pub(super) fn judge(
    size: u64,
    read: Result<SignedCheckpoint, CheckpointError>,
    keys: &Keys,
) -> Judged {
    match read {
        Ok(checkpoint) => Ok(KnownHead::signed(Source::Stored, &checkpoint, keys)),
        Err(error) => {
            let detail = format!("what is stored as the checkpoint of {size} entries is {error}");
            Err(Finding::at(size.saturating_sub(1), FindingKind::ChangedCheckpoint, detail))
        }
    }
}

/// Tells the chain, and the report, of the checkpoints that end in the chunk that comes next.
pub(super) fn hand_over(judged: Vec<Judged>, chain: &mut Chain, report: &mut CheckReport) {
    report.n_checkpoints += u64::try_from(judged.len()).unwrap_or(u64::MAX);
    let signed = judged.iter().flatten().filter(|known| known.is_valid());
    report.signed_size = report.signed_size.max(signed.map(|known| known.head.size).max());
    judged.into_iter().for_each(|known| match known {
        Ok(known) => chain.stored_checkpoint(known),
        Err(finding) => chain.note(finding),
    });
}

/// Chunks of `n_chunk` keys from `start` to before `end`; all but the first begin at a multiple.
fn ranges(start: u64, end: u64, n_chunk: u64) -> impl Iterator<Item = Range<u64>> + Send {
    let last = if start < end { end.div_ceil(n_chunk) } else { 0 };
    let chunks = start / n_chunk..last;
    chunks.map(move |n| (n * n_chunk).max(start)..((n + 1) * n_chunk).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_cover_everything_once_and_begin_at_multiples() {
        let of = |start, end| ranges(start, end, 10).collect::<Vec<_>>();
        assert_eq!(of(0, 0), []);
        assert_eq!(of(0, 25), [0..10, 10..20, 20..25]);
        assert_eq!(of(7, 25), [7..10, 10..20, 20..25]);
        assert_eq!(of(20, 25), [20..25]);
        assert_eq!(of(25, 25), []);
    }
}
