//! What a bench says.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::Result;

/// The answer of one bench, printed as one JSON object.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    /// The bench.
    pub(crate) name: &'static str,
    /// What the machine or a hand-written program does; units are in the names of the fields.
    pub(crate) baseline: Value,
    /// What the product does.
    pub(crate) product: Value,
    /// The product's figure over the baseline's, as the target counts it; none where the target is
    /// absolute.
    pub(crate) ratio: Option<f64>,
    /// What was aimed at.
    pub(crate) target: Value,
    /// Whether it was reached.
    pub(crate) met: bool,
    /// Records, or keys of a query.
    pub(crate) n: u64,
    /// How it was measured, where that is not plain from the names.
    pub(crate) notes: Vec<String>,
}

/// Prints one value as indented JSON.
pub(crate) fn print(value: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// Says on stderr what is being done; a run of all benches takes minutes.
pub(crate) fn progress(doing: &str) -> Result<()> {
    Ok(writeln!(std::io::stderr().lock(), "{doing}")?)
}
