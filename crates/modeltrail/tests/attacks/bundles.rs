//! Attackers who hand over an evidence bundle with one inconvenient record left out of it.
//!
//! Here T0 is the bundle and the ledger's key, T1 a checkpoint that the auditor kept too, and T2 a policy
//! that asks for a witness.

use std::io::Cursor;

use modeltrail::bundle::packing::{Files, change_entry, leave_out, pack, remove_line, unpack};
use modeltrail::bundle::{BundleRequest, DISCLOSED, write};
use modeltrail::store::Store as _;
use modeltrail_core::Hash;
use modeltrail_core::bundle::{BundleReport, Filter, Pinned, verify};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::merkle::{self, LeafHashes};
use modeltrail_core::note::KeyName;
use modeltrail_core::policy::Policy;
use modeltrail_core::witness::{Decision, Evidence, Refusal};

use crate::room::{EARLIER, Room, SIZE, Taken, append, operator_key, rewrite, take_all};

/// The entry that somebody would rather not show.
const INCONVENIENT: u64 = 20;

fn of_log() -> Policy {
    Policy::logs_only([operator_key().verifier().clone()]).unwrap()
}

/// What was asked for: every prediction of one model.
fn asked(policy: Policy) -> BundleRequest {
    let model_name = Some("fraud_detector".to_owned());
    BundleRequest {
        filter: Filter { model_name, ..Filter::default() },
        disclose: DISCLOSED.to_vec(),
        policy,
        checkpoint: None,
        timestamps: Vec::new(),
    }
}

/// The bundle that the program makes of a ledger.
fn bundle(room: &Room, policy: Policy) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.tar");
    write(&room.store(), &asked(policy), &path, |_, _| {}).unwrap();
    std::fs::read(&path).unwrap()
}

fn check(bytes: &[u8], policy: &Policy) -> BundleReport {
    verify(Cursor::new(bytes), &Pinned::policy(policy)).unwrap()
}

fn told(report: &BundleReport) -> Vec<(&'static str, Option<u64>)> {
    report.findings.iter().map(|finding| (finding.kind.name(), finding.index)).collect()
}

/// T1: whether the tree of a bundle that begins at entry 0 has the root that a kept checkpoint signed.
fn extends(bytes: &[u8], kept: &SignedCheckpoint) -> bool {
    let files = unpack(bytes);
    let tile = files.iter().find(|(path, _)| path.starts_with("tile/0/"));
    let hash = |bytes: &[u8]| Hash(bytes.try_into().unwrap());
    let hashes: Vec<Hash> = tile.unwrap().1.chunks_exact(32).map(hash).collect();
    let head = kept.checkpoint().head();
    merkle::root(&mut LeafHashes(&hashes), head.size).is_ok_and(|root| root == head.root)
}

/// The ledger as it would be had the record never been written: numbers of its producer close up.
fn without_it(room: &Room) -> Vec<Taken> {
    let mut entries = take_all(room);
    let taken = entries.remove(usize::try_from(INCONVENIENT).unwrap());
    let producer = taken.leaf.producer;
    for entry in entries.iter_mut().filter(|entry| entry.leaf.producer == producer) {
        entry.leaf.producer_seq -= u64::from(entry.leaf.producer_seq > taken.leaf.producer_seq);
    }
    entries
}

fn one_more(entries: &[Taken], producer: u8) -> Taken {
    let mut taken = entries[30].clone();
    taken.leaf.producer = [producer; 16];
    taken.leaf.producer_seq = 0;
    taken
}

