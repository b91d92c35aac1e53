//! Going on where a ledger had to end: `modeltrail recover --new-epoch`.
//!
//! A database that is older than its anchor must not be written on: its next entries would stand where
//! others stood that somebody may hold proofs of. So the ledger ends there. It is set aside under
//! another name, unchanged, and a new one with the origin `…/epoch-N` takes its place. The first
//! entry of the new one says which checkpoint was the last, which entries are missing, and, signed
//! by the keys of the old one, which key goes on (`spec/control.md`).
//!
//! Each step can be interrupted and is gone on with when it is asked for again.

mod epoch;
mod places;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use modeltrail_core::Kind;
use modeltrail_core::code::PartId;
use modeltrail_core::control::{Control, Epoch};
use modeltrail_core::keys::KeyRole;
use modeltrail_core::note::VerifierKey;

use crate::anchor_file::{self, AnchorFileError};
use crate::keys::{KeysError, LedgerKeys};
use crate::ledger::{Ledger, LedgerError, Place};
use crate::recorder::{Recorder, RecordingError};
use crate::sequencer::{Sequencer, SequencerError};
use crate::signer::SignerError;
use crate::spool::{self, SpoolError, SpoolOptions};
use crate::store::{Store, StoreError};
use places::Places;

/// How often the spool of the epoch before is looked at again after it gave nothing: producers that
/// have died are found out on the way.
const N_LOOKS: u32 = 64;

/// How long to wait before it is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Keys of the new epoch whose entries are not written yet.
const STAGED: [&str; 2] = ["checkpoint.key.new", "authority.key.new"];

/// How a ledger is recovered.
#[derive(Clone, Debug, Default)]
pub struct RecoverOptions {
    /// The spool's folder, if it is another than the one beside the database.
    pub spool_dir: Option<PathBuf>,
    /// Sizes of the spool.
    pub spool: SpoolOptions,
    /// The authority key's file, if it is not in the ledger's folder.
    pub authority_file: Option<PathBuf>,
}

/// The epoch that began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewEpoch {
    /// What its first entry says.
    pub epoch: Epoch,
    /// Its origin.
    pub origin: String,
    /// Where the ledger before is now.
    pub set_aside: PathBuf,
    /// Entries that were made of what waited in the spool, those of the ledger's own included.
    pub n_taken: u64,
    /// Its checkpoint key, which has to be handed to who verifies; `None` for a ledger without one,
    /// or whose key is a program's.
    pub vkey: Option<VerifierKey>,
}

/// Why no epoch began.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// Nothing is wrong with the ledger.
    #[error("the ledger is not behind its anchor, so there is nothing to recover; record into it")]
    Healthy,
    /// Another process uses the ledger.
    #[error("another process sequences this ledger or records into it; stop all of them first")]
    Busy,
    /// Not a ledger in a file.
    #[error("only a ledger in a file can be recovered")]
    Memory,
    /// Neither database nor anchor.
    #[error("there is neither a database nor an anchor at {0}; restore one of them")]
    Nothing(PathBuf),
    /// The new origin is too long.
    #[error("the origin of the next epoch would be too long: {0}")]
    Origin(String),
    /// There is a ledger of an earlier attempt, or of somebody's, in the place.
    #[error("{0} is there already; move it away")]
    There(PathBuf),
    /// The ledger is not what its anchor knows, in a way that a new epoch is no answer to.
    #[error(transparent)]
    Sequencer(#[from] SequencerError),
    /// A ledger cannot be opened or made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The anchor cannot be read.
    #[error(transparent)]
    Anchor(#[from] AnchorFileError),
    /// A key cannot be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The new keys cannot be put in force.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// The new ledger cannot be recorded into.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// What waits in the spool cannot all be taken.
    #[error(
        "{0} segments of the spool could not be taken into the new epoch; run the same command again"
    )]
    Left(u64),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No random bytes from the system.
    #[error("the system gave no random bytes: {0}")]
    Random(getrandom::Error),
}

/// Ends a ledger that is behind its anchor and begins the next epoch in its place; or goes on with
/// that where it was interrupted.
///
/// # Errors
/// [`RecoverError::Healthy`] when nothing has to be recovered, [`RecoverError::Busy`] while somebody
/// uses the ledger, and when something cannot be read or written.
pub fn new_epoch(ledger: &Ledger, options: &RecoverOptions) -> Result<NewEpoch, RecoverError> {
    let Place::Sqlite(path) = ledger.place() else { return Err(RecoverError::Memory) };
    let places = Places::of(path);
    let spool_dir = options.spool_dir.clone().unwrap_or_else(|| ledger.spool_dir());
    if spool::n_alive(&spool_dir)? > 0 {
        return Err(RecoverError::Busy);
    }
    if places.is_switching()? {
        places.switch()?;
    } else if !is_unfinished(ledger, &spool_dir, options)? {
        check_is_behind(ledger, &spool_dir, options)?;
        epoch::prepare(ledger, &places, options)?;
        places.switch()?;
    }
    finish(ledger, &places, &spool_dir, options)
}

