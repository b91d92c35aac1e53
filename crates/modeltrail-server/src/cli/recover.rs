//! `modeltrail recover`.

use std::path::PathBuf;

use modeltrail::recover::{self, RecoverOptions};
use serde::Serialize;

use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};

/// Go on in a new epoch where a database is older than its anchor
#[derive(clap::Args)]
#[command(
    after_help = "First look for the newer database: with it nothing is lost. Where there is none, the old one is set \
    aside as it is (audit.epoch-0.db), and a ledger named ORIGIN/epoch-N takes its place. Its first entry says \
    which checkpoint was the last and which entries are missing; what waits in the spool becomes its next ones. It \
    has a new checkpoint key, which the old one vouches for. Stop all programs that record before."
)]
pub(crate) struct Args {
    /// End the ledger and begin the next epoch
    #[arg(long, required = true)]
    new_epoch: bool,
    /// The authority key's file, if it is kept elsewhere
    #[arg(long, value_name = "FILE")]
    authority_key: Option<PathBuf>,
}

/// What became of it.
#[derive(Serialize)]
struct Report {
    origin: String,
    epoch: u64,
    set_aside: String,
    size_before: u64,
    /// First and last index of what is missing.
    missing: Vec<(u64, u64)>,
    /// Entries made of what waited in the spool.
    taken: u64,
    vkey: Option<String>,
}

const COLUMNS: &[Column] = &[Column::text("what"), Column::text("is")];

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let options = RecoverOptions {
        spool_dir: context.settings.spool_dir.clone(),
        spool: context.settings.spool,
        authority_file: args.authority_key.clone(),
    };
    let new = recover::new_epoch(&context.ledger()?, &options)?;
    let report = Report {
        origin: new.origin,
        epoch: new.epoch.number,
        set_aside: new.set_aside.display().to_string(),
        size_before: new.epoch.size_before,
        missing: new.epoch.missing,
        taken: new.n_taken,
        vkey: new.vkey.map(|vkey| vkey.to_string()),
    };
    write(&report, context)?;
    let keep = match &report.vkey {
        Some(_) => "Give the new key to whoever verifies",
        None => {
            "The new ledger has no checkpoint key; `modeltrail key generate` makes one. Tell whoever verifies"
        }
    };
    context.notes.note(&format!(
        "{keep}, and keep {} for as long as the records in it have to be kept.",
        report.set_aside
    ));
    Ok(Exit::Fine)
}

fn write(report: &Report, context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    let mut rows = match context.settings.format {
        Format::Json => {
            json_line(&mut out, report)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    let missing: Vec<String> =
        report.missing.iter().map(|(first, last)| format!("{first} to {last}")).collect();
    let missing = if missing.is_empty() { "none".to_owned() } else { missing.join(", ") };
    let cells = [
        ("origin", report.origin.clone()),
        ("epoch", report.epoch.to_string()),
        ("set_aside", report.set_aside.clone()),
        ("size_before", report.size_before.to_string()),
        ("missing", missing),
        ("taken", report.taken.to_string()),
        ("vkey", report.vkey.clone().unwrap_or_default()),
    ];
    for (what, is) in cells {
        rows.row(vec![what.to_owned(), is])?;
    }
    rows.finish()?;
    Ok(())
}
