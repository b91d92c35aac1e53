//! Attackers who have the database and the key that signs checkpoints.

use modeltrail::store::Store as _;
use modeltrail_core::PartId;
use modeltrail_core::verify::FindingKind::*;
use modeltrail_core::witness::{Decision, Evidence, Refusal};

use crate::room::{EARLIER, Room, SIZE, Taken, append, rewrite, take_all};

/// Another answer in entry 20, and everything after it made to fit.
fn edited(room: &Room) -> Vec<Taken> {
    let mut entries = take_all(room);
    *entries[20].part(PartId::Output) = br#"{"prediction":"fraud"}"#.to_vec();
    entries
}

fn one_more(entries: &[Taken], producer: u8) -> Taken {
    let mut taken = entries[20].clone();
    taken.leaf.producer = [producer; 16];
    taken.leaf.producer_seq = 0;
    taken
}

#[test]
fn seal_a_rewritten_history_again_with_the_current_key() {
    let room = Room::new();
    let kept = room.kept();
    let resealed = rewrite(&edited(&room));
    let next = resealed.publish();
    // It is whole, and signed with the right key: T0 is blind to it.
    let report = resealed.report();
    assert_eq!((report.findings, report.signed_size), (vec![], Some(SIZE)));
    assert_eq!(resealed.t1(&kept), [(Fork, SIZE - 1, SIZE - 1)]);
    // A witness has both signatures then, which are proof against the operator for anybody.
    assert_eq!(
        resealed.t2(&kept, &next),
        Decision::Refuse { refusal: Refusal::OtherRoot, evidence: Some(Evidence::Equivocation) }
    );
}

#[test]
fn show_one_history_to_some_and_another_to_others() {
    let room = Room::new();
    let other = room.copy();
    let kept = room.kept();
    let entries = take_all(&room);
    append(room.store(), &[one_more(&entries, 5)]);
    append(other.store(), &[one_more(&entries, 6)]);
    let (here, there) = (room.publish(), other.publish());
    // Each alone is whole and extends what both have: T0, and T1 with the older checkpoint, are blind.
    for (room, next) in [(&room, &here), (&other, &there)] {
        assert_eq!((room.t0(), room.t1(&kept)), (vec![], vec![]));
        assert_eq!(room.t2(&kept, next), Decision::Cosign);
    }
    // Any two who hold one each compare them.
    assert_eq!(room.t1(&there), [(Fork, SIZE, SIZE)]);
    assert_eq!(other.t1(&here), [(Fork, SIZE, SIZE)]);
    // A witness cosigns one of them, and has proof as soon as it is shown the other.
    assert_eq!(
        other.t2(&here, &there),
        Decision::Refuse { refusal: Refusal::OtherRoot, evidence: Some(Evidence::Equivocation) }
    );
    // Longer than the other, so that the sizes differ: there is no proof of consistency.
    append(other.store(), &[one_more(&entries, 7)]);
    let longer = other.publish();
    let decision = other.t2(&here, &longer);
    let Decision::Refuse { refusal: Refusal::Proof(_), evidence } = decision else {
        panic!("{decision:?}")
    };
    assert_eq!(evidence, Some(Evidence::Inconsistency));
    assert_eq!(other.t1(&here), [(Fork, SIZE, SIZE)]);
}

#[test]
fn sign_a_shorter_history() {
    let room = Room::new();
    let kept = room.kept();
    let mut entries = take_all(&room);
    entries.truncate(usize::try_from(SIZE - 10).unwrap());
    let cut = rewrite(&entries);
    let next = cut.publish();
    assert_eq!(cut.t0(), []);
    assert_eq!(cut.t1(&kept), [(Rollback, SIZE - 10, SIZE - 1)]);
    // The witness knows more entries and asks to begin there.
    assert_eq!(
        cut.t2(&kept, &next),
        Decision::Refuse { refusal: Refusal::OtherSize { known: SIZE }, evidence: None }
    );
    // Grown again with other records beyond what the witness knows, it has no proof.
    append(cut.store(), &(0..20).map(|n| one_more(&entries, 100 + n)).collect::<Vec<_>>());
    let grown = cut.publish();
    assert_eq!(cut.t0(), []);
    assert_eq!(cut.t1(&kept), [(Fork, SIZE - 1, SIZE - 1)]);
    let decision = cut.t2(&kept, &grown);
    assert!(
        matches!(&decision, Decision::Refuse { refusal: Refusal::Proof(_), .. }),
        "{decision:?}"
    );
}

#[test]
fn sign_two_checkpoints_of_one_size_and_keep_only_one() {
    let room = Room::new();
    let earlier = room.store().checkpoint(Some(EARLIER)).unwrap().unwrap();
    let entries = edited(&room);
    let short = rewrite(&entries[..usize::try_from(EARLIER).unwrap()]);
    let false_one = short.publish();
    // The ledger itself is whole; the false checkpoint was handed to somebody.
    assert_eq!(room.t0(), []);
    assert_eq!(room.t1(&false_one), [(Fork, EARLIER - 1, EARLIER - 1)]);
    assert_eq!(
        short.t2(&earlier, &false_one),
        Decision::Refuse { refusal: Refusal::OtherRoot, evidence: Some(Evidence::Equivocation) }
    );
}
