//! A producer's id and the lock that says that it lives.

use std::path::PathBuf;

use super::error::{At, if_there};
use super::names;
use super::{Place, ProducerId, SpoolError};
use crate::disk::DiskLock;

/// Attempts at taking a new lock file. Only a sequencer that tidies up at this very moment can
/// spoil one, and it does so once per file.
const N_LOCK_TRIES: usize = 16;

/// Draws an id and takes its lock. The file gets its proper name only once it is locked, so that
/// no sequencer ever sees a living producer without a lock.
pub(super) fn take_new_id(place: &Place) -> Result<(ProducerId, Box<dyn DiskLock>), SpoolError> {
    let mut path = PathBuf::new();
    for _ in 0..N_LOCK_TRIES {
        let mut id = ProducerId::default();
        place.disk.fill_random(&mut id).at("draw random bytes for", &place.dir)?;
        path = place.dir.join(names::new_lock(&id));
        let Some(lock) = place.disk.try_lock(&path, true).at("lock", &path)? else { continue };
        let named = place.disk.rename(&path, &place.dir.join(names::lock(&id)));
        if if_there(named).at("rename", &path)?.is_some() && lock.nlink().at("look at", &path)? > 0
        {
            return Ok((id, lock));
        }
    }
    Err(std::io::Error::from(std::io::ErrorKind::WouldBlock)).at("lock", &path)
}
