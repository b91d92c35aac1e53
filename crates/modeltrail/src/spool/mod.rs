//! The spool: the queue's embedded default. A directory of segment files in which the processes
//! of one machine leave opaque frames for one sequencer.
//!
//! Each process, and each forked child, is a [`Producer`] with a random id that numbers its
//! frames from 0 without holes. One process at a time is the sequencer: it holds a [`Consumer`],
//! reads all producers' frames in the order of their numbers, commits them to the store and then
//! acknowledges them. Acknowledged segments are trimmed: their key is destroyed and their file is
//! used again.
//!
//! # What is promised
//!
//! - A frame that was committed at [`Level::Spooled`] is handed out, in order and unchanged, until
//!   it is acknowledged, whatever the power does. At [`Level::Written`] the same, as long as the
//!   kernel lives.
//! - A file whose write or sync failed is never written or synced again. Frames that are not
//!   durable are in memory and go to a new segment, under the same numbers.
//! - Damage never stops reading and never deletes: the damaged span is copied to quarantine and
//!   reported as [`Item::Quarantined`], and reading goes on behind it.
//! - The frames of a trimmed segment are unreadable: their key was in its header only.
//!
//! # On disk, version 1
//!
//! All integers are big-endian. CRC is CRC-32C (Castagnoli). A spool directory holds
//!
//! ```text
//! seg-<producer, 32 hex>-<segment number, 16 hex>   a segment
//! free-<16 hex>                                     a file that waits for its next use
//! producer-<32 hex>.lock                            locked while the producer lives
//! producer-<32 hex>.new                             the same before it is locked
//! producer-<32 hex>.ack                             what the sequencer acknowledged
//! sequencer.lock                                    locked by the sequencer
//! quarantine/                                       damaged spans and files
//! ```
//!
//! The names of segments and free files are advisory: a rename may be undone by a power loss.
//! What a file is, its first 4096 bytes decide. Locks are POSIX record locks on the whole file
//! (`fcntl`, `F_SETLK`): they end with the process and are not inherited by a fork.
//!
//! A **segment file** is `size` bytes long, zero-filled when it is made, and recycled ever after.
//! Its header stands twice, at offsets 0 and 2048; either copy is enough. Both are zero in a free
//! file. A file that is neither is damaged. A file with a zero header under the name of a dead
//! producer's segment was made or claimed and never begun; it is removed, as are trimmed files
//! whose length is not the usual one.
//!
//! | at | bytes | header copy (512 bytes) |
//! |---:|---:|---|
//! | 0 | 8 | magic `"mtspool\n"` |
//! | 8 | 2 | version, 1 |
//! | 10 | 6 | zero |
//! | 16 | 16 | tag: random for each use of the file |
//! | 32 | 16 | producer |
//! | 48 | 8 | segment number: ascending from 0 per producer; numbers may be missing |
//! | 56 | 8 | first seq: every frame of the producer below it was durable before the segment began |
//! | 64 | 32 | origin: which ledger the frames belong to |
//! | 96 | 32 | key: random for each use of the file |
//! | 128 | 8 | created, microseconds since 1970, UTC |
//! | 136 | 8 | size of the file in bytes |
//! | 144 | 364 | zero |
//! | 508 | 4 | CRC of bytes 0 to 507 |
//!
//! The header is durable before the first slot is written. A trim overwrites bytes 0 to 4095 with
//! zeros and syncs the file before it is called free.
//!
//! From offset 4096 on slots follow one another, each at a multiple of 32, behind the last one 32
//! zero bytes (fewer at the end of the file), behind these whatever an earlier use left.
//!
//! | at | bytes | slot |
//! |---:|---:|---|
//! | 0 | 2 | magic `6d 74` |
//! | 2 | 2 | n unsynced: every frame with a number below seq minus this was durable when the slot was written; `ffff`: not known |
//! | 4 | 4 | n: length of the frame, at most 17 MiB |
//! | 8 | 8 | seq |
//! | 16 | 8 | time of the append, microseconds since 1970, UTC |
//! | 24 | 4 | header CRC: of the segment's tag and bytes 0 to 23 |
//! | 28 | 4 | CRC of the segment's tag, bytes 0 to 27 and the n bytes of ciphertext |
//! | 32 | n | the frame, encrypted |
//! | 32+n | 0 to 31 | zero |
//!
//! The frame is encrypted with ChaCha20 (RFC 8439, block counter from 0) under the segment's key;
//! the nonce is four zero bytes and the slot's offset in the file. An offset gets one content
//! under one key: a process that begins anew, and one whose write failed, begins a new segment.
//!
//! A reader finds the end of a segment where no whole slot follows. While the producer lives and
//! has no later segment, more may come. Otherwise, if the next segment's first seq is no higher
//! than the number expected, nothing is missing. If a whole slot lies further on, the span before
//! it is damaged; if none does and the place is not zero, so is the rest.
//!
//! Numbers ascend within a segment. A later segment of the producer may repeat numbers from its
//! first seq on (frames that were not durable when the one before was given up); a reader skips
//! what it has seen. A number that is missing was covered by a frame of the caller's
//! ([`Producer::append_gap`]), or lost.
//!
//! An **ack file** is 36 bytes, written in place and not synced, a hint: magic `"mtack\0\0\n"`,
//! producer (16), next seq (8: everything below is in the store), CRC of the 32 bytes before.
//!
//! In **quarantine**, `span-<producer>-<segment number>-<tag>-<offset, hex>` is the segment's
//! first 4096 bytes followed by the damaged bytes from that offset on; other names are whole
//! files whose header was damaged, or that could not be copied.

mod consumer;
mod counters;
mod error;
mod format;
mod hub;
mod identity;
mod names;
mod place;
mod producer;
mod quarantine;
mod reader;
mod scan;
mod segment;
#[cfg(test)]
mod tests;
mod track;
mod writer;

pub use consumer::{Consumer, Depth, Waker};
pub use counters::ProducerCounters;
pub use error::SpoolError;
pub use place::{SpoolOptions, SpoolState, n_alive, peek};
pub use producer::{Level, Producer};
pub use track::Item;

pub(crate) use place::{Place, check_dir};

/// Names a producer: 16 random bytes.
pub type ProducerId = [u8; 16];

/// The longest frame in bytes: a record of 16 MiB, the product's limit, and 1 MiB for what
/// surrounds it.
pub const FRAME_BYTES_MAX: usize = 17 << 20;
