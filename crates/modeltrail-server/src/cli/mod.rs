//! The command line: what all commands share, and the way to each.

mod behind;
mod bundle;
mod completions;
mod config;
mod context;
mod demo;
mod doctor;
mod entry;
mod init;
mod key;
mod log;
mod proxy;
mod publish;
mod query;
mod receipt;
mod recording;
mod recover;
mod redact;
mod report;
mod show;
mod status;
mod tiles;
mod time;
mod triggers;
mod verify;
mod witness;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{Flag, help};
use crate::exit::{Exit, Failure};
use crate::output::Format;
use context::{Context, Notes};

/// What `--help` says behind the commands.
const AFTER_HELP: &str = "Exit codes: 0 fine, 1 findings, 2 usage or bad input, 3 could not do it.\n\
     Settings: flag, variable, modeltrail.toml, default; `modeltrail config` shows each with its place.";

/// The audit trail of every model decision: durable, append-only, tamper-evident.
#[derive(Parser)]
#[command(
    name = "modeltrail",
    version,
    after_help = AFTER_HELP,
    propagate_version = true,
    arg_required_else_help = true,
    subcommand_required = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// Options of every command.
#[derive(clap::Args)]
struct Globals {
    #[arg(long, global = true, value_name = "URL", help = help("store"), help_heading = "Global options")]
    store: Option<String>,
    /// Configuration file [env: MODELTRAIL_CONFIG] [default: modeltrail.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    #[arg(long, global = true, value_enum, hide_possible_values = true, value_name = "table|json|csv",
          help = help("format"), help_heading = "Global options")]
    format: Option<Format>,
    /// Say only what went wrong
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,
    /// Log what is done on standard error; twice for more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    Init(init::Args),
    Demo(demo::Args),
    Log(log::Args),
    Query(Box<query::Args>),
    Show(show::Args),
    Verify(verify::Args),
    Receipt(receipt::Args),
    Bundle(Box<bundle::Args>),
    Report(report::Args),
    Status(status::Args),
    Doctor(doctor::Args),
    Key(key::Args),
    Recover(recover::Args),
    Tiles(tiles::Args),
    Redact(redact::Args),
    Config(config::Args),
    Publish(publish::Args),
    Proxy(Box<proxy::Args>),
    Witness(witness::Args),
    Completions(completions::Args),
}

impl Command {
    /// Settings that the command has flags of its own for.
    fn flags(&self) -> Vec<Flag> {
        match self {
            Self::Log(args) => args.flags(),
            Self::Witness(args) => args.flags(),
            _ => Vec::new(),
        }
    }
}

impl Globals {
    fn flags(&self) -> Vec<Flag> {
        let format = self.format.and_then(|format| clap::ValueEnum::to_possible_value(&format));
        let store = self.store.clone().map(|value| Flag { key: "store", value });
        let format = format.map(|name| Flag { key: "format", value: name.get_name().to_owned() });
        store.into_iter().chain(format).collect()
    }

    fn log_level(&self) -> tracing::Level {
        match (self.quiet, self.verbose) {
            (true, _) => tracing::Level::ERROR,
            (false, 0) => tracing::Level::WARN,
            (false, 1) => tracing::Level::INFO,
            (false, _) => tracing::Level::DEBUG,
        }
    }
}

/// Runs a command line.
pub(crate) fn run(args: impl IntoIterator<Item = OsString>) -> Exit {
    let parsed = Cli::command().try_get_matches_from(args).and_then(|m| Cli::from_arg_matches(&m));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads to the end is no error either.
            drop(error.print());
            return if error.exit_code() == 0 { Exit::Fine } else { Exit::Input };
        }
    };
    let notes = Notes::new(cli.globals.quiet);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(cli.globals.log_level())
        .with_writer(std::io::stderr)
        .with_ansi(crate::output::stderr_has_color())
        .with_target(false)
        .without_time();
    if let Err(error) = subscriber.try_init() {
        notes.warn(&format!("there will be no log: {error}"));
    }
    match dispatch(cli, notes) {
        Ok(exit) => exit,
        Err(Failure::Pipe) => Exit::Fine,
        Err(Failure::Told { exit, message, hint }) => {
            notes.error(&message, hint.as_deref());
            exit
        }
    }
}

fn dispatch(cli: Cli, notes: Notes) -> Result<Exit, Failure> {
    // These need no settings, so wrong ones cannot stop them.
    match &cli.command {
        Command::Completions(args) => return completions::run(args, &mut Cli::command()),
        Command::Demo(args) => return demo::run(args, notes),
        Command::Config(args) if args.is_reference() => return config::reference(),
        _ => {}
    }
    let mut flags = cli.globals.flags();
    flags.extend(cli.command.flags());
    let env = |name: &str| std::env::var(name).ok();
    let settings = crate::config::load(cli.globals.config.as_deref(), &flags, &env)?;
    let context = Context { settings, notes };
    match &cli.command {
        Command::Init(args) => init::run(args, &context),
        Command::Log(args) => log::run(args, &context),
        Command::Query(args) => query::run(args, &context),
        Command::Show(args) => show::run(args, &context),
        Command::Verify(args) => verify::run(args, &context),
        Command::Receipt(args) => receipt::run(args, &context),
        Command::Bundle(args) => bundle::run(args, &context),
        Command::Report(args) => report::run(args, &context),
        Command::Status(args) => status::run(args, &context),
        Command::Doctor(args) => doctor::run(args, &context),
        Command::Key(args) => key::run(args, &context),
        Command::Recover(args) => recover::run(args, &context),
        Command::Tiles(args) => tiles::run(args, &context),
        Command::Redact(args) => redact::run(args, &context),
        Command::Config(args) => config::run(args, &context),
        Command::Proxy(args) => proxy::run(args, &context),
        Command::Publish(args) => publish::run(args, &context),
        Command::Witness(args) => witness::run(args, &context),
        // Done above.
        Command::Completions(_) | Command::Demo(_) => Ok(Exit::Fine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_contradict_nothing() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_the_table_of_settings_is_there() {
        let command = Cli::command();
        fn flags(command: &clap::Command) -> Vec<String> {
            let own = command.get_arguments().filter_map(clap::Arg::get_long);
            let own = own.map(|name| format!("--{name}"));
            own.chain(command.get_subcommands().flat_map(flags)).collect()
        }
        let all = flags(&command);
        for setting in crate::config::SETTINGS {
            let flag = setting.flag.map(str::to_owned);
            assert!(flag.is_none_or(|flag| all.contains(&flag)), "{}", setting.key);
        }
    }
}
