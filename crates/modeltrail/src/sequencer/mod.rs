//! The sequencer: the only writer of a ledger. It takes frames from the spool, gives each an index
//! and a leaf, commits a batch in one transaction, and acknowledges what it took.

mod batcher;
mod error;
mod intents;
mod open;

#[cfg(test)]
mod tests;

pub use error::SequencerError;
pub use open::is_sequenced;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use modeltrail_core::Frame;
use modeltrail_core::anchor::Anchor;
use modeltrail_core::control::{Control, GapReason, Producer, ProducerEvent};
use modeltrail_core::record::Redacted;

use crate::anchor_file;
use crate::clock;
use crate::disk::DiskLock;
use crate::entropy::Entropy;
use crate::ledger::Ledger;
use crate::publish::{PublishOptions, Publisher};
use crate::spool::{Consumer, Item, ProducerId};
use crate::store::{Batch, ProducerState, Store, Tip};
use batcher::{Batcher, Seen, Settled};
use intents::OpenIntents;

/// Most frames of a batch. Large batches touch each page of a random index once for several entries;
/// 4,096 records of 1.4 KB hold 6 MB of memory and 100 ms of work, which is what a waiting caller can
/// be asked to wait at full load.
const N_BATCH_MAX: usize = 4096;

/// Most frame bytes of a batch, so that large records do not make it large in memory.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most batches whose acknowledgement waits for a checkpoint; more are put together. What waits for
/// each is a number for each producer.
const N_HELD_MAX: usize = 1024;

/// Version written into producer entries.
pub(crate) const SOFTWARE: &str = concat!("modeltrail/", env!("CARGO_PKG_VERSION"));

/// When the spool may forget a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Trim {
    /// When the ledger's transaction is durable.
    #[default]
    Sequenced,
    /// When a signed checkpoint covers it, and the entry that the store gives back is the record that
    /// lies in the spool. Callers that wait for [`crate::Ack::Sequenced`] then wait as long, and
    /// the spool must hold what comes in between two checkpoints, or while no key can sign.
    Published,
}

/// How a sequencer works.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SequencerOptions {
    /// How often checkpoints are published, where the ledger has a key.
    pub publish: PublishOptions,
    /// When the spool may forget a record. Processes that share a spool should agree on it.
    pub trim: Trim,
}

/// Numbers that are acknowledged once a checkpoint of this size is published.
struct Held {
    size: u64,
    acks: Vec<(ProducerId, u64)>,
}

/// What one [`Sequencer::step`] did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Step {
    /// Items taken from the spool; 0 when nothing was there.
    pub n_taken: usize,
    /// Entries appended.
    pub n_entries: usize,
    /// Records that were there already.
    pub n_duplicates: u64,
    /// Records whose request id held another one.
    pub n_conflicts: u64,
}

/// A batch that could not be committed yet, and what is to be acknowledged when it is.
struct Waiting {
    batch: Batch,
    acks: Vec<(ProducerId, u64)>,
    own_next: Option<u64>,
    step: Step,
}

/// The sequencer of one ledger.
pub struct Sequencer {
    ledger: Ledger,
    store: Box<dyn Store>,
    consumer: Consumer,
    tip: Tip,
    known: HashMap<ProducerId, ProducerState>,
    intents: OpenIntents,
    spool_dir: PathBuf,
    /// Taken from the spool, which hands nothing out twice, until a batch is made of them.
    items: Vec<Item>,
    entropy: Entropy,
    own_id: ProducerId,
    own_next: u64,
    waiting: Option<Waiting>,
    publisher: Publisher,
    /// False once there is no time left for it.
    publishes: bool,
    trim: Trim,
    held: VecDeque<Held>,
    /// Size of the last head that was written outside the database.
    noted_size: u64,
    /// The store of the epoch before, while what waits in its spool is taken into this one.
    before: Option<Box<dyn Store>>,
    _lock: Option<Box<dyn DiskLock>>,
}

impl Sequencer {
    /// Takes what is in the spool, up to a batch, commits it, and publishes a checkpoint if one is
    /// due.
    ///
    /// # Errors
    /// When the batch cannot be committed; the same batch is tried again at the next step. After
    /// [`crate::store::StoreError::Conflict`] nothing more can be sequenced here, nor when the ledger is not what
    /// it was.
    pub fn step(&mut self) -> Result<Step, SequencerError> {
        let step = self.sequence()?;
        self.publish(false)?;
        Ok(step)
    }

    fn sequence(&mut self) -> Result<Step, SequencerError> {
        if self.waiting.is_none() {
            if self.items.is_empty() {
                self.items = self.take_items()?;
            }
            if self.items.is_empty() {
                // One that could not be written after the last commit.
                self.write_head()?;
                return Ok(Step::default());
            }
            self.waiting = Some(self.make_batch()?);
            self.items.clear();
        }
        self.commit()
    }

