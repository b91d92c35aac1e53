//! The files of a bundle while they are made, and putting them together.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use modeltrail_core::Hash;
use modeltrail_core::bundle::{BundlePath, LINE_BYTES_MAX, tar};
use modeltrail_core::hash::{Hasher, hex, sha256};

use super::BundleError;
use crate::disk::{Disk as _, RealDisk};

/// Copied at once when the files are put together.
const COPY_BYTES: usize = 256 * 1024;

/// Where a finished file lies.
struct Place {
    /// Which of the nameless files.
    heap: usize,
    at: u64,
    n_bytes: u64,
    sha256: Hash,
}

/// A file without a name: it is gone with the process, however that ends.
struct Heap {
    file: BufWriter<File>,
    n_bytes: u64,
}

/// A file of a bundle that is written line by line.
pub(super) struct Lines {
    heap: usize,
    at: u64,
    hasher: Hasher,
}

/// The files of a bundle.
pub(super) struct Pieces {
    path: PathBuf,
    heaps: Vec<Heap>,
    files: BTreeMap<String, Place>,
}

impl Pieces {
    /// Of a bundle that is going to be at `path`.
    pub(super) fn new(path: &Path) -> Result<Self, BundleError> {
        let mut pieces = Self { path: path.to_owned(), heaps: Vec::new(), files: BTreeMap::new() };
        // The first one holds what is written as a whole.
        pieces.add_heap()?;
        Ok(pieces)
    }

    fn error(&self, source: io::Error) -> BundleError {
        BundleError::Io { path: self.path.clone(), source }
    }

    fn add_heap(&mut self) -> Result<usize, BundleError> {
        let name = beside(&self.path).map_err(|source| self.error(source))?;
        let error = |source| BundleError::Io { path: name.clone(), source };
        let file = create(&name).map_err(error)?;
        std::fs::remove_file(&name).map_err(error)?;
        self.heaps.push(Heap { file: BufWriter::with_capacity(COPY_BYTES, file), n_bytes: 0 });
        Ok(self.heaps.len() - 1)
    }

    fn append(&mut self, heap: usize, bytes: &[u8]) -> Result<u64, BundleError> {
        let Some(to) = self.heaps.get_mut(heap) else { return Ok(0) };
        let at = to.n_bytes;
        let written = to.file.write_all(bytes);
        to.n_bytes = at.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        written.map_err(|source| self.error(source))?;
        Ok(at)
    }

    /// Adds a file as a whole.
    pub(super) fn put(&mut self, path: BundlePath, bytes: &[u8]) -> Result<(), BundleError> {
        let n_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if n_bytes > path.bytes_max() {
            let what = "a file of the bundle would be larger than a verifier takes";
            return Err(BundleError::TooLarge { what });
        }
        let at = self.append(0, bytes)?;
        let place = Place { heap: 0, at, n_bytes, sha256: sha256(&[bytes]) };
        self.files.insert(path.to_string(), place);
        Ok(())
    }

    /// Begins a file of lines.
    pub(super) fn begin(&mut self) -> Result<Lines, BundleError> {
        let heap = self.add_heap()?;
        Ok(Lines { heap, at: 0, hasher: Hasher::new() })
    }

    /// Adds a line, its line feed included.
    pub(super) fn line(&mut self, to: &mut Lines, line: &[u8]) -> Result<(), BundleError> {
        if line.len() > LINE_BYTES_MAX {
            let what = "a line of the bundle would be longer than the 24 MiB that a verifier takes";
            return Err(BundleError::TooLarge { what });
        }
        to.hasher.update(line);
        self.append(to.heap, line)?;
        to.at = to.at.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        if to.at > tar::FILE_BYTES_MAX {
            let what = "a file of the bundle would be larger than 8 GiB";
            return Err(BundleError::TooLarge { what });
        }
        Ok(())
    }

    /// Ends a file of lines.
    pub(super) fn end(&mut self, path: BundlePath, lines: Lines) {
        let Lines { heap, at, hasher } = lines;
        let place = Place { heap, at: 0, n_bytes: at, sha256: hasher.finish() };
        self.files.insert(path.to_string(), place);
    }

    pub(super) fn n_files(&self) -> usize {
        self.files.len()
    }

    /// Lower-case hex SHA-256 of each file, by path.
    pub(super) fn digests(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(path, place)| (path.clone(), place.sha256.to_hex())).collect()
    }

    /// Puts the files together under the bundle's name, durably. Returns the bundle's length.
    pub(super) fn finish(mut self) -> Result<u64, BundleError> {
        for heap in &mut self.heaps {
            heap.file
                .flush()
                .map_err(|source| BundleError::Io { path: self.path.clone(), source })?;
        }
        let part = beside(&self.path).map_err(|source| self.error(source))?;
        let written = self.write_to(&part).and_then(|n_bytes| {
            // Not over a bundle that came there meanwhile.
            std::fs::hard_link(&part, &self.path).map(|()| n_bytes)
        });
        // Either it has its name by now, or it is not wanted.
        let removed = std::fs::remove_file(&part);
        let n_bytes = written.map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BundleError::Exists(self.path.clone()),
            _ => self.error(source),
        })?;
        removed.map_err(|source| self.error(source))?;
        let dir = parent(&self.path);
        RealDisk.sync_dir(&dir).map_err(|source| BundleError::Io { path: dir, source })?;
        Ok(n_bytes)
    }

    fn write_to(&self, part: &Path) -> io::Result<u64> {
        let file = create(part)?;
        let mut out = BufWriter::with_capacity(COPY_BYTES, file);
        let mut buffer = vec![0; COPY_BYTES];
        let mut n_bytes = 0_u64;
        let mut write = |bytes: &[u8]| {
            n_bytes = n_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            out.write_all(bytes)
        };
        for (path, place) in &self.files {
            let header = tar::header(path, place.n_bytes);
            let header = header.ok_or_else(|| io::Error::other("a path that no bundle has"))?;
            write(&header)?;
            let heap = self.heaps.get(place.heap).map(|heap| heap.file.get_ref());
            let heap = heap.ok_or_else(|| io::Error::other("a file that was not written"))?;
            let (mut at, end) = (place.at, place.at.saturating_add(place.n_bytes));
            while at < end {
                let left = usize::try_from(end - at).unwrap_or(usize::MAX);
                let piece = buffer.get_mut(..left.min(COPY_BYTES)).unwrap_or(&mut []);
                heap.read_exact_at(piece, at)?;
                write(piece)?;
                at = at.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            }
            write(&[0; tar::BLOCK_BYTES][..tar::padding_bytes(place.n_bytes)])?;
        }
        write(&[0; tar::END_BYTES])?;
        let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(n_bytes)
    }
}

/// A new file that its owner alone reads: bundles hold what was asked and answered.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if dir.as_os_str().is_empty() => PathBuf::from("."),
        Some(dir) => dir.to_owned(),
        None => PathBuf::from("."),
    }
}

/// A name in the same folder that nobody else uses, so that the bundle is moved and not copied.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", hex(&random)));
    Ok(parent(path).join(name))
}
