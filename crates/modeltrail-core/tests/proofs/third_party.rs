//! The vectors of `spec/vectors/third-party`; its README says where each comes from and where we differ.

use std::collections::BTreeMap;

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::hash::{unbase64, unhex};
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{
    LeafHashes, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
use modeltrail_core::note::{KeyKind, KeyName, Note, VerifierKey};
use modeltrail_core::tile::{Resource, Tile, TileNodes, TileSource, bundle, encode};
use modeltrail_core::witness::{Decision, LogState, Request, decide};

macro_rules! read {
    ($path:literal) => {
        serde_json::from_str(include_str!(concat!("../../../../spec/vectors/third-party/", $path)))
            .unwrap()
    };
}

/// Hashes in base64; `None` when one has another length.
fn hashes(texts: Option<&[String]>) -> Option<Vec<Hash>> {
    texts.unwrap_or_default().iter().map(|text| Hash::from_base64(text)).collect()
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Inclusion {
    file: String,
    leaf_idx: u64,
    tree_size: u64,
    root: String,
    leaf_hash: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    want_err: bool,
}

#[test]
fn inclusion_proofs_of_transparency_dev() {
    let cases: Vec<Inclusion> = read!("merkle-rfc6962/inclusion.json");
    assert_eq!((cases.len(), cases.iter().filter(|case| !case.want_err).count()), (98, 6));
    for case in cases {
        let asked = Hash::from_base64(&case.root)
            .zip(case.leaf_hash.as_deref().and_then(Hash::from_base64))
            .zip(hashes(case.proof.as_deref()));
        let holds = asked.is_some_and(|((root, leaf), proof)| {
            let head = Head { size: case.tree_size, root };
            verify_inclusion(&leaf, case.leaf_idx, &proof, &head).is_ok()
        });
        assert_eq!(holds, !case.want_err, "{}: {}", case.file, case.desc);
    }
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Consistency {
    file: String,
    size1: u64,
    size2: u64,
    root1: Option<String>,
    root2: Option<String>,
    proof: Option<Vec<String>>,
    desc: String,
    #[serde(rename = "wantErr")]
    want_err: bool,
}

#[test]
fn consistency_proofs_of_transparency_dev() {
    let cases: Vec<Consistency> = read!("merkle-rfc6962/consistency.json");
    let mut n_good = 0;
    assert_eq!(cases.len(), 98);
    for case in cases {
        if case.file == "additional/sizes-are-equal-one-and-proof-is-empty.json" {
            // Its roots have 12 bytes, which no root has here.
            assert!(hashes(case.root1.as_slice().into()).is_none());
            continue;
        }
        n_good += usize::from(!case.want_err);
        let root = |text: &Option<String>| text.as_deref().and_then(Hash::from_base64);
        let asked = root(&case.root1).zip(root(&case.root2)).zip(hashes(case.proof.as_deref()));
        let holds = asked.is_some_and(|((old, new), proof)| {
            let (old, new) =
                (Head { size: case.size1, root: old }, Head { size: case.size2, root: new });
            verify_consistency(&old, &new, &proof).is_ok()
        });
        assert_eq!(holds, !case.want_err, "{}: {}", case.file, case.desc);
    }
    assert_eq!(n_good, 5);
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CertificateLog {
    size: u64,
    root: String,
    leaf: String,
    index: u64,
    inclusion: Vec<String>,
    old_size: u64,
    old_root: String,
    consistency: Vec<String>,
}

#[test]
fn proofs_of_a_certificate_log_of_a_thousand_million_entries() {
    let log: CertificateLog = read!("ct-argon2020/proofs.json");
    let new = Head { size: log.size, root: Hash::from_base64(&log.root).unwrap() };
    let leaf = leaf_hash(&unbase64(&log.leaf).unwrap());
    let proof = hashes(Some(&log.inclusion)).unwrap();
    assert_eq!(verify_inclusion(&leaf, log.index, &proof, &new), Ok(()));
    assert!(verify_inclusion(&leaf, log.index + 1, &proof, &new).is_err());
    let old = Head { size: log.old_size, root: Hash::from_base64(&log.old_root).unwrap() };
    let proof = hashes(Some(&log.consistency)).unwrap();
    assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
    let other = Head { size: log.old_size - 1, ..old };
    assert!(verify_consistency(&other, &new, &proof).is_err());
}

#[derive(serde::Deserialize)]
struct Files {
    checkpoints: Vec<(String, String)>,
    files: Vec<(String, String)>,
}

/// Tiles by path.
struct Served(BTreeMap<String, Vec<u8>>);

impl TileSource for &Served {
    type Error = String;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, String> {
        let path = Resource::Tile(tile).to_string();
        self.0.get(&path).cloned().ok_or(path)
    }
}

const TESSERA: &str =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

#[test]
fn a_log_of_tessera_at_each_of_its_sizes() {
    let log: Files = read!("tlog-tiles/log.json");
    let served: BTreeMap<String, Vec<u8>> =
        log.files.iter().map(|(path, text)| (path.clone(), unbase64(text).unwrap())).collect();
    let served = Served(served);
    let key = VerifierKey::parse(TESSERA).unwrap();
    let mut heads = BTreeMap::new();
    for (name, text) in &log.checkpoints {
        let signed = SignedCheckpoint::parse(text.as_bytes()).unwrap();
        assert_eq!(signed.verify_log([&key]), Ok(()), "{name}");
        assert_eq!(signed.to_string(), *text, "{name}");
        assert_eq!(signed.checkpoint().origin(), "example.com/log/testdata");
        let head = signed.checkpoint().head();
        heads.insert(head.size, head);
        let mut nodes = TileNodes::new(&served, head.size);
        assert_eq!(root(&mut nodes, head.size).as_ref(), Ok(&head.root), "{name}");
    }
    assert_eq!(heads.keys().copied().collect::<Vec<u64>>(), (0..=15).collect::<Vec<u64>>());
    let mut n_files = 0;
    for (path, bytes) in &served.0 {
        n_files += 1;
        let Some(resource) = Resource::parse(path) else { panic!("{path}") };
        assert_eq!(resource.to_string(), *path);
        if let Resource::Entries(tile) = resource {
            let entries = bundle::decode(bytes, tile.width()).unwrap();
            assert_eq!(bundle::encode(entries.iter().copied()).as_ref(), Ok(bytes), "{path}");
            let leaves = bundle::leaf_hashes(&entries);
            let below = Resource::Tile(tile).to_string();
            assert_eq!(encode(&leaves), served.0[&below], "{path}");
            let size = u64::from(tile.width());
            prove_all(&leaves, &heads, &mut TileNodes::new(&served, size), size);
        }
    }
    assert_eq!(n_files, 30);
}

/// Every proof of the tree, made from tiles, against the signed heads.
fn prove_all(
    leaves: &[Hash],
    heads: &BTreeMap<u64, Head>,
    nodes: &mut TileNodes<&Served>,
    size: u64,
) {
    for (index, leaf) in (0..size).zip(leaves) {
        let proof = inclusion(nodes, index, size).unwrap();
        assert_eq!(verify_inclusion(leaf, index, &proof, &heads[&size]), Ok(()));
        let proof = consistency(nodes, index + 1, size).unwrap();
        assert_eq!(verify_consistency(&heads[&(index + 1)], &heads[&size], &proof), Ok(()));
        assert_eq!(consistency(&mut LeafHashes(leaves), index + 1, size).unwrap(), proof);
    }
}

#[derive(serde::Deserialize)]
struct Notes {
    vkeys: Keys,
    notes: Vec<NoteCase>,
}

#[derive(serde::Deserialize)]
struct Keys {
    good: Vec<String>,
    bad: Vec<BadKey>,
}

#[derive(serde::Deserialize)]
struct BadKey {
    vkey: String,
    why: String,
}

#[derive(serde::Deserialize)]
struct NoteCase {
    id: String,
    vkeys: Vec<String>,
    expect: String,
    note: Option<String>,
    note_hex: Option<String>,
    verified: Option<Vec<String>>,
    text: Option<String>,
}

#[test]
fn notes_of_go_and_of_the_specification() {
    let vectors: Notes = read!("signed-note/notes.json");
    assert_eq!(vectors.notes.len(), 16);
    for case in vectors.notes {
        let keys: Vec<VerifierKey> =
            case.vkeys.iter().map(|vkey| VerifierKey::parse(vkey).unwrap()).collect();
        let bytes = match (&case.note, &case.note_hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(hex)) => unhex(hex).unwrap(),
            _ => panic!("{}: a note as text or as hex", case.id),
        };
        let read = Note::parse(&bytes);
        assert_eq!(read.is_err(), case.expect.starts_with("reject:malformed"), "{}", case.id);
        let Ok(note) = read else { continue };
        assert_eq!(note.to_string().into_bytes(), bytes, "{}", case.id);
        let verified = note.verify(&keys);
        assert_eq!(verified.is_ok(), case.expect == "ok", "{}: {verified:?}", case.id);
        if let Ok(verified) = verified {
            let mut names: Vec<&str> =
                verified.iter().map(|signature| signature.key.name().as_str()).collect();
            names.dedup();
            assert_eq!(names, case.verified.unwrap(), "{}", case.id);
        }
        if let Some(text) = case.text {
            assert_eq!(note.text(), text, "{}", case.id);
        }
    }
}

#[test]
fn verifier_keys_of_go() {
    let keys = read!("signed-note/notes.json");
    let Notes { vkeys: Keys { good, bad }, .. } = keys;
    for vkey in &good {
        assert_eq!(VerifierKey::parse(vkey).unwrap().to_string(), *vkey);
    }
    assert_eq!((good.len(), bad.len()), (5, 2));
    for BadKey { vkey, why } in bad {
        assert!(VerifierKey::parse(&vkey).is_err(), "{why}");
    }
    // golang/mod TestNewVerifier: no part of a key is a key, nor one with a byte counted up.
    for start in 0..good[0].len() {
        for end in start..good[0].len() + usize::from(start > 0) {
            assert!(VerifierKey::parse(&good[0][start..end]).is_err());
        }
        let mut bytes = good[0].clone().into_bytes();
        bytes[start] += 1;
        assert!(VerifierKey::parse(std::str::from_utf8(&bytes).unwrap()).is_err(), "{start}");
    }
}

#[derive(serde::Deserialize)]
struct Sequence {
    log: SequenceLog,
    exchanges: Vec<Exchange>,
}

#[derive(serde::Deserialize)]
struct SequenceLog {
    origin: String,
    ed25519_public_key_hex: String,
}

#[derive(serde::Deserialize)]
struct Exchange {
    request: String,
    expect_status: u16,
    expect_body: String,
}

#[test]
fn the_requests_of_litewitness_in_their_order() {
    let Sequence { log, exchanges } = read!("tlog-witness/sequence.json");
    let public = unhex(&log.ed25519_public_key_hex).unwrap().try_into().unwrap();
    let name = KeyName::new(&log.origin).unwrap();
    let key = VerifierKey::new(name, KeyKind::Ed25519, &public).unwrap();
    let cosigner = Cosigner::new(KeyName::new("example.com/witness").unwrap(), &[1; 32]).unwrap();
    let mut state = LogState { keys: vec![key], last: None };
    let mut statuses = Vec::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        let mut text = exchange.request.clone();
        if at == 1 {
            // Its signature sets spare bits of base64, which is no request here: status 400. What
            // the exchange is about shows when they are taken away.
            let error = Request::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.ends_with("the signature is not base64"), "{error}");
            text = text.replace("WVrx6gx=", "WVrx6gw=");
        }
        let request = Request::parse(text.as_bytes()).unwrap();
        assert_eq!(request.to_string(), text, "exchange {at}");
        let is_known = request.checkpoint.checkpoint().origin() == log.origin;
        let (status, body) = match decide(&request, is_known.then_some(&state)) {
            Decision::Cosign => {
                let line = cosigner.cosign(request.checkpoint.note().text(), 1_700_000_000);
                assert!(request.checkpoint.note().verify([cosigner.verifier()]).is_err());
                state.last = Some(request.checkpoint.clone());
                (200, format!("{line}\n"))
            }
            Decision::Refuse { refusal, .. } => {
                (refusal.status(), refusal.size_body().unwrap_or_else(|| refusal.to_string()))
            }
        };
        statuses.push(status);
        if status == 200 || status == 409 {
            let expected = exchange.expect_body.split('"').nth(1).unwrap().replace("\\n", "\n");
            assert!(body.contains(&expected), "exchange {at}: {body:?}, {expected:?}");
        }
    }
    let mut expected: Vec<u16> = exchanges.iter().map(|exchange| exchange.expect_status).collect();
    assert_eq!(expected[2], 403, "which tlog-witness v1.0.0 has as 404");
    expected[2] = 404;
    assert_eq!(statuses, expected);
}
