//! `modeltrail verify` and `docs/verify.py` are given the same files and flags, and end with the same exit code and
//! finding. What each finds in a bundle's bytes is in the vectors; here are the flags and what surrounds them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Folder, finish};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/bundle")
}

fn vector(name: &str) -> Vec<u8> {
    std::fs::read(vectors().join(name)).unwrap()
}

fn key() -> String {
    let cases: serde_json::Value = serde_json::from_slice(&vector("cases.json")).unwrap();
    cases["key"].as_str().unwrap().to_owned()
}

/// A file of a bundle, by its path.
fn member(bundle: &[u8], path: &str) -> std::ops::Range<usize> {
    let mut at = 0;
    loop {
        let name = bundle[at..at + 100].split(|byte| *byte == 0).next().unwrap();
        let size = std::str::from_utf8(&bundle[at + 124..at + 135]).unwrap();
        let size = usize::from_str_radix(size, 8).unwrap();
        if name == path.as_bytes() {
            return at + 512..at + 512 + size;
        }
        at += 512 + size.next_multiple_of(512);
    }
}

/// Whether python3 and openssl are there; without them there is nothing to compare with.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
pub(crate) fn has_tools() -> bool {
    let has = |tool: &str, arg: &str| {
        Command::new(tool).arg(arg).output().is_ok_and(|it| it.status.success())
    };
    let has = has("python3", "--version") && has("openssl", "version");
    if !has {
        eprintln!("skipped: python3 or openssl is not there");
    }
    has
}

/// Runs both and returns what they printed.
pub(crate) fn both(folder: &Folder, args: &[&str], code: i32) -> (String, String) {
    let ours = folder.run(&[&["verify"], args].concat()).code(code);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify.py");
    let mut command = Command::new("python3");
    let theirs: Vec<&str> = args.iter().copied().filter(|arg| *arg != "--bundle").collect();
    command.arg("-B").arg(script).args(theirs).current_dir(folder.path("."));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let theirs = finish(command.spawn().unwrap()).code(code);
    (ours.stdout + &ours.stderr, theirs.stdout + &theirs.stderr)
}

fn both_say(folder: &Folder, args: &[&str], code: i32, text: &str) {
    let (ours, theirs) = both(folder, args, code);
    assert!(ours.contains(text), "{text} in {ours}");
    assert!(theirs.contains(text), "{text} in {theirs}");
}

#[test]
fn bad_input_is_refused_with_the_same_exit_code() {
    if !has_tools() {
        return;
    }
    let (folder, key) = (Folder::new(), key());
    let good = vector("good.tar");
    folder.write("good.tar", &good);
    folder.write("r.tlog-proof", &good[member(&good, "proofs/217.tlog-proof")]);
    folder.write("policy", format!("log {key}\nquorum none\n"));
    folder.write("long", format!("log {key}\nquorum none\n#{}\n", "x".repeat(256 << 10)));
    folder.write("long.tlog-proof", vec![b'x'; 1_010_001]);
    both(&folder, &["--bundle", "good.tar", "--key", &key], 0);
    for key in [format!(" {key}"), format!("{key} "), format!("{key}\n"), "none".to_owned()] {
        both(&folder, &["--bundle", "good.tar", "--key", &key], 2);
    }
    both(&folder, &["--bundle", ".", "--key", &key], 2);
    both(&folder, &["--bundle", "none.tar", "--key", &key], 2);
    both(&folder, &["--bundle", "good.tar", "--policy", "long"], 2);
    both(&folder, &["--bundle", "good.tar", "--policy", "."], 2);
    both(&folder, &["--bundle", "good.tar", "--policy", "policy", "--key", &key], 0);
    both(&folder, &["--receipt", "r.tlog-proof", "--key", &key], 0);
    both(&folder, &["--receipt", "r.tlog-proof", "--policy", "policy", "--key", &key], 2);
    both(&folder, &["--receipt", "r.tlog-proof"], 2);
    both(&folder, &["--receipt", "long.tlog-proof", "--key", &key], 2);
    both(&folder, &["--receipt", ".", "--key", &key], 2);
}

#[test]
fn receipts_are_judged_alike() {
    if !has_tools() {
        return;
    }
    let (folder, key) = (Folder::new(), key());
    for (bundle, path, code) in [
        ("epoch.tar", "proofs/0.tlog-proof", 0),
        ("begun.tar", "proofs/0.tlog-proof", 1),
        ("rotated.tar", "proofs/1.tlog-proof", 1),
    ] {
        let bytes = vector(bundle);
        folder.write("r.tlog-proof", &bytes[member(&bytes, path)]);
        both(&folder, &["--receipt", "r.tlog-proof", "--key", &key], code);
    }
    let text =
        "signed by another key of this name; if the key was rotated, a bundle or the ledger holds";
    both_say(&folder, &["--receipt", "r.tlog-proof", "--key", &key], 1, text);
    let receipt = std::fs::read_to_string(folder.path("r.tlog-proof")).unwrap();
    let bare: Vec<&str> = receipt.lines().filter(|line| !line.starts_with("extra ")).collect();
    folder.write("r.tlog-proof", bare.join("\n") + "\n");
    both_say(&folder, &["--receipt", "r.tlog-proof", "--key", &key], 1, "bad_receipt");
}

#[test]
fn a_stamps_signature_is_checked_against_the_authoritys_root_and_else_said_not_to_be() {
    if !has_tools() {
        return;
    }
    let (folder, key) = (Folder::new(), key());
    let mut bundle = vector("good.tar");
    folder.write("good.tar", &bundle);
    let chain = String::from_utf8(vector("1.pem")).unwrap();
    let root = chain.rfind("-----BEGIN").unwrap();
    folder.write("root.pem", &chain[root..]);
    folder.write("none.pem", "no certificate");
    let verify = |name: &'static str| ["--bundle", name, "--key", &key].map(str::to_owned);
    let with = |name: &'static str, tsa: &'static str| {
        let more = ["--tsa", tsa].map(str::to_owned);
        verify(name).into_iter().chain(more).collect::<Vec<String>>()
    };
    let run = |args: &[String], code, text: &str| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        both_say(&folder, &args, code, text);
    };
    run(&verify("good.tar"), 0, "signature was not checked");
    run(&with("good.tar", "root.pem"), 0, "dated by");
    run(&with("good.tar", "none.pem"), 1, "bad_timestamp");
    let args = with("good.tar", "absent.pem");
    both(&folder, &args.iter().map(String::as_str).collect::<Vec<_>>(), 2);
    // The signature is what a response ends with.
    let last = member(&bundle, "timestamps/1.tsr").end - 1;
    bundle[last] ^= 1;
    folder.write("bad.tar", &bundle);
    run(&with("bad.tar", "root.pem"), 1, "bad_timestamp");
}

#[test]
fn verdicts_say_up_to_when_and_of_whom_nothing_is_proven() {
    if !has_tools() {
        return;
    }
    let (folder, key) = (Folder::new(), key());
    for name in ["good.tar", "epoch.tar", "rotated.tar"] {
        folder.write(name, vector(name));
    }
    let run = |name, text| both_say(&folder, &["--bundle", name, "--key", &key], 0, text);
    run("epoch.tar", "what was recorded after it is not covered");
    run("rotated.tar", "by the key entries 1, 6");
    run("good.tar", "up to this checkpoint");
    let (ours, theirs) = both(&folder, &["--bundle", "good.tar", "--key", &key], 0);
    assert!(
        !ours.contains("after it is not covered") && !theirs.contains("after it is not covered")
    );
}
