//! `spooled-many`: 64 callers at once that wait until their records survive power loss.

use std::sync::Barrier;
use std::time::Instant;

use modeltrail::{Ack, Limits, Record, Recorder};
use serde_json::json;

use crate::baseline::group::GroupCommit;
use crate::frames::Framer;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger, patient};
use crate::timing::median;
use crate::{Failure, Result};

const N_THREADS: usize = 64;

/// Records of each side, in all turns.
const N: u64 = 384_000;

const N_TURNS: usize = 3;

const RATIO_MIN: f64 = 0.35;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let dir = setup.scratch()?;
    let mut group = GroupCommit::new(dir.path())?;
    let here = patient().ack(Ack::Spooled).open(&create_ledger(dir.path(), "here.db")?)?;
    let away_url = create_ledger(dir.path(), "away.db")?;
    let n = setup.n(N);
    let mut generator = setup.generator(n);
    let per_turn = usize::try_from(n)? / N_TURNS;
    let (mut baseline, mut product, mut away) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..N_TURNS {
        let lines = generator.take_lines(per_turn);
        baseline.push(baseline_turn(&mut group, &lines)?);
        product.push(turn(&here, &lines)?);
        here.flush(Ack::Sequenced)?;
        away.push(turn_away(&away_url, &lines)?);
    }
    here.close()?;
    let (baseline, product, away) = (median(baseline), median(product), median(away));
    let ratio = product / baseline;
    Ok(Outcome {
        name: "spooled-many",
        baseline: json!({"call": "bare group commit", "records_per_second": baseline}),
        product: json!({
            "records_per_second": product,
            "records_per_second_sequenced_later": away,
            "ratio_sequenced_later": away / baseline,
        }),
        ratio: Some(ratio),
        target: json!({"rate_ratio_min": RATIO_MIN}),
        met: ratio >= RATIO_MIN,
        n,
        notes: vec![
            format!("{N_THREADS} threads; the median of {N_TURNS} turns"),
            "records_per_second: the sequencer takes its share of the same cores meanwhile; \
             sequenced_later: it runs after the turn"
                .to_owned(),
        ],
    })
}

fn baseline_turn(group: &mut GroupCommit, lines: &[String]) -> Result<f64> {
    let framer = Framer::new()?;
    let frames = lines.iter().map(|line| framer.frame(line)).collect::<Result<Vec<_>>>()?;
    let by_thread: Vec<&[Vec<u8>]> = frames.chunks(frames.len().div_ceil(N_THREADS)).collect();
    group.round(&by_thread)
}

/// Records all lines from as many threads and returns records per second. Each thread makes its own
/// records, as the threads of an application do, before the time begins.
fn turn(recorder: &Recorder, lines: &[String]) -> Result<f64> {
    let limits = Limits::default();
    let made = |lines: &[String]| {
        let records = lines.iter().map(|line| Record::from_json(line.as_bytes(), &limits));
        records.collect::<std::result::Result<Vec<_>, _>>()
    };
    let by_thread: Vec<_> = lines.chunks(lines.len().div_ceil(N_THREADS)).collect();
    let start = Barrier::new(by_thread.len() + 1);
    let elapsed = std::thread::scope(|scope| {
        let callers: Vec<_> = by_thread
            .into_iter()
            .map(|lines| {
                scope.spawn(|| {
                    let records = made(lines);
                    start.wait();
                    records?.into_iter().try_for_each(|r| Ok(recorder.record(r).map(drop)?))
                })
            })
            .collect();
        start.wait();
        let begun = Instant::now();
        let mut done = callers.into_iter().map(|caller| match caller.join() {
            Ok(done) => done,
            Err(_) => Err(Failure::from("a caller panicked")),
        });
        done.try_for_each(|done| done).map(|()| begun.elapsed())
    })?;
    Ok(lines.len() as f64 / elapsed.as_secs_f64())
}

/// The same while nobody sequences; what was spooled is sequenced afterwards.
fn turn_away(url: &str, lines: &[String]) -> Result<f64> {
    let recorder = patient().ack(Ack::Spooled).sequence(false).open(url)?;
    let rate = turn(&recorder, lines)?;
    let sequencer = patient().open(url)?;
    recorder.flush(Ack::Sequenced)?;
    recorder.close()?;
    sequencer.close()?;
    Ok(rate)
}
