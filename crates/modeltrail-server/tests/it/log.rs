//! `init` and `log`: what is recorded, and the figures that are told.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{COUNTS, Folder, PREDICTIONS, finish, is_missing, line, predictions};

/// The summary of `log` as JSON, from a run that ended with `code`.
#[track_caller]
fn log(folder: &Folder, args: &[&str], input: &str, code: i32) -> Value {
    let mut all = vec!["--format", "json", "log"];
    all.extend(args);
    folder.pipe(&all, input).code(code).json()
}

fn figures(summary: &Value) -> [u64; 6] {
    ["lines", "blank", "recorded", "duplicates", "conflicts", "refused"]
        .map(|name| summary[name].as_u64().unwrap_or_else(|| panic!("{name}: {summary}")))
}

#[test]
fn init_says_where_everything_is_and_never_overwrites() {
    let folder = Folder::new();
    let made =
        folder.run(&["init", "--format", "json", "--origin", "example.com/a"]).code(0).json();
    assert_eq!(made["origin"], "example.com/a");
    for what in ["database", "key"] {
        assert!(folder.path(made[what].as_str().unwrap()).exists(), "{what}");
    }
    let before = std::fs::read(folder.path("modeltrail.db")).unwrap();
    folder
        .run(&["init"])
        .code(3)
        .says("error: a ledger is at modeltrail.db already")
        .says("hint: ");
    assert_eq!(std::fs::read(folder.path("modeltrail.db")).unwrap(), before);
    folder.run(&["--store", "memory:", "init"]).code(2);
    folder.run(&["--store", "mysql://x", "init"]).code(2).says("mysql://x");
    folder.run(&["--store", "sqlite:b.db", "init", "--origin", "two\nlines"]).code(2);
    assert!(is_missing(&folder.path("b.db")));
}

#[test]
fn counts_are_those_of_the_file() {
    let folder = Folder::with_predictions();
    let mut by_label: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut by_user: BTreeMap<String, u64> = BTreeMap::new();
    for record in predictions() {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let key = (text(&record["model_version"]), text(&record["output_data"]["prediction"]));
        *by_label.entry(key).or_default() += 1;
        *by_user.entry(text(&record["user_id"])).or_default() += 1;
    }
    let counts: Value = serde_json::from_str(COUNTS).unwrap();
    for ((version, label), n) in &by_label {
        let filters =
            ["--model", "tumour_classifier", "--model-version", version, "--label", label];
        assert_eq!(folder.count(&filters), *n, "{version} {label}");
        assert_eq!(counts["models"]["tumour_classifier"][version][label], *n);
    }
    for (user, n) in &by_user {
        assert_eq!(folder.count(&["--user", user]), *n, "{user}");
    }
    assert_eq!(folder.count(&["--kind", "prediction"]), 569);
}

#[test]
fn the_same_file_again_adds_nothing() {
    let folder = Folder::with_ledger();
    assert_eq!(figures(&log(&folder, &[], PREDICTIONS, 0)), [569, 0, 569, 0, 0, 0]);
    assert_eq!(figures(&log(&folder, &["-"], PREDICTIONS, 0)), [569, 0, 0, 569, 0, 0]);
    assert_eq!(folder.count(&["--kind", "prediction"]), 569);
    // Half of it again, among new ones.
    let mut mixed: Vec<String> = PREDICTIONS.lines().take(300).map(str::to_owned).collect();
    mixed.extend((0..50).map(|n| line(&format!("new-{n}"), "")));
    mixed.extend((0..10).map(|n| line(&format!("new-{n}"), "")));
    let summary = log(&folder, &[], &mixed.join("\n"), 0);
    assert_eq!(figures(&summary), [360, 0, 50, 310, 0, 0]);
    folder.run(&["verify"]).code(0);
}