    fn take_items(&mut self) -> Result<Vec<Item>, SequencerError> {
        let (store, before, trim) = (&self.store, &self.before, self.trim);
        let items = self.consumer.next_batch(N_BATCH_MAX, BATCH_BYTES_MAX, |producer| {
            // Frames below are skipped unread, and trimmed. Should the store not answer, nothing is
            // skipped, and the batcher asks again.
            let next = |store: &dyn Store| store.producer(producer).unwrap_or_default().next_seq;
            match (trim, before) {
                // They have to be held against their entries first.
                (Trim::Published, None) => 0,
                (_, Some(before)) => next(before.as_ref()).max(next(store.as_ref())),
                (Trim::Sequenced, None) => next(store.as_ref()),
            }
        })?;
        Ok(items)
    }

    /// Makes a batch of the items, which stay: what fails here is tried again with the same ones.
    fn make_batch(&mut self) -> Result<Waiting, SequencerError> {
        let batch = Batch::new(self.tip.clone());
        let seen = match self.trim {
            Trim::Published => Seen::Prove(self.publisher.last()),
            Trim::Sequenced => Seen::PassOver,
        };
        let mut batcher =
            Batcher::new(batch, self.store.as_ref(), &self.known, &self.spool_dir, seen);
        if self.before.is_some() {
            batcher.goes_on();
        }
        let (items, intents) = (&self.items, &self.intents);
        self.store.in_one_read(&mut || {
            items.iter().try_for_each(|item| batcher.take(item))?;
            batcher.settle(intents)
        })?;
        let done = batcher.finish();
        let mut waiting = Waiting {
            batch: done.batch,
            acks: done.acks,
            own_next: None,
            step: Step {
                n_taken: self.items.len(),
                n_entries: 0,
                n_duplicates: done.n_duplicates,
                n_conflicts: done.n_conflicts,
            },
        };
        self.push_own(&mut waiting, &done.controls, done.settled)?;
        waiting.step.n_entries = waiting.batch.entries().len();
        Ok(waiting)
    }

    /// Appends the sequencer's own entries under its own producer id, which opens with the first.
    fn push_own(
        &mut self,
        waiting: &mut Waiting,
        controls: &[Control],
        settled: Vec<Settled>,
    ) -> Result<(), SequencerError> {
        if controls.is_empty() && settled.is_empty() {
            return Ok(());
        }
        let mut next = self.own_next;
        let mut frames = Vec::with_capacity(settled.len() + controls.len() + 1);
        if next == 0 {
            let open = producer_control(&self.own_id, ProducerEvent::Open, 0);
            frames.push(control_frame(&open, &mut self.entropy));
        }
        for settled in settled {
            frames.push(self.entropy.take().map(|secret| settled.frame(secret)));
        }
        for control in controls {
            frames.push(control_frame(control, &mut self.entropy));
        }
        for frame in frames {
            let frame = frame.map_err(SequencerError::Random)?;
            waiting.batch.push(frame, self.own_id, next, clock::now_us());
            next += 1;
        }
        waiting.batch.account(self.own_id, ProducerState { next_seq: next, ended: false });
        waiting.own_next = Some(next);
        Ok(())
    }

    fn commit(&mut self) -> Result<Step, SequencerError> {
        let Some(waiting) = &self.waiting else { return Ok(Step::default()) };
        if !waiting.batch.is_empty() {
            let done = self.store.append(&waiting.batch, &self.tip.head);
            if let Err(error) = done {
                // A commit whose answer was lost may have happened all the same. A batch without
                // entries leaves the tip as it was, which then says nothing.
                let happened = !waiting.batch.entries().is_empty()
                    && self.store.tip().is_ok_and(|tip| tip == waiting.batch.tip());
                if !happened {
                    return Err(error.into());
                }
            }
            self.tip = waiting.batch.tip();
        }
        let Some(waiting) = self.waiting.take() else { return Ok(Step::default()) };
        self.own_next = waiting.own_next.unwrap_or(self.own_next);
        self.known.extend(waiting.batch.producers().iter().copied());
        self.intents.committed(&waiting.batch);
        if self.publisher.can_sign() {
            self.publisher.committed(self.tip.head);
        }
        let step = waiting.step;
        self.acknowledge(waiting.acks)?;
        self.write_head()?;
        Ok(step)
    }

