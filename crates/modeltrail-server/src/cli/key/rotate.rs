//! `modeltrail key rotate`.

use std::io::Write as _;

use super::super::context::Context;
use super::{Authority, Program, Reason, tell, with_keys};
use crate::exit::{Exit, Failure};
use crate::output::{Format, stdout};

/// Let a new key take over; both sign until `key retire`
#[derive(clap::Args)]
#[command(
    after_help = "The change is an entry of the ledger, signed by the old key and the new one, or by the authority \
    key where the old one is lost. With --reason compromised or lost the old key is retired at once. Running \
    applications notice the new key at their next checkpoint.\n\
    With --pseudonym nothing links the tokens of the new epoch to those before. Running applications go on with the \
    key that they have until they are opened again. The earlier key stays until `modeltrail key destroy`."
)]
pub(super) struct Args {
    /// Rotate the authority key instead; the old one is retired at once
    #[arg(long, conflicts_with_all = ["signer", "program"])]
    authority: bool,
    /// Begin the next epoch of pseudonyms instead, with a new random key; prints its number
    #[arg(long, conflicts_with_all = ["signer", "program", "authority", "reason"])]
    pseudonym: bool,
    /// Why
    #[arg(long, value_enum, default_value = "routine")]
    reason: Reason,
    #[command(flatten)]
    program: Program,
    #[command(flatten)]
    authority_key: Authority,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if args.pseudonym {
        return begin_epoch(context);
    }
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

fn begin_epoch(context: &Context) -> Result<Exit, Failure> {
    let number = with_keys(context, None, |keys| Ok(keys.begin_epoch()?))?;
    let mut out = stdout();
    match context.settings.format {
        Format::Json => {
            let answer = serde_json::json!({ "pseudonym_epoch": number, "state": "begun" });
            serde_json::to_writer(&mut out, &answer)?;
            out.write_all(b"\n")?;
        }
        _ => writeln!(out, "{number}")?,
    }
    out.flush()?;
    context.notes.note(
        "What is opened from now on makes its pseudonyms with the key of this epoch; restart what records. Keep the \
         earlier keys for as long as their tokens are to be linked to values.",
    );
    Ok(Exit::Fine)
}
