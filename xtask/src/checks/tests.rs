//! Each check is shown to fail on a small made-up project, and to pass beside it.

use crate::finding::Finding;
use crate::testing::{TempTree, captured, findings};
use crate::tree::Tree;

use super::{CHECKS, arrows, core_io, docs, lengths, papers, seams, sql};

const NOTHING: [&str; 0] = [];

fn manifest(name: &str, dependencies: &str) -> String {
    format!("[package]\nname = \"{name}\"\n[dependencies]\n{dependencies}")
}

/// What a check says of one file.
fn of_file(check: fn(&Tree) -> Vec<Finding>, path: &str, text: &str) -> Vec<String> {
    findings(check, &[(path, text)])
}

#[test]
fn every_check_has_a_name_of_its_own() {
    let names: std::collections::BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), CHECKS.len());
}

/// Exit code and standard output of a run over a project.
fn tidy(project: &TempTree) -> (u8, String) {
    let (code, out, _) = captured(|output| super::tidy(&project.root, output));
    (code, out)
}

#[test]
fn what_cannot_be_checked_is_told() {
    let project = TempTree::new(&[("a.rs", "//! A.\n")]);
    let (code, _, err) = captured(|output| super::tidy(&project.root.join("missing"), output));
    assert_eq!((code, err.contains("cannot read the project")), (3, true));
    // No manifest: cargo cannot tell the packages, and the other checks are run all the same.
    let (code, out, err) = captured(|output| super::tidy(&project.root, output));
    assert_eq!((code, err.contains("package budget could not be checked")), (3, true));
    assert!(out.contains("README.md:1: missing or empty"), "{out}");
}

/// A project so small that nothing is wrong with it, but for its papers.
fn small_project() -> TempTree {
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\"m\"]\n\
                     [workspace.lints.rust]\nmissing_docs = \"deny\"\n";
    let package = "[package]\nname = \"modeltrail\"\n[lints]\nworkspace = true\n";
    let papers = ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"];
    let mut files: Vec<(&str, &str)> = papers.iter().map(|paper| (*paper, "text\n")).collect();
    files.extend([("Cargo.toml", workspace), ("m/Cargo.toml", package)]);
    files.push(("m/src/lib.rs", "//! A.\n"));
    TempTree::new(&files)
}

#[test]
fn one_finding_makes_tidy_fail() {
    let project = small_project();
    let closing = "tidy: 10 checks over 7 files, findings: 1\n";
    let paper = "ARCHITECTURE.md:1: missing or empty: write it\n";
    assert_eq!(tidy(&project), (1, format!("{paper}{closing}")));
    project.write("ARCHITECTURE.md", "text\n");
    assert_eq!(tidy(&project), (0, "tidy: 10 checks over 8 files, findings: 0\n".into()));
    project.write("m/src/a.rs", "fn a() {}\n");
    assert_eq!(tidy(&project).0, 1);
}

#[test]
fn arrows_go_one_way() {
    let core = manifest("modeltrail-core", "serde = \"1\"\n");
    let product = manifest("modeltrail", "modeltrail-core.workspace = true\n");
    let server = manifest("modeltrail-server", "modeltrail.workspace = true\ntokio = \"1\"\n");
    let fine = [("a/Cargo.toml", &*core), ("b/Cargo.toml", &*product), ("c/Cargo.toml", &*server)];
    assert_eq!(findings(arrows::check, &fine), NOTHING);

    let core = core + "[dev-dependencies]\nm = { package = \"modeltrail\", path = \"../b\" }\n";
    let product = product + "modeltrail-server.workspace = true\n";
    let bad = [("a/Cargo.toml", &*core), ("b/Cargo.toml", &*product), ("c/Cargo.toml", &*server)];
    let expected = [
        "a/Cargo.toml:6: modeltrail-core depends on modeltrail",
        "b/Cargo.toml:5: modeltrail depends on modeltrail-server",
    ];
    assert_eq!(findings(arrows::check, &bad), expected);
}