    /// Tells the spool what it may forget, now or when it is published.
    fn acknowledge(&mut self, mut acks: Vec<(ProducerId, u64)>) -> Result<(), SequencerError> {
        let size = self.tip.head.size;
        if self.trim == Trim::Published && self.publisher.size() < size {
            if self.held.len() >= N_HELD_MAX
                && let Some(last) = self.held.pop_back()
            {
                let older = last.acks.into_iter();
                let kept: Vec<_> =
                    older.filter(|(id, _)| acks.iter().all(|(newer, _)| newer != id)).collect();
                acks.extend(kept);
            }
            self.held.push_back(Held { size, acks });
            return Ok(());
        }
        for (producer, next_seq) in acks {
            self.consumer.ack(&producer, next_seq)?;
        }
        Ok(())
    }

    /// Publishes a checkpoint if one is due, or `now`, and acknowledges what waited for it.
    fn publish(&mut self, now: bool) -> Result<(), SequencerError> {
        if !self.publishes {
            return Ok(());
        }
        let published = self.publisher.step(self.store.as_mut(), &self.tip, now)?;
        let Some(size) = published else { return Ok(()) };
        while let Some(held) = self.held.pop_front_if(|held| held.size <= size) {
            for (producer, next_seq) in held.acks {
                self.consumer.ack(&producer, next_seq)?;
            }
        }
        Ok(())
    }

    /// Keeps the head outside the database. It is written after the commit, so it is never ahead of
    /// the ledger. A ledger without a key has no checkpoint to anchor, so the head is its anchor.
    fn write_head(&mut self) -> Result<(), SequencerError> {
        if self.noted_size == self.tip.head.size || self.ledger.is_memory() {
            return Ok(());
        }
        let head = Anchor { origin: self.store.origin().to_owned(), head: self.tip.head };
        anchor_file::write(&self.head_file(), &head)?;
        self.noted_size = self.tip.head.size;
        Ok(())
    }

    fn head_file(&self) -> PathBuf {
        match self.publisher.is_signed() {
            true => self.ledger.head_path(),
            false => self.ledger.anchor_path(),
        }
    }

    /// Waits until there may be something to take, or until `timeout`.
    pub fn wait(&mut self, timeout: Duration) {
        self.consumer.wait(timeout);
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tip.head.size
    }

    /// Size of the newest checkpoint; 0 for none.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.publisher.size()
    }

    /// Why nothing is published although it is due, if that is so. Records are sequenced all the
    /// same.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.publisher.trouble()
    }

    /// Says whether somebody waits for a checkpoint: the next one then comes after a tenth of the
    /// usual time.
    pub const fn hurry(&mut self, in_a_hurry: bool) {
        self.publisher.hurry(in_a_hurry);
    }

    /// Publishes nothing any more: for a process that has no time left to wait for who signs.
    pub(crate) const fn stop_publishing(&mut self) {
        self.publishes = false;
    }

    /// Ends in order: the sequencer's own producer is closed in the ledger, and a last checkpoint is
    /// published. Gives why it could not be, if that is so.
    ///
    /// # Errors
    /// When the last entry cannot be committed.
    pub fn close(mut self) -> Result<Option<String>, SequencerError> {
        if self.waiting.is_some() {
            self.commit()?;
        }
        if self.own_next > 0 {
            let close = producer_control(&self.own_id, ProducerEvent::Close, self.own_next + 1);
            let mut waiting = Waiting {
                batch: Batch::new(self.tip.clone()),
                acks: Vec::new(),
                own_next: None,
                step: Step::default(),
            };
            self.push_own(&mut waiting, &[close], Vec::new())?;
            let next_seq = self.own_next + 1;
            waiting.batch.account(self.own_id, ProducerState { next_seq, ended: true });
            self.waiting = Some(waiting);
            self.commit()?;
        }
        self.publish(true)?;
        Ok(self.trouble().map(str::to_owned))
    }
}

/// What a spool's segments carry to tell ledgers apart.
pub(crate) fn spool_origin(origin: &str) -> [u8; 32] {
    modeltrail_core::leaf::origin_prev(origin).0
}

/// A `producer` entry's content.
pub(crate) fn producer_control(id: &ProducerId, event: ProducerEvent, next_seq: u64) -> Control {
    Control::Producer(Producer {
        event,
        next_seq,
        producer: modeltrail_core::hash::hex(id),
        software: SOFTWARE.to_owned(),
    })
}

/// A `gap` entry's content.
pub(crate) fn gap_control(id: &ProducerId, ranges: Vec<(u64, u64)>, reason: GapReason) -> Control {
    let producer = modeltrail_core::hash::hex(id);
    Control::Gap(modeltrail_core::control::Gap { producer, ranges, reason })
}

/// Frames a control entry.
pub(crate) fn control_frame(
    control: &Control,
    entropy: &mut Entropy,
) -> Result<Frame, getrandom::Error> {
    let redacted = Redacted::control(control, clock::now_ns());
    Ok(Frame::new(redacted, entropy.uuid_v7()?, entropy.take()?))
}
