//! The chain on entries made in memory: cases that an edit of a database would need luck to make.

mod erasures;
mod heads;
mod runs;

use super::*;
use crate::anchor::{Anchor, Head};
use crate::code::{Encoding, PartId};
use crate::commitment::{self, PartRef, body, checks, commit};
use crate::control::Control;
use crate::hash::Hash;
use crate::leaf::{Leaf, leaf_hash, origin_prev};
use crate::lookup::Lookup;
use crate::merkle::Frontier;
use crate::{Kind, control};

/// An entry's rows, owned.
#[derive(Clone)]
struct Rows {
    leaf: Vec<u8>,
    hash: Hash,
    kind: Kind,
    secret: Vec<u8>,
    parts: Vec<(PartId, Vec<u8>)>,
    checks: Vec<u8>,
    erased: Vec<u8>,
    salts: Vec<u8>,
}

#[derive(Clone)]
struct Ledger {
    rows: Vec<Rows>,
    head: Head,
    last: Hash,
}

/// What an entry of the test says: its producer's number, and a gap that it covers.
struct Plan(u64, Option<(u64, u64)>);

fn ledger(plans: &[Plan]) -> Ledger {
    let gap = |range: &(u64, u64)| {
        Control::Gap(control::Gap {
            producer: "aa".repeat(16),
            ranges: vec![*range],
            reason: control::GapReason::Duplicate,
        })
    };
    let said = |Plan(seq, range): &Plan| (*seq, range.as_ref().map(gap));
    ledger_of(&plans.iter().map(said).collect::<Vec<_>>())
}

