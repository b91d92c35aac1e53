//! Tiles of trees of many sizes, their paths, and proofs made of them.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::hash::sha256;
use crate::merkle::{LeafHashes, Nodes, SIZE_MAX, consistency, inclusion, root};

fn tile(level: u8, index: u64, width: u16) -> Tile {
    Tile::new(level, index, width).unwrap()
}

#[test]
fn paths_are_those_of_the_specification() {
    let paths = [
        (Resource::Checkpoint, "checkpoint"),
        (Resource::Tile(tile(0, 0, 256)), "tile/0/000"),
        (Resource::Tile(tile(0, 1_234_067, 12)), "tile/0/x001/x234/067.p/12"),
        (Resource::Tile(tile(3, 999, 255)), "tile/3/999.p/255"),
        (Resource::Entries(tile(0, 1000, 256)), "tile/entries/x001/000"),
        (Resource::Entries(tile(0, 273, 112)), "tile/entries/273.p/112"),
        (Resource::Tile(tile(0, (1 << 55) - 1, 256)), "tile/0/x036/x028/x797/x018/x963/967"),
    ];
    for (resource, path) in paths {
        assert_eq!(resource.to_string(), path);
        assert_eq!(Resource::parse(path), Some(resource), "{path}");
    }
}

#[test]
fn a_resource_has_one_path() {
    for path in [
        "",
        "/checkpoint",
        "checkpoint/",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/002",
        "tile/0/x01/002",
        "tile/0/x001/x002",
        "tile/0/x1001/002",
        "tile/00/000",
        "tile/+0/000",
        "tile/0/+00",
        "tile/0/-01",
        "tile/8/000",
        "tile/63/000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/+1",
        "tile/0/000.p/1.p/1",
        "tile/0/000.P/1",
        "tile/0/x036/x028/x797/x018/x963/968",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
        "tile/7/001",
        "tile/7/000",
        "tile/7/000.p/129",
        "tile/entries",
        "tile/entries/",
        "tile/entries/0",
        "tile/ENTRIES/000",
        "tile/entries/000.p/256",
        "tile/data/000",
        "tile/0/000/",
        "tile//000",
        "tile/0//000",
        "tile/0/../000",
        "tile/0/x٠٠١/000",
    ] {
        assert_eq!(Resource::parse(path), None, "{path}");
    }
}

#[test]
fn the_trees_of_the_specification_have_its_tiles() {
    // C2SP tlog-tiles, "Partial Tiles".
    let of_70_000: Vec<Tile> = tiles(70_000).collect();
    let count = |level, is_full| {
        of_70_000.iter().filter(|t| t.level() == level && t.is_full() == is_full).count()
    };
    assert_eq!((count(0, true), count(0, false)), (273, 1));
    assert_eq!((count(1, true), count(1, false)), (1, 1));
    assert_eq!((count(2, true), count(2, false)), (0, 1));
    assert_eq!(of_70_000.len(), 277);
    let partial: Vec<Tile> = partial_tiles(70_000).collect();
    assert_eq!(partial, [tile(0, 273, 112), tile(1, 1, 17), tile(2, 0, 1)]);
    assert_eq!(tiles(256).collect::<Vec<_>>(), [tile(0, 0, 256), tile(1, 0, 1)]);
    assert_eq!(tiles(0).count(), 0);
    let largest: Vec<Tile> = partial_tiles(SIZE_MAX).collect();
    assert_eq!(largest, [tile(7, 0, 128)]);
}

#[test]
fn growth_makes_each_tile_once() {
    let sizes = [0, 1, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 66_000, 200_000];
    let mut full = BTreeSet::new();
    for pair in sizes.windows(2) {
        let (old, new) = (pair[0], pair[1]);
        for tile in full_tiles(old, new) {
            assert!(full.insert(tile), "{tile:?} twice");
        }
        let before: BTreeSet<Tile> = tiles(old).collect();
        let after: BTreeSet<Tile> = tiles(new).collect();
        let written: BTreeSet<Tile> = new_tiles(old, new).collect();
        assert_eq!(written, after.difference(&before).copied().collect(), "{old} to {new}");
        assert!(tiles(new).filter(Tile::is_full).all(|tile| full.contains(&tile)));
    }
    assert_eq!(new_tiles(70_000, 70_000).count(), 0);
    assert_eq!(full_tiles(10, 5).count(), 0);
}

/// A log as files, that counts what is read.
struct Files {
    tiles: BTreeMap<String, Vec<u8>>,
    n_read: Cell<usize>,
}

impl TileSource for &Files {
    type Error = String;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, String> {
        self.n_read.set(self.n_read.get() + 1);
        let path = Resource::Tile(tile).to_string();
        self.tiles.get(&path).cloned().ok_or(path)
    }
}

fn leaves(n: u64) -> Vec<Hash> {
    (0..n).map(|i| sha256(&[&i.to_be_bytes()])).collect()
}

/// The tiles of a tree, made level by level as a log makes them.
fn files(leaves: &[Hash]) -> Files {
    let mut files = BTreeMap::new();
    let mut row = leaves.to_vec();
    for level in 0.. {
        let mut above = Vec::new();
        for (index, hashes) in row.chunks(256).enumerate() {
            let width = u16::try_from(hashes.len()).unwrap();
            let tile = tile(level, index as u64, width);
            files.insert(Resource::Tile(tile).to_string(), encode(hashes));
            above.extend(parent_hash(hashes));
        }
        if above.is_empty() {
            break;
        }
        row = above;
    }
    Files { tiles: files, n_read: Cell::new(0) }
}

