//! `modeltrail doctor`.

mod access_log;
mod coverage;
mod set_up;

use std::path::PathBuf;

use modeltrail::Place;
use serde::Serialize;

use super::context::{Context, now_ns};
use super::time;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_pretty, stdout, stdout_has_color};

/// Say what is wrong in a set-up, and whether every request was recorded
#[derive(clap::Args)]
#[command(
    after_help = "Coverage holds requests, counted before anything of them was captured, against what the ledger \
    has: each process counts its own in a file beside the database, and --access-log counts the lines of a web \
    server's log. Exit code 1 when something is wrong."
)]
pub(crate) struct Args {
    /// A web server's access log in the common or combined format; - for standard input
    #[arg(long, value_name = "FILE")]
    access_log: Option<PathBuf>,
    /// Which requests of the access log are captured; all of POST, PUT and PATCH without it
    #[arg(long, value_name = "FILE", requires = "access_log")]
    capture_config: Option<PathBuf>,
    /// Lines of the access log from this time on
    #[arg(long, value_name = "TIME", requires = "access_log")]
    since: Option<String>,
    /// Lines of the access log before this time
    #[arg(long, value_name = "TIME", requires = "access_log")]
    until: Option<String>,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// Worth knowing; nothing is lost by it.
    Note,
    /// To be mended.
    Wrong,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Check {
    check: &'static str,
    state: State,
    /// What was seen, and what to do where that is needed.
    what: String,
}

impl Check {
    fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Ok, what: what.into() }
    }

    fn note(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Note, what: what.into() }
    }

    fn wrong(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, state: State::Wrong, what: what.into() }
    }
}

#[derive(Serialize)]
struct Report {
    checks: Vec<Check>,
    coverage: coverage::Figures,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_log: Option<access_log::Figures>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let Place::Sqlite(_) = ledger.place() else {
        return Err(Failure::input("only a ledger in a file has a set-up to look at"));
    };
    let mut checks = set_up::checks(&ledger, context)?;
    let (figures, check) = coverage::figures(&ledger, context)?;
    checks.push(check);
    let at = |text: &Option<String>| {
        text.as_deref().map(|text| time::parse(text, now_ns())).transpose().map_err(Failure::input)
    };
    let access_log = match &args.access_log {
        None => None,
        Some(path) => {
            let window = (at(&args.since)?, at(&args.until)?);
            let plan = access_log::plan(args.capture_config.as_deref())?;
            let (figures, check) = access_log::figures(path, &plan, window, context)?;
            checks.push(check);
            Some(figures)
        }
    };
    let is_fine = checks.iter().all(|check| check.state != State::Wrong);
    write(&Report { checks, coverage: figures, access_log }, context)?;
    Ok(if is_fine { Exit::Fine } else { Exit::Findings })
}

const COLUMNS: &[Column] = &[Column::text("check"), Column::text("state"), Column::text("what")];

fn write(report: &Report, context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    let mut rows = match context.settings.format {
        Format::Json => {
            json_pretty(&mut out, report)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    for Check { check, state, what } in &report.checks {
        rows.row(vec![(*check).to_owned(), state.name().to_owned(), what.clone()])?;
    }
    rows.finish()?;
    Ok(())
}
