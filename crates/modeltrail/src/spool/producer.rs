//! The producer's side: numbers, the pending buffer and group commit.

use std::fmt;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::counters::{ProducerCounters, Tally};
use super::error::{At, if_there};
use super::format::{ACK_BYTES, decode_ack, push_slot, slot_bytes};
use super::hub::{Hub, Progress, lock};
use super::identity::take_new_id;
use super::names;
use super::writer::Writer;
use super::{FRAME_BYTES_MAX, Place, ProducerId, SpoolError, SpoolOptions};
use crate::disk::{Disk, DiskFile, DiskLock, RealDisk};

/// What [`Producer::commit`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The frame was handed to the kernel: it survives the end of the process, not of the power.
    Written,
    /// `fdatasync` returned: it survives both.
    Spooled,
}

/// A failed round of the group commit.
struct Failure {
    round: u64,
    below_seq: u64,
    error: SpoolError,
}

struct State {
    /// Frames appended and not taken by a leader, as unsealed slots.
    pending: Vec<u8>,
    next_seq: u64,
    written_seq: u64,
    durable_seq: u64,
    /// The last round that began.
    round: u64,
    /// Frames below were taken by that round or one before.
    taken_seq: u64,
    /// Bytes of frames taken and not durable.
    held_bytes: usize,
    /// `None` while a leader has it.
    writer: Option<Writer>,
    failure: Option<Failure>,
    /// Parked until the round that will serve them has ended, odd and even: for [`Level::Spooled`].
    served: [Vec<Thread>; 2],
    /// Parked until their frames are with the kernel: for [`Level::Written`].
    written: Vec<Thread>,
    closed: bool,
}

impl State {
    fn has_reached(&self, seq: u64, level: Level) -> bool {
        match level {
            Level::Written => seq < self.written_seq,
            Level::Spooled => seq < self.durable_seq,
        }
    }

    fn served_by(&mut self, round: u64) -> &mut Vec<Thread> {
        let [even, odd] = &mut self.served;
        if round.is_multiple_of(2) { even } else { odd }
    }
}

/// One process's way into the spool; used from many threads.
///
/// It numbers frames from 0 without holes, under an id of its own. It belongs to the process that
/// opened it: in a forked child every method that can fail answers [`SpoolError::Forked`], and
/// touches no lock before it does. Dropping it commits what is pending as well as it can;
/// [`Producer::close`] says whether that worked.
///
/// Commits are grouped without a thread of their own: the first caller that waits becomes the
/// leader, takes everything pending, writes it with one call, syncs, and wakes the others. A
/// single caller hands nothing to anybody. Appends go on meanwhile. Those who wait are parked and
/// need no lock when they wake: with many callers on few cores, a lock that all of them want at
/// once costs more than the sync.
pub struct Producer {
    pid: u32,
    id: ProducerId,
    place: Place,
    tally: Arc<Tally>,
    hub: Arc<Hub>,
    progress: Arc<Progress>,
    state: Mutex<State>,
    lock: Mutex<Option<Box<dyn DiskLock>>>,
    ack_file: Mutex<Option<Box<dyn DiskFile>>>,
}

impl Producer {
    /// Opens a producer with an id of its own in the spool directory `dir` of the ledger
    /// `origin`, and makes the directory if it is missing.
    ///
    /// # Errors
    ///
    /// [`SpoolError::BadOption`]; [`SpoolError::ForeignOrigin`] when the directory holds frames
    /// of another ledger; [`SpoolError::Io`].
    pub fn open_dir(
        dir: &Path,
        options: SpoolOptions,
        origin: [u8; 32],
    ) -> Result<Self, SpoolError> {
        Self::open(Arc::new(RealDisk), dir, options, origin)
    }

