//! Attackers who want data gone without the authority's leave.

use modeltrail::store::{Batch, Store as _, erasing};
use modeltrail_core::control::Control;
use modeltrail_core::erasure::{Erasure, ErasureReason};
use modeltrail_core::note::NoteSigner;
use modeltrail_core::record::Redacted;
use modeltrail_core::verify::FindingKind::*;
use modeltrail_core::{Frame, PartId};

use crate::room::{ORIGIN, Room, SIZE, authority_key};

const TAKEN: [PartId; 2] = [PartId::Input, PartId::Parties];

fn list(index: u64) -> Vec<(u64, Vec<u16>)> {
    vec![(index, TAKEN.map(PartId::code).to_vec())]
}

fn signed(entries: Vec<(u64, Vec<u16>)>, by: &NoteSigner) -> Erasure {
    Erasure::sign(ORIGIN, ErasureReason::SubjectRequest, entries, by).unwrap()
}

/// Appends an erasure entry as the ledger's own, under a producer of its own.
fn append(room: &Room, erasure: Erasure) {
    let mut store = room.store();
    let tip = store.tip().unwrap();
    let (expected, size, time_us) = (tip.head, tip.head.size, tip.time_us);
    let mut batch = Batch::new(tip);
    let redacted = Redacted::control(&Control::Erasure(erasure), 0);
    let id = [u8::try_from(size % 251).unwrap(); 16];
    batch.push(Frame::new(redacted, id, [8; 32]), id, 0, time_us);
    store.append(&batch, &expected).unwrap();
}

fn take(room: &Room, index: u64) {
    erasing::take_parts(&room.path(), &[(index, TAKEN.to_vec())]).unwrap();
}

#[test]
fn a_lawful_erasure_leaves_nothing_to_find() {
    let room = Room::new();
    let kept = room.kept();
    append(&room, signed(list(20), &authority_key()));
    take(&room, 20);
    assert_eq!((room.t0(), room.t1(&kept)), (vec![], vec![]));
    // What is left still verifies, and what is gone is gone.
    let entry = room.store().get(20).unwrap().unwrap();
    let ids: Vec<PartId> = entry.parts.iter().map(|part| part.id).collect();
    assert_eq!(ids, [PartId::Header, PartId::Output]);
    let n: i64 = room
        .open()
        .query_row("SELECT count(*) FROM contents WHERE bytes LIKE '%:17}'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(n, 0, "its content is gone too");
}

#[test]
fn destroy_parts_without_an_erasure_entry() {
    let room = Room::new();
    take(&room, 20);
    assert_eq!(room.t0(), [(MissingPart, 20, 20)]);
    let room = Room::new();
    room.sql("UPDATE parts SET input = NULL WHERE idx = 20");
    let found = room.t0();
    assert_eq!(found.first(), Some(&(MissingPart, 20, 20)), "{found:?}");
    // An erasure of others does not cover it.
    let room = Room::new();
    append(&room, signed(list(21), &authority_key()));
    take(&room, 20);
    assert_eq!(room.t0(), [(MissingPart, 20, 20)]);
}

#[test]
fn forge_an_erasure() {
    let forged = [(MissingPart, 20, 20), (ForgedErasure, SIZE, SIZE)];
    // By a key of the attacker's own: a pinned key counts in every role unless the ledger's entries say
    // which it has, so the checkpoint key of this ledger, which has no such entries, would do.
    let stranger = NoteSigner::new(authority_key().verifier().name().clone(), &[66; 32]).unwrap();
    for erasure in [
        signed(list(20), &stranger),
        Erasure { note: String::new(), ..signed(list(20), &authority_key()) },
        // A lawful signature over another list.
        Erasure { entries: list(20), ..signed(list(21), &authority_key()) },
    ] {
        let room = Room::new();
        let kept = room.kept();
        append(&room, erasure);
        take(&room, 20);
        assert_eq!(room.t0(), forged);
        // What was kept before does not speak against entries that came later: it is the authority's
        // key that finds this, at each tier.
        assert_eq!(room.t1(&kept), forged);
        let next = room.publish();
        let decision = room.t2(&kept, &next);
        assert_eq!(decision, modeltrail_core::witness::Decision::Cosign);
    }
}

#[test]
fn use_an_erasure_again_for_what_it_did_not_name() {
    let room = Room::new();
    let lawful = signed(list(20), &authority_key());
    append(&room, lawful.clone());
    take(&room, 20);
    take(&room, 25);
    append(&room, lawful);
    assert_eq!(room.t0(), [(MissingPart, 25, 25)]);
}
