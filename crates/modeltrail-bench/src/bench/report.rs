//! `report`: the usage report of the model that more than half of the records are of.

use std::time::Instant;

use modeltrail::Reader;
use modeltrail::report::{ModelUsage, Period, model_usage};
use modeltrail_core::time::parse_rfc3339;
use serde_json::{Value, json};

use crate::Result;
use crate::baseline::sql::{self, Usage};
use crate::outcome::{Outcome, progress};
use crate::setup::Setup;
use crate::shared::SharedLedger;
use crate::timing::median;

/// The model of 55 % of the records.
pub(crate) const MODEL: &str = "fraud_detector";

/// When the load ends.
pub(crate) const END: &str = "2026-06-30T00:00:00Z";

/// Days that hold the whole load, and their first moment.
pub(crate) const DAYS: u32 = 31;
const SINCE: &str = "2026-05-30T00:00:00Z";

/// Reports of each side; the median counts.
const N_TURNS: usize = 5;

const RATIO_MAX: f64 = 0.25;

pub(crate) fn run(setup: &Setup, shared: &SharedLedger) -> Result<Outcome> {
    progress("filling the table of the baseline")?;
    let dir = setup.scratch()?;
    let db = sql::build(&dir.path().join("usage.db"), shared.n, setup.seed)?;
    let reader = Reader::open(&shared.url)?;
    let period = Period { days: DAYS, as_of_ns: Some(parse_rfc3339(END)?) };
    let (mut baseline, mut product) = (Vec::new(), Vec::new());
    for _ in 0..N_TURNS {
        let (expected, time) = sql::run(&db, MODEL, SINCE)?;
        baseline.push(time.as_secs_f64());
        let begun = Instant::now();
        let found = model_usage(&reader, MODEL, &period)?;
        product.push(begun.elapsed().as_secs_f64());
        compare(&expected, &found)?;
    }
    let (baseline, product) = (median(baseline), median(product));
    let ratio = product / baseline;
    Ok(Outcome {
        name: "report",
        baseline: json!({"call": "SQL over a covering index", "seconds": baseline}),
        product: json!({"call": "model_usage", "seconds": product}),
        ratio: Some(ratio),
        target: json!({"time_ratio_max": RATIO_MAX}),
        met: ratio <= RATIO_MAX,
        n: shared.n,
        notes: vec![
            format!("{MODEL}, {DAYS} days, the median of {N_TURNS}, both warm"),
            "count, users, labels, versions, p95 and maximum are the same on both sides".to_owned(),
        ],
    })
}

/// A report that is fast and wrong has no figure.
fn compare(expected: &Usage, found: &ModelUsage) -> Result<()> {
    let found = serde_json::to_value(found)?;
    let counts = |of: &[(String, i64)]| -> Value {
        of.iter().map(|(name, n)| (name.clone(), Value::from(*n))).collect()
    };
    let pairs = [
        ("/total_predictions", Value::from(expected.n)),
        ("/unique_users", Value::from(expected.n_users)),
        ("/prediction_distribution", counts(&expected.by_label)),
        ("/versions_used", counts(&expected.by_version)),
        ("/latency_stats/max_ms", Value::from(expected.latency_max_ms)),
        ("/latency_stats/p95_ms", Value::from(expected.latency_p95_ms)),
    ];
    for (pointer, expected) in pairs {
        let found = found.pointer(pointer).unwrap_or(&Value::Null);
        if *found != expected {
            return Err(format!("{pointer}: SQL says {expected}, the report {found}").into());
        }
    }
    Ok(())
}
