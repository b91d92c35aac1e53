//! Time stamps, from an authority that runs beside the test: `openssl ts -reply` behind HTTP. Who has no
//! openssl is told so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;

use super::ledgers::{ledger, record, stored};
use super::servers::serve;
use crate::support::Folder;

const CONFIG: &str = "\
[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=test\n\
[root]\nbasicConstraints=critical,CA:TRUE\n\
[leaf]\nbasicConstraints=CA:FALSE\nextendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n\
[tsa]\ndefault_tsa=t\n\
[t]\nserial=serial\ncrypto_device=builtin\nsigner_cert=tsa.pem\ncerts=root.pem\nsigner_key=tsa.key\n\
signer_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\n\
ess_cert_id_chain=no\n";

fn openssl(dir: &Path, args: &str) {
    let done = Command::new("openssl").args(args.split(' ')).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "openssl {args}: {}", String::from_utf8_lossy(&done.stderr));
}

/// An authority with its own root, in a folder.
fn authority(dir: &Path) {
    std::fs::write(dir.join("c.cnf"), CONFIG).unwrap();
    for name in ["root", "tsa"] {
        openssl(dir, &format!("ecparam -name prime256v1 -genkey -noout -out {name}.key"));
    }
    openssl(
        dir,
        "req -new -x509 -key root.key -days 2 -config c.cnf -extensions root -subj /CN=root -out root.pem",
    );
    openssl(dir, "req -new -key tsa.key -config c.cnf -subj /CN=tsa -out tsa.csr");
    openssl(
        dir,
        "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile c.cnf -extensions leaf -out tsa.pem",
    );
}

/// Which answer the authority gives.
#[derive(Clone, Copy)]
enum Gives {
    Stamp,
    /// The stamp that it gave first, whatever is asked.
    AnOldStamp,
    AWebPage,
}

/// The authority at an address.
fn at_an_address(dir: PathBuf, gives: Gives) -> String {
    let dir = Arc::new(dir);
    let answer = async move |body: Bytes| {
        let (query, reply) = (dir.join("query"), dir.join("reply"));
        if !matches!(gives, Gives::AnOldStamp) || !reply.exists() {
            std::fs::write(&query, &body).unwrap();
            openssl(&dir, "ts -reply -config c.cnf -section t -queryfile query -out reply");
        }
        match gives {
            Gives::AWebPage => {
                ([(CONTENT_TYPE, "text/html")], b"<h1>hello</h1>".to_vec()).into_response()
            }
            _ => ([(CONTENT_TYPE, "application/timestamp-reply")], std::fs::read(reply).unwrap())
                .into_response(),
        }
    };
    format!("http://{}", serve(Router::new().route("/tsr", post(answer))))
}

fn has_openssl() -> bool {
    let has =
        Command::new("openssl").arg("version").output().is_ok_and(|done| done.status.success());
    if !has {
        eprintln!("skipped: there is no openssl, which makes the stamps of this test");
    }
    has
}

/// A ledger with an authority, or nothing where there is no openssl.
fn stamped(gives: Gives, every_s: u64) -> Option<Folder> {
    if !has_openssl() {
        return None;
    }
    let folder = ledger();
    std::fs::create_dir(folder.path("tsa")).unwrap();
    authority(&folder.path("tsa"));
    let url = at_an_address(folder.path("tsa"), gives);
    folder.write(
        "modeltrail.toml",
        format!("outside = {{ tsa = '{url}/tsr', tsa_every_s = {every_s} }}"),
    );
    record(&folder, &["r1", "r2"]);
    Some(folder)
}

fn stamps(folder: &Folder) -> Vec<String> {
    let items = std::fs::read_dir(folder.path("modeltrail.db.d/timestamps")).into_iter().flatten();
    let mut names: Vec<String> =
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_stamp_is_kept_and_openssl_verifies_it() {
    let Some(folder) = stamped(Gives::Stamp, 3600) else { return };
    let checkpoint = stored(&folder);
    let size = checkpoint.checkpoint().head().size;
    folder.run(&["publish"]).code(0);
    assert_eq!(stamps(&folder), [format!("{size}.tsr"), format!("{size}.txt")]);
    let dir = folder.path("modeltrail.db.d/timestamps");
    let text = std::fs::read_to_string(dir.join(format!("{size}.txt"))).unwrap();
    assert_eq!(text, checkpoint.note().text());
    let root = folder.path("tsa/root.pem");
    openssl(
        &dir,
        &format!("ts -verify -data {size}.txt -in {size}.tsr -CAfile {}", root.display()),
    );
    let outside = folder.json(&["status"])["outside"].clone();
    assert_eq!((&outside["tier"], &outside["covered_size"]), (&"T3".into(), &size.into()));
    assert_eq!(outside["exposed_max_s"], 3610);
    assert_eq!(outside["basis"], "a time stamp, signature not verified");
    // Another one within the hour is not asked for, even when there are more entries.
    record(&folder, &["r3"]);
    let again = folder.run(&["--format", "json", "publish"]).code(0).json();
    assert_eq!(again["outcomes"][1]["state"], "not_due");
    assert_eq!(stamps(&folder).len(), 2);
}

#[test]
fn a_ledger_that_did_not_grow_needs_no_further_stamp() {
    let Some(folder) = stamped(Gives::Stamp, 1) else { return };
    folder.run(&["publish"]).code(0);
    let again = folder.run(&["--format", "json", "publish"]).code(0).json();
    assert_eq!(again["outcomes"][1]["state"], "not_due");
}

#[test]
fn an_answer_that_is_no_stamp_of_this_is_not_kept() {
    let Some(folder) = stamped(Gives::AWebPage, 1) else { return };
    folder.run(&["publish"]).code(3).says("status 200, text/html: <h1>hello</h1>");
    assert_eq!(stamps(&folder), Vec::<String>::new());
    let Some(folder) = stamped(Gives::AnOldStamp, 1) else { return };
    folder.run(&["publish"]).code(0);
    std::fs::remove_dir_all(folder.path("modeltrail.db.d/timestamps")).unwrap();
    // The same text again: only the nonce tells that it is no answer to this request.
    folder.run(&["publish"]).code(3).says("nonce");
    record(&folder, &["r3"]);
    folder.run(&["publish"]).code(3).says("over other bytes");
    assert_eq!(stamps(&folder), Vec::<String>::new());
}

#[test]
fn a_stamp_that_was_changed_does_not_count() {
    let Some(folder) = stamped(Gives::Stamp, 3600) else { return };
    folder.run(&["publish"]).code(0);
    let name = stamps(&folder).remove(1);
    folder.write(&format!("modeltrail.db.d/timestamps/{name}"), "another text\n");
    let status = folder.run(&["status"]).code(0).says("over other bytes");
    assert!(status.stdout.contains("T0, nothing outside"), "{}", status.stdout);
}
