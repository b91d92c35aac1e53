//! Arrows between crates: who may depend on whom, whatever the feature, target or purpose.

use crate::finding::Finding;
use crate::manifest;
use crate::tree::Tree;

const CORE: &str = "modeltrail-core";
const PRODUCT: &str = "modeltrail";
const POSTGRES: &str = "modeltrail-postgres";
const QUEUE: &str = "modeltrail-queue";
const ARCHIVE: &str = "modeltrail-archive";

/// Each crate with those of ours that it may depend on. Nothing depends on the server, and
/// nothing that a user adds depends on the bench.
const ARROWS: &[(&str, &[&str])] = &[
    (CORE, &[]),
    (PRODUCT, &[CORE]),
    (POSTGRES, &[CORE, PRODUCT]),
    (QUEUE, &[CORE, PRODUCT]),
    (ARCHIVE, &[CORE, PRODUCT]),
    ("modeltrail-server", &[CORE, PRODUCT, POSTGRES, QUEUE, ARCHIVE]),
    ("modeltrail-bench", &[CORE, PRODUCT]),
    ("modeltrail-example-axum", &[PRODUCT]),
    ("modeltrail-python", &[CORE, PRODUCT, POSTGRES]),
    ("modeltrail-fuzz", &[CORE, PRODUCT]),
    ("xtask", &[]),
];

/// Finds arrows that are not in [`ARROWS`], crates that have no line there, and dependencies of
/// xtask, which has none so that it can judge those of the others.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let packages = manifest::packages(tree);
    let workspace = tree.get("Cargo.toml").map_or("", |file| file.text.as_str());
    let mut findings = Vec::new();
    for (file, name) in &packages {
        let Some((_, allowed)) = ARROWS.iter().find(|(crate_name, _)| crate_name == name) else {
            let todo = "give it a line in xtask/src/checks/arrows.rs, with a reason in the design";
            findings.push(Finding::new(&file.path, 1, format!("unknown crate {name}"), todo));
            continue;
        };
        for dependency in manifest::dependencies(&file.text, workspace) {
            let package = dependency.package.as_str();
            let is_ours = packages.iter().any(|(_, ours)| *ours == package);
            let is_judged = (is_ours && package != *name) || *name == "xtask";
            if is_judged && !allowed.contains(&package) {
                let what = format!("{name} depends on {package}");
                let todo = match allowed {
                    [] => "it may depend on no crate here: remove it".to_owned(),
                    _ => format!("it may depend on {} only: turn it round", allowed.join(", ")),
                };
                findings.push(Finding::new(&file.path, dependency.line, what, todo));
            }
        }
    }
    findings
}
