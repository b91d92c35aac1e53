//! The seam between the spool and the operating system.
//!
//! Everything the spool knows about files, locks, time, randomness and the process it runs in
//! passes through [`Disk`], so that a test can put a disk underneath that tears sectors, loses
//! directory entries and fails the n-th call. [`RealDisk`] is the one that ships.

#[cfg(any(test, feature = "testing"))]
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "conformance suites outside this crate's tests use a part of it")
)]
pub(crate) mod crash;
mod real;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub(crate) use real::RealDisk;

/// A file system with the promises the spool relies on, and no more.
///
/// Contract: what was written is durable only after [`DiskFile::sync_data`] (bytes and length) or
/// [`DiskFile::sync_all`]; a created, renamed or removed name only after [`Disk::sync_dir`] of the
/// directory. Before that a power loss may keep any mixture of old and new 512-byte sectors, and
/// may apply or forget each change of a name on its own. A rename is one change: the file is under
/// the old or the new name, never gone.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a file that must not exist yet, readable by its owner alone.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Names of the files in `dir` (no directories, no names that are not UTF-8), unordered.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Length of the file of that name, without opening it.
    fn len_of(&self, path: &Path) -> io::Result<u64>;

    /// Moves a file to another name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a name; the bytes live on while a file is open.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Makes a directory and the missing ones above it, durably; fine if it is there.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// The one name of an existing directory, whatever links lead to it.
    fn canonical(&self, dir: &Path) -> io::Result<PathBuf>;

    /// Takes an exclusive lock that dies with this process and is not inherited by a fork.
    ///
    /// `None` when a live process holds it, this one included. With `create` a missing file is
    /// made; without, it is an error of kind `NotFound`.
    fn try_lock(&self, path: &Path, create: bool) -> io::Result<Option<Box<dyn DiskLock>>>;

    /// Fills `out` from the system's generator.
    fn fill_random(&self, out: &mut [u8]) -> io::Result<()>;

    /// Microseconds since 1970, UTC.
    fn now_us(&self) -> u64;

    /// The number of the calling process; another one after a fork.
    fn process_id(&self) -> u32;

    /// Tells apart disks (and, in simulations, processes) that share this process's memory.
    fn id(&self) -> u64;
}

/// An open file. Methods may be called from several threads.
pub(crate) trait DiskFile: Send + Sync + fmt::Debug {
    /// Reads until `out` is full or the file ends; answers the number of bytes read.
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `bytes`. After an error any prefix of them may have been written.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes bytes and length durable (`fdatasync`). After an error nothing may be concluded
    /// about the file, now or after another call: it must not be written or synced again.
    fn sync_data(&self) -> io::Result<()>;

    /// Like [`DiskFile::sync_data`], with the file's other metadata (`fsync`).
    fn sync_all(&self) -> io::Result<()>;

    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// How many names the file has; zero once somebody removed it.
    fn nlink(&self) -> io::Result<u64>;
}

/// A held lock; dropping it lets go.
pub(crate) trait DiskLock: Send + Sync + fmt::Debug {
    /// How many names the locked file has; zero when it was removed before the lock was taken.
    fn nlink(&self) -> io::Result<u64>;
}
