//! `verify` and `status`.

use crate::support::{Folder, line};

#[test]
fn a_clean_ledger_passes_and_says_what_it_was_held_against() {
    let folder = Folder::with_predictions();
    let output = folder.run(&["verify"]).code(0);
    assert!(output.stdout.starts_with("clean: localhost/modeltrail-"), "{}", output.stdout);
    let report = folder.json(&["verify", "--threads", "1"]);
    assert_eq!(report["anchored_size"], report["size"]);
    assert_eq!(report["findings"].as_array().unwrap().len(), 0);
    folder.run(&["verify", "--skip-indexes"]).code(0).says("indexes were not checked");
    folder.run(&["verify", "--threads", "0"]).code(2);
}

#[test]
fn an_edit_is_a_finding_that_names_the_entry_and_the_part() {
    let folder = Folder::with_predictions();
    let index: i64 = {
        let db = folder.database();
        db.execute_batch("DROP TRIGGER parts_no_update").unwrap();
        let index = db
            .query_row(
                "SELECT idx FROM parts WHERE output IS NOT NULL LIMIT 1 OFFSET 41",
                [],
                |row| row.get(0),
            )
            .unwrap();
        let n = db
            .execute("UPDATE parts SET output = CAST('{\"prediction\":\"benign\"}' AS BLOB) WHERE idx = ?1", [index])
            .unwrap();
        assert_eq!(n, 1);
        index
    };
    let report = folder.run(&["--format", "json", "verify"]).code(1).json();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report}");
    assert_eq!(
        (&findings[0]["index"], &findings[0]["kind"]),
        (&index.into(), &"changed_part".into())
    );
    assert!(findings[0]["detail"].as_str().unwrap().contains("`output`"));
    let table = folder.run(&["verify"]).code(1).stdout;
    assert!(table.contains("changed_part") && table.contains("1 finding: "), "{table}");
    let csv = folder.run(&["--format", "csv", "verify"]).code(1).stdout;
    assert_eq!(csv.lines().nth(1).unwrap().split(',').next(), Some(index.to_string().as_str()));
    folder
        .run(&["status"])
        .code(0)
        .says("triggers that refuse changes were removed or altered: parts_no_update");
}

