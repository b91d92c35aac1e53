//! Leaves taken in runs say what leaves taken one by one say.

use super::*;

/// As a verification of leaves alone does it, in chunks of `width`; one by one for a width of 0.
fn leaf_findings(ledger: &Ledger, outside: &[KnownHead], width: usize) -> (Vec<Found>, usize) {
    let keys = Keys::new("o", Vec::new(), &[]);
    let mut chain = Chain::new("o", ends(ledger, outside.to_vec(), &keys));
    let rows: Vec<(u64, &Rows)> = (0..).zip(&ledger.rows).collect();
    let mut n_runs = 0;
    for chunk in rows.chunks(if width == 0 { usize::MAX } else { width }) {
        let start = chunk[0].0;
        let end = start + chunk.len() as u64;
        let sizes = outside.iter().map(|known| known.head.size);
        let mut run =
            LeafRun::new(start, sizes.filter(|size| (start + 1..=end).contains(size)).collect());
        let is_run = chunk.iter().all(|(key, rows)| run.push(*key, &rows.leaf, &rows.hash.0));
        if width > 0 && is_run && chain.push_run(&run) {
            n_runs += 1;
            continue;
        }
        for (key, rows) in chunk {
            chain.push(check_leaf(*key, &rows.leaf, &rows.hash.0));
        }
    }
    (told(chain), n_runs)
}

#[test]
fn whole_ledgers_are_taken_in_runs_alone() {
    for n in 1..40_u64 {
        let whole = ledger(&plain(n));
        let outside: Vec<KnownHead> =
            (0..=n).map(|size| anchored(ledger(&plain(size)).head)).collect();
        for width in [1, 2, 4, 8, 16, 64] {
            let n_chunks = usize::try_from(n).unwrap().div_ceil(width);
            assert_eq!(leaf_findings(&whole, &outside, width), (vec![], n_chunks), "{n}, {width}");
        }
        let mut other = outside.clone();
        other[usize::try_from(n / 2).unwrap()].head.root = Hash([9; 32]);
        let index = (n / 2).saturating_sub(1);
        let expected = vec![(FindingKind::AnchorMismatch, index, index)];
        for width in [0, 1, 2, 8] {
            assert_eq!(leaf_findings(&whole, &other, width).0, expected, "{n}, {width}");
        }
    }
}

/// Edits of a ledger of 20 entries.
fn edited() -> Vec<Ledger> {
    let whole = ledger(&plain(20));
    let mut all = Vec::new();
    for at in [0_usize, 3, 4, 7, 8, 15, 16, 19] {
        for byte in [0, 1, 5, 12, 20, 40, 55, 60, 100] {
            let mut edited = whole.clone();
            edited.rows[at].leaf[byte] ^= 1;
            all.push(edited.clone());
            // With the hash beside it mended, as somebody who knows the format would.
            edited.rows[at].hash = leaf_hash(&edited.rows[at].leaf);
            all.push(edited);
        }
        let mut edited = whole.clone();
        edited.rows[at].hash = Hash([7; 32]);
        all.push(edited);
        let mut edited = whole.clone();
        edited.rows.remove(at);
        all.push(edited);
        let mut edited = whole.clone();
        edited.rows.truncate(at);
        all.push(edited);
        let mut edited = whole.clone();
        edited.rows.insert(at, whole.rows[5].clone());
        all.push(edited);
        let mut edited = whole.clone();
        edited.rows.swap(at, 10);
        all.push(edited);
    }
    all
}

#[test]
fn edited_leaves_are_found_alike_in_runs_and_one_by_one() {
    let outside = [4, 11, 20].map(|size| anchored(ledger(&plain(size)).head));
    for (n, edited) in edited().iter().enumerate() {
        let (one_by_one, _) = leaf_findings(edited, &outside, 0);
        assert_ne!(one_by_one, [], "edit {n}");
        for width in [1, 2, 4, 8, 32] {
            assert_eq!(leaf_findings(edited, &outside, width).0, one_by_one, "edit {n}, {width}");
        }
    }
}
