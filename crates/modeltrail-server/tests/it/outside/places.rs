//! Second places: folders and addresses.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::any;
use modeltrail_core::checkpoint::SignedCheckpoint;

use super::ledgers::{ORIGIN, ledger, record, vkey};
use super::servers::{Witness, serve};
use crate::support::Folder;

fn copies(folder: &Folder, places: &str) {
    folder.write("modeltrail.toml", format!("outside.copies = [{places}]"));
}

fn outside(folder: &Folder) -> serde_json::Value {
    folder.json(&["status"])["outside"].clone()
}

fn read(folder: &Folder, path: &str) -> SignedCheckpoint {
    SignedCheckpoint::parse(&std::fs::read(folder.path(path)).unwrap()).unwrap()
}

#[test]
fn a_folder_gets_the_last_one_and_one_an_hour() {
    let folder = ledger();
    let first = record(&folder, &["r1"]);
    copies(&folder, "'a', 'b'");
    folder.run(&["publish"]).code(3).says("a: no such folder; make or mount it");
    assert_eq!(outside(&folder)["tier"], "T0");
    std::fs::create_dir(folder.path("a")).unwrap();
    // One place that fails keeps no other one back.
    folder.run(&["publish"]).code(3).says("copy b");
    assert_eq!(read(&folder, "a/checkpoint"), first);
    let second = record(&folder, &["r2"]);
    std::fs::create_dir(folder.path("b")).unwrap();
    folder.run(&["publish"]).code(0);
    assert_eq!(
        (read(&folder, "a/checkpoint"), read(&folder, "b/checkpoint")),
        (second.clone(), second.clone())
    );
    let kept: Vec<String> = std::fs::read_dir(folder.path("a/kept"))
        .unwrap()
        .map(|item| item.unwrap().file_name().into_string().unwrap())
        .collect();
    // The hour may have turned between the two.
    assert!((1..=2).contains(&kept.len()) && kept[0].ends_with('Z'), "{kept:?}");
    assert_eq!(kept[0].len(), "2026-03-15T09Z".len());
    let outside = outside(&folder);
    assert_eq!(outside["tier"], "T1");
    assert_eq!(outside["covered_size"], second.checkpoint().head().size);
    assert_eq!(outside["places"].as_array().unwrap().len(), 2);
}

#[test]
fn a_folder_of_another_ledger_is_left_alone() {
    let folder = ledger();
    record(&folder, &["r1"]);
    std::fs::create_dir(folder.path("a")).unwrap();
    copies(&folder, "'a'");
    folder.write("a/checkpoint", "somebody's notes\n");
    folder.run(&["publish"]).code(3).says("a folder of its own");
    assert_eq!(std::fs::read(folder.path("a/checkpoint")).unwrap(), b"somebody's notes\n");
    let other = read_other();
    folder.write("a/checkpoint", &other);
    folder.run(&["publish"]).code(3).says("it is of the ledger example.com/other");
    assert_eq!(std::fs::read_to_string(folder.path("a/checkpoint")).unwrap(), other);
    folder.run(&["status"]).code(0).says("it is of another ledger");
}

fn read_other() -> String {
    let name = modeltrail_core::note::KeyName::new("example.com/other").unwrap();
    let head =
        modeltrail_core::anchor::Head { size: 0, root: modeltrail_core::merkle::empty_root() };
    let checkpoint =
        modeltrail_core::checkpoint::Checkpoint::new("example.com/other", head).unwrap();
    let key = modeltrail_core::note::NoteSigner::new(name, &[1; 32]).unwrap();
    checkpoint.sign(&key).unwrap().to_string()
}

/// What an address was sent: method, path, body.
type Sent = Arc<Mutex<Vec<(String, String, String)>>>;

/// An address that answers 503 `n_busy` times, then takes everything below `/ok`.
fn address(n_busy: usize) -> (String, Sent) {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let take = async move |request: Request| {
        let (parts, body): (_, Body) = request.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let mut seen = seen.lock().unwrap();
        seen.push((parts.method.to_string(), parts.uri.to_string(), text));
        match (seen.len() <= n_busy, parts.uri.path().starts_with("/ok")) {
            (true, _) => StatusCode::SERVICE_UNAVAILABLE,
            (false, true) => StatusCode::NO_CONTENT,
            (false, false) => StatusCode::FORBIDDEN,
        }
    };
    let router = Router::new().fallback(any(take));
    (serve(router).to_string(), sent)
}

#[test]
fn addresses_get_it_by_put_or_post() {
    let folder = ledger();
    let checkpoint = record(&folder, &["r1"]);
    let (address, sent) = address(0);
    copies(
        &folder,
        &format!("'http://{address}/ok/put?token=s3cret', 'post+http://{address}/ok/post'"),
    );
    let output = folder.run(&["publish"]).code(0);
    assert!(!output.stdout.contains("s3cret"), "{}", output.stdout);
    let expected = [("PUT", "/ok/put?token=s3cret"), ("POST", "/ok/post")];
    let expected =
        expected.map(|(method, path)| (method.into(), path.into(), checkpoint.to_string()));
    assert_eq!(*sent.lock().unwrap(), expected);
    let outside = outside(&folder);
    assert_eq!((&outside["tier"], &outside["n_exposed"]), (&"T1".into(), &0.into()));
    assert!(
        !std::fs::read_to_string(folder.path("modeltrail.db.d/outside.json"))
            .unwrap()
            .contains("s3cret")
    );
}

#[test]
fn an_address_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
    let folder = ledger();
    record(&folder, &["r1"]);
    let (busy, sent) = address(2);
    copies(&folder, &format!("'http://{busy}/ok'"));
    folder.run(&["publish"]).code(0);
    assert_eq!(sent.lock().unwrap().len(), 3);
    let (refuses, sent) = address(0);
    copies(&folder, &format!("'http://{refuses}/no'"));
    folder.run(&["publish"]).code(3).says("status 403");
    assert_eq!(sent.lock().unwrap().len(), 1);
    copies(&folder, "'http://127.0.0.1:1/x'");
    folder.run(&["publish"]).code(3).says("http://127.0.0.1:1/x");
}

#[test]
fn copies_come_with_the_cosignatures() {
    let folder = ledger();
    record(&folder, &["r1"]);
    let witness = Witness::new(&folder, "w", &[&vkey()]);
    std::fs::create_dir(folder.path("a")).unwrap();
    folder.write("policy", format!("log {}\n{}quorum w\n", vkey(), witness.policy_line()));
    folder.write("modeltrail.toml", "outside = { policy = 'policy', copies = ['a'] }");
    folder.run(&["publish"]).code(0);
    let copy = read(&folder, "a/checkpoint");
    assert_eq!(copy.checkpoint().origin(), ORIGIN);
    let policy = super::ledgers::policy(&folder);
    assert_eq!(policy.verify(&copy).unwrap().cosigned().len(), 1);
}
