//! `init`, `key …` and `recover`: keys made, shown, rotated and retired, and a restored backup.

use std::os::unix::fs::PermissionsExt as _;

use crate::both_verifiers::{both, has_tools};
use crate::support::{Folder, line};

fn anchor(folder: &Folder) -> String {
    std::fs::read_to_string(folder.path("modeltrail.db.d/anchor")).unwrap()
}

fn key_path(folder: &Folder, name: &str) -> std::path::PathBuf {
    folder.path("modeltrail.db.d/keys").join(name)
}

/// One record, waited for until it is published.
fn log(folder: &Folder, id: &str) {
    folder.pipe(&["log", "--ack", "published"], line(id, "")).code(0);
}

fn vkey(folder: &Folder) -> String {
    folder.run(&["key", "show"]).code(0).stdout.trim_end().to_owned()
}

#[test]
fn init_makes_keys_says_what_to_do_with_them_and_signs() {
    let folder = Folder::new();
    let init = folder.run(&["init", "--origin", "example.com/a"]).code(0);
    let init = init.says("hand to hand").says("keys/authority.key to another machine").stdout;
    assert!(init.lines().any(|line| line.ends_with(&vkey(&folder))), "{init}");
    let other = ["--store", "sqlite:other.db", "--format", "json", "init", "--origin", "b"];
    assert!(folder.run(&other).code(0).json()["vkey"].as_str().unwrap().starts_with("b+"));
    assert!(vkey(&folder).starts_with("example.com/a+"));
    for name in ["checkpoint.key", "authority.key"] {
        let mode = std::fs::metadata(key_path(&folder, name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(anchor(&folder).contains("\n\n\u{2014} example.com/a "));
    let list = folder.json(&["key", "list"]);
    let roles: Vec<_> = list.as_array().unwrap().iter().map(|key| key["role"].clone()).collect();
    assert_eq!(roles, ["authority", "checkpoint"]);
    folder.run(&["key", "show", "--authority"]).code(0);
    folder.run(&["key", "generate"]).code(3).says("this ledger has a checkpoint key");
    folder.run(&["verify"]).code(0);
    folder.run(&["key"]).code(2);
}

#[test]
fn a_ledger_without_keys_gets_them_later() {
    let folder = Folder::new();
    folder.run(&["init", "--origin", "an origin with spaces"]).code(2).says("cannot name a key");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    folder.run(&["init", "--no-key"]).code(0);
    folder.pipe(&["log"], line("early", "")).code(0);
    assert!(!anchor(&folder).contains('\u{2014}'));
    folder.run(&["key", "show"]).code(3).says("modeltrail key generate");
    let none = folder.pipe(&["log", "--ack", "published"], line("x", ""));
    none.code(3).says("no checkpoint key");
    folder.run(&["key", "generate"]).code(0).says("Checkpoints are signed from now on");
    assert!(anchor(&folder).contains('\u{2014}'));
    log(&folder, "late");
    folder.run(&["verify"]).code(0);
}

#[test]
fn a_key_is_rotated_and_the_old_one_retired() {
    let folder = Folder::with_ledger();
    let old = vkey(&folder);
    folder.run(&["key", "retire"]).code(3).says("only one checkpoint key signs");
    let new = folder.run(&["key", "rotate"]).code(0).says("key retire").stdout;
    log(&folder, "both");
    assert_eq!(anchor(&folder).matches('\u{2014}').count(), 2);
    folder.run(&["key", "rotate"]).code(3).says("taking over already");
    let retired = folder.run(&["key", "retire"]).code(0).stdout;
    assert_eq!((retired.trim_end(), new.trim_end()), (old.as_str(), vkey(&folder).as_str()));
    log(&folder, "new");
    assert_eq!(anchor(&folder).matches('\u{2014}').count(), 1);
    let authority = folder.run(&["key", "rotate", "--authority"]).code(0).stdout;
    let shown = folder.run(&["key", "show", "--authority"]).code(0).stdout;
    assert_eq!(shown, authority);
    let list = folder.run(&["--format", "csv", "key", "list"]).code(0).stdout;
    let n = |state: &str| list.lines().filter(|line| line.contains(state)).count();
    assert_eq!((n(",retired,"), n(",in force,")), (2, 2));
    folder.run(&["verify"]).code(0);
}

#[test]
fn a_stolen_key_is_retired_by_the_authority_from_elsewhere() {
    let folder = Folder::with_ledger();
    let elsewhere = folder.path("officer.key");
    let old = vkey(&folder);
    std::fs::rename(key_path(&folder, "authority.key"), &elsewhere).unwrap();
    std::fs::remove_file(key_path(&folder, "checkpoint.key")).unwrap();
    folder.run(&["key", "rotate", "--reason", "lost"]).code(3).says("--authority-key");
    let file = elsewhere.to_str().unwrap();
    let rotate = ["key", "rotate", "--reason", "lost", "--authority-key", file];
    let new = folder.run(&rotate).code(0).stdout;
    assert_eq!(new.trim_end(), vkey(&folder));
    log(&folder, "after");
    assert_eq!(anchor(&folder).matches('\u{2014}').count(), 1);
    folder.run(&["verify"]).code(0);
    // No note that the old key signed names the new one or the authority: who has that key alone is told so.
    let report = folder.run(&["--format", "json", "verify", "--key", &old]).code(1).json();
    let found = report["findings"].as_array().unwrap();
    assert!(found.iter().all(|finding| finding["kind"] == "unknown_signer"), "{found:?}");
}

#[test]
fn a_key_that_others_can_read_stops_recording_and_says_why() {
    let folder = Folder::with_ledger();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(key_path(&folder, "checkpoint.key"), open).unwrap();
    folder.pipe(&["log"], line("x", "")).code(3).says("chmod 600");
}

#[test]
fn a_program_signs_where_it_is_told_to() {
    let folder = Folder::with_ledger();
    let other = vkey(&folder);
    // One that cannot: nothing is put in force, and nothing of the ledger changes.
    let rotate = ["key", "rotate", "--signer", &other, "--", "false"];
    folder.run(&rotate).code(3).says("false");
    assert_eq!(vkey(&folder), other);
    folder.run(&["key", "rotate", "--signer", "x", "--", "false"]).code(2).says("--signer");
    folder.run(&["key", "rotate", "--signer", &other]).code(2);
    log(&folder, "still");
}

#[test]
fn a_restored_backup_is_refused_and_goes_on_in_a_new_epoch() {
    let folder = Folder::with_ledger();
    folder.pipe(&["log"], line("early", "")).code(0);
    let copy = folder.path("copy");
    folder.database().execute("VACUUM INTO ?1", [copy.to_str().unwrap()]).unwrap();
    folder.pipe(&["log"], line("late", "")).code(0);
    folder.run(&["recover", "--new-epoch"]).code(2).says("nothing to recover");
    std::fs::rename(copy, folder.path("modeltrail.db")).unwrap();
    let refused = folder.pipe(&["log"], line("next", ""));
    refused.code(3).says("are missing").says("recover --new-epoch");
    folder.run(&["recover"]).code(2);
    let old = vkey(&folder);
    let report = folder.run(&["--format", "json", "recover", "--new-epoch"]);
    let report = report.code(0).says("Give the new key").json();
    assert!(report["origin"].as_str().unwrap().ends_with("/epoch-1"), "{report}");
    assert_eq!(report["missing"].as_array().unwrap().len(), 1);
    assert_eq!(report["vkey"], vkey(&folder).as_str());
    assert_ne!(vkey(&folder), old);
    assert_eq!(folder.count(&["--request-id", "early"]), 0);
    log(&folder, "next");
    folder.run(&["verify"]).code(0);
    // The new ledger is another one: who has the key of the one before is not told of tampering.
    let known = folder.run(&["--format", "json", "verify", "--key", &old]).code(1).json();
    let known = known["findings"].as_array().unwrap();
    assert!(known.iter().all(|finding| finding["kind"] == "unknown_signer"), "{known:?}");
    folder.run(&["bundle", "--kind", "epoch", "-o", "epoch.tar"]).code(0);
    if has_tools() {
        both(&folder, &["--bundle", "epoch.tar", "--key", &vkey(&folder)], 0);
    }
    let aside = format!("sqlite:{}", report["set_aside"].as_str().unwrap());
    assert_eq!(folder.count(&["--store", &aside, "--request-id", "early"]), 1);
    let first = folder.run(&["query", "--kind", "epoch"]).code(0).stdout;
    assert!(first.lines().nth(1).unwrap().trim_start().starts_with("0 "), "{first}");
}

#[test]
fn of_two_keys_that_sign_the_newer_one_can_be_retired() {
    let folder = Folder::with_ledger();
    let old = vkey(&folder);
    folder.run(&["key", "retire", "--newer"]).code(3).says("only one checkpoint key signs");
    let stolen = folder.run(&["key", "rotate"]).code(0).stdout;
    log(&folder, "both");
    let refused = folder.run(&["key", "rotate", "--reason", "compromised"]).code(3);
    refused.says("key retire --newer");
    let retired = folder.run(&["key", "retire", "--newer", "--reason", "compromised"]).code(0);
    assert_eq!(retired.stdout, stolen);
    assert_eq!(vkey(&folder), old);
    log(&folder, "old again");
    assert_eq!(anchor(&folder).matches('\u{2014}').count(), 1);
    let next = folder.run(&["key", "rotate"]).code(0).stdout;
    assert_ne!(next, stolen);
    folder.run(&["verify", "--key", &old]).code(0);
}

#[test]
fn a_bundle_is_believed_under_the_key_that_was_pinned_before_it_was_rotated() {
    let folder = Folder::with_ledger();
    let old = vkey(&folder);
    folder.run(&["key", "rotate"]).code(0);
    folder.run(&["key", "retire"]).code(0);
    log(&folder, "after");
    folder.run(&["bundle", "-o", "all.tar"]).code(0);
    folder.run(&["receipt", "after", "-o", "after.tlog-proof"]).code(0);
    if has_tools() {
        let (ours, theirs) = both(&folder, &["--bundle", "all.tar", "--key", &old], 0);
        assert!(ours.contains("by the key entries") && theirs.contains("by the key entries"));
        let receipt = ["--receipt", "after.tlog-proof", "--key", &old];
        let (ours, theirs) = both(&folder, &receipt, 1);
        assert!(
            ours.contains("another key of this name")
                && theirs.contains("another key of this name")
        );
    }
}
