//! The same questions to published crates: `tlog_tiles` and `signed_note` (ports of Go's), `ct-merkle`.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{
    LeafHashes, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
use modeltrail_core::note::{KeyName, Note, NoteSigner, VerifierKey};
use modeltrail_core::tile::{Resource, new_tiles};
use proptest::prelude::*;
use signed_note::{StandardSigner, StandardVerifier, VerifierList};
use tlog_tiles::{HashReader, TileHashReader, TileReader};

use super::ledger::{ORIGIN, ledger, signer};

/// What Go's library keeps of a tree, in its own order.
struct Stored(Vec<tlog_tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn stored(leaves: &[Vec<u8>]) -> Stored {
    let mut stored = Stored(Vec::new());
    for (n, leaf) in (0..).zip(leaves) {
        let hashes = tlog_tiles::stored_hashes(n, leaf, &stored).unwrap();
        stored.0.extend(hashes);
    }
    stored
}

fn leaves(n: u64) -> Vec<Vec<u8>> {
    (0..n).map(|i| format!("entry {i}").into_bytes()).collect()
}

fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

fn theirs(hashes: &[Hash]) -> Vec<tlog_tiles::Hash> {
    hashes.iter().map(|hash| tlog_tiles::Hash(hash.0)).collect()
}

#[test]
fn roots_and_proofs_are_those_of_tlog_tiles() {
    let leaves = leaves(150);
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let stored = stored(&leaves);
    let mut nodes = LeafHashes(&hashes);
    for size in 1..=150 {
        let head = Head { size, root: root(&mut nodes, size).unwrap() };
        assert_eq!(tlog_tiles::tree_hash(size, &stored).unwrap().0, head.root.0);
        for index in (0..size).step_by(11).chain([size - 1]) {
            let proof = inclusion(&mut nodes, index, size).unwrap();
            let expected = tlog_tiles::prove_record(size, index, &stored).unwrap();
            assert_eq!(proof, ours(&expected), "{index} of {size}");
            let proof = consistency(&mut nodes, index + 1, size).unwrap();
            let expected = tlog_tiles::prove_tree(size, index + 1, &stored).unwrap();
            assert_eq!(proof, ours(&expected), "{} to {size}", index + 1);
        }
    }
}

#[test]
fn proofs_are_taken_by_ct_merkle() {
    type Sha256 = sha2::Sha256;
    let leaves = leaves(70);
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf_hash(leaf)).collect();
    let mut nodes = LeafHashes(&hashes);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut roots = Vec::new();
    for (size, leaf) in (1_u64..).zip(&leaves) {
        tree.push(leaf.clone());
        let their_root = tree.root();
        assert_eq!(their_root.as_bytes().as_slice(), root(&mut nodes, size).unwrap().as_bytes());
        roots.push(their_root);
        let their_root = roots.last().unwrap();
        for (index, old_root) in (0..size).zip(&roots) {
            let proof = inclusion(&mut nodes, index, size).unwrap();
            let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
            let proof = ct_merkle::InclusionProof::try_from_bytes(bytes).unwrap();
            let value = &leaves[usize::try_from(index).unwrap()];
            assert!(their_root.verify_inclusion(value, index, &proof).is_ok(), "{index} {size}");
            let proof = consistency(&mut nodes, index + 1, size).unwrap();
            let bytes: Vec<u8> = proof.iter().flat_map(|hash| hash.0).collect();
            let proof = ct_merkle::ConsistencyProof::try_from_bytes(bytes).unwrap();
            assert!(their_root.verify_consistency(old_root, &proof).is_ok(), "{index} {size}");
        }
    }
}

