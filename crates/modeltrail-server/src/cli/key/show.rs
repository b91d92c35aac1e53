//! `modeltrail key show`.

use std::io::Write as _;

use modeltrail::keys;
use modeltrail_core::keys::KeyRole;

use super::super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Format, json_line, stdout};

/// Print the public half of the checkpoint keys in force, as C2SP writes them
#[derive(clap::Args)]
#[command(
    after_help = "It says what this ledger claims. Compare it with what you were given before you believe it."
)]
pub(super) struct Args {
    /// The authority key instead
    #[arg(long)]
    authority: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let store = context.ledger()?.open_read()?;
    let (history, _) = keys::history(store.as_ref())?;
    let role = if args.authority { KeyRole::Authority } else { KeyRole::Checkpoint };
    let vkeys: Vec<String> = history.in_force(role, u64::MAX).map(ToString::to_string).collect();
    if vkeys.is_empty() {
        let text =
            format!("this ledger has no {role} key in force; `modeltrail key generate` makes one");
        return Err(Failure::failed(text));
    }
    let mut out = stdout();
    match context.settings.format {
        Format::Json => {
            json_line(&mut out, &serde_json::json!({ "vkeys": vkeys }))?;
        }
        _ => vkeys.iter().try_for_each(|vkey| writeln!(out, "{vkey}"))?,
    }
    out.flush()?;
    Ok(Exit::Fine)
}
