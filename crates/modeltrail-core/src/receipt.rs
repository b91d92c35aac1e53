//! Receipts: that an entry is in a ledger, as a file that anybody can verify without the ledger.
//! The format is C2SP tlog-proof; `extra` holds the leaf (`spec/receipt.md`).

use std::fmt;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::hash::{Hash, base64, unbase64};
use crate::leaf::{Leaf, LeafError, leaf_hash, origin_prev};
use crate::lines::{Lines, parse_decimal};
use crate::merkle::{ProofError, verify_inclusion};
use crate::note::NOTE_BYTES_MAX;
use crate::policy::{Policy, PolicyError, VerifiedCheckpoint};

/// First line of the file.
pub const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// By custom the file's ending.
pub const FILE_ENDING: &str = "tlog-proof";

/// Longest receipt in bytes: the longest note, and room for a leaf, 63 hashes and the lines before them.
pub const RECEIPT_BYTES_MAX: usize = NOTE_BYTES_MAX + 10_000;

/// A receipt that was read or made; [`Receipt::verify`] says whether it holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// What stands in the `extra` line; of a ledger's own receipt the leaf's bytes. Nothing vouches
    /// for it until its hash was verified.
    pub extra: Option<Vec<u8>>,
    /// Place of the entry.
    pub index: u64,
    /// Inclusion proof, the leaf's sibling first.
    pub proof: Vec<Hash>,
    /// The checkpoint that the proof leads to.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no receipt.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiptError {
    /// Longer than [`RECEIPT_BYTES_MAX`].
    #[error("a receipt has at most {RECEIPT_BYTES_MAX} bytes, this one {0}")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("no receipt: not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// A line is not what it should be.
    #[error("no receipt: line {line} is not {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The part behind the empty line is no checkpoint; lines are counted from there.
    #[error("behind the empty line in line {line} of the receipt: {error}")]
    Checkpoint {
        /// Line of the empty line, from 1.
        line: usize,
        /// What is wrong.
        error: CheckpointError,
    },
}

/// Why a receipt does not hold.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ReceiptVerifyError {
    /// The policy does not accept the checkpoint.
    #[error("the checkpoint is not accepted: {0}")]
    Policy(#[from] PolicyError),
    /// There is no leaf in it.
    #[error("the receipt holds no leaf; give the entry's leaf hash to verify it with")]
    NoLeaf,
    /// What it holds is no leaf.
    #[error("the receipt holds no leaf: {0}")]
    Leaf(#[from] LeafError),
    /// The leaf is of another entry.
    #[error("the receipt is for entry {index}, and its leaf says it is entry {leaf}")]
    Index {
        /// What the receipt says.
        index: u64,
        /// What the leaf says.
        leaf: u64,
    },
    /// The leaf is the first of a ledger of another origin.
    #[error("the leaf begins a ledger of another origin than the checkpoint")]
    Origin,
    /// The proof does not lead from the leaf to the checkpoint's root.
    #[error("the inclusion proof does not hold: {0}")]
    Proof(#[from] ProofError),
}

/// A receipt that holds. Only [`Receipt::verify`] makes one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedReceipt {
    leaf: Leaf,
    leaf_hash: Hash,
    checkpoint: VerifiedCheckpoint,
}

impl VerifiedReceipt {
    /// The leaf; commitments to parts that are shown beside the receipt are held against its body.
    #[must_use]
    pub const fn leaf(&self) -> &Leaf {
        &self.leaf
    }

    /// Its leaf hash.
    #[must_use]
    pub const fn leaf_hash(&self) -> Hash {
        self.leaf_hash
    }

    /// The checkpoint, and who has cosigned it when.
    #[must_use]
    pub const fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }
}

const EXTRA: &str = "the index, or extra with base64";
const INDEX: &str = "`index` with a number in decimal digits";
const PROOF: &str = "a hash of the proof in base64, or empty";

impl Receipt {
    /// Reads a receipt, of this program or another one. Whether it holds is another matter.
    ///
    /// # Errors
    /// The line that is not what it should be.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > RECEIPT_BYTES_MAX {
            return Err(ReceiptError::TooLong(bytes.len()));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|e| ReceiptError::NotUtf8(e.valid_up_to()))?;
        let error = |line, expected| ReceiptError::Line { line, expected };
        let mut lines = Lines { rest: text, line: 0 };
        if lines.next() != Some(HEADER) {
            return Err(error(1, HEADER));
        }
        let mut next = lines.next().ok_or_else(|| error(2, INDEX))?;
        let extra = match next.strip_prefix("extra ") {
            None => None,
            Some(extra) => {
                let extra = unbase64(extra).filter(|extra| !extra.is_empty());
                let extra = extra.ok_or_else(|| error(lines.line, EXTRA))?;
                next = lines.next().ok_or_else(|| error(lines.line + 1, INDEX))?;
                Some(extra)
            }
        };
        let index = next.strip_prefix("index ").and_then(parse_decimal);
        let index = index.ok_or_else(|| error(lines.line, INDEX))?;
        let proof = lines.hashes().map_err(|line| error(line, PROOF))?;
        let checkpoint = SignedCheckpoint::parse(lines.rest.as_bytes());
        let checkpoint =
            checkpoint.map_err(|error| ReceiptError::Checkpoint { line: lines.line, error })?;
        Ok(Self { extra, index, proof, checkpoint })
    }

    /// Verifies that the leaf that the receipt holds stands at its index in a ledger that the
    /// policy believes.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify(&self, policy: &Policy) -> Result<VerifiedReceipt, ReceiptVerifyError> {
        let bytes = self.extra.as_deref().ok_or(ReceiptVerifyError::NoLeaf)?;
        let leaf_hash = leaf_hash(bytes);
        let checkpoint = self.verify_leaf_hash(&leaf_hash, policy)?;
        let leaf = Leaf::decode(bytes)?;
        if leaf.index != self.index {
            return Err(ReceiptVerifyError::Index { index: self.index, leaf: leaf.index });
        }
        let origin = self.checkpoint.checkpoint().origin();
        if leaf.index == 0 && leaf.prev != origin_prev(origin) {
            return Err(ReceiptVerifyError::Origin);
        }
        Ok(VerifiedReceipt { leaf, leaf_hash, checkpoint })
    }

    /// Verifies the same for an entry whose leaf hash is known from elsewhere, of any log.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify_leaf_hash(
        &self,
        leaf_hash: &Hash,
        policy: &Policy,
    ) -> Result<VerifiedCheckpoint, ReceiptVerifyError> {
        let checkpoint = policy.verify(&self.checkpoint)?;
        let head = self.checkpoint.checkpoint().head();
        verify_inclusion(leaf_hash, self.index, &self.proof, &head)?;
        Ok(checkpoint)
    }
}

impl fmt::Display for Receipt {
    /// The file's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_deref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", base64(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
