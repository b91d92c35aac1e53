//! From a record to a frame: redaction, canonical bytes, random values.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use modeltrail_core::capture::Captured;
use modeltrail_core::hash::MacKey;
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Frame, Limits, Record};

use super::RecordingError;
use super::ring::Accepted;
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
        let record_id = record.record_id();
        let redacted = Redacted::new(record, &context)?;
        self.with_entropy(|entropy| {
            let record_id = record_id.map_or_else(|| entropy.uuid_v7(), Ok)?;
            Ok(Frame::new(redacted, record_id, entropy.take()?))
        })
    }

    /// Frames what was accepted.
    pub(super) fn frame_accepted(&self, accepted: Accepted) -> Result<Frame, RecordingError> {
        match accepted {
            Accepted::Record(record) => self.frame(*record),
            Accepted::Captured(captured) => self.frame_captured(*captured),
        }
    }

    /// Makes a captured exchange's record and frames it. Where its bodies cannot be kept (a number whose plain form
    /// is longer than a record, say) it is recorded without them: what was asked, when and of which model stays.
    pub(super) fn frame_captured(&self, captured: Captured) -> Result<Frame, RecordingError> {
        let record = catch_unwind(AssertUnwindSafe(|| captured.into_record()))
            .map_err(|_| RecordingError::System("a captured exchange could not be read".into()))?;
        let bare = record.without_bodies();
        self.frame(record).or_else(|error| {
            tracing::warn!(%error, "the bodies of a captured exchange cannot be kept");
            self.frame(bare)
        })
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
