//! The verifier in Python's standard library, which shares no code with this program, agrees with it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Folder, Output, finish};

/// `None` where there is no Python, or nothing that it could decompress with.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn second_opinion(folder: &Folder) -> Option<Output> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../spec/verify_ledger.py");
    let mut command = Command::new("python3");
    command.arg("-B").arg(script).arg(folder.path("modeltrail.db"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(child) = command.spawn() else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    let output = finish(child);
    if output.code == 3 && output.stderr.contains("were not read") {
        eprintln!("skipped: {}", output.stderr);
        return None;
    }
    Some(output)
}

#[test]
fn it_passes_what_passes_and_names_the_same_entry() {
    let folder = Folder::with_predictions();
    let Some(clean) = second_opinion(&folder) else { return };
    assert_eq!(clean.code(0).stdout.lines().filter(|line| line.contains("changed")).count(), 0);
    let index: i64 = {
        let db = folder.database();
        db.execute_batch("DROP TRIGGER parts_no_update").unwrap();
        let sql = "UPDATE parts SET output = CAST('{\"prediction\":\"benign\"}' AS BLOB) \
                   WHERE idx = (SELECT max(idx) FROM parts WHERE output IS NOT NULL) RETURNING idx";
        db.query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let ours = folder.run(&["--format", "json", "verify"]).code(1).json();
    assert_eq!(ours["findings"][0]["index"], index);
    let theirs = second_opinion(&folder).unwrap().code(1);
    let named = theirs.stdout.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some(&index.to_string()) && words.next() == Some("changed_part")
    });
    assert!(named, "{}", theirs.stdout);
}

#[test]
fn it_holds_the_tiles_against_the_entries_too() {
    let folder = Folder::with_predictions();
    let Some(clean) = second_opinion(&folder) else { return };
    clean.code(0);
    let db = folder.database();
    let sql = "DROP TRIGGER tiles_no_update; DROP TRIGGER tiles_no_delete; \
               UPDATE tiles SET hashes = zeroblob(8192) WHERE n = 1; DELETE FROM tiles WHERE n = 0; \
               INSERT INTO tiles SELECT level, 2, root, hashes FROM tiles";
    db.execute_batch(sql).unwrap();
    drop(db);
    let theirs = second_opinion(&folder).unwrap().code(1);
    let named: Vec<(&str, &str)> = theirs
        .stdout
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?)).filter(|(_, kind)| *kind == "changed_tile")
        })
        .collect();
    let ours = folder.run(&["--format", "json", "verify"]).code(1).json();
    let found = ours["findings"].as_array().unwrap();
    let found: Vec<_> = found.iter().map(|it| (it["index"].to_string(), &it["kind"])).collect();
    assert_eq!(named.len(), 3, "{}", theirs.stdout);
    for ((at, _), (index, kind)) in named.iter().zip(&found) {
        assert_eq!((*at, kind.as_str()), (index.as_str(), Some("changed_tile")));
    }
}

#[test]
fn a_ledger_without_its_head_is_told_from_one_that_it_could_judge() {
    for table in ["head", "meta"] {
        let folder = Folder::with_ledger();
        folder
            .database()
            .execute_batch(&format!(
                "DROP TRIGGER IF EXISTS {table}_no_delete; DELETE FROM {table}"
            ))
            .unwrap();
        let Some(refused) = second_opinion(&folder) else { return };
        refused.code(3).says("has removed the row of its");
    }
}
