//! Documentation: `missing_docs` is denied for every crate, and every file says what it is for.

use crate::finding::Finding;
use crate::manifest;
use crate::tree::Tree;

const WORKSPACE_MANIFEST: &str = "Cargo.toml";

/// Finds crates that the lint does not reach and files without a module doc.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !has_entry(tree, WORKSPACE_MANIFEST, "workspace.lints.rust", "missing_docs", "\"deny\"") {
        let todo = "put `missing_docs = \"deny\"` under [workspace.lints.rust]";
        findings.push(Finding::new(WORKSPACE_MANIFEST, 1, "missing_docs is not denied", todo));
    }
    for (file, name) in manifest::packages(tree) {
        // A workspace of its own, as fuzz targets have to be, cannot have the lints of this one.
        let is_apart = file.text.lines().any(|line| line.trim() == "[workspace]");
        if !is_apart && !has_entry(tree, &file.path, "lints", "workspace", "true") {
            let what = format!("crate {name} does not have the workspace's lints");
            findings.push(Finding::new(&file.path, 1, what, "add [lints] with workspace = true"));
        }
    }
    for (file, _) in tree.rust() {
        let first = file.text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        // A doc of one slash more or less is none.
        if first.strip_prefix("//!").is_none_or(|text| text.trim().is_empty()) {
            let todo = "begin it with `//!` and one sentence on what it is for";
            findings.push(Finding::new(&file.path, 1, "file without a module doc", todo));
        }
    }
    findings
}

fn has_entry(tree: &Tree, path: &str, section: &str, key: &str, value: &str) -> bool {
    let entries = tree.get(path).map(|file| manifest::entries(&file.text)).unwrap_or_default();
    entries.iter().any(|e| e.section == section && e.key == key && e.value == value)
}
