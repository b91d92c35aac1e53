//! `bundle`, `receipt`, and `verify` of both.

use crate::both_verifiers::{both, has_tools};
use crate::support::{Folder, PREDICTIONS, predictions};

/// The example data, signed, and the key that signs.
fn published() -> (Folder, String) {
    let folder = Folder::with_ledger();
    folder.write("predictions.jsonl", PREDICTIONS);
    folder.run(&["log", "--ack", "published", "predictions.jsonl"]).code(0);
    let key = folder.run(&["key", "show"]).code(0).stdout.trim_end().to_owned();
    (folder, key)
}

#[test]
fn a_bundle_is_written_and_verified_without_the_ledger() {
    let (folder, key) = published();
    let summary = folder.json(&["bundle", "-o", "all.tar"]);
    assert_eq!(summary["completeness"]["provable"], true);
    // And two entries of the ledger's own: the policy in force and a canary scan.
    assert_eq!(summary["n_matching"], predictions().len() + 2);
    folder.run(&["bundle", "-o", "all.tar"]).code(2).says("is there already");
    folder.run(&["bundle", "-o", "again.tar"]).code(0);
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(read("all.tar") == read("again.tar"), "the same each time");
    let auditor = Folder::new();
    auditor.write("all.tar", read("all.tar"));
    let clean = auditor.run(&["verify", "--bundle", "all.tar", "--key", &key]).code(0);
    assert!(clean.stdout.starts_with("clean: "), "{}", clean.stdout);
    assert!(clean.stdout.contains("none that matches was left out"), "{}", clean.stdout);
    auditor.run(&["verify", "--bundle", "all.tar"]).code(0).says("no key was given");
    let mut changed = read("all.tar");
    let needle = b"\"output\":";
    let at = changed.windows(needle.len()).position(|window| window == needle).unwrap();
    changed[at + needle.len() + 1] ^= 1;
    auditor.write("changed.tar", &changed);
    let args = ["--format", "json", "verify", "--bundle", "changed.tar", "--key", &key];
    let report = auditor.run(&args).code(1).json();
    assert!(report["findings"].as_array().unwrap().iter().any(|f| f["kind"] == "changed_view"));
    auditor.write("cut.tar", &read("all.tar")[..4096]);
    auditor
        .run(&["verify", "--bundle", "cut.tar", "--key", &key])
        .code(2)
        .says("no evidence bundle");
    auditor.run(&["verify", "--bundle", "none.tar", "--key", &key]).code(2);
    auditor.run(&["verify", "--bundle", "all.tar", "--leaves-only"]).code(2);
    auditor.run(&["verify", "--policy", "p"]).code(2);
}

#[test]
fn another_ledgers_key_does_not_pass() {
    let (folder, _) = published();
    folder.run(&["bundle", "-o", "all.tar"]).code(0);
    let (_, other) = published();
    let found = folder.run(&["verify", "--bundle", "all.tar", "--key", &other]).code(1);
    assert!(found.stdout.contains("untrusted_checkpoint"), "{}", found.stdout);
}

#[test]
fn the_authoritys_key_can_be_given_beside_the_ledgers_and_beside_a_policy() {
    let (folder, key) = published();
    let authority =
        folder.run(&["key", "show", "--authority"]).code(0).stdout.trim_end().to_owned();
    folder.run(&["bundle", "-o", "all.tar"]).code(0);
    folder.write("policy", format!("log {key}\nquorum none\n"));
    let verify = |more: &[&str]| folder.run(&[&["verify", "--bundle", "all.tar"], more].concat());
    verify(&["--key", &key, "--key", &authority]).code(0);
    verify(&["--policy", "policy", "--key", &authority]).code(0);
    // Alone it does not do: it signs no checkpoints.
    verify(&["--key", &authority]).code(1);
    verify(&["--key", &key, "--key", &key]).code(2);
    folder.run(&["receipt", "#3", "-o", "r.tlog-proof"]).code(0);
    let receipt = ["verify", "--receipt", "r.tlog-proof", "--policy", "policy"];
    folder.run(&receipt).code(0);
    folder.run(&[&receipt[..], &["--key", &key]].concat()).code(2).says("give one of them");
}