#[test]
fn a_crate_may_test_itself_with_its_own_features() {
    let text = manifest("modeltrail", "modeltrail = { path = \".\", features = [\"testing\"] }\n");
    assert_eq!(of_file(arrows::check, "a/Cargo.toml", &text), NOTHING);
}

#[test]
fn unknown_crates_and_dependencies_of_xtask_are_found() {
    let found = of_file(arrows::check, "a/Cargo.toml", &manifest("modeltrail-utils", ""));
    assert_eq!(found, ["a/Cargo.toml:1: unknown crate modeltrail-utils"]);
    let found = of_file(arrows::check, "xtask/Cargo.toml", &manifest("xtask", "regex = \"1\"\n"));
    assert_eq!(found, ["xtask/Cargo.toml:4: xtask depends on regex"]);
}

#[test]
fn core_has_no_io() {
    let text = "//! May say std::fs and async.\nuse std::time::{Duration, Instant};\n\
                fn f() { let _ = std::fs::read(\"std::net\"); }\nasync fn g() {}\n\
                fn h() { jiff::Timestamp::now(); getrandom::fill(b); }\n\
                #[cfg(test)]\nmod more {\n    use std::fs;\n}\n";
    let expected = ["3: core names std::fs", "2: core names std::time::Instant"]
        .into_iter()
        .chain(["5: core names Timestamp::now", "5: core names getrandom", "4: core names async"]);
    let path = "crates/modeltrail-core/src/a.rs";
    let expected: Vec<String> = expected.map(|what| format!("{path}:{what}")).collect();
    assert_eq!(of_file(core_io::check, path, text), expected);
    for path in ["crates/modeltrail-core/src/a/tests.rs", "crates/modeltrail/src/a.rs"] {
        assert_eq!(of_file(core_io::check, path, text), NOTHING, "{path}");
    }
}

#[test]
fn lengths_have_bounds() {
    let function = |n: usize| format!("//! A.\n\nfn f() {{\n{}}}\n", "    g();\n".repeat(n - 2));
    assert_eq!(of_file(lengths::check, "a.rs", &function(70)), NOTHING);
    let found = of_file(lengths::check, "a.rs", &function(71));
    assert_eq!(found, ["a.rs:3: function f has 71 lines, at most 70"]);
    for path in ["a.rs", "a.py"] {
        assert_eq!(of_file(lengths::check, path, &"//!\n".repeat(500)), NOTHING);
        let found = of_file(lengths::check, path, &"//!\n".repeat(501));
        assert_eq!(found, [format!("{path}:501: 501 lines, at most 500")]);
    }
    assert_eq!(of_file(lengths::check, "a.md", &"x\n".repeat(501)), NOTHING);
}

#[test]
fn every_crate_and_file_is_documented() {
    let workspace = "[workspace.lints.rust]\nmissing_docs = \"deny\"\n";
    let manifest = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n";
    let files = [("Cargo.toml", workspace), ("a/Cargo.toml", manifest), ("a.rs", "\n//! A.\n")];
    assert_eq!(findings(docs::check, &files), NOTHING);
    let apart =
        [("Cargo.toml", workspace), ("f/Cargo.toml", "[package]\nname = \"f\"\n[workspace]\n")];
    assert_eq!(findings(docs::check, &apart), NOTHING);
    let files = [
        ("Cargo.toml", "[workspace.lints.rust]\nmissing_docs = \"warn\"\n"),
        ("a/Cargo.toml", "[package]\nname = \"a\"\n[lints]\nworkspace = false\n"),
        ("a.rs", "/// A.\nfn a() {}\n"),
        ("b.rs", "//!\nfn b() {}\n"),
    ];
    let expected = [
        "Cargo.toml:1: missing_docs is not denied",
        "a/Cargo.toml:1: crate a does not have the workspace's lints",
        "a.rs:1: file without a module doc",
        "b.rs:1: file without a module doc",
    ];
    assert_eq!(findings(docs::check, &files), expected);
}

