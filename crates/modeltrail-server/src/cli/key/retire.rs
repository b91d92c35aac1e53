//! `modeltrail key retire`.

use super::super::context::Context;
use super::{Authority, Reason, tell, with_keys};
use crate::exit::{Exit, Failure};

/// End a rotation: retire the older of the two checkpoint keys and remove its file
#[derive(clap::Args)]
pub(super) struct Args {
    /// Retire the newer one instead, as when it was stolen meanwhile
    #[arg(long)]
    newer: bool,
    /// Why
    #[arg(long, value_enum, default_value = "routine")]
    reason: Reason,
    #[command(flatten)]
    authority: Authority,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let path = args.authority.authority_key.as_deref();
    let reason = args.reason.key_reason();
    let old = with_keys(context, path, |keys| match args.newer {
        true => Ok(keys.retire_newer(reason)?),
        false => Ok(keys.retire(reason)?),
    })?;
    let note = "This key is retired and its file removed. Checkpoints that it signed stay valid; keep its public half.";
    tell(&old, context, note)?;
    Ok(Exit::Fine)
}