/// Entries with these producer numbers, and what control entries among them say.
fn ledger_of(said: &[(u64, Option<Control>)]) -> Ledger {
    let mut prev = origin_prev("o");
    let mut frontier = Frontier::new();
    let mut rows = Vec::new();
    for ((seq, control), index) in said.iter().zip(0_u64..) {
        let header = br#"{"kind":"prediction","occurred_at":"2026-01-01T00:00:00.000000000Z"}"#;
        let mut parts = vec![(PartId::Header, header.to_vec())];
        match control {
            Some(control) => {
                parts.push((PartId::Control, serde_json::to_vec(control).unwrap()));
            }
            None => {
                parts.push((PartId::Input, index.to_string().into_bytes()));
                parts.push((PartId::Output, br#"{"label":"a"}"#.to_vec()));
            }
        }
        let refs = parts.iter().map(part_ref);
        let commitments = commit(&[1; 32], refs);
        let kind = control.as_ref().map_or(Kind::Prediction, Control::kind);
        let leaf = Leaf {
            kind: kind.code(),
            index,
            time_us: 10 + index,
            record_id: [1; 16],
            producer: [0xaa; 16],
            producer_seq: *seq,
            prev,
            body: body(&commitments),
        }
        .encode();
        prev = leaf_hash(&leaf);
        frontier.push(prev);
        rows.push(Rows {
            leaf: leaf.to_vec(),
            hash: prev,
            kind,
            secret: vec![1; 32],
            parts,
            checks: checks(&commitments),
            erased: Vec::new(),
            salts: Vec::new(),
        });
    }
    let head = Head { size: frontier.size(), root: frontier.root() };
    Ledger { rows, head, last: prev }
}

fn part_ref((id, bytes): &(PartId, Vec<u8>)) -> PartRef<'_> {
    PartRef { id: *id, encoding: Encoding::Json, bytes }
}

fn anchored(head: Head) -> KnownHead {
    KnownHead::plain(Source::Anchor, Anchor { origin: "o".to_owned(), head })
}

type Found = (FindingKind, u64, u64);

fn findings(ledger: &Ledger, anchor: Option<Head>) -> Vec<Found> {
    let outside = anchor.map(anchored).into_iter().collect();
    check(ledger, outside, Vec::new(), &Keys::new("o", Vec::new(), &[]))
}

fn ends(ledger: &Ledger, outside: Vec<KnownHead>, keys: &Keys) -> Ends {
    Ends {
        head: ledger.head,
        last_leaf_hash: ledger.last,
        time_us: if ledger.head.size == 0 { 0 } else { 9 + ledger.head.size },
        edge_root: ledger.head.root,
        outside,
        keys: keys.clone(),
    }
}

/// Everything, entry by entry, with stored checkpoints.
fn check(
    ledger: &Ledger,
    outside: Vec<KnownHead>,
    stored: Vec<KnownHead>,
    keys: &Keys,
) -> Vec<Found> {
    let mut chain = Chain::new("o", ends(ledger, outside, keys));
    stored.into_iter().for_each(|known| chain.stored_checkpoint(known));
    push_all(&mut chain, ledger, 0);
    told(chain)
}

fn told(chain: Chain) -> Vec<Found> {
    chain.finish().findings.iter().map(|f| (f.kind, f.index, f.index_end)).collect()
}

fn push_all(chain: &mut Chain, ledger: &Ledger, from: usize) {
    for (rows, key) in ledger.rows.iter().zip(0..).skip(from) {
        let parts: Vec<_> = rows
            .parts
            .iter()
            .map(|(id, bytes)| StoredPart { id: *id, encoding: Encoding::Json.code(), bytes })
            .collect();
        let lookup = Lookup::derive(rows.kind, rows.parts.iter().map(part_ref)).unwrap();
        chain.push(check_entry(&StoredEntry {
            key,
            leaf: &rows.leaf,
            leaf_hash: &rows.hash.0,
            secret: Some(&rows.secret),
            parts: &parts,
            checks: &rows.checks,
            erased: &rows.erased,
            salts: &rows.salts,
            unreadable: &[],
            lookup: Some(&lookup),
        }));
    }
}

fn plain(n: u64) -> Vec<Plan> {
    (0..n).map(|seq| Plan(seq, None)).collect()
}

#[test]
fn ledgers_of_any_small_size_are_clean_and_their_anchors_fit() {
    for n in 0..20 {
        let whole = ledger(&plain(n));
        assert_eq!(findings(&whole, None), []);
        for earlier in 0..=n {
            let anchor = ledger(&plain(earlier)).head;
            assert_eq!(findings(&whole, Some(anchor)), [], "{n} against {earlier}");
        }
    }
}

#[test]
fn an_anchor_of_another_history_or_of_a_longer_one() {
    let whole = ledger(&plain(9));
    let mut anchor = ledger(&plain(5)).head;
    anchor.root = Hash([1; 32]);
    assert_eq!(findings(&whole, Some(anchor)), [(FindingKind::AnchorMismatch, 4, 4)]);
    let longer = ledger(&plain(12)).head;
    assert_eq!(findings(&whole, Some(longer)), [(FindingKind::Rollback, 9, 11)]);
    let empty = ledger(&[]);
    assert_eq!(findings(&empty, Some(longer)), [(FindingKind::Rollback, 0, 11)]);
}

#[test]
fn gap_entries_cover_numbers_before_and_after() {
    // The gap entry may come behind the numbers that follow the hole, or before them.
    let covered = [Plan(0, None), Plan(3, None), Plan(4, Some((1, 2))), Plan(5, None)];
    assert_eq!(findings(&ledger(&covered), None), []);
    let covered_first = [Plan(0, None), Plan(1, Some((2, 6))), Plan(7, None)];
    assert_eq!(findings(&ledger(&covered_first), None), []);
    let in_two = [Plan(0, None), Plan(5, None), Plan(6, Some((1, 2))), Plan(7, Some((3, 4)))];
    assert_eq!(findings(&ledger(&in_two), None), []);
    let half = [Plan(0, None), Plan(5, None), Plan(6, Some((1, 3)))];
    assert_eq!(findings(&ledger(&half), None), [(FindingKind::ProducerGap, 1, 1)]);
    let middle = [Plan(0, None), Plan(5, None), Plan(6, Some((2, 3)))];
    let gap = (FindingKind::ProducerGap, 1, 1);
    assert_eq!(findings(&ledger(&middle), None), [gap, gap], "one on each side");
    let ahead = [Plan(0, Some((1, 2))), Plan(4, None), Plan(5, Some((3, 3)))];
    assert_eq!(findings(&ledger(&ahead), None), [], "covered ahead of a hole that is longer");
    let from_the_start = [Plan(2, None)];
    assert_eq!(findings(&ledger(&from_the_start), None), [(FindingKind::ProducerGap, 0, 0)]);
}

#[test]
fn every_single_bit_of_every_leaf_counts() {
    for at in 0..3_usize {
        for bit in 0..122 * 8 {
            let mut edited = ledger(&plain(3));
            edited.rows[at].leaf[bit / 8] ^= 1 << (bit % 8);
            let expected = match bit / 8 {
                58..90 => FindingKind::BrokenPrev,
                _ => FindingKind::ChangedLeaf,
            };
            let found = findings(&edited, None);
            assert_eq!(found, [(expected, at as u64, at as u64)], "entry {at}, bit {bit}");
        }
    }
}

#[test]
fn numbers_that_an_entry_says_were_used_are_there() {
    let said = |next_seq| {
        Control::Producer(control::Producer {
            event: control::ProducerEvent::Close,
            next_seq,
            producer: "aa".repeat(16),
            software: String::new(),
        })
    };
    assert_eq!(findings(&ledger_of(&[(0, None), (1, Some(said(2)))]), None), []);
    let lost = ledger_of(&[(0, None), (1, Some(said(4)))]);
    assert_eq!(findings(&lost, None), [(FindingKind::ProducerGap, 1, 1)]);
}

#[test]
fn a_verification_goes_on_from_where_an_earlier_one_ended() {
    let keys = Keys::new("o", Vec::new(), &[]);
    for n in 1..12 {
        let whole = ledger(&plain(n));
        for begin in 0..=n {
            let first = ledger(&plain(begin));
            let mut chain = Chain::new("o", ends(&first, Vec::new(), &keys));
            push_all(&mut chain, &first, 0);
            let before = chain.finish();
            assert_eq!(before.findings, []);
            let mut frontier = Frontier::new();
            first.rows.iter().for_each(|rows| frontier.push(rows.hash));
            let start = Start {
                frontier,
                last_leaf_hash: first.last,
                time_us: if begin == 0 { 0 } else { 9 + begin },
                producers: before.producers,
            };
            let resume = |ledger: &Ledger| {
                let ends = ends(ledger, vec![anchored(ledger.head)], &keys);
                let mut chain = Chain::resume("o", ends, start.clone());
                push_all(&mut chain, ledger, usize::try_from(begin).unwrap());
                told(chain)
            };
            assert_eq!(resume(&whole), [], "{begin} of {n}");
            let skipped = (0..n).map(|seq| Plan(seq + u64::from(seq >= begin), None));
            let skipped = ledger(&skipped.collect::<Vec<_>>());
            if begin < n && begin > 0 {
                let gap = (FindingKind::ProducerGap, begin, begin);
                assert_eq!(resume(&skipped), [gap], "{begin} of {n}");
            }
        }
    }
}
