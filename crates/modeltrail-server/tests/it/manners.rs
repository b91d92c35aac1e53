//! How the program behaves among others: exit codes, colours, pipes, nothing made by accident.

use std::io::Read as _;

use crate::support::{Folder, finish};

#[test]
fn usage_errors_are_2_and_help_is_0() {
    let folder = Folder::new();
    for args in [&[][..], &["quer"], &["query", "--nope"], &["--format", "xml", "query"], &["show"]]
    {
        folder.run(args).code(2);
    }
    for args in [&["--help"][..], &["help", "log"], &["query", "--help"], &["--version"]] {
        let output = folder.run(args).code(0);
        assert!(!output.stdout.is_empty() && output.stderr.is_empty());
    }
    let help = folder.run(&["log", "--help"]).stdout;
    for name in ["MODELTRAIL_STORE", "MODELTRAIL_FORMAT", "MODELTRAIL_ACK", "MODELTRAIL_CONFIG"] {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn a_mistyped_path_never_makes_anything() {
    let folder = Folder::new();
    for args in [
        &["query"][..],
        &["query", "--count"],
        &["show", "x"],
        &["verify"],
        &["status"],
        &["log"],
        &["report", "model-usage", "--model", "m"],
        &["report", "data-access", "--user", "u"],
    ] {
        for store in ["sqlite:typo.db", "sqlite:no/such/folder/typo.db"] {
            let output = folder.run(&[&["--store", store], args].concat()).code(3);
            assert!(
                output.stderr.starts_with("error: no ledger at "),
                "{args:?}: {}",
                output.stderr
            );
            assert!(output.stderr.contains("\nhint: ") && output.stdout.is_empty());
        }
    }
    assert!(folder.names().is_empty(), "{:?}", folder.names());
    folder.run(&["--store", "memory:", "log", "--create"]).code(2).says("in memory");
    folder.write("notes.db", "this is no database, but somebody's notes\n");
    folder.run(&["--store", "sqlite:notes.db", "query"]).code(3).says("no modeltrail ledger");
    assert_eq!(folder.names().len(), 1);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = Folder::with_predictions();
    for format in ["json", "csv", "table"] {
        let mut child =
            folder.command(&["--format", format, "query", "--limit", "0"]).spawn().unwrap();
        let mut first = [0; 64];
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut first).unwrap();
        drop(stdout);
        let output = finish(child).code(0);
        assert!(!output.stderr.contains("error"), "{}", output.stderr);
    }
}

#[test]
fn colours_only_where_they_are_wanted() {
    let folder = Folder::with_predictions();
    let run = |vars: &[(&str, &str)], args: &[&str]| {
        finish(folder.command(args).envs(vars.iter().copied()).spawn().unwrap())
    };
    let has_color = |text: &str| text.contains('\x1b');
    let query = ["query", "--limit", "2"];
    assert!(!has_color(&run(&[], &query).stdout), "no terminal, no colour");
    assert!(has_color(&run(&[("CLICOLOR_FORCE", "1")], &query).stdout));
    assert!(has_color(&run(&[("CLICOLOR_FORCE", "1")], &["show", "nope"]).stderr));
    let none = [("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")];
    for args in [&query[..], &["show", "nope"], &["status"], &["demo"]] {
        let output = run(&none, args);
        assert!(!has_color(&output.stdout) && !has_color(&output.stderr), "{args:?}");
    }
    // Programs get no colours, whatever is forced.
    for format in ["json", "csv"] {
        let output = run(&[("CLICOLOR_FORCE", "1")], &["--format", format, "query"]);
        assert!(!has_color(&output.stdout), "{format}");
    }
}

#[test]
fn every_shell_has_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.run(&["completions", shell]).code(0).stdout;
        assert!(script.contains("data-access") && script.contains("request-id"), "{shell}");
    }
    folder.run(&["completions", "csh"]).code(2);
}

#[test]
fn no_progress_bar_reaches_a_file() {
    let folder = Folder::with_predictions();
    let output = folder.run(&["log", "predictions.jsonl"]).code(0);
    assert_eq!(output.stderr, "569 lines: 0 recorded, 569 already there, 0 conflicts, 0 refused\n");
}
