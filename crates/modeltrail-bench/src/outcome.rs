//! What a bench says.

use std::io::Write as _;

use serde::Serialize;
use serde_json::Value;

use crate::{Failure, Result};

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

impl Outcome {
    /// What stands in the array of all benches where one could not be run.
    pub(crate) fn failed(name: &'static str, error: &Failure) -> Self {
        Self {
            name,
            baseline: Value::Null,
            product: Value::Null,
            ratio: None,
            target: Value::Null,
            met: false,
            n: 0,
            notes: vec![format!("could not be run: {error}")],
        }
    }

    /// Notes how busy the machine was before the bench began: figures taken beside other work are
    /// worth nothing, and this is how a reader sees it.
    pub(crate) fn under_load(mut self, load_before: Option<String>) -> Self {
        if let Some(load) = load_before {
            self.notes.push(format!("load average of the minute before: {load}"));
        }
        self
    }
}

/// The system's one-minute load average; `None` where it does not tell.
pub(crate) fn load_average() -> Option<String> {
    let text = std::fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().next().map(str::to_owned)
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
