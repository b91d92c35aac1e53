//! What proofs are made of: leaves, tiles, checkpoints.

use std::collections::BTreeMap;
use std::ops::Range;

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::hash::sha256;
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::note::{KeyName, N_SIGNATURES_MAX, NoteSigner, SignatureLine};
use modeltrail_core::tile::{self, TILE_WIDTH, Tile};

use super::super::{N_HASHES_MAX, Store, StoreError};
use super::generate::{Filled, Rng, Sample};
use super::{Failed, Make, Outcome, ensure, same};

/// Appends `n` gap entries, the cheapest there are.
fn append_gaps(filled: &mut Filled, n: u64) -> Outcome {
    let mut rng = Rng(filled.size());
    let frames: Result<_, Failed> = (0..n).map(|_| Sample::gap(&mut rng).frame(&mut rng)).collect();
    filled.append(frames?).map(drop)
}

/// Leaf and stored leaf hash of every entry, in one go.
fn all_leaves(store: &dyn Store) -> Result<Vec<(Vec<u8>, Hash)>, Failed> {
    let (mut all, mut in_order) = (Vec::new(), true);
    store.leaves(0..u64::MAX, &mut |index, leaf, hash| {
        in_order &= usize::try_from(index) == Ok(all.len());
        all.push((leaf.to_vec(), Hash::from_slice(hash).unwrap_or_default()));
    })?;
    ensure(in_order, || "the leaves do not come in the order of their indexes".to_owned())?;
    Ok(all)
}

pub(super) fn leaves(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 71);
    same("the leaf hashes of nothing", &filled.store.leaf_hashes(0..0)?, &Vec::new())?;
    for n in [1, 9, 30] {
        append_gaps(&mut filled, n)?;
    }
    let store = filled.store.as_ref();
    let all = all_leaves(store)?;
    same("how many leaves come", &all.len(), &40)?;
    for ((leaf, hash), index) in all.iter().zip(0_u64..) {
        let entry = store.get(index)?.map(|entry| (entry.leaf.encode().to_vec(), entry.leaf_hash));
        same("the leaf and its hash", &entry, &Some((leaf.clone(), *hash)))?;
        same("the leaf hash", hash, &leaf_hash(leaf))?;
    }
    let hashes: Vec<Hash> = all.iter().map(|(_, hash)| *hash).collect();
    for range in [0..40, 0..1, 39..40, 7..23, 5..5, 40..40] {
        let mut of_range = Vec::new();
        store.leaves(range.clone(), &mut |index, _, _| of_range.push(index))?;
        same("the leaves of a range", &of_range, &range.clone().collect())?;
        let expected: Vec<Hash> = pick(&hashes, &range);
        same("the leaf hashes of a range", &store.leaf_hashes(range)?, &expected)?;
    }
    let mut behind = 0;
    store.leaves(40..u64::MAX, &mut |_, _, _| behind += 1)?;
    same("leaves behind the last", &behind, &0)?;
    for range in [40..41, 39..41, 1 << 40..(1 << 40) + 1] {
        let missing = range.start.max(40);
        let read = store.leaf_hashes(range);
        ensure(matches!(read, Err(StoreError::Damaged { index, .. }) if index == missing), || {
            format!("{read:?} for leaf hashes that are not there")
        })?;
    }
    let asked = N_HASHES_MAX + 1;
    for read in [store.leaf_hashes(0..asked), store.tile_roots(0, 0..asked)] {
        ensure(matches!(read, Err(StoreError::TooMany { asked: n, .. }) if n == asked), || {
            format!("{read:?} for more hashes than are given at once")
        })?;
    }
    Ok(())
}

fn pick(hashes: &[Hash], range: &Range<u64>) -> Vec<Hash> {
    let indexes = 0_u64..;
    let both = indexes.zip(hashes).filter(|(index, _)| range.contains(index));
    both.map(|(_, hash)| *hash).collect()
}

/// Sizes at which tiles become full, one before and one behind; appended in batches that end
/// there. The last one fills a tile of the second level within a batch.
const SIZES: [u64; 9] = [255, 256, 257, 511, 513, 1300, 40_000, 65_535, 65_836];

