//! Of `verify`: SHA-256 over the same bytes, one thread. Whoever checks a ledger reads that much
//! through a hash at the least.

use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

/// Bytes that are hashed as they come, and the time that the hashing alone took.
pub(crate) struct PlainHash {
    hasher: Sha256,
    time: Duration,
    n_bytes: u64,
}

impl PlainHash {
    pub(crate) fn new() -> Self {
        Self { hasher: Sha256::new(), time: Duration::ZERO, n_bytes: 0 }
    }

    /// Hashes a run of bytes. Runs of megabytes keep the clock out of the figure.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        let begun = Instant::now();
        self.hasher.update(bytes);
        self.time += begun.elapsed();
        self.n_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    }

    pub(crate) const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// Bytes per second.
    pub(crate) fn finish(self) -> f64 {
        std::hint::black_box(self.hasher.finalize());
        self.n_bytes as f64 / self.time.as_secs_f64()
    }
}
