//! How parts lie in the columns: plain, or compressed each on its own.

use modeltrail_core::code::PartId;
use modeltrail_core::hash::{Hash, sha256};

/// Shorter parts are stored as they are: zstd saves little on them, and people's own SQL can read
/// them. On generated tabular inputs of 550 bytes level 1 saves a third; on prompts of 2 KB a half.
const COMPRESS_FROM_BYTES: usize = 512;

/// Level 1 compresses several times faster than level 3 for about a tenth more bytes on records of
/// this size.
const LEVEL: i32 = 1;

/// No part is larger than a record (16 MiB by default, configurable): a bound for what damaged or
/// hostile compressed bytes can make of memory.
const PART_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Keeps zstd's working memory between parts.
pub(super) struct Packer {
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

impl Packer {
    pub(super) fn new() -> Self {
        Self { compressor: zstd::bulk::Compressor::new(LEVEL).ok() }
    }

    /// The compressed bytes where that saves something, else `None`.
    pub(super) fn pack(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        if bytes.len() < COMPRESS_FROM_BYTES {
            return None;
        }
        let packed = self.compressor.as_mut()?.compress(bytes).ok()?;
        (packed.len() < bytes.len()).then_some(packed)
    }
}

/// Keeps zstd's working memory between parts.
pub(super) struct Unpacker {
    decompressor: Option<zstd::bulk::Decompressor<'static>>,
}

impl Unpacker {
    pub(super) fn new() -> Self {
        Self { decompressor: zstd::bulk::Decompressor::new().ok() }
    }

    /// The bytes that were compressed; `None` when these are no such bytes.
    pub(super) fn unpack(&mut self, packed: &[u8]) -> Option<Vec<u8>> {
        let size = zstd::zstd_safe::get_frame_content_size(packed).ok()??;
        let size = usize::try_from(size).ok().filter(|size| *size <= PART_BYTES_MAX)?;
        self.decompressor.as_mut()?.decompress(packed, size).ok()
    }
}

/// The bit of a part in the masks `raw` and `zstd`: one shifted by its code.
pub(super) const fn bit(part: PartId) -> i64 {
    1 << part.code()
}

/// The 64-bit key of a text.
pub(super) fn text_key(text: &str) -> i64 {
    hash_key(&sha256(&[text.as_bytes()]))
}

/// The first eight bytes of a hash as SQLite's integer.
pub(super) fn hash_key(hash: &Hash) -> i64 {
    let mut first = [0; 8];
    first.iter_mut().zip(hash.0).for_each(|(to, from)| *to = from);
    i64::from_be_bytes(first)
}

/// SQLite's integers are signed; an index or size is never negative and never reaches 2^63.
pub(super) fn to_db(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// See [`to_db`]; a negative number can only come from an edit and reads as 0.
pub(super) fn from_db(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
