//! Where entries live: the contract, and two stores that keep it.

mod batch;
mod error;
mod memory;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tree;

#[cfg(any(test, feature = "testing"))]
pub mod conformance;
#[cfg(test)]
mod tests;

pub use batch::{Batch, NewEntry, ProducerState};
pub use error::StoreError;
pub use memory::MemoryStore;
#[cfg(all(feature = "sqlite", any(test, feature = "testing")))]
pub use sqlite::erasing;
#[cfg(feature = "sqlite")]
pub use sqlite::{Access, SqliteFacts, SqliteStore};

use std::ops::Range;

use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{CheckpointError, SignedCheckpoint};
use modeltrail_core::merkle::Frontier;
use modeltrail_core::note::SignatureLine;
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::record::Part;
use modeltrail_core::verify::{Finding, StoredEntry};
use modeltrail_core::{Hash, Leaf};

/// Where the ledger ends: all that the sequencer needs to go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tip {
    /// Size and root.
    pub head: Head,
    /// Leaf hash of the last entry, or what stands in `prev` of index 0.
    pub last_leaf_hash: Hash,
    /// The sequencer's time of the last entry, microseconds since 1970 UTC; 0 for none.
    pub time_us: u64,
    /// The right edge of the tree.
    pub frontier: Frontier,
}

/// An entry with what is left of its parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its leaf.
    pub leaf: Leaf,
    /// Its leaf hash.
    pub leaf_hash: Hash,
    /// Its parts, ascending by id.
    pub parts: Vec<Part>,
}

/// One prediction as reports count it. Terms are small numbers that [`Store::term`] resolves; equal
/// texts have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageRow {
    /// When it occurred, nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Term of the user; `None` for an empty one too, as the seed document counts.
    pub user: Option<u32>,
    /// Term of the model's version.
    pub version: Option<u32>,
    /// Term of the label.
    pub label: Option<u32>,
    /// Microseconds.
    pub latency_us: Option<u64>,
}

/// What a store meets while it reads everything for a verification, in the order of keys.
pub enum VerifyItem<'a> {
    /// The rows under one key.
    Entry(StoredEntry<'a>),
    /// A lookup row under a key that has no leaf.
    OrphanLookup(u64),
}

/// Rows under keys that no entry can have.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Strays {
    /// Behind the last key that is worth a scan: there may be fewer leaves than the head says, and
    /// some may follow the last entry without a hole.
    pub end: u64,
    /// The rest, as findings.
    pub findings: Vec<Finding>,
}

/// Which rows a report reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageQuery {
    /// The model.
    pub model_name: String,
    /// Not before, nanoseconds since 1970 UTC.
    pub since_ns: i64,
    /// Before, nanoseconds since 1970 UTC.
    pub until_ns: Option<i64>,
}

/// Most hashes that [`Store::leaf_hashes`] and [`Store::tile_roots`] give at once (2 MiB): the leaves
/// under one hash of a tile of level 2.
pub const N_HASHES_MAX: u64 = 65_536;

/// Takes what [`Store::leaves`] hands over: index, leaf, stored leaf hash.
pub type EachLeaf<'a> = dyn FnMut(u64, &[u8], &[u8]) + 'a;

/// Takes what [`Store::checkpoints`] hands over: the size it is stored under, and what is stored.
pub type EachCheckpoint<'a> = dyn FnMut(u64, Result<SignedCheckpoint, CheckpointError>) + 'a;

/// Where entries live.
///
/// **Concurrency.** One store value is used by one thread; [`Store::another`] opens a further one
/// onto the same ledger. Reads see whole batches only.
///
/// **Durability.** When [`Store::append`] returns, the batch survives power loss (a memory store
/// survives nothing, and says so in its name). When it fails, nothing of the batch is there.
///
/// **Errors.** See [`StoreError`]; after [`StoreError::Conflict`] another writer is on the ledger and
/// the caller must stop.
pub trait Store: Send {
    /// Name of the ledger.
    fn origin(&self) -> &str;

    /// What the key of `input_mac` was when the ledger was made, as [`modeltrail_core::hash::MacKey::check`] has it; `None`
    /// where no key is kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn key_check(&self) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    /// A further handle on the same ledger, for reading in another thread.
    ///
    /// # Errors
    /// When the store cannot be opened again.
    fn another(&self) -> Result<Box<dyn Store>, StoreError>;

    /// Where the ledger ends.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tip(&self) -> Result<Tip, StoreError>;

    /// Appends a batch if the ledger still ends at `expected`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it ends elsewhere, else when the store cannot be written.
    fn append(&mut self, batch: &Batch, expected: &Head) -> Result<(), StoreError>;

    /// What the ledger knows of a producer; the default for one that it never met.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn producer(&self, producer: &[u8; 16]) -> Result<ProducerState, StoreError>;

