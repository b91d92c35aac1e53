//! The witness without HTTP: statuses, what is durable before a cosignature, evidence.

use std::path::Path;

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::merkle::{LeafHashes, consistency, root};
use modeltrail_core::note::{KeyName, NoteSigner, SignatureLine, VerifierKey};
use modeltrail_core::witness::{Request, SIZE_CONTENT_TYPE};

use super::judge::Answer;
use super::{StateDir, Witness, WitnessError, key, parse_logs};

const ORIGIN: &str = "example.com/ledger";
const NOW_S: u64 = 1_800_000_000;

fn signer(seed: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[seed; 32]).unwrap()
}

fn cosigner() -> Cosigner {
    Cosigner::new(KeyName::new("witness.example/w1").unwrap(), &[9; 32]).unwrap()
}

fn hashes(n: u8, forked_at: Option<usize>) -> Vec<Hash> {
    let mut hashes: Vec<Hash> = (0..n).map(|n| Hash([n; 32])).collect();
    if let Some(at) = forked_at {
        hashes[at] = Hash([0xff; 32]);
    }
    hashes
}

fn request_of(hashes: &[Hash], old: u64, new: u64, key: &NoteSigner) -> Request {
    let head = Head { size: new, root: root(&mut LeafHashes(hashes), new).unwrap() };
    let checkpoint = Checkpoint::new(ORIGIN, head).unwrap().sign(key).unwrap();
    let mut nodes = LeafHashes(hashes);
    let proof = if old == 0 { Vec::new() } else { consistency(&mut nodes, old, new).unwrap() };
    Request { old_size: old, proof, checkpoint }
}

fn request(old: u64, new: u64) -> Request {
    request_of(&hashes(40, None), old, new, &signer(1))
}

fn open(dir: &Path) -> Witness {
    let state = StateDir::open(dir, cosigner().verifier()).unwrap();
    Witness::new(cosigner(), state, vec![signer(1).verifier().clone()], || Some(NOW_S)).unwrap()
}

fn ask(witness: &Witness, request: &Request) -> Answer {
    witness.add_checkpoint(request.to_string().as_bytes())
}

/// Files below a folder with what they hold, without the lock.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for item in std::fs::read_dir(dir).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if !path.ends_with("lock") {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The last checkpoint that the state in `dir` knows.
fn known(dir: &Path) -> Option<SignedCheckpoint> {
    let state = StateDir::open(dir, cosigner().verifier()).unwrap();
    state.last(ORIGIN, &[signer(1).verifier().clone()]).unwrap()
}

#[test]
fn what_is_cosigned_is_remembered_first() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    for (old, new) in [(0, 3), (3, 3), (3, 17), (17, 40)] {
        let request = request(old, new);
        let answer = ask(&witness, &request);
        assert_eq!(answer.status, 200, "{}", answer.body);
        let line = SignatureLine::parse(answer.body.trim_end()).unwrap();
        let verified =
            cosigner().verifier().verify(request.checkpoint.note().text(), &line).unwrap().time_s;
        assert_eq!(verified, Some(NOW_S));
    }
    drop(witness);
    assert_eq!(known(dir.path()), Some(request(17, 40).checkpoint));
}

#[test]
fn statuses_are_those_of_c2sp() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    let before = files(dir.path());
    let behind = ask(&witness, &request(3, 9));
    assert_eq!((behind.status, behind.content_type), (409, SIZE_CONTENT_TYPE));
    assert_eq!(behind.body, "5\n");
    assert_eq!(ask(&witness, &request(0, 4)).status, 409, "a rollback");
    assert_eq!(witness.add_checkpoint(b"old 5\n").status, 400);
    let mut above = request(9, 9);
    above.checkpoint = request(0, 8).checkpoint;
    assert_eq!(ask(&witness, &above).status, 400);
    assert_eq!(ask(&witness, &request_of(&hashes(9, None), 5, 9, &signer(2))).status, 403);
    let other = Checkpoint::new("example.com/other", Head { size: 0, root: Hash::default() });
    let other = other.unwrap().sign(&signer(1)).unwrap();
    let other = Request { old_size: 0, proof: Vec::new(), checkpoint: other };
    assert_eq!(ask(&witness, &other).status, 404);
    assert_eq!(files(dir.path()), before, "a refusal changes nothing");
}

