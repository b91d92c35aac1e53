//! A disk in memory that can lose power.
//!
//! Every file has a live image (what a read sees) and a durable one (what a power loss leaves);
//! a sync carries the first over to the second. [`CrashDisk::crash`] answers one of the states
//! that a power loss at this moment may leave: of every unsynced 512-byte sector the old or the
//! new content, of every unsynced length the old or the new one, of every unsynced change of a
//! name (create, rename, remove) its effect or none. Directories themselves are durable at once.
//!
//! A failed sync behaves as Linux does: the unsynced sectors count as clean from then on, a part
//! of them never reaches the durable image, and the next sync succeeds.

mod image;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskFile, DiskLock};
pub(crate) use image::{Call, Fail, SplitMix};
use image::{DirOp, Fault, Image, Refused, SECTOR_BYTES};

static N_DISKS: AtomicU64 = AtomicU64::new(1);

/// A handle of one simulated process on a disk in memory. Clones share disk and process.
#[derive(Clone, Debug)]
pub(crate) struct CrashDisk {
    image: Arc<Mutex<Image>>,
    disk: u64,
    process: Arc<AtomicU32>,
}

impl CrashDisk {
    /// An empty disk; `seed` decides its random bytes and how its failures tear.
    pub(crate) fn new(seed: u64) -> Self {
        let image = Image { random: SplitMix(seed), clock_us: 1_000_000, ..Image::default() };
        Self::of(image)
    }

    fn of(image: Image) -> Self {
        Self {
            image: Arc::new(Mutex::new(image)),
            disk: N_DISKS.fetch_add(1, Ordering::Relaxed),
            process: Arc::new(AtomicU32::new(1)),
        }
    }

    fn image(&self) -> MutexGuard<'_, Image> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same disk as another process sees it.
    pub(crate) fn as_process(&self, pid: u32) -> Self {
        Self { process: Arc::new(AtomicU32::new(pid)), ..self.clone() }
    }

    /// What a fork does to this handle and its clones: the process number is another one.
    pub(crate) fn fork_into(&self, pid: u32) {
        self.process.store(pid, Ordering::Relaxed);
    }

    /// `kill -9`: the process's locks are free, its later calls fail, the live image stays.
    pub(crate) fn kill(&self, pid: u32) {
        let mut image = self.image();
        image.killed.insert(pid);
        image.locks.retain(|_, holder| *holder != pid);
    }

    /// The `n`-th call from now (0 = the next), of that kind if one is given, fails with `errno`.
    pub(crate) fn fail_nth(&self, call: Option<Call>, n: u64, fail: Fail, errno: i32) {
        let mut image = self.image();
        image.n_counted = 0;
        image.n_failed = 0;
        image.fault = Some(Fault { call, at: n, fail, errno });
    }

    /// No more failures.
    pub(crate) fn heal(&self) {
        let mut image = self.image();
        image.fault = None;
        image.cut_at = None;
    }

    /// The power goes during the `n`-th call from now: it and all later ones fail.
    pub(crate) fn cut_at(&self, n: u64) {
        let mut image = self.image();
        image.n_calls = 0;
        image.cut_at = Some(n);
    }

    /// Calls since the last [`CrashDisk::fail_nth`] that were of its kind.
    pub(crate) fn n_counted(&self) -> u64 {
        self.image().n_counted
    }

    /// Calls that were made to fail since the last [`CrashDisk::fail_nth`].
    pub(crate) fn n_failed(&self) -> u64 {
        self.image().n_failed
    }

    /// The live bytes of a file.
    pub(crate) fn bytes(&self, path: &Path) -> Option<Vec<u8>> {
        let image = self.image();
        image.live.get(path).and_then(|inode| image.inodes.get(inode)).map(|i| i.live.clone())
    }

