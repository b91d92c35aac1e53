//! What goes to standard output: tables, CSV and JSON, each written while it is made.

mod csv;
mod json;
mod table;

pub(crate) use json::{JsonList, json_line, json_pretty, pretty};
pub(crate) use table::clean;

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};

use csv::Csv;
use table::Table;

/// The form of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: every digit and every field.
    Json,
    /// For spreadsheets; cells that one would run as a formula begin with an apostrophe.
    Csv,
}

/// Standard output, locked for the whole command.
pub(crate) fn stdout() -> BufWriter<io::StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// True when standard output takes colours: a terminal, and neither `NO_COLOR` nor `TERM=dumb`.
pub(crate) fn stdout_has_color() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// As [`stdout_has_color`], for standard error.
pub(crate) fn stderr_has_color() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// A column of a table or CSV.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// Its name, which CSV and tables show alike.
    pub(crate) name: &'static str,
    /// True for numbers, which tables put to the right.
    pub(crate) is_number: bool,
}

impl Column {
    /// A column of texts.
    pub(crate) const fn text(name: &'static str) -> Self {
        Self { name, is_number: false }
    }

    /// A column of numbers.
    pub(crate) const fn number(name: &'static str) -> Self {
        Self { name, is_number: true }
    }
}

/// Rows as a table or as CSV, in flat memory.
pub(crate) enum Rows<W: Write> {
    /// For people.
    Table(Table<W>),
    /// For spreadsheets.
    Csv(Csv<W>),
}

impl<W: Write> Rows<W> {
    /// A table.
    pub(crate) fn table(out: W, columns: &'static [Column], color: bool) -> Self {
        Self::Table(Table::new(out, columns, color))
    }

    /// CSV, its header line written at once.
    pub(crate) fn csv(out: W, columns: &[Column]) -> io::Result<Self> {
        Csv::new(out, columns).map(Self::Csv)
    }

    /// One row: a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<String>) -> io::Result<()> {
        match self {
            Self::Table(table) => table.row(cells),
            Self::Csv(csv) => csv.row(&cells),
        }
    }

    /// Writes what is held back, and gives the writer back.
    pub(crate) fn finish(self) -> io::Result<W> {
        let mut out = match self {
            Self::Table(table) => table.finish()?,
            Self::Csv(csv) => csv.finish(),
        };
        out.flush()?;
        Ok(out)
    }
}
