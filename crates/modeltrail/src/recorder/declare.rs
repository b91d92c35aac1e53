//! What a recorder says in the ledger about redaction: before its first record which policy is in force and what
//! the canary scan found, and the scans after that.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use modeltrail_core::control::Control;
use modeltrail_core::lifecycle::{Canary, EpochState, Lifecycle, PolicyInForce, PseudonymEpoch};
use modeltrail_core::redact::rules::PseudonymKey;
use modeltrail_core::redact::{CanaryReport, Redactor};

use super::RecordingError;
use super::capture::Shared;
use super::stats::Counters;
use crate::entropy::Entropy;
use crate::ledger::Ledger;
use crate::redaction::{known, newest_epoch};
use crate::sequencer::control_frame;
use crate::spool::{Level, SpoolError};
use crate::store::Store;

/// Entries that wait, as frames, for the first record. A recorder that records nothing says nothing.
pub(super) struct Declaration {
    waiting: Mutex<VecDeque<Vec<u8>>>,
    is_done: AtomicBool,
}

/// A redactor that is ready, and what is to be said of it.
pub(super) struct Prepared {
    pub(super) redactor: Redactor,
    pub(super) declaration: Declaration,
    /// Whether the scan at the start left a value.
    pub(super) has_failed: bool,
}

impl Declaration {
    fn of(entries: impl IntoIterator<Item = Lifecycle>) -> Result<Self, RecordingError> {
        let mut entropy = Entropy::new();
        let mut frame = |said| control_frame(&Control::Lifecycle(said), &mut entropy);
        let frames = entries.into_iter().map(|said| Ok(frame(said)?.encode()));
        let waiting = frames.collect::<Result<_, RecordingError>>()?;
        Ok(Self { waiting: Mutex::new(waiting), is_done: AtomicBool::new(false) })
    }
}

/// Gives a redactor the ledger's key, if its policy wants one, tries it out, and looks up what the ledger
/// knows of it.
///
/// # Errors
/// When the ledger or a key cannot be read, and when the redactor masks none of the built-in values.
pub(super) fn prepare(
    redactor: &Redactor,
    ledger: &Ledger,
    store: &dyn Store,
) -> Result<Prepared, RecordingError> {
    let mut redactor = redactor.clone();
    let mut epoch = None;
    if redactor.wants_key() {
        let key = ledger_key(ledger, store)?;
        epoch = Some(key.epoch());
        redactor = redactor.with_key(key);
    }
    let report = redactor.canary();
    if report.is_dead() {
        return Err(RecordingError::Redactor { n_vectors: report.n_vectors });
    }
    let known = known(store, redactor.policy_digest(), epoch)?;
    let begun = epoch.filter(|_| !known.has_epoch).map(|number| {
        Lifecycle::PseudonymEpoch(PseudonymEpoch { number, state: EpochState::Begun })
    });
    let is_same = known.newest.as_deref() == Some(redactor.policy_digest()) && known.has_text;
    let in_force = (!is_same).then(|| {
        Lifecycle::RedactionPolicy(PolicyInForce::of(&redactor, known.newest, known.has_text))
    });
    let canary = Lifecycle::RedactionCanary(Canary::of(&report, &redactor));
    let declaration = Declaration::of(begun.into_iter().chain(in_force).chain([canary]))?;
    tell(&report);
    Ok(Prepared { redactor, declaration, has_failed: !report.is_clean() })
}

/// The key in use, or that of a first epoch, which is made here.
fn ledger_key(ledger: &Ledger, store: &dyn Store) -> Result<PseudonymKey, RecordingError> {
    let keys = ledger.pseudonym_keys();
    if let Some(key) = keys.current()? {
        return Ok(key);
    }
    // Where the files are lost, entries know which numbers have stood for a key.
    let number = newest_epoch(store)?.map_or(0, |last| last.saturating_add(1));
    Ok(keys.make(number)?)
}

fn tell(report: &CanaryReport) {
    if !report.is_clean() {
        let CanaryReport { n_vectors, n_failed, failed } = report;
        tracing::error!(
            failed = failed.join(", "),
            n_failed,
            n_vectors,
            "redaction does not find all of its built-in test values; what these rules are for may be stored in clear"
        );
    }
}

impl Shared {
    /// Appends what is to be said before the first record, once.
    pub(super) fn declare(&self) -> Result<(), SpoolError> {
        let Declaration { waiting, is_done } = &self.declaration;
        if is_done.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(frame) = waiting.front() {
            self.producer.append(frame)?;
            waiting.pop_front();
        }
        is_done.store(true, Ordering::Release);
        Ok(())
    }
}

/// When the next canary scan is due.
pub(super) struct CanaryClock {
    last: Instant,
    n_recorded: u64,
}

impl CanaryClock {
    /// The scan at the start is done.
    pub(super) fn start() -> Self {
        Self { last: Instant::now(), n_recorded: 0 }
    }

    /// Scans again if it is time to and records came since, and writes what was found. True when an entry
    /// was written.
    pub(super) fn tick(&mut self, shared: &Shared) -> bool {
        let every = shared.options.canary;
        let n_recorded = Counters::get(&shared.counters.n_recorded);
        let is_due = every > Duration::ZERO && self.last.elapsed() >= every;
        // Without its first entries nothing may be written, and no record was.
        if !is_due
            || n_recorded == self.n_recorded
            || !shared.declaration.is_done.load(Ordering::Acquire)
        {
            return false;
        }
        *self = Self { last: Instant::now(), n_recorded };
        let redactor = &shared.intake.redactor;
        let report = redactor.canary();
        tell(&report);
        Counters::add(&shared.counters.n_canaries_failed, u64::from(!report.is_clean()));
        let canary = Lifecycle::RedactionCanary(Canary::of(&report, redactor));
        let written = shared
            .append_control(&Control::Lifecycle(canary))
            .and_then(|seq| Ok(shared.producer.commit(seq, Level::Spooled)?));
        match written {
            Ok(()) => true,
            // The next one says the same.
            Err(error) => {
                shared.set_trouble(Some(error.to_string()));
                false
            }
        }
    }
}
