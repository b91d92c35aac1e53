//! A small ledger with keys, for the tests beside it.

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::leaf::{Leaf, leaf_hash, origin_prev};
use modeltrail_core::merkle::{LeafHashes, consistency, inclusion, root};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::policy::Policy;
use modeltrail_core::receipt::Receipt;
use modeltrail_core::witness::Request;

pub(crate) const ORIGIN: &str = "example.com/ledger";

/// Leaves with their hashes.
pub(crate) struct Ledger {
    pub(crate) leaves: Vec<[u8; 122]>,
    pub(crate) hashes: Vec<Hash>,
}

pub(crate) fn ledger(n: u64) -> Ledger {
    let mut ledger = Ledger { leaves: Vec::new(), hashes: Vec::new() };
    let mut prev = origin_prev(ORIGIN);
    for index in 0..n {
        let leaf = Leaf {
            kind: 1,
            index,
            time_us: 1_700_000_000_000_000 + index,
            record_id: [7; 16],
            producer: [8; 16],
            producer_seq: index,
            prev,
            body: Hash([9; 32]),
        };
        prev = leaf_hash(&leaf.encode());
        ledger.leaves.push(leaf.encode());
        ledger.hashes.push(prev);
    }
    ledger
}

pub(crate) fn signer() -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[1; 32]).unwrap()
}

/// Witness number `n`, from 1.
pub(crate) fn witness(n: u8) -> Cosigner {
    let name = KeyName::new(&format!("witness.example/w{n}")).unwrap();
    Cosigner::new(name, &[100 + n; 32]).unwrap()
}

impl Ledger {
    pub(crate) fn head(&self, size: u64) -> Head {
        Head { size, root: root(&mut LeafHashes(&self.hashes), size).unwrap() }
    }

    pub(crate) fn checkpoint(&self, size: u64) -> SignedCheckpoint {
        Checkpoint::new(ORIGIN, self.head(size)).unwrap().sign(&signer()).unwrap()
    }

    pub(crate) fn receipt(&self, index: u64, checkpoint: SignedCheckpoint) -> Receipt {
        let size = checkpoint.checkpoint().head().size;
        Receipt {
            extra: Some(self.leaves[usize::try_from(index).unwrap()].to_vec()),
            index,
            proof: inclusion(&mut LeafHashes(&self.hashes), index, size).unwrap(),
            checkpoint,
        }
    }

    pub(crate) fn request(&self, old: u64, new: u64) -> Request {
        let mut nodes = LeafHashes(&self.hashes);
        let proof = if old == 0 { Vec::new() } else { consistency(&mut nodes, old, new).unwrap() };
        Request { old_size: old, proof, checkpoint: self.checkpoint(new) }
    }
}

/// A checkpoint with the cosignatures of these witnesses, a second apart.
pub(crate) fn cosigned(mut checkpoint: SignedCheckpoint, witnesses: &[u8]) -> SignedCheckpoint {
    for n in witnesses {
        let text = checkpoint.note().text().to_owned();
        let line = witness(*n).cosign(&text, 1_700_000_000 + u64::from(*n));
        checkpoint.add(line).unwrap();
    }
    checkpoint
}

/// The ledger's key, witnesses 1 to 3, and a quorum line after these groups.
pub(crate) fn policy(rest: &str) -> Policy {
    let mut text = format!("log {}\n", signer().verifier());
    for n in 1..=3 {
        text += &format!("witness w{n} {}\n", witness(n).verifier());
    }
    Policy::parse((text + rest).as_bytes()).unwrap()
}
