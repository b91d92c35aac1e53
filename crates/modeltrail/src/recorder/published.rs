//! Waiting for a checkpoint, and the receipt under it.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::commitment;
use modeltrail_core::note::VerifierKey;
use modeltrail_core::policy::Policy;
use modeltrail_core::receipt::Receipt;
use modeltrail_core::{Frame, record::Part};

use super::engine::Engine;
use super::{Ack, Recorded, RecordingError};
use crate::proofs;
use crate::signer::KeyRing;

/// How often the store is asked when another process publishes: a tenth of what a caller waits at
/// least for a checkpoint.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Size of the newest checkpoint that this process has published.
#[derive(Default)]
pub(super) struct Published {
    size: Mutex<u64>,
    changed: Condvar,
}

impl Published {
    /// Wakes those who wait for it.
    pub(super) fn set(&self, size: u64) {
        let mut known = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != size {
            *known = size;
            self.changed.notify_all();
        }
    }

    /// Waits for a checkpoint that covers `index`, or for it to be time to ask the store.
    fn wait(&self, index: u64) {
        let size = self.size.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(size, LOOK_EVERY, |size| *size <= index));
    }
}

impl Recorded {
    /// At a stage without a place in the ledger.
    pub(super) const fn early(request_id: String, ack: Ack, dropped: bool) -> Self {
        Self { request_id, ack, index: None, receipt: None, dropped }
    }
}

impl Engine {
    /// Refuses to wait for what can never come.
    pub(super) fn check_publishes(&self) -> Result<(), RecordingError> {
        self.keys().map(drop)
    }

    /// What verifies the ledger's checkpoints here.
    fn keys(&self) -> Result<Vec<VerifierKey>, RecordingError> {
        let ledger = &self.shared.ledger;
        let origin = self.with_store(|store| Ok(store.origin().to_owned()))?;
        let unusable =
            |error: crate::signer::SignerError| RecordingError::System(error.to_string().into());
        match KeyRing::load(&ledger.keys_dir(), &origin).map_err(unusable)? {
            Some(ring) => Ok(ring.verifiers().cloned().collect()),
            None => Err(RecordingError::Unsigned),
        }
    }

    /// Waits for a checkpoint that covers an entry; `None` when it does not come in time.
    pub(super) fn wait_published(
        &self,
        index: u64,
        deadline: Instant,
    ) -> Result<Option<SignedCheckpoint>, RecordingError> {
        loop {
            let newest = self.with_store(|store| Ok(store.checkpoint(None)?))?;
            let covers = |it: &SignedCheckpoint| it.checkpoint().head().size > index;
            if let Some(checkpoint) = newest.filter(covers) {
                return Ok(Some(checkpoint));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            self.shared.published.wait(index);
        }
    }

    /// The receipt of an entry, verified: under the ledger's key, and for what was recorded.
    pub(super) fn receipt(
        &self,
        frame: &Frame,
        seq: u64,
        index: u64,
        deadline: Instant,
    ) -> Result<Receipt, RecordingError> {
        let timeout = || self.timeout(Ack::Published, self.shared.options.flush_timeout);
        let checkpoint = self.wait_published(index, deadline)?.ok_or_else(timeout)?;
        let unproven = |why: String| RecordingError::Unproven { index, why: why.into() };
        let receipt = self.with_store(|store| {
            proofs::receipt(store, index, &checkpoint).map_err(|error| unproven(error.to_string()))
        })?;
        let policy =
            Policy::logs_only(self.keys()?).map_err(|error| unproven(error.to_string()))?;
        let verified = receipt.verify(&policy).map_err(|error| unproven(error.to_string()))?;
        let leaf = verified.leaf();
        // An entry that was there before has the salts of the record that it was made of.
        if leaf.producer == self.producer_id() && leaf.producer_seq == seq {
            let parts = frame.parts().iter().map(Part::as_ref);
            if leaf.body != commitment::body(&commitment::commit(frame.secret(), parts)) {
                return Err(unproven("the entry commits to something else".to_owned()));
            }
        }
        Ok(receipt)
    }
}
