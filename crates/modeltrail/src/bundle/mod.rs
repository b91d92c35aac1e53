//! Evidence bundles: one file with which an auditor checks entries, and that none of those asked for was left out,
//! without the ledger and without its operator (`spec/bundle.md`).
//!
//! [`write()`] makes one from a ledger; [`modeltrail_core::bundle::verify`] checks one, of a file or of bytes.
//! The same ledger, request and checkpoint give the same bytes.
//!
//! The files of a bundle must come in the order of their paths and say their length first, and the manifest
//! in the middle has a digest of each. So everything is written to nameless files beside the target first,
//! which needs the bundle's size on disk twice and memory only for paths, digests and indexes.

mod entries;
mod late;
mod outside;
#[cfg(any(test, feature = "testing"))]
pub mod packing;
mod pieces;
mod tiles;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::bundle::{
    BundlePath, Completeness, Filter, Layout, Manifest, ManifestHead, N_FILES_MAX,
    N_TIMESTAMP_FILES_MAX, Range, Window,
};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::hash::sha256;
use modeltrail_core::policy::{Policy, PolicyError};
use modeltrail_core::{Leaf, PartId};

use crate::proofs::{self, ProofsError, receipt_from};
use crate::store::{Store, StoreError};
use pieces::Pieces;

pub use late::{Elsewhere, elsewhere};

/// The text for people that every bundle has.
const VERIFY_MD: &str = include_str!("../../../../docs/VERIFY.md");

/// Most receipts of matching entries: some 200 MB of them. Above this there are none; the tiles prove the same.
pub const N_RECEIPTS_MAX: usize = 100_000;

/// Most checkpoints that are looked at for one that the policy accepts: a day of one each second, at
/// some hundred microseconds for a signature.
const N_CHECKPOINTS_MAX: usize = 86_400;

/// The parts that are disclosed when nothing else is asked for: all but `parties`, which says who asked
/// and whom it is about. Personal data leaves the house only where it was asked for by name.
pub const DISCLOSED: [PartId; 7] = [
    PartId::Header,
    PartId::Input,
    PartId::Output,
    PartId::Metadata,
    PartId::Pipeline,
    PartId::Error,
    PartId::Control,
];

/// An RFC 3161 timestamp over the checkpoint's note text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timestamp {
    /// The TimeStampResp in DER.
    pub response: Vec<u8>,
    /// Certificates up to the authority's root in PEM.
    pub certificates: Vec<u8>,
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct BundleRequest {
    /// Which entries.
    pub filter: Filter,
    /// Which parts of them; header and control always.
    pub disclose: Vec<PartId>,
    /// The log's keys, the witnesses and the quorum that the checkpoint satisfies.
    pub policy: Policy,
    /// What everything is proven against; the newest stored checkpoint that the policy accepts when
    /// absent: witnesses see one now and then, while one is signed each second.
    pub checkpoint: Option<SignedCheckpoint>,
    /// Timestamps over that checkpoint.
    pub timestamps: Vec<Timestamp>,
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct BundleSummary {
    /// Number of entries of the checkpoint.
    pub size: u64,
    /// Which entries are in the bundle.
    pub range: Range,
    /// How many of them match.
    pub n_matching: u64,
    /// Entries outside the range that are needed to judge it.
    pub n_outside: u64,
    /// Whether each matching entry has a receipt.
    pub receipts: bool,
    /// Whether nothing can have been left out unnoticed.
    pub completeness: Completeness,
    /// Files of the bundle.
    pub n_files: u64,
    /// Its length.
    pub n_bytes: u64,
}

/// Why there is no bundle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There are no proofs.
    #[error(transparent)]
    Proofs(#[from] ProofsError),
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// A bundle is evidence, and is not written over.
    #[error("{0} is there already; name a new file")]
    Exists(PathBuf),
    /// Nothing was signed yet.
    #[error("the ledger has no checkpoint yet; publish one first, with `modeltrail publish`")]
    NoCheckpoint,
    /// What is stored does not lead to the checkpoint.
    #[error(
        "the stored entries do not give the root of the checkpoint of {size} entries; run `modeltrail \
         verify`"
    )]
    OtherRoot {
        /// Size of the checkpoint.
        size: u64,
    },
    /// The policy would not accept it.
    #[error("the bundle's policy does not accept its checkpoint: {0}")]
    Policy(#[from] PolicyError),
    /// A filter that means nothing.
    #[error("the filter has {0}")]
    Filter(&'static str),
    /// An entry that no verifier would accept.
    #[error("entry {index}: {what}; run `modeltrail verify`")]
    Entry {
        /// Which entry.
        index: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// More than a verifier takes.
    #[error("{what}; ask for a shorter time or fewer entries")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
    },
}

/// Everything that the steps share.
struct Writer<'a> {
    store: &'a dyn Store,
    request: &'a BundleRequest,
    checkpoint: &'a SignedCheckpoint,
    layout: Layout,
    range: Range,
    /// Codes of the parts that are disclosed of matching entries.
    disclosed: Vec<u16>,
}

