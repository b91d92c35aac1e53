//! Seams inside crates: verify depends on core only, and the spool carries opaque frames.

use crate::finding::Finding;
use crate::manifest;
use crate::tree::Tree;

const VERIFY: &str = "crates/modeltrail-core/src/verify";
const CORE_MANIFEST: &str = "crates/modeltrail-core/Cargo.toml";
/// What verify may use beside core itself and std: hashes, and the making of types. An auditor
/// reads verify and these to know what it means that a ledger passed.
const VERIFY_MAY_USE: &[&str] = &["sha2", "thiserror", "serde"];
/// Modules that know bytes, not records.
const OPAQUE: &[&str] = &["crates/modeltrail/src/spool", "crates/modeltrail/src/disk"];
/// The names by which code could reach a record.
const RECORD_CRATES: &[&str] = &["modeltrail_core"];

/// Finds code that reaches over a seam.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let workspace = tree.get("Cargo.toml").map_or("", |file| file.text.as_str());
    let core = tree.get(CORE_MANIFEST).map_or("", |file| file.text.as_str());
    let dependencies = manifest::dependencies(core, workspace);
    let aliases = dependencies.iter().map(|d| d.alias.replace('-', "_"));
    let outside: Vec<String> =
        aliases.filter(|alias| !VERIFY_MAY_USE.contains(&alias.as_str())).collect();

    let mut findings = naming(tree, &[VERIFY], &outside, "verify", "go through a module of core");
    let records: Vec<String> = RECORD_CRATES.iter().map(|name| (*name).to_owned()).collect();
    let todo = "take and give bytes; whoever calls makes them from a record";
    findings.extend(naming(tree, OPAQUE, &records, "the spool", todo));
    findings
}

/// Finds where code of `modules`, tests aside, names one of `crates`.
fn naming(tree: &Tree, modules: &[&str], crates: &[String], who: &str, todo: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, scan) in tree.rust() {
        if file.is_test() || !modules.iter().any(|module| file.is_in_module(module)) {
            continue;
        }
        for name in crates {
            let lines = scan.lines_naming(name).into_iter();
            let lines = lines.filter(|line| !scan.is_test_line(*line));
            let found = |line| Finding::new(&file.path, line, format!("{who} names {name}"), todo);
            findings.extend(lines.map(found));
        }
    }
    findings
}
