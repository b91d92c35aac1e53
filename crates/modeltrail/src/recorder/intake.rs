//! From a record to a frame: redaction, canonical bytes, random values.

use std::sync::{Mutex, PoisonError};

use modeltrail_core::hash::MacKey;
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Frame, Limits, Record};

use super::RecordingError;
use crate::entropy::Entropy;

/// What every thread that frames records shares.
pub(super) struct Intake {
    pub(super) redactor: Redactor,
    pub(super) mac_key: MacKey,
    pub(super) limits: Limits,
    pub(super) mode: String,
    entropy: Mutex<Entropy>,
}

impl Intake {
    pub(super) const fn new(
        redactor: Redactor,
        mac_key: MacKey,
        limits: Limits,
        mode: String,
    ) -> Self {
        Self { redactor, mac_key, limits, mode, entropy: Mutex::new(Entropy::new()) }
    }

    /// Redacts and frames a record whose id and time are there.
    pub(super) fn frame(&self, record: Record) -> Result<Frame, RecordingError> {
        let context = CaptureContext {
            redactor: &self.redactor,
            mac_key: &self.mac_key,
            limits: &self.limits,
            mode: &self.mode,
        };
        let redacted = Redacted::new(record, &context)?;
        self.with_entropy(|entropy| Ok(Frame::new(redacted, entropy.uuid_v7()?, entropy.take()?)))
    }

    pub(super) fn with_entropy<T>(
        &self,
        make: impl FnOnce(&mut Entropy) -> Result<T, getrandom::Error>,
    ) -> Result<T, RecordingError> {
        // A thread that panicked while it held the pool took some bytes; the rest are as good.
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(make(&mut entropy)?)
    }
}
