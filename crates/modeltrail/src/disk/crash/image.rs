//! The state of a simulated disk: live and durable images, unsynced names, planned failures.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What a power loss writes or leaves as one.
pub(super) const SECTOR_BYTES: usize = 512;

/// A kind of call that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// Opening or creating a file.
    Open,
    /// Reading from a file.
    Read,
    /// Writing to a file.
    Write,
    /// `fdatasync` or `fsync` of a file.
    Sync,
    /// Listing, syncing or changing names of a directory.
    Dir,
    /// Taking a lock, asking for a length or the number of links, drawing random bytes.
    Other,
}

/// How often a planned failure happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fail {
    /// The n-th call fails, later ones work.
    Once,
    /// The n-th call and all after it fail.
    ForEver,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Option<Call>,
    pub(super) at: u64,
    pub(super) fail: Fail,
    pub(super) errno: i32,
}

/// Why a call does not happen.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    /// The process was killed, or the power is off: no effect at all.
    Dead,
    /// The power goes during this call: a write may get through in part.
    PowerGoes,
    /// A planned failure with this error number: part of the effect may be there.
    Fault(i32),
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Dead => Self::other("the process is dead"),
            Refused::PowerGoes => Self::other("the power went"),
            Refused::Fault(errno) => Self::from_raw_os_error(errno),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Inode {
    pub(super) live: Vec<u8>,
    pub(super) durable: Vec<u8>,
    pub(super) dirty: BTreeSet<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum DirOp {
    Create(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl DirOp {
    pub(super) fn is_in(&self, dir: &Path) -> bool {
        match self {
            Self::Create(path, _) | Self::Remove(path) => path.parent() == Some(dir),
            Self::Rename(from, to) => from.parent() == Some(dir) || to.parent() == Some(dir),
        }
    }

    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Create(path, inode) => {
                names.insert(path.clone(), *inode);
            }
            Self::Rename(from, to) => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) inodes: BTreeMap<u64, Inode>,
    pub(super) n_inodes: u64,
    pub(super) live: BTreeMap<PathBuf, u64>,
    pub(super) durable: BTreeMap<PathBuf, u64>,
    pub(super) ops: Vec<DirOp>,
    pub(super) dirs: BTreeSet<PathBuf>,
    pub(super) locks: BTreeMap<u64, u32>,
    pub(super) killed: BTreeSet<u32>,
    pub(super) random: SplitMix,
    pub(super) clock_us: u64,
    pub(super) n_calls: u64,
    pub(super) n_counted: u64,
    pub(super) n_failed: u64,
    pub(super) fault: Option<Fault>,
    pub(super) cut_at: Option<u64>,
}

/// A small generator (SplitMix64, Steele, Lea and Flood 2014): a state is its seed alone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which must not be zero.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

impl Inode {
    pub(super) fn after_crash(&self, random: &mut SplitMix, new_of_64: u64) -> Self {
        let mut bytes = self.durable.clone();
        if self.live.len() != bytes.len() && random.below(64) < new_of_64 {
            bytes.resize(self.live.len(), 0);
        }
        for sector in &self.dirty {
            if random.below(64) < new_of_64 {
                copy_sector(&self.live, &mut bytes, *sector);
            }
        }
        Self { live: bytes.clone(), durable: bytes, dirty: BTreeSet::new() }
    }

    pub(super) fn write(&mut self, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if end > self.live.len() {
            self.live.resize(end, 0);
        }
        if let Some(span) = self.live.get_mut(offset..end) {
            span.copy_from_slice(bytes);
        }
        self.dirty.extend(offset / SECTOR_BYTES..=(end - 1) / SECTOR_BYTES);
    }

    pub(super) fn sync(&mut self) {
        self.durable.resize(self.live.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            copy_sector(&self.live, &mut self.durable, sector);
        }
    }

    pub(super) fn fail_sync(&mut self, random: &mut SplitMix) {
        for sector in std::mem::take(&mut self.dirty) {
            if random.below(2) == 0 {
                copy_sector(&self.live, &mut self.durable, sector);
            }
        }
    }
}

fn copy_sector(from: &[u8], to: &mut [u8], sector: usize) {
    let at = sector * SECTOR_BYTES;
    let end = (at + SECTOR_BYTES).min(from.len()).min(to.len());
    if let (Some(old), Some(new)) = (to.get_mut(at..end), from.get(at..end)) {
        old.copy_from_slice(new);
    }
}

impl Image {
    /// Counts a call and says whether it may happen.
    pub(super) fn enter(&mut self, call: Call, process: u32) -> Result<(), Refused> {
        if self.killed.contains(&process) {
            return Err(Refused::Dead);
        }
        let at = self.n_calls;
        self.n_calls += 1;
        self.clock_us += 1;
        match self.cut_at {
            Some(cut) if at == cut => return Err(Refused::PowerGoes),
            Some(cut) if at > cut => return Err(Refused::Dead),
            _ => {}
        }
        let Some(fault) = self.fault.filter(|f| f.call.is_none_or(|kind| kind == call)) else {
            return Ok(());
        };
        let at = self.n_counted;
        self.n_counted += 1;
        if at == fault.at || (fault.fail == Fail::ForEver && at > fault.at) {
            self.n_failed += 1;
            return Err(Refused::Fault(fault.errno));
        }
        Ok(())
    }

    pub(super) fn change_names(&mut self, op: DirOp) {
        op.apply(&mut self.live);
        self.ops.push(op);
    }

    pub(super) fn inode_of(&self, path: &Path) -> io::Result<u64> {
        self.live.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn new_file(&mut self, path: &Path) -> io::Result<u64> {
        if !path.parent().is_some_and(|dir| self.dirs.contains(dir)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = self.n_inodes;
        self.n_inodes += 1;
        self.inodes.insert(inode, Inode::default());
        self.change_names(DirOp::Create(path.to_path_buf(), inode));
        Ok(inode)
    }
}
