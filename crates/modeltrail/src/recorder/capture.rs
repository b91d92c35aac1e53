//! The two threads of a recorder: one frames what was accepted, one sequences.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use modeltrail_core::control::{Control, GapReason, ProducerEvent};

use super::declare::{CanaryClock, Declaration};
use super::intake::Intake;
use super::priority::give_way;
use super::published::Published;
use super::ring::{Ring, Slot};
use super::stats::Counters;
use super::watch::Watch;
use super::{RecorderOptions, RecordingError, Stats};
use crate::ledger::Ledger;
use crate::sequencer::{Sequencer, SequencerError, control_frame, gap_control, producer_control};
use crate::spool::{Level, Producer, SpoolError};

/// Most records framed before they are committed together. At 15 µs each this is 8 ms, so that a
/// record is on disk well within 20 ms of its acceptance.
const N_GROUP_MAX: u64 = 512;

/// Most bytes framed before they are committed together: a group write of this size takes 1 ms.
const GROUP_BYTES_MAX: usize = 1024 * 1024;

/// How long the capture thread waits before it tries a spool that failed again.
const RETRY_EVERY: Duration = Duration::from_millis(50);

/// How long a sequencer's thread waits for news, and how often another process's lock is tried.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the sequencer lets records gather when nobody waits for it. A commit costs two fsyncs
/// however small it is, and they delay those of the spool, which somebody does wait for.
const GATHER: Duration = Duration::from_millis(20);

/// A batch of this many records is large enough to take the next one at once.
const N_BUSY: usize = 1024;

/// Callers that wait for the sequencer.
#[derive(Default)]
pub(super) struct Hurry {
    n_waiting: Mutex<usize>,
    /// Those of them that wait for a checkpoint.
    n_for_checkpoint: AtomicUsize,
    changed: Condvar,
}

/// One caller that waits, until it is dropped.
pub(super) struct Waiting<'a> {
    hurry: &'a Hurry,
    for_checkpoint: bool,
}

impl Hurry {
    /// Keeps the sequencer from gathering for as long as the answer lives.
    pub(super) fn wait_for_it(&self, for_checkpoint: bool) -> Waiting<'_> {
        if for_checkpoint {
            self.n_for_checkpoint.fetch_add(1, Ordering::Relaxed);
        }
        *self.n_waiting.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
        Waiting { hurry: self, for_checkpoint }
    }

    /// True when somebody waits for a checkpoint.
    fn is_for_checkpoint(&self) -> bool {
        self.n_for_checkpoint.load(Ordering::Relaxed) > 0
    }

    /// Lets records gather, unless somebody waits or begins to.
    fn gather(&self) {
        let n_waiting = self.n_waiting.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(n_waiting, GATHER, |n| *n == 0));
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.for_checkpoint {
            self.hurry.n_for_checkpoint.fetch_sub(1, Ordering::Relaxed);
        }
        *self.hurry.n_waiting.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
    }
}

/// What engine and threads share.
pub(super) struct Shared {
    pub(super) ledger: Ledger,
    pub(super) options: RecorderOptions,
    pub(super) producer: Producer,
    pub(super) ring: Ring,
    pub(super) intake: Intake,
    pub(super) counters: Counters,
    pub(super) watch: Watch,
    pub(super) is_sequencer: AtomicBool,
    pub(super) trouble: Mutex<Option<String>>,
    /// Why the sequencer of this process has no checkpoint of its newest entries.
    pub(super) unsigned: Mutex<Option<String>>,
    pub(super) stop: Stop,
    pub(super) hurry: Hurry,
    pub(super) published: Published,
    pub(super) declaration: Declaration,
}

/// Says to the threads that the end has come, and when at the latest.
#[derive(Default)]
pub(super) struct Stop {
    state: Mutex<StopState>,
    changed: Condvar,
}

#[derive(Default)]
struct StopState {
    capture_by: Option<Instant>,
    sequencer_by: Option<Instant>,
    n_threads_done: usize,
}

impl Stop {
    fn with<T>(&self, look: impl FnOnce(&mut StopState) -> T) -> T {
        let result = look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
        result
    }

    pub(super) fn capture(&self, by: Instant) {
        self.with(|state| state.capture_by = Some(by));
    }

    pub(super) fn sequencer(&self, by: Instant) {
        self.with(|state| state.sequencer_by = Some(by));
    }

    pub(super) fn thread_done(&self) {
        self.with(|state| state.n_threads_done += 1);
    }

    /// Waits until `n` threads have ended, or until `deadline`.
    pub(super) fn wait_done(&self, n: usize, deadline: Instant) -> bool {
        self.wait(deadline, |state| state.n_threads_done >= n)
    }

