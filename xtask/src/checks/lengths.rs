//! Lengths of files and functions: what is longer is two things.

use crate::finding::Finding;
use crate::tree::Tree;

/// A file is read in one sitting; those of the houses we learn from have 500 lines at most.
const FILE_LINES_MAX: usize = 500;
/// What an auditor copies and reads by itself is one file, however many things it is: its path, and
/// what it may grow to.
const ONE_FILE: [(&str, usize); 2] = [("docs/verify.py", 1400), ("spec/verify_ledger.py", 700)];
/// A function is seen on one screen, from its `fn` to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Finds Rust and Python files, and Rust functions, that are too long.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.is("rs") || file.is("py")) {
        let n_lines = file.text.lines().count();
        let own = ONE_FILE.iter().find(|(path, _)| file.path == *path);
        let n_most = own.map_or(FILE_LINES_MAX, |(_, n_most)| *n_most);
        if n_lines > n_most {
            let what = format!("{n_lines} lines, at most {n_most}");
            findings.push(Finding::new(&file.path, n_lines, what, "split it by what it is about"));
        }
    }
    for (file, scan) in tree.rust() {
        let long = scan.functions.iter().filter(|f| f.n_lines > FUNCTION_LINES_MAX);
        findings.extend(long.map(|function| {
            let (name, n_lines) = (&function.name, function.n_lines);
            let what = format!("function {name} has {n_lines} lines, at most {FUNCTION_LINES_MAX}");
            Finding::new(&file.path, function.line, what, "name its parts and call them")
        }));
    }
    findings
}
