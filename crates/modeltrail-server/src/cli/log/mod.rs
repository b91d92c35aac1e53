//! `modeltrail log`.

mod intake;
mod lines;
mod tally;

pub(crate) use intake::{Intake, N_TOLD_MAX, Summary};
pub(crate) use lines::{Line, Lines};

use std::fs::File;
use std::io::{self, BufReader, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use super::context::{Context, Notes};
use super::init::default_origin;
use super::key::with_keys;
use crate::config::{Flag, help};
use crate::exit::{Exit, Failure, even_if_unread};
use crate::output::{Column, Format, Rows, json_line, stdout};
use crate::progress::Progress;

/// Record predictions: JSON Lines, one record a line
#[derive(clap::Args)]
#[command(
    after_help = "A line that cannot be recorded is told as FILE:LINE: /pointer: reason; remedy. \
    The others are recorded all the same, and the exit code is 2.\n\
    A record that is there already under its request_id is not stored twice, so a file can be \
    recorded again; records without a request_id are new each time."
)]
pub(crate) struct Args {
    /// The file; - or nothing for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Make the ledger if it is not there
    #[arg(long)]
    create: bool,
    #[arg(long, value_name = "written|spooled|sequenced|published", help = help("ack"))]
    ack: Option<String>,
    #[arg(long, value_name = "block|fail|gap", help = help("on_full"))]
    on_full: Option<String>,
}

/// A buffer of this size reads a disk at full speed.
const READ_BYTES: usize = 256 * 1024;

/// How much longer than the largest record a line may be before it is not even held: a line end
/// and some white space.
pub(crate) const LINE_SLACK_BYTES: usize = 4096;

impl Args {
    pub(crate) fn flags(&self) -> Vec<Flag> {
        let ack = self.ack.clone().map(|value| Flag { key: "ack", value });
        let on_full = self.on_full.clone().map(|value| Flag { key: "on_full", value });
        ack.into_iter().chain(on_full).collect()
    }
}

/// A file or standard input, with its name for messages and its size where that is known.
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) bytes: Option<u64>,
    pub(crate) from: BufReader<Box<dyn Read>>,
}

impl Source {
    /// Opens a file; `-` and nothing stand for standard input.
    pub(crate) fn open(file: Option<&Path>, notes: Notes) -> Result<Self, Failure> {
        let buffered = |from: Box<dyn Read>| BufReader::with_capacity(READ_BYTES, from);
        let Some(path) = file.filter(|path| *path != Path::new("-")) else {
            if io::stdin().is_terminal() {
                notes.note("reading from the terminal; Ctrl-D ends it");
            }
            let from = buffered(Box::new(io::stdin().lock()));
            return Ok(Self { name: "stdin".to_owned(), bytes: None, from });
        };
        let refused = |error: io::Error| {
            Failure::input(format!("{}: {error}", path.display())).hint("name a file of JSON Lines")
        };
        let file = File::open(path).map_err(refused)?;
        let metadata = file.metadata().map_err(refused)?;
        if metadata.is_dir() {
            return Err(refused(io::ErrorKind::IsADirectory.into()));
        }
        let bytes = metadata.is_file().then_some(metadata.len());
        Ok(Self { name: path.display().to_string(), bytes, from: buffered(Box::new(file)) })
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    // Before anything is made: a mistyped file, or a policy that cannot be taken, must not leave an empty ledger
    // behind.
    let source = Source::open(args.file.as_deref(), context.notes)?;
    let ledger = context.ledger()?;
    drop(context.settings.redactor()?);
    if args.create && !ledger.exists() {
        let origin = default_origin(&ledger);
        ledger.create(&origin)?;
        let vkey = with_keys(context, None, |keys| Ok(keys.begin()?[1].clone()))?;
        context.notes.note(&format!("made the ledger {origin}, whose checkpoint key is {vkey}"));
    }
    let progress = Progress::bytes(source.bytes, !context.notes.is_quiet(), "recording");
    let mut intake = Intake::open(&context.settings, &ledger)?;
    let read = intake.take(source, &progress);
    // What was taken before an error is recorded all the same, and counted.
    let summary = intake.finish(context.settings.ack, &progress);
    drop(progress);
    if let Ok(summary) = &summary {
        if let Some(why) = &summary.unsigned {
            context.notes.warn(&format!(
                "checkpoints could not be signed, so none covers the newest entries: {why}"
            ));
        }
        even_if_unread(tell(summary, context))?;
    }
    read?;
    let summary = summary?;
    Ok(if summary.is_clean() { Exit::Fine } else { Exit::Input })
}

const COLUMNS: &[Column] = &[
    Column::number("lines"),
    Column::number("blank"),
    Column::number("recorded"),
    Column::number("duplicates"),
    Column::number("conflicts"),
    Column::number("refused"),
    Column::number("dropped"),
];

fn tell(summary: &Summary, context: &Context) -> Result<(), Failure> {
    match context.settings.format {
        Format::Table => context.notes.note(&summary.to_string()),
        Format::Json => {
            let mut out = stdout();
            json_line(&mut out, summary)?;
        }
        Format::Csv => {
            let mut rows = Rows::csv(stdout(), COLUMNS)?;
            let unknown = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
            rows.row(vec![
                summary.n_lines.to_string(),
                summary.n_blank.to_string(),
                unknown(summary.n_recorded),
                unknown(summary.n_duplicates),
                unknown(summary.n_conflicts),
                summary.n_refused.to_string(),
                summary.n_dropped.to_string(),
            ])?;
            rows.finish()?;
        }
    }
    Ok(())
}
