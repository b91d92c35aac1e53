//! What is known from elsewhere about the size and root that a ledger has or had: stored checkpoints,
//! the files outside the database, checkpoints that somebody kept.

use crate::anchor::{Anchor, Head};
use crate::checkpoint::SignedCheckpoint;
use crate::keys::KeyRole;
use crate::note::VerifyError;

use super::keys::Keys;

/// Where a head was kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Source {
    /// In the ledger's own table of checkpoints: whoever can write to the database can remove it.
    Stored,
    /// In the anchor beside the database, or in a copy of it.
    Anchor,
    /// In the file with the last head, beside the database.
    HeadFile,
    /// In the note of an earlier verification.
    Verified,
    /// With somebody who gave it to this verification.
    Given,
}

impl Source {
    /// True for what is kept outside the database.
    #[must_use]
    pub const fn is_outside(self) -> bool {
        !matches!(self, Self::Stored)
    }

    /// The name in JSON.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Anchor => "anchor",
            Self::HeadFile => "head_file",
            Self::Verified => "verified",
            Self::Given => "given",
        }
    }

    /// How it is called in findings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stored => "a stored checkpoint",
            Self::Anchor => "the anchor outside the database",
            Self::HeadFile => "the head kept outside the database",
            Self::Verified => "the last verification",
            Self::Given => "a checkpoint that was given",
        }
    }
}

/// What can be said of a head's signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Signature {
    /// A key of the ledger has signed it.
    Valid,
    /// A line by a key of the ledger does not hold, or none is by one of them.
    Invalid(VerifyError),
    /// Keys were handed over outside the ledger, and no line is by one of them or by one that they vouch for.
    Unvouched,
    /// No key of the ledger is known here.
    Unknown,
    /// It is not signed.
    None,
}

/// A head that was kept somewhere, and whose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownHead {
    /// Where it was kept.
    pub source: Source,
    /// Name of the ledger that it is of.
    pub origin: String,
    /// Size and root.
    pub head: Head,
    /// Who vouches for it.
    pub signature: Signature,
}

impl KnownHead {
    /// A checkpoint, its signature verified with the ledger's keys that were in force for it.
    #[must_use]
    pub fn signed(source: Source, checkpoint: &SignedCheckpoint, keys: &Keys) -> Self {
        let said = checkpoint.checkpoint();
        let in_force = keys.of(KeyRole::Checkpoint, said.head().size);
        let signature = match checkpoint.verify_log(in_force) {
            Ok(()) => Signature::Valid,
            Err(VerifyError::NoKnownKey) if keys.is_empty() => Signature::Unknown,
            Err(VerifyError::NoKnownKey) if keys.are_pinned() => Signature::Unvouched,
            Err(error) => Signature::Invalid(error),
        };
        Self { source, origin: said.origin().to_owned(), head: said.head(), signature }
    }

    /// A head that nobody signed.
    #[must_use]
    pub fn plain(source: Source, anchor: Anchor) -> Self {
        Self { source, origin: anchor.origin, head: anchor.head, signature: Signature::None }
    }

    /// True when its size counts: it is of this ledger, and nothing speaks against its signature.
    pub(super) fn is_counted(&self, origin: &str) -> bool {
        self.origin == origin
            && !matches!(self.signature, Signature::Invalid(_) | Signature::Unvouched)
    }

    /// True when a key of the ledger has signed it.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.signature == Signature::Valid
    }

    /// The last entry that it knows.
    pub(super) const fn last_index(&self) -> u64 {
        self.head.size.saturating_sub(1)
    }
}
