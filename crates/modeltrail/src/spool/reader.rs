//! Reads the slots of one segment.

use super::FRAME_BYTES_MAX;
use super::format::{
    HEADER_BYTES, SLOT_ALIGN, SLOT_HEADER_BYTES, SegmentHeader, SlotHeader, apply_keystream,
    slot_bytes,
};
use crate::disk::DiskFile;
use std::io;

/// The first read after a pause: a look whether anything is there should cost little.
const READ_BYTES_MIN: usize = 4 << 10;

/// Reads grow to this while there is more: large enough that calls cost nothing beside copying,
/// small enough to stay in the processor's cache.
const READ_BYTES_MAX: usize = 256 << 10;

/// One segment, its file open, and a window of its bytes.
#[derive(Debug)]
pub(crate) struct SegmentReader {
    file: Box<dyn DiskFile>,
    header: SegmentHeader,
    pos: u64,
    window: Vec<u8>,
    window_at: u64,
    read_bytes: usize,
}

impl SegmentReader {
    /// A reader at the first slot.
    pub(crate) fn new(file: Box<dyn DiskFile>, header: SegmentHeader) -> Self {
        Self {
            file,
            header,
            pos: HEADER_BYTES as u64,
            window: Vec::new(),
            window_at: 0,
            read_bytes: READ_BYTES_MIN,
        }
    }

    /// Where it is in the file.
    pub(crate) fn pos(&self) -> u64 {
        self.pos
    }

    /// Goes on at another offset.
    pub(crate) fn skip_to(&mut self, pos: u64) {
        self.pos = pos;
    }

    /// Forgets what it has read: the next look sees the file as it is then.
    pub(crate) fn forget(&mut self) {
        self.window = Vec::new();
        self.read_bytes = READ_BYTES_MIN;
    }

    /// The whole slot at the current offset, with its frame decrypted; the reader is then behind
    /// it. `None` if there is none, or none yet.
    pub(crate) fn next_frame(&mut self) -> io::Result<Option<(SlotHeader, Vec<u8>)>> {
        let at = self.pos;
        let Some(slot) = self.whole_slot(at)? else { return Ok(None) };
        let end = SLOT_HEADER_BYTES + slot.n_bytes;
        let bytes = self.bytes(at, end)?;
        let mut frame = bytes.get(SLOT_HEADER_BYTES..end).unwrap_or_default().to_vec();
        apply_keystream(&self.header.key, at, &mut frame);
        self.pos = at + slot_bytes(slot.n_bytes) as u64;
        Ok(Some((slot, frame)))
    }

    /// The slot header at an offset, whether or not the frame behind it is whole.
    pub(crate) fn slot_header(&mut self, at: u64) -> io::Result<Option<SlotHeader>> {
        let tag = self.header.tag;
        let head = SlotHeader::decode(self.bytes(at, SLOT_HEADER_BYTES)?, &tag);
        let fits = |slot: &SlotHeader| {
            at.saturating_add(slot_bytes(slot.n_bytes) as u64) <= self.header.size_bytes
        };
        Ok(head.filter(fits))
    }

    /// Whether a whole slot is at the current offset.
    pub(crate) fn is_frame_here(&mut self) -> io::Result<bool> {
        let at = self.pos;
        Ok(self.whole_slot(at)?.is_some())
    }

    /// Whether the place of the next slot is zero, as behind the last one.
    pub(crate) fn is_zero_here(&mut self) -> io::Result<bool> {
        let at = self.pos;
        Ok(self.bytes(at, SLOT_HEADER_BYTES)?.iter().all(|byte| *byte == 0))
    }

    /// The first whole slot behind the current offset.
    pub(crate) fn next_whole_slot(&mut self) -> io::Result<Option<(u64, SlotHeader)>> {
        let mut at = self.pos + SLOT_ALIGN as u64;
        while at + SLOT_HEADER_BYTES as u64 <= self.header.size_bytes {
            if self.bytes(at, SLOT_HEADER_BYTES)?.len() < SLOT_HEADER_BYTES {
                break;
            }
            if let Some(slot) = self.whole_slot(at)? {
                return Ok(Some((at, slot)));
            }
            at += SLOT_ALIGN as u64;
        }
        Ok(None)
    }

    /// The bytes from the current offset up to another one, or to the end of the file less the
    /// zeros there. Bounded by the longest slot when nothing says where the span ends.
    pub(crate) fn span(&mut self, end: Option<u64>) -> io::Result<Vec<u8>> {
        let at = self.pos;
        let longest = at.saturating_add(slot_bytes(FRAME_BYTES_MAX) as u64);
        let stop = end.unwrap_or(longest).min(self.header.size_bytes.max(at));
        let mut bytes = vec![0; usize::try_from(stop - at).unwrap_or(0)];
        let n_read = self.file.read_at(&mut bytes, at)?;
        bytes.truncate(n_read);
        if end.is_none() {
            let n = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            bytes.truncate(n);
        }
        Ok(bytes)
    }

    /// The file's first bytes, as they are.
    pub(crate) fn head_bytes(&self) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; HEADER_BYTES];
        let n_read = self.file.read_at(&mut bytes, 0)?;
        bytes.truncate(n_read);
        Ok(bytes)
    }

    fn whole_slot(&mut self, at: u64) -> io::Result<Option<SlotHeader>> {
        let Some(slot) = self.slot_header(at)? else { return Ok(None) };
        let tag = self.header.tag;
        let bytes = self.bytes(at, SLOT_HEADER_BYTES + slot.n_bytes)?;
        Ok(slot.is_whole(bytes, &tag).then_some(slot))
    }

    /// `n` bytes of the file, fewer only at its end.
    fn bytes(&mut self, at: u64, n: usize) -> io::Result<&[u8]> {
        let have = |window: &Vec<u8>, window_at: u64| {
            let from = at.checked_sub(window_at).and_then(|from| usize::try_from(from).ok())?;
            (from.saturating_add(n) <= window.len()).then_some(from)
        };
        let from = match have(&self.window, self.window_at) {
            Some(from) => from,
            None => {
                self.fill(at, n)?;
                0
            }
        };
        let end = from.saturating_add(n).min(self.window.len());
        Ok(self.window.get(from..end).unwrap_or_default())
    }

    fn fill(&mut self, at: u64, n: usize) -> io::Result<()> {
        let left = self.header.size_bytes.saturating_sub(at);
        let wanted = self.read_bytes.max(n).min(usize::try_from(left).unwrap_or(usize::MAX));
        self.window.resize(wanted, 0);
        self.window_at = at;
        let read = self.file.read_at(&mut self.window, at);
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX);
        read.map(|_| ())
    }
}
