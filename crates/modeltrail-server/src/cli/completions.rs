//! `modeltrail completions`.

use std::io::Write as _;

use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::output::stdout;

/// Print a completion script for a shell
#[derive(clap::Args)]
#[command(
    after_help = "Example: modeltrail completions bash > ~/.local/share/bash-completion/completions/modeltrail"
)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, command: &mut clap::Command) -> Result<Exit, Failure> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "modeltrail", &mut script);
    let mut out = stdout();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Exit::Fine)
}
