//! Refused words and machine paths, and the lines that may hold them.

use super::check;
use crate::testing::findings;

const NOTHING: [&str; 0] = [];

fn of(path: &str, text: &str) -> Vec<String> {
    findings(check, &[(path, text)])
}

#[test]
fn words_are_refused_in_code_and_documents() {
    for path in ["a.rs", "docs/a.md", "a.py", "a.toml", "scripts/test"] {
        let found = of(path, "fine\nAn Immutable, tamper-proof trail.\n");
        let what = ["tamper-proof", "immutable"].map(|w| format!("{path}:2: the word {w}"));
        assert_eq!(found, what);
    }
}

#[test]
fn only_whole_words_count() {
    assert_eq!(
        of("a.md", "immutability, ComplianceReporter, compliantly, tamper-evident\n"),
        NOTHING
    );
    assert_eq!(of("a.md", "non-compliant\n"), ["a.md:1: the word compliant"]);
}

#[test]
fn a_line_may_forbid_a_word_or_give_a_reason() {
    assert_eq!(of("a.md", "We never say \"immutable\" or `compliant`.\n"), NOTHING);
    assert_eq!(of("a.md", "This never was immutable.\n"), ["a.md:1: the word immutable"]);
    assert_eq!(of("a.md", "The \"immutable\" trail.\n"), ["a.md:1: the word immutable"]);
    let allowed = "uri(\"?immutable=1\"); // tidy: allow-word, a setting of SQLite\n";
    assert_eq!(of("a.rs", allowed), NOTHING);
    let bare = "uri(\"?immutable=1\"); // tidy: allow-word\n";
    assert_eq!(of("a.rs", bare), ["a.rs:1: the word immutable"]);
}

#[test]
fn machine_paths_are_refused() {
    assert_eq!(of("a.md", "see /work/main and `/tmp/x`\n").len(), 2);
    assert_eq!(of("a.rs", "//! see /tmp/x\n"), ["a.rs:1: machine path /tmp/"]);
    assert_eq!(of("a.rs", "const A: &str = \"/root/x\";\n"), ["a.rs:1: machine path /root/"]);
    assert_eq!(of("a.rs", "const A: &str = \"/tmp/x\";\n"), NOTHING);
    assert_eq!(of("a.md", "https://example.org/work/ ~/work/ $HOME/tmp/ crates/root/\n"), NOTHING);
}
