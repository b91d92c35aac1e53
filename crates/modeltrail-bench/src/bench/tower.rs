//! `tower`: what the tower layer adds to a service of axum, at a fixed rate of requests and at saturation.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use modeltrail::capture::CaptureConfig;
use modeltrail::tower::AuditLayer;
use modeltrail::{Ack, Recorder};
use serde_json::{Value, json};

use crate::Result;
use crate::http_load::{Server, on_all, router, saturate};
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger};
use crate::timing::{Spread, Times, median};

/// Keep-alive connections, each with a thread that asks.
const N_CONNECTIONS: usize = 16;

/// Rounds of each server in turn; the figures are medians.
const N_ROUNDS: u64 = 11;

/// How long a round is.
const ROUND: Duration = Duration::from_secs(1);

/// What the paced requests take of a server's saturation: of the bare one's, which is what is aimed at, and of the
/// layered one's, where the recorder keeps up in any case.
const LOAD: f64 = 0.5;

/// What a busy inference server answers.
const BUSY_REQUESTS_PER_SECOND: f64 = 5_000.0;

const ADDED_P50_US_MAX: f64 = 10.0;

/// Times of requests that are sent at a fixed rate, whatever the answers take: one that is late is timed from when it
/// was due.
fn pace(address: SocketAddr, requests_per_second: f64) -> Result<(Times, u64)> {
    let period = Duration::from_secs_f64(N_CONNECTIONS as f64 / requests_per_second);
    let begun = Instant::now() + Duration::from_millis(10);
    let of_each = on_all(address, N_CONNECTIONS, |n, mut connection| {
        let mut times = Times::default();
        let mut due = begun + period.mul_f64(n as f64 / N_CONNECTIONS as f64);
        while due < begun + ROUND {
            let wait = due.saturating_duration_since(Instant::now());
            let from = if wait.is_zero() {
                due
            } else {
                std::thread::sleep(wait);
                Instant::now()
            };
            connection.ask()?;
            times.push(from.elapsed());
            due += period;
        }
        Ok(times)
    })?;
    let mut all = Times::default();
    of_each.into_iter().for_each(|times| all.append(times));
    let n = all.len() as u64 + N_CONNECTIONS as u64;
    Ok((all, n))
}

/// Both servers, and how many requests the layered one got.
struct Pair {
    bare: Server,
    layered: Server,
    recorder: Recorder,
    n_rounds: u64,
    n: u64,
}

/// Latencies of both servers at one rate.
struct Paced {
    requests_per_second: f64,
    bare: Vec<Spread>,
    layered: Vec<Spread>,
}

impl Pair {
    /// Requests a second of both.
    fn saturate(&mut self) -> Result<[f64; 2]> {
        let mut figures = [Vec::new(), Vec::new()];
        for _ in 0..self.n_rounds {
            figures[0].push(saturate(self.bare.address, N_CONNECTIONS, ROUND)?.0);
            let (per_second, n) = saturate(self.layered.address, N_CONNECTIONS, ROUND)?;
            figures[1].push(per_second);
            self.n += n;
            // The next round has the machine to itself.
            self.recorder.flush(Ack::Sequenced)?;
        }
        Ok(figures.map(median))
    }

    fn pace(&mut self, requests_per_second: f64) -> Result<Paced> {
        let mut paced = Paced { requests_per_second, bare: Vec::new(), layered: Vec::new() };
        for _ in 0..self.n_rounds {
            paced.bare.push(pace(self.bare.address, requests_per_second)?.0.spread());
            let (times, n) = pace(self.layered.address, requests_per_second)?;
            paced.layered.push(times.spread());
            self.n += n;
            self.recorder.flush(Ack::Sequenced)?;
        }
        Ok(paced)
    }
}

impl Paced {
    /// The median of what is added within a turn.
    fn added(&self, of: impl Fn(&Spread) -> f64) -> f64 {
        let pairs = self.bare.iter().zip(&self.layered);
        median(pairs.map(|(bare, layered)| of(layered) - of(bare)).collect())
    }

    fn told(&self, rounds: &[Spread]) -> Value {
        let median_of = |of: fn(&Spread) -> f64| median(rounds.iter().map(of).collect());
        json!({
            "requests_per_second": self.requests_per_second,
            "p50_us": median_of(|spread| spread.p50_us),
            "p99_us": median_of(|spread| spread.p99_us),
        })
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "tower.db")?;
    let recorder = Recorder::open(&url)?;
    let plan = CaptureConfig::from_toml("[defaults]\nmodel = 'fraud_detector'\nversion = 'v1'")?;
    let plan = plan.plan().map_err(|problems| format!("{problems:?}"))?;
    let layer = AuditLayer::new(recorder.clone(), plan);
    let mut pair = Pair {
        bare: Server::start(router())?,
        layered: Server::start(router().layer(layer.clone()))?,
        recorder,
        n_rounds: setup.n_or(N_ROUNDS, 3),
        n: 0,
    };
    let [bare, layered] = pair.saturate()?;
    let rates = [bare * LOAD, layered * LOAD, BUSY_REQUESTS_PER_SECOND];
    let paced: Result<Vec<Paced>> = rates.into_iter().map(|rate| pair.pace(rate)).collect();
    let paced = paced?;
    let Pair { recorder, n, .. } = pair;
    let n_recorded = recorder.stats()?.n_recorded;
    recorder.close()?;
    let added: Vec<f64> = paced.iter().map(|paced| paced.added(|spread| spread.p50_us)).collect();
    let added_p50_us = added.first().copied().unwrap_or(f64::INFINITY);
    let of_bare: Vec<Value> = paced.iter().map(|paced| paced.told(&paced.bare)).collect();
    let of_layered: Vec<Value> = paced.iter().map(|paced| paced.told(&paced.layered)).collect();
    Ok(Outcome {
        name: "tower",
        baseline: json!({"server": "axum", "saturation_requests_per_second": bare, "paced": of_bare}),
        product: json!({
            "server": "axum with AuditLayer",
            "saturation_requests_per_second": layered,
            "paced": of_layered,
            "added_p50_us": added,
            "n_requests": n,
            "n_recorded": n_recorded,
            "n_not_recorded": layer.n_not_recorded(),
        }),
        ratio: Some(layered / bare),
        target: json!({"added_p50_us_max": ADDED_P50_US_MAX, "n_recorded": n}),
        met: added_p50_us <= ADDED_P50_US_MAX && n_recorded == n,
        n,
        notes: vec![
            format!("{N_CONNECTIONS} connections, rounds of 1 s in turns; added_p50_us: medians of the differences within a turn"),
            "paced: at half of bare axum's saturation, which is what the target is about, at half of that with the layer, and at 5,000 a second".to_owned(),
            "load, server, capture and sequencer share the machine; everything is sequenced between turns".to_owned(),
            "ratio: throughput at saturation with the layer over that without".to_owned(),
        ],
    })
}
