//! `bundle`: an evidence bundle of everything in a ledger, and its verification.

use std::fs::File;
use std::io::BufReader;
use std::time::Instant;

use modeltrail::bundle::{self, BundleRequest, DISCLOSED};
use modeltrail::keys::{self, LedgerKeys};
use modeltrail::{Ack, Ledger};
use modeltrail_core::bundle::{Filter, Pinned};
use modeltrail_core::keys::KeyRole;
use modeltrail_core::policy::Policy;
use serde_json::json;

use super::sequenced::record;
use crate::Result;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger, patient};

const N: u64 = 10_000;

const SECONDS_MAX: f64 = 5.0;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let n = setup.n_or(N, N);
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "bundle.db")?;
    let recorder = patient().ack(Ack::Accepted).open(&url)?;
    LedgerKeys::of(&recorder)?.begin()?;
    let mut generator = setup.generator(n);
    while let Some(line) = generator.next_line() {
        record(&recorder, line)?;
    }
    recorder.flush(Ack::Published)?;
    recorder.close()?;
    let store = Ledger::parse(&url)?.open_read()?;
    let (history, _) = keys::history(store.as_ref())?;
    let in_force = history.in_force(KeyRole::Checkpoint, u64::MAX).cloned();
    let request = BundleRequest {
        filter: Filter::default(),
        disclose: DISCLOSED.to_vec(),
        policy: Policy::logs_only(in_force)?,
        checkpoint: None,
        timestamps: Vec::new(),
    };
    let path = dir.path().join("bundle.tar");
    let begun = Instant::now();
    let summary = bundle::write(store.as_ref(), &request, &path, |_, _| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let begun = Instant::now();
    let file = BufReader::new(File::open(&path)?);
    let report = modeltrail_core::bundle::verify(file, &Pinned::policy(&request.policy))?;
    let verify_seconds = begun.elapsed().as_secs_f64();
    if let Some(finding) = report.findings.first() {
        return Err(format!("the bundle is not clean: {finding:?}").into());
    }
    if report.n_matching < n {
        return Err(format!("{n} records, of which the bundle has {}", report.n_matching).into());
    }
    Ok(Outcome {
        name: "bundle",
        baseline: json!(null),
        product: json!({
            "seconds": seconds,
            "verify_seconds": verify_seconds,
            "bundle_bytes": summary.n_bytes,
            "n_files": summary.n_files,
            "records_per_second": n as f64 / seconds,
        }),
        ratio: None,
        target: json!({"seconds_max": SECONDS_MAX}),
        met: seconds <= SECONDS_MAX,
        n,
        notes: vec![
            "every record with all its parts but the parties, and a receipt for each; written durably. The \
             verification is that of Rust, with all of its checks, on one core"
                .to_owned(),
        ],
    })
}
