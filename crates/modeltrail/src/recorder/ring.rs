//! The ring of accepted records: bounded by number and by bytes, and never a lock on the way in.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use modeltrail_core::Record;
use modeltrail_core::capture::Captured;

/// What waits to be framed.
pub(super) enum Accepted {
    /// A record.
    Record(Box<Record>),
    /// What a way in captured; its record is made on the capture thread.
    Captured(Box<Captured>),
}

impl Accepted {
    fn size_hint_bytes(&self) -> usize {
        match self {
            Self::Record(record) => record.size_hint_bytes(),
            Self::Captured(captured) => captured.size_hint_bytes(),
        }
    }
}

impl From<Record> for Accepted {
    fn from(record: Record) -> Self {
        Self::Record(Box::new(record))
    }
}

/// What was accepted, with the room that it takes.
pub(super) struct Slot {
    pub(super) accepted: Accepted,
    pub(super) bytes: usize,
}

/// Accepted records that wait for the capture thread.
pub(super) struct Ring {
    slots: ArrayQueue<Slot>,
    bytes: AtomicUsize,
    bytes_max: usize,
    n_pushed: AtomicU64,
    n_done: AtomicU64,
    asleep: AtomicBool,
    work: Signal,
    room: Signal,
}

/// A condition variable with a count, so that no signal is lost between looking and waiting.
#[derive(Default)]
struct Signal {
    count: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    fn count(&self) -> u64 {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn give(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// Waits until the count is another than `seen`, or until `timeout`.
    fn wait(&self, seen: u64, timeout: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.changed.wait_timeout_while(count, timeout, |count| *count == seen));
    }
}

impl Ring {
    pub(super) fn new(records_max: usize, bytes_max: usize) -> Self {
        Self {
            slots: ArrayQueue::new(records_max.max(1)),
            bytes: AtomicUsize::new(0),
            bytes_max,
            n_pushed: AtomicU64::new(0),
            n_done: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            work: Signal::default(),
            room: Signal::default(),
        }
    }

    /// Takes something, or gives it back when there is no room.
    pub(super) fn push(&self, accepted: Accepted) -> Option<Accepted> {
        let bytes = accepted.size_hint_bytes();
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // One record alone may be larger than the bound.
        if before > 0 && before + bytes > self.bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Some(accepted);
        }
        if let Err(slot) = self.slots.push(Slot { accepted, bytes }) {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            return Some(slot.accepted);
        }
        self.n_pushed.fetch_add(1, Ordering::Release);
        // The other side says that it sleeps before it looks for the last time, so one of the two
        // sees the other.
        if self.asleep.swap(false, Ordering::SeqCst) {
            self.work.give();
        }
        None
    }

    /// Waits for room until `deadline`, trying again each time some is made.
    pub(super) fn push_until(&self, accepted: Accepted, deadline: Instant) -> Option<Accepted> {
        let mut accepted = accepted;
        loop {
            let seen = self.room.count();
            accepted = self.push(accepted)?;
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Some(accepted);
            }
            self.wake();
            self.room.wait(seen, left);
        }
    }

    pub(super) fn pop(&self) -> Option<Slot> {
        self.slots.pop()
    }

    /// Says that `n` records of `bytes` together are done with.
    pub(super) fn done(&self, n: u64, bytes: usize) {
        if n == 0 {
            return;
        }
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.n_done.fetch_add(n, Ordering::Release);
        self.room.give();
    }

    /// Sleeps until something is pushed, [`Ring::wake`] is called, or `timeout`.
    pub(super) fn sleep(&self, timeout: Duration) {
        let seen = self.work.count();
        self.asleep.store(true, Ordering::SeqCst);
        if self.slots.is_empty() {
            self.work.wait(seen, timeout);
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Wakes the capture thread.
    pub(super) fn wake(&self) {
        self.work.give();
    }

    pub(super) fn n_pushed(&self) -> u64 {
        self.n_pushed.load(Ordering::Acquire)
    }

    /// Records that wait.
    pub(super) fn depth(&self) -> u64 {
        self.n_pushed().saturating_sub(self.n_done.load(Ordering::Acquire))
    }

    /// Waits until the first `n` records are done with; false when `deadline` came first.
    pub(super) fn wait_done(&self, n: u64, deadline: Instant) -> bool {
        loop {
            let seen = self.room.count();
            if self.n_done.load(Ordering::Acquire) >= n {
                return true;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.wake();
            self.room.wait(seen, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(n: usize) -> Accepted {
        Record::prediction("m", "1").input(serde_json::Value::String("x".repeat(n))).into()
    }

    #[test]
    fn both_bounds_hold_and_one_large_record_passes() {
        let ring = Ring::new(2, 10_000);
        assert!(ring.push(record(50_000)).is_none(), "alone it may be larger than the bound");
        assert!(ring.push(record(1)).is_some());
        let slot = ring.pop().unwrap();
        ring.done(1, slot.bytes);
        assert!(ring.push(record(1)).is_none() && ring.push(record(1)).is_none());
        assert!(ring.push(record(1)).is_some(), "two places");
        assert_eq!(ring.depth(), 2);
    }

    #[test]
    fn a_pusher_waits_for_room_and_a_flush_for_the_end() {
        let ring = Ring::new(1, usize::MAX);
        assert!(ring.push(record(1)).is_none());
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| {
                ring.push_until(record(1), Instant::now() + Duration::from_secs(60)).is_none()
            });
            let mut n_popped = 0;
            while n_popped < 2 {
                ring.sleep(Duration::from_secs(60));
                if let Some(slot) = ring.pop() {
                    ring.done(1, slot.bytes);
                    n_popped += 1;
                }
            }
            assert!(waits.join().unwrap());
        });
        assert!(ring.wait_done(2, Instant::now()));
        assert!(!ring.wait_done(3, Instant::now()));
    }
}
