//! The chain on entries made in memory: cases that an edit of a database would need luck to make.

use super::*;
use crate::anchor::{Anchor, Head};
use crate::code::{Encoding, PartId};
use crate::commitment::{PartRef, body, checks, commit};
use crate::hash::Hash;
use crate::leaf::{Leaf, leaf_hash, origin_prev};
use crate::lookup::Lookup;
use crate::merkle::Frontier;
use crate::{Kind, control};

/// An entry's rows, owned.
struct Rows {
    leaf: Vec<u8>,
    hash: Hash,
    parts: Vec<(PartId, Vec<u8>)>,
    checks: Vec<u8>,
}

struct Ledger {
    rows: Vec<Rows>,
    head: Head,
    last: Hash,
}

/// What an entry of the test says: its producer's number, and a gap that it covers.
struct Plan(u64, Option<(u64, u64)>);

fn ledger(plans: &[Plan]) -> Ledger {
    let mut prev = origin_prev("o");
    let mut frontier = Frontier::new();
    let mut rows = Vec::new();
    for (Plan(seq, gap), index) in plans.iter().zip(0_u64..) {
        let header = br#"{"kind":"prediction","occurred_at":"2026-01-01T00:00:00.000000000Z"}"#;
        let mut parts = vec![(PartId::Header, header.to_vec())];
        if let Some(range) = gap {
            let gap = control::Gap {
                producer: "aa".repeat(16),
                ranges: vec![*range],
                reason: control::GapReason::Duplicate,
            };
            parts.push((PartId::Control, serde_json::to_vec(&gap).unwrap()));
        }
        let refs =
            parts.iter().map(|(id, bytes)| PartRef { id: *id, encoding: Encoding::Json, bytes });
        let commitments = commit(&[1; 32], refs);
        let kind = if gap.is_some() { Kind::Gap } else { Kind::Prediction };
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
        rows.push(Rows { leaf: leaf.to_vec(), hash: prev, parts, checks: checks(&commitments) });
    }
    let head = Head { size: frontier.size(), root: frontier.root() };
    Ledger { rows, head, last: prev }
}

fn anchored(head: Head) -> KnownHead {
    KnownHead::plain(Source::Anchor, Anchor { origin: "o".to_owned(), head })
}

fn findings(ledger: &Ledger, anchor: Option<Head>) -> Vec<(FindingKind, u64, u64)> {
    let ends = Ends {
        head: ledger.head,
        last_leaf_hash: ledger.last,
        time_us: if ledger.rows.is_empty() { 0 } else { 9 + ledger.head.size },
        edge_root: ledger.head.root,
        outside: anchor.map(anchored).into_iter().collect(),
        keys: Keys::new("o", Vec::new(), &[]),
    };
    let mut chain = Chain::new("o", ends);
    for (rows, key) in ledger.rows.iter().zip(0..) {
        let parts: Vec<_> = rows
            .parts
            .iter()
            .map(|(id, bytes)| StoredPart { id: *id, encoding: Encoding::Json.code(), bytes })
            .collect();
        let is_gap = rows.parts.iter().any(|(id, _)| *id == PartId::Control);
        let kind = if is_gap { Kind::Gap } else { Kind::Prediction };
        let refs = rows.parts.iter().map(|(id, bytes)| PartRef {
            id: *id,
            encoding: Encoding::Json,
            bytes,
        });
        let lookup = Lookup::derive(kind, refs).unwrap();
        chain.push(check_entry(&StoredEntry {
            key,
            leaf: &rows.leaf,
            leaf_hash: &rows.hash.0,
            secret: Some(&[1; 32]),
            parts: &parts,
            checks: &rows.checks,
            erased: &[],
            salts: &[],
            unreadable: &[],
            lookup: Some(&lookup),
        }));
    }
    chain.finish().findings.iter().map(|f| (f.kind, f.index, f.index_end)).collect()
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
