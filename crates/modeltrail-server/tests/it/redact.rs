//! `redact`: the preview masks what recording masks, and writes nothing.

use serde_json::Value;

use crate::support::{Folder, PREDICTIONS, is_missing};

#[test]
fn the_preview_is_what_is_recorded() {
    let folder = Folder::with_predictions();
    let preview = folder
        .pipe(&["redact"], PREDICTIONS)
        .code(0)
        .says("masked email 6, phone 6 in 10 of 569 lines");
    let entries = folder.json(&["query", "--kind", "prediction", "--limit", "0"]);
    let of = |entry: &Value, name: &str| entry["parts"][name].clone();
    let mut n = 0;
    for line in preview.stdout.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        let entry = entries
            .as_array()
            .unwrap()
            .iter()
            .find(|e| e["request_id"] == record["request_id"])
            .unwrap();
        assert_eq!(record["input_data"], of(entry, "input"));
        assert_eq!(record["output_data"], of(entry, "output"));
        assert_eq!(record["metadata"], of(entry, "metadata"));
        assert_eq!(record["pipeline"], of(entry, "pipeline"));
        n += 1;
    }
    assert_eq!(n, 569);
    assert!(!preview.stdout.contains("@example") && !preview.stdout.contains("555-01"));
}

#[test]
fn it_needs_no_ledger_and_leaves_nothing_behind() {
    let folder = Folder::new();
    let output = folder
        .pipe(&["redact"], "mail jo@example.com\n{\"ssn\": \"123-45-6789\"}\n\nplain\n[1, 2]")
        .code(0);
    assert_eq!(output.stdout, "mail [EMAIL]\n{\"ssn\":\"[SSN]\"}\n\nplain\n[1,2]\n");
    assert!(folder.names().is_empty() && is_missing(&folder.path("modeltrail.db")));
    assert!(output.stderr.contains("masked email 1, ssn 1 in 2 of 5 lines"), "{}", output.stderr);
}

#[test]
fn explain_names_places_and_rules_and_never_a_value() {
    let folder = Folder::new();
    let text = "{\"model_name\":\"m\",\"model_version\":\"1\",\"user_id\":\"jo@example.com\",\"input\":{\"a\":[\"ann@example.com\",\"x\"]}}\ncall 202-555-0143 now\n";
    let output = folder.pipe(&["redact", "--explain"], text).code(0);
    let told: Vec<&str> = output.stderr.lines().take(2).collect();
    assert_eq!(told, ["stdin:1: /input/a/0: email", "stdin:2: bytes 5 to 17: phone"]);
    assert!(!output.stderr.contains("ann@") && !output.stderr.contains("555"));
    assert!(output.stdout.contains("\"user_id\":\"jo@example.com\""), "{}", output.stdout);
}

#[test]
fn a_line_that_cannot_be_read_is_not_shown() {
    let folder = Folder::new();
    let output = folder.pipe(&["redact"], b"a\nsecret \xff jo@example.com\nb\n").code(2);
    assert_eq!(output.stdout, "a\nb\n");
    output.says("stdin:2: invalid UTF-8").says("1 lines could not be read");
}

#[test]
fn rules_can_be_chosen() {
    let folder = Folder::new();
    folder.write("modeltrail.toml", "redaction.rules = ['phone']\n");
    let output = folder.pipe(&["redact"], "jo@example.com 202-555-0143\n").code(0);
    assert_eq!(output.stdout, "jo@example.com [PHONE]\n");
    // A ledger's header says which rules were in force.
    folder.run(&["init"]).code(0);
    let record =
        r#"{"request_id":"r","model_name":"m","model_version":"1","input":"jo@example.com"}"#;
    folder.pipe(&["log"], record).code(0);
    let entry = &folder.json(&["show", "r"])[0];
    assert_eq!(entry["parts"]["input"], "jo@example.com");
    let other = Folder::with_ledger();
    other.pipe(&["log"], record).code(0);
    let masked = &other.json(&["show", "r"])[0];
    assert_eq!(masked["parts"]["input"], "[EMAIL]");
    assert_ne!(entry["parts"]["header"]["policy"], masked["parts"]["header"]["policy"]);
}