#[test]
fn leave_a_record_out_of_an_honest_bundle() {
    let room = Room::new();
    let honest = bundle(&room, of_log());
    let report = check(&honest, &of_log());
    assert_eq!((told(&report), report.size), (vec![], SIZE));
    assert!(extends(&honest, &room.kept()));
    let attacked = |attack: &dyn Fn(&mut Files)| {
        let mut files = unpack(&honest);
        attack(&mut files);
        let bytes = pack(files).unwrap();
        // What was kept elsewhere is not even needed: the checkpoint is the true one at each tier.
        assert!(extends(&bytes, &room.kept()));
        told(&check(&bytes, &of_log()))
    };
    // From the records, the receipts and the list of what matches. Its header has to stay, and fits.
    let out = attacked(&|files| leave_out(files, INCONVENIENT).unwrap());
    assert_eq!(out, [("omitted_match", Some(INCONVENIENT))]);
    // With its line: its leaf has to stay.
    let out = attacked(&|files| {
        leave_out(files, INCONVENIENT).unwrap();
        remove_line(files, INCONVENIENT).unwrap();
    });
    assert_eq!(out, [("missing_entry", Some(INCONVENIENT))]);
    // With another line in its place, which the leaf does not commit to.
    let out = attacked(&|files| {
        leave_out(files, INCONVENIENT).unwrap();
        change_entry(files, INCONVENIENT, |entry| entry.commitments.truncate(1)).unwrap();
    });
    assert_eq!(out, [("changed_commitment", Some(INCONVENIENT))]);
    // With its leaf overwritten by another one: the hash in the tile stays.
    let out = attacked(&|files| {
        leave_out(files, INCONVENIENT).unwrap();
        let (_, leaves) = files.iter_mut().find(|(path, _)| path.contains("/entries/")).unwrap();
        let at = usize::try_from(INCONVENIENT).unwrap() * 124;
        leaves.copy_within(at - 124..at, at);
    });
    assert!(out.contains(&("changed_leaf", Some(INCONVENIENT))), "{out:?}");
}

#[test]
fn make_the_ledger_anew_without_the_record_and_an_honest_bundle_of_it() {
    let room = Room::new();
    let (kept, earlier) = (room.kept(), room.store().checkpoint(Some(EARLIER)).unwrap().unwrap());
    let entries = without_it(&room);
    let remade = rewrite(&entries);
    let shorter = remade.publish();
    // Grown again by what was recorded since, so that it is not shorter than what somebody may know.
    let mut sizes = vec![(bundle(&remade, of_log()), shorter)];
    append(remade.store(), &[one_more(&entries, 90)]);
    sizes.push((bundle_at_last(&remade), remade.kept()));
    append(remade.store(), &[one_more(&entries, 91)]);
    sizes.push((bundle_at_last(&remade), remade.kept()));
    for (n, (bytes, next)) in (SIZE - 1..).zip(&sizes) {
        let report = check(bytes, &of_log());
        // T0 is blind: a whole bundle of a whole ledger under the right key.
        assert_eq!((told(&report), report.size), (vec![], n));
        assert!(report.completeness.provable);
        // T1: it does not lead on from what the auditor kept, be it the newest or an older checkpoint.
        assert!(!extends(bytes, &kept) && !extends(bytes, &earlier));
        // T2: the witness that saw the true ledger does not cosign this one.
        let decision = remade.t2(&kept, next);
        assert!(matches!(decision, Decision::Refuse { .. }), "{decision:?}");
    }
    // Of one size the two signatures are proof against the operator for anybody.
    assert_eq!(
        remade.t2(&kept, &sizes[1].1),
        Decision::Refuse { refusal: Refusal::OtherRoot, evidence: Some(Evidence::Equivocation) }
    );
}

fn bundle_at_last(room: &Room) -> Vec<u8> {
    room.publish();
    bundle(room, of_log())
}

#[test]
fn show_a_bundle_that_no_witness_saw_to_who_asks_for_one() {
    let room = Room::new();
    let witness = Cosigner::new(KeyName::new("witness.example/w").unwrap(), &[9; 32]).unwrap();
    let log = operator_key();
    let text = format!("log {}\nwitness w {}\nquorum w\n", log.verifier(), witness.verifier());
    let policy = Policy::parse(text.as_bytes()).unwrap();
    // The witness cosigns what it is shown first, and remembers it.
    let kept = room.kept();
    let line = witness.cosign(kept.note().text(), 1_800_000_000);
    room.store().add_signature(SIZE, &line).unwrap();
    let report = check(&bundle(&room, policy.clone()), &policy);
    assert_eq!((told(&report), report.cosigned_by.as_slice()), (vec![], &["w".to_owned()][..]));
    // Made anew without the record, of the same size: no cosignature is to be had, and that of the true
    // checkpoint is over another root.
    let entries = without_it(&room);
    let remade = rewrite(&[entries.clone(), vec![one_more(&entries, 90)]].concat());
    remade.publish();
    let untrusted = [("untrusted_checkpoint", None)];
    assert_eq!(told(&check(&bundle(&remade, of_log()), &policy)), untrusted);
    remade.store().add_signature(SIZE, &line).unwrap();
    assert_eq!(told(&check(&bundle(&remade, of_log()), &policy)), untrusted);
}
