//! `cargo xtask test`: the stages of the project's one test command, stopped at the first failure.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::checks;
use crate::output::Output;
use crate::python;

/// Where the example data and its own checks are.
const EXAMPLES: &str = "examples/data";
/// Where the second implementation of bundles is.
const VECTORS: &str = "spec/vectors";
/// Everything but doc tests, which have a stage of their own, and benches.
const CARGO_TEST: &[&str] =
    &["test", "--workspace", "--lib", "--bins", "--tests", "--examples", "--quiet"];

/// What became of a stage.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Passed,
    /// Not run, and why.
    Skipped(&'static str),
    /// What failed: the command, or the check.
    Failed(String),
}

/// A stage: its name in the closing line, and how it is run.
type Stage = (&'static str, fn(&Path, &mut Output<'_>) -> Outcome);

const STAGES: &[Stage] = &[
    ("formatting", |root, _| cargo(root, &["fmt", "--all", "--check"])),
    ("clippy", clippy),
    ("rustdoc", rustdoc),
    ("tidy", tidy),
    ("example data", example_data),
    ("verifier of bundles", verifier_of_bundles),
    ("doc tests", |root, _| cargo(root, &["test", "--workspace", "--doc", "--quiet"])),
    ("python", python_package),
    // Last, so that the runner's own closing line is what a reader of the output ends on.
    ("tests", tests),
];

/// Runs all stages; the exit code is 0 when none failed, else 1.
pub(crate) fn test(root: &Path, output: &mut Output<'_>) -> u8 {
    run(root, output, STAGES)
}

/// Runs the stage of this name; 2 when there is none.
pub(crate) fn one(root: &Path, output: &mut Output<'_>, name: &str) -> u8 {
    let found: Vec<Stage> = STAGES.iter().filter(|stage| stage.0 == name).copied().collect();
    if found.is_empty() {
        let names: Vec<&str> = STAGES.iter().map(|stage| stage.0).collect();
        output.tell_error(format_args!("no stage {name}; there are: {}", names.join(", ")));
        return 2;
    }
    run(root, output, &found)
}

fn run(root: &Path, output: &mut Output<'_>, stages: &[Stage]) -> u8 {
    let (mut passed, mut skipped) = (Vec::new(), Vec::new());
    for (name, stage) in stages {
        output.tell_error(format_args!("stage: {name}"));
        match stage(root, output) {
            Outcome::Passed => passed.push(*name),
            Outcome::Skipped(reason) => skipped.push(format!("{name} ({reason})")),
            Outcome::Failed(what) => {
                output.tell_error(format_args!("stage failed: {name}: {what}"));
                return 1;
            }
        }
    }
    let skipped = match skipped.as_slice() {
        [] => String::new(),
        _ => format!("; skipped: {}", skipped.join(", ")),
    };
    output.tell(format_args!("stages passed: {}{skipped}", passed.join(", ")));
    0
}

fn clippy(root: &Path, _: &mut Output<'_>) -> Outcome {
    cargo(root, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])
}