#[test]
fn proofs_from_tiles_are_those_from_leaves() {
    for size in [1, 2, 255, 256, 257, 511, 513, 1000] {
        let leaves = leaves(size);
        let files = files(&leaves);
        let named: BTreeSet<String> = tiles(size).map(|t| Resource::Tile(t).to_string()).collect();
        assert_eq!(named, files.tiles.keys().cloned().collect(), "size {size}");
        let mut from_tiles = TileNodes::new(&files, size);
        let mut from_leaves = LeafHashes(&leaves);
        assert_eq!(root(&mut from_tiles, size).ok(), root(&mut from_leaves, size).ok());
        for index in (0..size).step_by(7).chain([size - 1]) {
            let proof = inclusion(&mut from_tiles, index, size).unwrap();
            assert_eq!(
                Some(proof),
                inclusion(&mut from_leaves, index, size).ok(),
                "{index} {size}"
            );
            let proof = consistency(&mut from_tiles, index + 1, size).unwrap();
            assert_eq!(Some(proof), consistency(&mut from_leaves, index + 1, size).ok());
        }
    }
}

#[test]
fn a_proof_reads_few_tiles() {
    let files = files(&leaves(70_000));
    for index in [0, 255, 256, 65_535, 65_536, 69_887, 69_999] {
        files.n_read.set(0);
        inclusion(&mut TileNodes::new(&files, 70_000), index, 70_000).unwrap();
        // One on the way of the leaf at each of three levels, and one at the right edge.
        assert!(files.n_read.get() <= 6, "{index}: {}", files.n_read.get());
    }
    let mut nodes = TileNodes::new(&files, 70_000);
    inclusion(&mut nodes, 12_288, 70_000).unwrap();
    files.n_read.set(0);
    for index in 12_289..12_544 {
        inclusion(&mut nodes, index, 70_000).unwrap();
    }
    assert_eq!(files.n_read.get(), 0, "entries under one tile take the same ones");
}

#[test]
fn a_full_tile_stands_in_for_a_partial_one() {
    struct Full<'a>(&'a Files);
    impl TileSource for Full<'_> {
        type Error = String;
        fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, String> {
            let mut source = self.0;
            source.tile(tile).or_else(|_| source.tile(tile.full()))
        }
    }
    let all = leaves(65_536);
    let files = files(&all);
    let proof = inclusion(&mut TileNodes::new(Full(&files), 300), 299, 300);
    assert_eq!(proof.ok(), inclusion(&mut LeafHashes(&all), 299, 300).ok());
}

#[test]
fn tiles_of_another_length_and_missing_ones_are_named() {
    let mut files = files(&leaves(300));
    files.tiles.get_mut("tile/0/000").unwrap().pop();
    files.tiles.remove("tile/0/001.p/44");
    let mut nodes = TileNodes::new(&files, 300);
    let error = nodes.node(0, 5).unwrap_err().to_string();
    assert_eq!(error, "tile 0 at level 0: a tile of 256 hashes has 8192 bytes, these are 8191");
    let error = nodes.node(0, 299).unwrap_err();
    let path = "tile/0/001.p/44".to_owned();
    assert_eq!(error, TileNodesError::Source { level: 0, index: 1, error: path });
    assert_eq!(nodes.node(0, 300), Err(TileNodesError::NoNode { level: 0, index: 300, size: 300 }));
    for (level, index) in [(9, 0), (63, 0), (64, 0), (255, 0), (1, u64::MAX), (7, u64::MAX)] {
        assert!(nodes.node(level, index).is_err(), "{level} {index}");
    }
}

#[test]
fn bundles_come_back_and_cut_ones_do_not() {
    let entries: Vec<Vec<u8>> = vec![vec![], vec![1; 122], vec![2; 65_535], b"x".to_vec()];
    let slices: Vec<&[u8]> = entries.iter().map(Vec::as_slice).collect();
    let bytes = bundle::encode(slices.iter().copied()).unwrap();
    assert_eq!(bytes.len(), 4 * 2 + 122 + 65_535 + 1);
    assert_eq!(bundle::decode(&bytes, 4).unwrap(), slices);
    assert_eq!(
        bundle::leaf_hashes(&slices)[0],
        sha256(&[&[0]]),
        "the hash of an entry is RFC 6962's"
    );
    for cut in 0..bytes.len() {
        assert!(bundle::decode(&bytes[..cut], 4).is_err(), "{cut}");
    }
    let count = |found, expected| Err(bundle::BundleError::Count { found, expected });
    assert_eq!(bundle::decode(&bytes, 3), count(4, 3));
    assert_eq!(bundle::decode(&bytes, 5), count(4, 5));
    let long = vec![0; 65_536];
    let error = bundle::BundleError::TooLong { at: 1, bytes: 65_536 };
    assert_eq!(bundle::encode([&[][..], &long]), Err(error));
    assert_eq!(bundle::encode([&[][..]; 257]).ok(), None);
    assert!(bundle::encode([&[][..]; 256]).is_ok());
}
