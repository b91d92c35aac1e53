//! Encoding and decoding of segment headers and slots. The layout is described in [`super`].

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use crc32c::{crc32c, crc32c_append};

use super::ProducerId;

/// Slots begin here; the two copies of the header lie before.
pub(crate) const HEADER_BYTES: usize = 4096;

/// One copy of the header fills one sector, so that a power loss leaves it whole, old or new.
const COPY_BYTES: usize = 512;

/// Where the copies lie: far enough apart to be in different sectors and file system blocks of
/// 2 KiB, so that one bad sector does not take both.
const COPY_AT: [usize; 2] = [0, 2048];

const HEADER_MAGIC: [u8; 8] = *b"mtspool\n";

/// The version of the format that this code writes, and the only one it reads.
const VERSION: u16 = 1;

/// Bytes before the payload of a slot.
pub(crate) const SLOT_HEADER_BYTES: usize = 32;

/// Slots begin at multiples of this. It is the size of a slot's header and divides a sector, so
/// that a header is never torn, and a reader that lost its way has few places to look at.
pub(crate) const SLOT_ALIGN: usize = 32;

const SLOT_MAGIC: [u8; 2] = [0x6d, 0x74];

/// `n_unsynced` of a slot when the number is not known to fit.
const UNSYNCED_UNKNOWN: u16 = u16::MAX;

/// What the head of a file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// One copy at least is whole.
    Segment(SegmentHeader),
    /// All zero: the file is free.
    Zero,
    /// Neither.
    Broken,
}

/// The header of a segment file.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Random; part of every check sum, so that slots of an earlier use of the file are invalid.
    pub(crate) tag: [u8; 16],
    /// Who writes the segment.
    pub(crate) producer: ProducerId,
    /// Counts the producer's segments, ascending from 0; numbers may be missing.
    pub(crate) segment_no: u64,
    /// Every frame of the producer below this number was durable before the segment began.
    pub(crate) first_seq: u64,
    /// The ledger the frames belong to.
    pub(crate) origin: [u8; 32],
    /// ChaCha20 key of the segment's frames.
    pub(crate) key: [u8; 32],
    /// When the segment began, in microseconds since 1970, UTC.
    pub(crate) created_us: u64,
    /// Length of the file.
    pub(crate) size_bytes: u64,
}

impl std::fmt::Debug for SegmentHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the key: a header may end in a log line.
        f.debug_struct("SegmentHeader")
            .field("producer", &self.producer)
            .field("segment_no", &self.segment_no)
            .field("first_seq", &self.first_seq)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

impl SegmentHeader {
    /// The first [`HEADER_BYTES`] of a segment file.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut copy = Vec::with_capacity(COPY_BYTES);
        copy.extend(HEADER_MAGIC);
        copy.extend(VERSION.to_be_bytes());
        copy.extend([0; 6]);
        copy.extend(self.tag);
        copy.extend(self.producer);
        copy.extend(self.segment_no.to_be_bytes());
        copy.extend(self.first_seq.to_be_bytes());
        copy.extend(self.origin);
        copy.extend(self.key);
        copy.extend(self.created_us.to_be_bytes());
        copy.extend(self.size_bytes.to_be_bytes());
        copy.resize(COPY_BYTES - 4, 0);
        copy.extend(crc32c(&copy).to_be_bytes());
        let mut bytes = vec![0; HEADER_BYTES];
        for at in COPY_AT {
            if let Some(to) = bytes.get_mut(at..at + COPY_BYTES) {
                to.copy_from_slice(&copy);
            }
        }
        bytes
    }

    fn decode_copy(copy: &[u8]) -> Option<Self> {
        let (body, crc) = copy.split_last_chunk::<4>()?;
        if crc32c(body) != u32::from_be_bytes(*crc) {
            return None;
        }
        let input = &mut &*body;
        let magic: [u8; 8] = take(input)?;
        let version = u16::from_be_bytes(take(input)?);
        let _reserved: [u8; 6] = take(input)?;
        if magic != HEADER_MAGIC || version != VERSION {
            return None;
        }
        Some(Self {
            tag: take(input)?,
            producer: take(input)?,
            segment_no: u64::from_be_bytes(take(input)?),
            first_seq: u64::from_be_bytes(take(input)?),
            origin: take(input)?,
            key: take(input)?,
            created_us: u64::from_be_bytes(take(input)?),
            size_bytes: u64::from_be_bytes(take(input)?),
        })
    }
}

