//! A body as it passes: the first bytes of it, its length and its hash.

use crate::hash::{Hash, Hasher};

/// Keeps a body's first bytes up to a limit, and counts and hashes all of them.
#[derive(Debug)]
pub struct Tap {
    kept: Vec<u8>,
    keep_bytes_max: usize,
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
    /// A tap that keeps at most this many bytes.
    #[must_use]
    pub fn new(keep_bytes_max: usize) -> Self {
        Self { kept: Vec::new(), keep_bytes_max, n_bytes: 0, hash: Hasher::new() }
    }

    /// Takes the next bytes of the body.
    pub fn push(&mut self, bytes: &[u8]) {
        self.n_bytes = self.n_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.hash.update(bytes);
        let room = self.keep_bytes_max.saturating_sub(self.kept.len());
        self.kept.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
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
    pub fn finish(self) -> Body {
        Body { bytes: self.kept, n_bytes: self.n_bytes, sha256: self.hash.finish() }
    }
}
