//! `modeltrail config`.

use std::io::Write as _;

use serde::Serialize;

use super::context::Context;
use crate::config::{Shown, Value};
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, JsonList, Rows, stdout, stdout_has_color};

/// Show every setting with its value and where it comes from
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Show every setting with its value and where it comes from (the default)
    Show,
    /// Print the reference of all settings as Markdown
    Reference,
}

impl Args {
    /// True for `config reference`, which looks at no setting's value.
    pub(crate) const fn is_reference(&self) -> bool {
        matches!(self.command, Some(Command::Reference))
    }
}

const COLUMNS: &[Column] =
    &[Column::text("setting"), Column::text("value"), Column::text("source")];

#[derive(Serialize)]
struct Row<'a> {
    setting: &'a str,
    value: serde_json::Value,
    source: String,
}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(file) = &context.settings.file {
        context.notes.note(&format!("configuration file: {}", file.display()));
    }
    let shown = &context.settings.shown;
    match context.settings.format {
        Format::Json => {
            let mut list = JsonList::new(stdout(), false)?;
            for Shown { key, value, source } in shown {
                let value = json(value);
                list.push(&Row { setting: key, value, source: source.to_string() })?;
            }
            list.finish()?;
        }
        Format::Csv => write(Rows::csv(stdout(), COLUMNS)?, shown)?,
        Format::Table => write(Rows::table(stdout(), COLUMNS, stdout_has_color()), shown)?,
    }
    Ok(Exit::Fine)
}

pub(crate) fn reference() -> Result<Exit, Failure> {
    let mut out = stdout();
    out.write_all(crate::config::reference().as_bytes())?;
    out.flush()?;
    Ok(Exit::Fine)
}

fn write(mut rows: Rows<impl std::io::Write>, shown: &[Shown]) -> Result<(), Failure> {
    for Shown { key, value, source } in shown {
        rows.row(vec![(*key).to_owned(), text(value), source.to_string()])?;
    }
    rows.finish()?;
    Ok(())
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::List(items) => items.join(","),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Text(text) => text.as_str().into(),
        Value::Number(number) => (*number).into(),
        Value::List(items) => items.clone().into(),
    }
}
