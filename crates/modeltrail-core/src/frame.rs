//! The frame: a redacted record as it travels through a queue (`spec/frame.md`). Queues carry it
//! as opaque bytes; the sequencer makes an entry of it.

use crate::code::{Encoding, Kind, PartId};
use crate::record::{Part, Redacted};

/// First bytes of a version 1 frame.
pub const MAGIC: [u8; 4] = *b"MTF\x01";

/// Bit of the flags byte: the recorder assigned the request id, so nobody can have sent it before.
const FLAG_REQUEST_ID_ASSIGNED: u8 = 1;

/// Bytes before the first part.
const HEAD_BYTES: usize = 4 + 1 + 1 + 2 + 16 + 32;

/// Bytes before each part's content.
const PART_HEAD_BYTES: usize = 2 + 1 + 1 + 4;

/// A redacted record under its random values. There are two ways to one: [`Frame::new`] from
/// something redacted, and [`Frame::decode`] from what such a frame was encoded to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    kind: Kind,
    request_id_assigned: bool,
    record_id: [u8; 16],
    secret: [u8; 32],
    parts: Vec<Part>,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Not the magic of a version that this program reads.
    #[error("these bytes begin like no frame of a version that this program reads")]
    Magic,
    /// The frame ends inside a field.
    #[error("the frame ends inside a field")]
    Short,
    /// Bytes after the last part.
    #[error("bytes after the last part of the frame")]
    Long,
    /// A code that this program does not know.
    #[error("a kind, part or encoding code that this program does not know; use a newer one")]
    Code,
    /// Parts out of order or twice.
    #[error("the parts of the frame are not in ascending order")]
    Order,
}

impl Frame {
    /// Frames something redacted under the random values given; nothing else can be framed.
    #[must_use]
    pub fn new<T>(redacted: Redacted<T>, record_id: [u8; 16], secret: [u8; 32]) -> Self {
        let (kind, request_id_assigned) = (redacted.kind(), redacted.request_id_assigned());
        Self { kind, request_id_assigned, record_id, secret, parts: redacted.into_parts() }
    }

    /// The bytes that a queue carries.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let content: usize = self.parts.iter().map(|part| PART_HEAD_BYTES + part.bytes.len()).sum();
        let mut out = Vec::with_capacity(HEAD_BYTES + content);
        let flags = if self.request_id_assigned { FLAG_REQUEST_ID_ASSIGNED } else { 0 };
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[self.kind.code(), flags]);
        out.extend_from_slice(&u16::try_from(self.parts.len()).unwrap_or(u16::MAX).to_be_bytes());
        out.extend_from_slice(&self.record_id);
        out.extend_from_slice(&self.secret);
        for part in &self.parts {
            out.extend_from_slice(&part.id.code().to_be_bytes());
            out.extend_from_slice(&[part.encoding.code(), 0]);
            // Limits keep a record far below 4 GiB.
            let len = u32::try_from(part.bytes.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&len.to_be_bytes());
            out.extend_from_slice(&part.bytes);
        }
        out
    }

    /// Reads a frame back.
    ///
    /// # Errors
    /// When the bytes are no frame of a version that this program reads.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let mut reader = Reader { rest: bytes };
        if reader.take::<4>()? != MAGIC {
            return Err(FrameError::Magic);
        }
        let [kind, flags] = reader.take::<2>()?;
        let kind = Kind::from_code(kind).ok_or(FrameError::Code)?;
        let n_parts = u16::from_be_bytes(reader.take()?);
        let record_id = reader.take()?;
        let secret = reader.take()?;
        let mut parts: Vec<Part> = Vec::with_capacity(usize::from(n_parts.min(16)));
        for _ in 0..n_parts {
            let part = reader.part()?;
            if parts.last().is_some_and(|last| last.id >= part.id) {
                return Err(FrameError::Order);
            }
            parts.push(part);
        }
        if !reader.rest.is_empty() {
            return Err(FrameError::Long);
        }
        let request_id_assigned = flags & FLAG_REQUEST_ID_ASSIGNED != 0;
        Ok(Self { kind, request_id_assigned, record_id, secret, parts })
    }

    /// Kind of the entry that it becomes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// True when the recorder assigned the request id.
    #[must_use]
    pub const fn request_id_assigned(&self) -> bool {
        self.request_id_assigned
    }

    /// UUIDv7 made at capture.
    #[must_use]
    pub const fn record_id(&self) -> &[u8; 16] {
        &self.record_id
    }

    /// What the salts come from.
    #[must_use]
    pub const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Parts, ascending by id.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Parts, ascending by id.
    #[must_use]
    pub fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// One part, if the frame has it.
    #[must_use]
    pub fn part(&self, id: PartId) -> Option<&Part> {
        self.parts.iter().find(|part| part.id == id)
    }

    /// The same content as a `conflict` entry: another record holds its request id.
    #[must_use]
    pub fn into_conflict(self) -> Self {
        Self { kind: Kind::Conflict, ..self }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let (head, tail) = self.rest.split_first_chunk::<N>().ok_or(FrameError::Short)?;
        self.rest = tail;
        Ok(*head)
    }

    fn part(&mut self) -> Result<Part, FrameError> {
        let id = PartId::from_code(u16::from_be_bytes(self.take()?)).ok_or(FrameError::Code)?;
        let [encoding, _] = self.take::<2>()?;
        let encoding = Encoding::from_code(encoding).ok_or(FrameError::Code)?;
        let len = usize::try_from(u32::from_be_bytes(self.take()?)).unwrap_or(usize::MAX);
        let (bytes, tail) = self.rest.split_at_checked(len).ok_or(FrameError::Short)?;
        self.rest = tail;
        Ok(Part { id, encoding, bytes: bytes.to_vec() })
    }
}
