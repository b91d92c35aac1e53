//! The papers that every reader looks for, and the length of the map.

use crate::finding::Finding;
use crate::tree::Tree;

const MAP: &str = "ARCHITECTURE.md";
/// Longer than this and it is no map; details belong to module docs.
const MAP_LINES_MAX: usize = 300;
const PAPERS: &[&str] = &["README.md", MAP, "CHANGELOG.md", "SECURITY.md", "CONTRIBUTING.md"];

/// Finds papers that are missing or empty, and a map that is too long.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for paper in PAPERS {
        let text = tree.get(paper).map_or("", |file| file.text.trim());
        if text.is_empty() {
            findings.push(Finding::new(paper, 1, "missing or empty", "write it"));
        }
    }
    let n_lines = tree.get(MAP).map_or(0, |file| file.text.lines().count());
    if n_lines > MAP_LINES_MAX {
        let what = format!("{n_lines} lines, at most {MAP_LINES_MAX}");
        findings.push(Finding::new(MAP, n_lines, what, "move details to the docs of the modules"));
    }
    findings
}
