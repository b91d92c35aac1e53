//! `spooled-one`: one caller that waits until each record survives power loss.

use modeltrail::{Ack, Limits, Record};
use serde_json::json;

use crate::Result;
use crate::baseline::sync::OneByOne;
use crate::frames::Framer;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger, patient};
use crate::timing::Times;

/// Records: a second of syncs for each side.
const N: u64 = 5_000;

/// Records of one turn.
const TURN: usize = 500;

const RATIO_MAX: f64 = 1.3;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "spooled.db")?;
    let recorder = patient().ack(Ack::Spooled).open(&url)?;
    let mut one_by_one = OneByOne::new(dir.path())?;
    let framer = Framer::new()?;
    let n = setup.n(N);
    let mut generator = setup.generator(n);
    let (mut baseline, mut product) = (Times::default(), Times::default());
    loop {
        let lines = generator.take_lines(TURN);
        if lines.is_empty() {
            break;
        }
        let frames = lines.iter().map(|line| framer.frame(line)).collect::<Result<Vec<_>>>()?;
        one_by_one.round(&frames, &mut baseline)?;
        for line in &lines {
            let record = Record::from_json(line.as_bytes(), &Limits::default())?;
            product.time(|| recorder.record(record))?;
        }
        // The baseline has the disk to itself.
        recorder.flush(Ack::Sequenced)?;
    }
    recorder.close()?;
    let (baseline, product) = (baseline.spread(), product.spread());
    let ratio = product.p50_us / baseline.p50_us;
    Ok(Outcome {
        name: "spooled-one",
        baseline: json!({"call": "write_all_at and sync_data, preallocated", "spread": baseline}),
        product: json!({"record": product}),
        ratio: Some(ratio),
        target: json!({"p50_ratio_max": RATIO_MAX}),
        met: ratio <= RATIO_MAX,
        n,
        notes: vec![
            format!("turns of {TURN}; the product's sequencer runs during its own turns"),
            "the product's time holds redaction, framing and encryption".to_owned(),
        ],
    })
}
