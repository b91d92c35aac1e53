//! Words that promise what nobody can keep, and paths of somebody's machine.
//!
//! A line may hold one after all when it says `tidy: allow-word` and, behind that, why; or when
//! it forbids the word: the word in quotes, and `never` or `refused` on the same line.

use crate::finding::Finding;
use crate::tree::{SourceFile, Tree};

/// Each with what can be said instead.
const WORDS: &[(&str, &str)] = &[
    ("tamper-proof", "say tamper-evident, and to whom"),
    ("tamperproof", "say tamper-evident, and to whom"),
    ("immutable", "say append-only or tamper-evident, or what is refused"),
    ("compliant", "say which article it supports or evidences"),
];
/// Folders of machines; in Rust code `/tmp/` is refused in comments only.
const MACHINE_PATHS: &[&str] = &["/work/", "/root/", "/tmp/"];
const MARKER: &str = "tidy: allow-word";
/// This check and its tests, which have to name what they refuse.
const OWN: &str = "xtask/src/checks/words";

/// Finds refused words and paths in code, documents and scripts.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !file.is_in_module(OWN)) {
        for (index, text) in file.text.lines().enumerate() {
            if is_allowed(text) {
                continue;
            }
            findings.extend(
                problems(file, text)
                    .map(|(what, todo)| Finding::new(&file.path, index + 1, what, todo)),
            );
        }
    }
    findings
}

/// Whether a line has the marker and a reason of at least one word behind it.
fn is_allowed(line: &str) -> bool {
    let reason = line.split_once(MARKER).map_or("", |(_, reason)| reason);
    reason.chars().filter(|c| c.is_alphabetic()).count() >= 3
}

fn problems(file: &SourceFile, line: &str) -> impl Iterator<Item = (String, &'static str)> {
    let lower = line.to_lowercase();
    let is_code = file.is("rs") && !line.trim_start().starts_with("//");
    let paths = MACHINE_PATHS.iter().filter(move |path| !(is_code && **path == "/tmp/"));
    let paths: Vec<(String, &str)> = paths
        .filter(|path| has_path(&lower, path))
        .map(|path| (format!("machine path {path}"), "name a place every reader has"))
        .collect();
    let words = WORDS.iter().filter(move |(word, _)| has_word(&lower, word));
    words.map(|(word, todo)| (format!("the word {word}"), *todo)).chain(paths)
}

/// Whether a lower-case line has a whole word that it does not itself forbid.
fn has_word(line: &str, word: &str) -> bool {
    let is_list = line.contains("never") || line.contains("refused");
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = around(line, at, word.len());
        let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_quote = |c: Option<char>| c.is_some_and(|c| "\"'`“”‘’".contains(c));
        let is_forbidden = is_list && is_quote(before) && is_quote(after);
        !is_part(before) && !is_part(after) && !is_forbidden
    })
}

/// Whether a line has a path from the root, not one below another folder or host.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let (before, _) = around(line, at, path.len());
        before.is_none_or(|c| c.is_whitespace() || "\"'`(=:,[<>|".contains(c))
    })
}

fn around(line: &str, at: usize, length: usize) -> (Option<char>, Option<char>) {
    let before = line.get(..at).and_then(|text| text.chars().next_back());
    let after = line.get(at + length..).and_then(|text| text.chars().next());
    (before, after)
}

#[cfg(test)]
mod tests;