    fn wait(&self, deadline: Instant, until: impl Fn(&StopState) -> bool) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let (state, _) = self
            .changed
            .wait_timeout_while(state, left, |state| !until(state))
            .unwrap_or_else(PoisonError::into_inner);
        until(&state)
    }

    fn capture_by(&self) -> Option<Instant> {
        self.with_read(|state| state.capture_by)
    }

    fn sequencer_by(&self) -> Option<Instant> {
        self.with_read(|state| state.sequencer_by)
    }

    fn with_read<T>(&self, look: impl FnOnce(&StopState) -> T) -> T {
        look(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = trouble.as_deref().filter(|text| last.as_deref() != Some(*text)) {
            tracing::error!(trouble = text, "modeltrail cannot go on; it tries again");
        }
        *last = trouble;
    }

    /// What the sequencer says of its checkpoints; it is trouble as well.
    fn set_unsigned(&self, why: Option<String>) {
        self.unsigned.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&why);
        self.set_trouble(why);
    }

    pub(super) fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn stats(&self) -> Stats {
        let counters = &self.counters;
        let acked = self.producer.acked_seq().unwrap_or(0);
        let lag = self.watch.lag(acked);
        let mut stats = Stats {
            n_recorded: Counters::get(&counters.n_recorded),
            n_refused: Counters::get(&counters.n_refused),
            n_dropped: Counters::get(&counters.n_dropped),
            n_sequenced: Counters::get(&counters.n_sequenced),
            n_duplicates: Counters::get(&counters.n_duplicates),
            n_conflicts: Counters::get(&counters.n_conflicts),
            n_canaries_failed: Counters::get(&counters.n_canaries_failed),
            depth: self.ring.depth() + self.producer.next_seq().saturating_sub(acked),
            lag_ms: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
            is_sequencer: self.is_sequencer.load(Ordering::Relaxed),
            ..Stats::default()
        };
        self.watch.fill(&mut stats);
        stats
    }

    /// Appends an entry of the producer's own life.
    pub(super) fn append_event(&self, event: ProducerEvent) -> Result<u64, RecordingError> {
        let seq = self.producer.next_seq();
        let next = if event == ProducerEvent::Close { seq + 1 } else { seq };
        self.append_control(&producer_control(&self.producer.id(), event, next))
    }

    /// Appends an entry of the ledger's own.
    pub(super) fn append_control(&self, control: &Control) -> Result<u64, RecordingError> {
        let frame = self.intake.with_entropy(|entropy| control_frame(control, entropy))?;
        Ok(self.producer.append(&frame.encode())?)
    }

    /// Appends a gap entry that covers `n` numbers.
    fn append_gap(&self, n: u64, reason: GapReason) -> Result<u64, RecordingError> {
        let id = self.producer.id();
        let mut failed = None;
        let seq = self.producer.append_gap(n, |first, last| {
            let control = gap_control(&id, vec![(first, last)], reason);
            match self.intake.with_entropy(|entropy| control_frame(&control, entropy)) {
                Ok(frame) => frame.encode(),
                Err(error) => {
                    failed = Some(error);
                    Vec::new()
                }
            }
        })?;
        failed.map_or(Ok(seq), Err)
    }
}

/// The capture thread: ring → redact → frame → spool.
pub(super) fn run_capture(shared: &Arc<Shared>) {
    let mut last_beat = (Instant::now(), shared.producer.next_seq());
    let mut canary = CanaryClock::start();
    loop {
        let stopping = shared.stop.capture_by();
        let n = group(shared);
        beat(shared, &mut last_beat);
        let before = shared.producer.next_seq();
        if canary.tick(shared) && before == last_beat.1 {
            // Nothing but the scan came since the last heartbeat, and it tells the number itself.
            last_beat.1 = shared.producer.next_seq();
        }
        if shared.watch.look() || n > 0 {
            shared.watch.alarm(&shared.options, &shared.stats());
        }
        if n > 0 {
            continue;
        }
        if stopping.is_some() {
            break;
        }
        shared.ring.sleep(shared.options.heartbeat.min(Duration::from_secs(1)));
    }
    shared.stop.thread_done();
}

/// Frames and commits what waits, up to a group; gives the number of records taken.
fn group(shared: &Shared) -> u64 {
    let (mut n, mut bytes, mut framed_bytes) = (0, 0, 0);
    let mut last_seq = None;
    while n < N_GROUP_MAX && framed_bytes < GROUP_BYTES_MAX {
        let Some(Slot { accepted, bytes: slot_bytes }) = shared.ring.pop() else { break };
        n += 1;
        bytes += slot_bytes;
        let appended = match shared.intake.frame_accepted(accepted) {
            Ok(frame) => {
                let frame = frame.encode();
                framed_bytes += frame.len();
                retry(shared, || {
                    shared.declare()?;
                    Ok(shared.producer.append(&frame)?)
                })
            }
            Err(error) => {
                Counters::add(&shared.counters.n_refused, 1);
                tracing::error!(%error, "an accepted record cannot be kept; a gap entry covers it");
                retry(shared, || shared.append_gap(1, GapReason::Refused))
            }
        };
        last_seq = appended.or(last_seq);
    }
    let n_uncovered = shared.counters.n_uncovered.swap(0, Ordering::Relaxed);
    if n_uncovered > 0 {
        let covered = retry(shared, || shared.append_gap(n_uncovered, GapReason::Dropped));
        last_seq = covered.or(last_seq);
    }
    if let Some(seq) = last_seq {
        shared.watch.mark(seq + 1);
        retry(shared, || Ok(shared.producer.commit(seq, Level::Spooled)?));
    }
    shared.ring.done(n, bytes);
    n + u64::from(n_uncovered > 0)
}

