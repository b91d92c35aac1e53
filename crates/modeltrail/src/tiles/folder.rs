//! A folder of tiles: files that are there in full or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::NOTE_BYTES_MAX;
use modeltrail_core::tile::{Resource, Tile, TileSource};
use rustix::fs::{FlockOperation, flock};

use super::ExportError;
use crate::small_file;

/// What a file is called until all of it is on disk.
const UNFINISHED: &str = ".new";

/// A folder that one export at a time writes to.
pub(super) struct Folder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
    /// Folders in which there are new names, which are not on disk yet.
    unsynced: BTreeSet<PathBuf>,
    /// Files that were written.
    pub(super) n_files: u64,
    /// Bytes of them.
    pub(super) n_bytes: u64,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, ExportError> {
        let error = |source| ExportError::Io { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(error)?;
        let dir = File::open(path).map_err(error)?;
        flock(&dir, FlockOperation::NonBlockingLockExclusive).map_err(|errno| {
            if errno == rustix::io::Errno::WOULDBLOCK {
                let what = "is written to by another export; wait for its end".to_owned();
                ExportError::Refused { path: path.to_owned(), what }
            } else {
                error(errno.into())
            }
        })?;
        let unsynced = BTreeSet::from([path.to_owned()]);
        Ok(Self { path: path.to_owned(), _lock: dir, unsynced, n_files: 0, n_bytes: 0 })
    }

    pub(super) fn refused(&self, name: &str, what: impl Into<String>) -> ExportError {
        ExportError::Refused { path: self.path.join(name), what: what.into() }
    }

    /// The checkpoint that lies there; `None` for none.
    pub(super) fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, ExportError> {
        let name = Resource::Checkpoint.to_string();
        let Some(bytes) = self.read(&name)? else { return Ok(None) };
        let refused = |error| self.refused(&name, format!("is {error}; choose another folder"));
        SignedCheckpoint::parse(&bytes).map(Some).map_err(refused)
    }

    /// Refuses a folder that holds anything but what an export leaves that did not get as far as its
    /// checkpoint. Its tiles are held against this ledger's when they are met.
    pub(super) fn must_be_fresh(&self) -> Result<(), ExportError> {
        let error = |source| ExportError::Io { path: self.path.clone(), source };
        for item in fs::read_dir(&self.path).map_err(error)? {
            let name = item.map_err(error)?.file_name();
            if name != "tile" && name != format!("checkpoint{UNFINISHED}").as_str() {
                let what = "is no part of a log; choose an empty folder";
                return Err(self.refused(&name.to_string_lossy(), what));
            }
        }
        Ok(())
    }

    /// Puts a file there, unless the same is there already.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        match self.read(name)? {
            None => self.write(name, bytes),
            Some(there) if there == bytes => Ok(()),
            Some(_) => {
                let what = "holds other bytes than this ledger's: it is of another log, or of another \
                            history of this one. Keep the folder and choose an empty one";
                Err(self.refused(name, what))
            }
        }
    }

    /// Puts the checkpoint there, durably, in place of the one before.
    pub(super) fn put_checkpoint(&mut self, text: &str) -> Result<(), ExportError> {
        let name = Resource::Checkpoint.to_string();
        if self.read(&name)?.as_deref() == Some(text.as_bytes()) {
            return Ok(());
        }
        self.write(&name, text.as_bytes())?;
        self.sync()
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        let path = self.path.join(name);
        // A checkpoint is the longest of them.
        small_file::read(&path, NOTE_BYTES_MAX).map_err(|source| ExportError::Io { path, source })
    }

    /// A file's bytes are on disk before it has its name.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = self.path.join(name);
        let unfinished = PathBuf::from(format!("{}{UNFINISHED}", path.display()));
        let error = |source| ExportError::Io { path: path.clone(), source };
        let dir = path.parent().unwrap_or(&self.path).to_owned();
        if !self.unsynced.contains(&dir) {
            fs::create_dir_all(&dir).map_err(error)?;
            // Folders above it may be new too.
            let within = dir.ancestors().take_while(|above| above.starts_with(&self.path));
            self.unsynced.extend(within.map(Path::to_owned));
        }
        let mut file = File::create(&unfinished).map_err(error)?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(error)?;
        fs::rename(&unfinished, &path).map_err(error)?;
        self.n_files += 1;
        self.n_bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Brings the names of all that was written to disk.
    pub(super) fn sync(&mut self) -> Result<(), ExportError> {
        for dir in &self.unsynced {
            let synced = File::open(dir).and_then(|dir| dir.sync_all());
            synced.map_err(|source| ExportError::Io { path: dir.clone(), source })?;
        }
        // The folder itself has the checkpoint to come.
        self.unsynced = BTreeSet::from([self.path.clone()]);
        Ok(())
    }

    /// Removes the partial files of a tile that is full now.
    pub(super) fn remove_partial(&self, name: &str) -> Result<(), ExportError> {
        let Some((place, _)) = name.split_once(".p/") else { return Ok(()) };
        let path = self.path.join(format!("{place}.p"));
        match fs::remove_dir_all(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(ExportError::Io { path, source })
            }
            _ => Ok(()),
        }
    }
}

impl TileSource for &mut Folder {
    type Error = ExportError;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, ExportError> {
        let name = Resource::Tile(tile).to_string();
        self.read(&name)?.ok_or_else(|| self.refused(&name, "is gone; export again"))
    }
}
