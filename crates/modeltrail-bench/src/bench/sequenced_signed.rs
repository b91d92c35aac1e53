//! `sequenced-signed`: what checkpoints cost the sequencer, reading back what was stored included.

use std::path::Path;
use std::time::Instant;

use modeltrail::keys::LedgerKeys;
use modeltrail::{Ack, Ledger, Reader};
use serde_json::json;

use super::sequenced::record;
use crate::Result;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger, patient};

const N: u64 = 200_000;

const RATIO_MAX: f64 = 1.15;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let n = setup.n(N);
    let lines = setup.generator(n).take_lines(usize::MAX);
    let mut seconds = [0.0, 0.0];
    let mut n_checkpoints = 0;
    // In turns, and turned round in between, so that a disk that grows slower favours neither.
    for signed in [false, true, true, false] {
        let dir = setup.scratch()?;
        let (took, checkpoints) = sequence(dir.path(), &lines, signed)?;
        seconds[usize::from(signed)] += took / 2.0;
        n_checkpoints += checkpoints;
    }
    let [unsigned, signed] = seconds;
    let ratio = signed / unsigned;
    let rate = |seconds: f64| lines.len() as f64 / seconds;
    Ok(Outcome {
        name: "sequenced-signed",
        baseline: json!({
            "call": "the same into a ledger without a key",
            "seconds": unsigned,
            "records_per_second": rate(unsigned),
        }),
        product: json!({
            "seconds": signed,
            "records_per_second": rate(signed),
            "n_checkpoints": n_checkpoints / 2,
        }),
        ratio: Some(ratio),
        target: json!({"time_ratio_max": RATIO_MAX}),
        met: ratio <= RATIO_MAX,
        n,
        notes: vec![
            "both keep tiles with each batch; the signed one reads each leaf back, hashes it again, signs once \
             a second or 65,536 entries, writes the checkpoint and the anchor durably, and its time ends \
             when the last record is published"
                .to_owned(),
        ],
    })
}

/// Seconds until all is sequenced, and published where there is a key; and the number of checkpoints.
fn sequence(dir: &Path, lines: &[String], signed: bool) -> Result<(f64, usize)> {
    let url = create_ledger(dir, "signed.db")?;
    let recorder = patient().ack(Ack::Accepted).open(&url)?;
    if signed {
        LedgerKeys::of(&recorder)?.begin()?;
    }
    let begun = Instant::now();
    for line in lines {
        record(&recorder, line)?;
    }
    recorder.flush(if signed { Ack::Published } else { Ack::Sequenced })?;
    let seconds = begun.elapsed().as_secs_f64();
    recorder.close()?;
    let size = Reader::open(&url)?.size()?;
    let mut n_checkpoints = 0;
    let store = Ledger::parse(&url)?.open_read()?;
    store.checkpoints(0..size + 1, &mut |_, _| n_checkpoints += 1)?;
    if signed != (n_checkpoints > 0) {
        return Err(
            format!("{n_checkpoints} checkpoints in a ledger that is signed: {signed}").into()
        );
    }
    Ok((seconds, n_checkpoints))
}
