//! One producer as the sequencer sees it: its segments, and how far they are read.

use std::collections::{BTreeMap, VecDeque};

use super::error::{At, if_there};
use super::format::SegmentHeader;
use super::quarantine::keep_span;
use super::reader::SegmentReader;
use super::{Place, ProducerId, SpoolError};

/// What [`super::Consumer::next_batch`] hands out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// A frame, as it was appended.
    Frame {
        /// Who appended it.
        producer: ProducerId,
        /// Its number. If it is higher than the last one's plus one, those between were covered
        /// by a frame of the producer's, or are lost.
        seq: u64,
        /// When it was appended, microseconds since 1970, UTC.
        time_us: u64,
        /// The frame.
        bytes: Vec<u8>,
    },
    /// A damaged span or file, kept in quarantine. At the end of a dead producer's frames it may
    /// be a frame that was begun and never finished: the disk cannot say whether it was durable.
    Quarantined {
        /// Whose it was; zero if that is not known.
        producer: ProducerId,
        /// The first number that is lost with it, if that is known.
        seq_from: Option<u64>,
        /// The last one, if that is known.
        seq_to: Option<u64>,
        /// Its name in the directory `quarantine`.
        file: String,
    },
    /// The producer is dead and all its frames were handed out; told once. What is left of it is
    /// removed when `next_seq` is acknowledged, or sixteen batches later; until then a later
    /// sequencer is told again.
    Ended {
        /// Which producer.
        producer: ProducerId,
        /// The number it would have used next, as far as the disk knows.
        next_seq: u64,
    },
}

/// A segment of the producer.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Its file's name.
    pub(crate) name: String,
    /// Its header.
    pub(crate) header: SegmentHeader,
    /// The scan in which it was first seen.
    pub(crate) seen_in_scan: u64,
    /// Set when it has been read: the frames in it are below this number.
    pub(crate) end_seq: Option<u64>,
    /// A damaged span of it could not be copied: the whole file goes to quarantine.
    pub(crate) keep: bool,
}

/// What one step of reading came to.
#[derive(Debug)]
enum Step {
    Item(Item),
    /// Nothing to hand out, but there may be more.
    Skip,
    /// Nothing more for now.
    Idle,
}

/// How many frames apart the marks are from which the age of the oldest frame is known.
const MARK_FRAMES: u64 = 64;

/// A producer's segments and how far they are read, handed out and acknowledged.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) producer: ProducerId,
    /// By segment number.
    pub(crate) segments: BTreeMap<u64, Segment>,
    /// The next number to hand out; `None` until the store was asked.
    pub(crate) next_seq: Option<u64>,
    /// Everything below is in the store.
    pub(crate) acked_seq: u64,
    /// Nobody holds its lock, and all of the directory was looked at after that was found.
    pub(crate) dead: bool,
    /// Its end was told.
    pub(crate) ended: bool,
    /// Batches since it was over.
    pub(crate) n_batches_over: u32,
    /// It had nothing more when it was last read.
    pub(crate) idle: bool,
    /// It needs the directory listed again before it can go on.
    pub(crate) wants_scan: bool,
    pub(crate) ack_file: Option<Box<dyn crate::disk::DiskFile>>,
    current: Option<(u64, SegmentReader)>,
    /// How often nothing was found at the current place.
    n_stalls: u32,
    /// Number and time of some frames handed out and not acknowledged, the oldest first.
    marks: VecDeque<(u64, u64)>,
}

impl Track {
    /// A producer that was just met. It wants another scan, before which it is looked at whether
    /// it lives.
    pub(crate) fn new(producer: ProducerId) -> Self {
        Self {
            producer,
            segments: BTreeMap::new(),
            next_seq: None,
            acked_seq: 0,
            dead: false,
            ended: false,
            n_batches_over: 0,
            idle: true,
            wants_scan: true,
            ack_file: None,
            current: None,
            n_stalls: 0,
            marks: VecDeque::new(),
        }
    }

    /// Begins with what the store already has.
    pub(crate) fn begin(&mut self, next_seq: u64) {
        self.next_seq = Some(next_seq);
        self.acked_seq = next_seq;
    }

    /// Takes note that everything below is in the store.
    pub(crate) fn ack(&mut self, next_seq: u64) {
        self.acked_seq = self.acked_seq.max(next_seq);
        let acked_seq = self.acked_seq;
        while self.marks.get(1).is_some_and(|(seq, _)| *seq <= acked_seq) {
            self.marks.pop_front();
        }
        if self.next_seq() <= acked_seq {
            self.marks.clear();
        }
    }

