//! What a request's future and both of its bodies share: the record that is to be made of it, once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use modeltrail::capture::{Ending, Exchange};
use modeltrail::{Ack, InFlight};

/// A request's record in the making; clones share it. `None` inside once it has ended.
#[derive(Clone)]
pub(super) struct Recording {
    flight: Arc<Mutex<Option<InFlight>>>,
    /// Whoever asked broke off while sending.
    was_aborted: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    ack: Ack,
}

impl Recording {
    pub(super) fn new(flight: InFlight, ack: Ack, stopping: Arc<AtomicBool>) -> Self {
        let flight = Arc::new(Mutex::new(Some(flight)));
        Self { flight, was_aborted: Arc::default(), stopping, ack }
    }

    fn with(&self, feed: impl FnOnce(&mut InFlight)) {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flight.as_mut() {
            feed(flight);
        }
    }

    /// Feeds the exchange, unless it has ended.
    pub(super) fn feed(&self, feed: impl FnOnce(&mut Exchange)) {
        self.with(|flight| flight.exchange(feed));
    }

    pub(super) fn response_bytes(&self, bytes: &[u8]) {
        self.with(|flight| flight.response_bytes(bytes));
    }

    /// Notes that whoever asked broke off while sending, so that what fails behind it is his ending.
    pub(super) fn aborted(&self) {
        self.was_aborted.store(true, Ordering::Release);
    }

    /// Records the intent where the plan wants one. It waits for a disk.
    pub(super) fn intent(&self) -> Result<(), modeltrail::RecordingError> {
        let mut flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        match flight.as_mut() {
            Some(flight) if flight.wants_intent() => flight.intent(),
            _ => Ok(()),
        }
    }

    pub(super) fn wants_intent(&self) -> bool {
        let flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        flight.as_ref().is_some_and(InFlight::wants_intent)
    }

    /// Ends it, unless it has ended.
    pub(super) fn end(&self, ending: Ending) {
        let flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(flight) = flight else { return };
        let ending = match ending {
            Ending::Complete | Ending::Failed { .. } => ending,
            _ if self.was_aborted.load(Ordering::Acquire) => Ending::ClientDisconnected,
            other => other,
        };
        if self.ack == Ack::Accepted {
            return keep(flight, ending);
        }
        // The other stages wait for a disk, which is not for a thread that others' requests run on.
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || keep(flight, ending))),
            Err(_) => keep(flight, ending),
        }
    }

    /// What ends it when it is dropped.
    pub(super) fn guard(&self) -> Guard {
        Guard(self.clone())
    }
}

fn keep(flight: InFlight, ending: Ending) {
    if let Err(error) = flight.end(ending) {
        tracing::error!(%error, "a request could not be recorded");
    }
}

/// Ends a record when it is dropped: the server drops what nobody waits for any more.
pub(super) struct Guard(Recording);

impl Guard {
    pub(super) fn recording(&self) -> &Recording {
        &self.0
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let ending = if self.0.stopping.load(Ordering::Acquire) {
            Ending::Failed {
                code: "proxy_stopped".to_owned(),
                message: "the proxy was stopped before the end of the answer".to_owned(),
            }
        } else {
            Ending::ClientDisconnected
        };
        self.0.end(ending);
    }
}
