//! Second places: folders and addresses.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
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

/// An address that answers 503 `n_busy` times, then takes everything below `/ok`, and gives what was put
/// there unless the path ends in `post` or `blind`.
fn address(n_busy: usize) -> (String, Sent) {
    let sent = Sent::default();
    let seen = Arc::clone(&sent);
    let take = async move |request: Request| {
        let (parts, body): (_, Body) = request.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let mut seen = seen.lock().unwrap();
        seen.push((parts.method.to_string(), parts.uri.to_string(), text));
        let path = parts.uri.path();
        let last = seen
            .iter()
            .rev()
            .find(|(method, uri, _)| method == "PUT" && uri.split('?').next() == Some(path));
        let last = last.map(|(_, _, body)| body.clone());
        let is_get = parts.method == axum::http::Method::GET;
        if seen.len() <= n_busy {
            (StatusCode::SERVICE_UNAVAILABLE, String::new())
        } else if !path.starts_with("/ok") || (is_get && path.ends_with("blind")) {
            (StatusCode::FORBIDDEN, String::new())
        } else if is_get {
            last.map_or((StatusCode::NOT_FOUND, String::new()), |body| (StatusCode::OK, body))
        } else {
            (StatusCode::NO_CONTENT, String::new())
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
    let text = checkpoint.to_string();
    let expected = [
        ("GET", "/ok/put?token=s3cret", ""),
        ("PUT", "/ok/put?token=s3cret", text.as_str()),
        ("POST", "/ok/post", text.as_str()),
    ];
    let expected = expected.map(|(method, path, body)| (method.into(), path.into(), body.into()));
    assert_eq!(*sent.lock().unwrap(), expected);
    let outside = outside(&folder);
    assert_eq!((&outside["tier"], &outside["n_exposed"]), (&"T1".into(), &0.into()));
    assert!(
        !std::fs::read_to_string(folder.path("modeltrail.db.d/outside.json"))
            .unwrap()
            .contains("s3cret")
    );
}

/// The ledger with the same key is made anew: what the addresses have must show it, and stay.
#[test]
fn an_address_with_another_history_is_told_and_left_as_it_is() {
    let folder = ledger();
    let other = super::ledgers::fork(&folder);
    let honest = record(&folder, &["r1", "r2"]);
    let (one, sent) = address(0);
    std::fs::create_dir(folder.path("a")).unwrap();
    copies(&folder, &format!("'http://{one}/ok/x', 'a'"));
    folder.run(&["publish"]).code(0);
    assert_eq!(outside(&folder)["tier"], "T1");
    record(&other, &["r1", "another"]);
    record(&other, &["r3"]);
    super::ledgers::replace_by(&folder, &other);
    // Whoever rewrites the folder's copy too is still found out by the address.
    std::fs::remove_dir_all(folder.path("a")).unwrap();
    std::fs::create_dir(folder.path("a")).unwrap();
    let told = folder.run(&["publish"]).code(1).says("another root");
    assert!(told.stdout.contains("held back"), "{}", told.stdout);
    assert!(!folder.path("a/checkpoint").exists(), "it was put elsewhere all the same");
    let n_put = sent.lock().unwrap().iter().filter(|(method, ..)| method == "PUT").count();
    assert_eq!(n_put, 1);
    assert_eq!(sent.lock().unwrap()[1].2, honest.to_string());
    // The copy is signed by the ledger's key, so it is evidence.
    assert_eq!(
        (&outside(&folder)["n_evidence"], &outside(&folder)["is_contradicted"]),
        (&1.into(), &true.into())
    );
    folder.run(&["verify"]).code(1).says("two histories");
}

#[test]
fn an_address_that_cannot_be_read_back_does_not_count() {
    let folder = ledger();
    record(&folder, &["r1"]);
    let (address, sent) = address(0);
    copies(&folder, &format!("'http://{address}/ok/blind', 'post+http://{address}/ok/post'"));
    let told = folder.run(&["publish"]).code(0);
    assert!(told.stdout.contains("held against nothing"), "{}", told.stdout);
    assert_eq!(sent.lock().unwrap().len(), 3);
    assert_eq!(outside(&folder)["tier"], "T0");
    folder.run(&["status"]).code(0).says("nothing is ever compared");
}

#[test]
fn an_address_in_trouble_is_asked_again_and_one_that_refuses_is_not() {
    let folder = ledger();
    record(&folder, &["r1"]);
    let (busy, sent) = address(2);
    copies(&folder, &format!("'http://{busy}/ok'"));
    folder.run(&["publish"]).code(0);
    assert_eq!(sent.lock().unwrap().len(), 4, "three to read, one to write");
    let (refuses, sent) = address(0);
    copies(&folder, &format!("'http://{refuses}/no'"));
    folder.run(&["publish"]).code(3).says("status 403");
    assert_eq!(sent.lock().unwrap().len(), 2);
    copies(&folder, "'http://127.0.0.1:1/x'");
    folder.run(&["publish"]).code(3).says("http://127.0.0.1:1/x");
}

#[test]
fn copies_come_with_the_cosignatures() {
    let folder = ledger();
    record(&folder, &["r1"]);
    let witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    std::fs::create_dir(folder.path("a")).unwrap();
    folder.write("policy", format!("log {}\n{}quorum w\n", vkey(&folder), witness.policy_line()));
    folder.write("modeltrail.toml", "outside = { policy = 'policy', copies = ['a'] }");
    folder.run(&["publish"]).code(0);
    let copy = read(&folder, "a/checkpoint");
    assert_eq!(copy.checkpoint().origin(), ORIGIN);
    let policy = super::ledgers::policy(&folder);
    assert_eq!(policy.verify(&copy).unwrap().cosigned().len(), 1);
}

/// An address with TLS, its certificate from an authority of the test's own.
const TLS_SERVER: &str = r"
import http.server, ssl
class Take(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(404)
        self.send_header('Content-Length', '0')
        self.end_headers()
    def do_PUT(self):
        self.rfile.read(int(self.headers['Content-Length']))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(('127.0.0.1', 0), Take)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('tls.pem', 'tls.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
";

const TLS_CONFIG: &str = "\
[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=test\n\
[root]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n\
[leaf]\nbasicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n";

#[test]
fn certificates_of_addresses_are_checked() {
    let folder = ledger();
    if !has("openssl", "version") || !has("python3", "--version") {
        eprintln!("skipped: there is no openssl or no python3 to serve TLS with");
        return;
    }
    record(&folder, &["r1"]);
    folder.write("tls.cnf", TLS_CONFIG);
    folder.write("server.py", TLS_SERVER);
    for args in [
        "ecparam -name prime256v1 -genkey -noout -out root.key",
        "ecparam -name prime256v1 -genkey -noout -out tls.key",
        "req -new -x509 -key root.key -days 2 -config tls.cnf -extensions root -subj /CN=root -out root.pem",
        "req -new -key tls.key -config tls.cnf -subj /CN=tls -out tls.csr",
        "x509 -req -in tls.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile tls.cnf -extensions leaf -out tls.pem",
    ] {
        let mut openssl = Command::new("openssl");
        let done = openssl.args(args.split(' ')).current_dir(folder.path("")).output().unwrap();
        assert!(done.status.success(), "{args}: {}", String::from_utf8_lossy(&done.stderr));
    }
    let mut python = Command::new("python3");
    python.arg("server.py").current_dir(folder.path("")).stdout(Stdio::piped());
    let mut server = python.stderr(Stdio::null()).spawn().unwrap();
    let mut port = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let copies = format!("copies = ['https://127.0.0.1:{}/x']", port.trim());
    folder.write("modeltrail.toml", format!("[outside]\n{copies}"));
    let refused = folder.run(&["publish"]);
    folder.write("modeltrail.toml", format!("[outside]\n{copies}\nca_file = 'root.pem'"));
    let taken = folder.run(&["publish"]);
    server.kill().unwrap();
    server.wait().unwrap();
    refused.code(3).says("certificate");
    taken.code(0);
}

fn has(program: &str, version: &str) -> bool {
    Command::new(program).arg(version).output().is_ok_and(|done| done.status.success())
}
