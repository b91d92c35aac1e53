//! `spec/vectors/proofs.json`, which a second implementation in Python has written: the same bytes, and the
//! same verdicts.

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::hash::{sha256, unbase64, unhex};
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{
    Nodes, consistency, inclusion, node_hash, root, verify_consistency, verify_inclusion,
};
use modeltrail_core::note::{KeyKind, KeyName, Note, NoteSigner, VerifierKey};
use modeltrail_core::policy::Policy;
use modeltrail_core::receipt::Receipt;
use modeltrail_core::tile::{Resource, Tile, bundle, encode, tiles};
use modeltrail_core::witness::{Decision, Evidence, LogState, Request, decide};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Vectors {
    tree: Tree,
    keys: Vec<Key>,
    notes: Notes,
    checkpoints: Vec<String>,
    policies: Vec<PolicyCase>,
    receipts: Vec<ReceiptCase>,
    witness: WitnessCase,
    bundle: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Tree {
    size: u64,
    roots: Vec<(u64, String)>,
    inclusion: Vec<(u64, u64, Vec<String>)>,
    consistency: Vec<(u64, u64, Vec<String>)>,
    tiles: Vec<(String, String)>,
    tile_counts: Vec<(u64, usize)>,
    paths: Vec<(u8, u64, u16, String)>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    name: String,
    kind: u8,
    seed: String,
    vkey: String,
    secret: String,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Notes {
    keys: Vec<String>,
    cases: Vec<NoteCase>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteCase {
    name: String,
    note: String,
    read: bool,
    verified: Option<Vec<(String, Option<u64>)>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyCase {
    policy: String,
    accepts: Vec<bool>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ReceiptCase {
    name: String,
    receipt: String,
    accepted_by: Vec<usize>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessCase {
    time_s: u64,
    witness: String,
    exchanges: Vec<Exchange>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Exchange {
    request: String,
    status: u16,
    body: Option<String>,
    evidence: Option<String>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../spec/vectors/proofs.json")).unwrap()
}

/// Complete subtrees of the tree of `proofs.json`, each hashed once.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(size: u64) -> Self {
        let mut rows = vec![(0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect::<Vec<Hash>>()];
        while rows.last().unwrap().len() > 1 {
            let pairs = rows.last().unwrap().chunks_exact(2);
            rows.push(pairs.map(|pair| node_hash(&pair[0], &pair[1])).collect());
        }
        Self(rows)
    }
}

impl Nodes for Rows {
    type Error = String;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, String> {
        let at = usize::try_from(index).unwrap();
        let found = self.0.get(usize::from(level)).and_then(|row| row.get(at));
        found.copied().ok_or_else(|| format!("no node {level} {index}"))
    }
}

fn hashes(texts: &[String]) -> Vec<Hash> {
    texts.iter().map(|text| Hash::from_base64(text).unwrap()).collect()
}

#[test]
fn roots_and_proofs_of_a_tree() {
    let tree = vectors().tree;
    let mut nodes = Rows::new(tree.size);
    for (size, expected) in &tree.roots {
        assert_eq!(root(&mut nodes, *size).unwrap().to_base64(), *expected, "{size}");
    }
    for (index, size, proof) in &tree.inclusion {
        let proof = hashes(proof);
        assert_eq!(inclusion(&mut nodes, *index, *size).unwrap(), proof, "{index} of {size}");
        let head = Head { size: *size, root: root(&mut nodes, *size).unwrap() };
        let leaf = leaf_hash(&index.to_be_bytes());
        assert_eq!(verify_inclusion(&leaf, *index, &proof, &head), Ok(()));
    }
    for (old, new, proof) in &tree.consistency {
        let proof = hashes(proof);
        assert_eq!(consistency(&mut nodes, *old, *new).unwrap(), proof, "{old} to {new}");
        let old = Head { size: *old, root: root(&mut nodes, *old).unwrap() };
        let new = Head { size: *new, root: root(&mut nodes, *new).unwrap() };
        assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
    }
}

#[test]
fn tiles_of_a_tree() {
    let tree = vectors().tree;
    let mut nodes = Rows::new(tree.size);
    for (path, digest) in &tree.tiles {
        let Some(Resource::Tile(tile)) = Resource::parse(path) else { panic!("{path}") };
        assert_eq!(Tile::at(tile.level(), tile.index(), tree.size), Some(tile));
        let hashes = (tile.first_node()..).take(usize::from(tile.width()));
        let hashes = hashes.map(|index| nodes.node(tile.node_level(), index).unwrap());
        let bytes = encode(&hashes.collect::<Vec<_>>());
        assert_eq!(sha256(&[&bytes]).to_hex(), *digest, "{path}");
    }
    for (size, n_tiles) in tree.tile_counts {
        assert_eq!(tiles(size).count(), n_tiles, "{size}");
    }
    for (level, index, width, path) in tree.paths {
        let tile = Tile::new(level, index, width).unwrap();
        assert_eq!(Resource::Tile(tile).to_string(), path);
    }
}

#[test]
fn keys_and_their_texts() {
    for key in vectors().keys {
        let (name, seed) = (KeyName::new(&key.name).unwrap(), unhex(&key.seed).unwrap());
        let seed: [u8; 32] = seed.try_into().unwrap();
        let (verifier, secret) = match KeyKind::from_code(key.kind).unwrap() {
            KeyKind::Ed25519 => {
                let signer = NoteSigner::new(name, &seed).unwrap();
                (signer.verifier().clone(), signer.to_secret_text())
            }
            KeyKind::CosignatureV1 => {
                let cosigner = Cosigner::new(name, &seed).unwrap();
                (cosigner.verifier().clone(), cosigner.to_secret_text())
            }
        };
        assert_eq!((verifier.to_string(), secret), (key.vkey, key.secret));
    }
}

#[test]
fn notes_have_the_same_verdicts() {
    let Notes { keys, cases } = vectors().notes;
    let keys: Vec<VerifierKey> = keys.iter().map(|key| VerifierKey::parse(key).unwrap()).collect();
    for case in cases {
        let note = Note::parse(case.note.as_bytes());
        assert_eq!(note.is_ok(), case.read, "{}: {note:?}", case.name);
        let Ok(note) = note else { continue };
        let found = note.verify(&keys).ok().map(|verified| {
            let told = verified.iter().map(|by| (by.key.to_string(), by.time_s));
            told.collect::<Vec<_>>()
        });
        assert_eq!(found, case.verified, "{}", case.name);
    }
}

#[test]
fn policies_have_the_same_verdicts() {
    let vectors = vectors();
    let checkpoints: Vec<SignedCheckpoint> = vectors
        .checkpoints
        .iter()
        .map(|text| SignedCheckpoint::parse(text.as_bytes()).unwrap())
        .collect();
    for PolicyCase { policy: text, accepts } in &vectors.policies {
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let found: Vec<bool> =
            checkpoints.iter().map(|checkpoint| policy.verify(checkpoint).is_ok()).collect();
        assert_eq!(found, *accepts, "{text}");
        assert_eq!(policy.to_bytes(), text.as_bytes());
    }
}

#[test]
fn receipts_have_the_same_verdicts() {
    let vectors = vectors();
    let policies: Vec<Policy> = vectors
        .policies
        .iter()
        .map(|case| Policy::parse(case.policy.as_bytes()).unwrap())
        .collect();
    let n_good = vectors.receipts.iter().filter(|case| !case.accepted_by.is_empty()).count();
    assert!(n_good > 17 && vectors.receipts.len() - n_good > 15);
    for case in &vectors.receipts {
        let receipt = Receipt::parse(case.receipt.as_bytes());
        let verdicts = policies.iter().enumerate().filter_map(|(at, policy)| {
            let verified = receipt.as_ref().ok()?.verify(policy);
            verified.is_ok().then_some(at)
        });
        assert_eq!(verdicts.collect::<Vec<_>>(), case.accepted_by, "{}", case.name);
        if let Ok(receipt) = receipt {
            assert_eq!(receipt.to_string(), case.receipt, "{}", case.name);
        }
    }
}

#[test]
fn a_witness_gives_the_same_answers() {
    let WitnessCase { time_s, witness, exchanges } = vectors().witness;
    let cosigner = Cosigner::parse(&witness).unwrap();
    let log = VerifierKey::parse(&vectors().keys[0].vkey).unwrap();
    let mut state = LogState { keys: vec![log.clone()], last: None };
    for (exchange, at) in exchanges.iter().zip(0..) {
        let (status, body, evidence) = match Request::parse(exchange.request.as_bytes()) {
            Err(_) => (400, None, None),
            Ok(request) => {
                assert_eq!(request.to_string(), exchange.request);
                let origin = request.checkpoint.checkpoint().origin();
                let known = (origin == log.name().as_str()).then_some(&state);
                match decide(&request, known) {
                    Decision::Refuse { refusal, evidence } => {
                        (refusal.status(), refusal.size_body(), evidence)
                    }
                    Decision::Cosign => {
                        let line = cosigner.cosign(request.checkpoint.note().text(), time_s + at);
                        state.last = Some(request.checkpoint);
                        (200, Some(format!("{line}\n")), None)
                    }
                }
            }
        };
        let evidence = evidence.map(|evidence| match evidence {
            Evidence::Equivocation => "equivocation",
            Evidence::Inconsistency => "inconsistency",
            Evidence::EmptyRoot => "empty_root",
        });
        let found = (status, body, evidence.map(str::to_owned));
        let expected = (exchange.status, exchange.body.clone(), exchange.evidence.clone());
        assert_eq!(found, expected, "exchange {at}: {}", exchange.request);
    }
}

#[test]
fn a_bundle_of_leaves() {
    let bytes = unbase64(&vectors().bundle).unwrap();
    let entries = bundle::decode(&bytes, 9).unwrap();
    for (entry, index) in entries.iter().zip(0..) {
        assert_eq!(modeltrail_core::Leaf::decode(entry).unwrap().index, index);
    }
    assert_eq!(bundle::encode(entries.iter().copied()), Ok(bytes.clone()));
    let checkpoint = SignedCheckpoint::parse(vectors().checkpoints[0].as_bytes()).unwrap();
    let leaves = bundle::leaf_hashes(&entries);
    let found = root(&mut modeltrail_core::merkle::LeafHashes(&leaves), 9);
    assert_eq!(found, Ok(checkpoint.checkpoint().head().root));
}

/// The file is what the second implementation writes today; nobody has edited it by hand.
#[test]
fn the_vectors_are_those_of_the_second_implementation() {
    let generator = concat!(env!("CARGO_MANIFEST_DIR"), "/../../spec/vectors/generate_proofs.py");
    let run = std::process::Command::new("python3").args([generator, "--check"]).output();
    let Ok(run) = run else {
        println!("skipped: there is no python3");
        return;
    };
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}
