//! The lines of a file of a bundle, one at a time.

use std::io::{self, Read, Seek};

use super::container::{Container, Extent};

/// Read at once. Lines are a few KiB long.
const CHUNK_BYTES: usize = 64 * 1024;

/// A place in a file of lines. It reads through the container that is handed to it, so that several
/// can be open at once. No line is longer than [`super::LINE_BYTES_MAX`]: the container would have been refused.
pub(super) struct LineReader {
    at: u64,
    end: u64,
    buffer: Vec<u8>,
    start: usize,
    /// Number of the line read last, from 1.
    n: u64,
}

/// A line without its line feed.
pub(super) struct Line {
    pub(super) n: u64,
    pub(super) bytes: Vec<u8>,
    /// False for a last line without a line feed.
    pub(super) is_ended: bool,
}

impl LineReader {
    pub(super) const fn new(extent: Extent) -> Self {
        let end = extent.at.saturating_add(extent.n_bytes);
        Self { at: extent.at, end, buffer: Vec::new(), start: 0, n: 0 }
    }

    /// The next line; `None` behind the last.
    pub(super) fn next<R: Read + Seek>(
        &mut self,
        container: &mut Container<R>,
    ) -> io::Result<Option<Line>> {
        let mut searched = self.start;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or(&[]);
            if let Some(found) = memchr::memchr(b'\n', rest) {
                return Ok(Some(self.take(searched + found, true)));
            }
            if self.at >= self.end {
                let n_bytes = self.buffer.len();
                let is_over = self.start >= n_bytes;
                return Ok((!is_over).then(|| self.take(n_bytes, false)));
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
            let n = left.min(CHUNK_BYTES);
            self.buffer.resize(searched + n, 0);
            container.read_at(self.at, self.buffer.get_mut(searched..).unwrap_or(&mut []))?;
            self.at = self.at.saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        }
    }

    fn take(&mut self, end: usize, is_ended: bool) -> Line {
        let bytes = self.buffer.get(self.start..end).unwrap_or(&[]).to_vec();
        self.start = end + usize::from(is_ended);
        self.n += 1;
        Line { n: self.n, bytes, is_ended }
    }
}
