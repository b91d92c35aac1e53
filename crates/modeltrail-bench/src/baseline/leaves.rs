//! Of `verify-leaves`: SHA-256 of the same bytes, on all cores. Whoever verifies leaves hashes each of
//! them, and a node of the tree for each: a prefix and two hashes.

use std::num::NonZeroUsize;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

/// What is hashed for each leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hashed {
    /// The leaf with its prefix alone.
    Leaves,
    /// And 65 bytes, as much as a node of the tree: a tree has one node less than leaves.
    LeavesAndNodes,
}

/// Leaves a second, each hashed as a message of its own as RFC 6962 has it, by as many threads as
/// there are cores. `leaves` are of `leaf_bytes` each.
pub(crate) fn per_second(leaves: &[u8], leaf_bytes: usize, hashed: Hashed) -> f64 {
    let n_threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let n_leaves = leaves.len() / leaf_bytes;
    let share = n_leaves.div_ceil(n_threads).max(1) * leaf_bytes;
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for share in leaves.chunks(share) {
            scope.spawn(move || {
                let mut last = Sha256::digest([]);
                for leaf in share.chunks(leaf_bytes) {
                    let hash = Sha256::new().chain_update([0]).chain_update(leaf).finalize();
                    if hashed == Hashed::LeavesAndNodes {
                        let node = Sha256::new().chain_update([1]).chain_update(last);
                        std::hint::black_box(node.chain_update(hash).finalize());
                    }
                    last = std::hint::black_box(hash);
                }
            });
        }
    });
    n_leaves as f64 / begun.elapsed().as_secs_f64()
}
