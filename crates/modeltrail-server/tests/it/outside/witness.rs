//! `modeltrail witness` as a process: its start, its bounds, its end, and what survives a kill.

use std::io::Write as _;
use std::net::TcpStream;

use modeltrail_core::witness::REQUEST_BYTES_MAX;
use serde_json::Value;

use super::ledgers::{ledger, policy, record, settings, stored, vkey};
use super::servers::{PATIENCE, Witness};
use crate::support::Folder;

/// The first request for a checkpoint.
fn first(checkpoint: &impl ToString) -> String {
    format!("old 0\n\n{}", checkpoint.to_string())
}

#[test]
fn what_it_needs_must_be_there() {
    let folder = ledger();
    let serve = |rest: &[&str]| folder.run(&[&["witness", "serve"][..], rest].concat());
    serve(&[]).code(2).says("a witness without logs");
    serve(&["--log", "nonsense"]).code(2).says("the log key `nonsense`");
    serve(&["--log", &vkey(&folder)]).code(3).says("witness.key: no such file");
    let made = folder.run(&["witness", "key", "--generate", "w.example"]).code(0).stdout;
    assert_eq!(folder.run(&["witness", "key"]).code(0).stdout, made);
    assert!(made.starts_with("w.example+") && !made.contains("PRIVATE"));
    folder.run(&["witness", "key", "--generate", "w.example"]).code(3).says("never replaced");
    folder.run(&["witness", "key", "--key", "x", "--generate", "a b"]).code(2).says("--generate");
    serve(&["--log", &vkey(&folder)]).code(3).says("witness.state: no such folder");
    std::fs::create_dir(folder.path("witness.state")).unwrap();
    serve(&["--log", &vkey(&folder), "--listen", "nowhere"])
        .code(3)
        .says("cannot listen at nowhere");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(folder.path("witness.key"), mode).unwrap();
    serve(&["--log", &vkey(&folder)]).code(3).says("chmod 600");
}

#[test]
fn two_processes_cannot_be_one_witness() {
    let folder = ledger();
    let _witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    let args =
        ["witness", "serve", "--key", "w.key", "--state", "w.state", "--log", &vkey(&folder)];
    folder.run(&args).code(3).says("another process is this witness");
}

#[test]
fn an_empty_memory_under_a_key_that_was_used_is_refused() {
    let folder = ledger();
    let mut witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    witness.kill();
    std::fs::remove_dir_all(folder.path("w.state")).unwrap();
    std::fs::create_dir(folder.path("w.state")).unwrap();
    let args =
        ["witness", "serve", "--key", "w.key", "--state", "w.state", "--log", &vkey(&folder)];
    for _ in 0..2 {
        folder.run(&args).code(3).says("w.state: is empty").says("make a new key");
    }
}

#[test]
fn strangers_get_short_answers() {
    let folder = ledger();
    let checkpoint = record(&folder, &["r1"]);
    let witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    assert_eq!(witness.add_checkpoint("nonsense").0, 400);
    assert_eq!(witness.add_checkpoint(&"x".repeat(REQUEST_BYTES_MAX + 1)).0, 413);
    assert_eq!(witness.ask("GET /add-checkpoint", b"").0, 405);
    assert_eq!(witness.ask("POST /elsewhere", b"").0, 404);
    assert_eq!(witness.ask("GET /healthz", b"").0, 200);
    let unknown = first(&checkpoint).replace("example.com/outside", "example.com/other");
    assert_eq!(witness.add_checkpoint(&unknown).0, 404);
    let (status, answer) = witness.add_checkpoint(&first(&checkpoint));
    assert!(status == 200 && answer.contains("\u{2014} w.example "), "{answer}");
    let (status, answer) = witness.add_checkpoint(&first(&checkpoint));
    assert!(status == 409 && answer.contains("content-type: text/x.tlog.size\r\n"), "{answer}");
    assert_eq!(witness.terminate(), Some(0));
}

/// Connections that say nothing do not keep it from ending, nor a log from its cosignature.
#[test]
fn silent_connections_are_in_nobodys_way() {
    let folder = ledger();
    let checkpoint = record(&folder, &["r1"]);
    let witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    let silent: Vec<TcpStream> =
        (0..100).map(|_| TcpStream::connect(witness.address).unwrap()).collect();
    assert_eq!(witness.add_checkpoint(&first(&checkpoint)).0, 200);
    assert_eq!(witness.terminate(), Some(0));
    drop(silent);
}

