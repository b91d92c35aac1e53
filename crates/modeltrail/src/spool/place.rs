//! A spool directory and its settings.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::error::{At, if_there};
use super::format::{HEADER_BYTES, Head, decode_head};
use super::names::{self, Name};
use super::scan::is_alive;
use super::{SpoolError, segment};
use crate::disk::{Disk, RealDisk};

/// Settings of a spool directory. Processes that share one should agree on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Length of a segment file, a multiple of 4096. A frame that does not fit gets a longer file
    /// of its own. 8 MiB: at 100 MB/s a new segment every 80 ms, which makes the sync of its
    /// header and of its trimming (0.15 ms each) invisible, and a trim frees space in small steps.
    pub segment_bytes: u64,
    /// Limit for all segments of the directory together. 1 GiB: half an hour of 400 records a
    /// second of 1.4 KB while the store is away.
    pub bytes_max: u64,
    /// Limit for frames of one producer that are in memory and not durable; an append beyond it
    /// commits first. 32 MiB: one longest frame and as much again, or 16 ms of the fastest
    /// producer measured (2 GB/s).
    pub pending_bytes_max: usize,
    /// How often what other processes did is looked for, in milliseconds. 5 ms: a quarter of the
    /// 20 ms in which a frame shall be on its way.
    pub poll_ms: u32,
}

impl Default for SpoolOptions {
    fn default() -> Self {
        Self { segment_bytes: 8 << 20, bytes_max: 1 << 30, pending_bytes_max: 32 << 20, poll_ms: 5 }
    }
}

impl SpoolOptions {
    pub(crate) fn poll(&self) -> Duration {
        Duration::from_millis(u64::from(self.poll_ms.max(1)))
    }

    fn check(&self) -> Result<(), SpoolError> {
        let bad = |option, value, why| Err(SpoolError::BadOption { option, value, why });
        let header_bytes = HEADER_BYTES as u64;
        if !self.segment_bytes.is_multiple_of(header_bytes)
            || self.segment_bytes < 2 * header_bytes
            || self.segment_bytes > 1 << 30
        {
            let why = "it must be a multiple of 4096, two of them at least, and at most 1 GiB";
            return bad("segment_bytes", self.segment_bytes, why);
        }
        if self.bytes_max < self.segment_bytes {
            return bad("bytes_max", self.bytes_max, "it must hold one segment at least");
        }
        Ok(())
    }
}

/// Where a spool is, and of which ledger.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dir: PathBuf,
    pub(crate) options: SpoolOptions,
    pub(crate) origin: [u8; 32],
}

impl Place {
    /// Checks the settings and makes the directory if it is missing.
    pub(crate) fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        options: SpoolOptions,
        origin: [u8; 32],
    ) -> Result<Self, SpoolError> {
        options.check()?;
        disk.create_dir_all(dir).at("create", dir)?;
        let dir = disk.canonical(dir).at("look at", dir)?;
        Ok(Self { disk, dir, options, origin })
    }

    /// What the file of that name is; `None` if it is gone.
    pub(crate) fn head_of(&self, name: &str) -> Result<Option<Head>, SpoolError> {
        let path = self.dir.join(name);
        let Some(file) = if_there(self.disk.open(&path)).at("open", &path)? else {
            return Ok(None);
        };
        let mut bytes = vec![0; HEADER_BYTES];
        let n_read = file.read_at(&mut bytes, 0).at("read", &path)?;
        Ok(Some(decode_head(bytes.get(..n_read).unwrap_or_default())))
    }

    /// Refuses a directory with frames of another ledger.
    pub(crate) fn check_origins(&self) -> Result<(), SpoolError> {
        for name in self.disk.list(&self.dir).at("list", &self.dir)? {
            if Name::parse(&name).holds_frames()
                && let Some(Head::Segment(header)) = self.head_of(&name)?
            {
                self.check_origin(&name, &header.origin)?;
            }
        }
        Ok(())
    }

    /// Refuses a segment of another ledger.
    pub(crate) fn check_origin(&self, name: &str, found: &[u8; 32]) -> Result<(), SpoolError> {
        if *found == self.origin {
            return Ok(());
        }
        let (found, expected) = (*found, self.origin);
        Err(SpoolError::ForeignOrigin { file: self.dir.join(name), found, expected })
    }
}

/// What lies in a spool directory, judged by names alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolState {
    /// Segments that are written to or wait to be read, acknowledged or trimmed.
    pub n_segments: u64,
    /// Bytes of all segments, the free ones included: what counts towards
    /// [`SpoolOptions::bytes_max`].
    pub bytes: u64,
    /// Files that wait for their next use.
    pub n_free: u64,
    /// Damaged spans and files in quarantine.
    pub n_quarantined: u64,
}

/// Looks at a spool directory without a lock, for a status display. A directory that does not
/// exist is an empty one.
///
/// # Errors
///
/// [`SpoolError::Io`].
pub fn peek(dir: &Path) -> Result<SpoolState, SpoolError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let place =
        Place { disk, dir: dir.to_path_buf(), options: SpoolOptions::default(), origin: [0; 32] };
    place.state()
}

/// Refuses a spool directory with frames of another ledger than `origin`.
pub(crate) fn check_dir(
    dir: &Path,
    options: SpoolOptions,
    origin: [u8; 32],
) -> Result<(), SpoolError> {
    Place::open(Arc::new(RealDisk), dir, options, origin)?.check_origins()
}

/// How many producers of a spool directory live, those of this process included.
///
/// # Errors
///
/// [`SpoolError::Io`].
pub fn n_alive(dir: &Path) -> Result<usize, SpoolError> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let place =
        Place { disk, dir: dir.to_path_buf(), options: SpoolOptions::default(), origin: [0; 32] };
    let listed = if_there(place.disk.list(&place.dir)).at("list", &place.dir)?.unwrap_or_default();
    let mut n_alive = 0;
    for name in listed {
        if let Name::Lock(producer) = Name::parse(&name) {
            n_alive += usize::from(is_alive(&place, &producer)?);
        }
    }
    Ok(n_alive)
}

impl Place {
    /// What lies in the directory.
    pub(crate) fn state(&self) -> Result<SpoolState, SpoolError> {
        let names = if_there(self.disk.list(&self.dir)).at("list", &self.dir)?.unwrap_or_default();
        let quarantine = self.dir.join(names::QUARANTINE);
        let damaged = if_there(self.disk.list(&quarantine)).at("list", &quarantine)?;
        let count = |wanted: fn(&Name) -> bool| {
            names.iter().filter(|name| wanted(&Name::parse(name))).count() as u64
        };
        Ok(SpoolState {
            n_segments: count(|name| matches!(name, Name::Segment(..))),
            bytes: segment::bytes_of(self, &names),
            n_free: count(|name| *name == Name::Free),
            n_quarantined: damaged.unwrap_or_default().len() as u64,
        })
    }
}
