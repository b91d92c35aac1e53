//! The anchor: the last head of a ledger, kept outside its database. Its text is the body of a C2SP
//! tlog-checkpoint (`spec/leaf.md`): origin, size and root in base64, a line each.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::hash::Hash;

/// Size and root of a ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// Number of entries.
    pub size: u64,
    /// Merkle root over their leaf hashes (RFC 6962).
    pub root: Hash,
}

/// A head with the name of its ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    /// Name of the ledger.
    pub origin: String,
    /// Its head.
    pub head: Head,
}

/// Why a text is no anchor.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no anchor: line {line} is not {expected}")]
pub struct AnchorError {
    /// Which line, from 1.
    pub line: usize,
    /// What should stand there.
    pub expected: &'static str,
}

impl Anchor {
    /// `origin \n size \n base64(root) \n`
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.head.size, STANDARD.encode(self.head.root.0))
    }

    /// Reads the text back. Lines after the third are kept for signatures and passed over.
    ///
    /// # Errors
    /// The line that is not what it should be.
    pub fn parse(text: &str) -> Result<Self, AnchorError> {
        let mut lines = text.split('\n');
        let error = |line, expected| AnchorError { line, expected };
        let origin = lines.next().filter(|line| !line.is_empty());
        let origin = origin.ok_or_else(|| error(1, "the ledger's origin"))?.to_owned();
        let digits = lines.next().filter(|line| {
            line.bytes().all(|c| c.is_ascii_digit()) && (*line == "0" || !line.starts_with('0'))
        });
        let size = digits.and_then(|line| line.parse().ok());
        let size = size.ok_or_else(|| error(2, "the size in decimal digits"))?;
        let root = lines.next().and_then(|line| STANDARD.decode(line).ok());
        let root = root.and_then(|bytes| Hash::from_slice(&bytes));
        let root = root.ok_or_else(|| error(3, "the root, 32 bytes in base64"))?;
        if lines.next().is_none() {
            return Err(error(3, "the root with a line end after it"));
        }
        Ok(Self { origin, head: Head { size, root } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_comes_back_and_a_torn_one_does_not() {
        let head = Head { size: 1234, root: Hash([9; 32]) };
        let anchor = Anchor { origin: "example.com/ledger".into(), head };
        let text = anchor.to_text();
        assert_eq!(Anchor::parse(&text), Ok(anchor));
        for cut in 0..text.len() {
            assert!(Anchor::parse(&text[..cut]).is_err(), "{cut}");
        }
    }
}
