//! What producers and the sequencer of one process tell each other without the disk: a commit
//! wakes the sequencer, an ack wakes who waits for it. Other processes are found by polling.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::ProducerId;
use crate::disk::Disk;

/// How far a producer of this process is.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// The first number not handed to the kernel.
    pub(crate) written_seq: AtomicU64,
    /// The first number not acknowledged by a sequencer in this process.
    pub(crate) acked_seq: AtomicU64,
}

/// The meeting point of one spool directory in one process.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    commits: Bell,
    acks: Bell,
    progress: Mutex<BTreeMap<ProducerId, Weak<Progress>>>,
}

impl Hub {
    /// The hub of a directory; all callers in a process get the same one.
    pub(crate) fn of(disk: &dyn Disk, dir: &Path) -> Arc<Self> {
        let pid = disk.process_id();
        let mut hubs = hubs_of(pid);
        if hubs.pid != pid {
            *hubs = Hubs { pid, hubs: BTreeMap::new() };
        }
        hubs.hubs.retain(|_, hub| hub.strong_count() > 0);
        let key = (disk.id(), dir.to_path_buf());
        if let Some(hub) = hubs.hubs.get(&key).and_then(Weak::upgrade) {
            return hub;
        }
        let hub = Arc::new(Self::default());
        hubs.hubs.insert(key, Arc::downgrade(&hub));
        hub
    }

    /// Enters a producer of this process.
    pub(crate) fn enter(&self, producer: ProducerId) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        let mut all = lock(&self.progress);
        all.retain(|_, progress| progress.strong_count() > 0);
        all.insert(producer, Arc::downgrade(&progress));
        progress
    }

    /// The progress of a producer, if it lives in this process.
    pub(crate) fn progress(&self, producer: &ProducerId) -> Option<Arc<Progress>> {
        lock(&self.progress).get(producer).and_then(Weak::upgrade)
    }

    /// Rings when frames were handed to the kernel.
    pub(crate) fn commits(&self) -> &Bell {
        &self.commits
    }

    /// Rings when frames were acknowledged.
    pub(crate) fn acks(&self) -> &Bell {
        &self.acks
    }
}

/// A counter one can wait on. Ringing it costs one atomic addition while nobody waits.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    n_rings: AtomicU64,
    waited_for: AtomicBool,
    mutex: Mutex<()>,
    condvar: Condvar,
}

impl Bell {
    /// How often it rang.
    pub(crate) fn n_rings(&self) -> u64 {
        self.n_rings.load(Ordering::SeqCst)
    }

    /// Rings.
    pub(crate) fn ring(&self) {
        self.n_rings.fetch_add(1, Ordering::SeqCst);
        // Both sides write their own and then read the other's variable, in one total order: a
        // waiter that misses the ring has set its mark before, and is seen here.
        if self.waited_for.swap(false, Ordering::SeqCst) {
            drop(lock(&self.mutex));
            self.condvar.notify_all();
        }
    }

    /// Waits until it rings; false when the time is over first. Returns at once if it has rung
    /// since it had rung `seen` times.
    pub(crate) fn wait(&self, seen: u64, timeout: Duration) -> bool {
        let deadline = Instant::now().checked_add(timeout);
        let mut left = timeout;
        let mut guard = lock(&self.mutex);
        loop {
            self.waited_for.store(true, Ordering::SeqCst);
            if self.n_rings() != seen {
                return true;
            }
            let waited = self.condvar.wait_timeout(guard, left);
            let (again, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
            if outcome.timed_out() {
                // Even if it rang at this moment: the next wait returns at once then.
                return false;
            }
            guard = again;
            left = deadline.map_or(left, |at| at.saturating_duration_since(Instant::now()));
        }
    }
}

#[derive(Debug)]
struct Hubs {
    pid: u32,
    hubs: BTreeMap<(u64, PathBuf), Weak<Hub>>,
}

/// As with the list of held locks: a forked child must not meet a mutex that a thread of its
/// parent held, so each process number has its own, 256 of them.
const N_HUBS: usize = 256;

static HUBS: [Mutex<Hubs>; N_HUBS] =
    [const { Mutex::new(Hubs { pid: 0, hubs: BTreeMap::new() }) }; N_HUBS];

fn hubs_of(pid: u32) -> MutexGuard<'static, Hubs> {
    let [first, ..] = &HUBS;
    let slot = usize::try_from(pid).unwrap_or(0) % N_HUBS;
    lock(HUBS.get(slot).unwrap_or(first))
}

/// Locks; a thread that panicked elsewhere has left nothing half-done here.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