    /// Changes a file behind everybody's back, durably.
    pub(crate) fn tamper(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> bool {
        let mut image = self.image();
        let Some(inode) = image.live.get(path).copied() else { return false };
        let Some(file) = image.inodes.get_mut(&inode) else { return false };
        change(&mut file.live);
        file.durable.clone_from(&file.live);
        file.dirty.clear();
        true
    }

    /// What `kill -9` of all processes leaves, on a disk of its own: everything that reached the
    /// kernel.
    pub(crate) fn after_kill(&self) -> Self {
        let image = self.image();
        Self::of(Image {
            inodes: image.inodes.clone(),
            n_inodes: image.n_inodes,
            live: image.live.clone(),
            durable: image.durable.clone(),
            ops: image.ops.clone(),
            dirs: image.dirs.clone(),
            clock_us: image.clock_us,
            random: image.random,
            ..Image::default()
        })
    }

    /// One of the states that a power loss now may leave, on a disk of its own.
    pub(crate) fn crash(&self, seed: u64) -> Self {
        let image = self.image();
        let mut random = SplitMix(seed);
        // Sectors and names each lean to old, to new, or neither: extremes find other bugs.
        let lean = [0, 8, 32, 56, 64];
        let of_64 = |random: &mut SplitMix| {
            let at = usize::try_from(random.below(5)).unwrap_or(0);
            lean.get(at).copied().unwrap_or(32)
        };
        let (sectors, names) = (of_64(&mut random), of_64(&mut random));
        let inodes = image
            .inodes
            .iter()
            .map(|(id, inode)| (*id, inode.after_crash(&mut random, sectors)))
            .collect();
        let mut durable = image.durable.clone();
        for op in &image.ops {
            if random.below(64) < names {
                op.apply(&mut durable);
            }
        }
        let mut after = Image {
            inodes,
            n_inodes: image.n_inodes,
            live: durable.clone(),
            durable,
            dirs: image.dirs.clone(),
            clock_us: image.clock_us,
            random,
            ..Image::default()
        };
        let named: BTreeSet<u64> = after.live.values().copied().collect();
        after.inodes.retain(|id, _| named.contains(id));
        Self::of(after)
    }
}

impl CrashDisk {
    fn enter(&self, call: Call) -> io::Result<MutexGuard<'_, Image>> {
        let mut image = self.image();
        image.enter(call, self.process_id())?;
        Ok(image)
    }

    fn file(&self, inode: u64) -> Box<dyn DiskFile> {
        Box::new(CrashFile { disk: self.clone(), inode })
    }
}

impl Disk for CrashDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let inode = self.enter(Call::Open)?.inode_of(path)?;
        Ok(self.file(inode))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut image = self.enter(Call::Open)?;
        if image.live.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = image.new_file(path)?;
        drop(image);
        Ok(self.file(inode))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let image = self.enter(Call::Dir)?;
        if !image.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = image.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn len_of(&self, path: &Path) -> io::Result<u64> {
        let image = self.enter(Call::Other)?;
        let inode = image.inode_of(path)?;
        Ok(image.inodes.get(&inode).map_or(0, |file| file.live.len()) as u64)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut image = self.enter(Call::Dir)?;
        image.inode_of(from)?;
        image.change_names(DirOp::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut image = self.enter(Call::Dir)?;
        image.inode_of(path)?;
        image.change_names(DirOp::Remove(path.to_path_buf()));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut image = self.enter(Call::Dir)?;
        let (now, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut image.ops).into_iter().partition(|op| op.is_in(dir));
        for op in &now {
            op.apply(&mut image.durable);
        }
        image.ops = later;
        Ok(())
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        let mut image = self.enter(Call::Dir)?;
        image.dirs.extend(dir.ancestors().map(Path::to_path_buf));
        Ok(())
    }

    fn canonical(&self, dir: &Path) -> io::Result<PathBuf> {
        Ok(dir.to_path_buf())
    }

    fn try_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn DiskLock>>> {
        let process = self.process_id();
        let mut image = self.enter(Call::Other)?;
        let inode = match image.inode_of(path) {
            Ok(inode) => inode,
            Err(_) if create => image.new_file(path)?,
            Err(error) => return Err(error),
        };
        if image.locks.contains_key(&inode) {
            return Ok(None);
        }
        image.locks.insert(inode, process);
        drop(image);
        Ok(Some(Box::new(CrashLock { disk: self.clone(), inode, process })))
    }

    fn fill_random(&self, out: &mut [u8]) -> io::Result<()> {
        let mut image = self.enter(Call::Other)?;
        for chunk in out.chunks_mut(8) {
            let bytes = image.random.next().to_be_bytes();
            chunk.iter_mut().zip(bytes).for_each(|(to, byte)| *to = byte);
        }
        Ok(())
    }

    fn now_us(&self) -> u64 {
        self.image().clock_us
    }

    fn process_id(&self) -> u32 {
        self.process.load(Ordering::Relaxed)
    }

    fn id(&self) -> u64 {
        (self.disk << 32) | u64::from(self.process_id())
    }
}

