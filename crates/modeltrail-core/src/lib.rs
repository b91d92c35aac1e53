//! The pure half of modeltrail: what a record is, how it becomes canonical bytes, parts, a leaf
//! and a Merkle tree, what must be masked in it, and how a whole ledger is verified.
//!
//! Architecture invariant: this crate has no file system, network, clock, environment, threads or
//! async, and no source of randomness. Time, secrets and identifiers are arguments. `cargo xtask
//! tidy` checks it. A verifier therefore needs nothing but this crate and somebody's bytes.
//!
//! The formats are described for outsiders in `spec/record.md`, `spec/frame.md`, `spec/leaf.md`,
//! `spec/checkpoint.md`, `spec/receipt.md` and `spec/bundle.md`; `spec/vectors/*.json` are read by this crate's tests.

pub mod anchor;
pub mod bundle;
pub mod canonical;
pub mod capture;
pub mod checkpoint;
pub mod code;
pub mod commitment;
pub mod control;
pub mod cosignature;
pub mod erasure;
pub mod frame;
pub mod hash;
pub mod keys;
pub mod label;
pub mod leaf;
pub mod lifecycle;
pub mod limits;
mod lines;
pub mod lookup;
pub mod merkle;
pub mod note;
pub mod policy;
pub mod query;
pub mod receipt;
pub mod record;
pub mod redact;
pub mod tile;
pub mod time;
pub mod verify;
pub mod witness;

pub use code::{Encoding, Kind, PartId, Status};
pub use frame::Frame;
pub use hash::Hash;
pub use leaf::Leaf;
pub use limits::Limits;
pub use record::{Record, RecordError, Redacted};
