//! `modeltrail report model-usage`.

use std::io::{self, Write};

use modeltrail::report::{ModelUsage, model_usage};

use super::Reported;
use crate::cli::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_pretty, stdout, stdout_has_color};
use crate::outside::standing::OutsideStanding;

/// How a model was used: predictions, users, labels, versions, latencies
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The model
    #[arg(long, value_name = "NAME")]
    model: String,
    /// Days back from the end
    #[arg(long, default_value_t = 30, value_name = "N")]
    days: u32,
    /// The end of the period [default: now]
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
}

const COLUMNS: &[Column] = &[Column::text("figure"), Column::text("of"), Column::text("value")];

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let reader = context.reader()?;
    let period = super::period(args.days, args.as_of.as_deref())?;
    let report = model_usage(&reader, &args.model, &period)?;
    if report.figures.is_none() {
        context.notes.note(&format!("no prediction of {} in this period", args.model));
    }
    let outside = context.outside_in_short()?;
    let out = stdout();
    match context.settings.format {
        Format::Json => write_json(out, &Reported { report: &report, outside: &outside })?,
        Format::Csv => write_rows(Rows::csv(out, COLUMNS)?, &report, &outside)?,
        Format::Table => {
            write_rows(Rows::table(out, COLUMNS, stdout_has_color()), &report, &outside)?;
        }
    }
    Ok(Exit::Fine)
}

/// The report as JSON, under the seed document's names.
pub(crate) fn write_json(mut out: impl Write, report: &Reported<'_, ModelUsage>) -> io::Result<()> {
    json_pretty(&mut out, report)
}

fn write_rows(
    mut rows: Rows<impl Write>,
    report: &ModelUsage,
    outside: &OutsideStanding,
) -> io::Result<()> {
    let mut row = |figure: &str, of: &str, value: String| {
        rows.row(vec![figure.to_owned(), of.to_owned(), value])
    };
    row("model", "", report.model.clone())?;
    row("period_days", "", report.period_days.to_string())?;
    row("total_predictions", "", report.total_predictions.to_string())?;
    if let Some(figures) = &report.figures {
        row("unique_users", "", figures.unique_users.to_string())?;
        for (label, n) in &figures.prediction_distribution {
            row("prediction_distribution", label, n.to_string())?;
        }
        for (version, n) in &figures.versions_used {
            row("versions_used", version, n.to_string())?;
        }
        let latency = &figures.latency_stats;
        row("latency_stats", "mean_ms", latency.mean_ms.to_string())?;
        row("latency_stats", "p95_ms", latency.p95_ms.to_string())?;
        row("latency_stats", "max_ms", latency.max_ms.to_string())?;
        row("first_prediction", "", figures.first_prediction.clone())?;
        row("last_prediction", "", figures.last_prediction.clone())?;
    }
    row("outside", outside.headline(), outside.line())?;
    rows.finish()?;
    Ok(())
}
