//! The rules of the house, one file per check, and `cargo xtask tidy`, which runs them all.

mod arrows;
mod changelog;
mod core_io;
mod docs;
mod lengths;
mod packages;
mod papers;
mod seams;
mod sql;
mod words;

use std::path::Path;

use crate::finding::{Finding, Report};
use crate::output::Output;
use crate::tree::Tree;

/// A check: what it is called in output, and how it is run.
struct Check {
    name: &'static str,
    run: Run,
}

/// How a check is run.
enum Run {
    /// From the text of the files alone.
    Text(fn(&Tree) -> Vec<Finding>),
    /// With the help of another program, which may fail; the error says why and what to do.
    Program(fn(&Tree) -> Result<Report, String>),
}

const CHECKS: &[Check] = &[
    Check { name: "arrows between crates", run: Run::Text(arrows::check) },
    Check { name: "package budget", run: Run::Program(packages::check) },
    Check { name: "no I/O in core", run: Run::Text(core_io::check) },
    Check { name: "lengths", run: Run::Text(lengths::check) },
    Check { name: "documentation", run: Run::Text(docs::check) },
    Check { name: "SQL in stores", run: Run::Text(sql::check) },
    Check { name: "seams", run: Run::Text(seams::check) },
    Check { name: "words", run: Run::Text(words::check) },
    Check { name: "changelog", run: Run::Program(changelog::check) },
    Check { name: "papers", run: Run::Text(papers::check) },
];

/// Runs every check and prints every finding; the exit code is 0 when all is well, 1 with
/// findings, 3 when a check could not be run.
pub(crate) fn tidy(root: &Path, output: &mut Output<'_>) -> u8 {
    let tree = match Tree::read(root) {
        Ok(tree) => tree,
        Err(error) => {
            output.tell_error(format_args!("error: cannot read the project: {error}"));
            return 3;
        }
    };
    let (mut n_findings, mut n_failed) = (0_usize, 0_usize);
    for check in CHECKS {
        match run(check, &tree) {
            Ok(report) => {
                n_findings += report.findings.len();
                report.findings.iter().for_each(|finding| output.tell(finding));
                for note in report.notes {
                    output.tell_error(format_args!("note: {}: {note}", check.name));
                }
            }
            Err(error) => {
                n_failed += 1;
                output.tell_error(format_args!(
                    "error: {} could not be checked: {error}",
                    check.name
                ));
            }
        }
    }
    output.tell(format_args!(
        "tidy: {} checks over {} files, findings: {n_findings}",
        CHECKS.len(),
        tree.files.len()
    ));
    match (n_failed, n_findings) {
        (0, 0) => 0,
        (0, _) => 1,
        _ => 3,
    }
}

fn run(check: &Check, tree: &Tree) -> Result<Report, String> {
    let mut report = match check.run {
        Run::Text(run) => run(tree).into(),
        Run::Program(run) => run(tree)?,
    };
    report.findings.sort();
    Ok(report)
}

#[cfg(test)]
mod tests;
