//! Entries as rows and as JSON.

use std::io::{self, Write};

use modeltrail::reader::EntryView;
use modeltrail::store::Entry;
use modeltrail_core::{Encoding, PartId};

use crate::exit::Failure;
use crate::output::{Column, Format, JsonList, Rows, stdout, stdout_has_color};

/// What a table shows of an entry.
const TABLE: &[Column] = &[
    Column::number("index"),
    Column::text("timestamp"),
    Column::text("kind"),
    Column::text("model"),
    Column::text("version"),
    Column::text("label"),
    Column::text("user"),
    Column::number("latency_ms"),
    Column::text("request_id"),
];

/// What CSV has of it: the same columns, and the rest.
const CSV: &[Column] = &[
    Column::number("index"),
    Column::text("timestamp"),
    Column::text("kind"),
    Column::text("model"),
    Column::text("version"),
    Column::text("label"),
    Column::text("user"),
    Column::number("latency_ms"),
    Column::text("request_id"),
    Column::text("status"),
    Column::text("subject"),
    Column::text("session"),
    Column::text("recorded_at"),
    Column::text("input_hash"),
    Column::text("input"),
    Column::text("output"),
    Column::text("metadata"),
    Column::text("error"),
    Column::text("leaf_hash"),
];

/// Parts that CSV has as text.
const CSV_PARTS: [PartId; 4] = [PartId::Input, PartId::Output, PartId::Metadata, PartId::Error];

/// Writes entries in the form that was asked for, one after the other.
pub(crate) enum Entries<W: Write> {
    Rows { rows: Rows<W>, whole: bool },
    Json(JsonList<W>),
}

impl Entries<io::BufWriter<io::StdoutLock<'static>>> {
    /// To standard output; `lines` makes NDJSON of JSON.
    pub(crate) fn to_stdout(format: Format, lines: bool) -> io::Result<Self> {
        Ok(match format {
            Format::Json => Self::Json(JsonList::new(stdout(), lines)?),
            Format::Csv => Self::Rows { rows: Rows::csv(stdout(), CSV)?, whole: true },
            Format::Table => {
                let rows = Rows::table(stdout(), TABLE, stdout_has_color());
                Self::Rows { rows, whole: false }
            }
        })
    }
}

impl<W: Write> Entries<W> {
    /// The next entry.
    pub(crate) fn push(&mut self, entry: &Entry) -> io::Result<()> {
        let view = EntryView::new(entry);
        match self {
            Self::Json(list) => list.push(&view),
            Self::Rows { rows, whole } => {
                let mut cells = cells(&view);
                if *whole {
                    cells.extend(more_cells(entry, view));
                }
                rows.row(cells)
            }
        }
    }

    /// Writes what is held back.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Json(list) => list.finish()?,
            Self::Rows { rows, .. } => drop(rows.finish()?),
        }
        Ok(())
    }
}

fn text(value: Option<&str>) -> String {
    value.unwrap_or("").to_owned()
}

fn cells(view: &EntryView<'_>) -> Vec<String> {
    vec![
        view.index.to_string(),
        view.timestamp.clone(),
        view.kind.to_owned(),
        text(view.model_name.as_deref()),
        text(view.model_version.as_deref()),
        text(view.label.as_deref()),
        text(view.user_id.as_deref()),
        view.latency_ms.map_or_else(String::new, |ms| ms.to_string()),
        text(view.request_id.as_deref()),
    ]
}

fn more_cells(entry: &Entry, view: EntryView<'_>) -> Vec<String> {
    let mut cells = vec![
        text(view.status),
        text(view.subject_id.as_deref()),
        text(view.session_id.as_deref()),
        view.recorded_at,
        view.input_hash.unwrap_or_default(),
    ];
    cells.extend(CSV_PARTS.map(|id| part_text(entry, id).unwrap_or_default()));
    cells.push(view.leaf_hash);
    cells
}

/// A part as text: JSON as it is stored, other bytes as base64.
pub(crate) fn part_text(entry: &Entry, id: PartId) -> Option<String> {
    let part = entry.parts.iter().find(|part| part.id == id)?;
    Some(match part.encoding {
        Encoding::Json => String::from_utf8_lossy(&part.bytes).into_owned(),
        Encoding::Raw => modeltrail_core::hash::base64(&part.bytes),
    })
}
