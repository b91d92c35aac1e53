//! No change of a single byte is taken: each byte of a note, a checkpoint, a receipt and a proof is
//! changed in several ways (all ways would be 255), left out, and doubled.

use modeltrail_core::Hash;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::merkle::{LeafHashes, consistency, verify_consistency, verify_inclusion};
use modeltrail_core::note::Note;
use modeltrail_core::receipt::Receipt;
use modeltrail_core::witness::{Decision, LogState, Request, decide};
use proptest::prelude::*;

use super::ledger::{cosigned, ledger, policy, signer, witness};

/// What stands at one place instead: another bit, a neighbour, a line feed, a digit, nothing, twice.
fn changes(bytes: &[u8], at: usize) -> Vec<Vec<u8>> {
    let byte = bytes[at];
    let others = [byte ^ 1, byte ^ 0x80, byte ^ 0x20, byte.wrapping_add(1), b'\n', b'0', b' '];
    let mut out: Vec<Vec<u8>> = others
        .into_iter()
        .filter(|other| *other != byte)
        .map(|other| {
            let mut changed = bytes.to_vec();
            changed[at] = other;
            changed
        })
        .collect();
    let (mut less, mut twice) = (bytes.to_vec(), bytes.to_vec());
    less.remove(at);
    twice.insert(at, byte);
    // One byte less or more is the same text where equal bytes stand side by side.
    out.extend([less, twice].into_iter().filter(|changed| changed != bytes));
    out
}

fn none_is_taken(bytes: &[u8], is_taken: impl Fn(&[u8]) -> bool) {
    assert!(is_taken(bytes), "what was not changed is taken");
    for at in 0..bytes.len() {
        for changed in changes(bytes, at) {
            let text = String::from_utf8_lossy(&changed).into_owned();
            assert!(!is_taken(&changed), "byte {at}: {text}");
        }
    }
}

#[test]
fn no_changed_note_is_taken() {
    let key = signer();
    let text = "one\n\ntwo\n";
    let note = Note::new(text.into(), vec![key.sign(text)]).unwrap().to_string();
    none_is_taken(note.as_bytes(), |bytes| {
        Note::parse(bytes).is_ok_and(|note| note.verify([key.verifier()]).is_ok())
    });
}

#[test]
fn no_changed_checkpoint_is_taken() {
    // Every signature is needed, so that no line is passed over as that of a stranger.
    let policy = policy("group both all w1 w2\nquorum both\n");
    let checkpoint = cosigned(ledger(5).checkpoint(5), &[1, 2]).to_string();
    none_is_taken(checkpoint.as_bytes(), |bytes| {
        SignedCheckpoint::parse(bytes).is_ok_and(|signed| policy.verify(&signed).is_ok())
    });
}

#[test]
fn no_changed_receipt_is_taken() {
    let policy = policy("quorum w1\n");
    let ledger = ledger(13);
    let receipt = ledger.receipt(6, cosigned(ledger.checkpoint(13), &[1])).to_string();
    none_is_taken(receipt.as_bytes(), |bytes| {
        Receipt::parse(bytes).is_ok_and(|receipt| receipt.verify(&policy).is_ok())
    });
}

#[test]
fn no_changed_request_is_cosigned() {
    let ledger = ledger(13);
    let known =
        LogState { keys: vec![signer().verifier().clone()], last: Some(ledger.checkpoint(6)) };
    none_is_taken(ledger.request(6, 13).to_string().as_bytes(), |bytes| {
        Request::parse(bytes)
            .is_ok_and(|request| decide(&request, Some(&known)) == Decision::Cosign)
    });
}

#[test]
fn no_changed_cosignature_counts() {
    let checkpoint = ledger(5).checkpoint(5);
    let key = witness(1);
    let line = key.cosign(checkpoint.note().text(), 1_700_000_000).to_string();
    none_is_taken(line.as_bytes(), |bytes| {
        let line = std::str::from_utf8(bytes).ok().map(modeltrail_core::note::SignatureLine::parse);
        line.is_some_and(|line| {
            line.is_ok_and(|line| key.verifier().verify(checkpoint.note().text(), &line).is_some())
        })
    });
}

proptest! {
    #[test]
    fn no_changed_proof_verifies(
        size in 2_u64..600, at in any::<prop::sample::Index>(), from in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(), mask in 1_u8..,
    ) {
        let ledger = ledger(size);
        let index = from.index(usize::try_from(size).unwrap());
        let (new, old) = (ledger.head(size), ledger.head(index as u64 + 1));
        let leaf = &ledger.hashes[index];
        let receipt = ledger.receipt(index as u64, ledger.checkpoint(size));
        let proof = receipt.proof;
        prop_assert_eq!(verify_inclusion(leaf, index as u64, &proof, &new), Ok(()));
        if let Some(changed) = change(&proof, at, byte, mask) {
            prop_assert!(verify_inclusion(leaf, index as u64, &changed, &new).is_err());
        }
        let proof = consistency(&mut LeafHashes(&ledger.hashes), old.size, size).unwrap();
        prop_assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
        if let Some(changed) = change(&proof, at, byte, mask) {
            prop_assert!(verify_consistency(&old, &new, &changed).is_err());
        }
        let root = change(&[new.root], at, byte, mask).unwrap()[0];
        let other = modeltrail_core::anchor::Head { size, root };
        prop_assert!(verify_consistency(&old, &other, &proof).is_err());
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        read_all(&bytes);
    }

    #[test]
    fn any_lines_are_read_or_refused(text in "(old |extra |index |c2sp.org/tlog-proof@v1|[0-9]{1,3}|— a |AAAA|\n){0,30}") {
        read_all(text.as_bytes());
    }
}

/// None of the readers may panic, and what one of them took it writes again as it was.
fn read_all(bytes: &[u8]) {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
    }
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.to_string().as_bytes(), bytes);
    }
    if let Ok(receipt) = Receipt::parse(bytes) {
        assert_eq!(receipt.to_string().as_bytes(), bytes);
    }
    if let Ok(request) = Request::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    let _read = modeltrail_core::policy::Policy::parse(bytes);
}

/// A list of hashes with one byte of one hash changed; `None` for an empty list.
fn change(
    hashes: &[Hash],
    at: prop::sample::Index,
    byte: prop::sample::Index,
    mask: u8,
) -> Option<Vec<Hash>> {
    let mut changed = hashes.to_vec();
    if changed.is_empty() {
        return None;
    }
    let hash = &mut changed[at.index(hashes.len())];
    hash.0[byte.index(32)] ^= mask;
    Some(changed)
}
