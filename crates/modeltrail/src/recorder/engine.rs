//! What runs behind a recorder in one process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use modeltrail_core::capture::{Captured, Exchange};
use modeltrail_core::control::{Control, ProducerEvent};
use modeltrail_core::record::Parties;
use modeltrail_core::{Frame, Record};

use super::capture::{Hurry, Shared, Stop, Waiting, open_sequencer, run_capture, run_sequencer};
use super::declare::prepare;
use super::intake::Intake;
use super::published::Published;
use super::ring::{Accepted, Ring};
use super::stats::Counters;
use super::watch::Watch;
use super::{Ack, Offered, OnFull, Recorded, RecorderOptions, RecordingError, Stats};
use crate::clock;
use crate::coverage::Counter;
use crate::entropy;
use crate::ledger::Ledger;
use crate::sequencer::{Trim, spool_origin};
use crate::signer::end_programs;
use crate::spool::{Level, Producer, ProducerId, SpoolError};
use crate::store::Store;

/// How many threads an engine starts.
const N_THREADS: usize = 2;

/// How long the sequencer has to end after the program that signs was ended: one commit on a slow disk.
const REAP: Duration = Duration::from_secs(2);

/// A producer with its threads.
pub(super) struct Engine {
    pub(super) shared: Arc<Shared>,
    reader: Mutex<Option<Box<dyn Store>>>,
    closed: AtomicBool,
    closing: Mutex<bool>,
    requests: Counter,
    pid: u32,
}

