//! `generate`: the load as a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use super::Generator;
use crate::Result;

/// Writes the load as JSON Lines and returns what it was.
pub(crate) fn to_file(n: u64, seed: u64, path: &Path) -> Result<serde_json::Value> {
    let begun = Instant::now();
    let mut generator = Generator::new(n, seed);
    // A mebibyte: few system calls, and still in the second-level cache.
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut n_bytes = 0;
    while let Some(line) = generator.next_line() {
        out.write_all(line.as_bytes())?;
        out.write_all(b"\n")?;
        n_bytes += line.len() + 1;
    }
    out.flush()?;
    let seconds = begun.elapsed().as_secs_f64();
    Ok(json!({
        "name": "generate",
        "n": n,
        "n_bytes": n_bytes,
        "mean_bytes": n_bytes as f64 / n.max(1) as f64,
        "records_per_second": n as f64 / seconds,
    }))
}
