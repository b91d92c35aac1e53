//! `redact`: the whole default set of rules against the seed's four patterns, on one core.

use std::time::Instant;

use modeltrail_core::Limits;
use modeltrail_core::canonical::canonicalize;
use modeltrail_core::redact::{Redactor, Rule};
use serde_json::json;

use crate::Result;
use crate::baseline::patterns::Patterns;
use crate::generate::{Generator, Personal};
use crate::outcome::Outcome;
use crate::setup::Setup;

const N: u64 = 20_000;

/// Rounds of each; the best of each counts, as both have the same disturbances.
const N_ROUNDS: usize = 7;

/// Personal data in one of fifty inputs, as in production, and no address in the metadata.
const PERSONAL: Personal = Personal { share: 0.02, address: false };

const RATIO_MIN: f64 = 1.0;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let n = setup.n_or(N, N / 4);
    let lines = Generator::with(n, setup.seed, PERSONAL).take_lines(usize::MAX);
    let n_bytes: usize = lines.iter().map(String::len).sum();
    let (patterns, redactor) = (Patterns::new()?, Redactor::default());
    let basic = Redactor::with_rules(Rule::BASIC);
    let mut n_masked = 0;
    let (mut baseline, mut product, mut four) = (f64::MAX, f64::MAX, f64::MAX);
    for _ in 0..N_ROUNDS {
        let begun = Instant::now();
        for line in &lines {
            std::hint::black_box(patterns.redact(line.as_bytes())?);
        }
        baseline = baseline.min(begun.elapsed().as_secs_f64());
        (product, n_masked) = best(product, &lines, &redactor)?;
        (four, _) = best(four, &lines, &basic)?;
    }
    let rate = |seconds: f64| n_bytes as f64 / seconds;
    let ratio = baseline / product;
    Ok(Outcome {
        name: "redact",
        baseline: json!({
            "call": "serde_json parse, four patterns on each string with the regex crate, write",
            "bytes_per_second": rate(baseline),
        }),
        product: json!({
            "bytes_per_second": rate(product),
            "bytes_per_second_of_four_rules": rate(four),
            "us_per_record": product * 1e6 / n as f64,
            "bytes_per_record": n_bytes as f64 / n as f64,
            "records_masked": n_masked,
        }),
        ratio: Some(ratio),
        target: json!({"rate_ratio_min": RATIO_MIN}),
        met: ratio >= RATIO_MIN,
        n,
        notes: vec![
            "both from the received text to the bytes that are kept, on one core; ours reads names, numbers \
             and lists too, and gives canonical bytes"
                .to_owned(),
        ],
    })
}

/// The best time so far for all lines, from received text to kept bytes; and how many were masked.
fn best(so_far: f64, lines: &[String], redactor: &Redactor) -> Result<(f64, usize)> {
    let limits = Limits::default();
    let begun = Instant::now();
    let mut n_masked = 0;
    for line in lines {
        let canonical = canonicalize(line.as_bytes(), &limits)?;
        let masked = redactor.redact_json(&canonical)?;
        n_masked += usize::from(masked.is_some());
        std::hint::black_box(masked.map_or(canonical, |(masked, _)| masked));
    }
    Ok((so_far.min(begun.elapsed().as_secs_f64()), n_masked))
}
