//! Load generator and benches of modeltrail. Each bench prints one JSON object: what the machine or
//! a hand-written program does (the baseline), what the product does, and the ratio of the two,
//! measured in the same run. Ratios travel from one machine to another, absolute figures do not.

mod baseline;
mod bench;
mod frames;
mod generate;
mod http_load;
mod outcome;
mod random;
mod setup;
mod shared;
mod timing;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use outcome::{Outcome, load_average, print, progress};
use setup::Setup;
use shared::SharedLedger;

/// Whatever ends a run; it is only ever printed.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Load generator and benches of modeltrail.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Options {
    /// Folder of the scratch folders: chooses the disk.
    #[arg(long, global = true)]
    dir: Option<PathBuf>,
    /// Seed of the load.
    #[arg(long, global = true, default_value_t = generate::SEED)]
    seed: u64,
    /// Records; each bench has its own number otherwise.
    #[arg(short, global = true)]
    n: Option<u64>,
    /// Fewer records: a tenth of most benches' own number.
    #[arg(long, global = true)]
    quick: bool,
    /// Measure memory at 10,000,000 records.
    #[arg(long, global = true)]
    large: bool,
    /// The modeltrail executable; the one beside this one otherwise.
    #[arg(long, global = true)]
    modeltrail: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Write the load as JSON Lines.
    Generate {
        /// The file.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// What recording at `accepted` costs the caller.
    Accepted,
    /// One caller that waits for the disk.
    SpooledOne,
    /// 64 callers that wait for the disk.
    SpooledMany,
    /// Records a second into the ledger.
    Sequenced,
    /// What signed checkpoints cost the sequencer.
    SequencedSigned,
    /// An evidence bundle of everything, and its verification.
    Bundle,
    /// One proof of a large ledger.
    Proof,
    /// The redactor against the seed's four patterns.
    Redact,
    /// What the proxy adds, beside a TCP splice and nginx; runs the release build of `modeltrail` beside this program.
    Proxy,
    /// What the tower layer adds to a service.
    Tower,
    /// Bytes a second of a full verification.
    Verify,
    /// Leaves a second of a verification of leaves alone.
    VerifyLeaves,
    /// First pages of a large ledger.
    Query,
    /// The usage report of a large ledger.
    Report,
    /// Peak memory of the command line.
    Memory,
    /// Everything, as one array.
    All,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even stderr is gone there is nobody to tell.
            drop(progress(&format!("error: {error}")));
            ExitCode::from(3)
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let Options { dir, seed, n, quick, large, modeltrail } = cli.options;
    let setup = Setup { dir, n, seed, quick, large, modeltrail };
    let load = load_average();
    let outcome = match cli.command {
        Command::Generate { output } => {
            return print(&generate::to_file(setup.n(100_000), seed, &output)?);
        }
        Command::All => return print(&all(&setup)?),
        Command::Accepted => bench::accepted::run(&setup)?,
        Command::SpooledOne => bench::spooled_one::run(&setup)?,
        Command::SpooledMany => bench::spooled_many::run(&setup)?,
        Command::Sequenced => bench::sequenced::run(&setup)?,
        Command::SequencedSigned => bench::sequenced_signed::run(&setup)?,
        Command::Bundle => bench::bundle::run(&setup)?,
        Command::Proof => bench::proof::run(&setup)?,
        Command::Redact => bench::redact::run(&setup)?,
        Command::Proxy => bench::proxy::run(&setup)?,
        Command::Tower => bench::tower::run(&setup)?,
        Command::Verify => bench::verify::run(&setup, &SharedLedger::build(&setup)?)?,
        Command::VerifyLeaves => bench::verify_leaves::run(&setup, &SharedLedger::build(&setup)?)?,
        Command::Query => bench::query::run(&setup, &SharedLedger::build(&setup)?)?,
        Command::Report => bench::report::run(&setup, &SharedLedger::build(&setup)?)?,
        Command::Memory => bench::memory::run(&setup, &SharedLedger::build(&setup)?)?,
    };
    print(&outcome.under_load(load))
}

/// Those that make their own ledger, then those that share one. One that fails leaves the others
/// their figures.
fn all(setup: &Setup) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut keep = |name, run: &dyn Fn() -> Result<Outcome>| -> Result<()> {
        progress(name)?;
        let load = load_average();
        let outcome = run().unwrap_or_else(|error| Outcome::failed(name, &error));
        outcomes.push(outcome.under_load(load));
        Ok(())
    };
    for (name, run) in bench::WITH_OWN_LEDGER {
        keep(name, &|| run(setup))?;
    }
    let shared = SharedLedger::build(setup)?;
    for (name, run) in bench::ON_SHARED_LEDGER {
        keep(name, &|| run(setup, &shared))?;
    }
    Ok(outcomes)
}
