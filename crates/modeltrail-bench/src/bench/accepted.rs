//! `accepted`: what recording costs the thread that answers a request.

use std::time::{Duration, Instant};

use modeltrail::{Ack, OnFull, Record, Recorder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::baseline::encode;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger};
use crate::timing::Times;
use crate::{Failure, Result};

/// Records, half a minute at the pace below.
const N: u64 = 100_000;

/// Records of one turn.
const TURN: usize = 10_000;

/// A record every 100 µs: ten times what a busy inference server answers, and a third of what the
/// sequencer takes on two cores, so that it keeps up while the caller's thread has a core of its
/// own.
const PACE: Duration = Duration::from_micros(100);

const RATIO_MAX: f64 = 1.0;
const P99_US_MAX: f64 = 25.0;

/// A prediction as a program has it in hand when it records it.
#[derive(Deserialize)]
struct Prediction {
    request_id: String,
    model_name: String,
    model_version: String,
    input: Value,
    output: Value,
    user_id: String,
    latency_ms: f64,
    metadata: Value,
}

impl Prediction {
    fn build(self) -> Record {
        Record::prediction(self.model_name, self.model_version)
            .request_id(self.request_id)
            .input(self.input)
            .output(self.output)
            .user_id(self.user_id)
            .latency_ms(self.latency_ms)
            .metadata(self.metadata)
    }
}

/// Times of the product's calls.
struct Calls {
    record: Times,
    build_and_record: Times,
}

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "accepted.db")?;
    let recorder = Recorder::options().ack(Ack::Accepted).on_full(OnFull::Fail).open(&url)?;
    let n = setup.n(N);
    let mut generator = setup.generator(n);
    let mut baseline = Times::default();
    let mut calls = Calls { record: Times::default(), build_and_record: Times::default() };
    loop {
        let lines = generator.take_lines(TURN);
        if lines.is_empty() {
            break;
        }
        encode::round(&parse::<Value>(&lines)?, &mut baseline)?;
        turn(&recorder, parse(&lines)?, &mut calls)?;
        // The baseline has the machine to itself.
        recorder.flush(Ack::Sequenced)?;
    }
    recorder.close()?;
    let stats = recorder.stats()?;
    let (baseline, record) = (baseline.spread(), calls.record.spread());
    let ratio = record.p50_us / baseline.p50_us;
    Ok(Outcome {
        name: "accepted",
        baseline: json!({"call": "serde_json::to_vec", "spread": baseline}),
        product: json!({
            "record": record,
            "build_and_record": calls.build_and_record.spread(),
            "paced_records_per_second": 1.0 / PACE.as_secs_f64(),
            "n_refused": stats.n_refused,
            "n_dropped": stats.n_dropped,
        }),
        ratio: Some(ratio),
        target: json!({"p50_ratio_max": RATIO_MAX, "p99_us_max": P99_US_MAX}),
        met: ratio <= RATIO_MAX && record.p99_us <= P99_US_MAX,
        n,
        notes: vec![
            format!("one thread, turns of {TURN}; everything is sequenced between turns"),
            "on_full=fail: a full ring would have ended the run".to_owned(),
            "the caller's thread is busy between calls, as one that answers requests is".to_owned(),
        ],
    })
}

fn parse<'a, T: Deserialize<'a>>(lines: &'a [String]) -> Result<Vec<T>> {
    lines.iter().map(|line| serde_json::from_str(line).map_err(Failure::from)).collect()
}

fn turn(recorder: &Recorder, predictions: Vec<Prediction>, calls: &mut Calls) -> Result<()> {
    let mut due = Instant::now();
    for prediction in predictions {
        due += PACE;
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        let begun = Instant::now();
        let record = prediction.build();
        let built = Instant::now();
        let receipt = recorder.record(record)?;
        let done = Instant::now();
        calls.record.push(done - built);
        calls.build_and_record.push(done - begun);
        drop(receipt);
    }
    Ok(())
}
