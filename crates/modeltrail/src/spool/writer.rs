//! Where committed frames go: the producer's current segment, and the rule for what happens
//! when a file fails.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::counters::Tally;
use super::error::At;
use super::format::{
    HEADER_BYTES, SLOT_HEADER_BYTES, SegmentHeader, first_slot_bytes, fitting_bytes, seal_slots,
    unseal_slots,
};
use super::{Place, ProducerId, SpoolError};
use crate::disk::DiskFile;

/// Buffers kept for the next commits, so that they do not touch fresh memory; larger ones are
/// given back.
const SPARE_BYTES_MAX: usize = 1 << 20;

/// Zeros written after the last slot: the end of the frames of a recycled file is then plain,
/// whatever an earlier use left behind it.
const END_MARK: [u8; SLOT_HEADER_BYTES] = [0; SLOT_HEADER_BYTES];

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct OpenSegment {
    /// Its file.
    pub(crate) file: Box<dyn DiskFile>,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// What it begins with.
    pub(crate) header: SegmentHeader,
    /// Where the next slot goes.
    pub(crate) pos: u64,
    /// Whether any caller was told of frames in it.
    pub(crate) reported: bool,
}

/// Sealed slots that were handed to the kernel and are not known to be durable.
struct Batch {
    slots: Vec<u8>,
    at: u64,
}

/// The one that writes, for one caller at a time.
///
/// Invariant: frames that are not durable are in memory, either in `unsynced` (they are also in
/// the current segment) or in `unplaced`, in the order of their numbers.
pub(crate) struct Writer {
    place: Place,
    producer: ProducerId,
    tally: Arc<Tally>,
    segment: Option<OpenSegment>,
    next_segment_no: u64,
    unsynced: Vec<Batch>,
    unplaced: VecDeque<Vec<u8>>,
    spare: Vec<u8>,
    /// Everything below is durable, unless its file was removed under us.
    durable_seq: u64,
    /// Everything below is in the current segment or durable.
    placed_seq: u64,
}

impl Writer {
    /// A writer that has written nothing yet and touches no file before it must.
    pub(crate) fn new(place: Place, producer: ProducerId, tally: Arc<Tally>) -> Self {
        Self {
            place,
            producer,
            tally,
            segment: None,
            next_segment_no: 0,
            unsynced: Vec::new(),
            unplaced: VecDeque::new(),
            spare: Vec::new(),
            durable_seq: 0,
            placed_seq: 0,
        }
    }

