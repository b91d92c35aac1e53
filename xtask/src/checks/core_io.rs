//! No I/O in core: no files, sockets, clocks, environment, threads, processes, async, randomness.

use crate::finding::Finding;
use crate::tree::Tree;

const CORE: &str = "crates/modeltrail-core/src";
/// What the code of core does not name, and where that belongs instead.
const REFUSED: &[(&str, &str)] = &[
    ("std::fs", "take bytes, and let the caller read them"),
    ("std::net", "take bytes, and let the caller receive them; addresses are in core::net"),
    ("std::env", "take a setting as an argument"),
    ("std::process", "return an error"),
    ("std::thread", "let the caller have the threads"),
    ("std::io::stdin", "take bytes, and let the caller read them"),
    ("std::io::stdout", "return what is to be written"),
    ("std::io::stderr", "return an error"),
    ("std::time::SystemTime", "take the time as an argument"),
    ("std::time::Instant", "take the time as an argument"),
    ("SystemTime::now", "take the time as an argument"),
    ("Instant::now", "take the time as an argument"),
    ("Timestamp::now", "take the time as an argument"),
    ("Zoned::now", "take the time as an argument"),
    ("TimeZone::system", "take the zone as an argument"),
    ("getrandom", "take the random bytes as an argument"),
    ("tokio", "stay synchronous"),
    ("async", "stay synchronous"),
    ("await", "stay synchronous"),
];

/// Finds I/O outside tests.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let files = tree.rust().filter(|(file, _)| file.is_in_module(CORE) && !file.is_test());
    for (file, scan) in files {
        for (path, todo) in REFUSED {
            let lines = scan.lines_naming(path).into_iter();
            for line in lines.filter(|line| !scan.is_test_line(*line)) {
                findings.push(Finding::new(&file.path, line, format!("core names {path}"), *todo));
            }
        }
    }
    findings
}
