//! A body as it passes: the first bytes of it, its length and its hash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::hash::{Hash, Hasher};

/// How many bytes the bodies in flight may hold together: thirty-two requests whose bodies are kept at full length, or
/// many thousands of a few KiB. What comes beyond it passes, is counted and hashed, and is not kept.
const IN_FLIGHT_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What the bodies in flight hold together; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Budget(Arc<AtomicUsize>);

impl Budget {
    /// Takes up to `n` bytes; gives how many.
    fn take(&self, n: usize) -> usize {
        let before = self.0.fetch_add(n, Ordering::Relaxed);
        let granted = n.min(IN_FLIGHT_BYTES_MAX.saturating_sub(before));
        self.give_back(n - granted);
        granted
    }

    fn give_back(&self, n: usize) {
        self.0.fetch_sub(n, Ordering::Relaxed);
    }
}

/// Keeps a body's first bytes up to a limit, and counts and hashes all of them.
#[derive(Debug)]
pub struct Tap {
    kept: Vec<u8>,
    keep_bytes_max: usize,
    budget: Budget,
    n_bytes: u64,
    hash: Hasher,
}

/// What is known of a body when it has ended, or was cut off.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// Its first bytes, as they came.
    pub bytes: Vec<u8>,
    /// How many bytes passed.
    pub n_bytes: u64,
    /// SHA-256 over all that passed.
    pub sha256: Hash,
}

impl Body {
    /// True when more passed than was kept.
    #[must_use]
    pub fn is_truncated(&self) -> bool {
        u64::try_from(self.bytes.len()).is_ok_and(|kept| kept < self.n_bytes)
    }
}

impl Tap {
    /// A tap that keeps at most this many bytes, as far as there is room for them beside those of others.
    #[must_use]
    pub fn new(keep_bytes_max: usize, budget: Budget) -> Self {
        Self { kept: Vec::new(), keep_bytes_max, budget, n_bytes: 0, hash: Hasher::new() }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.n_bytes = self.n_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.hash.update(bytes);
        let room = self.keep_bytes_max.saturating_sub(self.kept.len()).min(bytes.len());
        let granted = self.budget.take(room);
        if granted < bytes.len() {
            // What comes later would stand behind a hole.
            self.keep_bytes_max = self.kept.len() + granted;
        }
        self.kept.extend_from_slice(bytes.get(..granted).unwrap_or_default());
    }

    /// How many bytes have passed.
    #[must_use]
    pub const fn n_bytes(&self) -> u64 {
        self.n_bytes
    }

    /// What was kept so far.
    #[must_use]
    pub fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// The body as it is known now.
    #[must_use]
    pub fn finish(mut self) -> Body {
        let bytes = std::mem::take(&mut self.kept);
        // Whoever has the body now bounds it by its own means.
        self.budget.give_back(bytes.len());
        let hash = std::mem::take(&mut self.hash);
        Body { bytes, n_bytes: self.n_bytes, sha256: hash.finish() }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.budget.give_back(self.kept.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_in_flight_share_a_bound_and_none_has_a_hole() {
        let budget = Budget::default();
        let half = vec![7; IN_FLIGHT_BYTES_MAX / 2 + 10];
        let mut first = Tap::new(usize::MAX, budget.clone());
        let mut second = Tap::new(usize::MAX, budget.clone());
        first.push(&half);
        second.push(&half);
        drop(first);
        second.push(b"more");
        let body = second.finish();
        assert_eq!(body.bytes.len(), IN_FLIGHT_BYTES_MAX / 2 - 10);
        assert!(body.is_truncated() && body.n_bytes == half.len() as u64 + 4);
        assert_eq!(budget.0.load(Ordering::Relaxed), 0);
        let mut short = Tap::new(3, budget);
        short.push(b"ab");
        short.push(b"cd");
        assert_eq!(short.finish().bytes, b"abc");
    }
}
