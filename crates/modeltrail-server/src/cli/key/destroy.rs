//! `modeltrail key destroy`.

use std::io::Write as _;

use super::super::context::Context;
use super::with_keys;
use crate::exit::{Exit, Failure};
use crate::output::{Format, stdout};

/// Destroy the key of an earlier epoch of pseudonyms; this cannot be taken back
#[derive(clap::Args)]
#[command(
    after_help = "Tokens of that epoch can then be linked to values by nobody, not even by whoever runs this ledger; \
    they still show which records are about the same person. The file is overwritten and removed. Copies \
    elsewhere (backups, snapshots, what a flash disk has not yet reused) are yours to destroy.\n\
    The epoch in use cannot be destroyed: run `modeltrail key rotate --pseudonym` first, and restart what records."
)]
pub(super) struct Args {
    /// The epoch, by its number; `modeltrail status` names those that there are
    #[arg(long, value_name = "NUMBER", required = true)]
    pseudonym_epoch: u32,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let number = args.pseudonym_epoch;
    with_keys(context, None, |keys| Ok(keys.destroy_epoch(number)?))?;
    let mut out = stdout();
    match context.settings.format {
        Format::Json => {
            let answer = serde_json::json!({ "pseudonym_epoch": number, "state": "destroyed" });
            serde_json::to_writer(&mut out, &answer)?;
            out.write_all(b"\n")?;
        }
        _ => writeln!(out, "{number}")?,
    }
    out.flush()?;
    context.notes.warn(&format!(
        "the key of epoch {number} of pseudonyms is destroyed, and an entry says so; destroy its copies in backups too"
    ));
    Ok(Exit::Fine)
}
