//! `verify` with a part of its work left out, with more to hold the ledger against, and from where it
//! ended before.

use serde_json::Value;

use crate::support::{Folder, line};

fn kinds(report: &Value) -> Vec<(u64, String)> {
    let finding = |finding: &Value| {
        (finding["index"].as_u64().unwrap(), finding["kind"].as_str().unwrap().to_owned())
    };
    report["findings"].as_array().unwrap().iter().map(finding).collect()
}

fn report(folder: &Folder, args: &[&str], code: i32) -> Value {
    let mut all = vec!["--format", "json", "verify"];
    all.extend(args);
    folder.run(&all).code(code).json()
}

/// Changes an output past the trigger.
fn edit(folder: &Folder, index: u64) {
    let db = folder.database();
    db.execute_batch("DROP TRIGGER IF EXISTS parts_no_update").unwrap();
    let sql = "UPDATE parts SET output = CAST('{\"prediction\":\"x\"}' AS BLOB) WHERE idx = ?1";
    assert_eq!(db.execute(sql, [i64::try_from(index).unwrap()]).unwrap(), 1);
}

fn edit_leaf(folder: &Folder, index: u64) {
    let db = folder.database();
    db.execute_batch("DROP TRIGGER IF EXISTS leaves_no_update").unwrap();
    let sql = "UPDATE leaves SET leaf = CAST(substr(leaf, 1, 20) || x'ffff' || substr(leaf, 23) AS BLOB) \
               WHERE idx = ?1";
    assert_eq!(db.execute(sql, [i64::try_from(index).unwrap()]).unwrap(), 1);
}

#[test]
fn leaves_alone_say_what_leaves_can_say() {
    let folder = Folder::with_predictions();
    folder.run(&["verify", "--leaves-only"]).code(0).says("were not checked (--leaves-only)");
    let clean = report(&folder, &["--leaves-only"], 0);
    assert_eq!((&clean["mode"], &clean["part_bytes"]), (&"leaves_only".into(), &0.into()));
    edit(&folder, 40);
    assert_eq!(kinds(&report(&folder, &["--leaves-only"], 0)), []);
    assert_eq!(kinds(&report(&folder, &[], 1)), [(40, "changed_part".to_owned())]);
    edit_leaf(&folder, 50);
    let found = report(&folder, &["--leaves-only", "--threads", "1"], 1);
    assert_eq!(kinds(&found), [(50, "changed_leaf".to_owned())]);
    folder.run(&["verify", "--leaves-only", "--incremental"]).code(2);
}

#[test]
fn an_incremental_verification_goes_on_from_the_last_clean_one() {
    let folder = Folder::with_predictions();
    folder.run(&["verify", "--incremental"]).code(0).says("no clean verification before");
    let size = folder.json(&["status"])["size"].as_u64().unwrap();
    folder.pipe(&["log"], [line("later", ""), line("latest", "")].join("\n")).code(0);
    let further = report(&folder, &["--incremental"], 0);
    assert_eq!(further["since"], size);
    let end = further["size"].as_u64().unwrap();
    assert!(end > size + 2);
    assert_eq!(report(&folder, &["--incremental"], 0)["since"], end);
    folder.run(&["verify", "--incremental"]).code(0).says("held against the tree alone");
    // An older anchor is looked up in the tree.
    std::fs::copy(folder.path("modeltrail.db.d/anchor"), folder.path("kept")).unwrap();
    folder.pipe(&["log"], line("last", "")).code(0);
    let held = report(&folder, &["--incremental", "--against", "kept"], 0);
    assert_eq!(held["since"], end);
    // What lies before is for a full verification to find; what lies behind is found.
    folder.pipe(&["log"], line("one more", "")).code(0);
    edit(&folder, 40);
    let last = end + 1;
    assert_eq!(kinds(&report(&folder, &["--incremental"], 0)), []);
    assert_eq!(kinds(&report(&folder, &[], 1)), [(40, "changed_part".to_owned())]);
    folder.pipe(&["log"], line("another", "")).code(0);
    let since = folder.json(&["status"])["size"].as_u64().unwrap() - 2;
    assert!(since > last);
    edit_leaf(&folder, since);
    let found = report(&folder, &["--incremental"], 1);
    assert_eq!(kinds(&found), [(since, "changed_leaf".to_owned())]);
    // A verification with findings is not noted.
    assert_eq!(kinds(&report(&folder, &["--incremental"], 1)).len(), 1);
}

#[test]
fn a_note_that_does_not_fit_leads_to_a_full_verification() {
    let folder = Folder::with_predictions();
    folder.run(&["verify", "--incremental"]).code(0);
    let note = folder.path("modeltrail.db.d/verified");
    let text = std::fs::read_to_string(&note).unwrap();
    for damaged in [String::new(), text.replacen("verified", "x", 1), text.replacen('\n', " ", 3)] {
        std::fs::write(&note, damaged).unwrap();
        let output = folder.run(&["verify", "--incremental"]).code(0);
        output.says("so everything was verified");
    }
    let lines: Vec<&str> = text.lines().collect();
    let other = text.replace(lines[1], "example.com/other");
    std::fs::write(&note, other).unwrap();
    folder.run(&["verify", "--incremental"]).code(0).says("of the ledger `example.com/other`");
    // A root that is not this ledger's: nothing is wrong with the entries, and yet it is said.
    std::fs::write(&note, text.replace(lines[3], &"ab".repeat(32))).unwrap();
    let found = report(&folder, &["--incremental"], 1);
    assert_eq!((&found["since"], kinds(&found)[0].1.as_str()), (&0.into(), "anchor_mismatch"));
    // More entries than there are.
    let size: u64 = lines[2].parse().unwrap();
    std::fs::write(&note, text.replace(lines[2], &(size + 5).to_string())).unwrap();
    assert_eq!(kinds(&report(&folder, &["--incremental"], 1)), [(size, "rollback".to_owned())]);
}

#[test]
fn a_checkpoint_that_somebody_kept_counts_beside_the_anchor() {
    let folder = Folder::with_predictions();
    std::fs::copy(folder.path("modeltrail.db.d/anchor"), folder.path("kept")).unwrap();
    std::fs::copy(folder.path("modeltrail.db"), folder.path("old.db")).unwrap();
    let size = folder.json(&["status"])["size"].as_u64().unwrap();
    folder.pipe(&["log"], line("later", "")).code(0);
    let held = report(&folder, &["--against", "kept"], 0);
    let sources: Vec<&Value> =
        held["held_against"].as_array().unwrap().iter().map(|held| &held["source"]).collect();
    assert!(sources.contains(&&"given".into()) && sources.contains(&&"anchor".into()), "{held}");
    // The old database put back and the files beside it removed: only the copy knows.
    std::fs::copy(folder.path("modeltrail.db.d/anchor"), folder.path("later")).unwrap();
    std::fs::copy(folder.path("old.db"), folder.path("modeltrail.db")).unwrap();
    for name in ["anchor", "head"] {
        drop(std::fs::remove_file(folder.path("modeltrail.db.d").join(name)));
    }
    folder.run(&["verify", "--against", "kept"]).code(0);
    let found = report(&folder, &["--against", "kept", "--against", "later"], 1);
    assert_eq!(kinds(&found), [(size, "rollback".to_owned())]);
    let found = report(&folder, &["--leaves-only", "--against", "later"], 1);
    assert_eq!(kinds(&found), [(size, "rollback".to_owned())]);
    folder.run(&["verify", "--against", "nowhere"]).code(2).says("no such file");
    folder.run(&["verify", "--key", "no key"]).code(2).says("a verifier key is a name");
}
