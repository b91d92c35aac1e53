//! `modeltrail key generate`.

use modeltrail_core::keys::KeyRole;

use super::super::context::Context;
use super::{Authority, Program, tell, with_keys};
use crate::exit::{Exit, Failure};

/// Make the first keys of a ledger that has none, and put them in force
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    program: Program,
    #[command(flatten)]
    authority: Authority,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let signer = args.program.signer()?;
    let authority = args.authority.authority_key.as_deref();
    let vkey = with_keys(context, authority, |keys| match &signer {
        None => Ok(keys.begin()?[1].clone()),
        Some(signer) => {
            let history = keys.history()?;
            if history.in_force(KeyRole::Authority, u64::MAX).next().is_none() {
                keys.generate(KeyRole::Authority)?;
            }
            Ok(keys.use_command(signer)?)
        }
    })?;
    let dir = context.ledger()?.keys_dir();
    tell(
        &vkey,
        context,
        &format!(
            "Checkpoints are signed from now on. Give this key to whoever verifies, and keep a copy of it \
             elsewhere. Move {} to another machine, or back it up where the database is not.",
            dir.join("authority.key").display()
        ),
    )?;
    Ok(Exit::Fine)
}
