//! Becoming the sequencer of a ledger.

use std::collections::{HashMap, VecDeque};
use std::path::Path;

use super::intents::OpenIntents;
use super::{Sequencer, SequencerError, SequencerOptions, Trim, spool_origin};
use crate::anchor_file;
use crate::disk::{Disk as _, DiskLock, RealDisk};
use crate::entropy::Entropy;
use crate::ledger::Ledger;
use crate::publish::Publisher;
use crate::spool::{Consumer, SpoolOptions};
use crate::store::{Store, StoreError, Tip};

impl Sequencer {
    /// Becomes the sequencer; `None` when another live process is it already.
    ///
    /// # Errors
    /// When the ledger cannot be opened, is behind its anchor, or is held by a sequencer with
    /// another spool directory.
    pub fn try_open(
        ledger: &Ledger,
        spool_dir: &Path,
        spool: SpoolOptions,
    ) -> Result<Option<Self>, SequencerError> {
        Self::try_open_with(ledger, spool_dir, spool, SequencerOptions::default())
    }

    /// As [`Sequencer::try_open`], with options.
    ///
    /// # Errors
    /// As [`Sequencer::try_open`], and [`SequencerError::Unsigned`] when records are to be kept until
    /// they are published and the ledger has no key.
    pub fn try_open_with(
        ledger: &Ledger,
        spool_dir: &Path,
        spool: SpoolOptions,
        options: SequencerOptions,
    ) -> Result<Option<Self>, SequencerError> {
        let store = ledger.open_write()?;
        let origin = spool_origin(store.origin());
        let Some(consumer) = Consumer::try_open_dir(spool_dir, spool, origin)? else {
            return Ok(None);
        };
        Self::assemble(ledger, store, consumer, spool_dir, options).map(Some)
    }

    /// The sequencer of a new epoch, for what waits in the spool of the one `before`. Live
    /// programs must not record into it.
    pub(crate) fn of_epoch(
        ledger: &Ledger,
        spool_dir: &Path,
        spool: SpoolOptions,
        before: Box<dyn Store>,
    ) -> Result<Option<Self>, SequencerError> {
        let store = ledger.open_write()?;
        let origin = spool_origin(before.origin());
        let Some(consumer) = Consumer::try_open_dir(spool_dir, spool, origin)? else {
            return Ok(None);
        };
        let options = SequencerOptions::default();
        let mut sequencer = Self::assemble(ledger, store, consumer, spool_dir, options)?;
        sequencer.before = Some(before);
        Ok(Some(sequencer))
    }

    fn assemble(
        ledger: &Ledger,
        store: Box<dyn Store>,
        consumer: Consumer,
        spool_dir: &Path,
        options: SequencerOptions,
    ) -> Result<Self, SequencerError> {
        let lock = take_lock(ledger)?;
        let tip = store.tip()?;
        check_frontier(&tip)?;
        let publisher = Publisher::open(ledger, store.as_ref(), &tip, options.publish)?;
        if options.trim == Trim::Published && !publisher.is_signed() {
            return Err(SequencerError::Unsigned);
        }
        let mut entropy = Entropy::new();
        let own_id = entropy.uuid_v7().map_err(SequencerError::Random)?;
        let mut sequencer = Self {
            ledger: ledger.clone(),
            store,
            consumer,
            tip,
            known: HashMap::new(),
            intents: OpenIntents::default(),
            spool_dir: spool_dir.to_owned(),
            items: Vec::new(),
            entropy,
            own_id,
            own_next: 0,
            waiting: None,
            publisher,
            publishes: true,
            trim: options.trim,
            held: VecDeque::new(),
            noted_size: 0,
            before: None,
            _lock: lock,
        };
        let noted = anchor_file::read(&sequencer.head_file())?;
        sequencer.noted_size = noted.map_or(0, |noted| noted.head.size);
        Ok(sequencer)
    }
}

/// True when some process sequences this ledger now. It is asked by trying the lock, which a sequencer that starts
/// in this moment tries again for.
///
/// # Errors
/// When the lock cannot be looked at.
pub fn is_sequenced(ledger: &Ledger) -> Result<bool, SequencerError> {
    if ledger.is_memory() {
        return Ok(false);
    }
    let path = ledger.lock_path();
    match RealDisk.try_lock(&path, false) {
        Ok(lock) => Ok(lock.is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(SequencerError::Io { path, source }),
    }
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