#[derive(Debug)]
struct CrashFile {
    disk: CrashDisk,
    inode: u64,
}

impl CrashFile {
    fn sync(&self) -> io::Result<()> {
        let mut image = self.disk.image();
        let entered = image.enter(Call::Sync, self.disk.process_id());
        let mut random = image.random;
        if let Some(file) = image.inodes.get_mut(&self.inode) {
            match entered {
                Ok(()) => file.sync(),
                Err(Refused::Fault(_)) => file.fail_sync(&mut random),
                Err(_) => {}
            }
        }
        image.random = random;
        Ok(entered?)
    }
}

impl DiskFile for CrashFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let image = self.disk.enter(Call::Read)?;
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let bytes = image.inodes.get(&self.inode).and_then(|file| file.live.get(at..));
        let bytes = bytes.unwrap_or_default();
        let n = bytes.len().min(out.len());
        out.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
        Ok(n)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let at = usize::try_from(offset).unwrap_or(usize::MAX);
        let mut image = self.disk.image();
        let entered = image.enter(Call::Write, self.disk.process_id());
        // A write that fails, or during which the power goes, may have got through in part: up
        // to the end of a sector, since kernels copy pages and devices write sectors.
        let n = match entered {
            Ok(()) => bytes.len(),
            Err(Refused::Dead) => 0,
            Err(_) => {
                let end = usize::try_from(image.random.below(bytes.len() as u64 + 512));
                let end = (at + end.unwrap_or(0)) / SECTOR_BYTES * SECTOR_BYTES;
                end.saturating_sub(at).min(bytes.len())
            }
        };
        if let Some(file) = image.inodes.get_mut(&self.inode) {
            file.write(bytes.get(..n).unwrap_or_default(), at);
        }
        Ok(entered?)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync()
    }

    fn len(&self) -> io::Result<u64> {
        let image = self.disk.enter(Call::Other)?;
        Ok(image.inodes.get(&self.inode).map_or(0, |file| file.live.len()) as u64)
    }

    fn nlink(&self) -> io::Result<u64> {
        let image = self.disk.enter(Call::Other)?;
        Ok(image.live.values().filter(|inode| **inode == self.inode).count() as u64)
    }
}

#[derive(Debug)]
struct CrashLock {
    disk: CrashDisk,
    inode: u64,
    process: u32,
}

impl DiskLock for CrashLock {
    fn nlink(&self) -> io::Result<u64> {
        CrashFile { disk: self.disk.clone(), inode: self.inode }.nlink()
    }
}

impl Drop for CrashLock {
    fn drop(&mut self) {
        if self.disk.process_id() != self.process {
            return;
        }
        let mut image = self.disk.image();
        if image.locks.get(&self.inode) == Some(&self.process) {
            image.locks.remove(&self.inode);
        }
    }
}
