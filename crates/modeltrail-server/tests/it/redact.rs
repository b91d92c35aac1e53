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
fn explain_names_place_rule_and_reason_and_never_a_value() {
    let folder = Folder::new();
    let text = "{\"model_name\":\"m\",\"model_version\":\"1\",\"user_id\":\"jo@example.com\",\"input\":{\"a\":[\"ann@example.com\",\"x\"],\"ssn\":123456789}}\ncall 202-555-0143 now\n";
    let output = folder.pipe(&["redact", "--explain"], text).code(0);
    let starts = [
        "stdin:1: /input/a/0 bytes 0 to 15: email, replaced: by its shape; a local part",
        "stdin:1: /input/ssn bytes 0 to 9: ssn, replaced: the name `ssn` on its path; 3-2-4 digits",
        "stdin:2: bytes 5 to 17: phone, replaced: by its shape; '+' or 00 with",
    ];
    for (line, start) in output.stderr.lines().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    assert_eq!(output.stderr.lines().count(), starts.len() + 1);
    for value in ["ann@", "555", "123456789"] {
        assert!(!output.stderr.contains(value), "{}", output.stderr);
    }
    assert!(output.stdout.contains("\"user_id\":\"jo@example.com\""), "{}", output.stdout);
}

#[test]
fn a_line_that_cannot_be_read_is_not_shown() {
    let folder = Folder::new();
    let output = folder.pipe(&["redact"], b"a\nsecret \xff jo@example.com\nb\n").code(2);
    assert_eq!(output.stdout, "a\nb\n");
    output.says("stdin:2: invalid UTF-8").says("1 lines could not be read");
    let output = folder.pipe(&["redact"], b"\xff\n".repeat(150)).code(2);
    let said = output.says("stdin:100: ").says("50 more such lines").says("150 lines could not");
    assert!(!said.stderr.contains("stdin:101: "), "{}", said.stderr);
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

/// A record, another object and a text.
const LINES: &str = concat!(
    r#"{"model_name":"chat-1","model_version":"1","user_id":"jo@example.com","input":{"text":"#,
    r#""write to ann@example.com","password":"hunter22x"},"output":"call 202-555-0143"}"#,
    "\n{\"ssn\":\"123-45-6789\"}\nmail jo@example.com now\nnothing\n",
);

const POLICY: &str = "version = 1
name = 'support'
[types]
email = 'pseudonym'
phone = { mask = 4 }
ssn = 'remove'
[[deny]]
keys = 'password'
[[rule]]
types = 'email'
models = 'free-*'
parts = 'output'
action = 'keep'
";

#[test]
fn a_diff_shows_the_changed_places_alone() {
    let folder = Folder::new();
    folder.write("in.jsonl", LINES);
    let output = folder.run(&["redact", "--diff", "in.jsonl"]).code(0);
    assert_eq!(
        output.stdout,
        "--- in.jsonl\n+++ in.jsonl by the settings\n\
         @@ in.jsonl:1 /input/password @@\n-hunter22x\n+[PASSWORD]\n\
         @@ in.jsonl:1 /input/text @@\n-write to ann@example.com\n+write to [EMAIL]\n\
         @@ in.jsonl:1 /output @@\n-call 202-555-0143\n+call [PHONE]\n\
         @@ in.jsonl:2 /ssn @@\n-123-45-6789\n+[SSN]\n\
         @@ in.jsonl:3 @@\n-mail jo@example.com now\n+mail [EMAIL] now\n"
    );
    assert_eq!(folder.pipe(&["redact", "--diff"], "nothing\n").code(0).stdout, "");
}

#[test]
fn a_diff_is_coloured_where_that_is_wanted() {
    let folder = Folder::new();
    folder.write("in.jsonl", "mail jo@example.com now\n");
    let run = |vars: &[&str]| {
        let mut command = folder.command(&["redact", "--diff", "in.jsonl"]);
        command.envs(vars.iter().map(|name| (name, "1")));
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let colored = run(&["CLICOLOR_FORCE"]);
    assert!(
        colored.contains("\x1b[31m-mail \x1b[1mjo@example.com\x1b[22m now\x1b[0m\n"),
        "{colored:?}"
    );
    assert!(colored.contains("\x1b[32m+mail \x1b[1m[EMAIL]\x1b[22m now\x1b[0m\n"));
    for plain in [run(&[]), run(&["CLICOLOR_FORCE", "NO_COLOR"])] {
        assert!(!plain.contains('\x1b') && plain.contains("+mail [EMAIL] now"), "{plain:?}");
    }
}

#[test]
fn a_policy_is_followed_in_records_and_in_other_lines() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    let output = folder.pipe(&["redact", "--policy", "p.toml"], LINES).code(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    let record: Value = serde_json::from_str(lines[0]).unwrap();
    let pseudonym = record["input"]["text"].as_str().unwrap().strip_prefix("write to ").unwrap();
    assert!(pseudonym.starts_with("[EMAIL:a:") && pseudonym.len() == 26, "{pseudonym}");
    assert_eq!(record["input"]["password"], "[REDACTED]");
    assert_eq!(record["output"], "call ********0143");
    assert_eq!(record["user_id"], "jo@example.com");
    assert_eq!(lines[1], r#"{"ssn":""}"#);
    assert_eq!(lines[3], "nothing");
    let output = output.says("pseudonyms are made with a key of this preview");
    for value in ["ann@", "hunter", "6789"] {
        assert!(!output.stdout.contains(value) && !output.stderr.contains(value), "{output:?}");
    }
    assert!(folder.names().len() == 1, "{:?}", folder.names());
}

#[test]
fn pseudonyms_join_the_lines_of_one_preview_and_of_no_other() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    let run = || {
        let text = "jo@example.com\nann@example.com\njo@example.com\n";
        let output = folder.pipe(&["redact", "--policy", "p.toml"], text).code(0);
        output.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (first, second) = (run(), run());
    assert!(first[0] == first[2] && first[0] != first[1], "{first:?}");
    assert_ne!(first[0], second[0]);
}

#[test]
fn part_and_model_say_what_a_bare_line_counts_as() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    let run = |more: &[&str]| {
        let args = [&["redact", "--policy", "p.toml"], more].concat();
        folder.pipe(&args, "mail jo@example.com").code(0).stdout
    };
    assert_eq!(run(&["--part", "output", "--model", "free-2"]), "mail jo@example.com\n");
    assert!(run(&["--part", "input", "--model", "free-2"]).starts_with("mail [EMAIL:a:"));
    assert!(run(&["--part", "output", "--model", "paid"]).starts_with("mail [EMAIL:a:"));
    folder.run(&["redact", "--part", "header"]).code(2).says("write input, output, metadata");
}

#[test]
fn every_problem_of_a_policy_is_told_before_anything_is_read() {
    let folder = Folder::new();
    let bad = "version = 2\nname = 'p'\n[types]\nemail = 'hide'\n[[deny]]\npaths = '$.a['\n";
    folder.write("bad.toml", bad);
    for args in [
        &["redact", "--policy", "bad.toml", "none.jsonl"][..],
        &["redact", "--policy", "bad.toml", "--check"],
    ] {
        let output = folder.run(args).code(2);
        assert_eq!(output.stdout, "");
        let told: Vec<&str> = output.stderr.lines().collect();
        assert!(
            told[0].starts_with("bad.toml:1:11: a version that is not known; write"),
            "{told:?}"
        );
        assert!(told[1].starts_with("bad.toml:4:9: no action; write"), "{told:?}");
        assert!(told[2].starts_with("bad.toml:6:9: "), "{told:?}");
        assert_eq!(told[3], "error: bad.toml: 3 problems");
    }
    folder.write("raw.toml", b"\xff");
    folder.run(&["redact", "--policy", "raw.toml"]).code(2).says("raw.toml: no UTF-8 text");
    folder.run(&["redact", "--policy", "no.toml"]).code(2).says("no.toml: there is no such file");
}

#[test]
fn check_tells_what_a_policy_is() {
    let folder = Folder::new();
    folder.write("p.toml", POLICY);
    let args = ["redact", "--policy", "p.toml", "--check"];
    let told = folder.run(&[&args[..], &["--format", "json"]].concat()).code(0).json();
    assert_eq!((&told["name"], &told["types"]["phone"]), (&"support".into(), &"mask 4".into()));
    assert_eq!(told["types"]["iban"], "replace");
    assert_eq!(told["policy"]["rules"][0]["action"], "keep");
    let digest = told["digest"].as_str().unwrap();
    assert!(digest.len() == 64 && told["header_digest"] != told["digest"]);
    let table = folder.run(&args).code(0).stdout;
    assert!(table.starts_with(&format!("policy      support\ndigest      {digest}\n")), "{table}");
    assert!(table.contains("by place    deny 1, allow 0, rule 1; patterns 0\n"), "{table}");
    assert!(table.contains("mod 97, the country's length"), "{table}");
    folder.run(&["redact", "--check"]).code(2);
}

#[test]
fn stats_count_what_the_preview_masks_and_show_nothing_of_it() {
    let folder = Folder::new();
    let args = ["redact", "--stats", "--format", "json"];
    let output = folder.pipe(&args, PREDICTIONS).code(0);
    let told = output.json();
    assert_eq!((&told["lines"], &told["lines_with_findings"]), (&569.into(), &10.into()));
    assert_eq!(told["bytes"], PREDICTIONS.len());
    let of = |name: &str| {
        let rows = told["found"].as_array().unwrap().iter().filter(|row| row["type"] == name);
        rows.map(|row| row["found"].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((of("email"), of("phone"), of("ssn")), (6, 6, 0));
    output.says("found something in 10 of 569 lines (1.8 %); ");

    let output = folder.pipe(&["redact", "--stats"], b"jo@example.com\n\xff\nx\n").code(2);
    assert_eq!(
        output.stdout,
        "type   part   action   found  lines\nemail  input  replace      1      1\n"
    );
    output.says("stdin:2: invalid UTF-8").says("1 of 3 lines (33.3 %)").says("1 lines could not");

    folder.write("p.toml", POLICY);
    let args = ["redact", "--stats", "--policy", "p.toml", "--format", "csv"];
    let rows = folder.pipe(&args, "202-555-0143 and jo@example.com\n").code(0).stdout;
    assert!(rows.starts_with("type,part,action,found,lines\nemail,input,"), "{rows}");
}

#[test]
fn two_policies_are_held_against_each_other() {
    let folder = Folder::new();
    folder.write("old.toml", "version = 1\nname = 'old'\n[[deny]]\npaths = '$.user'\n");
    folder.write(
        "new.toml",
        "version = 1\nname = 'new'\n[types]\nemail = 'keep'\nphone = { mask = 4 }\n",
    );
    let text = "{\"user\":{\"mail\":\"jo@example.com\",\"phone\":\"202-555-0143\"}}\n\
                write to jo@example.com or 202-555-0143\n{\"ssn\":\"123-45-6789\"}\n";
    let args = ["redact", "--policy", "new.toml", "--instead-of", "old.toml"];
    let output = folder.pipe(&args, text).code(0);
    assert_eq!(
        output.stdout,
        "--- stdin by old.toml\n+++ stdin by new.toml\n@@ stdin:1 /user @@\n-[REDACTED]\n\
         +{\"mail\":\"jo@example.com\",\"phone\":\"********0143\"}\n@@ stdin:2 @@\n\
         -write to [EMAIL] or [PHONE]\n+write to jo@example.com or ********0143\n"
    );
    let same = folder.pipe(&["redact", "--policy", "new.toml", "--instead-of", "new.toml"], text);
    assert_eq!(same.code(0).stdout, "");
}