#[test]
fn sql_lives_in_stores() {
    let text = "//! A.\nfn f() {\n    q(\"\\n  SELECT a\");\n    q(r#\"\n      pragma x = 1\"#);\n    \
                q(\"insert into t values (1)\");\n    q(\"BEGIN IMMEDIATE\");\n}\n\
                #[cfg(test)]\nmod more {\n    const Q: &str = \"DELETE FROM t\";\n}\n";
    let path = "crates/modeltrail/src/reader.rs";
    let expected =
        ["3: SQL outside a store (SELECT)", "4: SQL outside a store (PRAGMA)"].into_iter().chain([
            "6: SQL outside a store (INSERT INTO)",
            "7: SQL outside a store (BEGIN IMMEDIATE)",
        ]);
    let expected: Vec<String> = expected.map(|what| format!("{path}:{what}")).collect();
    assert_eq!(of_file(sql::check, path, text), expected);
    for path in [
        "crates/modeltrail/src/store/sqlite.rs",
        "crates/modeltrail/src/store.rs",
        "crates/modeltrail-bench/src/main.rs",
        "crates/modeltrail-server/tests/it/main.rs",
        "crates/modeltrail/src/reader/tests.rs",
    ] {
        assert_eq!(of_file(sql::check, path, text), NOTHING, "{path}");
    }
}

#[test]
fn english_and_http_are_no_sql() {
    let text = "//! A.\nconst A: &[&str] = &[\"select a store with --store\", \"DELETE\", \"SELECT\",\n    \
                \"update the lock file\", \"Begin immediately\", \"Select a record from the list\",\n    \
                \"UPDATED\", \"pragma-free\"];\n";
    assert_eq!(of_file(sql::check, "a.rs", text), NOTHING);
}

#[test]
fn seams_hold() {
    let core = manifest("modeltrail-core", "jiff = \"1\"\nsha2 = \"1\"\nserde-json-x = \"1\"\n");
    let verify = "//! A.\nuse crate::leaf::Leaf;\nuse jiff::Timestamp;\nuse sha2::Sha256;\n\
                  fn f() { serde_json_x::g(); }\n";
    let files = [
        ("crates/modeltrail-core/Cargo.toml", &*core),
        ("crates/modeltrail-core/src/verify/a.rs", verify),
        ("crates/modeltrail-core/src/record.rs", verify),
        ("crates/modeltrail/src/disk/mod.rs", "//! A.\nuse crate::spool;\n"),
        ("crates/modeltrail/src/sequencer.rs", "//! A.\nuse modeltrail_core::Record;\n"),
        (
            "crates/modeltrail/src/spool/mod.rs",
            "//! Not modeltrail_core.\nuse modeltrail_core as m;\n",
        ),
        ("crates/modeltrail/src/spool/tests.rs", "//! A.\nuse modeltrail_core::Record;\n"),
    ];
    let expected = [
        "crates/modeltrail-core/src/verify/a.rs:3: verify names jiff",
        "crates/modeltrail-core/src/verify/a.rs:5: verify names serde_json_x",
        "crates/modeltrail/src/spool/mod.rs:2: the spool names modeltrail_core",
    ];
    assert_eq!(findings(seams::check, &files), expected);
}

#[test]
fn papers_are_there_and_the_map_is_short() {
    let map = "x\n".repeat(301);
    let files = [("README.md", "a"), ("ARCHITECTURE.md", &*map), ("CHANGELOG.md", "\n")];
    let expected = [
        "CHANGELOG.md:1: missing or empty",
        "SECURITY.md:1: missing or empty",
        "CONTRIBUTING.md:1: missing or empty",
        "ARCHITECTURE.md:301: 301 lines, at most 300",
    ];
    assert_eq!(findings(papers::check, &files), expected);
    let map = "x\n".repeat(300);
    let names = ["README.md", "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"];
    let mut files: Vec<(&str, &str)> = names.iter().map(|name| (*name, "a")).collect();
    files.push(("ARCHITECTURE.md", &map));
    assert_eq!(findings(papers::check, &files), NOTHING);
}