#[test]
fn parties_are_disclosed_only_by_name_and_persons_are_not_proven() {
    let (folder, key) = published();
    let verify = |name: &str| folder.json(&["verify", "--bundle", name, "--key", &key]);
    folder.run(&["bundle", "--user", "nobody", "-o", "user.tar"]).code(0).says("does not prove");
    let report = verify("user.tar");
    assert_eq!(report["completeness"]["why"], "filter_on_person");
    if has_tools() {
        let (ours, theirs) = both(&folder, &["--bundle", "user.tar", "--key", &key], 0);
        for text in ["are said to match", "parties are not disclosed"] {
            assert!(ours.contains(text) && theirs.contains(text), "{ours}{theirs}");
        }
    }
    folder.run(&["bundle", "--withhold", "input", "-o", "less.tar"]).code(0);
    let shown = verify("less.tar")["disclose"].to_string();
    assert!(!shown.contains("input") && !shown.contains("parties") && shown.contains("output"));
    folder.run(&["bundle", "--disclose", "parties", "-o", "more.tar"]).code(0);
    assert!(verify("more.tar")["disclose"].to_string().contains("parties"));
    folder.run(&["bundle", "--disclose", "input", "--withhold", "input", "-o", "x.tar"]).code(2);
    let since = ["bundle", "--since", "2026-02-01", "--until", "2026-01-01", "-o", "x.tar"];
    folder.run(&since).code(2).says("`since`");
    folder.run(&["bundle", "--until", "2026-01-01", "--late-by", "1w", "-o", "x.tar"]).code(2);
    assert!(!folder.path("x.tar").exists());
}

#[test]
fn records_that_came_long_after_their_time_are_in_the_bundle_or_named() {
    // The example data is of March and is recorded now.
    let (folder, key) = published();
    let of = |model: &str, day: &str| {
        let fits = |record: &&serde_json::Value| {
            record["model_name"] == model && record["timestamp"].as_str().unwrap().starts_with(day)
        };
        predictions().iter().filter(fits).count()
    };
    let n = of("tumour_classifier", "2026-03-11");
    assert!(n > 1, "{n}");
    let days = ["--model", "tumour_classifier", "--since", "2026-03-11", "--until", "2026-03-12"];
    let bundle = |more: &[&str]| folder.run(&[&["bundle"], &days[..], more].concat()).code(0);
    bundle(&["-o", "wide.tar"]).says(&format!("{n} matching records were recorded up to "));
    let verified = folder.run(&["verify", "--bundle", "wide.tar", "--key", &key]).code(0).stdout;
    assert!(verified.contains(&format!("of which {n} match (model tumour_classifier, from ")));
    assert!(verified.contains(", recorded by 2"), "{verified}");
    // Whoever says how late gets that, and is told what is not there.
    bundle(&["--late-by", "7d", "-o", "narrow.tar"]).says(&format!("{n} more records match"));
    let report = folder.json(&["verify", "--bundle", "narrow.tar", "--key", &key]);
    assert_eq!(report["n_matching"], 0);
    // A clock that ran two days ahead.
    let ahead = modeltrail_core::time::format_rfc3339(i64::MAX / 4 * 3);
    let since = modeltrail_core::time::format_rfc3339(i64::MAX / 4 * 3 - 1_000_000_000);
    folder
        .pipe(
            &["log", "--ack", "published"],
            crate::support::line("ahead", &format!(r#","timestamp":"{ahead}""#)),
        )
        .code(0);
    let args = ["bundle", "--since", &since, "-o", "ahead.tar"];
    folder.run(&args).code(0).says("1 more records match and were recorded more than a day before");
}

#[test]
fn without_a_checkpoint_there_is_neither_bundle_nor_receipt() {
    let folder = Folder::new();
    folder.run(&["init", "--no-key"]).code(0);
    folder.run(&["bundle", "-o", "a.tar"]).code(3).says("modeltrail key generate");
    folder.run(&["receipt", "#0"]).code(3);
    assert!(!folder.path("a.tar").exists());
}

#[test]
fn a_receipt_is_verified_alone() {
    let (folder, key) = published();
    let id = predictions()[0]["request_id"].as_str().unwrap().to_owned();
    folder.run(&["receipt", &id, "-o", "r.tlog-proof"]).code(0);
    folder.run(&["receipt", &id, "-o", "r.tlog-proof"]).code(2);
    let args = ["verify", "--receipt", "r.tlog-proof", "--key", &key];
    let clean = folder.run(&args).code(0).stdout;
    assert!(clean.starts_with("clean: entry ") && clean.contains(": prediction"), "{clean}");
    let text = folder.run(&["receipt", &id]).code(0).stdout;
    assert!(text.starts_with("c2sp.org/tlog-proof@v1\nextra "), "{text}");
    folder.write("r.tlog-proof", text.replacen("\nindex ", "\nindex 1", 1));
    let found = folder.run(&args).code(1).stdout;
    assert!(found.starts_with("bad_receipt: "), "{found}");
    folder.run(&["verify", "--receipt", "r.tlog-proof"]).code(2).says("--key");
    folder.run(&["receipt", "no such id"]).code(3);
    folder.run(&["receipt", "#x"]).code(2);
}
