//! The sequencer: the only writer of a ledger. It takes frames from the spool, gives each an index
//! and a leaf, commits a batch in one transaction, and acknowledges what it took.

mod batcher;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use modeltrail_core::Frame;
use modeltrail_core::anchor::Anchor;
use modeltrail_core::control::{Control, GapReason, Producer, ProducerEvent};
use modeltrail_core::record::Redacted;

use crate::anchor_file::{self, AnchorFileError};
use crate::clock;
use crate::disk::{Disk, DiskLock, RealDisk};
use crate::entropy::Entropy;
use crate::ledger::{Ledger, LedgerError};
use crate::spool::{Consumer, Item, ProducerId, SpoolError, SpoolOptions};
use crate::store::{Batch, ProducerState, Store, StoreError, Tip};
use batcher::Batcher;

/// Most frames of a batch. Large batches touch each page of a random index once for several entries;
/// 4,096 records of 1.4 KB hold 6 MB of memory and 100 ms of work, which is what a waiting caller can
/// be asked to wait at full load.
const N_BATCH_MAX: usize = 4096;

/// Most frame bytes of a batch, so that large records do not make it large in memory.
const BATCH_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Version written into producer entries.
pub(crate) const SOFTWARE: &str = concat!("modeltrail/", env!("CARGO_PKG_VERSION"));

/// Why sequencing stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SequencerError {
    /// Another sequencer holds the ledger.
    #[error(
        "another process is the sequencer of this ledger with another spool directory; let both use \
         the same one, or stop it"
    )]
    Taken,
    /// The ledger is behind its anchor: an old copy was put back, or entries were cut off.
    #[error(
        "the ledger has {size} entries, but its anchor {path} knows {anchored}: entries {size} to {} \
         are missing; restore the newer database, and run `modeltrail verify`",
        anchored - 1
    )]
    BehindAnchor {
        /// Entries that are there.
        size: u64,
        /// Entries that were there.
        anchored: u64,
        /// The anchor file.
        path: PathBuf,
    },
    /// The anchor is another ledger's, or of another history.
    #[error("the anchor {path} does not belong to this ledger: {what}; run `modeltrail verify`")]
    ForeignAnchor {
        /// The anchor file.
        path: PathBuf,
        /// What does not fit.
        what: &'static str,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot take the batch.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The anchor cannot be read or written.
    #[error(transparent)]
    Anchor(#[from] AnchorFileError),
    /// A file cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

impl SequencerError {
    /// True when trying again later may help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.is_passing(),
            Self::Spool(_) | Self::Anchor(AnchorFileError::Io { .. }) | Self::Io { .. } => true,
            _ => false,
        }
    }
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
    spool_dir: PathBuf,
    /// Taken from the spool, which hands nothing out twice, until a batch is made of them.
    items: Vec<Item>,
    entropy: Entropy,
    own_id: ProducerId,
    own_next: u64,
    waiting: Option<Waiting>,
    anchored_size: u64,
    _lock: Option<Box<dyn DiskLock>>,
}

impl Sequencer {
    /// Becomes the sequencer; `None` when another live process is it already.
    ///
    /// # Errors
    /// When the ledger cannot be opened, is behind its anchor, or is held by a sequencer with
    /// another spool directory.
    pub fn try_open(
        ledger: &Ledger,
        spool_dir: &std::path::Path,
        options: SpoolOptions,
    ) -> Result<Option<Self>, SequencerError> {
        let store = ledger.open_write()?;
        let origin = spool_origin(store.origin());
        let Some(consumer) = Consumer::try_open_dir(spool_dir, options, origin)? else {
            return Ok(None);
        };
        let lock = take_lock(ledger)?;
        let tip = store.tip()?;
        check_frontier(&tip)?;
        let anchored_size = check_anchor(ledger, store.as_ref(), &tip)?;
        let mut entropy = Entropy::new();
        let own_id = entropy.uuid_v7().map_err(SequencerError::Random)?;
        Ok(Some(Self {
            ledger: ledger.clone(),
            store,
            consumer,
            tip,
            known: HashMap::new(),
            spool_dir: spool_dir.to_owned(),
            items: Vec::new(),
            entropy,
            own_id,
            own_next: 0,
            waiting: None,
            anchored_size,
            _lock: lock,
        }))
    }

