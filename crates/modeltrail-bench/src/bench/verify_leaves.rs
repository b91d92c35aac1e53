//! `verify-leaves`: leaves alone, on all cores, against SHA-256 of the same bytes.

use std::time::Instant;

use modeltrail::Ledger;
use modeltrail::check::{self, CheckOptions, Mode};
use serde_json::json;

use crate::Result;
use crate::baseline::leaves::{Hashed, per_second};
use crate::outcome::Outcome;
use crate::setup::Setup;
use crate::shared::SharedLedger;

/// Rounds of each; the best of each counts, as both have the same disturbances.
const N_ROUNDS: usize = 5;

const RATIO_MIN: f64 = 0.5;

pub(crate) fn run(_setup: &Setup, shared: &SharedLedger) -> Result<Outcome> {
    let ledger = Ledger::parse(&shared.url)?;
    let store = ledger.open_read()?;
    let (mut leaves, mut leaf_bytes) = (Vec::new(), 0);
    store.leaves(0..u64::MAX, &mut |_, leaf, _| {
        leaves.extend_from_slice(leaf);
        leaf_bytes = leaf.len();
    })?;
    let (mut baseline, mut leaves_only, mut seconds) = (0.0_f64, 0.0_f64, f64::MAX);
    let options = CheckOptions { mode: Mode::LeavesOnly, ..CheckOptions::default() };
    let mut size = 0;
    for _ in 0..N_ROUNDS {
        baseline = baseline.max(per_second(&leaves, leaf_bytes, Hashed::LeavesAndNodes));
        leaves_only = leaves_only.max(per_second(&leaves, leaf_bytes, Hashed::Leaves));
        let begun = Instant::now();
        let report = check::run(&ledger, &options, |_, _| {})?;
        seconds = seconds.min(begun.elapsed().as_secs_f64());
        if let Some(finding) = report.findings.first() {
            return Err(format!("the ledger is not clean: {finding:?}").into());
        }
        size = report.size;
    }
    let product = size as f64 / seconds;
    let ratio = product / baseline;
    Ok(Outcome {
        name: "verify-leaves",
        baseline: json!({
            "call": "SHA-256 of each leaf and of a tree node for each, all cores",
            "leaves_per_second": baseline,
            "leaves_per_second_without_nodes": leaves_only,
        }),
        product: json!({
            "leaves_per_second": product,
            "seconds": seconds,
            "leaf_bytes_per_second": product * leaf_bytes as f64,
            "ratio_to_leaves_without_nodes": product / leaves_only,
        }),
        ratio: Some(ratio),
        target: json!({"rate_ratio_min": RATIO_MIN}),
        met: ratio >= RATIO_MIN,
        n: shared.n,
        notes: vec![
            "the baseline's bytes are in memory, and it compares nothing; the product reads leaves from the \
             store and holds each against its index, its neighbour and its stored hash"
                .to_owned(),
        ],
    })
}
