//! `sequenced`: how many records a second end up in the ledger, queryable and chained.

use std::path::Path;
use std::time::Instant;

use modeltrail::{Ack, Limits, Record, Recorder};
use serde_json::json;

use crate::Result;
use crate::baseline::insert::{self, Tuning};
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger, patient};

const N: u64 = 200_000;

/// Not a tenth: while the indexes fit SQLite's own cache, inserting is three times as fast as it
/// ever is afterwards.
const N_QUICK: u64 = 100_000;

const RATIO_MIN: f64 = 1.0;
const RATIO_AIM: f64 = 2.0;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let n = setup.n_or(N, N_QUICK);
    let lines = setup.generator(n).take_lines(usize::MAX);
    // The product between the two baselines, so that a disk that grows slower favours neither.
    let plain = insert::run(setup.scratch()?.path(), &lines, Tuning::PLAIN)?;
    let product = product(setup.scratch()?.path(), &lines)?;
    let like_product = insert::run(setup.scratch()?.path(), &lines, Tuning::LIKE_PRODUCT)?;
    // The target is set against SQLite as it comes; the stricter figure stands beside it.
    let ratio = product / plain;
    Ok(Outcome {
        name: "sequenced",
        baseline: json!({
            "call": "rusqlite, the seed's table, 1,000 to a transaction, synchronous=FULL",
            "records_per_second": plain,
            "records_per_second_cache_like_product": like_product,
        }),
        product: json!({"records_per_second": product, "ratio_to_cache_like_product": product / like_product}),
        ratio: Some(ratio),
        target: json!({"rate_ratio_min": RATIO_MIN, "rate_ratio_aim": RATIO_AIM}),
        met: ratio >= RATIO_MIN,
        n,
        notes: vec![
            "the baseline's time holds neither reading the JSON nor hashing the input; the \
             product's holds reading, redaction, framing, the spool, leaves and tree"
                .to_owned(),
            "cache_like_product: the same baseline with the page cache and log size that the product \
             gives itself"
                .to_owned(),
        ],
    })
}

fn product(dir: &Path, lines: &[String]) -> Result<f64> {
    let recorder = patient().ack(Ack::Accepted).open(&create_ledger(dir, "sequenced.db")?)?;
    let begun = Instant::now();
    for line in lines {
        record(&recorder, line)?;
    }
    recorder.flush(Ack::Sequenced)?;
    let rate = lines.len() as f64 / begun.elapsed().as_secs_f64();
    recorder.close()?;
    Ok(rate)
}

/// Reads a line and records it.
pub(crate) fn record(recorder: &Recorder, line: &str) -> Result<()> {
    recorder.record(Record::from_json(line.as_bytes(), &Limits::default())?)?;
    Ok(())
}
