//! Of `verify-leaves`: SHA-256 of each leaf, on all cores. Whoever verifies leaves computes that at the
//! least; the nodes of the tree come on top.

use std::num::NonZeroUsize;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

/// Leaves a second, each hashed as a message of its own as RFC 6962 has it, by as many threads as
/// there are cores. `leaves` are of `leaf_bytes` each.
pub(crate) fn per_second(leaves: &[u8], leaf_bytes: usize) -> f64 {
    let n_threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let n_leaves = leaves.len() / leaf_bytes;
    let share = n_leaves.div_ceil(n_threads).max(1) * leaf_bytes;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for share in leaves.chunks(share) {
            scope.spawn(move || {
                for leaf in share.chunks(leaf_bytes) {
                    let hash = Sha256::new().chain_update([0]).chain_update(leaf).finalize();
                    std::hint::black_box(hash);
                }
            });
        }
    });
    n_leaves as f64 / begun.elapsed().as_secs_f64()
}
