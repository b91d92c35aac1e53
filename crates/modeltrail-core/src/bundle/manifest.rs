//! `manifest.json`: what was asked and what is here. Nothing rests on it: what it says of the ledger is held
//! against the checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{Kind, PartId};
use crate::hash::Hash;

use super::filter::{Filter, Window};
use super::path::BundlePath;
use super::{BUNDLE_VERSION, NUMBER_MAX};

/// Size and root of the checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestHead {
    /// Lower-case hex.
    pub root: String,
    /// Number of entries.
    pub size: u64,
}

/// Whether the bundle proves that no matching entry of the range was left out.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completeness {
    /// Whether it does.
    pub provable: bool,
    /// `headers_shown` or `filter_on_person`.
    pub why: String,
}

impl Completeness {
    /// What a filter allows to be proven.
    #[must_use]
    pub fn of(filter: &Filter) -> Self {
        let provable = !filter.asks_for_person();
        let why = if provable { "headers_shown" } else { "filter_on_person" };
        Self { provable, why: why.to_owned() }
    }
}

/// Indexes of the range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Behind the last entry.
    pub end: u64,
    /// The first entry.
    pub first: u64,
}

/// The manifest. Members are declared in the order of canonical bytes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As in the file `checkpoint`.
    pub checkpoint: ManifestHead,
    /// Whether nothing can have been left out unnoticed.
    pub completeness: Completeness,
    /// Names of the parts that are disclosed of matching entries, ascending.
    pub disclose: Vec<String>,
    /// Lower-case hex SHA-256 of every other file, by path.
    pub files: BTreeMap<String, String>,
    /// What was asked.
    pub filter: Filter,
    /// Indexes of the matching entries, ascending.
    pub matching: Vec<u64>,
    /// As in the file `checkpoint`.
    pub origin: String,
    /// Which entries are here.
    pub range: Range,
    /// Whether each matching entry has a receipt.
    pub receipts: bool,
    /// What wrote it.
    pub software: String,
    /// [`BUNDLE_VERSION`].
    pub version: u64,
}

/// Why bytes are no manifest.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON with these members.
    #[error("the manifest cannot be read: {0}")]
    Json(String),
    /// A version that this program does not know.
    #[error("version {0} of the format is not known to this program, use a newer one")]
    Version(u64),
    /// A member is not as it must be.
    #[error("the manifest has {0}")]
    Member(&'static str),
}

impl Manifest {
    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::record::to_canonical(self)
    }

    /// Reads a manifest that is byte for byte what [`Manifest::to_bytes`] writes.
    ///
    /// # Errors
    /// What is not as it must be.
    pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        /// Only the version, so that a later one is told as that.
        #[derive(Deserialize)]
        struct Version {
            version: u64,
        }
        let json = |error: serde_json::Error| ManifestError::Json(error.to_string());
        let Version { version } = serde_json::from_slice(bytes).map_err(json)?;
        if version != BUNDLE_VERSION {
            return Err(ManifestError::Version(version));
        }
        let read: Self = serde_json::from_slice(bytes).map_err(json)?;
        if read.to_bytes() != bytes {
            return Err(ManifestError::Member("another spelling than that of canonical JSON"));
        }
        read.check().map_err(ManifestError::Member)?;
        Ok(read)
    }

    /// The file `manifest.sha256` of a manifest with this digest.
    #[must_use]
    pub fn digest_line(digest: &Hash) -> String {
        format!("{digest}  {}\n", BundlePath::Manifest)
    }

    fn check(&self) -> Result<(), &'static str> {
        let ascends = |texts: &[String]| texts.is_sorted_by(|a, b| a < b);
        let is_hash = |text: &str| Hash::from_hex(text).is_some_and(|hash| hash.to_hex() == text);
        let Range { first, end } = self.range;
        let numbers = [first, end, self.checkpoint.size];
        let of_matching = self.matching.last().copied();
        if numbers.into_iter().chain(of_matching).any(|number| number > NUMBER_MAX) {
            return Err("a number above 2^63 - 1");
        }
        if !is_hash(&self.checkpoint.root) || !self.files.values().all(|digest| is_hash(digest)) {
            return Err("a digest that is not 64 hex digits");
        }
        let is_file =
            |path: &str| BundlePath::parse(path).is_some_and(|known| !known.is_manifest());
        if !self.files.keys().all(|path| is_file(path)) {
            return Err("a path in `files` that no bundle has");
        }
        if !self.matching.is_sorted_by(|a, b| a < b) {
            return Err("indexes in `matching` that do not ascend");
        }
        let part_code = |name: &String| PartId::from_name(name).map(PartId::code);
        let codes: Option<Vec<u16>> = self.disclose.iter().map(part_code).collect();
        let codes = codes.ok_or("a part in `disclose` that has no such name")?;
        if !ascends(&self.disclose) {
            return Err("names in `disclose` that do not ascend");
        }
        let kind = self.filter.kind.as_deref();
        if kind.is_some_and(|name| Kind::from_name(name).is_none()) {
            return Err("a kind in `filter` that has no such name");
        }
        if ![PartId::Header, PartId::Control].iter().all(|part| codes.contains(&part.code())) {
            return Err("`disclose` without `header` and `control`");
        }
        if first > end || end > self.checkpoint.size {
            return Err("a range that is not within the checkpoint");
        }
        self.filter.window().map(drop)
    }

    /// Codes of the parts that are disclosed of matching entries.
    #[must_use]
    pub fn disclosed(&self) -> Vec<u16> {
        self.disclose.iter().filter_map(|name| PartId::from_name(name).map(PartId::code)).collect()
    }

    /// The times of the range.
    pub(super) fn window(&self) -> Window {
        // The filter was checked when the manifest was read; one that was not asks for everything.
        self.filter.window().unwrap_or_else(|_| Window::everything())
    }
}