#[test]
fn two_histories_are_refused_and_kept_as_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    let forged = request_of(&hashes(9, Some(2)), 5, 5, &signer(1));
    let refused = ask(&witness, &forged);
    assert_eq!((refused.status, refused.content_type), (409, "text/plain; charset=utf-8"));
    let extended = request_of(&hashes(9, Some(2)), 5, 9, &signer(1));
    assert_eq!(ask(&witness, &extended).status, 422);
    drop(witness);
    let kept = files(dir.path());
    let file = |kind: &str, name: &str| {
        let of = |path: &str| path.contains(&format!("/evidence/{kind}-")) && path.ends_with(name);
        let (_, bytes) = kept.iter().find(|(path, _)| of(path)).unwrap();
        SignedCheckpoint::parse(bytes).unwrap()
    };
    let (submitted, last) = (file("equivocation", "submitted"), file("equivocation", "known"));
    let keys = [signer(1).verifier().clone()];
    assert!(modeltrail_core::witness::is_equivocation(&submitted, &last, &keys));
    assert_eq!(file("inconsistency", "submitted"), extended.checkpoint);
    assert_eq!(known(dir.path()), Some(request(0, 5).checkpoint));
}

#[test]
fn evidence_does_not_fill_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    for n in 0..80 {
        let mut wrong = request(5, 9);
        wrong.proof[0] = Hash([100 + n; 32]);
        assert_eq!(ask(&witness, &wrong).status, 422);
    }
    let n_kept = files(dir.path()).iter().filter(|(path, _)| path.ends_with("/request")).count();
    assert_eq!(n_kept, 64);
    // One kind does not take another's room.
    assert_eq!(ask(&witness, &request_of(&hashes(9, Some(2)), 5, 5, &signer(1))).status, 409);
    let kept = files(dir.path());
    assert!(kept.iter().any(|(path, _)| path.contains("/equivocation-")));
}

#[test]
fn a_state_that_cannot_be_written_gives_no_cosignature() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    // A file where the folder of states should be: no permission stops root, this does.
    std::fs::write(dir.path().join("logs"), b"").unwrap();
    let answer = ask(&witness, &request(0, 5));
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains('\u{2014}'), "{}", answer.body);
    std::fs::remove_file(dir.path().join("logs")).unwrap();
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
}

/// Killed after the state was written and before the answer: the log asks as before, learns the size,
/// and gets its cosignature from there.
#[test]
fn an_answer_that_was_lost_can_be_had_again() {
    let dir = tempfile::tempdir().unwrap();
    let lost = request(0, 5);
    let state = StateDir::open(dir.path(), cosigner().verifier()).unwrap();
    state.set_last(&lost.checkpoint).unwrap();
    drop(state);
    let witness = open(dir.path());
    let told = ask(&witness, &lost);
    assert_eq!((told.status, told.body.as_str()), (409, "5\n"));
    assert_eq!(ask(&witness, &request(5, 5)).status, 200);
    assert_eq!(ask(&witness, &request(5, 40)).status, 200);
    let forged = request_of(&hashes(9, Some(2)), 5, 5, &signer(1));
    assert_ne!(ask(&witness, &forged).status, 200);
}

#[test]
fn requests_at_once_never_take_the_state_back() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    let n_cosigned = std::thread::scope(|scope| {
        let witness = &witness;
        let all =
            [7, 9, 20, 33, 39, 40].map(|new| scope.spawn(move || ask(witness, &request(5, new))));
        all.into_iter()
            .filter(|_| true)
            .map(|one| one.join().unwrap())
            .filter(|a| a.status == 200)
            .count()
    });
    assert_eq!(n_cosigned, 1, "all began at 5, so the first one moved it");
}

#[test]
fn a_damaged_or_foreign_memory_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let key = cosigner();
    assert!(StateDir::open(&dir.path().join("mistyped"), key.verifier()).is_err());
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    let second = StateDir::open(dir.path(), key.verifier()).err().unwrap();
    assert!(second.to_string().contains("another process"), "{second}");
    drop(witness);
    let stranger = Cosigner::new(KeyName::new("witness.example/w2").unwrap(), &[8; 32]).unwrap();
    let refused = StateDir::open(dir.path(), stranger.verifier()).err().unwrap();
    assert!(refused.to_string().contains("another key"), "{refused}");
    let (path, bytes) =
        files(dir.path()).into_iter().find(|(p, _)| p.ends_with("/checkpoint")).unwrap();
    let keys = vec![signer(1).verifier().clone()];
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        std::fs::write(&path, &changed).unwrap();
        let state = StateDir::open(dir.path(), key.verifier()).unwrap();
        match state.last(ORIGIN, &keys) {
            Err(WitnessError::File { .. }) => {}
            // The name or ID of the signature's key: it is an unknown key's now, as after a rotation.
            Ok(Some(last)) => {
                assert_eq!(last.checkpoint(), request(0, 5).checkpoint.checkpoint(), "{at}")
            }
            other => panic!("{at}: {other:?}"),
        }
    }
}

