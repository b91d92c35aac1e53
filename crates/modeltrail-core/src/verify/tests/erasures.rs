//! Parts that are not there, with and without an erasure entry that says so.

use super::*;
use crate::erasure::{Erasure, ErasureReason};
use crate::note::{KeyName, NoteSigner};

fn authority(n: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new("office").unwrap(), &[n; 32]).unwrap()
}

fn keys() -> Keys {
    Keys::new("o", vec![authority(1).verifier().clone()], &[])
}

fn erasure(entries: Vec<(u64, Vec<u16>)>, by: u8) -> Control {
    let reason = ErasureReason::SubjectRequest;
    Control::Erasure(Erasure::sign("o", reason, entries, &authority(by)).unwrap())
}

/// Four records, and what the entry behind them says.
fn with(control: Control) -> Ledger {
    let mut said: Vec<(u64, Option<Control>)> = (0..4).map(|seq| (seq, None)).collect();
    said.push((4, Some(control)));
    ledger_of(&said)
}

/// Destroys parts as a lawful erasure does: bytes and secret go, salts of the rest and commitments stay.
fn erase(rows: &mut Rows, ids: &[PartId]) {
    let secret: [u8; 32] = rows.secret.clone().try_into().unwrap();
    let commitments = commit(&secret, rows.parts.iter().map(part_ref));
    let erased: Vec<_> = commitments.into_iter().filter(|(id, _)| ids.contains(id)).collect();
    rows.parts.retain(|(id, _)| !ids.contains(id));
    let salts: Vec<_> =
        rows.parts.iter().map(|(id, _)| (*id, commitment::salt(&secret, *id))).collect();
    rows.erased = commitment::pairs(&erased);
    rows.salts = commitment::pairs(&salts);
    rows.secret = Vec::new();
}

#[track_caller]
fn expect(ledger: &Ledger, found: &[Found]) {
    assert_eq!(check(ledger, vec![], vec![], &keys()), found);
}

const INPUT: u16 = PartId::Input.code();
const OUTPUT: u16 = PartId::Output.code();

#[test]
fn a_lawful_erasure_is_no_finding() {
    let mut ledger = with(erasure(vec![(1, vec![INPUT]), (2, vec![INPUT, OUTPUT])], 1));
    erase(&mut ledger.rows[1], &[PartId::Input]);
    erase(&mut ledger.rows[2], &[PartId::Input, PartId::Output]);
    expect(&ledger, &[]);
}

#[test]
fn parts_that_no_erasure_names_are_missing() {
    let mut ledger = with(erasure(vec![(1, vec![INPUT])], 1));
    erase(&mut ledger.rows[1], &[PartId::Input, PartId::Output]);
    erase(&mut ledger.rows[3], &[PartId::Input]);
    expect(&ledger, &[(FindingKind::MissingPart, 1, 1), (FindingKind::MissingPart, 3, 3)]);
    // Bytes that are simply gone.
    let mut ledger = with(erasure(vec![(1, vec![INPUT])], 1));
    ledger.rows[1].parts.remove(1);
    expect(&ledger, &[(FindingKind::MissingPart, 1, 1)]);
}

#[test]
fn an_erasure_that_the_authority_did_not_sign_is_forged() {
    let forged = [(FindingKind::MissingPart, 1, 1), (FindingKind::ForgedErasure, 4, 4)];
    let mut ledger = with(erasure(vec![(1, vec![INPUT])], 2));
    erase(&mut ledger.rows[1], &[PartId::Input]);
    expect(&ledger, &forged);
    // A signature over another list, and none.
    let Control::Erasure(mut other) = erasure(vec![(0, vec![INPUT])], 1) else { panic!("one") };
    other.entries = vec![(1, vec![INPUT])];
    let unsigned = Erasure { note: String::new(), ..other.clone() };
    for erasure in [other, unsigned] {
        let mut ledger = with(Control::Erasure(erasure));
        erase(&mut ledger.rows[1], &[PartId::Input]);
        expect(&ledger, &forged);
    }
    // One that names an entry behind itself.
    let ledger = with(erasure(vec![(9, vec![INPUT])], 1));
    expect(&ledger, &[(FindingKind::ForgedErasure, 4, 4)]);
}

#[test]
fn an_entry_of_the_kind_that_cannot_be_read_is_forged() {
    let mut ledger = with(erasure(vec![(1, vec![INPUT])], 1));
    let Some(rows) = ledger.rows.last_mut() else { panic!("one") };
    rows.parts[1].1 = b"{}".to_vec();
    let commitments = commit(&[1; 32], rows.parts.iter().map(part_ref));
    let mut leaf = Leaf::decode(&rows.leaf).unwrap();
    leaf.body = body(&commitments);
    rows.leaf = leaf.encode().to_vec();
    rows.hash = leaf_hash(&rows.leaf);
    rows.checks = checks(&commitments);
    let mut frontier = Frontier::new();
    ledger.rows.iter().for_each(|rows| frontier.push(rows.hash));
    ledger.head.root = frontier.root();
    ledger.last = ledger.rows[4].hash;
    expect(&ledger, &[(FindingKind::ForgedErasure, 4, 4)]);
}

#[test]
fn what_erasing_left_must_fit_the_leaf() {
    let erased = || {
        let mut ledger = with(erasure(vec![(1, vec![INPUT])], 1));
        erase(&mut ledger.rows[1], &[PartId::Input]);
        ledger
    };
    let changed = [(FindingKind::ChangedPart, 1, 1)];
    let edits: [fn(&mut Rows); 6] = [
        |rows| rows.erased[10] ^= 1,
        |rows| rows.salts[10] ^= 1,
        |rows| rows.erased.truncate(33),
        |rows| rows.secret = vec![1; 32],
        |rows| rows.parts[1].1.push(b' '),
        |rows| rows.parts.insert(1, (PartId::Input, b"1".to_vec())),
    ];
    for (n, edit) in edits.into_iter().enumerate() {
        let mut ledger = erased();
        edit(&mut ledger.rows[1]);
        assert_eq!(check(&ledger, vec![], vec![], &keys()), changed, "edit {n}");
    }
}

#[test]
fn header_and_control_are_never_erased() {
    let mut ledger = with(erasure(vec![(1, vec![INPUT])], 1));
    erase(&mut ledger.rows[1], &[PartId::Input]);
    erase(&mut ledger.rows[4], &[PartId::Control]);
    let found = check(&ledger, vec![], vec![], &keys());
    let kinds: Vec<_> = found.iter().map(|(kind, index, _)| (*kind, *index)).collect();
    assert!(kinds.contains(&(FindingKind::MissingPart, 4)), "{found:?}");
    assert!(kinds.contains(&(FindingKind::MissingPart, 1)), "{found:?}");
}
