//! `modeltrail key list`.

use modeltrail::keys;
use serde::Serialize;

use super::super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_pretty, stdout, stdout_has_color};

/// List every key that the ledger's entries name, and since when and until when it was in force
#[derive(clap::Args)]
pub(super) struct Args {}

#[derive(Serialize)]
struct Row {
    role: &'static str,
    state: &'static str,
    /// Index of the entry that put it in force.
    since: u64,
    /// Index of the entry that retired it.
    until: Option<u64>,
    vkey: String,
}

const COLUMNS: &[Column] = &[
    Column::text("role"),
    Column::text("state"),
    Column::number("since"),
    Column::number("until"),
    Column::text("vkey"),
];

pub(super) fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let store = context.ledger()?.open_read()?;
    let (history, without_effect) = keys::history(store.as_ref())?;
    let rows: Vec<Row> = history
        .keys()
        .iter()
        .map(|known| Row {
            role: known.role.name(),
            state: if known.until.is_some() { "retired" } else { "in force" },
            since: known.since,
            until: known.until,
            vkey: known.key.to_string(),
        })
        .collect();
    write(&rows, context)?;
    for (index, why) in without_effect {
        context.notes.warn(&format!("the key entry {index} has no effect: {why}"));
    }
    Ok(Exit::Fine)
}

fn write(rows: &[Row], context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    let mut table = match context.settings.format {
        Format::Json => {
            json_pretty(&mut out, rows)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    for row in rows {
        let until = row.until.map_or_else(String::new, |until| until.to_string());
        let cells = [row.role, row.state, &row.since.to_string(), &until, &row.vkey];
        table.row(cells.map(str::to_owned).to_vec())?;
    }
    table.finish()?;
    Ok(())
}
