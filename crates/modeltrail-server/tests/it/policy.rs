//! Redaction policies from outside: the setting, what the ledger says of them, canary scans, and epochs of pseudonyms.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, finish, line};

const POLICY: &str =
    "version = 1\nname = 'support'\n[types]\nip_address = 'off'\nemail = 'pseudonym'\n";

fn set(folder: &Folder, rest: &str) {
    folder.write("modeltrail.toml", format!("redaction.policy = 'policy.toml'\n{rest}"));
}

fn with_policy() -> Folder {
    let folder = Folder::with_ledger();
    folder.write("policy.toml", POLICY);
    set(&folder, "");
    folder
}

fn log(folder: &Folder, id: &str) {
    folder.pipe(&["log"], line(id, r#","input":{"from":"jane@example.com"}"#)).code(0);
}

/// What the ledger's own lifecycle entries say, oldest first.
fn said(folder: &Folder) -> Vec<Value> {
    let entries = folder.json(&["query", "--kind", "lifecycle", "--limit", "100"]);
    let entries = entries.as_array().unwrap().iter();
    let mut entries: Vec<&Value> = entries.collect();
    entries.sort_by_key(|entry| entry["index"].as_u64());
    let shown = |entry: &&Value| {
        let id = format!("#{}", entry["index"]);
        folder.json(&["show", &id])[0]["parts"]["control"].clone()
    };
    entries.iter().map(shown).collect()
}

fn header_policy(folder: &Folder, id: &str) -> String {
    let entry = folder.json(&["show", id]);
    entry[0]["parts"]["header"]["policy"].as_str().unwrap().to_owned()
}

#[test]
fn the_ledger_says_which_policy_ran_when_and_what_it_says() {
    let folder = with_policy();
    log(&folder, "a");
    log(&folder, "b");
    let events = |folder: &Folder| -> Vec<String> {
        said(folder).iter().map(|said| said["event"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(
        events(&folder),
        ["pseudonym_epoch", "redaction_policy", "redaction_canary", "redaction_canary"]
    );
    folder.write("modeltrail.toml", "");
    log(&folder, "c");
    assert_eq!(events(&folder)[4..], ["redaction_policy", "redaction_canary"]);

    let digest = header_policy(&folder, "a");
    let shown = folder.json(&["show", "--policy", &digest[..12].to_ascii_uppercase()]);
    let shown = shown.as_array().unwrap();
    assert_eq!((shown.len(), &shown[0]["policy"]), (1, &digest.clone().into()));
    assert_eq!((&shown[0]["name"], &shown[0]["is_proven"]), (&"support".into(), &true.into()));
    let text: Value = serde_json::from_str(shown[0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text["types"]["email"], "pseudonym");
    let index = |id: &str| folder.json(&["show", id])[0]["index"].as_u64().unwrap();
    assert!(shown[0]["in_force"][0]["index"].as_u64().unwrap() < index("a"));
    let sheet = folder.run(&["show", "--policy", &digest]).code(0).stdout;
    assert!(sheet.contains("in force from") && sheet.contains(r#""ip_address": "off""#), "{sheet}");
    let rules = folder.run(&["show", "--policy", &header_policy(&folder, "c")]).code(0).stdout;
    assert!(rules.contains("\n  rule email\n  rule phone\n"), "{rules}");
    let csv = folder.run(&["--format", "csv", "show", "--policy", &digest]).code(0).stdout;
    assert_eq!(csv.lines().count(), 2, "{csv}");

    let status = folder.json(&["status"]);
    assert_eq!(status["redaction"]["policy"], header_policy(&folder, "c").as_str());
    assert_eq!(status["redaction"]["pseudonym_epochs"], serde_json::json!([0]));
    folder.run(&["show", "--policy", "00ff"]).code(3).says("no entry of");
    folder.run(&["show", "--policy", "shop"]).code(2).says("is no digest");
    folder.run(&["show", "a", "--policy", "00"]).code(2);
    folder.run(&["show"]).code(2);
    folder.run(&["verify"]).code(0);
}

#[test]
fn verifiers_of_others_take_such_entries() {
    let folder = with_policy();
    log(&folder, "a");
    folder.run(&["key", "rotate", "--pseudonym"]).code(0);
    folder.run(&["bundle", "--until", "2100-01-01", "-o", "all.tar"]).code(0);
    let vkey = folder.run(&["key", "show"]).code(0).stdout;
    folder.run(&["verify", "--bundle", "all.tar", "--key", vkey.trim_end()]).code(0);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    for args in [
        vec![format!("{root}/spec/verify_ledger.py"), "modeltrail.db".to_owned()],
        vec![
            format!("{root}/docs/verify.py"),
            "--key".to_owned(),
            vkey.trim_end().to_owned(),
            "all.tar".to_owned(),
        ],
    ] {
        let run = Command::new("python3").args(&args).current_dir(folder.path("")).output();
        let Ok(run) = run else {
            eprintln!("skipped: there is no python3");
            return;
        };
        let told = String::from_utf8_lossy(&run.stdout).into_owned();
        assert!(run.status.success(), "{args:?}: {told}{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn a_policy_that_cannot_be_taken_is_told_whole_and_nothing_is_made() {
    let folder = Folder::new();
    folder.write(
        "policy.toml",
        "version = 1\nname = 'a b'\n[types]\nemial = 'off'\nphone = 'hide'\n",
    );
    set(&folder, "");
    let before = folder.names();
    folder
        .pipe(&["log", "--create"], line("a", ""))
        .code(2)
        .says("the redaction policy cannot be taken: 3 problems")
        .says("  policy.toml:2:8: ")
        .says("  policy.toml:4:1: ")
        .says("  policy.toml:5:");
    assert_eq!(folder.names(), before);
    // Who records nothing needs no policy.
    folder.run(&["init"]).code(0);
    folder.run(&["status"]).code(0);
    set(&folder, "redaction.rules = ['email']\n");
    folder
        .run(&["status"])
        .code(2)
        .says("modeltrail.toml:1: `redaction.policy` and `redaction.rules`")
        .says("modeltrail.toml:2");
    set(&folder, "redaction.canary_hours = 9000\n");
    folder.run(&["status"]).code(2).says("`redaction.canary_hours` cannot be 9000");
    let mut command = folder.command(&["--config", "/dev/null", "redact", "-"]);
    let missing = finish(command.env("MODELTRAIL_REDACTION_POLICY", "none.toml").spawn().unwrap());
    missing.code(2).says("none.toml").says("redaction.policy");
}

#[test]
fn a_blind_rule_is_named_and_recording_goes_on() {
    let folder = Folder::with_ledger();
    let values = "[values]\nallow = ['canary.k7q2@example.com']\n";
    folder.write("policy.toml", format!("version = 1\nname = 'leaky'\n{values}"));
    set(&folder, "");
    folder.pipe(&["log"], line("a", "")).code(0).says("built-in test values").says("email");
    let canary = said(&folder).pop().unwrap();
    assert_eq!(
        (&canary["failed"], &canary["n_failed"]),
        (&serde_json::json!(["email"]), &2.into())
    );
    let dead = format!(
        "version = 1\nname = 'dead'\n[types]\ndefault = 'off'\nemail = 'replace'\n{values}"
    );
    folder.write("policy.toml", dead);
    folder.pipe(&["log"], line("b", "")).code(2).says("masks none of its 2 built-in test values");
    assert_eq!(folder.count(&["--request-id", "b"]), 0);
}

#[test]
fn epochs_of_pseudonyms_begin_and_are_destroyed_by_number() {
    let folder = with_policy();
    log(&folder, "a");
    log(&folder, "b");
    let token = |id: &str| {
        folder.json(&["show", id])[0]["parts"]["input"]["from"].as_str().unwrap().to_owned()
    };
    assert!(token("a").starts_with("[EMAIL:a:") && token("a") == token("b"), "{}", token("a"));
    folder
        .run(&["key", "destroy", "--pseudonym-epoch", "0"])
        .code(2)
        .says("is in use")
        .says("key rotate --pseudonym");
    folder.run(&["key", "destroy"]).code(2);
    let begun = folder.run(&["key", "rotate", "--pseudonym"]).code(0).says("restart what records");
    assert_eq!(begun.stdout, "1\n");
    log(&folder, "c");
    assert!(token("c").starts_with("[EMAIL:b:"), "{}", token("c"));
    let key = |n: u32| folder.path(&format!("modeltrail.db.d/pseudonyms/{n}.key"));
    assert_eq!(std::fs::metadata(key(1)).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(folder.run(&["status"]).code(0).stdout.contains("1 in use, 0 kept"));
    let destroyed = folder.run(&["--format", "json", "key", "destroy", "--pseudonym-epoch", "0"]);
    let destroyed = destroyed.code(0).says("destroy its copies in backups too").json();
    assert_eq!(destroyed, serde_json::json!({"pseudonym_epoch": 0, "state": "destroyed"}));
    assert!(!key(0).exists());
    folder.run(&["key", "destroy", "--pseudonym-epoch", "0"]).code(3).says("was destroyed before");
    folder.run(&["key", "destroy", "--pseudonym-epoch", "5"]).code(2).says("there is no epoch 5");
    let last = said(&folder).pop().unwrap();
    assert_eq!(
        last,
        serde_json::json!({"event": "pseudonym_epoch", "number": 0, "state": "destroyed"})
    );
    folder.run(&["verify"]).code(0);
}

#[test]
fn an_exact_input_is_found_under_a_policy_where_its_mac_is_not() {
    let folder = with_policy();
    log(&folder, "a");
    std::fs::rename(folder.path("modeltrail.db.d/mac.key"), folder.path("mac.key")).unwrap();
    let found =
        folder.run(&["--format", "json", "query", "--input", r#"{"from":"jane@example.com"}"#]);
    let found = found.code(0).says("the same input after redaction").json();
    assert_eq!(found.as_array().unwrap().len(), 1);
}