/// Tries until it works, or until the recorder is stopped and its time is over: what was accepted
/// is given up last.
fn retry<T>(shared: &Shared, attempt: impl Fn() -> Result<T, RecordingError>) -> Option<T> {
    loop {
        match attempt() {
            Ok(done) => {
                return Some(done);
            }
            Err(RecordingError::Spool(SpoolError::FrameTooLong { n_bytes, .. })) => {
                Counters::add(&shared.counters.n_refused, 1);
                tracing::error!(n_bytes, "an accepted record is too long for a frame");
                return shared.append_gap(1, GapReason::Refused).ok().and(None);
            }
            Err(error) => {
                shared.set_trouble(Some(error.to_string()));
                let over = shared.stop.capture_by().is_some_and(|by| by <= Instant::now());
                if over {
                    Counters::add(&shared.counters.n_dropped, 1);
                    return None;
                }
                let again = Instant::now() + RETRY_EVERY;
                shared.stop.wait(again, |_| false);
            }
        }
    }
}

/// Tells the ledger the last number from time to time, so that a lost tail shows.
fn beat(shared: &Shared, last_beat: &mut (Instant, u64)) {
    let next_seq = shared.producer.next_seq();
    if last_beat.0.elapsed() < shared.options.heartbeat || next_seq == last_beat.1 {
        return;
    }
    if let Ok(seq) = shared.append_event(ProducerEvent::Heartbeat) {
        // A heartbeat that fails is no loss; the next records say the same.
        if let Err(error) = shared.producer.commit(seq, Level::Spooled) {
            shared.set_trouble(Some(error.to_string()));
        }
        *last_beat = (Instant::now(), seq + 1);
    }
}

/// The sequencer thread: sequences while it holds the lock, and takes over when another dies.
pub(super) fn run_sequencer(shared: &Arc<Shared>, first: Option<Sequencer>) {
    if shared.options.give_way {
        give_way();
    }
    let mut sequencer = first;
    loop {
        if sequencer.is_none() {
            sequencer = take_over(shared);
        }
        shared.is_sequencer.store(sequencer.is_some(), Ordering::Relaxed);
        let stop_by = shared.stop.sequencer_by();
        let over = stop_by.is_some_and(|by| by <= Instant::now());
        let Some(active) = &mut sequencer else {
            if stop_by.is_some() {
                break;
            }
            shared.stop.wait(Instant::now() + LOOK_EVERY, |state| state.sequencer_by.is_some());
            continue;
        };
        if over {
            active.stop_publishing();
        }
        active.hurry(shared.hurry.is_for_checkpoint());
        let stepped = active.step();
        if stepped.is_ok() {
            shared.published.set(active.published());
            shared.set_unsigned(active.trouble().map(str::to_owned));
        }
        match stepped {
            Ok(step) if step.n_taken > 0 => {
                let counters = &shared.counters;
                Counters::add(&counters.n_sequenced, u64::try_from(step.n_entries).unwrap_or(0));
                Counters::add(&counters.n_duplicates, step.n_duplicates);
                Counters::add(&counters.n_conflicts, step.n_conflicts);
                if step.n_taken < N_BUSY && stop_by.is_none() {
                    shared.hurry.gather();
                }
            }
            Ok(_) if stop_by.is_some() => break,
            Ok(_) => active.wait(LOOK_EVERY),
            Err(error) => {
                if !failed(shared, &error) {
                    sequencer = None;
                }
                shared.stop.wait(Instant::now() + RETRY_EVERY, |_| false);
            }
        }
        if over {
            break;
        }
    }
    if let Some(mut sequencer) = sequencer {
        if shared.stop.sequencer_by().is_some_and(|by| by <= Instant::now()) {
            sequencer.stop_publishing();
        }
        shared.set_unsigned(sequencer.close().unwrap_or_else(|error| Some(error.to_string())));
    }
    shared.is_sequencer.store(false, Ordering::Relaxed);
    shared.stop.thread_done();
}

fn take_over(shared: &Shared) -> Option<Sequencer> {
    let opened = open_sequencer(shared);
    match opened {
        Ok(sequencer) => sequencer,
        Err(error) => {
            shared.set_trouble(Some(error.to_string()));
            None
        }
    }
}

/// Becomes the sequencer if nobody else is.
pub(super) fn open_sequencer(shared: &Shared) -> Result<Option<Sequencer>, SequencerError> {
    let dir = shared.options.spool_dir.clone().unwrap_or_else(|| shared.ledger.spool_dir());
    Sequencer::try_open_with(&shared.ledger, &dir, shared.options.spool, shared.options.sequencer)
}

/// Notes an error; true when the same sequencer may go on.
fn failed(shared: &Shared, error: &SequencerError) -> bool {
    shared.set_trouble(Some(error.to_string()));
    error.is_passing()
}
