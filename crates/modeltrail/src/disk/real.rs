//! The file system of the machine.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::{Disk, DiskFile, DiskLock};

/// The machine's file system, POSIX record locks and the system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn len_of(&self, path: &Path) -> io::Result<u64> {
        Ok(fs::symlink_metadata(path)?.len())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        self.create_dir_all(parent)?;
        match DirBuilder::new().mode(0o700).create(dir) {
            // Another process may have been quicker.
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        self.sync_dir(parent)
    }

    fn canonical(&self, dir: &Path) -> io::Result<PathBuf> {
        fs::canonicalize(dir)
    }

    fn try_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn DiskLock>>> {
        // Held from before the file is opened until after it is closed: closing any descriptor
        // of a file drops every record lock this process has on it.
        let mut held = held_here();
        match fs::metadata(path) {
            Ok(found) if held.files.contains(&(found.dev(), found.ino())) => return Ok(None),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(create)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        let found = file.metadata()?;
        let key = (found.dev(), found.ino());
        if held.files.contains(&key) {
            // The name was moved onto one of our own locks after it was looked at. Closing this
            // descriptor would drop that lock, so it is kept open for as long as the lock lives.
            held.kept_open.push((key, file));
            return Ok(None);
        }
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::AGAIN | Errno::ACCESS) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        held.files.insert(key);
        Ok(Some(Box::new(RealLock { file: Some(file), key, pid: std::process::id() })))
    }

    fn fill_random(&self, out: &mut [u8]) -> io::Result<()> {
        getrandom::fill(out).map_err(|error| io::Error::other(error.to_string()))
    }

    fn now_us(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }

    fn process_id(&self) -> u32 {
        std::process::id()
    }

    fn id(&self) -> u64 {
        0
    }
}

#[derive(Debug)]
struct RealFile(File);

impl DiskFile for RealFile {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut n_read = 0_usize;
        while let Some(rest) = out.get_mut(n_read..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(n_read).unwrap_or(u64::MAX));
            match self.0.read_at(rest, at) {
                Ok(0) => break,
                Ok(n) => n_read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(n_read)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn nlink(&self) -> io::Result<u64> {
        n_links(&self.0)
    }
}

/// The number of names of an open file. It asks for that alone: on Linux from 6.13 on, who asks for
/// the times of a file makes the next write store finer ones, which the next fdatasync then has to
/// write as well (a third more time for a small write and its sync).
#[cfg(target_os = "linux")]
fn n_links(file: &File) -> io::Result<u64> {
    use rustix::fs::{AtFlags, StatxFlags, statx};
    let found = statx(file, "", AtFlags::EMPTY_PATH, StatxFlags::NLINK)?;
    Ok(u64::from(found.stx_nlink))
}

/// The number of names of an open file.
#[cfg(not(target_os = "linux"))]
fn n_links(file: &File) -> io::Result<u64> {
    Ok(file.metadata()?.nlink())
}

/// A record lock. Its place in the list of held locks is given back together with the lock.
#[derive(Debug)]
struct RealLock {
    file: Option<File>,
    key: FileKey,
    pid: u32,
}

impl DiskLock for RealLock {
    fn nlink(&self) -> io::Result<u64> {
        self.file.as_ref().map_or(Ok(0), n_links)
    }
}

impl Drop for RealLock {
    fn drop(&mut self) {
        if self.pid != std::process::id() {
            // After a fork: the lock is the parent's, and so is the list.
            return;
        }
        let mut held = held_here();
        self.file.take();
        held.kept_open.retain(|(key, _)| *key != self.key);
        held.files.remove(&self.key);
    }
}

/// Device and inode.
type FileKey = (u64, u64);

/// The locks one process holds. POSIX record locks do not exclude within a process and are lost
/// when any descriptor of the file is closed, so the process keeps this list itself.
#[derive(Debug)]
struct Held {
    pid: u32,
    files: BTreeSet<FileKey>,
    kept_open: Vec<(FileKey, File)>,
}

/// A mutex that another thread held at the moment of a fork stays locked in the child for ever.
/// Parent and child therefore use different ones, chosen by process number; 256 makes it
/// unlikely enough that the numbers of both fall together at such a moment.
const N_HELD: usize = 256;

static HELD: [Mutex<Held>; N_HELD] =
    [const { Mutex::new(Held { pid: 0, files: BTreeSet::new(), kept_open: Vec::new() }) }; N_HELD];

fn held_here() -> MutexGuard<'static, Held> {
    let pid = std::process::id();
    let slot = usize::try_from(pid).unwrap_or(0) % N_HELD;
    // The remainder is always in range; the first one stands in so that nothing can panic.
    let [first, ..] = &HELD;
    let mut held = HELD.get(slot).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner);
    if held.pid != pid {
        *held = Held { pid, files: BTreeSet::new(), kept_open: Vec::new() };
    }
    held
}
