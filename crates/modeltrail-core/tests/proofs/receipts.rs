//! Receipts: their text, what they prove, and every reason for which one is refused.

use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::ProofError;
use modeltrail_core::note::VerifyError;
use modeltrail_core::policy::{Policy, PolicyError};
use modeltrail_core::receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptError, ReceiptVerifyError};

use super::ledger::{ORIGIN, cosigned, ledger, policy, signer};

fn refused(text: &str) -> ReceiptError {
    Receipt::parse(text.as_bytes()).expect_err(&format!("{text:?} was read"))
}

fn line(text: &str) -> usize {
    match refused(text) {
        ReceiptError::Line { line, .. } | ReceiptError::Checkpoint { line, .. } => line,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_receipt_comes_back_and_proves_its_leaf() {
    let ledger = ledger(37);
    let policy = policy("quorum w2\n");
    for size in [1, 2, 20, 37] {
        let checkpoint = cosigned(ledger.checkpoint(size), &[2]);
        for index in 0..size {
            let receipt = ledger.receipt(index, checkpoint.clone());
            let text = receipt.to_string();
            let read = Receipt::parse(text.as_bytes()).unwrap();
            assert_eq!(read, receipt);
            let verified = read.verify(&policy).unwrap();
            assert_eq!(verified.leaf().index, index);
            assert_eq!(verified.leaf_hash(), ledger.hashes[usize::try_from(index).unwrap()]);
            let by = verified.checkpoint().cosigned();
            assert_eq!((by[0].witness.as_bytes(), by[0].time_s), (&b"w2"[..], 1_700_000_002));
            assert_eq!(verified.checkpoint().signed(), &checkpoint);
        }
    }
}

#[test]
fn the_text_is_that_of_the_specification() {
    let text = ledger(3).receipt(2, ledger(3).checkpoint(3)).to_string();
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines[0], "c2sp.org/tlog-proof@v1");
    assert!(lines[1].starts_with("extra AQEA"), "{}", lines[1]);
    assert_eq!(lines[2], "index 2");
    assert_eq!(lines[3].len(), 44);
    assert_eq!(lines[4..7], ["", ORIGIN, "3"]);
    assert_eq!(lines[8], "");
    assert!(lines[9].starts_with("— example.com/ledger "));
    assert_eq!(lines[10..], [""]);
}

#[test]
fn a_receipt_without_a_leaf_is_verified_with_its_hash() {
    let ledger = ledger(5);
    let mut receipt = ledger.receipt(3, ledger.checkpoint(5));
    receipt.extra = None;
    let policy = Policy::logs_only([signer().verifier().clone()]).unwrap();
    let read = Receipt::parse(receipt.to_string().as_bytes()).unwrap();
    assert_eq!(read, receipt);
    assert_eq!(read.verify(&policy), Err(ReceiptVerifyError::NoLeaf));
    assert!(read.verify_leaf_hash(&ledger.hashes[3], &policy).is_ok());
    let other = read.verify_leaf_hash(&ledger.hashes[2], &policy);
    assert!(matches!(other, Err(ReceiptVerifyError::Proof(ProofError::Root { .. }))), "{other:?}");
}

#[test]
fn each_part_of_a_receipt_is_held_against_the_others() {
    let ledger = ledger(9);
    let policy = Policy::logs_only([signer().verifier().clone()]).unwrap();
    let good = ledger.receipt(4, ledger.checkpoint(9));
    let verify = |change: &dyn Fn(&mut Receipt)| {
        let mut receipt = good.clone();
        change(&mut receipt);
        receipt.verify(&policy).unwrap_err()
    };
    assert_eq!(good.verify(&policy).map(|verified| verified.leaf().index), Ok(4));
    let error = verify(&|receipt| receipt.index = 5);
    assert!(matches!(error, ReceiptVerifyError::Proof(_)), "{error}");
    let error = verify(&|receipt| receipt.index = 9);
    let none = ProofError::NoEntry { index: 9, size: 9 };
    assert_eq!(error, ReceiptVerifyError::Proof(none));
    let error = verify(&|receipt| receipt.extra = Some(ledger.leaves[5].to_vec()));
    assert!(matches!(error, ReceiptVerifyError::Proof(_)), "{error}");
    let error = verify(&|receipt| receipt.proof.truncate(3));
    let length = ProofError::Length { found: 3, expected: 4 };
    assert_eq!(error, ReceiptVerifyError::Proof(length));
    let error = verify(&|receipt| receipt.checkpoint = ledger.checkpoint(8));
    assert!(matches!(error, ReceiptVerifyError::Proof(_)), "{error}");
}

#[test]
fn a_leaf_says_where_it_belongs() {
    use modeltrail_core::Leaf;
    let policy = Policy::logs_only([signer().verifier().clone()]).unwrap();
    // A log that put a leaf at another place, or one of another ledger at its beginning, has signed
    // a tree in which it stands; the leaf itself says that it does not belong there.
    let mut moved = ledger(3);
    moved.leaves.swap(1, 2);
    moved.hashes.swap(1, 2);
    let receipt = moved.receipt(1, moved.checkpoint(3));
    let error = ReceiptVerifyError::Index { index: 1, leaf: 2 };
    assert_eq!(receipt.verify(&policy), Err(error));
    let mut other = ledger(1);
    let mut leaf = Leaf::decode(&other.leaves[0]).unwrap();
    leaf.prev = modeltrail_core::leaf::origin_prev("example.com/other");
    other.leaves[0] = leaf.encode();
    other.hashes[0] = leaf_hash(&other.leaves[0]);
    let receipt = other.receipt(0, other.checkpoint(1));
    assert_eq!(receipt.verify(&policy), Err(ReceiptVerifyError::Origin));
    let mut foreign = ledger(1);
    foreign.hashes[0] = leaf_hash(b"something else");
    let mut receipt = foreign.receipt(0, foreign.checkpoint(1));
    receipt.extra = Some(b"something else".to_vec());
    assert!(matches!(receipt.verify(&policy), Err(ReceiptVerifyError::Leaf(_))));
}

#[test]
fn a_policy_decides_first() {
    let ledger = ledger(5);
    let receipt = ledger.receipt(3, cosigned(ledger.checkpoint(5), &[1]));
    let quorum = |n_cosigned| {
        let quorum = "two".to_owned();
        PolicyError::Quorum { quorum, n_cosigned, n_witnesses: 3 }
    };
    let two = policy("group two 2 w1 w2 w3\nquorum two\n");
    assert_eq!(receipt.verify(&two), Err(ReceiptVerifyError::Policy(quorum(1))));
    let other = Policy::logs_only(Vec::new()).unwrap();
    let error = receipt.verify(&other).unwrap_err();
    let unknown = PolicyError::UnknownLog { origin: ORIGIN.into() };
    assert_eq!(error, ReceiptVerifyError::Policy(unknown));
    let key = modeltrail_core::note::NoteSigner::new(signer().verifier().name().clone(), &[2; 32]);
    let stranger = Policy::logs_only([key.unwrap().verifier().clone()]).unwrap();
    let error = receipt.verify(&stranger).unwrap_err();
    let signature = PolicyError::Signature(VerifyError::NoKnownKey);
    assert_eq!(error, ReceiptVerifyError::Policy(signature));
}

#[test]
fn lines_that_are_not_what_they_should_be_are_named() {
    let good = ledger(9).receipt(4, ledger(9).checkpoint(9)).to_string();
    let lines: Vec<&str> = good.split('\n').collect();
    let with = |at: usize, text: &str| {
        let mut changed = lines.clone();
        changed[at] = text;
        changed.join("\n")
    };
    assert_eq!(line(""), 1);
    assert_eq!(line(&with(0, "c2sp.org/tlog-proof@v2")), 1);
    assert_eq!(line("c2sp.org/tlog-proof@v1\n"), 2);
    for extra in ["extra ", "extra", "extra  AQ==", "extra AQ", "extra AR==", "Extra AQ=="] {
        assert_eq!(line(&with(1, extra)), 2, "{extra:?}");
    }
    for index in ["", "index", "index ", "index 04", "index +4", "index 4 ", "index -1", "Index 4"]
    {
        assert_eq!(line(&with(2, index)), 3, "{index:?}");
    }
    for hash in ["AQ==", "=", " ", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB="] {
        assert_eq!(line(&with(5, hash)), 6, "{hash:?}");
    }
    assert_eq!(line(&format!("{}\n{}\n", lines[..3].join("\n"), lines[3])), 5, "cut in the proof");
    assert_eq!(line(&with(8, "")), 8, "an origin that is empty; lines from the empty one");
    assert_eq!(line(good.trim_end()), 8);
    let many = format!("{}\n", lines[3]).repeat(64);
    let long = format!("{}\n{many}\n{}", lines[..3].join("\n"), lines[8..].join("\n"));
    assert_eq!(line(&long), 67, "the sixty-fourth hash");
    assert_eq!(Receipt::parse(&[0xff]), Err(ReceiptError::NotUtf8(0)));
    let too_long = vec![b'a'; RECEIPT_BYTES_MAX + 1];
    assert_eq!(Receipt::parse(&too_long), Err(ReceiptError::TooLong(RECEIPT_BYTES_MAX + 1)));
}
