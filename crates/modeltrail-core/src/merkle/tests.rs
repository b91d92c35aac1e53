//! Proofs against the definitions of RFC 6962, written as they stand there, and against each other.

use super::*;
use crate::anchor::Head;

/// Sizes up to which every proof is tried. Beyond 256, so that second-level tiles come into it.
const ALL_TO: u64 = 300;

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| sha256(&[&i.to_be_bytes()])).collect()
}

/// A tree whose complete subtrees are hashed once, so that all proofs of all sizes can be tried.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(leaves: &[Hash]) -> Self {
        let mut rows = vec![leaves.to_vec()];
        while rows.last().unwrap().len() > 1 {
            let last = rows.last().unwrap();
            rows.push(last.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Self(rows)
    }
}

impl Nodes for Rows {
    type Error = NoNode;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, NoNode> {
        let at = usize::try_from(index).unwrap();
        let found = self.0.get(usize::from(level)).and_then(|row| row.get(at));
        found.copied().ok_or(NoNode { level, index, n_leaves: self.0[0].len() })
    }
}

/// MTH of section 2.1.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&mth(left), &mth(right))
        }
    }
}

/// PATH of section 2.1.1.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut out, sibling) = if m < left.len() {
        (path(m, left), mth(right))
    } else {
        (path(m - left.len(), right), mth(left))
    };
    out.push(sibling);
    out
}

/// SUBPROOF of section 2.1.2.
fn subproof(m: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut out, sibling) = if m <= left.len() {
        (subproof(m, left, is_whole), mth(right))
    } else {
        (subproof(m - left.len(), right, false), mth(left))
    };
    out.push(sibling);
    out
}

#[test]
fn roots_and_proofs_are_those_of_the_definitions() {
    let all = leaves(70);
    for n in 0..=all.len() {
        let (size, tree) = (n as u64, &all[..n]);
        let mut nodes = LeafHashes(tree);
        assert_eq!(root(&mut nodes, size), Ok(mth(tree)), "size {n}");
        for m in 0..n {
            assert_eq!(inclusion(&mut nodes, m as u64, size), Ok(path(m, tree)), "{m} of {n}");
            let old = m + 1;
            let expected = subproof(old, tree, true);
            assert_eq!(consistency(&mut nodes, old as u64, size), Ok(expected), "{old} to {n}");
        }
    }
}

#[test]
fn every_proof_verifies_and_only_at_its_place() {
    let all = leaves(ALL_TO);
    let mut nodes = Rows::new(&all);
    let heads: Vec<Head> =
        (0..=ALL_TO).map(|size| Head { size, root: root(&mut nodes, size).unwrap() }).collect();
    for new in &heads[1..] {
        for (index, leaf) in (0..new.size).zip(&all) {
            let proof = inclusion(&mut nodes, index, new.size).unwrap();
            assert_eq!(verify_inclusion(leaf, index, &proof, new), Ok(()), "{index} {}", new.size);
            let elsewhere = (index + 1) % new.size;
            if elsewhere != index {
                assert!(verify_inclusion(leaf, elsewhere, &proof, new).is_err());
            }
        }
        for old in &heads[1..=usize::try_from(new.size).unwrap()] {
            let proof = consistency(&mut nodes, old.size, new.size).unwrap();
            assert_eq!(verify_consistency(old, new, &proof), Ok(()), "{} {}", old.size, new.size);
            let other =
                Head { size: old.size, root: heads[usize::try_from(old.size).unwrap() - 1].root };
            assert!(verify_consistency(&other, new, &proof).is_err());
        }
    }
}

#[test]
fn a_proof_with_a_hash_more_less_or_moved_is_refused() {
    let all = leaves(37);
    let mut nodes = LeafHashes(&all);
    let new = Head { size: 37, root: mth(&all) };
    for old_size in 1..=37_u64 {
        let index = old_size - 1;
        let old = Head { size: old_size, root: root(&mut nodes, old_size).unwrap() };
        let leaf = all[usize::try_from(index).unwrap()];
        let included = inclusion(&mut nodes, index, 37).unwrap();
        let consistent = consistency(&mut nodes, old_size, 37).unwrap();
        for changed in changes(&included) {
            assert!(verify_inclusion(&leaf, index, &changed, &new).is_err(), "{index}");
        }
        for changed in changes(&consistent) {
            assert!(verify_consistency(&old, &new, &changed).is_err(), "{old_size}");
        }
    }
}

