//! Epochs of pseudonyms: begun and destroyed through entries, as other keys are.

use modeltrail_core::control::Control;
use modeltrail_core::lifecycle::{EpochState, Lifecycle, PseudonymEpoch};

use super::{KeysError, LedgerKeys};
use crate::recorder::Ack;
use crate::redaction::{PseudonymKeys, epoch_state, newest_epoch};

impl LedgerKeys<'_> {
    /// The keys of the ledger's pseudonyms.
    ///
    /// # Errors
    /// When the recorder cannot be used.
    pub fn pseudonyms(&self) -> Result<PseudonymKeys, KeysError> {
        Ok(self.recorder.ledger()?.pseudonym_keys())
    }

    /// Begins the next epoch of pseudonyms, with a new random key that nothing links to the one before. Gives its number.
    /// Recorders that are opened from then on use it; those that run go on with the key that they have.
    ///
    /// # Errors
    /// When files or entries cannot be written.
    pub fn begin_epoch(&self) -> Result<u32, KeysError> {
        let keys = self.pseudonyms()?;
        let store = self.recorder.ledger()?.open_read()?;
        // Also past epochs whose keys are lost: a number must not stand for two keys.
        let told = newest_epoch(store.as_ref())?;
        let known = keys.epochs()?.last().copied();
        let number = match (known, told) {
            // Its entry was written, and then something came in between.
            (known, Some(told))
                if known.is_none_or(|known| known < told) && keys.is_staged(told) =>
            {
                told
            }
            (known, told) => known.max(told).map_or(0, |last| last.saturating_add(1)),
        };
        keys.stage(number)?;
        if told != Some(number) {
            self.say_epoch(number, EpochState::Begun)?;
        }
        keys.place(number)?;
        Ok(number)
    }

    /// Destroys the key of an epoch that is not in use: its tokens cannot be linked to values any more, by
    /// nobody, except with a copy of the key.
    ///
    /// # Errors
    /// [`KeysError::EpochInUse`], [`KeysError::NoEpoch`], [`KeysError::EpochDestroyed`], else when files or
    /// entries cannot be written.
    pub fn destroy_epoch(&self, number: u32) -> Result<(), KeysError> {
        let keys = self.pseudonyms()?;
        let epochs = keys.epochs()?;
        if epochs.last() == Some(&number) {
            return Err(KeysError::EpochInUse { number });
        }
        if !keys.destroy(number)? {
            // The file is gone; was the entry written?
            let store = self.recorder.ledger()?.open_read()?;
            match epoch_state(store.as_ref(), number)? {
                Some((index, EpochState::Destroyed)) => {
                    return Err(KeysError::EpochDestroyed { number, index });
                }
                None if epochs.last().is_none_or(|last| *last < number) => {
                    return Err(KeysError::NoEpoch { number });
                }
                _ => {}
            }
        }
        self.say_epoch(number, EpochState::Destroyed)
    }

    fn say_epoch(&self, number: u32, state: EpochState) -> Result<(), KeysError> {
        let lifecycle = Lifecycle::PseudonymEpoch(PseudonymEpoch { number, state });
        self.recorder.control(&Control::Lifecycle(lifecycle))?;
        Ok(self.recorder.flush(Ack::Sequenced)?)
    }
}
