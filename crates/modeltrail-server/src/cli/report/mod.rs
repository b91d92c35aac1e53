//! `modeltrail report`: one file for each report.

mod data_access;
mod model_usage;

use modeltrail::report::Period;
use serde::Serialize;

use super::context::{Context, now_ns};
use super::time;
use crate::exit::{Exit, Failure};
use crate::outside::standing::OutsideStanding;

/// Answer an auditor's question over a period
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    report: Report,
}

#[derive(clap::Subcommand)]
enum Report {
    ModelUsage(model_usage::Args),
    DataAccess(data_access::Args),
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    match &args.report {
        Report::ModelUsage(args) => model_usage::run(args, context),
        Report::DataAccess(args) => data_access::run(args, context),
    }
}

/// A report with what it rests on: how far the ledger's evidence outside goes.
#[derive(Serialize)]
pub(crate) struct Reported<'a, R> {
    #[serde(flatten)]
    pub(crate) report: &'a R,
    pub(crate) outside: &'a OutsideStanding,
}

/// The period of a report; `as_of` is where it ends, now when absent.
fn period(days: u32, as_of: Option<&str>) -> Result<Period, Failure> {
    let read =
        |text| time::parse(text, now_ns()).map_err(|e| Failure::input(format!("--as-of: {e}")));
    Ok(Period { days, as_of_ns: as_of.map(read).transpose()? })
}
