//! `modeltrail tiles`.

use std::path::PathBuf;

use serde::Serialize;

use super::behind;
use super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};

/// Write checkpoint, tiles and entries to a folder, for mirrors and tools of others
#[derive(clap::Args)]
#[command(
    after_help = "The layout is C2SP tlog-tiles: serve the folder as it is. An entry is its leaf, which holds no \
                  content of a record.\nRun it again to add what came since; a folder of another log, or of another \
                  history, is refused with exit code 3."
)]
pub(crate) struct Args {
    /// The folder; made if it is not there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// What was done.
#[derive(Serialize)]
struct Done {
    folder: String,
    size: u64,
    old_size: u64,
    n_files: u64,
    n_bytes: u64,
}

const COLUMNS: &[Column] = &[
    Column::text("folder"),
    Column::number("size"),
    Column::number("old_size"),
    Column::number("n_files"),
    Column::number("n_bytes"),
];

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let reader = context.reader()?;
    behind::warn(&context.ledger()?, reader.size()?, context);
    let done = modeltrail::tiles::export(&reader, &args.dir).map_err(Failure::failed)?;
    let done = Done {
        folder: args.dir.display().to_string(),
        size: done.size,
        old_size: done.old_size,
        n_files: done.n_files,
        n_bytes: done.n_bytes,
    };
    let mut out = stdout();
    let mut rows = match context.settings.format {
        Format::Json => {
            json_line(&mut out, &done)?;
            return Ok(Exit::Fine);
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    let numbers = [done.size, done.old_size, done.n_files, done.n_bytes].map(|n| n.to_string());
    rows.row([done.folder].into_iter().chain(numbers).collect())?;
    rows.finish()?;
    Ok(Exit::Fine)
}
