//! Heads that are known from elsewhere, signed and not.

use super::*;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::note::{KeyName, NoteSigner};

fn signer(n: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new("o").unwrap(), &[n; 32]).unwrap()
}

/// The key 1, pinned.
fn keys() -> Keys {
    Keys::new("o", vec![signer(1).verifier().clone()], &[])
}

fn signed(size: u64, by: u8) -> SignedCheckpoint {
    sign(ledger(&plain(size)).head, by)
}

fn sign(head: Head, by: u8) -> SignedCheckpoint {
    Checkpoint::new("o", head).unwrap().sign(&signer(by)).unwrap()
}

fn other_root(size: u64) -> SignedCheckpoint {
    sign(Head { size, root: Hash([9; 32]) }, 1)
}

#[track_caller]
fn expect(
    ledger: &Ledger,
    outside: &[&SignedCheckpoint],
    stored: &[&SignedCheckpoint],
    found: &[Found],
) {
    let known = |source, list: &[&SignedCheckpoint]| {
        list.iter().map(|c| KnownHead::signed(source, c, &keys())).collect()
    };
    let given = known(Source::Given, outside);
    assert_eq!(check(ledger, given, known(Source::Stored, stored), &keys()), found);
}

#[test]
fn checkpoints_of_this_history_fit() {
    let whole = ledger(&plain(9));
    let all: Vec<SignedCheckpoint> = (0..=9).map(|size| signed(size, 1)).collect();
    let all: Vec<&SignedCheckpoint> = all.iter().collect();
    expect(&whole, &all, &all, &[]);
}

#[test]
fn a_stored_checkpoint_that_was_changed_is_named() {
    let whole = ledger(&plain(9));
    // Another key, and a line of the right key over another text.
    expect(&whole, &[], &[&signed(5, 2)], &[(FindingKind::UnknownSigner, 4, 4)]);
    let text = other_root(5).to_string();
    let root = ledger(&plain(5)).head.root.to_base64();
    let forged = text.replace(&Hash([9; 32]).to_base64(), &root);
    let forged = SignedCheckpoint::parse(forged.as_bytes()).unwrap();
    expect(&whole, &[], &[&signed(3, 1), &forged], &[(FindingKind::ChangedCheckpoint, 4, 4)]);
    // Without any key, only the root says something.
    let unknown = Keys::new("o", Vec::new(), &[]);
    let stored = |c: &SignedCheckpoint| vec![KnownHead::signed(Source::Stored, c, &unknown)];
    assert_eq!(check(&whole, vec![], stored(&signed(5, 2)), &unknown), []);
    let changed = [(FindingKind::ChangedCheckpoint, 4, 4)];
    assert_eq!(check(&whole, vec![], stored(&other_root(5)), &unknown), changed);
    let mut foreign = stored(&signed(5, 1));
    foreign[0].origin = "elsewhere".to_owned();
    assert_eq!(check(&whole, vec![], foreign, &unknown), changed);
}

#[test]
fn fewer_entries_than_the_ledger_says_and_fewer_than_others_know() {
    let whole = ledger(&plain(9));
    let (later, latest) = (signed(12, 1), signed(14, 1));
    expect(&whole, &[], &[&later], &[(FindingKind::TruncatedTail, 9, 11)]);
    expect(&whole, &[&later], &[], &[(FindingKind::Rollback, 9, 11)]);
    let both = [(FindingKind::TruncatedTail, 9, 11), (FindingKind::Rollback, 12, 13)];
    expect(&whole, &[&latest], &[&later], &both);
    let mut cut = whole.clone();
    cut.rows.truncate(7);
    expect(&cut, &[], &[], &[(FindingKind::TruncatedTail, 7, 8)]);
    expect(&cut, &[&signed(9, 1)], &[], &[(FindingKind::TruncatedTail, 7, 8)]);
    // Nobody is misled by a size that the ledger's key did not sign.
    expect(&whole, &[&signed(12, 2)], &[], &[(FindingKind::UnknownSigner, 11, 11)]);
    expect(&whole, &[], &[&signed(12, 2)], &[(FindingKind::UnknownSigner, 11, 11)]);
}

#[test]
fn two_histories_under_one_key_are_a_fork() {
    let whole = ledger(&plain(9));
    expect(&whole, &[&other_root(5)], &[], &[(FindingKind::Fork, 4, 4)]);
    // The later ones of the other history are part of the same thing.
    let others = [&other_root(5), &other_root(7), &other_root(9)];
    expect(&whole, &others, &[], &[(FindingKind::Fork, 4, 8)]);
    expect(&whole, &[&other_root(7)], &[&other_root(5)], &[(FindingKind::Fork, 4, 6)]);
    // Two of one size, whether or not the entries are still there to say which is theirs.
    expect(&whole, &[&other_root(5), &signed(5, 1)], &[], &[(FindingKind::Fork, 4, 4)]);
    expect(
        &whole,
        &[&other_root(12), &signed(12, 1)],
        &[],
        &[(FindingKind::Rollback, 9, 11), (FindingKind::Fork, 11, 11)],
    );
}

#[test]
fn roots_over_an_entry_that_was_changed_are_not_reported_beside_it() {
    let mut edited = ledger(&plain(9));
    edited.rows[4].leaf[20] ^= 1;
    let stored: Vec<SignedCheckpoint> = (1..=9).map(|size| signed(size, 1)).collect();
    let stored: Vec<&SignedCheckpoint> = stored.iter().collect();
    expect(&edited, &[], &stored, &[(FindingKind::ChangedLeaf, 4, 4)]);
    // One of the entries before it still counts.
    let found = [(FindingKind::Fork, 2, 2), (FindingKind::ChangedLeaf, 4, 4)];
    expect(&edited, &[&other_root(3)], &stored, &found);
}
