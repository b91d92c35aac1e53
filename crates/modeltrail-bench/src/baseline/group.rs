//! Of `spooled-many`: a bare group commit. Threads hand in frames and wait; one committer writes
//! what has come together and syncs it. No encryption, no check sums, no numbers.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::sync::preallocated;
use crate::Result;

/// A ring of 256 MiB: each run writes it about once.
const RING_BYTES: u64 = 256 << 20;

/// Frames on their way to one file.
pub(crate) struct GroupCommit {
    file: File,
    at: u64,
}

struct Queue {
    state: Mutex<State>,
    work: Condvar,
    /// Who waits for an even group and who for an odd one, so that a sync wakes its own alone.
    done: [Condvar; 2],
}

struct State {
    pending: Vec<u8>,
    /// The group that `pending` is.
    group: u64,
    /// Every group below is on the disk.
    durable: u64,
    closed: bool,
    failed: bool,
}

impl GroupCommit {
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        Ok(Self { file: preallocated(&dir.join("group-commit"), RING_BYTES)?, at: 0 })
    }

    /// Lets each slice of frames be handed in by a thread of its own, each frame after the one
    /// before is on the disk. Returns frames per second.
    pub(crate) fn round(&mut self, by_thread: &[&[Vec<u8>]]) -> Result<f64> {
        let queue = Queue {
            state: Mutex::new(State {
                pending: Vec::new(),
                group: 0,
                durable: 0,
                closed: false,
                failed: false,
            }),
            work: Condvar::new(),
            done: [Condvar::new(), Condvar::new()],
        };
        let begun = Instant::now();
        let committed = std::thread::scope(|scope| {
            let committer = scope.spawn(|| self.commit(&queue));
            let waiters: Vec<_> = by_thread
                .iter()
                .map(|frames| scope.spawn(|| frames.iter().all(|frame| queue.append(frame))))
                .collect();
            let appended = waiters.into_iter().all(|waiter| waiter.join().unwrap_or(false));
            queue.lock().closed = true;
            queue.work.notify_one();
            let result = committer.join().map_err(|_| "the committer panicked")?;
            result?;
            if appended {
                Ok::<_, crate::Failure>(begun.elapsed())
            } else {
                Err("a sync failed".into())
            }
        })?;
        let n: usize = by_thread.iter().map(|frames| frames.len()).sum();
        Ok(n as f64 / committed.as_secs_f64())
    }

    fn commit(&mut self, queue: &Queue) -> Result<()> {
        let mut group = Vec::new();
        loop {
            group.clear();
            let number = {
                let mut state = queue.lock();
                while state.pending.is_empty() && !state.closed {
                    state = queue.work.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.pending.is_empty() {
                    return Ok(());
                }
                std::mem::swap(&mut state.pending, &mut group);
                state.group += 1;
                state.group - 1
            };
            let written = self.write(&group);
            let mut state = queue.lock();
            state.durable = number + 1;
            state.failed |= written.is_err();
            drop(state);
            queue.done(number).notify_all();
            written?;
        }
    }

    fn write(&mut self, group: &[u8]) -> Result<()> {
        let n_bytes = u64::try_from(group.len())?;
        if self.at + n_bytes > RING_BYTES {
            self.at = 0;
        }
        self.file.write_all_at(group, self.at)?;
        self.at += n_bytes;
        Ok(self.file.sync_data()?)
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn done(&self, group: u64) -> &Condvar {
        let [even, odd] = &self.done;
        if group.is_multiple_of(2) { even } else { odd }
    }

    /// True when the frame is on the disk.
    fn append(&self, frame: &[u8]) -> bool {
        let n_bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let mut state = self.lock();
        let first = state.pending.is_empty();
        state.pending.extend_from_slice(&n_bytes.to_be_bytes());
        state.pending.extend_from_slice(frame);
        let group = state.group;
        if first {
            self.work.notify_one();
        }
        let done = self.done(group);
        while state.durable <= group && !state.failed {
            state = done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        !state.failed
    }
}
