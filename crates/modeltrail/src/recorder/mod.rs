//! The recorder: what an application holds to record its predictions.

mod capture;
mod declare;
mod engine;
mod error;
mod intake;
mod options;
mod priority;
mod published;
mod ring;
mod stats;
mod watch;

#[cfg(test)]
mod declare_tests;
#[cfg(test)]
mod fork_tests;
#[cfg(test)]
mod tests;

pub use error::RecordingError;
pub use options::{Ack, OnFull, RecorderOptions};
pub use stats::Stats;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use modeltrail_core::Record;
use modeltrail_core::capture::{Captured, Exchange};
use modeltrail_core::control::Control;
use modeltrail_core::receipt::Receipt;

use crate::ledger::Ledger;
use crate::reader::Reader;
use engine::Engine;

/// What a caller gets back for a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// The record's request id, the caller's or an assigned one.
    pub request_id: String,
    /// The stage that was reached.
    pub ack: Ack,
    /// Its place in the ledger, where the stage is [`Ack::Sequenced`] or later. For a record that was
    /// there already it is the place of the one that was there.
    pub index: Option<u64>,
    /// That it is in the ledger, for anybody to verify, where the stage is [`Ack::Published`]: entry,
    /// inclusion proof and signed checkpoint. It was verified, and its leaf commits to what was
    /// recorded.
    pub receipt: Option<Receipt>,
    /// True when there was no room and [`OnFull::Gap`] passed the record over: a gap entry counts it.
    pub dropped: bool,
}

/// What became of a record that was offered.
#[derive(Debug)]
pub enum Offered {
    /// It was accepted, under this request id.
    Taken(String),
    /// There was no room at once. It has its request id and time already.
    Back(Box<Record>),
}

/// Records predictions. Clones share one recorder; it may be used from any number of threads.
///
/// **Fork.** A forked child is a producer of its own: its first call opens a new one, with threads
/// of its own, and touches nothing of its parent's.
///
/// **End.** [`Recorder::close`] flushes and says what went wrong. Dropping the last clone does the
/// same for at most [`RecorderOptions::close_timeout`], and what is not sequenced by then waits in
/// the spool for the next sequencer.
#[derive(Clone)]
pub struct Recorder {
    first: Arc<Generation>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("url", &self.first.url).finish_non_exhaustive()
    }
}

/// One process's engine; a forked child appends the next.
struct Generation {
    pid: u32,
    engine: OnceLock<Result<Arc<Engine>, RecordingError>>,
    options: RecorderOptions,
    url: String,
    next: OnceLock<Arc<Generation>>,
}

impl Drop for Generation {
    fn drop(&mut self) {
        if self.pid == process_id() {
            return;
        }
        // In a forked child: the parent's engine has threads, locks and files that are the parent's.
        // Its memory is left as it is; running its destructors could wait for threads that are not
        // here.
        if let Some(engine) = self.engine.take() {
            #[expect(clippy::mem_forget, reason = "see above")]
            std::mem::forget(engine);
        }
    }
}

/// The number of this process, another one after a fork. A test may pretend to be in a forked child:
/// a fork itself takes `unsafe`.
fn process_id() -> u32 {
    #[cfg(test)]
    if let Some(pid) = fork_tests::pretended_pid() {
        return pid;
    }
    std::process::id()
}

impl Recorder {
    /// Opens a ledger that is there, with the default options.
    ///
    /// # Errors
    /// When no ledger is there, or its files cannot be used.
    pub fn open(url: &str) -> Result<Self, RecordingError> {
        Self::options().open(url)
    }

    /// Options to change before opening.
    #[must_use]
    pub fn options() -> RecorderOptions {
        RecorderOptions::default()
    }

    pub(crate) fn open_with(url: &str, options: RecorderOptions) -> Result<Self, RecordingError> {
        let engine = Engine::start(url, &options)?;
        let first = Generation {
            pid: process_id(),
            engine: OnceLock::from(Ok(engine)),
            options,
            url: url.to_owned(),
            next: OnceLock::new(),
        };
        Ok(Self { first: Arc::new(first) })
    }

    /// The engine of this process. Only `OnceLock`s are read on the way: a lock that another thread
    /// held at the moment of a fork would stay locked in the child for ever.
    fn engine(&self) -> Result<&Arc<Engine>, RecordingError> {
        let pid = process_id();
        let mut generation = &self.first;
        while generation.pid != pid {
            generation = generation.next.get_or_init(|| {
                Arc::new(Generation {
                    pid,
                    engine: OnceLock::new(),
                    options: generation.options.clone(),
                    url: generation.url.clone(),
                    next: OnceLock::new(),
                })
            });
        }
        let engine =
            generation.engine.get_or_init(|| Engine::start(&generation.url, &generation.options));
        engine.as_ref().map_err(Clone::clone)
    }

    /// This process's engine, if something was recorded or asked here already.
    fn started(&self) -> Option<&Engine> {
        let pid = process_id();
        let mut generation = &self.first;
        while generation.pid != pid {
            generation = generation.next.get()?;
        }
        generation.engine.get()?.as_deref().ok()
    }

