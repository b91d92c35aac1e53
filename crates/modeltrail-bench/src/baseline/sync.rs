//! Of `spooled-one`: one write and one fdatasync per frame, into a file that has its blocks.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::Result;
use crate::timing::Times;

/// A file full of zeros, so that a sync writes data and no metadata of the file system.
pub(crate) fn preallocated(path: &Path, n_bytes: u64) -> Result<File> {
    let file = File::options().read(true).write(true).create_new(true).open(path)?;
    // A mebibyte at a time.
    let zeros = vec![0; 1 << 20];
    let mut at = 0;
    while at < n_bytes {
        let n = usize::try_from(n_bytes - at).unwrap_or(usize::MAX).min(zeros.len());
        file.write_all_at(zeros.get(..n).unwrap_or_default(), at)?;
        at += u64::try_from(n)?;
    }
    file.sync_all()?;
    Ok(file)
}

/// One frame after the other, each on the disk before the next.
pub(crate) struct OneByOne {
    file: File,
    at: u64,
}

impl OneByOne {
    /// 64 MiB, more than a run writes; it begins again at its end.
    const N_BYTES: u64 = 64 << 20;

    pub(crate) fn new(dir: &Path) -> Result<Self> {
        Ok(Self { file: preallocated(&dir.join("one-by-one"), Self::N_BYTES)?, at: 0 })
    }

    /// Times the write and the sync of each frame.
    pub(crate) fn round(&mut self, frames: &[Vec<u8>], times: &mut Times) -> Result<()> {
        for frame in frames {
            let n_bytes = u64::try_from(frame.len())?;
            if self.at + n_bytes > Self::N_BYTES {
                self.at = 0;
            }
            times.time(|| {
                self.file.write_all_at(frame, self.at)?;
                self.file.sync_data()
            })?;
            self.at += n_bytes;
        }
        Ok(())
    }
}
