//! The seed document's table as its user would have it in SQLite, and its rows.

use std::path::Path;

use modeltrail_core::hash::sha256;
use rusqlite::{Connection, Statement};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::Result;

/// With one column more than the seed's: the label, which only the report fills.
const TABLE: &str = "
CREATE TABLE ai_audit_logs (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  request_id    TEXT NOT NULL,
  timestamp     TEXT NOT NULL,
  model_name    TEXT NOT NULL,
  model_version TEXT NOT NULL,
  input_hash    TEXT NOT NULL,
  input_data    TEXT NOT NULL,
  output_data   TEXT NOT NULL,
  user_id       TEXT,
  latency_ms    REAL,
  metadata      TEXT,
  label         TEXT
);
";

/// The seed's five indexes.
pub(crate) const INDEXES: &str = "
CREATE UNIQUE INDEX ix_request_id ON ai_audit_logs (request_id);
CREATE INDEX ix_timestamp  ON ai_audit_logs (timestamp);
CREATE INDEX ix_model_name ON ai_audit_logs (model_name);
CREATE INDEX ix_user_id    ON ai_audit_logs (user_id);
CREATE INDEX ix_input_hash ON ai_audit_logs (input_hash);
";

const INSERT: &str = "
INSERT INTO ai_audit_logs (request_id, timestamp, model_name, model_version, input_hash,
  input_data, output_data, user_id, latency_ms, metadata, label)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

/// A record, its fields borrowed from its line. The generator writes no escapes into them.
#[derive(Deserialize)]
struct Fields<'a> {
    request_id: &'a str,
    timestamp: &'a str,
    model_name: &'a str,
    model_version: &'a str,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow)]
    output: &'a RawValue,
    user_id: &'a str,
    latency_ms: f64,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// A row, ready to be inserted.
pub(crate) struct Row<'a> {
    fields: Fields<'a>,
    input_hash: String,
    label: Option<&'a str>,
}

/// The fields of an output that can be a label.
#[derive(Deserialize)]
struct Output<'a> {
    prediction: Option<&'a str>,
    label: Option<&'a str>,
}

impl<'a> Row<'a> {
    /// Reads a line and hashes its input.
    pub(crate) fn from_line(line: &'a str) -> Result<Self> {
        let fields: Fields<'a> = serde_json::from_str(line)?;
        let input_hash = sha256(&[fields.input.get().as_bytes()]).to_hex();
        Ok(Self { fields, input_hash, label: None })
    }

    /// The same with the label of the output.
    pub(crate) fn with_label(mut self) -> Result<Self> {
        let output: Output<'a> = serde_json::from_str(self.fields.output.get())?;
        self.label = output.prediction.or(output.label);
        Ok(self)
    }
}

/// Makes the table without its indexes, on a connection whose commits survive power loss.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    let db = Connection::open(path)?;
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    db.execute_batch(TABLE)?;
    Ok(db)
}

pub(crate) fn insert_statement(db: &Connection) -> Result<Statement<'_>> {
    Ok(db.prepare(INSERT)?)
}

pub(crate) fn insert(statement: &mut Statement<'_>, row: &Row<'_>) -> Result<()> {
    let fields = &row.fields;
    statement.execute((
        fields.request_id,
        fields.timestamp,
        fields.model_name,
        fields.model_version,
        &row.input_hash,
        fields.input.get(),
        fields.output.get(),
        fields.user_id,
        fields.latency_ms,
        fields.metadata.get(),
        row.label,
    ))?;
    Ok(())
}