/// Reads the head of a file from its first [`HEADER_BYTES`], or from fewer if it is shorter.
pub(crate) fn decode_head(bytes: &[u8]) -> Head {
    if bytes.iter().all(|byte| *byte == 0) {
        return Head::Zero;
    }
    let copies = COPY_AT.iter().filter_map(|at| bytes.get(*at..at + COPY_BYTES));
    copies.filter_map(SegmentHeader::decode_copy).next().map_or(Head::Broken, Head::Segment)
}

/// The clear part of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotHeader {
    /// How many frames before this one were not known to be durable when it was written;
    /// `None` when they were too many to say.
    pub(crate) n_unsynced: Option<u16>,
    /// Bytes of payload.
    pub(crate) n_bytes: usize,
    /// The frame's number.
    pub(crate) seq: u64,
    /// When it was appended, in microseconds since 1970, UTC.
    pub(crate) time_us: u64,
    crc: u32,
}

impl SlotHeader {
    /// The header in `bytes`, if one of this segment begins there.
    pub(crate) fn decode(bytes: &[u8], tag: &[u8; 16]) -> Option<Self> {
        if !bytes.starts_with(&SLOT_MAGIC) {
            return None;
        }
        let input = &mut bytes.get(..SLOT_HEADER_BYTES)?;
        let _magic: [u8; 2] = take(input)?;
        let n_unsynced = u16::from_be_bytes(take(input)?);
        let n_bytes = u32::from_be_bytes(take(input)?);
        let seq = u64::from_be_bytes(take(input)?);
        let time_us = u64::from_be_bytes(take(input)?);
        let header_crc = u32::from_be_bytes(take(input)?);
        let crc = u32::from_be_bytes(take(input)?);
        if crc32c_append(crc32c(tag), bytes.get(..24)?) != header_crc {
            return None;
        }
        Some(Self {
            n_unsynced: (n_unsynced != UNSYNCED_UNKNOWN).then_some(n_unsynced),
            n_bytes: usize::try_from(n_bytes).ok().filter(|n| *n <= super::FRAME_BYTES_MAX)?,
            seq,
            time_us,
            crc,
        })
    }

    /// Every frame below this number was durable when the slot was written.
    pub(crate) fn durable_below(&self) -> u64 {
        self.n_unsynced.map_or(0, |n| self.seq.saturating_sub(u64::from(n)))
    }

    /// Whether the slot (its header and at least its ciphertext) is as it was written.
    pub(crate) fn is_whole(&self, slot: &[u8], tag: &[u8; 16]) -> bool {
        let end = SLOT_HEADER_BYTES + self.n_bytes;
        match (slot.get(..28), slot.get(SLOT_HEADER_BYTES..end)) {
            (Some(head), Some(payload)) => slot_crc(head, payload, tag) == self.crc,
            _ => false,
        }
    }
}

fn slot_crc(head: &[u8], payload: &[u8], tag: &[u8; 16]) -> u32 {
    crc32c_append(crc32c_append(crc32c(tag), head), payload)
}

/// Bytes that a slot with a payload of `n_bytes` takes in the file.
pub(crate) const fn slot_bytes(n_bytes: usize) -> usize {
    (SLOT_HEADER_BYTES + n_bytes).next_multiple_of(SLOT_ALIGN)
}

/// Applies the key stream of the slot at `offset`: encrypts or decrypts. The key is random for
/// each use of a file and an offset is written once, so no key stream is ever used twice.
pub(crate) fn apply_keystream(key: &[u8; 32], offset: u64, payload: &mut [u8]) {
    let mut nonce = [0; 12];
    if let Some(low) = nonce.last_chunk_mut::<8>() {
        *low = offset.to_be_bytes();
    }
    ChaCha20::new(&(*key).into(), &nonce.into()).apply_keystream(payload);
}

/// Appends a slot that is not sealed yet: in the clear, without check sums.
pub(crate) fn push_slot(slots: &mut Vec<u8>, seq: u64, time_us: u64, frame: &[u8]) {
    let end = slots.len() + slot_bytes(frame.len());
    slots.reserve(slot_bytes(frame.len()));
    slots.extend(SLOT_MAGIC);
    slots.extend([0; 2]);
    // Frames are no longer than FRAME_BYTES_MAX; `Producer::append` refuses the others.
    slots.extend(u32::try_from(frame.len()).unwrap_or(u32::MAX).to_be_bytes());
    slots.extend(seq.to_be_bytes());
    slots.extend(time_us.to_be_bytes());
    slots.extend([0; 8]);
    slots.extend(frame);
    slots.resize(end, 0);
}