    /// An empty buffer for the next appends.
    pub(crate) fn spare(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.spare)
    }

    /// Everything below is durable.
    pub(crate) fn durable_seq(&self) -> u64 {
        self.durable_seq
    }

    /// Bytes of the frames that are not durable.
    pub(crate) fn held_bytes(&self) -> usize {
        self.unsynced.iter().map(|batch| batch.slots.len()).sum::<usize>()
            + self.unplaced.iter().map(Vec::len).sum::<usize>()
    }

    /// Hands the frames it holds and the `fresh` ones to the kernel, and makes them durable if
    /// `sync`. `on_written` is called between the two.
    ///
    /// A file that fails is left for good and a new segment is tried once. If that fails too the
    /// frames stay in memory for the next run.
    pub(crate) fn run(
        &mut self,
        fresh: Vec<u8>,
        sync: bool,
        mut on_written: impl FnMut(),
    ) -> Result<(), SpoolError> {
        if !fresh.is_empty() {
            self.unplaced.push_back(fresh);
        }
        let first = match self.attempt(sync, &mut on_written) {
            Ok(()) => return Ok(()),
            Err(error) => self.give_up_segment(error),
        };
        if matches!(first, SpoolError::Full { .. }) {
            return Err(first);
        }
        tracing::warn!(error = %first, "spool segment failed, trying a new one");
        self.attempt(sync, &mut on_written).map_err(|error| self.give_up_segment(error))
    }

    fn attempt(&mut self, sync: bool, on_written: &mut impl FnMut()) -> Result<(), SpoolError> {
        self.check_link()?;
        self.place_all()?;
        if let Some(segment) = &mut self.segment {
            segment.reported = true;
        }
        on_written();
        if sync { self.sync() } else { Ok(()) }
    }

    fn place_all(&mut self) -> Result<(), SpoolError> {
        while let Some(mut slots) = self.unplaced.pop_front() {
            let Some(first_bytes) = first_slot_bytes(&slots) else { continue };
            if self.room() < first_bytes
                && let Err(error) = self.next_segment(first_bytes)
            {
                self.unplaced.push_front(slots);
                return Err(error);
            }
            let n = fitting_bytes(&slots, self.room());
            if n < slots.len() {
                self.unplaced.push_front(slots.split_off(n));
            }
            self.write_slots(slots)?;
        }
        Ok(())
    }

    fn room(&self) -> usize {
        let room = self.segment.as_ref().map_or(0, |s| s.header.size_bytes.saturating_sub(s.pos));
        usize::try_from(room).unwrap_or(usize::MAX)
    }

    /// Writes slots that fit at the end of the current segment, with one call.
    fn write_slots(&mut self, mut slots: Vec<u8>) -> Result<(), SpoolError> {
        let room = self.room();
        let Some(segment) = &mut self.segment else {
            self.unplaced.push_front(slots);
            return Ok(());
        };
        let next_seq = seal_slots(&mut slots, &segment.header, segment.pos, self.durable_seq);
        let n = slots.len();
        slots.extend(END_MARK.get(..END_MARK.len().min(room.saturating_sub(n))).unwrap_or(&[]));
        let written = segment.file.write_all_at(&slots, segment.pos);
        slots.truncate(n);
        // In memory first, so that a failure finds the frames there.
        self.unsynced.push(Batch { slots, at: segment.pos });
        written.at("write frames to", &segment.path)?;
        segment.pos += n as u64;
        self.placed_seq = next_seq;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), SpoolError> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        if self.unsynced.is_empty() {
            return Ok(());
        }
        self.tally.n_syncs.fetch_add(1, Ordering::Relaxed);
        segment.file.sync_data().at("sync", &segment.path)?;
        segment.reported = true;
        let largest = self.unsynced.drain(..).map(|batch| batch.slots).max_by_key(Vec::capacity);
        if let Some(mut buffer) = largest.filter(|buffer| buffer.capacity() <= SPARE_BYTES_MAX) {
            buffer.clear();
            self.spare = buffer;
        }
        self.durable_seq = self.placed_seq;
        Ok(())
    }

    /// Ends the current segment, durably, and begins one with room for `slot_bytes`.
    fn next_segment(&mut self, slot_bytes: usize) -> Result<(), SpoolError> {
        self.sync()?;
        self.segment = None;
        let header = SegmentHeader {
            tag: [0; 16],
            producer: self.producer,
            segment_no: self.next_segment_no,
            first_seq: self.durable_seq,
            origin: self.place.origin,
            key: [0; 32],
            created_us: self.place.disk.now_us(),
            size_bytes: self.place.options.segment_bytes.max(size_for(slot_bytes)),
        };
        self.segment = Some(super::segment::begin(&self.place, header, &mut self.next_segment_no)?);
        Ok(())
    }

    /// Leaves the current segment for good: the file is never written or synced again, and its
    /// frames that are not durable wait for the next one.
    fn give_up_segment(&mut self, error: SpoolError) -> SpoolError {
        self.tally.n_sync_failures.fetch_add(1, Ordering::Relaxed);
        let Some(segment) = self.segment.take() else { return error };
        for mut batch in self.unsynced.drain(..).rev() {
            unseal_slots(&mut batch.slots, &segment.header, batch.at);
            self.unplaced.push_front(batch.slots);
        }
        if !segment.reported
            && let Err(error) = self.place.disk.remove(&segment.path)
        {
            // Only space: nobody was told of a frame in it.
            tracing::debug!(%error, path = %segment.path.display(), "failed segment not removed");
        }
        error
    }

    /// A segment that somebody removed is no place for further frames, and those in it are
    /// brought to a new one while the open file still has them.
    fn check_link(&mut self) -> Result<(), SpoolError> {
        let Some(segment) = &self.segment else { return Ok(()) };
        if segment.file.nlink().at("look at", &segment.path)? > 0 {
            return Ok(());
        }
        tracing::warn!(path = %segment.path.display(), "spool segment was removed while in use");
        let begin = HEADER_BYTES as u64;
        let mut slots = vec![0; usize::try_from(segment.pos - begin).unwrap_or(0)];
        let n_read = segment.file.read_at(&mut slots, begin).at("read", &segment.path)?;
        if n_read == slots.len() {
            self.durable_seq = segment.header.first_seq;
            self.unsynced.clear();
            self.unsynced.push(Batch { slots, at: begin });
        }
        Err(std::io::Error::from(std::io::ErrorKind::NotFound)).at("find", &segment.path)
    }
}

/// Length of a file with room for one slot of that size.
fn size_for(slot_bytes: usize) -> u64 {
    (HEADER_BYTES + slot_bytes).next_multiple_of(HEADER_BYTES) as u64
}
