//! Reading the container: one pass over all of its bytes, which refuses whatever is not exactly of the
//! form, and then reads at any place.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use crate::hash::{Hash, Hasher};

use super::path::BundlePath;
use super::tar::{BLOCK_BYTES, END_BYTES, padding_bytes, read_header};
use super::{LINE_BYTES_MAX, N_FILES_MAX, N_TIMESTAMP_FILES_MAX};

/// Why a bundle was not looked at any further.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error("the bundle cannot be read: {0}")]
    Read(#[from] io::Error),
    /// It is no bundle, and nothing in it is believed.
    #[error("this is no evidence bundle: {what} ({path}byte {at})")]
    Refused {
        /// The file in it, with `, ` behind it; empty where there is none.
        path: String,
        /// Where, in bytes from the beginning of the bundle.
        at: u64,
        /// What is not as it must be.
        what: String,
    },
}

impl BundleError {
    pub(super) fn refused(path: &str, at: u64, what: impl Into<String>) -> Self {
        let path = if path.is_empty() { String::new() } else { format!("{path}, ") };
        Self::Refused { path, at, what: what.into() }
    }
}

/// Where a file lies, and its digest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub(super) at: u64,
    pub(super) n_bytes: u64,
    pub(super) sha256: Hash,
}

/// A bundle whose container is as it must be.
pub(super) struct Container<R> {
    from: R,
    files: BTreeMap<String, Extent>,
}

impl<R: Read + Seek> Container<R> {
    /// Reads all of it.
    pub(super) fn open(from: R) -> Result<Self, BundleError> {
        let mut pass = Pass { from, at: 0, n_timestamps: 0 };
        let mut files: BTreeMap<String, Extent> = BTreeMap::new();
        pass.from.seek(SeekFrom::Start(0))?;
        loop {
            let start = pass.at;
            let mut block = [0; BLOCK_BYTES];
            pass.fill(&mut block, "")?;
            if block.iter().all(|byte| *byte == 0) {
                pass.end()?;
                return Ok(Self { from: pass.from, files });
            }
            let refused = |path: &str, what: &str| BundleError::refused(path, start, what);
            let (path, n_bytes) = read_header(&block).map_err(|what| refused("", what))?;
            if files.last_key_value().is_some_and(|(last, _)| *last >= path) {
                return Err(refused(&path, "a path twice, or out of order"));
            }
            if files.len() >= N_FILES_MAX {
                return Err(refused(&path, "more than a million files"));
            }
            let extent = pass.file(&path, n_bytes)?;
            files.insert(path, extent);
        }
    }

    /// All files by path, ascending.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &Extent)> {
        self.files.iter().map(|(path, extent)| (path.as_str(), extent))
    }

    pub(super) fn n_files(&self) -> u64 {
        u64::try_from(self.files.len()).unwrap_or(u64::MAX)
    }

    pub(super) fn extent(&self, path: BundlePath) -> Option<Extent> {
        self.files.get(&path.to_string()).copied()
    }

    /// A whole file; those of lines are read by [`super::lines::LineReader`] instead.
    pub(super) fn read(&mut self, path: BundlePath) -> io::Result<Option<Vec<u8>>> {
        let Some(extent) = self.extent(path) else { return Ok(None) };
        let n_bytes = usize::try_from(extent.n_bytes).map_err(io::Error::other)?;
        let mut bytes = vec![0; n_bytes];
        self.read_at(extent.at, &mut bytes)?;
        Ok(Some(bytes))
    }

    pub(super) fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.from.seek(SeekFrom::Start(at))?;
        self.from.read_exact(out)
    }
}

/// The one pass over everything.
struct Pass<R> {
    from: R,
    at: u64,
    n_timestamps: usize,
}

impl<R: Read> Pass<R> {
    fn fill(&mut self, out: &mut [u8], path: &str) -> Result<(), BundleError> {
        self.from.read_exact(out).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                BundleError::refused(path, self.at, "it ends too early")
            }
            _ => error.into(),
        })?;
        self.at = self.at.saturating_add(u64::try_from(out.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// One file's content and what it is filled up with.
    fn file(&mut self, path: &str, n_bytes: u64) -> Result<Extent, BundleError> {
        let at = self.at;
        let refused = |at, what: &str| Err(BundleError::refused(path, at, what));
        let Some(known) = BundlePath::parse(path) else {
            return refused(at, "a file that no bundle has");
        };
        if n_bytes > known.bytes_max() {
            return refused(at, "a file larger than such a file can be");
        }
        if matches!(known, BundlePath::Timestamp(_) | BundlePath::Certificates(_)) {
            self.n_timestamps += 1;
            if self.n_timestamps > N_TIMESTAMP_FILES_MAX {
                return refused(at, "more than 32 files of timestamps");
            }
        }
        let sha256 = self.content(path, n_bytes, known.is_lines())?;
        let mut padding = [0; BLOCK_BYTES];
        let padding = padding.get_mut(..padding_bytes(n_bytes)).unwrap_or(&mut []);
        let padding_at = self.at;
        self.fill(padding, path)?;
        if padding.iter().any(|byte| *byte != 0) {
            return refused(padding_at, "bytes behind its content that are not zero");
        }
        Ok(Extent { at, n_bytes, sha256 })
    }

    fn content(&mut self, path: &str, n_bytes: u64, is_lines: bool) -> Result<Hash, BundleError> {
        // Large enough that the calls do not count, small enough to stay in the cache.
        let mut buffer = vec![0; 64 * 1024];
        let mut hasher = Hasher::new();
        let (mut left, mut n_line) = (n_bytes, 0_usize);
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
            let piece = buffer.get_mut(..n).unwrap_or(&mut []);
            let piece_at = self.at;
            self.fill(piece, path)?;
            hasher.update(piece);
            left = left.saturating_sub(u64::try_from(n).unwrap_or(u64::MAX));
            if !is_lines {
                continue;
            }
            let mut ends = memchr::memchr_iter(b'\n', piece);
            let first = ends.next();
            n_line += first.unwrap_or(n);
            if n_line > LINE_BYTES_MAX {
                let what = "a line longer than the 24 MiB that a line can have";
                return Err(BundleError::refused(path, piece_at, what));
            }
            if let Some(first) = first {
                n_line = n - 1 - ends.next_back().unwrap_or(first);
            }
        }
        Ok(hasher.finish())
    }

    /// The second block of zero bytes, and nothing behind it.
    fn end(&mut self) -> Result<(), BundleError> {
        let at = self.at;
        let mut rest = [0; END_BYTES - BLOCK_BYTES];
        self.fill(&mut rest, "")?;
        if rest.iter().any(|byte| *byte != 0) {
            return Err(BundleError::refused("", at, "one block of zero bytes where two must be"));
        }
        match self.from.read(&mut [0])? {
            0 => Ok(()),
            _ => Err(BundleError::refused("", self.at, "bytes behind the end")),
        }
    }
}
