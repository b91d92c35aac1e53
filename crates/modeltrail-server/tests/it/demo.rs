//! `demo`: it ends with the finding, and what it says is true.

use crate::support::{Folder, Output};

/// The lines that do not depend on folder, time or random ids.
fn steady(output: &Output) -> Vec<String> {
    let varies = |line: &&str| {
        ["A walk through", "root ", "byte ", "entries, in"].iter().any(|piece| line.contains(piece))
    };
    output.stdout.lines().filter(|line| !varies(line)).map(str::to_owned).collect()
}

#[test]
fn it_finds_the_edit_and_leaves_nothing() {
    let folder = Folder::new();
    let output = folder.run(&["demo"]).code(0);
    assert_eq!(output.stderr, "");
    for line in [
        "569 lines: 569 recorded, 0 already there, 0 conflicts, 0 refused",
        "of 12 e-mail addresses and telephone numbers given, 0 are stored",
        "v1.0.0 (23 predictions on that day)",
        "\"total_predictions\": 569",
        "\"total_requests\":236",
        "and 233 more requests",
    ] {
        assert!(output.stdout.contains(line), "{line}\n--\n{}", output.stdout);
    }
    let (_, end) = output.stdout.split_once("Somebody edits one byte").unwrap();
    let edited = end.split_once("in the output of entry ").unwrap().1;
    let (index, _) = edited.split_once(':').unwrap();
    let finding = format!("entry {index}  changed_part  the part `output`");
    assert!(end.contains(&finding) && end.contains("1 finding: "), "{end}");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
}

#[test]
fn it_says_the_same_at_every_run() {
    let folder = Folder::new();
    let (one, two) = (folder.run(&["demo"]).code(0), folder.run(&["demo"]).code(0));
    assert_eq!(steady(&one), steady(&two));
    assert!(steady(&one).len() > 50);
}

#[test]
fn what_it_keeps_can_be_tried() {
    let folder = Folder::new();
    folder.run(&["demo", "--keep", "kept"]).code(0);
    let store = |name: &str| format!("sqlite:kept/{name}");
    folder.run(&["--store", &store("modeltrail.db"), "verify"]).code(0);
    let found =
        folder.run(&["--store", &store("copy.db"), "--format", "json", "verify"]).code(1).json();
    assert_eq!(found["findings"][0]["kind"], "changed_part");
    let input = folder.path("kept/input.json");
    let entries = folder.json(&[
        "--store",
        &store("modeltrail.db"),
        "query",
        "--input",
        &format!("@{}", input.display()),
    ]);
    assert_eq!(entries.as_array().unwrap().len(), 1);
    // One byte is another, and nothing else.
    let read = |name: &str| std::fs::read(folder.path("kept").join(name)).unwrap();
    let (one, two) = (read("modeltrail.db"), read("copy.db"));
    assert_eq!(one.len(), two.len());
    assert_eq!(one.iter().zip(&two).filter(|(a, b)| a != b).count(), 1);
    folder.run(&["demo", "--keep", "kept"]).code(3).says("already");
}
