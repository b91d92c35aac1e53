//! The package budget: what an in-process user of `modeltrail` pulls in.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::finding::{Finding, Report};
use crate::tree::Tree;

/// Distinct packages, `modeltrail` and its own crates included. 63 were in use when the bound was set;
/// the rest is room for the updates of a few of them, not for a new framework.
const PACKAGES_MAX: usize = 80;
/// Packages, with all whose name they begin (`arrow-array`), that an in-process user never gets:
/// async runtimes, HTTP, TLS and columnar formats belong to the server and the archive.
const FAMILIES_REFUSED: &[&str] =
    &["tokio", "axum", "hyper", "rustls", "openssl", "arrow", "parquet"];
/// What the feature `tower` may add: interfaces alone, without a runtime or a server, and what they stand on.
const TOWER_ADDS: &[&str] =
    &["bytes", "http", "http-body", "itoa", "pin-project-lite", "tower-layer", "tower-service"];
/// Features of `serde_json` that would change how every other crate of a user's build reads
/// numbers and orders keys.
const FEATURES_REFUSED: &[&str] = &["arbitrary_precision", "preserve_order"];

const MANIFEST: &str = "crates/modeltrail/Cargo.toml";
const WORKSPACE_MANIFEST: &str = "Cargo.toml";

/// Asks cargo for the packages and for the features of `serde_json`.
///
/// # Errors
/// When cargo cannot tell; the text is cargo's own.
pub(crate) fn check(tree: &Tree) -> Result<Report, String> {
    let arguments = ["-p", "modeltrail", "-e", "normal,build", "--prefix", "none"];
    let plain = cargo_tree(&tree.root, &arguments)?;
    let mut findings = judge_packages(&plain);
    if tree.get(MANIFEST).is_some_and(|manifest| manifest.text.contains("\ntower = [")) {
        let with_tower = [&arguments[..], &["--features", "tower"]].concat();
        findings.extend(judge_tower(&plain, &cargo_tree(&tree.root, &with_tower)?));
    }
    let features = ["--workspace", "--all-features", "-e", "features", "-i", "serde_json"];
    match cargo_tree(&tree.root, &features) {
        Ok(text) => findings.extend(judge_features(&text)),
        Err(error) if error.contains("did not match any packages") => {}
        Err(error) => return Err(error),
    }
    Ok(findings.into())
}

fn cargo_tree(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).arg("tree").args(arguments).args(["--color", "never", "--quiet"]);
    let output = command.output().map_err(|error| format!("cargo cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Packages of lines of `name vX.Y.Z (…)`.
fn packages(text: &str) -> BTreeSet<(&str, &str)> {
    let named = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next().filter(|version| version.starts_with('v'))?))
    });
    named.collect()
}

/// Judges what the feature `tower` adds.
fn judge_tower(plain: &str, with_tower: &str) -> Vec<Finding> {
    let plain = packages(plain);
    let added = packages(with_tower).into_iter().filter(|package| !plain.contains(package));
    let refused = added.filter(|(name, _)| !TOWER_ADDS.contains(name));
    refused
        .map(|(name, version)| {
            let what = format!("the feature tower adds {name} {version}");
            let todo = format!("it adds only {}", TOWER_ADDS.join(", "));
            Finding::new(MANIFEST, 1, what, todo)
        })
        .collect()
}

/// Judges lines of `name vX.Y.Z (…)`.
fn judge_packages(text: &str) -> Vec<Finding> {
    let packages = packages(text);
    let mut findings = Vec::new();
    if packages.len() > PACKAGES_MAX {
        let what = format!("{} packages, at most {PACKAGES_MAX}", packages.len());
        let todo = "put what is new behind a feature that is off, or into the crate that needs it";
        findings.push(Finding::new(MANIFEST, 1, what, todo));
    }
    for (name, version) in packages {
        if FAMILIES_REFUSED.iter().any(|family| is_of(name, family)) {
            let what = format!("an in-process user gets {name} {version}");
            let todo = format!(
                "find who asks for it with `cargo tree -p modeltrail -e normal,build -i {name}`, and move it"
            );
            findings.push(Finding::new(MANIFEST, 1, what, todo));
        }
    }
    findings
}

