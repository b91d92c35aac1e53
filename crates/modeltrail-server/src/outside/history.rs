//! The ledger's own history, as others are told of it: heads and proofs from what is stored.

use modeltrail::proofs;
use modeltrail::store::Store;
use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::keys::KeyRole;
use modeltrail_core::merkle::verify_consistency;
use modeltrail_core::note::VerifierKey;

/// A ledger that answers for its past.
pub(crate) struct History {
    store: Box<dyn Store>,
}

/// How the ledger stands to a checkpoint that somebody else has kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Standing {
    /// The ledger's first entries are those of the checkpoint.
    Extends,
    /// The checkpoint is of more entries than the ledger has.
    IsBehind,
    /// The ledger has other entries: its root at that size is this one.
    Differs(Hash),
}

impl History {
    pub(crate) const fn new(store: Box<dyn Store>) -> Self {
        Self { store }
    }

    /// For another thread.
    ///
    /// # Errors
    /// When the store cannot be opened again.
    pub(crate) fn another(&self) -> Result<Self, String> {
        self.store.another().map(Self::new).map_err(|error| error.to_string())
    }

    /// The checkpoint keys that the ledger's entries name.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn checkpoint_keys(&self) -> Result<Vec<VerifierKey>, String> {
        let read = modeltrail::keys::history(self.store.as_ref());
        let (history, _) = read.map_err(|error| error.to_string())?;
        let keys = history.keys().iter().filter(|known| known.role == KeyRole::Checkpoint);
        Ok(keys.map(|known| known.key.clone()).collect())
    }

    /// The ledger's head when it had `size` entries, computed from what is stored.
    ///
    /// # Errors
    /// When it cannot be read.
    fn head(&self, size: u64) -> Result<Head, String> {
        let root = proofs::root(self.store.as_ref(), size).map_err(|error| error.to_string())?;
        Ok(Head { size, root })
    }

    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn root(&self, size: u64) -> Result<Hash, String> {
        self.head(size).map(|head| head.root)
    }

    /// A proof that the head `new` extends the first `old` entries. It is verified before it is given
    /// away: if the store were damaged, others would take the ledger for a forger.
    ///
    /// # Errors
    /// When the store cannot be read, or does not give the head.
    pub(crate) fn consistency(&self, old: u64, new: &Head) -> Result<Vec<Hash>, String> {
        if old == 0 {
            return Ok(Vec::new());
        }
        let proof = proofs::consistency(self.store.as_ref(), old, new.size);
        let proof = proof.map_err(|error| error.to_string())?;
        verify_consistency(&self.head(old)?, new, &proof).map_err(|error| {
            format!("what is stored does not give the checkpoint of {} entries: {error}; run `modeltrail verify`", new.size)
        })?;
        Ok(proof)
    }

    /// Holds the ledger of `size` entries against a checkpoint that was kept elsewhere.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(crate) fn against(&self, kept: &SignedCheckpoint, size: u64) -> Result<Standing, String> {
        let kept = kept.checkpoint().head();
        if kept.size > size {
            return Ok(Standing::IsBehind);
        }
        let own = self.head(kept.size)?;
        Ok(if own.root == kept.root { Standing::Extends } else { Standing::Differs(own.root) })
    }
}
