//! Leaves alone: what the chain, the tree and everything that is signed rest on.

use std::ops::Range;

use modeltrail_core::verify::{Chain, LeafRun, check_leaf};

use super::chunks::{Judged, Workers, hand_over};
use super::{CheckError, CheckReport, Job};
use crate::store::{Store, StoreError};

/// Leaves that one thread takes at a time: 2.5 MB of rows. A power of two, so that the tree over a
/// chunk is a node of the tree over all; the wait for the next chunk is then small beside the hashing.
const N_CHUNK: u64 = 1 << 14;

/// `sizes` are those of heads that were kept outside: the tree's root is asked for there too.
pub(super) fn check(
    job: &Job<'_>,
    sizes: &[u64],
    chain: &mut Chain,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), CheckError> {
    let of_chunk = |store: &dyn Store, range: Range<u64>, checkpoints: &[Judged]| {
        let stored = checkpoints.iter().flatten().map(|known| known.head.size);
        let outside = sizes.iter().copied().filter(|size| range.contains(&size.wrapping_sub(1)));
        run(store, range.clone(), stored.chain(outside).collect())
    };
    std::thread::scope(|scope| -> Result<(), CheckError> {
        let workers = Workers::start(scope, job, N_CHUNK, of_chunk)?;
        workers.take_all(|done| {
            hand_over(done.checkpoints, chain, report);
            let is_taken = done.result.is_some_and(|run| chain.push_run(&run));
            if !is_taken {
                // One by one: that says which entry it is, and what is wrong with it.
                job.store.leaves(done.range.clone(), &mut |key, leaf, stored| {
                    chain.push(check_leaf(key, leaf, stored));
                })?;
            }
            progress(done.range.end, job.end);
            Ok(())
        })
    })
}

/// The leaves of a chunk as a run; `None` when something about them is not as it should be.
fn run(
    store: &dyn Store,
    range: Range<u64>,
    wanted: Vec<u64>,
) -> Result<Option<LeafRun>, StoreError> {
    let mut run = LeafRun::new(range.start, wanted);
    let mut is_whole = true;
    store.leaves(range, &mut |key, leaf, stored| {
        is_whole = is_whole && run.push(key, leaf, stored);
    })?;
    Ok(is_whole.then_some(run))
}
