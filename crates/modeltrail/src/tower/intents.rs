//! Writes intents, which wait for a disk, on threads of its own, so that no thread that polls does.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use modeltrail_core::capture::Ending;

use super::flight::Shared;
use crate::in_flight::InFlight;
use crate::recorder::RecordingError;

/// Threads that wait for the disk. One sync serves all that wait for it, so with a disk that takes 1 ms these write
/// some 16,000 intents a second.
const N_THREADS: usize = 16;

/// Most intents that wait for a thread: half a second of them with a disk that takes 8 ms.
const N_WAITING_MAX: usize = 1024;

/// The threads, which are started with the first intent and end with the last clone.
#[derive(Clone, Default, Debug)]
pub(super) struct Intents {
    jobs: Arc<OnceLock<Result<SyncSender<Job>, RecordingError>>>,
}

impl Intents {
    /// Writes the intent of a request.
    pub(super) fn write(&self, flight: InFlight, shared: &Arc<Shared>) -> Writing {
        let slot = Arc::new(Mutex::new(Slot::default()));
        let held = Held { flight: Some(flight), shared: shared.clone() };
        let mut job = Job { held: Some(held), slot: Arc::downgrade(&slot) };
        match self.jobs.get_or_init(start) {
            Err(error) => job.done(Err(error.clone())),
            Ok(jobs) => match jobs.try_send(job) {
                Ok(()) => {}
                Err(TrySendError::Full(mut job)) => {
                    job.done(Err(RecordingError::Full("too many intents wait for the disk")));
                }
                Err(TrySendError::Disconnected(mut job)) => job.done(Err(ended())),
            },
        }
        Writing { slot }
    }
}

/// A request in flight that ends as one that nobody waits for, unless it is taken.
#[derive(Debug)]
struct Held {
    flight: Option<InFlight>,
    shared: Arc<Shared>,
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(flight) = self.flight.take() {
            // An error is told there.
            let _told = self.shared.end(flight, Ending::ClientDisconnected);
        }
    }
}

#[derive(Debug)]
struct Job {
    held: Option<Held>,
    slot: Weak<Mutex<Slot>>,
}

impl Job {
    fn run(mut self) {
        let flight = self.held.as_mut().and_then(|held| held.flight.as_mut());
        let result = flight.map_or(Ok(()), InFlight::intent);
        self.done(result);
    }

    /// Says so to who waits. If nobody does, the request ends here.
    fn done(&mut self, result: Result<(), RecordingError>) {
        let held = self.held.take();
        let Some(slot) = self.slot.upgrade() else { return };
        let mut slot = lock(&slot);
        slot.done = Some((held, result));
        if let Some(waker) = slot.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // Where writing it panicked, nobody has been told.
        if self.held.is_some() {
            self.done(Err(ended()));
        }
    }
}

/// Where a request waits for its intent.
#[derive(Default, Debug)]
struct Slot {
    waker: Option<Waker>,
    done: Option<(Option<Held>, Result<(), RecordingError>)>,
}

/// An intent that is being written: gives the request back, and whether it was.
#[derive(Debug)]
pub(super) struct Writing {
    slot: Arc<Mutex<Slot>>,
}

impl Future for Writing {
    type Output = (Option<InFlight>, Result<(), RecordingError>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = lock(&self.slot);
        match slot.done.take() {
            Some((held, result)) => {
                Poll::Ready((held.and_then(|mut held| held.flight.take()), result))
            }
            None => {
                slot.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ended() -> RecordingError {
    RecordingError::System("the threads that write intents have ended".into())
}

fn start() -> Result<SyncSender<Job>, RecordingError> {
    let (jobs, receiver) = sync_channel(N_WAITING_MAX);
    let receiver = Arc::new(Mutex::new(receiver));
    for _ in 0..N_THREADS {
        let receiver = receiver.clone();
        std::thread::Builder::new()
            .name("modeltrail-intent".into())
            .spawn(move || write_all(&receiver))
            .map_err(|error| RecordingError::System(format!("no thread: {error}").into()))?;
    }
    Ok(jobs)
}

fn write_all(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        job.run();
    }
}