    /// Calls `reads` once, for several reads in one snapshot where that is cheaper than one for each.
    ///
    /// # Errors
    /// What `reads` answers, or when the store cannot be read.
    fn in_one_read(
        &self,
        reads: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        reads()
    }

    /// The index of the entry that holds this request id.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn find_request(&self, request_id: &str) -> Result<Option<u64>, StoreError>;

    /// One entry with its parts; `None` when there is none at this index.
    ///
    /// # Errors
    /// When the store cannot be read or its bytes cannot be decoded.
    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError>;

    /// Up to `limit` places that the query's filters fit, newest first, or oldest first. Filters by
    /// request id, subject, session and input MAC may let an entry through whose key happens to be
    /// the same; [`crate::Reader`] looks at the parts again.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError>;

    /// Hands over each prediction of a model in the order of time.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn usage(&self, query: &UsageQuery, row: &mut dyn FnMut(UsageRow)) -> Result<(), StoreError>;

    /// The text of a term of [`UsageRow`].
    ///
    /// # Errors
    /// When the store cannot be read or has no such term.
    fn term(&self, term: u32) -> Result<String, StoreError>;

    /// Hands over everything that is stored under the keys of `range`, ascending.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verify_scan(
        &self,
        range: Range<u64>,
        item: &mut dyn FnMut(VerifyItem<'_>),
    ) -> Result<(), StoreError>;

    /// Rows under keys that no entry of a ledger of this size can have.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn strays(&self, size: u64) -> Result<Strays, StoreError>;

    /// Checks what lies beside the rows, as indexes that a search relies on.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verify_indexes(&self) -> Result<Vec<Finding>, StoreError>;

    /// Holds the stored tiles against the stored leaf hashes: each
    /// [`ChangedTile`](modeltrail_core::verify::FindingKind::ChangedTile) names the entries under it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn verify_tiles(&self) -> Result<Vec<Finding>, StoreError>;

    /// Hands over index, leaf and stored leaf hash of the entries of `range`, ascending, as they lie
    /// in the store: bytes that somebody changed come as they are, and what is not there is passed
    /// over.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn leaves(&self, range: Range<u64>, each: &mut EachLeaf<'_>) -> Result<(), StoreError>;

    /// The stored leaf hashes of `range`, all of them.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] for more than [`N_HASHES_MAX`], [`StoreError::Damaged`] when one is
    /// not there, or when the store cannot be read.
    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// The stored full tile `n` of a level, as C2SP tlog-tiles has it: 256 hashes, 8,192 bytes
    /// unless somebody changed it. `None` when there is none: the tree is too small for it, or the
    /// ledger was written before tiles were kept.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn tile(&self, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError>;

    /// The roots over the stored full tiles `range` of a level, which are hashes of the tiles above
    /// them; up to the first tile that is not there. They lie beside the tiles, so that the tile at
    /// the right edge of each level need not be hashed anew for each proof.
    ///
    /// # Errors
    /// [`StoreError::TooMany`] for more than [`N_HASHES_MAX`], or when the store cannot be read.
    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError>;

    /// The stored checkpoint of the largest size, or of the largest that is not above `at_most`,
    /// with every signature line that was kept so far. Whether it is as it was written is for
    /// [`crate::check`] to say.
    ///
    /// # Errors
    /// [`StoreError::Checkpoint`] when what is stored is no checkpoint, or when the store cannot be
    /// read.
    fn checkpoint(&self, at_most: Option<u64>) -> Result<Option<SignedCheckpoint>, StoreError>;

    /// Hands over the stored checkpoints whose size is in `range`, ascending by size; what is no
    /// checkpoint comes as the error that reading it gives. The first argument is the size under
    /// which it is stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn checkpoints(
        &self,
        range: Range<u64>,
        each: &mut EachCheckpoint<'_>,
    ) -> Result<(), StoreError>;

    /// Keeps a checkpoint with its signature lines, durably. One whose text is stored already adds
    /// its new lines to it.
    ///
    /// # Errors
    /// [`StoreError::Checkpoint`] when it is of another ledger or of more entries than there are,
    /// when another text is stored for its size, or when there would be too many signature lines;
    /// [`StoreError::ReadOnly`], or when the store cannot be written.
    fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError>;

    /// Adds a signature line to the stored checkpoint of `size`, durably. A line that is there
    /// already is not added again.
    ///
    /// # Errors
    /// [`StoreError::Checkpoint`] when none of this size is stored or it has as many lines as a note
    /// can have; [`StoreError::ReadOnly`], or when the store cannot be written.
    fn add_signature(&mut self, size: u64, line: &SignatureLine) -> Result<(), StoreError>;
}