/// More of them than there is room for, silent or with a head that never ends: they are sent away after
/// some seconds, and a log has its turn long before they would have ended by themselves.
#[test]
fn those_who_hold_all_connections_are_sent_away() {
    let folder = ledger();
    let checkpoint = record(&folder, &["r1"]);
    let witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    let held: Vec<TcpStream> = (0..300)
        .map(|n| {
            let mut stream = TcpStream::connect(witness.address).unwrap();
            if n % 2 == 0 {
                stream.write_all(b"POST /add-checkpoint HTTP/1.1\r\nHost: ").unwrap();
            }
            stream
        })
        .collect();
    let began = std::time::Instant::now();
    assert_eq!(witness.add_checkpoint(&first(&checkpoint)).0, 200);
    let waited = began.elapsed();
    assert!(waited < std::time::Duration::from_secs(15), "{waited:?}");
    drop(held);
}

/// The state is written and the process is gone before anybody has read the answer.
#[test]
fn a_witness_that_is_killed_before_its_answer_goes_on_where_it_was() {
    let folder = ledger();
    let mut witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    settings(&folder, &(witness.policy_line() + "quorum w\n"), "");
    for round in 0..5 {
        let before = if round == 0 { None } else { Some(stored(&folder)) };
        let checkpoint = record(&folder, &[&format!("r{round}")]);
        // What `publish` would send, from the size that the witness knows.
        let request = match before {
            None => first(&checkpoint),
            Some(before) => request(&folder, before.checkpoint().head().size),
        };
        let mut stream = TcpStream::connect(witness.address).unwrap();
        let n = request.len();
        write!(
            stream,
            "POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: {n}\r\n\r\n{request}"
        )
        .unwrap();
        wait_for_state(&folder, &checkpoint.to_string());
        witness.kill();
        drop(stream);
        witness.restart(&folder, &[&vkey(&folder)]);
        assert!(policy(&folder).verify(&stored(&folder)).is_err(), "the answer was lost");
        folder.run(&["publish"]).code(0);
        assert!(policy(&folder).verify(&stored(&folder)).is_ok());
    }
}

fn request(folder: &Folder, old: u64) -> String {
    let path = folder.path("modeltrail.db");
    let store =
        modeltrail::store::SqliteStore::open(&path, modeltrail::store::Access::Read).unwrap();
    let checkpoint = stored(folder);
    let proof =
        modeltrail::proofs::consistency(&store, old, checkpoint.checkpoint().head().size).unwrap();
    modeltrail_core::witness::Request { old_size: old, proof, checkpoint }.to_string()
}

/// Waits until the witness's file holds this checkpoint.
fn wait_for_state(folder: &Folder, checkpoint: &str) {
    let began = std::time::Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "the witness does not write its state");
        let logs = std::fs::read_dir(folder.path("w.state/logs")).into_iter().flatten();
        let mut states =
            logs.map(|log| std::fs::read_to_string(log.unwrap().path().join("checkpoint")));
        if states.any(|state| state.is_ok_and(|state| state == checkpoint)) {
            return;
        }
        std::thread::yield_now();
    }
}

/// Requests of another implementation's test, with the statuses that it expects. They lie in a folder
/// beside the project that not everybody has; without it the test says so and passes.
#[test]
fn the_exchanges_of_another_witness_get_its_statuses() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/vectors/tlog-witness/add-checkpoint-sequence.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: no vectors of others beside the project");
        return;
    };
    let vectors: Value = serde_json::from_str(&text).unwrap();
    let log = &vectors["log"];
    let public =
        modeltrail_core::hash::unhex(log["ed25519_public_key_hex"].as_str().unwrap()).unwrap();
    let key = modeltrail_core::note::VerifierKey::new(
        modeltrail_core::note::KeyName::new(log["origin"].as_str().unwrap()).unwrap(),
        modeltrail_core::note::KeyKind::Ed25519,
        &public.try_into().unwrap(),
    );
    let folder = Folder::new();
    let witness = Witness::new(&folder, "w", &[&key.unwrap().to_string()]);
    let exchanges = vectors["exchanges"].as_array().unwrap();
    for (n, exchange) in exchanges.iter().enumerate() {
        let (status, answer) = witness.add_checkpoint(exchange["request"].as_str().unwrap());
        let expected = match n {
            // Its signature was spoilt so that it is not canonical base64 any more: no note at all.
            1 => 400,
            // C2SP has 404 for a log that is not known; this older witness had 403.
            2 => 404,
            _ => exchange["expect_status"].as_u64().unwrap(),
        };
        assert_eq!(u64::from(status), expected, "{n}: {answer}");
    }
    assert_eq!(exchanges.len(), 9);
}