fn rustdoc(root: &Path, _: &mut Output<'_>) -> Outcome {
    let mut command = cargo_command(root, &["doc", "--workspace", "--no-deps", "--quiet"]);
    finish(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn tidy(root: &Path, output: &mut Output<'_>) -> Outcome {
    match checks::tidy(root, output) {
        0 => Outcome::Passed,
        _ => Outcome::Failed("see the findings above, or run cargo xtask tidy".into()),
    }
}

/// nextest where it is installed (it runs the tests of all crates at once), else cargo's own.
fn tests(root: &Path, _: &mut Output<'_>) -> Outcome {
    if answers(&mut cargo_command(root, &["nextest", "--version"])) {
        cargo(root, &["nextest", "run", "--workspace", "--status-level", "fail"])
    } else {
        cargo(root, CARGO_TEST)
    }
}

/// The example data is as it should be, and its check finds what it should find.
fn example_data(root: &Path, _: &mut Output<'_>) -> Outcome {
    if !answers(Command::new("python3").arg("--version")) {
        return Outcome::Skipped("there is no python3");
    }
    let check: &[&str] = &["-B", "check.py", "--expect", "counts.json"];
    let own_tests: &[&str] = &["-B", "-m", "unittest", "--quiet", "test_check"];
    scripts(&root.join(EXAMPLES), &[check, own_tests])
}

/// The verifier for auditors on good and on tampered bundles, and the bundles as their maker makes
/// them.
fn verifier_of_bundles(root: &Path, _: &mut Output<'_>) -> Outcome {
    if !answers(Command::new("python3").arg("--version")) {
        return Outcome::Skipped("there is no python3");
    }
    let own_tests: &[&str] = &["-B", "-m", "unittest", "--quiet", "bundle/test_verify.py"];
    let made_again: &[&str] = &["-B", "make_bundle.py", "--check"];
    scripts(&root.join(VECTORS), &[own_tests, made_again])
}

/// The wheel, alone and beside the tools that test it.
fn python_package(root: &Path, _: &mut Output<'_>) -> Outcome {
    if !answers(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        return Outcome::Skipped("there is no python3 with venv");
    }
    match python::check(root) {
        Ok(()) => Outcome::Passed,
        Err(what) => Outcome::Failed(what),
    }
}

/// Runs Python in a folder, once for each list of arguments.
fn scripts(folder: &Path, runs: &[&[&str]]) -> Outcome {
    for arguments in runs {
        let mut command = Command::new("python3");
        command.current_dir(folder).args(*arguments).stdin(Stdio::null());
        // What is printed is for people; what is wrong goes to stderr.
        let outcome = finish(command.stdout(Stdio::null()));
        if outcome != Outcome::Passed {
            return outcome;
        }
    }
    Outcome::Passed
}

/// Whether a program is there and says that it works.
fn answers(question: &mut Command) -> bool {
    let quiet = question.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn cargo(root: &Path, arguments: &[&str]) -> Outcome {
    finish(&mut cargo_command(root, arguments))
}

fn cargo_command(root: &Path, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root).args(arguments);
    command
}

/// Runs a command whose output goes where ours goes.
fn finish(command: &mut Command) -> Outcome {
    let told = format!("{command:?}");
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("{told} ({status})")),
        Err(error) => Outcome::Failed(format!("{told} cannot be run: {error}")),
    }
}

#[cfg(test)]
mod tests {
    //! A failing stage stops the run; a skipped one does not.

    use std::path::Path;

    use super::{Command, Outcome, Stage, answers, finish, one, run};
    use crate::testing::captured;

    const PASS: Stage = ("pass", |_, _| Outcome::Passed);
    const SKIP: Stage = ("skip", |_, _| Outcome::Skipped("no reason"));
    const FAIL: Stage = ("fail", |_, _| Outcome::Failed("on purpose".into()));
    const NEVER: Stage = ("never", |_, _| panic!("a stage behind a failed one was run"));

    #[test]
    fn the_closing_line_names_what_passed() {
        let (code, out, _) = captured(|output| run(Path::new("."), output, &[PASS, SKIP, PASS]));
        assert_eq!((code, &*out), (0, "stages passed: pass, pass; skipped: skip (no reason)\n"));
    }

    #[test]
    fn the_first_failure_ends_it() {
        let (code, out, err) = captured(|output| run(Path::new("."), output, &[PASS, FAIL, NEVER]));
        assert_eq!((code, &*out), (1, ""));
        assert_eq!(err.lines().last(), Some("stage failed: fail: on purpose"));
    }

    #[test]
    fn a_stage_that_is_not_there_is_no_success() {
        let (code, _, err) = captured(|output| one(Path::new("."), output, "nothing"));
        assert_eq!(code, 2);
        assert!(err.starts_with("no stage nothing; there are: formatting, "), "{err}");
    }

    #[test]
    fn what_cannot_be_run_has_failed() {
        let mut missing = Command::new("no-such-program-of-modeltrail");
        assert!(!answers(&mut missing));
        let outcome = finish(&mut missing);
        assert!(matches!(outcome, Outcome::Failed(what) if what.contains("cannot be run")));
    }
}
