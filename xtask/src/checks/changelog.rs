//! What users can see of a change is told in `CHANGELOG.md`.
//!
//! Rule: what differs between the working tree and the parent of `HEAD` is one change. If it
//! touches the product's source or the contract, it touches the changelog too. A commit that changes nothing
//! a user can see says so with a line `Changelog: none (why)` in its message; then the
//! working tree is compared with `HEAD` itself.

use std::path::Path;
use std::process::Command;

use crate::finding::{Finding, Report};
use crate::tree::{Tree, is_test_path};

const CHANGELOG: &str = "CHANGELOG.md";
const NOTHING_SEEN: &str = "Changelog: none";

/// Asks git what changed.
///
/// # Errors
/// When git cannot compare; the text is git's own.
pub(crate) fn check(tree: &Tree) -> Result<Report, String> {
    let root = tree.root.as_path();
    // Only a repository of this project: an export may lie inside another one.
    let Ok(prefix) = git(root, &["rev-parse", "--show-prefix"]) else {
        return Ok(Report::skipped("skipped, there is no git history here"));
    };
    if !prefix.trim().is_empty() {
        return Ok(Report::skipped("skipped, the project is a folder of another repository"));
    }
    if git(root, &["rev-parse", "--verify", "--quiet", "HEAD~1"]).is_err() {
        return Ok(Report::skipped(
            "skipped, HEAD has no parent (first commit, or a shallow clone)",
        ));
    }
    let message = git(root, &["log", "-1", "--format=%B"])?;
    let base = if says_nothing_seen(&message) { "HEAD" } else { "HEAD~1" };
    let mut changed = git(root, &["diff", "--name-only", "--no-renames", "-z", base])?;
    changed.push_str(&git(root, &["ls-files", "--others", "--exclude-standard", "-z"])?);
    let changed: Vec<&str> = changed.split('\0').filter(|path| !path.is_empty()).collect();
    Ok(judge(&changed).into())
}

fn git(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git").current_dir(root).args(arguments).output();
    let output = output.map_err(|error| format!("git cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a commit's message has the line, with a reason.
fn says_nothing_seen(message: &str) -> bool {
    let reasons = message.lines().filter_map(|line| line.trim().strip_prefix(NOTHING_SEEN));
    reasons.into_iter().any(|reason| reason.chars().filter(|c| c.is_alphabetic()).count() >= 3)
}

/// Judges the paths of a change.
fn judge(changed: &[&str]) -> Vec<Finding> {
    if changed.contains(&CHANGELOG) {
        return Vec::new();
    }
    let seen: Vec<&&str> = changed.iter().filter(|path| is_seen(path)).collect();
    let Some(first) = seen.first() else { return Vec::new() };
    let what = format!("not touched by a change of {} files, such as {first}", seen.len());
    let todo = format!(
        "tell users what changed under Unreleased, or say `{NOTHING_SEEN} (why)` in the commit's message"
    );
    vec![Finding::new(CHANGELOG, 1, what, todo)]
}

/// Whether users can see a change of this file: the source of a crate, the Python package, the
/// contract; not their tests.
fn is_seen(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    let is_source =
        matches!(parts.as_slice(), ["crates", _, "src", ..] | ["python" | "spec", _, ..]);
    is_source && !is_test_path(path)
}

#[cfg(test)]
mod tests {
    //! On made-up lists of paths, and on made-up repositories.

    use std::process::Command;

    use super::{check, judge, says_nothing_seen};
    use crate::testing::{TempTree, told};

    const SOURCE: &str = "crates/modeltrail/src/lib.rs";

    fn git(temp: &TempTree, arguments: &[&str]) {
        let identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"];
        let output = Command::new("git")
            .current_dir(&temp.root)
            .args(identity)
            .args(["-c", "commit.gpgsign=false", "-c", "core.hooksPath=nowhere"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn commit(temp: &TempTree, message: &str) {
        git(temp, &["add", "."]);
        git(temp, &["commit", "--quiet", "--message", message]);
    }

    /// A repository of one commit, with source and changelog.
    fn repository() -> TempTree {
        let temp = TempTree::new(&[(SOURCE, "//! One.\n"), ("CHANGELOG.md", "one\n")]);
        git(&temp, &["init", "--quiet"]);
        commit(&temp, "one");
        temp
    }

    fn found(temp: &TempTree) -> Vec<String> {
        let report = check(&temp.read()).unwrap();
        assert_eq!(report.notes, [""; 0]);
        report.findings.iter().map(told).collect()
    }

    #[test]
    fn source_and_contract_ask_for_an_entry() {
        for path in [SOURCE, "python/modeltrail/__init__.py", "spec/leaf.md"] {
            assert_eq!(judge(&[path]).len(), 1, "{path}");
            assert_eq!(judge(&[path, "CHANGELOG.md"]), []);
        }
        for path in ["README.md", "crates/a/src/b/tests.rs", "crates/a/tests/it/main.rs", "python"]
        {
            assert_eq!(judge(&[path]), [], "{path}");
        }
    }

    #[test]
    fn a_reason_is_asked_of_who_says_none() {
        assert!(says_nothing_seen("Rename it\n\nChangelog: none (no user sees it)\n"));
        assert!(!says_nothing_seen("Rename it\n\nChangelog: none\n"));
    }

    #[test]
    fn a_first_commit_is_skipped_with_a_note() {
        let report = check(&repository().read()).unwrap();
        assert_eq!((report.findings.len(), report.notes.len()), (0, 1));
    }

    #[test]
    fn a_folder_without_history_is_skipped_with_a_note() {
        let report = check(&TempTree::new(&[(SOURCE, "//! One.\n")]).read()).unwrap();
        assert_eq!((report.findings.len(), report.notes.len()), (0, 1));
    }

    #[test]
    fn a_commit_without_an_entry_is_found_until_it_has_one() {
        let temp = repository();
        temp.write(SOURCE, "//! Two.\n");
        commit(&temp, "two");
        let what = "CHANGELOG.md:1: not touched by a change of 1 files, such as ".to_owned();
        assert_eq!(found(&temp), [what + SOURCE]);
        temp.write("CHANGELOG.md", "one, two\n");
        assert_eq!(found(&temp), [""; 0]);
    }

    #[test]
    fn a_commit_can_say_that_nothing_is_seen() {
        let temp = repository();
        temp.write(SOURCE, "//! Two.\n");
        commit(&temp, "two\n\nChangelog: none (a comment)");
        assert_eq!(found(&temp), [""; 0]);
        temp.write("spec/new.md", "new\n");
        assert_eq!(found(&temp).len(), 1, "what is not committed yet is judged all the same");
    }
}
