//! The files that a bundle can have, and how long each may be.

use crate::lines::parse_decimal;
use crate::note::NOTE_BYTES_MAX;
use crate::policy::POLICY_BYTES_MAX;
use crate::receipt::RECEIPT_BYTES_MAX;
use crate::tile::{Resource, Tile};

use super::{NUMBER_MAX, tar};

/// A file of a bundle, by its path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BundlePath {
    /// `VERIFY.md`, for people.
    Verify,
    /// `checkpoint`: what everything is proven against.
    Checkpoint,
    /// `entries.ndjson`: every entry of the range.
    Entries,
    /// `keys/history.ndjson`: the ledger's `key` entries, to be read.
    History,
    /// `manifest.json`: what was asked and what is here.
    Manifest,
    /// `manifest.sha256`: the manifest's digest, as `sha256sum -c` reads it.
    ManifestDigest,
    /// `outside.ndjson`: entries outside the range that are needed to judge it.
    Outside,
    /// `policy`: the log's key, the witnesses, the quorum.
    Policy,
    /// `proofs/<index>.tlog-proof`: an entry's receipt.
    Proof(u64),
    /// `records.ndjson`: the matching entries for people's eyes.
    Records,
    /// `tile/<L>/<N>`.
    Tile(Tile),
    /// `tile/entries/<N>`.
    Leaves(Tile),
    /// `timestamps/<n>.tsr`.
    Timestamp(u64),
    /// `timestamps/<n>.pem`.
    Certificates(u64),
}

impl BundlePath {
    /// The files that every bundle has.
    pub const ALWAYS: [Self; 9] = [
        Self::Verify,
        Self::Checkpoint,
        Self::Entries,
        Self::History,
        Self::Manifest,
        Self::ManifestDigest,
        Self::Outside,
        Self::Policy,
        Self::Records,
    ];

    /// Reads a path; `None` for one that no bundle has, or that is written in another way.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if let Some(found) = Self::ALWAYS.into_iter().find(|known| known.to_string() == path) {
            return Some(found);
        }
        let number = |text| parse_decimal(text).filter(|number| *number <= NUMBER_MAX);
        if let Some(name) = path.strip_prefix("proofs/") {
            return name.strip_suffix(".tlog-proof").and_then(number).map(Self::Proof);
        }
        if let Some(name) = path.strip_prefix("timestamps/") {
            let (digits, ending) = name.split_once('.')?;
            let n = number(digits).filter(|n| (1..=99).contains(n))?;
            return match ending {
                "tsr" => Some(Self::Timestamp(n)),
                "pem" => Some(Self::Certificates(n)),
                _ => None,
            };
        }
        match Resource::parse(path)? {
            Resource::Checkpoint => None,
            Resource::Tile(tile) => Some(Self::Tile(tile)),
            Resource::Entries(tile) => Some(Self::Leaves(tile)),
        }
    }

    /// Most bytes of such a file.
    #[must_use]
    pub fn bytes_max(self) -> u64 {
        const MIB: u64 = 1024 * 1024;
        let small = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        match self {
            // A million paths with their digests.
            Self::Manifest => 192 * MIB,
            Self::ManifestDigest => 128,
            Self::Checkpoint => small(NOTE_BYTES_MAX),
            Self::Policy => small(POLICY_BYTES_MAX),
            // A checkpoint, a leaf and 63 hashes.
            Self::Proof(_) => small(RECEIPT_BYTES_MAX),
            Self::Tile(_) => 256 * 32,
            Self::Leaves(_) => 256 * 124,
            Self::Verify | Self::Timestamp(_) | Self::Certificates(_) => MIB,
            Self::Entries | Self::History | Self::Outside | Self::Records => tar::FILE_BYTES_MAX,
        }
    }

    /// Whether it is the manifest or its digest, which the manifest does not name.
    #[must_use]
    pub const fn is_manifest(self) -> bool {
        matches!(self, Self::Manifest | Self::ManifestDigest)
    }

    /// Whether it has one JSON object a line.
    #[must_use]
    pub const fn is_lines(self) -> bool {
        matches!(self, Self::Entries | Self::History | Self::Outside | Self::Records)
    }
}

impl std::fmt::Display for BundlePath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Verify => f.write_str("VERIFY.md"),
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Entries => f.write_str("entries.ndjson"),
            Self::History => f.write_str("keys/history.ndjson"),
            Self::Manifest => f.write_str("manifest.json"),
            Self::ManifestDigest => f.write_str("manifest.sha256"),
            Self::Outside => f.write_str("outside.ndjson"),
            Self::Policy => f.write_str("policy"),
            Self::Proof(index) => write!(f, "proofs/{index}.tlog-proof"),
            Self::Records => f.write_str("records.ndjson"),
            Self::Tile(tile) => Resource::Tile(*tile).fmt(f),
            Self::Leaves(tile) => Resource::Entries(*tile).fmt(f),
            Self::Timestamp(n) => write!(f, "timestamps/{n}.tsr"),
            Self::Certificates(n) => write!(f, "timestamps/{n}.pem"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_and_each_has_one_spelling() {
        let tile = Tile::new(1, 1234, 5).unwrap();
        let mut paths = BundlePath::ALWAYS.to_vec();
        let more = [
            BundlePath::Proof(0),
            BundlePath::Proof(NUMBER_MAX),
            BundlePath::Tile(tile),
            BundlePath::Leaves(Tile::new(0, 1, 256).unwrap()),
            BundlePath::Timestamp(1),
            BundlePath::Certificates(12),
        ];
        paths.extend(more);
        for path in paths {
            assert_eq!(BundlePath::parse(&path.to_string()), Some(path), "{path}");
        }
        for other in [
            "proofs/01.tlog-proof",
            "proofs/9223372036854775808.tlog-proof",
            "proofs/1.proof",
            "timestamps/0.tsr",
            "timestamps/100.tsr",
            "timestamps/1.der",
            "tile/0/0",
            "tile/00/000",
            "tile/entries/000.p/256",
            "verify.md",
            "keys/other",
            "tile",
        ] {
            assert_eq!(BundlePath::parse(other), None, "{other}");
        }
    }
}
