//! The evidence bundle (`spec/bundle.md`): one tar file with which an auditor checks entries, and that
//! none of those asked for was left out, without the ledger and without its operator.
//!
//! [`verify`] reads a bundle and says all that is wrong with it. What a writer needs is beside it:
//! the container's headers ([`tar`]), the [`Manifest`], lines ([`EntryLine`], [`view`]) and which
//! files there must be ([`Layout`]).

mod container;
mod filter;
mod finding;
mod header;
mod layout;
mod line;
mod lines;
mod manifest;
mod path;
pub mod tar;
mod verify;
pub mod view;

pub use container::BundleError;
pub use filter::{CONTROL_KIND_MIN, Filter, LATE_BY_US_MAX, Window};
pub use finding::{BundleFinding, BundleFindingKind};
pub use header::HeaderView;
pub use layout::Layout;
pub use line::{EntryLine, LinePart};
pub use manifest::{Completeness, Manifest, ManifestError, ManifestHead, Range};
pub use path::BundlePath;
pub use verify::{BundleReport, KeyWithoutEffect, Pinned, TimestampReport, verify};

/// The version of the format that is written and read.
pub const BUNDLE_VERSION: u64 = 1;

/// Most files of a bundle: a verifier keeps their paths and digests in memory, some 200 MB of them.
pub const N_FILES_MAX: usize = 1_000_000;

/// Most files in `timestamps/`: sixteen authorities are more than anybody asks.
pub const N_TIMESTAMP_FILES_MAX: usize = 32;

/// Longest line of an `.ndjson` file, its line feed not counted: the 17 MiB that a frame can carry, in base64.
pub const LINE_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Largest number in a bundle, as in the rest of the contract.
pub(crate) const NUMBER_MAX: u64 = (1 << 63) - 1;