/// Bytes that the first slot of a buffer of slots takes.
pub(crate) fn first_slot_bytes(slots: &[u8]) -> Option<usize> {
    let n_bytes = u32::from_be_bytes(*slots.get(4..)?.first_chunk()?);
    Some(slot_bytes(usize::try_from(n_bytes).ok()?))
}

/// How many bytes of whole slots at the front of the buffer fit into `room`.
pub(crate) fn fitting_bytes(slots: &[u8], room: usize) -> usize {
    if slots.len() <= room {
        return slots.len();
    }
    let mut n = 0;
    while let Some(bytes) = slots.get(n..).and_then(first_slot_bytes)
        && n + bytes <= room
    {
        n += bytes;
    }
    n
}

/// Seals the slots of a buffer for their place in a segment: encrypts and sums them. Answers
/// the number after the last one's.
pub(crate) fn seal_slots(
    slots: &mut [u8],
    segment: &SegmentHeader,
    at: u64,
    durable_seq: u64,
) -> u64 {
    let mut next_seq = durable_seq;
    for_each_slot(slots, at, |head, payload, offset| {
        let seq = head.get(8..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        let seq = u64::from_be_bytes(seq);
        next_seq = seq.saturating_add(1);
        let n_unsynced = seq.saturating_sub(durable_seq);
        let n_unsynced = u16::try_from(n_unsynced).unwrap_or(UNSYNCED_UNKNOWN);
        apply_keystream(&segment.key, offset, payload);
        put(head, 2, &n_unsynced.to_be_bytes());
        let header_crc = crc32c_append(crc32c(&segment.tag), head.get(..24).unwrap_or_default());
        put(head, 24, &header_crc.to_be_bytes());
        let crc = slot_crc(head.get(..28).unwrap_or_default(), payload, &segment.tag);
        put(head, 28, &crc.to_be_bytes());
    });
    next_seq
}

/// Takes the encryption off again, so that the slots can be sealed for another segment.
pub(crate) fn unseal_slots(slots: &mut [u8], segment: &SegmentHeader, at: u64) {
    for_each_slot(slots, at, |_, payload, offset| {
        apply_keystream(&segment.key, offset, payload);
    });
}

fn for_each_slot(slots: &mut [u8], at: u64, mut each: impl FnMut(&mut [u8], &mut [u8], u64)) {
    let mut rest = slots;
    let mut offset = at;
    while let Some(n) = first_slot_bytes(rest) {
        let n_bytes = rest.get(4..).and_then(|b| b.first_chunk()).copied().unwrap_or_default();
        let n_bytes = usize::try_from(u32::from_be_bytes(n_bytes)).unwrap_or(0);
        let Some((slot, after)) = rest.split_at_mut_checked(n) else { return };
        if let Some((head, body)) = slot.split_at_mut_checked(SLOT_HEADER_BYTES) {
            each(head, body.get_mut(..n_bytes).unwrap_or_default(), offset);
        }
        offset += n as u64;
        rest = after;
    }
}

fn put(to: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(span) = to.get_mut(at..at + bytes.len()) {
        span.copy_from_slice(bytes);
    }
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

const ACK_MAGIC: [u8; 8] = *b"mtack\0\0\n";

/// Bytes of an ack file.
pub(crate) const ACK_BYTES: usize = 36;

/// The content of a producer's ack file.
pub(crate) fn encode_ack(producer: &ProducerId, next_seq: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(ACK_BYTES);
    bytes.extend(ACK_MAGIC);
    bytes.extend(producer);
    bytes.extend(next_seq.to_be_bytes());
    bytes.extend(crc32c(&bytes).to_be_bytes());
    bytes
}

/// The number in an ack file, if it is whole and the producer's.
pub(crate) fn decode_ack(bytes: &[u8], producer: &ProducerId) -> Option<u64> {
    let (body, crc) = bytes.get(..ACK_BYTES)?.split_last_chunk::<4>()?;
    let input = &mut &*body;
    let magic: [u8; 8] = take(input)?;
    let whose: ProducerId = take(input)?;
    let next_seq = u64::from_be_bytes(take(input)?);
    let whole =
        magic == ACK_MAGIC && whose == *producer && crc32c(body) == u32::from_be_bytes(*crc);
    whole.then_some(next_seq)
}