    /// True when this process records through it already. In a forked child it is false until the first call, which
    /// opens a producer of the child's own.
    #[must_use]
    pub fn is_started(&self) -> bool {
        self.started().is_some()
    }

    /// Records at [`Ack::Accepted`] if that takes no waiting, and gives the record back otherwise, to be recorded by
    /// [`Recorder::record_at`]: for callers who have to let go of something before they wait. In a process that did
    /// not record yet it is always given back.
    ///
    /// # Errors
    /// When the record cannot be taken.
    pub fn offer(&self, record: Record) -> Result<Offered, RecordingError> {
        match self.started() {
            Some(engine) => engine.offer(record),
            None => Ok(Offered::Back(Box::new(record))),
        }
    }

    /// Records at the stage set in the options ([`Ack::Accepted`] by default).
    ///
    /// # Errors
    /// When the record cannot be taken, or the stage cannot be reached; see [`RecordingError`].
    pub fn record(&self, record: Record) -> Result<Recorded, RecordingError> {
        let engine = self.engine()?;
        engine.record(record, engine.ack())
    }

    /// Records at the stage given.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub fn record_at(&self, record: Record, ack: Ack) -> Result<Recorded, RecordingError> {
        self.engine()?.record(record, ack)
    }

    /// Records what a way in captured, at the stage set in the options. At [`Ack::Accepted`] its record is made on the
    /// recorder's own thread.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub fn capture(&self, captured: Captured) -> Result<Recorded, RecordingError> {
        let engine = self.engine()?;
        engine.capture(captured, engine.ack())
    }

    /// Records what a way in captured, at the stage given.
    ///
    /// # Errors
    /// As [`Recorder::record`].
    pub fn capture_at(&self, captured: Captured, ack: Ack) -> Result<Recorded, RecordingError> {
        self.engine()?.capture(captured, ack)
    }

    /// Counts a request that came to this process, before anything of it is captured; see [`crate::in_flight`].
    pub fn count_request(&self) {
        if let Ok(engine) = self.engine() {
            engine.count_request();
        }
    }

    /// Records that a request is about to go on to the model: an entry of kind `intent`, at [`Ack::Spooled`] when
    /// this returns. The record of what becomes of it has the same record id; an intent without one, of a producer
    /// that is gone, gets a record with status `unknown`. `occurred_ns` is when the request came, in nanoseconds since
    /// 1970 UTC, as in the record.
    ///
    /// # Errors
    /// When it cannot be made durable; the request should not go on then.
    pub fn intent(&self, exchange: &mut Exchange, occurred_ns: i64) -> Result<(), RecordingError> {
        self.engine()?.intent(exchange, occurred_ns, Ack::Spooled)
    }

    /// Waits until everything that was recorded before has reached a stage.
    ///
    /// # Errors
    /// When it cannot be reached within [`RecorderOptions::flush_timeout`].
    pub fn flush(&self, ack: Ack) -> Result<(), RecordingError> {
        self.engine()?.flush(ack, None)
    }

    /// As [`Recorder::flush`], with a limit of its own.
    ///
    /// # Errors
    /// When the stage cannot be reached in this time.
    pub fn flush_within(&self, ack: Ack, timeout: Duration) -> Result<(), RecordingError> {
        self.engine()?.flush(ack, Some(timeout))
    }

    /// Opens a reader that sees everything that this recorder has recorded so far.
    ///
    /// # Errors
    /// When it cannot be sequenced in time, or the ledger cannot be read.
    pub fn reader(&self) -> Result<Reader, RecordingError> {
        self.flush(Ack::Sequenced)?;
        Reader::of(self.engine()?.ledger()).map_err(RecordingError::from)
    }

    /// The ledger that it records into.
    pub(crate) fn ledger(&self) -> Result<&Ledger, RecordingError> {
        Ok(self.engine()?.ledger())
    }

    /// Hands over an entry of the ledger's own; durable in the spool when this returns.
    pub(crate) fn control(&self, control: &Control) -> Result<(), RecordingError> {
        self.engine()?.control(control)
    }

    /// Counters, depth and lag.
    ///
    /// # Errors
    /// In a forked child whose recorder could not be opened.
    pub fn stats(&self) -> Result<Stats, RecordingError> {
        Ok(self.engine()?.stats())
    }

    /// Why the newest entries are under no signed checkpoint although the ledger has a key, as far as
    /// this process is the sequencer; after [`Recorder::close`], why the last one is missing.
    ///
    /// # Errors
    /// In a forked child whose recorder could not be opened.
    pub fn unsigned(&self) -> Result<Option<String>, RecordingError> {
        Ok(self.engine()?.unsigned())
    }

    /// The producer that this process records as.
    ///
    /// # Errors
    /// In a forked child whose recorder could not be opened.
    pub fn producer(&self) -> Result<[u8; 16], RecordingError> {
        Ok(self.engine()?.producer_id())
    }

    /// Flushes to the spool, writes the producer's closing entry, gives the sequencer time to take
    /// it all, and stops the threads. Later calls of other clones fail with
    /// [`RecordingError::Closed`].
    ///
    /// # Errors
    /// When something could not be made durable; it is still safe to call again.
    pub fn close(&self) -> Result<(), RecordingError> {
        self.engine()?.close()
    }
}
