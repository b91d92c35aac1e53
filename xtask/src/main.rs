//! Checks of the house that the compiler does not make, and the project's one test command.
//!
//! * `cargo xtask tidy`: every check under [`checks`], all findings printed.
//! * `cargo xtask test`: formatting, lints, documentation, tidy, tests, the example data and the Python package.
//!
//! Exit codes: 0 fine, 1 findings or a failed stage, 2 usage, 3 could not do it.
//!
//! It has no dependencies, so that it is built in a second and can judge those of the others.

mod checks;
mod finding;
mod manifest;
mod output;
mod python;
mod rust;
mod stages;
#[cfg(test)]
mod testing;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use output::Output;

const USAGE: &str = "\
usage: cargo xtask COMMAND

commands:
  tidy            check the rules of the house; print every finding
  test            formatting, clippy, rustdoc, tidy, example data, Python, doc tests, tests
  test STAGE      one of these, by the name in the closing line";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let root = workspace_root();
    let (mut out, mut err) = (std::io::stdout(), std::io::stderr());
    let mut output = Output { out: &mut out, err: &mut err };
    match arguments.as_slice() {
        ["tidy"] => ExitCode::from(checks::tidy(&root, &mut output)),
        ["test"] => ExitCode::from(stages::test(&root, &mut output)),
        ["test", stage] => ExitCode::from(stages::one(&root, &mut output, stage)),
        ["help" | "--help" | "-h"] => {
            output.tell(USAGE);
            ExitCode::SUCCESS
        }
        _ => {
            output.tell_error(USAGE);
            ExitCode::from(2)
        }
    }
}

/// The folder of the workspace: asked of cargo's environment at run time, since a build cache
/// may be shared between clones; the current folder when it is run without cargo.
fn workspace_root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .and_then(|xtask| xtask.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| PathBuf::from("."))
}