/// Writes a bundle to a new file. `progress` is called with the number of entries that have been read and
/// the number that there are.
///
/// # Errors
/// When an entry is not as its leaf says, or a file cannot be written; then nothing is left at `path`.
pub fn write(
    store: &dyn Store,
    request: &BundleRequest,
    path: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<BundleSummary, BundleError> {
    if path.symlink_metadata().is_ok() {
        return Err(BundleError::Exists(path.to_owned()));
    }
    let checkpoint = &checkpoint_of(store, request)?;
    let head = checkpoint.checkpoint().head();
    if proofs::root(store, head.size)? != head.root {
        return Err(BundleError::OtherRoot { size: head.size });
    }
    let window = request.filter.window().map_err(BundleError::Filter)?;
    let range = range(store, &window, head.size)?;
    let layout = Layout::new(head.size, range);
    let disclosed = disclosed(&request.disclose);
    let writer = Writer { store, request, checkpoint, layout, range, disclosed };
    writer.run(path, &mut progress)
}

/// The checkpoint that was asked for, else the newest one that the policy accepts.
///
/// # Errors
/// When there is none, or the policy does not accept it.
pub fn checkpoint_of(
    store: &dyn Store,
    request: &BundleRequest,
) -> Result<SignedCheckpoint, BundleError> {
    let Some(checkpoint) = &request.checkpoint else {
        return newest_accepted(store, &request.policy);
    };
    request.policy.verify(checkpoint)?;
    Ok(checkpoint.clone())
}

/// The newest stored checkpoint that a policy accepts; of none the newest one's refusal.
fn newest_accepted(store: &dyn Store, policy: &Policy) -> Result<SignedCheckpoint, BundleError> {
    let newest = store.checkpoint(None)?.ok_or(BundleError::NoCheckpoint)?;
    let refusal = match policy.verify(&newest) {
        Ok(_) => return Ok(newest),
        Err(refusal) => refusal,
    };
    let mut size = newest.checkpoint().head().size;
    for _ in 0..N_CHECKPOINTS_MAX {
        let Some(below) = size.checked_sub(1) else { break };
        let Some(older) = store.checkpoint(Some(below))? else { break };
        if policy.verify(&older).is_ok() {
            return Ok(older);
        }
        size = older.checkpoint().head().size;
    }
    Err(refusal.into())
}

/// Codes of the parts, with those that are always disclosed, ascending.
fn disclosed(asked: &[PartId]) -> Vec<u16> {
    let always = [PartId::Header, PartId::Control];
    let mut codes: Vec<u16> = asked.iter().chain(&always).map(|part| part.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The entries that a filter's times ask for. Times do not go back, so both ends are found by halving;
/// where they do, whoever verifies finds that.
fn range(store: &dyn Store, window: &Window, size: u64) -> Result<Range, BundleError> {
    let first = partition(store, size, &|time_us| window.is_before(time_us))?;
    let end = partition(store, size, &|time_us| !window.is_behind(time_us))?;
    Ok(Range { first, end: end.max(first) })
}

/// The first index whose leaf's time is not on the left side.
fn partition(
    store: &dyn Store,
    size: u64,
    is_left: &dyn Fn(u64) -> bool,
) -> Result<u64, BundleError> {
    let (mut first, mut end) = (0, size);
    while first < end {
        let middle = first + (end - first) / 2;
        if is_left(leaf(store, middle)?.time_us) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    Ok(first)
}

fn leaf(store: &dyn Store, index: u64) -> Result<Leaf, BundleError> {
    let mut found = None;
    store.leaves(index..index + 1, &mut |_, bytes, _| found = Leaf::decode(bytes).ok())?;
    found.ok_or(BundleError::Entry { index, what: "its leaf is not there, or is none" })
}

impl Writer<'_> {
    fn run(
        &self,
        path: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<BundleSummary, BundleError> {
        let mut pieces = Pieces::new(path)?;
        let gathered = self.write_entries(&mut pieces, progress)?;
        let outside = self.write_outside(&mut pieces, &gathered)?;
        let receipts = gathered.matching.len() <= N_RECEIPTS_MAX;
        let due: Vec<u64> = match receipts {
            true => gathered.matching.iter().chain(&outside).copied().collect(),
            false => outside.iter().copied().collect(),
        };
        self.write_small(&mut pieces)?;
        self.write_receipts(&mut pieces, due)?;
        self.write_tiles(&mut pieces)?;
        if pieces.n_files() >= N_FILES_MAX {
            return Err(BundleError::TooLarge {
                what: "the bundle would have over a million files",
            });
        }
        let n_matching = u64::try_from(gathered.matching.len()).unwrap_or(u64::MAX);
        let manifest = self.manifest(&pieces, gathered.matching, receipts);
        let completeness = manifest.completeness.clone();
        let bytes = manifest.to_bytes();
        drop(manifest);
        pieces.put(BundlePath::Manifest, &bytes)?;
        let digest = Manifest::digest_line(&sha256(&[&bytes]));
        pieces.put(BundlePath::ManifestDigest, digest.as_bytes())?;
        let n_files = u64::try_from(pieces.n_files()).unwrap_or(u64::MAX);
        let n_bytes = pieces.finish()?;
        Ok(BundleSummary {
            size: self.checkpoint.checkpoint().head().size,
            range: self.range,
            n_matching,
            n_outside: u64::try_from(outside.len()).unwrap_or(u64::MAX),
            receipts,
            completeness,
            n_files,
            n_bytes,
        })
    }

    fn manifest(&self, pieces: &Pieces, matching: Vec<u64>, receipts: bool) -> Manifest {
        let head = self.checkpoint.checkpoint().head();
        let code_name = |code: &u16| PartId::from_code(*code).map(|part| part.name().to_owned());
        let mut disclose: Vec<String> = self.disclosed.iter().filter_map(code_name).collect();
        disclose.sort_unstable();
        Manifest {
            checkpoint: ManifestHead { root: head.root.to_hex(), size: head.size },
            completeness: Completeness::of(&self.request.filter),
            disclose,
            files: pieces.digests(),
            filter: self.request.filter.clone(),
            matching,
            origin: self.checkpoint.checkpoint().origin().to_owned(),
            range: self.range,
            receipts,
            software: format!("modeltrail {}", env!("CARGO_PKG_VERSION")),
            version: modeltrail_core::bundle::BUNDLE_VERSION,
        }
    }

    /// What is there before any entry is read.
    fn write_small(&self, pieces: &mut Pieces) -> Result<(), BundleError> {
        pieces.put(BundlePath::Verify, VERIFY_MD.as_bytes())?;
        pieces.put(BundlePath::Checkpoint, self.checkpoint.to_string().as_bytes())?;
        pieces.put(BundlePath::Policy, &self.request.policy.to_bytes())?;
        if self.request.timestamps.len() > N_TIMESTAMP_FILES_MAX / 2 {
            return Err(BundleError::TooLarge { what: "there are more than sixteen timestamps" });
        }
        for (n, timestamp) in (1..).zip(&self.request.timestamps) {
            pieces.put(BundlePath::Timestamp(n), &timestamp.response)?;
            pieces.put(BundlePath::Certificates(n), &timestamp.certificates)?;
        }
        Ok(())
    }

    fn write_receipts(&self, pieces: &mut Pieces, mut due: Vec<u64>) -> Result<(), BundleError> {
        // Ascending, so that neighbours take the same tiles.
        due.sort_unstable();
        let size = self.checkpoint.checkpoint().head().size;
        let mut nodes = proofs::nodes(self.store, size);
        for index in due {
            let receipt = receipt_from(self.store, &mut nodes, index, self.checkpoint)?;
            pieces.put(BundlePath::Proof(index), receipt.to_string().as_bytes())?;
        }
        Ok(())
    }
}
