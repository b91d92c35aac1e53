//! `modeltrail key retire`.

use modeltrail_core::keys::KeyReason;

use super::super::context::Context;
use super::{Authority, tell, with_keys};
use crate::exit::{Exit, Failure};

/// End a rotation: retire the older of the two checkpoint keys and remove its file
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    authority: Authority,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let path = args.authority.authority_key.as_deref();
    let old = with_keys(context, path, |keys| Ok(keys.retire(KeyReason::Routine)?))?;
    let note = "This key is retired and its file removed. Checkpoints that it signed stay valid; keep its public half.";
    tell(&old, context, note)?;
    Ok(Exit::Fine)
}