    /// The next number to hand out.
    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq.unwrap_or(0)
    }

    /// Whether nothing of the producer is left to read, to tell or to trim.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.segments.is_empty() && self.next_seq() <= self.acked_seq
    }

    /// Numbers of the segments that were read and whose frames are all in the store.
    pub(crate) fn trimmable(&self) -> Vec<u64> {
        let done = |segment: &Segment| segment.end_seq.is_some_and(|end| end <= self.acked_seq);
        self.segments.iter().filter(|(_, segment)| done(segment)).map(|(no, _)| *no).collect()
    }

    /// Numbers that wait to be acknowledged, as far as is known here, and the time of the oldest.
    pub(crate) fn waiting(&mut self, written_seq: u64) -> (u64, Option<u64>) {
        let unread = self.segments.values().filter(|segment| segment.end_seq.is_none());
        let first_seqs = unread.map(|segment| segment.header.first_seq);
        let begun = self.next_seq.or_else(|| first_seqs.clone().min()).unwrap_or(0);
        let mut known = first_seqs.max().unwrap_or(0).max(begun).max(written_seq);
        let mut oldest_us = self.marks.front().map(|(_, time_us)| *time_us);
        if oldest_us.is_none()
            && let Some((_, reader)) = &mut self.current
            && let Ok(Some(slot)) = reader.slot_header(reader.pos())
            && slot.seq >= begun
        {
            known = known.max(slot.seq + 1);
            oldest_us = Some(slot.time_us);
        }
        (known.saturating_sub(self.acked_seq), oldest_us)
    }

    /// Whether something is at the place where the next frame would be.
    pub(crate) fn has_news(&mut self) -> bool {
        let Some((_, reader)) = &mut self.current else { return false };
        reader.forget();
        let at = reader.pos();
        // An unreadable file is news too: reading it tells what is wrong.
        let news = reader.slot_header(at).is_ok_and(|slot| slot.is_none());
        reader.forget();
        !news
    }

    /// Hands out up to `n_max` items, about `bytes_max` bytes of them, to `take`. False when there
    /// is nothing more for now.
    pub(crate) fn read(
        &mut self,
        place: &Place,
        complete_no: u64,
        n_max: usize,
        bytes_max: usize,
        mut take: impl FnMut(Item),
    ) -> Result<bool, SpoolError> {
        let mut n_bytes = 0_usize;
        for _ in 0..n_max {
            match self.step(place, complete_no)? {
                Step::Item(item) => {
                    if let Item::Frame { bytes, .. } = &item {
                        n_bytes = n_bytes.saturating_add(bytes.len());
                    }
                    take(item);
                }
                Step::Skip => {}
                Step::Idle => {
                    self.idle = true;
                    return Ok(false);
                }
            }
            if n_bytes >= bytes_max {
                break;
            }
        }
        Ok(true)
    }

    fn step(&mut self, place: &Place, complete_no: u64) -> Result<Step, SpoolError> {
        let next_seq = self.next_seq();
        let Some((no, reader)) = &mut self.current else {
            return self.open_next(place, complete_no);
        };
        let Some((slot, bytes)) = reader.next_frame().at("read frames in", &place.dir)? else {
            let no = *no;
            return self.at_no_frame(place, complete_no, no);
        };
        self.n_stalls = 0;
        self.idle = false;
        if slot.seq < next_seq {
            return Ok(Step::Skip);
        }
        self.next_seq = Some(slot.seq.saturating_add(1));
        if self.marks.back().is_none_or(|(seq, _)| slot.seq - seq >= MARK_FRAMES) {
            self.marks.push_back((slot.seq, slot.time_us));
        }
        let (producer, seq, time_us) = (self.producer, slot.seq, slot.time_us);
        Ok(Step::Item(Item::Frame { producer, seq, time_us, bytes }))
    }

    fn open_next(&mut self, place: &Place, complete_no: u64) -> Result<Step, SpoolError> {
        let next_seq = self.next_seq();
        let unread = self.segments.iter().find(|(_, segment)| segment.end_seq.is_none());
        let Some((no, segment)) = unread else {
            if !self.dead || self.ended {
                return Ok(Step::Idle);
            }
            self.ended = true;
            return Ok(Step::Item(Item::Ended { producer: self.producer, next_seq }));
        };
        let no = *no;
        if segment.header.first_seq > next_seq && self.is_unconfirmed(no, complete_no) {
            return Ok(self.rescan());
        }
        let path = place.dir.join(&segment.name);
        let Some(file) = if_there(place.disk.open(&path)).at("open", &path)? else {
            // Given up and removed by its producer, with nothing in it that it has told of.
            self.segments.remove(&no);
            return Ok(Step::Skip);
        };
        self.current = Some((no, SegmentReader::new(file, segment.header.clone())));
        self.n_stalls = 0;
        Ok(Step::Skip)
    }

    /// Whether a segment in between may have been missed: a listing that ran while files were
    /// renamed may show a later name and not an earlier one. The next complete listing shows
    /// both; `complete_no` is the number of the last one.
    fn is_unconfirmed(&self, no: u64, complete_no: u64) -> bool {
        let has_previous = match no.checked_sub(1) {
            None => true,
            Some(previous) => self.segments.contains_key(&previous),
        };
        let new = self.segments.get(&no).is_some_and(|s| s.seen_in_scan >= complete_no);
        new && !has_previous
    }

    fn rescan(&mut self) -> Step {
        self.wants_scan = true;
        Step::Idle
    }

    /// No frame at the current place: is it the end, nothing yet, or damage?
    fn at_no_frame(
        &mut self,
        place: &Place,
        complete_no: u64,
        no: u64,
    ) -> Result<Step, SpoolError> {
        let next_seq = self.next_seq();
        let Some((_, reader)) = &mut self.current else { return Ok(Step::Skip) };
        let later = self.segments.range(no.saturating_add(1)..).next();
        let later = later.map(|(later_no, segment)| (*later_no, segment.header.first_seq));
        // What was read may be older than the knowledge that nothing more comes.
        reader.forget();
        if later.is_none() && !self.dead {
            return self.look_ahead(place, no);
        }
        let at = "read frames in";
        if reader.is_frame_here().at(at, &place.dir)? {
            return Ok(Step::Skip);
        }
        if let Some((later_no, first_seq)) = later {
            if first_seq <= next_seq {
                // Whatever is behind here, the next segment has it too.
                return Ok(self.leave());
            }
            if self.is_unconfirmed(later_no, complete_no) {
                return Ok(self.rescan());
            }
        }
        let Some((_, reader)) = &mut self.current else { return Ok(Step::Skip) };
        if let Some((offset, slot)) = reader.next_whole_slot().at(at, &place.dir)? {
            if slot.seq <= next_seq {
                // What is damaged here was handed out before, or is in the store.
                reader.skip_to(offset);
                return Ok(Step::Skip);
            }
            return self.damage(place, no, Some(offset), Some(slot.seq));
        }
        if reader.is_zero_here().at(at, &place.dir)? {
            return Ok(self.leave());
        }
        // A frame that was begun, or damaged; or, behind one that ends with a sector and was never
        // synced, what an earlier use of the file left there. Kept and told in any case: better
        // one alarm too many than an acknowledged frame gone without one.
        let begun = reader.slot_header(reader.pos()).at(at, &place.dir)?;
        match (later, begun) {
            (Some((_, first_seq)), _) => self.damage(place, no, None, Some(first_seq)),
            (None, Some(slot)) if slot.seq < next_seq => Ok(self.leave()),
            (None, Some(slot)) => self.damage(place, no, None, Some(slot.seq.saturating_add(1))),
            (None, None) => self.damage(place, no, None, None),
        }
    }

    /// A living producer has written nothing here yet, or what it wrote is damaged. The latter is
    /// certain only when a later slot says that the frame was durable: otherwise the producer has
    /// it in memory and may write it again. Looked for ever more rarely, since it means to read
    /// the rest of the segment.
    fn look_ahead(&mut self, place: &Place, no: u64) -> Result<Step, SpoolError> {
        let next_seq = self.next_seq();
        self.n_stalls = self.n_stalls.saturating_add(1);
        if self.n_stalls < 2 || !self.n_stalls.is_power_of_two() {
            return Ok(Step::Idle);
        }
        let Some((_, reader)) = &mut self.current else { return Ok(Step::Skip) };
        let found = reader.next_whole_slot().at("read frames in", &place.dir)?;
        reader.forget();
        match found {
            Some((offset, slot)) if slot.durable_below() > next_seq => {
                if reader.is_frame_here().at("read frames in", &place.dir)? {
                    return Ok(Step::Skip);
                }
                self.damage(place, no, Some(offset), Some(slot.seq))
            }
            _ => Ok(Step::Idle),
        }
    }

    /// Keeps the bytes up to `end` (or up to the last that is not zero) and goes on behind them,
    /// with frame `go_on_seq` if that is known.
    fn damage(
        &mut self,
        place: &Place,
        no: u64,
        end: Option<u64>,
        go_on_seq: Option<u64>,
    ) -> Result<Step, SpoolError> {
        let next_seq = self.next_seq();
        let Some((_, reader)) = &mut self.current else { return Ok(Step::Skip) };
        let Some(segment) = self.segments.get_mut(&no) else { return Ok(Step::Skip) };
        let at = "read frames in";
        let span = reader.span(end).at(at, &place.dir)?;
        let head = reader.head_bytes().at(at, &place.dir)?;
        let file = match keep_span(place, &segment.header, reader.pos(), &head, &span) {
            Ok(file) => file,
            Err(error) => {
                tracing::warn!(%error, "damaged span not copied, its whole segment will be kept");
                segment.keep = true;
                segment.name.clone()
            }
        };
        tracing::warn!(%file, n_bytes = span.len(), "damaged span of the spool quarantined");
        let seq_from = Some(next_seq);
        let seq_to = go_on_seq.and_then(|seq| seq.checked_sub(1));
        self.next_seq = Some(next_seq.max(go_on_seq.unwrap_or(0)));
        self.n_stalls = 0;
        match end {
            Some(end) => reader.skip_to(end),
            None => {
                self.leave();
            }
        }
        Ok(Step::Item(Item::Quarantined { producer: self.producer, seq_from, seq_to, file }))
    }

    /// The current segment is read.
    fn leave(&mut self) -> Step {
        let end_seq = self.next_seq();
        if let Some((no, _)) = self.current.take()
            && let Some(segment) = self.segments.get_mut(&no)
        {
            segment.end_seq = Some(end_seq);
        }
        Step::Skip
    }
}