pub(super) fn tiles(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 72);
    let reader = filled.store.another()?;
    for size in SIZES {
        let n = size - filled.size();
        append_gaps(&mut filled, n)?;
        let n_full = [size / 256, size / 65_536];
        for store in [filled.store.as_ref(), reader.as_ref()] {
            for (level, n_full) in (0_u8..).zip(n_full) {
                for n in [n_full, n_full + 1, u64::MAX] {
                    same("a tile that is not full", &store.tile(level, n)?, &None)?;
                }
                let is_there = n_full.checked_sub(1).map(|n| store.tile(level, n)).transpose()?;
                let lengths = is_there.map(|tile| tile.map(|bytes| bytes.len()));
                let expected = (n_full > 0).then_some(Some(8192));
                same("the length of the last full tile", &lengths, &expected)?;
            }
        }
    }
    let hashes: Vec<Hash> =
        all_leaves(filled.store.as_ref())?.into_iter().map(|(_, hash)| hash).collect();
    every_tile(filled.store.as_ref(), &hashes)?;
    every_tile(reader.as_ref(), &hashes)
}

/// Holds each full tile, and the root beside it, against the leaf hashes.
fn every_tile(store: &dyn Store, hashes: &[Hash]) -> Outcome {
    let mut of_level = BTreeMap::from([(0, hashes.to_vec())]);
    let size = u64::try_from(hashes.len())?;
    for tile in tile::full_tiles(0, size) {
        let range = tile.first_node()..tile.first_node() + u64::from(TILE_WIDTH);
        let level = tile.level();
        let hashes = of_level.get(&level).map(|all| pick(all, &range)).unwrap_or_default();
        let at = |what: &str| format!("{what} tile {} of level {level}", tile.index());
        let stored = store.tile(level, tile.index())?;
        ensure(stored == Some(tile::encode(&hashes)), || at("other hashes in"))?;
        let root = tile::parent_hash(&hashes).into_iter().collect();
        let stored = store.tile_roots(level, tile.index()..tile.index() + 1)?;
        same(&at("the root over"), &stored, &root)?;
        of_level.entry(level + 1).or_default().extend(root);
    }
    for (level, roots) in
        of_level.iter().filter_map(|(level, of)| Some((level.checked_sub(1)?, of)))
    {
        let n = u64::try_from(roots.len())?;
        same("all roots of a level", &store.tile_roots(level, 0..n)?, roots)?;
        same("no more roots than tiles", &store.tile_roots(level, 0..n + 5)?, roots)?;
        same("no roots behind the tiles", &store.tile_roots(level, n..n + 5)?, &Vec::new())?;
        let last: Vec<Hash> = roots.last().copied().into_iter().collect();
        same("the last root", &store.tile_roots(level, n - 1..n)?, &last)?;
        let beyond = Tile::at(level, n, size).filter(Tile::is_full);
        same("a further full tile", &beyond, &None)?;
    }
    Ok(())
}

/// A key of a log, another for each number.
fn signer(origin: &str, n: u8) -> Result<NoteSigner, Failed> {
    Ok(NoteSigner::new(KeyName::new(origin)?, &[n; 32])?)
}

fn signed(origin: &str, size: u64, root: Hash, n: u8) -> Result<SignedCheckpoint, Failed> {
    Ok(Checkpoint::new(origin, Head { size, root })?.sign(&signer(origin, n)?)?)
}

fn line(checkpoint: &SignedCheckpoint, n: u8) -> Result<SignatureLine, Failed> {
    Ok(signer("witness.example", n)?.sign(checkpoint.note().text()))
}

/// Texts of everything that is stored, by size.
fn stored(store: &dyn Store, range: Range<u64>) -> Result<Vec<(u64, String)>, Failed> {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    store.checkpoints(range, &mut |size, read| match read {
        Ok(checkpoint) => all.push((size, checkpoint.to_string())),
        Err(error) => wrong.push(error.to_string()),
    })?;
    same("checkpoints that cannot be read", &wrong, &Vec::new())?;
    Ok(all)
}