fn is_of(name: &str, family: &str) -> bool {
    name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// Judges lines of `serde_json feature "…"`, with whatever before them.
fn judge_features(text: &str) -> Vec<Finding> {
    let is_on = |feature: &&&str| text.contains(&format!("serde_json feature \"{feature}\""));
    let on = FEATURES_REFUSED.iter().filter(is_on);
    on.map(|feature| {
        let what = format!("serde_json has its feature {feature} on");
        let todo = format!(
            "find who asks for it with `cargo tree --workspace -e features -i serde_json`, and leave {feature} off"
        );
        Finding::new(WORKSPACE_MANIFEST, 1, what, todo)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    //! On made-up listings, and on a made-up workspace that cargo itself reads.

    use super::{check, judge_features, judge_packages, judge_tower};
    use crate::testing::{TempTree, told};

    #[test]
    fn the_budget_counts_distinct_packages() {
        let listing = |n: usize| -> String {
            (0..n).map(|i| format!("p{i} v1.0.0\np{i} v1.0.0 (*)\n")).collect()
        };
        assert_eq!(judge_packages(&listing(80)), []);
        let found = judge_packages(&listing(81));
        assert_eq!(told(&found[0]), "crates/modeltrail/Cargo.toml:1: 81 packages, at most 80");
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn two_versions_are_two_packages() {
        let text: String = (0..81).map(|i| format!("p v1.0.{i}\n")).collect();
        assert_eq!(judge_packages(&text).len(), 1);
    }

    #[test]
    fn families_are_refused_and_namesakes_are_not() {
        let text = "arrow-array v1.0.0\nopenssl-sys v0.9.0\ntokio v1.0.0 (*)\narrayvec v1.0.0\ntokioish v1.0.0\n";
        let found: Vec<String> = judge_packages(text).iter().map(|f| f.what.clone()).collect();
        let names = ["arrow-array v1.0.0", "openssl-sys v0.9.0", "tokio v1.0.0"];
        assert_eq!(found, names.map(|name| format!("an in-process user gets {name}")));
    }

    #[test]
    fn the_feature_tower_adds_interfaces_alone() {
        let plain = "modeltrail v0.1.0\nserde v1.0.0\n";
        let with = |more: &str| {
            judge_tower(plain, &format!("{plain}http v1.5.0\nhttp v1.5.0 (*)\n{more}"))
        };
        assert_eq!(with(""), []);
        let found: Vec<String> = with("hyper v1.0.0\n").iter().map(|f| f.what.clone()).collect();
        assert_eq!(found, ["the feature tower adds hyper v1.0.0"]);
    }

    #[test]
    fn features_are_read_from_the_listing() {
        assert_eq!(judge_features("serde_json v1.0.0\n├── serde_json feature \"raw_value\"\n"), []);
        let found = judge_features("├── serde_json feature \"preserve_order\"\n");
        assert_eq!(told(&found[0]), "Cargo.toml:1: serde_json has its feature preserve_order on");
    }

    #[test]
    fn cargo_is_asked() {
        let package = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
        };
        let product = "[dependencies]\ntokio.path = \"../tokio\"\n\
                       [dev-dependencies]\naxum.path = \"../axum\"\n\
                       serde_json = { path = \"../serde_json\", features = [\"arbitrary_precision\"] }\n";
        let temp = TempTree::new(&[
            ("Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n"),
            ("crates/modeltrail/Cargo.toml", &package("modeltrail", product)),
            ("crates/modeltrail/src/lib.rs", "//! A.\n"),
            ("crates/tokio/Cargo.toml", &package("tokio", "")),
            ("crates/tokio/src/lib.rs", "//! B.\n"),
            ("crates/axum/Cargo.toml", &package("axum", "")),
            ("crates/axum/src/lib.rs", "//! C.\n"),
            (
                "crates/serde_json/Cargo.toml",
                &package("serde_json", "[features]\narbitrary_precision = []\n"),
            ),
            ("crates/serde_json/src/lib.rs", "//! D.\n"),
        ]);
        let report = check(&temp.read()).unwrap();
        let found: Vec<String> = report.findings.iter().map(told).collect();
        let expected = [
            "crates/modeltrail/Cargo.toml:1: an in-process user gets tokio v0.1.0",
            "Cargo.toml:1: serde_json has its feature arbitrary_precision on",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_tree_that_cargo_cannot_read_is_an_error() {
        let temp = TempTree::new(&[("Cargo.toml", "[workspace\n")]);
        assert!(check(&temp.read()).is_err());
    }
}
