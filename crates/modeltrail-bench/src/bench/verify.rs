//! `verify`: a full verification, on all cores, against one core that only hashes.

use std::time::Instant;

use modeltrail::check::{self, CheckOptions};
use modeltrail::{Ledger, Reader};
use serde_json::json;

use crate::Result;
use crate::baseline::hash::PlainHash;
use crate::outcome::Outcome;
use crate::setup::Setup;
use crate::shared::SharedLedger;

/// Part bytes that are gathered before they are hashed for the baseline: enough that the clock
/// does not count, little enough to stay in the cache as they would when read from a file.
const GATHER_BYTES: usize = 1 << 20;

const RATIO_MIN: f64 = 0.15;
const RATIO_AIM: f64 = 0.30;

pub(crate) fn run(_setup: &Setup, shared: &SharedLedger) -> Result<Outcome> {
    let (baseline, n_bytes) = plain_hash(&shared.url)?;
    let ledger = Ledger::parse(&shared.url)?;
    let begun = Instant::now();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    if let Some(finding) = report.findings.first() {
        return Err(format!("the ledger is not clean: {finding:?}").into());
    }
    if report.part_bytes != n_bytes {
        let checked = report.part_bytes;
        return Err(format!("{n_bytes} bytes of parts, of which {checked} were checked").into());
    }
    let product = n_bytes as f64 / seconds;
    let ratio = product / baseline;
    Ok(Outcome {
        name: "verify",
        baseline: json!({"call": "SHA-256 of all parts, one thread", "bytes_per_second": baseline}),
        product: json!({
            "bytes_per_second": product,
            "seconds": seconds,
            "entries_per_second": report.size as f64 / seconds,
            "part_bytes": n_bytes,
        }),
        ratio: Some(ratio),
        target: json!({"rate_ratio_min": RATIO_MIN, "rate_ratio_aim": RATIO_AIM}),
        met: ratio >= RATIO_MIN,
        n: shared.n,
        notes: vec![
            "the baseline's bytes are in memory; the product reads them from the store, and checks \
             salts, leaves, chain, tree, lookups and indexes as well"
                .to_owned(),
        ],
    })
}

/// Hashes the parts of every entry and returns bytes per second, and bytes.
fn plain_hash(url: &str) -> Result<(f64, u64)> {
    let reader = Reader::open(url)?;
    let mut hash = PlainHash::new();
    let mut gathered = Vec::new();
    for index in 0..reader.size()? {
        let entry = reader.at(index)?.ok_or_else(|| format!("entry {index} is missing"))?;
        for part in entry.parts {
            gathered.extend_from_slice(&part.bytes);
        }
        if gathered.len() >= GATHER_BYTES {
            hash.update(&gathered);
            gathered.clear();
        }
    }
    hash.update(&gathered);
    let n_bytes = hash.n_bytes();
    Ok((hash.finish(), n_bytes))
}