/// Whoever can delete the file must not get another history cosigned: neither by the witness that runs,
/// nor by one that starts.
#[test]
fn a_witness_that_lost_a_logs_checkpoint_refuses() {
    for lost in ["logs/LOG/checkpoint", "logs/LOG", "logs"] {
        let dir = tempfile::tempdir().unwrap();
        let witness = open(dir.path());
        assert_eq!(ask(&witness, &request(0, 5)).status, 200);
        let log = modeltrail_core::hash::sha256(&[ORIGIN.as_bytes()]).to_hex();
        let path = dir.path().join(lost.replace("LOG", &log));
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let forged = request_of(&hashes(9, Some(2)), 0, 7, &signer(1));
        let answer = ask(&witness, &forged);
        assert_eq!(answer.status, 500, "{lost}");
        assert!(!answer.body.contains('\u{2014}'), "{lost}: {}", answer.body);
        drop(witness);
        let state = StateDir::open(dir.path(), cosigner().verifier()).unwrap();
        let keys = vec![signer(1).verifier().clone()];
        let refused = Witness::new(cosigner(), state, keys, || Some(NOW_S)).err().unwrap();
        assert!(refused.to_string().contains("restore this file"), "{lost}: {refused}");
    }
}

/// What a witness of an older version has left: evidence, and no note of the log beside.
#[test]
fn evidence_says_that_there_was_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let witness = open(dir.path());
    assert_eq!(ask(&witness, &request(0, 5)).status, 200);
    assert_ne!(ask(&witness, &request_of(&hashes(9, Some(2)), 5, 5, &signer(1))).status, 200);
    std::fs::remove_dir_all(dir.path().join("begun")).unwrap();
    let (path, _) =
        files(dir.path()).into_iter().find(|(p, _)| p.ends_with("/checkpoint")).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!(ask(&witness, &request(0, 5)).status, 500);
}

#[test]
fn a_log_can_rotate_its_key() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(ask(&open(dir.path()), &request(0, 5)).status, 200);
    let state = StateDir::open(dir.path(), cosigner().verifier()).unwrap();
    let keys = vec![signer(2).verifier().clone()];
    let witness = Witness::new(cosigner(), state, keys, || Some(NOW_S)).unwrap();
    assert_eq!(ask(&witness, &request(5, 9)).status, 403, "the old key is gone");
    let with_new = request_of(&hashes(40, None), 5, 9, &signer(2));
    assert_eq!(ask(&witness, &with_new).status, 200);
}

#[test]
fn keys_are_made_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("witness.key");
    assert!(key::read(&path).unwrap_err().to_string().contains("witness key"));
    let made = key::create(&path, KeyName::new("w").unwrap()).unwrap();
    assert_eq!(key::read(&path).unwrap().verifier(), made.verifier());
    assert!(key::create(&path, KeyName::new("w").unwrap()).is_err());
    std::fs::write(&path, signer(1).to_secret_text()).unwrap();
    let refused = key::read(&path).unwrap_err().to_string();
    assert!(refused.contains("0x04") && !refused.contains("PRIVATE"), "{refused}");
}

#[test]
fn only_keys_of_logs_are_taken_for_logs() {
    let texts = |key: &VerifierKey| vec![key.to_string()];
    assert_eq!(parse_logs(&texts(signer(1).verifier())).unwrap(), [signer(1).verifier().clone()]);
    assert!(matches!(parse_logs(&texts(cosigner().verifier())), Err(WitnessError::LogKey { .. })));
    assert!(matches!(parse_logs(&["x".into()]), Err(WitnessError::LogKey { .. })));
    assert!(matches!(parse_logs(&[]), Err(WitnessError::NoLogs)));
}