pub(super) fn checkpoints(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 73);
    append_gaps(&mut filled, 20)?;
    let reader = filled.store.another()?;
    let store = filled.store.as_mut();
    let origin = store.origin().to_owned();
    same("the newest of none", &store.checkpoint(None)?, &None)?;
    let mut all = Vec::new();
    for size in [0, 5, 6, 20] {
        let mut checkpoint = signed(&origin, size, sha256(&[&size.to_be_bytes()]), 1)?;
        store.put_checkpoint(&checkpoint)?;
        // Cosignatures come later, and again; lines of one key that differ are two lines.
        for n in [2, 3, 2] {
            let line = line(&checkpoint, n)?;
            store.add_signature(size, &line)?;
            checkpoint.add(line)?;
        }
        // A second key of the log's own, and lines that are there already in another order.
        let again = signed(&origin, size, sha256(&[&size.to_be_bytes()]), 4)?;
        store.put_checkpoint(&again)?;
        store.put_checkpoint(&checkpoint)?;
        for line in again.note().signatures() {
            checkpoint.add(line.clone())?;
        }
        all.push((size, checkpoint));
    }
    for store in [&*store, reader.as_ref()] {
        for at_most in
            [None, Some(u64::MAX), Some(20), Some(19), Some(6), Some(5), Some(4), Some(0)]
        {
            let fits = |size: u64| at_most.is_none_or(|most| size <= most);
            let expected = all.iter().rev().find(|(size, _)| fits(*size)).map(|(_, it)| it.clone());
            same("the newest checkpoint", &store.checkpoint(at_most)?, &expected)?;
        }
        for range in [0..u64::MAX, 0..20, 1..21, 5..6, 7..20] {
            let of_range = all.iter().filter(|(size, _)| range.contains(size));
            let expected: Vec<_> = of_range.map(|(size, it)| (*size, it.to_string())).collect();
            same("the checkpoints of a range", &stored(store, range)?, &expected)?;
        }
    }
    Ok(())
}

pub(super) fn refused_checkpoints(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 74);
    append_gaps(&mut filled, 10)?;
    let store = filled.store.as_mut();
    let origin = store.origin().to_owned();
    let root = sha256(&[b"root"]);
    let checkpoint = signed(&origin, 10, root, 1)?;
    store.put_checkpoint(&checkpoint)?;
    let before = stored(store, 0..u64::MAX)?;
    let refused = [
        ("of another ledger", signed("example.com/other", 9, root, 1)?),
        ("of more entries than there are", signed(&origin, 11, root, 1)?),
        ("of a size that has another root", signed(&origin, 10, sha256(&[]), 1)?),
    ];
    for (what, checkpoint) in refused {
        let put = store.put_checkpoint(&checkpoint);
        ensure(matches!(put, Err(StoreError::Checkpoint { .. })), || {
            format!("{put:?} for a checkpoint {what}")
        })?;
        same("what is stored after a refusal", &stored(store, 0..u64::MAX)?, &before)?;
    }
    let added = store.add_signature(9, &line(&checkpoint, 2)?);
    ensure(matches!(added, Err(StoreError::Checkpoint { size: 9, .. })), || {
        format!("{added:?} for a signature under no checkpoint")
    })?;
    for n in 1..N_SIGNATURES_MAX {
        store.add_signature(10, &line(&checkpoint, u8::try_from(n)?)?)?;
    }
    let full = stored(store, 0..u64::MAX)?;
    let added = store.add_signature(10, &line(&checkpoint, 200)?);
    let put = store.put_checkpoint(&signed(&origin, 10, root, 201)?);
    for refused in [added, put] {
        ensure(matches!(refused, Err(StoreError::Checkpoint { size: 10, .. })), || {
            format!("{refused:?} for one line more than a note can have")
        })?;
    }
    // One that is there already is no line more.
    store.add_signature(10, &line(&checkpoint, 2)?)?;
    same("what is stored after all", &stored(store, 0..u64::MAX)?, &full)
}
