//! Proofs of whole ledgers against the verifiers of core, from both stores, with and without tiles.

use modeltrail_core::Frame;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::Checkpoint;
use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::hex;
use modeltrail_core::merkle::{Frontier, verify_consistency};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::policy::Policy;
use modeltrail_core::record::Redacted;

use super::*;
use crate::Reader;
use crate::store::{Batch, MemoryStore};

const ORIGIN: &str = "example.com/proofs";

/// Appends `n` gap entries, the cheapest there are.
pub(crate) fn append(store: &mut dyn Store, n: u64) {
    let tip = store.tip().unwrap();
    let (head, first) = (tip.head, tip.head.size);
    let mut batch = Batch::new(tip);
    for seq in first..first + n {
        let ranges = vec![(seq, seq)];
        let gap = Gap { producer: hex(&[1; 16]), ranges, reason: GapReason::Dropped };
        let redacted = Redacted::control(&Control::Gap(gap), 0);
        batch.push(Frame::new(redacted, [3; 16], [4; 32]), [5; 16], seq, seq);
    }
    store.append(&batch, &head).unwrap();
}

fn memory(size: u64) -> MemoryStore {
    let mut store = MemoryStore::new(ORIGIN);
    append(&mut store, size);
    store
}

/// The roots of every size, from the leaf hashes alone.
fn roots(store: &dyn Store) -> Vec<Hash> {
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    store
        .leaves(0..u64::MAX, &mut |_, _, hash| {
            frontier.push(Hash::from_slice(hash).unwrap());
            roots.push(frontier.root());
        })
        .unwrap();
    roots
}

fn head(roots: &[Hash], size: u64) -> Head {
    Head { size, root: roots[usize::try_from(size).unwrap()] }
}

fn check_inclusion(store: &dyn Store, roots: &[Hash], index: u64, size: u64) {
    let proof = inclusion(store, index, size).unwrap();
    let hash = store.leaf_hashes(index..index + 1).unwrap()[0];
    verify_inclusion(&hash, index, &proof, &head(roots, size))
        .unwrap_or_else(|error| panic!("entry {index} of {size}: {error}"));
}

fn check_consistency(store: &dyn Store, roots: &[Hash], old: u64, new: u64) {
    let proof = consistency(store, old, new).unwrap();
    verify_consistency(&head(roots, old), &head(roots, new), &proof)
        .unwrap_or_else(|error| panic!("{old} to {new}: {error}"));
}

/// Every proof of the sizes around those at which tiles become full.
fn every_proof(store: &dyn Store) {
    let all = roots(store);
    let sizes = [1, 2, 255, 256, 257, 300, 511, 512, 513, 600];
    for size in sizes {
        assert_eq!(root(store, size).unwrap(), head(&all, size).root, "{size}");
        (0..size).for_each(|index| check_inclusion(store, &all, index, size));
        for old in sizes.into_iter().filter(|old| *old <= size) {
            check_consistency(store, &all, old, size);
        }
    }
}

#[test]
fn proofs_hold_at_sizes_around_full_tiles() {
    every_proof(&memory(600));
}

#[cfg(feature = "sqlite")]
#[test]
fn proofs_from_sqlite_hold_at_sizes_around_full_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.db");
    let mut store = crate::store::SqliteStore::create(&path, ORIGIN).unwrap();
    append(&mut store, 600);
    every_proof(&store);
}

#[test]
fn proofs_through_two_levels_are_the_same_with_tiles_and_without() {
    let store = memory(66_200);
    let all = roots(&store);
    // As a ledger that was written before tiles were kept.
    let bare = memory(66_200);
    bare.forget_tiles();
    let n = 66_200;
    for index in [0, 255, 256, 65_279, 65_535, 65_536, 66_047, 66_048, 66_199] {
        check_inclusion(&store, &all, index, n);
        let proofs = [&store as &dyn Store, &bare].map(|of| inclusion(of, index, n).unwrap());
        assert_eq!(proofs[0], proofs[1], "{index}");
    }
    for old in [1, 256, 65_535, 65_536, 65_537, 66_199, n] {
        check_consistency(&store, &all, old, n);
        let proofs = [&store as &dyn Store, &bare].map(|of| consistency(of, old, n).unwrap());
        assert_eq!(proofs[0], proofs[1], "{old}");
    }
    assert_eq!(root(&bare, n).unwrap(), head(&all, n).root);
}

fn signer() -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[7; 32]).unwrap()
}

fn signed(origin: &str, head: Head) -> SignedCheckpoint {
    Checkpoint::new(origin, head).unwrap().sign(&signer()).unwrap()
}

#[test]
fn a_receipt_is_of_the_newest_checkpoint_and_holds() {
    let mut store = memory(300);
    let all = roots(&store);
    let policy = Policy::logs_only([signer().verifier().clone()]).unwrap();
    let reader = Reader::over(Box::new(store.clone()));
    assert_eq!(reader.checkpoint().unwrap(), None);
    let text = reader.receipt(0).unwrap_err().to_string();
    assert!(text.contains("no checkpoint covers entry 0 yet"), "{text}");
    for size in [120, 299] {
        store.put_checkpoint(&signed(ORIGIN, head(&all, size))).unwrap();
        let newest = reader.checkpoint().unwrap().unwrap();
        assert_eq!(newest.checkpoint().head().size, size);
        for index in [0, 77, size - 1] {
            let receipt = reader.receipt(index).unwrap();
            let again = Receipt::parse(receipt.to_string().as_bytes()).unwrap();
            let verified = again.verify(&policy).unwrap();
            assert_eq!(*verified.leaf(), store.get(index).unwrap().unwrap().leaf);
            assert_eq!(receipt.checkpoint, newest);
        }
        assert!(reader.receipt(size).is_err());
    }
    // Many from the same nodes are what each alone is.
    let newest = store.checkpoint(None).unwrap().unwrap();
    let mut nodes = nodes(&store, 299);
    for index in 0..299 {
        let one = receipt_from(&store, &mut nodes, index, &newest).unwrap();
        assert_eq!(one, receipt(&store, index, &newest).unwrap());
    }
}

#[test]
fn what_nobody_would_accept_is_not_handed_out() {
    let store = memory(300);
    let all = roots(&store);
    let other_root = signed(ORIGIN, Head { size: 300, root: head(&all, 299).root });
    let wrong = receipt(&store, 4, &other_root).unwrap_err();
    assert!(matches!(wrong, ProofsError::Mismatch { index: 4, size: 300, .. }), "{wrong}");
    let other_origin = signed("example.com/other", head(&all, 300));
    let wrong = receipt(&store, 4, &other_origin).unwrap_err();
    assert!(matches!(wrong, ProofsError::Origin { .. }), "{wrong}");
    let early = signed(ORIGIN, head(&all, 4));
    let wrong = receipt(&store, 4, &early).unwrap_err();
    assert!(matches!(wrong, ProofsError::Build(BuildError::NoEntry { index: 4, size: 4 })));
    let ahead = signed(ORIGIN, Head { size: 301, root: head(&all, 300).root });
    let wrong = receipt(&store, 4, &ahead).unwrap_err();
    assert!(wrong.to_string().contains("entry 300"), "{wrong}");
}