proptest! {
    /// Right and wrong proofs of trees of any size, also beyond what a computer can hold.
    #[test]
    fn tlog_tiles_gives_the_same_verdicts(
        size in prop_oneof![1_u64..40, 1_u64..1 << 62], index in any::<u64>(), at_size in any::<bool>(),
        n_hashes in 0_usize..70, spoil in 0_u8..4,
    ) {
        // All leaves alike, so that any tree has its proofs at no cost.
        let index = if at_size { size - 1 - index % size.min(3) } else { index % size };
        let head = Head { size, root: root(&mut Alike, size).unwrap() };
        let old = Head { size: index + 1, root: root(&mut Alike, index + 1).unwrap() };
        let mut included = inclusion(&mut Alike, index, size).unwrap();
        let mut consistent = consistency(&mut Alike, old.size, size).unwrap();
        let (mut asked, mut size_asked) = (index, head);
        match spoil {
            1 => {
                included.resize(n_hashes, Hash([7; 32]));
                consistent.resize(n_hashes, Hash([7; 32]));
            }
            2 => asked ^= 1 << (n_hashes % 63),
            3 => size_asked.size ^= 1 << (n_hashes % 62),
            _ => {}
        }
        let (root, size) = (tlog_tiles::Hash(size_asked.root.0), size_asked.size);
        let leaf = tlog_tiles::Hash([7; 32]);
        let found = verify_inclusion(&Hash([7; 32]), asked, &included, &size_asked);
        let expected = tlog_tiles::check_record(&theirs(&included), size, root, asked, leaf);
        prop_assert_eq!(found.is_ok(), expected.is_ok(), "{:?} {:?}", found, expected);
        prop_assert!(spoil != 0 || found.is_ok());
        let old_root = tlog_tiles::Hash(old.root.0);
        let found = verify_consistency(&old, &size_asked, &consistent);
        let expected = tlog_tiles::check_tree(&theirs(&consistent), size, root, old.size, old_root);
        prop_assert_eq!(found.is_ok(), expected.is_ok(), "{:?} {:?}", found, expected);
        prop_assert!(spoil != 0 || found.is_ok());
    }

    #[test]
    fn tiles_of_a_growing_tree_are_those_of_tlog_tiles(old in 0_u64..1 << 20, more in 0_u64..200_000) {
        let new = old + more;
        let mut found: Vec<String> =
            new_tiles(old, new).map(|tile| Resource::Tile(tile).to_string()).collect();
        // Go's paths have the height in them, and partial tiles of the way that were never published
        // are not listed there either.
        let theirs = tlog_tiles::Tile::new_tiles(8, old, new);
        let mut expected: Vec<String> =
            theirs.iter().map(|tile| tile.path().replacen("tile/8/", "tile/", 1)).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

/// A tree whose leaves are all alike.
struct Alike;

impl modeltrail_core::merkle::Nodes for Alike {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, _index: u64) -> Result<Hash, Self::Error> {
        let double = |node: Hash| modeltrail_core::merkle::node_hash(&node, &node);
        Ok((0..level).fold(Hash([7; 32]), |node, _| double(node)))
    }
}

/// Our tiles under Go's paths.
struct Tiles(Vec<Hash>);

impl TileReader for Tiles {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[tlog_tiles::Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = |tile: &tlog_tiles::Tile| {
            let path = tile.path().replacen("tile/8/", "tile/", 1);
            let Some(Resource::Tile(ours)) = Resource::parse(&path) else { panic!("{path}") };
            let mut nodes = LeafHashes(&self.0);
            let hashes = (ours.first_node()..).take(usize::from(ours.width())).map(|index| {
                modeltrail_core::merkle::Nodes::node(&mut nodes, ours.node_level(), index).unwrap()
            });
            modeltrail_core::tile::encode(&hashes.collect::<Vec<_>>())
        };
        Ok(tiles.iter().map(read).collect())
    }

    fn save_tiles(&self, _tiles: &[tlog_tiles::Tile], _data: &[Vec<u8>]) {}
}

#[test]
fn our_tiles_are_read_by_tlog_tiles() {
    let ledger = ledger(1000);
    let head = ledger.head(1000);
    let tiles = Tiles(ledger.hashes.clone());
    let reader = TileHashReader::new(1000, tlog_tiles::Hash(head.root.0), &tiles);
    for index in [0, 255, 256, 700, 999] {
        let proof = tlog_tiles::prove_record(1000, index, &reader).unwrap();
        let at = usize::try_from(index).unwrap();
        assert_eq!(verify_inclusion(&ledger.hashes[at], index, &ours(&proof), &head), Ok(()));
    }
}

#[test]
fn notes_go_to_signed_note_and_come_back() {
    let text = "example.com/ledger\n3\nAAAA\n\nmore\n";
    let ours = Note::new(text.into(), vec![signer().sign(text)]).unwrap();
    let read = signed_note::Note::from_bytes(ours.to_string().as_bytes()).unwrap();
    let verifier = StandardVerifier::new(&signer().verifier().to_string()).unwrap();
    let (verified, others) = read.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
    assert_eq!((verified.len(), others.len()), (1, 0));
    let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
    let their_signer = StandardSigner::new(&signer().to_secret_text()).unwrap();
    theirs.add_sigs(&[&their_signer]).unwrap();
    assert_eq!(theirs.to_bytes(), ours.to_string().as_bytes(), "Ed25519 has one signature");
    assert_eq!(Note::parse(&theirs.to_bytes()), Ok(ours));
}

#[test]
fn checkpoints_are_read_by_tlog_tiles() {
    let signed = ledger(300).checkpoint(300);
    let text = signed.note().text();
    let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
    let head = signed.checkpoint().head();
    assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (ORIGIN, 300, head.root.0));
    assert_eq!(theirs.to_bytes(), text.as_bytes());
    let again = Checkpoint::new(ORIGIN, head).unwrap().sign(&signer()).unwrap();
    assert_eq!(SignedCheckpoint::parse(again.to_string().as_bytes()), Ok(signed));
}

#[test]
fn keys_made_by_signed_note_are_read() {
    let key = NoteSigner::new(KeyName::new("a.example/x").unwrap(), &[3; 32]).unwrap();
    let vkey = key.verifier().to_string();
    assert!(StandardVerifier::new(&vkey).is_ok());
    assert_eq!(VerifierKey::parse(&vkey).as_ref(), Ok(key.verifier()));
    let other = vkey.replace("a.example", "b.example");
    assert!(StandardVerifier::new(&other).is_err());
    assert!(VerifierKey::parse(&other).is_err());
}