    /// Takes what is in the spool, up to a batch, and commits it.
    ///
    /// # Errors
    /// When the batch cannot be committed; the same batch is tried again at the next step. After
    /// [`StoreError::Conflict`] nothing more can be sequenced here.
    pub fn step(&mut self) -> Result<Step, SequencerError> {
        if self.waiting.is_none() {
            if self.items.is_empty() {
                let store = &self.store;
                // Frames below are skipped unread. Should the store not answer, nothing is skipped,
                // and the batcher asks again.
                self.items =
                    self.consumer.next_batch(N_BATCH_MAX, BATCH_BYTES_MAX, |producer| {
                        store.producer(producer).unwrap_or_default().next_seq
                    })?;
            }
            if self.items.is_empty() {
                // One that could not be written after the last commit.
                self.write_anchor()?;
                return Ok(Step::default());
            }
            self.waiting = Some(self.make_batch()?);
            self.items.clear();
        }
        self.commit()
    }

    /// Makes a batch of the items, which stay: what fails here is tried again with the same ones.
    fn make_batch(&mut self) -> Result<Waiting, SequencerError> {
        let batch = Batch::new(self.tip.clone());
        let mut batcher = Batcher::new(batch, self.store.as_ref(), &self.known, &self.spool_dir);
        let items = &self.items;
        self.store.in_one_read(&mut || items.iter().try_for_each(|item| batcher.take(item)))?;
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
        self.push_controls(&mut waiting, &done.controls)?;
        waiting.step.n_entries = waiting.batch.entries().len();
        Ok(waiting)
    }

    /// Appends the sequencer's own entries under its own producer id, which opens with the first.
    fn push_controls(
        &mut self,
        waiting: &mut Waiting,
        controls: &[Control],
    ) -> Result<(), SequencerError> {
        if controls.is_empty() {
            return Ok(());
        }
        let mut next = self.own_next;
        let open = producer_control(&self.own_id, ProducerEvent::Open, 0);
        let first = (next == 0).then_some(&open);
        for control in first.into_iter().chain(controls) {
            let frame =
                control_frame(control, &mut self.entropy).map_err(SequencerError::Random)?;
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
        for (producer, next_seq) in waiting.acks {
            self.consumer.ack(&producer, next_seq)?;
        }
        self.write_anchor()?;
        Ok(waiting.step)
    }

    /// Keeps the head outside the database. It is written after the commit, so the anchor is never
    /// ahead of the ledger.
    fn write_anchor(&mut self) -> Result<(), SequencerError> {
        if self.anchored_size == self.tip.head.size || self.ledger.is_memory() {
            return Ok(());
        }
        let anchor = Anchor { origin: self.store.origin().to_owned(), head: self.tip.head };
        anchor_file::write(&self.ledger.anchor_path(), &anchor)?;
        self.anchored_size = self.tip.head.size;
        Ok(())
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

    /// Ends in order: the sequencer's own producer is closed in the ledger.
    ///
    /// # Errors
    /// When the last entry cannot be committed.
    pub fn close(mut self) -> Result<(), SequencerError> {
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
            self.push_controls(&mut waiting, &[close])?;
            let next_seq = self.own_next + 1;
            waiting.batch.account(self.own_id, ProducerState { next_seq, ended: true });
            self.waiting = Some(waiting);
            self.commit()?;
        }
        Ok(())
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

fn take_lock(ledger: &Ledger) -> Result<Option<Box<dyn DiskLock>>, SequencerError> {
    if ledger.is_memory() {
        return Ok(None);
    }
    let path = ledger.lock_path();
    match RealDisk.try_lock(&path, true) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => Err(SequencerError::Taken),
        Err(source) => Err(SequencerError::Io { path, source }),
    }
}

/// Refuses a head whose frontier gives another root: every root after it would be wrong.
fn check_frontier(tip: &Tip) -> Result<(), StoreError> {
    if tip.frontier.size() == tip.head.size && tip.frontier.root() == tip.head.root {
        return Ok(());
    }
    let what = "the right edge of the tree that is stored with the head does not give its root";
    Err(StoreError::Damaged { index: tip.head.size.saturating_sub(1), what })
}

/// Refuses a ledger that is not the one that its anchor knows; gives the anchored size.
fn check_anchor(ledger: &Ledger, store: &dyn Store, tip: &Tip) -> Result<u64, SequencerError> {
    let path = ledger.anchor_path();
    let Some(anchor) = anchor_file::read(&path)? else { return Ok(0) };
    if anchor.origin != store.origin() {
        return Err(SequencerError::ForeignAnchor { path, what: "it names another origin" });
    }
    if anchor.head.size > tip.head.size {
        let (size, anchored) = (tip.head.size, anchor.head.size);
        return Err(SequencerError::BehindAnchor { size, anchored, path });
    }
    if anchor.head.size == tip.head.size && anchor.head.root != tip.head.root {
        return Err(SequencerError::ForeignAnchor {
            path,
            what: "it has another root at this size",
        });
    }
    Ok(anchor.head.size)
}
