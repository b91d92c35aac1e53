//! `modeltrail report data-access`.

use std::cell::RefCell;
use std::io::{self, Write};

use modeltrail::report::{DataAccess, Request, data_access};

use super::Reported;
use crate::cli::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, stdout, stdout_has_color};
use crate::outside::standing::OutsideStanding;

/// What a user asked for: requests by model, and each request
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The user
    #[arg(long, value_name = "ID")]
    user: String,
    /// Days back from the end
    #[arg(long, default_value_t = 90, value_name = "N")]
    days: u32,
    /// The end of the period [default: now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

const COLUMNS: &[Column] =
    &[Column::text("timestamp"), Column::text("model"), Column::text("request_id")];

/// Writes the figures and then each request as it comes.
enum Writer<W: Write> {
    Json { out: W, n: u64 },
    Csv(Rows<W>),
    Table { out: Option<W>, rows: Option<Rows<W>> },
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let reader = context.reader()?;
    let period = super::period(args.days, args.as_of.as_deref())?;
    let outside = context.outside_in_short()?;
    if context.settings.format == Format::Csv {
        context.notes.note(&outside.line());
    }
    let out = stdout();
    // Figures and requests come through two callbacks that write to the same place.
    let writer = RefCell::new(match context.settings.format {
        Format::Json => Writer::Json { out, n: 0 },
        Format::Csv => Writer::Csv(Rows::csv(out, COLUMNS)?),
        Format::Table => Writer::Table { out: Some(out), rows: None },
    });
    data_access::<Failure>(
        &reader,
        &args.user,
        &period,
        |figures| Ok(writer.borrow_mut().figures(figures, &outside)?),
        |request| Ok(writer.borrow_mut().request(request)?),
    )?;
    writer.into_inner().finish()?;
    Ok(Exit::Fine)
}

impl<W: Write> Writer<W> {
    fn figures(&mut self, figures: &DataAccess, outside: &OutsideStanding) -> io::Result<()> {
        match self {
            Self::Json { out, .. } => {
                let json = serde_json::to_string_pretty(&Reported { report: figures, outside })?;
                // The object stays open: its last member is the list that follows.
                let open = json.strip_suffix("\n}").unwrap_or(&json);
                write!(out, "{open},\n  \"requests\": [")
            }
            // A second table in one CSV would be none; `--format json` has the figures and what they
            // rest on, which is told beside.
            Self::Csv(_) => Ok(()),
            Self::Table { out, rows } => {
                let Some(mut out) = out.take() else { return Ok(()) };
                let DataAccess { user_id, period_days, total_requests, models_used } = figures;
                let user_id = crate::output::clean(user_id);
                writeln!(out, "{user_id}, {period_days} days: {total_requests} requests")?;
                for (model, n) in models_used {
                    writeln!(out, "  {} {n}", crate::output::clean(model))?;
                }
                writeln!(out, "  {}", outside.line())?;
                *rows = Some(Rows::table(out, COLUMNS, stdout_has_color()));
                Ok(())
            }
        }
    }

    fn request(&mut self, request: Request) -> io::Result<()> {
        let cells = |request: Request| vec![request.timestamp, request.model, request.request_id];
        match self {
            Self::Json { out, n } => {
                out.write_all(if *n == 0 { b"\n    " } else { b",\n    " })?;
                *n += 1;
                Ok(serde_json::to_writer(out, &request)?)
            }
            Self::Csv(rows) => rows.row(cells(request)),
            Self::Table { rows, .. } => {
                rows.as_mut().map_or(Ok(()), |rows| rows.row(cells(request)))
            }
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Json { mut out, n } => {
                out.write_all(if n == 0 { b"]\n}\n" } else { b"\n  ]\n}\n" })?;
                out.flush()
            }
            Self::Csv(rows) => rows.finish().map(drop),
            Self::Table { rows, .. } => rows.map_or(Ok(()), |rows| rows.finish().map(drop)),
        }
    }
}