#[test]
fn figures_are_exact_while_another_process_is_the_sequencer() {
    let folder = Folder::with_ledger();
    let mut first =
        folder.command(&["--format", "json", "log"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut to_first = first.stdin.take().unwrap();
    writeln!(to_first, "{}", line("held", "")).unwrap();
    // It is in the ledger, so the first process sequences; it goes on until its input ends.
    while folder.count(&["--request-id", "held"]) == 0 {
        std::thread::yield_now();
    }
    let some: String = PREDICTIONS.split_inclusive('\n').take(100).collect();
    assert_eq!(figures(&log(&folder, &[], &some, 0)), [100, 0, 100, 0, 0, 0]);
    assert_eq!(figures(&log(&folder, &[], &some, 0)), [100, 0, 0, 100, 0, 0]);
    let mixed = format!("{some}{}\n{}\n", line("held", r#","input":1"#), line("held", ""));
    assert_eq!(figures(&log(&folder, &[], &mixed, 2)), [102, 0, 0, 101, 1, 0]);
    // The first one's own figures have nothing of the others'.
    write!(to_first, "{}\n{some}", line("held", "")).unwrap();
    drop(to_first);
    let output = finish(first).code(0);
    assert_eq!(figures(&output.json()), [102, 0, 1, 101, 0, 0]);
    folder.run(&["verify"]).code(0);
}

#[test]
fn another_record_under_the_same_id_is_a_conflict_and_kept() {
    let folder = Folder::with_ledger();
    log(&folder, &[], &line("r", r#","output":{"label":"a"}"#), 0);
    let summary = log(&folder, &[], &line("r", r#","output":{"label":"b"}"#), 2);
    assert_eq!(figures(&summary), [1, 0, 0, 0, 1, 0]);
    let entries = folder.json(&["show", "r"]);
    let seen: Vec<_> =
        entries.as_array().unwrap().iter().map(|e| (&e["kind"], &e["label"])).collect();
    assert_eq!(seen, [(&json!("prediction"), &json!("a")), (&json!("conflict"), &json!("b"))]);
}

#[test]
fn only_create_makes_a_ledger_and_only_for_a_file_that_is_there() {
    let folder = Folder::new();
    folder.pipe(&["log"], line("a", "")).code(3).says("no ledger at modeltrail.db").says("hint: ");
    folder.run(&["log", "--create", "typo.jsonl"]).code(2).says("typo.jsonl");
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    folder
        .pipe(&["log", "--create"], line("a", ""))
        .code(0)
        .says("made the ledger localhost/modeltrail-");
    folder.pipe(&["log", "--create"], line("b", "")).code(0);
    assert_eq!(folder.count(&["--model", "m"]), 2);
}

#[test]
fn line_ends_blank_lines_and_assigned_ids() {
    let folder = Folder::with_ledger();
    let record = r#"{"model":{"name":"m","version":"1"}}"#;
    let text = format!("\n{record}\r\n  \t\r\n{record}\n\n{record}");
    assert_eq!(figures(&log(&folder, &[], &text, 0)), [6, 3, 3, 0, 0, 0]);
    assert_eq!(figures(&log(&folder, &[], "", 0)), [0, 0, 0, 0, 0, 0]);
    assert_eq!(folder.count(&["--model", "m"]), 3);
}

#[test]
fn what_was_only_spooled_arrives_with_the_next_sequencer() {
    for ack in ["written", "spooled"] {
        let folder = Folder::with_ledger();
        let summary = log(&folder, &["--ack", ack], PREDICTIONS, 0);
        assert_eq!((&summary["ack"], &summary["recorded"]), (&json!(ack), &Value::Null));
        log(&folder, &[], "", 0);
        assert_eq!(folder.count(&["--kind", "prediction"]), 569, "{ack}");
        folder.run(&["verify"]).code(0);
    }
}

#[test]
fn the_other_ways_of_a_full_spool_record_everything_when_there_is_room() {
    for on_full in ["fail", "gap"] {
        let folder = Folder::with_ledger();
        let summary = log(&folder, &["--on-full", on_full], PREDICTIONS, 0);
        assert_eq!(figures(&summary), [569, 0, 569, 0, 0, 0], "{on_full}");
        assert_eq!(summary["dropped"], 0);
    }
}

#[test]
fn a_spool_of_one_segment_is_waited_for() {
    let folder = Folder::with_ledger();
    folder.write("modeltrail.toml", "[spool]\nsegment_bytes = 65536\nbytes_max = 262144\n");
    assert_eq!(figures(&log(&folder, &[], PREDICTIONS, 0)), [569, 0, 569, 0, 0, 0]);
    folder.run(&["verify"]).code(0);
}

#[test]
fn the_summary_is_data_only_where_a_program_asked_for_it() {
    let folder = Folder::with_ledger();
    let table = folder.pipe(&["log"], line("a", "")).code(0);
    assert_eq!(table.stdout, "");
    assert_eq!(table.stderr, "1 line: 1 recorded, 0 already there, 0 conflicts, 0 refused\n");
    let quiet = folder.pipe(&["-q", "log"], line("b", "")).code(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let csv = folder.pipe(&["--format", "csv", "log"], line("c", "")).code(0);
    assert_eq!(csv.stdout.lines().last(), Some("1,0,1,0,0,0,0"));
}

#[test]
fn records_come_one_by_one_from_a_pipe_that_stays_open() {
    let folder = Folder::with_ledger();
    let mut child = folder.command(&["-v", "log"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for n in 0..3_u64 {
        writeln!(stdin, "{}", line(&format!("r{n}"), "")).unwrap();
        while folder.count(&["--model", "m"]) <= n {
            std::thread::yield_now();
        }
    }
    drop(stdin);
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.last().unwrap().starts_with("3 lines: 3 recorded"));
    assert!(child.wait().unwrap().success());
}

/// The key is another program's, and that one hangs: what was recorded is there, it is told that nothing
/// signs it, and no process is left behind.
#[test]
fn a_signing_program_that_hangs_is_told_and_ended() {
    let folder = Folder::new();
    folder.run(&["init"]).code(0);
    let vkey = folder.run(&["key", "show"]).code(0).stdout;
    let keys = "modeltrail.db.d/keys";
    std::fs::remove_file(folder.path(&format!("{keys}/checkpoint.key"))).unwrap();
    let command = format!("{keys}/checkpoint.command");
    let script = "tail -f /dev/null & echo $! >> pids; wait";
    folder.write(&command, format!("{}\nsh\n-c\n{script}\n", vkey.trim_end()));
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(folder.path(&command), mode).unwrap();
    let output = folder.pipe(&["log"], line("r1", "")).code(0);
    output.says("checkpoints could not be signed").says("signing program sh");
    let pids = std::fs::read_to_string(folder.path("pids")).unwrap();
    assert!(!pids.is_empty());
    for pid in pids.lines() {
        let ps = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output();
        let state = String::from_utf8(ps.unwrap().stdout).unwrap();
        assert!(
            state.trim().is_empty() || state.starts_with('Z'),
            "{pid} was left behind: {state}"
        );
    }
}