/// Whether an epoch has begun and not all that belongs to it is there.
fn is_unfinished(
    ledger: &Ledger,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<bool, RecoverError> {
    if !ledger.exists() {
        return Ok(false);
    }
    let store = ledger.open_read()?;
    if first_epoch(store.as_ref())?.is_none() {
        return Ok(false);
    }
    let keys = ledger.keys_dir();
    let staged = STAGED.map(|name| keys.join(name).exists());
    Ok(has_foreign_frames(store.origin(), spool_dir, options)? || staged.contains(&true))
}

/// Whether the spool holds frames of another ledger than this one.
fn has_foreign_frames(
    origin: &str,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<bool, RecoverError> {
    let own = crate::sequencer::spool_origin(origin);
    match spool::check_dir(spool_dir, options.spool, own) {
        Ok(()) => Ok(false),
        Err(SpoolError::ForeignOrigin { .. }) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

/// Refuses ledgers for which a new epoch is no answer.
fn check_is_behind(
    ledger: &Ledger,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<(), RecoverError> {
    if !ledger.exists() {
        return Ok(());
    }
    match Sequencer::try_open(ledger, spool_dir, options.spool) {
        Ok(Some(_)) => Err(RecoverError::Healthy),
        Ok(None) | Err(SequencerError::Taken) => Err(RecoverError::Busy),
        Err(SequencerError::BehindAnchor { .. }) => Ok(()),
        // Another history under the same name: a copy that somebody went on with.
        Err(error @ SequencerError::ForeignAnchor { .. }) => {
            let origin = ledger.open_read()?.origin().to_owned();
            let anchor = anchor_file::read(&ledger.anchor_path())?;
            let same = anchor.is_some_and(|anchor| anchor.origin == origin);
            if same { Ok(()) } else { Err(error.into()) }
        }
        Err(error) => Err(error.into()),
    }
}

/// What the first entry says, if the ledger is an epoch of another.
fn first_epoch(store: &dyn Store) -> Result<Option<Epoch>, StoreError> {
    let Some(first) = store.get(0)? else { return Ok(None) };
    let part = first.parts.iter().find(|part| part.id == PartId::Control);
    let read = part.filter(|_| first.leaf.kind == Kind::Epoch.code());
    Ok(match read.and_then(|part| Control::read(Kind::Epoch, &part.bytes)) {
        Some(Control::Epoch(epoch)) => Some(epoch),
        _ => None,
    })
}

/// Takes what waits in the spool into the new epoch, and puts its keys in force.
fn finish(
    ledger: &Ledger,
    places: &Places,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<NewEpoch, RecoverError> {
    let (origin, epoch, size) = {
        let store = ledger.open_read()?;
        let what = "it is not the beginning of an epoch";
        let epoch = first_epoch(store.as_ref())?;
        let epoch = epoch.ok_or(StoreError::Damaged { index: 0, what })?;
        (store.origin().to_owned(), epoch, store.tip()?.head.size)
    };
    let set_aside = places.aside(epoch.number.saturating_sub(1));
    if has_foreign_frames(&origin, spool_dir, options)? {
        drain(ledger, &set_aside, &epoch, spool_dir, options)?;
    }
    let n_taken = ledger.open_read()?.tip()?.head.size - size;
    let vkey = put_keys_in_force(ledger, spool_dir, options)?;
    Ok(NewEpoch { epoch, origin, set_aside, n_taken, vkey })
}

/// Takes what waits in the spool of the ledger before.
fn drain(
    ledger: &Ledger,
    set_aside: &Path,
    epoch: &Epoch,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<(), RecoverError> {
    let before = before(set_aside, epoch)?;
    let opened = Sequencer::of_epoch(ledger, spool_dir, options.spool, before)?;
    let mut sequencer = opened.ok_or(RecoverError::Busy)?;
    let mut n_looks = 0;
    loop {
        if sequencer.step()?.n_taken > 0 {
            n_looks = 0;
            continue;
        }
        let n_left = spool::peek(spool_dir)?.n_segments;
        if n_left == 0 {
            break;
        }
        n_looks += 1;
        if n_looks > N_LOOKS {
            return Err(RecoverError::Left(n_left));
        }
        sequencer.wait(LOOK_EVERY);
    }
    sequencer.close()?;
    Ok(())
}

/// The store of the ledger before; an empty one of its name where nothing was left of it.
fn before(set_aside: &Path, epoch: &Epoch) -> Result<Box<dyn Store>, RecoverError> {
    if set_aside.exists() {
        return Ok(places::ledger_at(set_aside)?.open_read()?);
    }
    Ok(Box::new(crate::store::MemoryStore::new(&epoch.origin_before)))
}

/// Puts the keys that were made for the epoch in force, if there are any.
fn put_keys_in_force(
    ledger: &Ledger,
    spool_dir: &Path,
    options: &RecoverOptions,
) -> Result<Option<VerifierKey>, RecoverError> {
    let keys = ledger.keys_dir();
    let there = |name: &str| keys.join(name).exists();
    if !STAGED.into_iter().any(there) {
        let store = ledger.open_read()?;
        let (history, _) = crate::keys::history(store.as_ref())?;
        return Ok(history.in_force(KeyRole::Checkpoint, u64::MAX).next().cloned());
    }
    let Place::Sqlite(path) = ledger.place() else { return Err(RecoverError::Memory) };
    let recorder = Recorder::options()
        .spool_dir(spool_dir)
        .spool(options.spool)
        .open(&format!("sqlite:{}", path.display()))?;
    let ledger_keys = LedgerKeys::of(&recorder)?;
    if there("authority.key.new") {
        ledger_keys.generate(KeyRole::Authority)?;
    }
    if there("checkpoint.key.new") {
        ledger_keys.generate(KeyRole::Checkpoint)?;
    }
    let vkey = ledger_keys.history()?.in_force(KeyRole::Checkpoint, u64::MAX).next().cloned();
    recorder.close()?;
    Ok(vkey)
}
