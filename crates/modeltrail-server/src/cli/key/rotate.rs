//! `modeltrail key rotate`.

use super::super::context::Context;
use super::{Authority, Program, Reason, tell, with_keys};
use crate::exit::{Exit, Failure};

/// Let a new key take over; both sign until `key retire`
#[derive(clap::Args)]
#[command(
    after_help = "The change is an entry of the ledger, signed by the old key and the new one, or by the authority \
    key where the old one is lost. With --reason compromised or lost the old key is retired at once. Running \
    applications notice the new key at their next checkpoint."
)]
pub(super) struct Args {
    /// Rotate the authority key instead; the old one is retired at once
    #[arg(long, conflicts_with_all = ["signer", "program"])]
    authority: bool,
    /// Why
    #[arg(long, value_enum, default_value = "routine")]
    reason: Reason,
    #[command(flatten)]
    program: Program,
    #[command(flatten)]
    authority_key: Authority,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let signer = args.program.signer()?;
    let reason = args.reason.key_reason();
    let path = args.authority_key.authority_key.as_deref();
    let vkey = with_keys(context, path, |keys| match args.authority {
        true => Ok(keys.rotate_authority(reason)?),
        false => Ok(keys.rotate(reason, signer.as_ref())?),
    })?;
    let note = match (args.authority, args.reason) {
        (true, _) => "The old authority key is retired; what it signed stays signed.",
        (false, Reason::Routine) => {
            "Both keys sign checkpoints from now on. Give the new one to whoever verifies and to the witnesses, and \
             then run `modeltrail key retire`."
        }
        (false, _) => {
            "The old key is retired. Give the new one to whoever verifies and to the witnesses."
        }
    };
    tell(&vkey, context, note)?;
    Ok(Exit::Fine)
}