#[test]
fn findings_count_even_when_nobody_reads_them() {
    let folder = Folder::with_predictions();
    {
        let db = folder.database();
        db.execute_batch("DROP TRIGGER leaves_no_delete; DELETE FROM leaves WHERE idx = 7")
            .unwrap();
    }
    let mut child = folder.command(&["verify"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_missing_or_foreign_anchor_is_said() {
    let folder = Folder::with_predictions();
    let copy = folder.path("anchor.copy");
    std::fs::copy(folder.path("modeltrail.db.d/anchor"), &copy).unwrap();
    folder.pipe(&["log"], line("later", "")).code(0);
    // An older anchor is a beginning of this history.
    folder.run(&["verify", "--anchor", "anchor.copy"]).code(0);
    std::fs::remove_file(folder.path("modeltrail.db.d/anchor")).unwrap();
    drop(std::fs::remove_file(folder.path("modeltrail.db.d/head")));
    folder.run(&["verify"]).code(0).says("there is no anchor").says("would not show");
    folder.run(&["status"]).code(0).says("anchor is not there");
    folder.run(&["verify", "--anchor", "nowhere"]).code(2).says("no such file");
    folder.write("torn", "localhost/x\n12");
    folder.run(&["verify", "--anchor", "torn"]).code(2).says("no anchor");
    let text = std::fs::read_to_string(&copy).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    folder.write("foreign", format!("example.com/other\n{rest}"));
    let foreign = folder.run(&["verify", "--anchor", "foreign"]).code(1).stdout;
    assert!(
        foreign.contains("anchor_mismatch") && foreign.contains("example.com/other"),
        "{foreign}"
    );
    // The same lines with another size are another history.
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1] = "12";
    folder.write("rewritten", format!("{}\n", lines.join("\n")));
    let report =
        folder.run(&["--format", "json", "verify", "--anchor", "rewritten"]).code(1).json();
    assert_eq!(report["findings"][0]["kind"], "anchor_mismatch", "{report}");
}

#[test]
fn a_foreign_anchor_beside_the_ledger_is_said() {
    let folder = Folder::with_predictions();
    let anchor = folder.path("modeltrail.db.d/anchor");
    let text = std::fs::read_to_string(&anchor).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    std::fs::write(&anchor, format!("example.com/other\n{rest}")).unwrap();
    let table = folder.run(&["verify"]).code(1).stdout;
    assert!(table.contains("anchor_mismatch") && table.contains("example.com/other"), "{table}");
    let status = folder.run(&["--format", "json", "status"]).code(0).says("other ledger").json();
    assert_eq!(status["anchor"]["state"], "other ledger");
}

#[test]
fn an_old_copy_put_back_is_noticed() {
    let folder = Folder::with_predictions();
    std::fs::copy(folder.path("modeltrail.db"), folder.path("old.db")).unwrap();
    folder.pipe(&["log"], line("later", "")).code(0);
    std::fs::copy(folder.path("old.db"), folder.path("modeltrail.db")).unwrap();
    folder.run(&["verify"]).code(1);
    folder.run(&["status"]).code(0).says("ahead");
    folder.pipe(&["log"], line("more", "")).code(3).says("its anchor");
}

#[test]
fn status_of_a_fresh_and_of_a_used_ledger() {
    let folder = Folder::new();
    folder.run(&["init", "--no-key"]).code(0);
    let fresh = folder.run(&["--format", "json", "status"]).code(0);
    assert_eq!(fresh.stderr, "");
    let fresh = fresh.json();
    assert_eq!((&fresh["size"], &fresh["anchor"]["state"]), (&0.into(), &"missing".into()));
    assert_eq!(fresh["format_version"], 2);
    folder.pipe(&["log"], line("a", "")).code(0);
    let used = folder.json(&["status"]);
    assert_eq!(used["anchor"]["state"], "current");
    assert_eq!(used["size"], folder.count(&[]));
    assert_eq!(used["append_only"]["changed_triggers"].as_array().unwrap().len(), 0);
    assert_eq!((&used["spool"]["depth"], &used["spool"]["n_quarantined"]), (&0.into(), &0.into()));
    let table = folder.run(&["status"]).code(0).stdout;
    assert!(table.contains("18 of 18 triggers"), "{table}");
}

#[test]
fn what_is_taken_from_the_database_does_not_blind_the_verification() {
    let folder = Folder::with_predictions();
    let db = folder.database();
    db.execute_batch(
        "DROP TRIGGER parts_no_update; \
         UPDATE parts SET output = CAST('{\"prediction\":\"x\"}' AS BLOB) WHERE idx = 40; \
         DROP INDEX lookups_by_kind; DROP INDEX lookups_by_model; \
         CREATE TRIGGER forget AFTER INSERT ON leaves BEGIN DELETE FROM leaves; END",
    )
    .unwrap();
    let run = folder.run(&["--format", "json", "verify"]).code(1);
    let run = run.says("parts_no_update").says("added: forget");
    let found = run.json()["findings"].to_string();
    assert!(found.contains("changed_part") && found.contains("changed_index"), "{found}");
    assert!(found.contains("lookups_by_kind") && found.contains("lookups_by_model"), "{found}");
    for mode in ["--skip-indexes", "--incremental"] {
        folder.run(&["verify", mode]).code(1);
    }
    // Searches and reports answer as before.
    let args = ["report", "model-usage", "--model", "tumour_classifier", "--as-of", "2026-04-01"];
    let usage = folder.json(&args);
    assert!(usage["total_predictions"].as_u64().is_some_and(|n| n > 0), "{usage}");
    assert!(folder.json(&["query", "--kind", "producer"]).is_array());
}

#[test]
fn a_folder_in_the_place_of_the_anchor_is_a_finding() {
    let folder = Folder::with_predictions();
    for name in ["anchor", "head"] {
        let path = folder.path(&format!("modeltrail.db.d/{name}"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(path).unwrap();
    }
    let found = folder.run(&["--format", "json", "verify"]).code(1).json()["findings"].to_string();
    assert!(found.contains("anchor_mismatch"), "{found}");
}

#[test]
fn a_ledger_without_its_head_is_named_as_that() {
    let folder = Folder::with_predictions();
    folder.database().execute_batch("DROP TRIGGER head_no_delete; DELETE FROM head").unwrap();
    folder.run(&["verify"]).code(3).says("has removed the row of its head");
}

#[test]
fn a_file_of_any_length_in_the_place_of_a_checkpoint_is_not_read_to_its_end() {
    let folder = Folder::with_predictions();
    std::fs::File::create(folder.path("long")).unwrap().set_len(1 << 40).unwrap();
    folder.run(&["verify", "--against", "long"]).code(2).says("longer than");
    folder.run(&["verify", "--against", "/dev/zero"]).code(2).says("longer than");
}
