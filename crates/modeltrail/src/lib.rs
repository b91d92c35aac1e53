//! modeltrail for Rust programs: record every prediction, durably and append-only, so that any
//! later change is detectable. Synchronous, on the standard library's threads.
//!
//! # The path of a record
//!
//! 1. **build**: [`Record`] checks what it is given, on the caller's thread.
//! 2. **redact**: `Redacted<Record>` is made before any byte leaves memory, by the recorder's own
//!    thread at [`Ack::Accepted`], by the caller's at the other stages.
//! 3. **frame**: only something redacted becomes a [`modeltrail_core::Frame`].
//! 4. **queue**: the [`spool`] appends it to a segment file and group-commits: `spooled`.
//! 5. **sequence**: the [`sequencer`], one per ledger, gives it index, `prev` and leaf, and commits
//!    it to the [`store`] in one transaction with the tree's head: `sequenced`. Then the spool is
//!    acknowledged, and trimmed.
//! 6. **publish**: what was committed is read again and signed as a checkpoint: `published`
//!    ([`mod@publish`]), for ledgers with a key ([`keys`]).
//!
//! [`Reader`] answers queries, [`report`] the auditor's questions, [`check`] verifies everything.
//!
//! ```
//! use modeltrail::{Ack, Ledger, Reader, Record, Recorder};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}", dir.path().join("audit.db").display());
//! Ledger::parse(&url)?.create("example.com/audit")?;
//! let recorder = Recorder::open(&url)?;
//! let recorded = recorder.record(
//!     Record::prediction("fraud_detector", "v3.2.1")
//!         .input(serde_json::json!({"transaction_amount": 1250.0}))
//!         .output(serde_json::json!({"prediction": "legitimate"}))
//!         .user_id("analyst_jane"),
//! )?;
//! recorder.flush(Ack::Sequenced)?;
//! let entries = Reader::open(&url)?.by_request_id(&recorded.request_id)?;
//! assert_eq!(entries.len(), 1);
//! recorder.close()?;
//! # Ok(())
//! # }
//! ```

pub mod anchor_file;
pub mod bundle;
pub mod check;
mod clock;
pub mod coverage;
mod disk;
mod entropy;
pub mod in_flight;
pub mod keys;
mod ledger;
pub mod proofs;
pub mod publish;
pub mod reader;
pub mod recorder;
pub mod recover;
pub mod redaction;
pub mod report;
pub mod sequencer;
pub mod signer;
pub mod small_file;
pub mod spool;
pub mod store;
pub mod tiles;
#[cfg(feature = "tower")]
pub mod tower;
#[cfg(feature = "unpack")]
pub mod unpack;

pub use in_flight::{Capturer, InFlight};
pub use ledger::{Ledger, LedgerError, Place};
pub use modeltrail_core::capture;
pub use modeltrail_core::receipt::Receipt;
pub use modeltrail_core::{
    Kind, Limits, Record, RecordError, Status, query::Query, record::Payload,
};
pub use reader::{Page, Reader};
pub use recorder::{
    Ack, Offered, OnFull, Recorded, Recorder, RecorderOptions, RecordingError, Stats,
};
pub use sequencer::Trim;
