//! `modeltrail key`: the keys that sign checkpoints and decisions, and those of pseudonyms.

mod destroy;
mod generate;
mod list;
mod retire;
mod rotate;
mod show;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use modeltrail::keys::LedgerKeys;
use modeltrail::signer::CommandSigner;
use modeltrail::{Recorder, Trim};
use modeltrail_core::keys::KeyReason;
use modeltrail_core::note::VerifierKey;

use super::context::Context;
use crate::exit::{Exit, Failure};

/// Make, show, rotate and retire the keys that sign checkpoints, and those of pseudonyms
#[derive(clap::Args)]
#[command(
    arg_required_else_help = true,
    subcommand_required = true,
    after_help = "Whoever verifies needs the checkpoint key's public half, as `key show` prints it, from you and \
    not from the ledger. The keys lie in LEDGER.d/keys, readable by their owner alone; the authority key, which \
    signs erasures and changes of keys, is best moved to another machine."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Generate(generate::Args),
    Show(show::Args),
    List(list::Args),
    Rotate(rotate::Args),
    Retire(retire::Args),
    Destroy(destroy::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.command {
        Command::Generate(args) => generate::run(args, context),
        Command::Show(args) => show::run(args, context),
        Command::List(args) => list::run(args, context),
        Command::Rotate(args) => rotate::run(args, context),
        Command::Retire(args) => retire::run(args, context),
        Command::Destroy(args) => destroy::run(args, context),
    }
}

/// Why a key is changed, as flags name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Reason {
    /// Nothing happened.
    Routine,
    /// Somebody else may have it.
    Compromised,
    /// Nobody has it any more.
    Lost,
}

impl Reason {
    const fn key_reason(self) -> KeyReason {
        match self {
            Self::Routine => KeyReason::Routine,
            Self::Compromised => KeyReason::Compromised,
            Self::Lost => KeyReason::Lost,
        }
    }
}

/// A program that has the key, instead of a file.
#[derive(clap::Args)]
struct Program {
    /// Have PROGRAM sign with the key that VKEY verifies, instead of making one: it gets each text on
    /// standard input and prints one line `— NAME BASE64`
    #[arg(long, value_name = "VKEY", requires = "program")]
    signer: Option<String>,
    /// The program and its arguments, behind --
    #[arg(last = true, value_name = "PROGRAM", requires = "signer")]
    program: Vec<String>,
}

impl Program {
    fn signer(&self) -> Result<Option<CommandSigner>, Failure> {
        let (Some(vkey), Some((program, args))) = (&self.signer, self.program.split_first()) else {
            return Ok(None);
        };
        let verifier = VerifierKey::parse(vkey)
            .map_err(|error| Failure::input(format!("--signer: {error}")))?;
        Ok(Some(CommandSigner::new(verifier, program.clone(), args.to_vec())))
    }
}

/// Changes keys through a recorder of its own: another process may be the sequencer meanwhile.
pub(super) fn with_keys<T>(
    context: &Context,
    authority: Option<&Path>,
    change: impl FnOnce(&LedgerKeys<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let settings = &context.settings;
    let mut options = Recorder::options().capture_mode("cli").spool(settings.spool);
    if let Some(dir) = &settings.spool_dir {
        options = options.spool_dir(dir);
    }
    // A ledger without a key publishes nothing that could be waited for.
    let keys_dir = context.ledger()?.keys_dir();
    let signs = ["checkpoint.key", "checkpoint.command"].map(|name| keys_dir.join(name).exists());
    if signs.contains(&true) {
        options = options.trim(settings.trim);
    } else {
        options = options.trim(Trim::Sequenced);
    }
    let recorder = options.open(&settings.store)?;
    let mut keys = LedgerKeys::of(&recorder)?;
    if let Some(path) = authority {
        keys = keys.authority_file(path);
    }
    let changed = change(&keys);
    drop(keys);
    let closed = recorder.close();
    let changed = changed?;
    closed?;
    Ok(changed)
}

/// Prints a vkey, which is what others need, and says what to do with it.
fn tell(vkey: &VerifierKey, context: &Context, note: &str) -> Result<(), Failure> {
    use std::io::Write as _;
    let mut out = crate::output::stdout();
    match context.settings.format {
        crate::output::Format::Json => {
            crate::output::json_line(&mut out, &serde_json::json!({ "vkey": vkey.to_string() }))?;
        }
        _ => writeln!(out, "{vkey}")?,
    }
    out.flush()?;
    context.notes.note(note);
    Ok(())
}

/// Where the authority key is, if not in the ledger's folder.
#[derive(clap::Args)]
struct Authority {
    /// The authority key's file, if it is kept elsewhere
    #[arg(long, value_name = "FILE")]
    authority_key: Option<PathBuf>,
}
