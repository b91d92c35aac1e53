//! Entry bundles of C2SP tlog-tiles: up to 256 entries, each behind its length in two bytes, big
//! end first. An entry of a ledger is its leaf of 122 bytes; entries of other logs are read too.

use super::TILE_WIDTH;
use crate::hash::Hash;
use crate::leaf::leaf_hash;

/// Longest entry, in bytes: what two bytes can say.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// Why there is no bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BundleError {
    /// The bytes end within an entry or its length.
    #[error("the bundle ends in entry {at} of it; fetch it again")]
    Cut {
        /// Which entry, from 0.
        at: usize,
    },
    /// More or fewer entries than there should be.
    #[error("the bundle has {found} entries, there should be {expected}")]
    Count {
        /// How many there are, or the first that is too many.
        found: usize,
        /// How many there should be.
        expected: u16,
    },
    /// An entry that two bytes cannot tell the length of.
    #[error("entry {at} has {bytes} bytes, an entry of a bundle has at most {ENTRY_BYTES_MAX}")]
    TooLong {
        /// Which entry, from 0.
        at: usize,
        /// Its length.
        bytes: usize,
    },
}

/// The bytes of a bundle.
///
/// # Errors
/// [`BundleError::TooLong`], and [`BundleError::Count`] for more than 256 entries.
pub fn encode<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, BundleError> {
    let mut out = Vec::new();
    for (at, entry) in entries.into_iter().enumerate() {
        if at >= usize::from(TILE_WIDTH) {
            return Err(BundleError::Count { found: at + 1, expected: TILE_WIDTH });
        }
        let bytes = entry.len();
        let length = u16::try_from(bytes).map_err(|_| BundleError::TooLong { at, bytes })?;
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(entry);
    }
    Ok(out)
}

/// The entries of a bundle that has `width` of them.
///
/// # Errors
/// [`BundleError::Cut`] and [`BundleError::Count`].
pub fn decode(mut bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::with_capacity(usize::from(width.min(TILE_WIDTH)));
    while !bytes.is_empty() {
        let at = entries.len();
        if at >= usize::from(width) {
            return Err(BundleError::Count { found: at + 1, expected: width });
        }
        let (length, rest) = bytes.split_first_chunk().ok_or(BundleError::Cut { at })?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, rest) = rest.split_at_checked(length).ok_or(BundleError::Cut { at })?;
        entries.push(entry);
        bytes = rest;
    }
    let found = entries.len();
    if found == usize::from(width) {
        Ok(entries)
    } else {
        Err(BundleError::Count { found, expected: width })
    }
}

/// The leaf hashes of a bundle's entries: the hashes of the level 0 tile with the same index.
#[must_use]
pub fn leaf_hashes(entries: &[&[u8]]) -> Vec<Hash> {
    entries.iter().map(|entry| leaf_hash(entry)).collect()
}