impl Engine {
    pub(super) fn start(url: &str, options: &RecorderOptions) -> Result<Arc<Self>, RecordingError> {
        let ledger = Ledger::parse(url)?;
        if !ledger.exists()
            && let Some(origin) = &options.create_as
        {
            ledger.create(origin)?;
        }
        let store = ledger.open_read()?;
        let mac_key = ledger.mac_key_of(store.as_ref())?;
        let prepared = prepare(&options.redactor, &ledger, store.as_ref())?;
        let spool_dir = options.spool_dir.clone().unwrap_or_else(|| ledger.spool_dir());
        let origin = spool_origin(store.origin());
        let producer = Producer::open_dir(&spool_dir, options.spool, origin)?;
        let shared = Arc::new(Shared {
            ledger,
            producer,
            ring: Ring::new(options.ring_records_max, options.ring_bytes_max),
            intake: Intake::new(prepared.redactor, mac_key, options.limits, options.mode.clone()),
            counters: Counters::default(),
            watch: Watch::new(spool_dir, options.spool),
            is_sequencer: AtomicBool::new(false),
            trouble: Mutex::new(None),
            unsigned: Mutex::new(None),
            stop: Stop::default(),
            hurry: Hurry::default(),
            published: Published::default(),
            declaration: prepared.declaration,
            options: options.clone(),
        });
        Counters::add(&shared.counters.n_canaries_failed, u64::from(prepared.has_failed));
        let opened = shared.append_event(ProducerEvent::Open)?;
        match shared.producer.commit(opened, Level::Spooled) {
            // It stays in memory and goes out with the first record that finds room; the sequencer
            // that makes room may be the one that is opened next.
            Err(error) if error.is_full() => shared.set_trouble(Some(error.to_string())),
            done => done?,
        }
        // Trouble that will not pass (a database behind its anchor) is told before anything is taken.
        let sequencer = if options.sequence { open_sequencer(&shared)? } else { None };
        shared.is_sequencer.store(sequencer.is_some(), Ordering::Relaxed);
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            thread.map(drop).map_err(|e| RecordingError::System(format!("no thread: {e}").into()))
        };
        let for_capture = Arc::clone(&shared);
        spawn("modeltrail-capture", Box::new(move || run_capture(&for_capture)))?;
        let for_sequencer = Arc::clone(&shared);
        let run: Box<dyn FnOnce() + Send> = if options.sequence {
            Box::new(move || run_sequencer(&for_sequencer, sequencer))
        } else {
            Box::new(move || for_sequencer.stop.thread_done())
        };
        spawn("modeltrail-sequencer", run)?;
        let requests = Counter::new(&shared.ledger.coverage_dir(), &shared.producer.id());
        Ok(Arc::new(Self {
            shared,
            requests,
            reader: Mutex::new(Some(store)),
            closed: AtomicBool::new(false),
            closing: Mutex::new(false),
            pid: std::process::id(),
        }))
    }

    pub(super) fn ack(&self) -> Ack {
        self.shared.options.ack
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.shared.ledger
    }

    pub(super) fn producer_id(&self) -> ProducerId {
        self.shared.producer.id()
    }

    pub(super) fn stats(&self) -> Stats {
        self.shared.stats()
    }

    pub(super) fn record(&self, record: Record, ack: Ack) -> Result<Recorded, RecordingError> {
        let (record, request_id) = self.checked(record)?;
        if ack == Ack::Accepted {
            return self.accept(record.into(), request_id);
        }
        if ack == Ack::Published {
            // Before anything of it is taken.
            self.check_publishes()?;
        }
        self.record_durably(record, request_id, ack)
    }

    /// Accepts a record if that takes no waiting, else gives it back.
    pub(super) fn offer(&self, record: Record) -> Result<Offered, RecordingError> {
        let (record, request_id) = self.checked(record)?;
        match self.shared.ring.push(record.into()) {
            None => {
                Counters::add(&self.shared.counters.n_recorded, 1);
                Ok(Offered::Taken(request_id))
            }
            Some(Accepted::Record(record)) => Ok(Offered::Back(record)),
            Some(Accepted::Captured(_)) => {
                Err(RecordingError::System("the ring gave back what it was not given".into()))
            }
        }
    }

    /// A record that can be taken, with its request id.
    fn checked(&self, mut record: Record) -> Result<(Record, String), RecordingError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(RecordingError::Closed);
        }
        self.requests.called();
        record.check()?;
        record.check_size(&self.shared.intake.limits)?;
        let id = match record.request_id_ref() {
            Some(_) => None,
            None => Some(entropy::uuid_text(&entropy::uuid_v7_of_thread(&self.producer_id())?)),
        };
        record.assign(|| id.unwrap_or_default(), clock::now_ns);
        let request_id = record.request_id_ref().unwrap_or_default().to_owned();
        Ok((record, request_id))
    }

    /// Counts a request that came.
    pub(super) fn count_request(&self) {
        self.requests.count();
    }

    /// Takes what a way in captured.
    pub(super) fn capture(&self, captured: Captured, ack: Ack) -> Result<Recorded, RecordingError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(RecordingError::Closed);
        }
        let request_id = captured.request_id().to_owned();
        if ack == Ack::Accepted {
            return self.accept(Accepted::Captured(Box::new(captured)), request_id);
        }
        if ack == Ack::Published {
            self.check_publishes()?;
        }
        let frame = self.shared.intake.frame_captured(captured)?;
        self.keep_durably(frame, request_id, ack)
    }

    /// Records an intent, and gives its record id; it is where `ack` says when this returns.
    pub(super) fn intent(
        &self,
        exchange: &mut Exchange,
        occurred_ns: i64,
        ack: Ack,
    ) -> Result<(), RecordingError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(RecordingError::Closed);
        }
        let assigned = entropy::uuid_text(&entropy::uuid_v7()?);
        let request_id = exchange.settle_request_id(|| assigned).to_owned();
        let record = exchange.intent(entropy::uuid_v7()?, occurred_ns);
        let bare = record.without_bodies();
        let frame = self.shared.intake.frame(record).or_else(|_| self.shared.intake.frame(bare))?;
        self.keep_durably(frame, request_id, ack).map(drop)
    }

    fn accept(&self, record: Accepted, request_id: String) -> Result<Recorded, RecordingError> {
        let shared = &self.shared;
        let recorded = |dropped| Recorded::early(request_id, Ack::Accepted, dropped);
        let taken = match shared.ring.push(record) {
            None => true,
            Some(record) => match shared.options.on_full {
                OnFull::Block(time) => {
                    shared.ring.push_until(record, Instant::now() + time).is_none()
                }
                OnFull::Fail => false,
                OnFull::Gap => {
                    Counters::add(&shared.counters.n_dropped, 1);
                    Counters::add(&shared.counters.n_uncovered, 1);
                    shared.ring.wake();
                    return Ok(recorded(true));
                }
            },
        };
        if !taken {
            return Err(RecordingError::Full("the ring of accepted records is full"));
        }
        Counters::add(&shared.counters.n_recorded, 1);
        Ok(recorded(false))
    }

    fn record_durably(
        &self,
        record: Record,
        request_id: String,
        ack: Ack,
    ) -> Result<Recorded, RecordingError> {
        let frame = self.shared.intake.frame(record)?;
        self.keep_durably(frame, request_id, ack)
    }

    fn keep_durably(
        &self,
        frame: Frame,
        request_id: String,
        ack: Ack,
    ) -> Result<Recorded, RecordingError> {
        let shared = &self.shared;
        let level = if ack == Ack::Written { Level::Written } else { Level::Spooled };
        let bytes = frame.encode();
        let mut seq = None;
        let done = self.with_room(self.room_deadline(), || {
            shared.declare()?;
            let seq = match seq {
                Some(seq) => seq,
                None => *seq.insert(shared.producer.append(&bytes)?),
            };
            shared.producer.commit(seq, level)
        });
        let Some(seq) = seq else {
            // Not even in memory: nothing of it was kept.
            return match done {
                Err(error) if error.is_full() && shared.options.on_full == OnFull::Gap => {
                    Counters::add(&shared.counters.n_dropped, 1);
                    Counters::add(&shared.counters.n_uncovered, 1);
                    Ok(Recorded::early(request_id, Ack::Accepted, true))
                }
                Err(error) => Err(error.into()),
                Ok(()) => Err(RecordingError::Full("the spool took nothing")),
            };
        };
        Counters::add(&shared.counters.n_recorded, 1);
        shared.watch.mark(seq + 1);
        match done {
            Ok(()) => {}
            Err(error) if error.is_full() && shared.options.on_full == OnFull::Gap => {
                return Ok(Recorded::early(request_id, Ack::Accepted, false));
            }
            Err(error) => return Err(error.into()),
        }
        if ack < Ack::Sequenced {
            return Ok(Recorded::early(request_id, ack, false));
        }
        let _hurry = self.hurry(ack);
        let deadline = Instant::now() + shared.options.flush_timeout;
        let index = self.sequenced_index(&frame, &request_id, seq)?;
        let receipt = match ack {
            Ack::Published => Some(self.receipt(&frame, seq, index, deadline)?),
            _ => None,
        };
        Ok(Recorded { request_id, ack, index: Some(index), receipt, dropped: false })
    }

    /// Says that somebody waits for this stage, for as long as the answer lives.
    fn hurry(&self, ack: Ack) -> Waiting<'_> {
        let shared = &self.shared;
        let for_checkpoint =
            ack == Ack::Published || shared.options.sequencer.trim == Trim::Published;
        shared.hurry.wait_for_it(for_checkpoint)
    }

    /// Hands over an entry of the ledger's own.
    pub(super) fn control(&self, control: &Control) -> Result<(), RecordingError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(RecordingError::Closed);
        }
        let seq = self.shared.append_control(control)?;
        Ok(self
            .with_room(self.room_deadline(), || self.shared.producer.commit(seq, Level::Spooled))?)
    }

    /// Until when a record waits for room, as the options say.
    fn room_deadline(&self) -> Instant {
        let time = match self.shared.options.on_full {
            OnFull::Block(time) => time,
            OnFull::Fail | OnFull::Gap => Duration::ZERO,
        };
        Instant::now() + time
    }

    /// Tries again while there is no room, until `deadline`.
    fn with_room(
        &self,
        deadline: Instant,
        mut attempt: impl FnMut() -> Result<(), SpoolError>,
    ) -> Result<(), SpoolError> {
        // Looked at only when there is no room: it reads a file, and every record comes by here.
        let mut acked_before = None;
        loop {
            match attempt() {
                Err(error) if error.is_full() => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(error);
                    }
                    let acked = self.shared.producer.acked_seq().unwrap_or(0);
                    if acked_before.replace(acked) != Some(acked) {
                        continue;
                    }
                    // Room comes when the sequencer takes something.
                    let step = left.min(Duration::from_millis(20));
                    self.shared.producer.wait_acked(acked, step)?;
                }
                done => return done,
            }
        }
    }

    /// Waits until a frame is in the store and finds its entry, or the one that was there before.
    fn sequenced_index(
        &self,
        frame: &Frame,
        request_id: &str,
        seq: u64,
    ) -> Result<u64, RecordingError> {
        let timeout = self.shared.options.flush_timeout;
        if !self.shared.producer.wait_acked(seq, timeout)? {
            return Err(self.timeout(Ack::Sequenced, timeout));
        }
        let missing = || RecordingError::System("the sequenced entry cannot be found".into());
        let (index, there) = self.with_store(|store| {
            let index = store.find_request(request_id)?.ok_or_else(missing)?;
            Ok((index, store.get(index)?.ok_or_else(missing)?))
        })?;
        let own = there.leaf.producer == self.producer_id() && there.leaf.producer_seq == seq;
        let submitted = |parts: &[modeltrail_core::record::Part]| {
            Parties::of(parts)?.submitted_mac.map(std::borrow::Cow::into_owned)
        };
        if own || submitted(&there.parts) == submitted(frame.parts()) {
            return Ok(index);
        }
        Err(RecordingError::Conflict { request_id: request_id.to_owned(), index })
    }

    /// Reads from the store, which another caller may be reading from.
    pub(super) fn with_store<T>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, RecordingError>,
    ) -> Result<T, RecordingError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        read(reader.as_ref().ok_or(RecordingError::Closed)?.as_ref())
    }

    pub(super) fn timeout(&self, ack: Ack, waited: Duration) -> RecordingError {
        let fallback = || "no sequencer has taken it; it is safe in the spool".to_owned();
        RecordingError::Timeout {
            ack,
            waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX),
            reason: self.shared.trouble().unwrap_or_else(fallback),
        }
    }

    pub(super) fn flush(&self, ack: Ack, timeout: Option<Duration>) -> Result<(), RecordingError> {
        if ack == Ack::Accepted {
            return Ok(());
        }
        if ack == Ack::Published {
            self.check_publishes()?;
        }
        let timeout = timeout.unwrap_or(self.shared.options.flush_timeout);
        let deadline = Instant::now() + timeout;
        let shared = &self.shared;
        if !shared.ring.wait_done(shared.ring.n_pushed(), deadline) {
            return Err(self.timeout(ack, timeout));
        }
        let Some(last) = shared.producer.next_seq().checked_sub(1) else { return Ok(()) };
        let level = if ack == Ack::Written { Level::Written } else { Level::Spooled };
        self.with_room(deadline, || shared.producer.commit(last, level))?;
        if ack < Ack::Sequenced {
            return Ok(());
        }
        let _hurry = self.hurry(ack);
        let left = deadline.saturating_duration_since(Instant::now());
        if !shared.producer.wait_acked(last, left)? {
            return Err(self.timeout(ack, timeout));
        }
        if ack == Ack::Published {
            let size = self.with_store(|store| Ok(store.tip()?.head.size))?;
            if size > 0 && self.wait_published(size - 1, deadline)?.is_none() {
                return Err(self.timeout(ack, timeout));
            }
        }
        Ok(())
    }

    /// Why the sequencer of this process has no checkpoint of its newest entries.
    pub(super) fn unsigned(&self) -> Option<String> {
        self.shared.unsigned.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes once; later calls wait for the first and give nothing back.
    pub(super) fn close(&self) -> Result<(), RecordingError> {
        let mut closing = self.closing.lock().unwrap_or_else(PoisonError::into_inner);
        self.closed.store(true, Ordering::Release);
        if *closing {
            return Ok(());
        }
        let shared = &self.shared;
        let deadline = Instant::now() + shared.options.close_timeout;
        shared.stop.capture(deadline);
        shared.ring.wake();
        let captured = shared.stop.wait_done(1, deadline);
        let last = self.last_words(deadline);
        *closing = true;
        // With the producer's lock gone the sequencer sees its end and frees its segments.
        let _hurry = self.hurry(Ack::Sequenced);
        let released = shared.producer.close();
        shared.stop.sequencer(deadline);
        let mut sequenced = shared.stop.wait_done(N_THREADS, deadline);
        let by = Instant::now() + REAP;
        while !sequenced && end_programs() > 0 && Instant::now() < by {
            // The sequencer waited for who signs. It ends now, and says why it has no checkpoint; one more
            // program may have been started just before.
            sequenced = shared.stop.wait_done(N_THREADS, Instant::now() + REAP / 4);
        }
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if shared.ledger.is_memory() {
            // Files of a memory ledger are of no use to anybody; what is left of them does no harm.
            drop(std::fs::remove_dir_all(shared.ledger.dir()));
        }
        last?;
        released?;
        if captured && sequenced {
            return Ok(());
        }
        Err(self.timeout(Ack::Spooled, shared.options.close_timeout))
    }

    /// The producer's closing entry, durable.
    fn last_words(&self, deadline: Instant) -> Result<(), RecordingError> {
        let seq = self.shared.append_event(ProducerEvent::Close)?;
        Ok(self.with_room(deadline, || self.shared.producer.commit(seq, Level::Spooled))?)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            return;
        }
        if let Err(error) = self.close() {
            tracing::error!(%error, "a recorder was dropped and could not be closed in order");
        }
    }
}
