//! `modeltrail witness`: one file for each subcommand.

mod key;
mod serve;

use super::context::Context;
use crate::config::Flag;
use crate::exit::{Exit, Failure};
use crate::witness::WitnessError;

/// Be a witness of ledgers: cosign their checkpoints, and refuse a second history
#[derive(clap::Args)]
#[command(
    after_help = "A witness adds something only where those who run the ledger cannot change its \
                        memory or use its key: on another machine, under other hands."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Key(key::Args),
    Serve(serve::Args),
}

impl Args {
    /// Settings that the subcommand has flags of its own for.
    pub(crate) fn flags(&self) -> Vec<Flag> {
        match &self.command {
            Command::Key(args) => args.flags(),
            Command::Serve(args) => args.flags(),
        }
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::Key(args) => key::run(args, context),
        Command::Serve(args) => serve::run(args, context),
    }
}

impl From<WitnessError> for Failure {
    fn from(error: WitnessError) -> Self {
        match &error {
            WitnessError::LogKey { .. } | WitnessError::NoLogs => Self::input(error),
            _ => Self::failed(error),
        }
    }
}