/// The proof with each hash changed, left out, doubled, swapped with the next; and with one more.
fn changes(proof: &[Hash]) -> Vec<Vec<Hash>> {
    let mut out = vec![[proof, &[Hash([1; 32])]].concat(), [&[Hash([1; 32])], proof].concat()];
    for at in 0..proof.len() {
        let mut bit = proof.to_vec();
        bit[at].0[at % 32] ^= 1;
        let (mut less, mut twice) = (proof.to_vec(), proof.to_vec());
        less.remove(at);
        twice.insert(at, proof[at]);
        out.extend([bit, less, twice]);
        if at + 1 < proof.len() {
            let mut swapped = proof.to_vec();
            swapped.swap(at, at + 1);
            out.push(swapped);
        }
    }
    out
}

/// A tree whose leaves are all alike, so that a node follows from its level: any size at no cost.
struct Alike;

impl Nodes for Alike {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, _index: u64) -> Result<Hash, Self::Error> {
        Ok((0..level).fold(Hash([7; 32]), |node, _| node_hash(&node, &node)))
    }
}

#[test]
fn proofs_work_up_to_the_largest_tree() {
    for size in [SIZE_MAX, SIZE_MAX - 1, 1 << 62, (1 << 40) + 12_345] {
        let head = Head { size, root: root(&mut Alike, size).unwrap() };
        for index in [0, 1, size / 3, size / 2, size - 2, size - 1] {
            let proof = inclusion(&mut Alike, index, size).unwrap();
            assert!(proof.len() <= PROOF_HASHES_MAX);
            assert_eq!(verify_inclusion(&Hash([7; 32]), index, &proof, &head), Ok(()), "{index}");
            let old = Head { size: index + 1, root: root(&mut Alike, index + 1).unwrap() };
            let proof = consistency(&mut Alike, old.size, size).unwrap();
            let bound = if size <= 1 << 62 { PROOF_HASHES_MAX } else { PROOF_HASHES_MAX + 1 };
            assert!(proof.len() <= bound);
            assert_eq!(verify_consistency(&old, &head, &proof), Ok(()), "{index}");
        }
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    assert_eq!(root(&mut Alike, SIZE_MAX + 1), Err(BuildError::TooLarge(SIZE_MAX + 1)));
    assert_eq!(inclusion(&mut Alike, 5, 5), Err(BuildError::NoEntry { index: 5, size: 5 }));
    assert_eq!(consistency(&mut Alike, 0, 5), Err(BuildError::FromNothing));
    assert_eq!(consistency(&mut Alike, 6, 5), Err(BuildError::Shrinks { old: 6, new: 5 }));
    let all = leaves(5);
    let none = NoNode { level: 3, index: 0, n_leaves: 5 };
    assert_eq!(root(&mut LeafHashes(&all), 8), Err(BuildError::Nodes(none)));
    assert!(LeafHashes(&all).node(63, u64::MAX).is_err());
    assert!(LeafHashes(&all).node(200, 0).is_err());
    let empty = Head { size: 0, root: empty_root() };
    assert_eq!(verify_consistency(&empty, &empty, &[]), Err(ProofError::FromNothing));
}

#[test]
fn the_end_of_the_integers_is_no_panic() {
    let end = Head { size: u64::MAX, root: Hash([1; 32]) };
    for n_hashes in 0..130 {
        let proof = vec![Hash([2; 32]); n_hashes];
        for number in [0, 1, 2, u64::MAX - 2, u64::MAX - 1, u64::MAX] {
            assert!(verify_inclusion(&Hash([3; 32]), number, &proof, &end).is_err());
            let old = Head { size: number, root: Hash([4; 32]) };
            assert!(verify_consistency(&old, &end, &proof).is_err());
        }
    }
}