    /// [`Producer::open_dir`] on any disk.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: SpoolOptions,
        origin: [u8; 32],
    ) -> Result<Self, SpoolError> {
        let place = Place::open(disk, dir, options, origin)?;
        place.check_origins()?;
        let (id, lock) = take_new_id(&place)?;
        let hub = Hub::of(place.disk.as_ref(), &place.dir);
        let tally = Arc::new(Tally::default());
        let state = State {
            pending: Vec::new(),
            next_seq: 0,
            written_seq: 0,
            durable_seq: 0,
            round: 0,
            taken_seq: 0,
            held_bytes: 0,
            writer: Some(Writer::new(place.clone(), id, Arc::clone(&tally))),
            failure: None,
            served: [Vec::new(), Vec::new()],
            written: Vec::new(),
            closed: false,
        };
        Ok(Self {
            pid: place.disk.process_id(),
            id,
            progress: hub.enter(id),
            hub,
            place,
            tally,
            state: Mutex::new(state),
            lock: Mutex::new(Some(lock)),
            ack_file: Mutex::new(None),
        })
    }

    /// The producer's id, drawn at random.
    #[must_use]
    pub fn id(&self) -> ProducerId {
        self.id
    }

    /// Takes a frame into memory and answers its number. Nothing is promised before
    /// [`Producer::commit`]. When the buffer is full, what is in it is committed first.
    ///
    /// # Errors
    ///
    /// The frame is then not taken and its number not used: [`SpoolError::FrameTooLong`],
    /// [`SpoolError::Closed`], [`SpoolError::Forked`], or, when the buffer is full, an error of
    /// the commit.
    pub fn append(&self, frame: &[u8]) -> Result<u64, SpoolError> {
        let mut state = self.state_with_room(frame.len())?;
        self.push(&mut state, 0, frame)
    }

    /// Skips `n_lost` numbers and appends the frame that covers them, which `make` builds from
    /// the first and the last of them. Answers the number of that frame.
    ///
    /// # Errors
    ///
    /// As [`Producer::append`], and [`SpoolError::BadGap`] if `n_lost` is 0; no number is then
    /// used.
    pub fn append_gap(
        &self,
        n_lost: u64,
        make: impl FnOnce(u64, u64) -> Vec<u8>,
    ) -> Result<u64, SpoolError> {
        let mut state = self.state_with_room(0)?;
        let next_seq = state.next_seq;
        let to_seq = n_lost.checked_sub(1).and_then(|more| next_seq.checked_add(more));
        let Some(to_seq) = to_seq.filter(|to_seq| *to_seq < u64::MAX - 1) else {
            return Err(SpoolError::BadGap { n_lost, next_seq });
        };
        // Under the lock: the numbers must not move while the frame is made.
        let frame = make(next_seq, to_seq);
        check_length(frame.len())?;
        self.push(&mut state, n_lost, &frame)
    }

    /// Waits until frame `seq`, and every one before it, has reached `level`.
    ///
    /// # Errors
    ///
    /// After an error nothing is promised about the frame, and nothing is lost either: it stays
    /// in memory, and the next commit, of any frame, tries again in a new segment.
    /// [`SpoolError::Full`], [`SpoolError::Io`], [`SpoolError::NotAppended`],
    /// [`SpoolError::Forked`].
    pub fn commit(&self, seq: u64, level: Level) -> Result<(), SpoolError> {
        self.check_process()?;
        let mut state = self.state();
        if seq >= state.next_seq {
            return Err(SpoolError::NotAppended { seq, next_seq: state.next_seq });
        }
        // A failure counts for this caller if the round could have had its frame: one under way
        // now, or a later one.
        let first_round = state.round + u64::from(state.writer.is_some());
        loop {
            if state.has_reached(seq, level) {
                return Ok(());
            }
            if let Some(failure) = &state.failure
                && failure.round >= first_round
                && seq < failure.below_seq
            {
                return Err(failure.error.clone());
            }
            match state.writer.take() {
                Some(writer) => self.lead(state, writer, level),
                None => Self::wait(state, seq, level),
            }
            let below = match level {
                Level::Written => &self.progress.written_seq,
                Level::Spooled => &self.tally.durable_seq,
            };
            if seq < below.load(Ordering::Acquire) {
                return Ok(());
            }
            state = self.state();
        }
    }

    /// The number that the next frame gets.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.tally.next_seq.load(Ordering::Acquire)
    }

    /// The first number that is not known to be durable: every frame below is spooled.
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.tally.durable_seq.load(Ordering::Acquire)
    }

    /// Counters since the producer was opened.
    #[must_use]
    pub fn counters(&self) -> ProducerCounters {
        let durable_seq = self.durable_seq();
        ProducerCounters {
            n_appended: self.tally.n_appended.load(Ordering::Relaxed),
            appended_bytes: self.tally.appended_bytes.load(Ordering::Relaxed),
            n_syncs: self.tally.n_syncs.load(Ordering::Relaxed),
            n_sync_failures: self.tally.n_sync_failures.load(Ordering::Relaxed),
            n_pending: self.next_seq().saturating_sub(durable_seq),
        }
    }

    /// The first number that is not known to be in the store: every frame below was acknowledged
    /// by the sequencer. A hint: after a power loss it may be lower than it was.
    ///
    /// # Errors
    ///
    /// [`SpoolError::Forked`]; [`SpoolError::Io`] when the ack file is there and cannot be read.
    pub fn acked_seq(&self) -> Result<u64, SpoolError> {
        self.check_process()?;
        let here = self.progress.acked_seq.load(Ordering::Acquire);
        let path = self.place.dir.join(names::ack(&self.id));
        let mut file = lock(&self.ack_file);
        if file.is_none() {
            *file = if_there(self.place.disk.open(&path)).at("open", &path)?;
        }
        let Some(file) = file.as_ref() else { return Ok(here) };
        let mut bytes = [0; ACK_BYTES];
        file.read_at(&mut bytes, 0).at("read", &path)?;
        // Torn when it was being written: the next look finds it whole.
        Ok(decode_ack(&bytes, &self.id).unwrap_or(0).max(here))
    }

    /// Waits until frame `seq` is acknowledged by the sequencer; false when the time is over.
    /// A sequencer in this process wakes the waiter, one elsewhere is polled.
    ///
    /// # Errors
    ///
    /// As [`Producer::acked_seq`].
    pub fn wait_acked(&self, seq: u64, timeout: Duration) -> Result<bool, SpoolError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let n_rings = self.hub.acks().n_rings();
            if self.acked_seq()? > seq {
                return Ok(true);
            }
            let left = deadline.map_or(timeout, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Ok(false);
            }
            self.hub.acks().wait(n_rings, left.min(self.place.options.poll()));
        }
    }

    /// Commits everything at [`Level::Spooled`], refuses further frames and lets go of the lock,
    /// so that the sequencer knows that nothing more will come.
    ///
    /// # Errors
    ///
    /// As [`Producer::commit`]; the producer then stays open, and closing can be tried again.
    pub fn close(&self) -> Result<(), SpoolError> {
        self.check_process()?;
        loop {
            let mut state = self.state();
            let Some(last) = state.next_seq.checked_sub(1) else {
                state.closed = true;
                break;
            };
            if state.has_reached(last, Level::Spooled) && state.writer.is_some() {
                state.closed = true;
                // Closes the segment.
                state.writer = Some(self.new_writer());
                break;
            }
            drop(state);
            self.commit(last, Level::Spooled)?;
        }
        lock(&self.lock).take();
        self.hub.commits().ring();
        Ok(())
    }

    fn new_writer(&self) -> Writer {
        Writer::new(self.place.clone(), self.id, Arc::clone(&self.tally))
    }

    /// Answers before any lock is touched: a forked child inherits locks that nobody will open.
    fn check_process(&self) -> Result<(), SpoolError> {
        if self.place.disk.process_id() == self.pid {
            return Ok(());
        }
        Err(SpoolError::Forked { opened_by: self.pid })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// The state, once there is room for a frame of that length.
    fn state_with_room(&self, n_bytes: usize) -> Result<MutexGuard<'_, State>, SpoolError> {
        self.check_process()?;
        check_length(n_bytes)?;
        loop {
            let state = self.state();
            if state.closed {
                return Err(SpoolError::Closed);
            }
            let used = state.pending.len() + state.held_bytes;
            let Some(last) = state.next_seq.checked_sub(1).filter(|_| used > 0) else {
                return Ok(state);
            };
            if used + slot_bytes(n_bytes) <= self.place.options.pending_bytes_max {
                return Ok(state);
            }
            drop(state);
            self.commit(last, Level::Spooled)?;
        }
    }

    fn push(&self, state: &mut State, n_lost: u64, frame: &[u8]) -> Result<u64, SpoolError> {
        let next_seq = state.next_seq;
        let seq = next_seq.checked_add(n_lost).filter(|seq| *seq < u64::MAX);
        let Some(seq) = seq else { return Err(SpoolError::BadGap { n_lost, next_seq }) };
        push_slot(&mut state.pending, seq, self.place.disk.now_us(), frame);
        state.next_seq = seq + 1;
        self.tally.next_seq.store(state.next_seq, Ordering::Release);
        self.tally.n_appended.fetch_add(1, Ordering::Relaxed);
        self.tally.appended_bytes.fetch_add(frame.len() as u64, Ordering::Relaxed);
        Ok(seq)
    }

    /// One round: everything pending, for everybody who waits for it.
    fn lead(&self, mut state: MutexGuard<'_, State>, mut writer: Writer, level: Level) {
        let sync =
            level == Level::Spooled || state.served.iter().any(|waiting| !waiting.is_empty());
        let fresh = std::mem::replace(&mut state.pending, writer.spare());
        state.round += 1;
        let round = state.round;
        state.taken_seq = state.next_seq;
        state.held_bytes += fresh.len();
        let below_seq = state.taken_seq;
        drop(state);

        let outcome = writer.run(fresh, sync, || self.on_written(below_seq));

        let mut state = self.state();
        state.durable_seq = state.durable_seq.max(writer.durable_seq());
        self.tally.durable_seq.store(state.durable_seq, Ordering::Release);
        state.held_bytes = writer.held_bytes();
        state.writer = Some(writer);
        if let Err(error) = outcome {
            state.failure = Some(Failure { round, below_seq, error });
        }
        let next_leader = state.served_by(round + 1).pop();
        let served = std::mem::take(state.served_by(round));
        let written = std::mem::take(&mut state.written);
        drop(state);
        // First who writes next, so that the disk has work while the others go on.
        next_leader.into_iter().chain(served).chain(written).for_each(|thread| thread.unpark());
    }

    fn on_written(&self, below_seq: u64) {
        let mut state = self.state();
        state.written_seq = state.written_seq.max(below_seq);
        let written = std::mem::take(&mut state.written);
        drop(state);
        self.progress.written_seq.fetch_max(below_seq, Ordering::Release);
        written.into_iter().for_each(|thread| thread.unpark());
        self.hub.commits().ring();
    }

    /// Parks until a round has ended, or for nothing: the caller looks again.
    fn wait(mut state: MutexGuard<'_, State>, seq: u64, level: Level) {
        let round = state.round + u64::from(seq >= state.taken_seq);
        match level {
            Level::Written => state.written.push(thread::current()),
            Level::Spooled => state.served_by(round).push(thread::current()),
        }
        drop(state);
        thread::park();
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without what is pending: frames have no place in a log line.
        let (id, next_seq) = (names::hex(&self.id), self.next_seq());
        f.debug_struct("Producer")
            .field("id", &id)
            .field("next_seq", &next_seq)
            .finish_non_exhaustive()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if self.place.disk.process_id() == self.pid
            && let Err(error) = self.close()
        {
            tracing::warn!(%error, "frames of a dropped spool producer were not committed");
        }
    }
}

fn check_length(n_bytes: usize) -> Result<(), SpoolError> {
    if n_bytes <= FRAME_BYTES_MAX {
        return Ok(());
    }
    Err(SpoolError::FrameTooLong { n_bytes, n_bytes_max: FRAME_BYTES_MAX })
}
