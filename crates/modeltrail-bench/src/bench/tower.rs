//! `tower`: what the tower layer adds to a service of axum, at a fixed rate of requests and at saturation.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use modeltrail::capture::CaptureConfig;
use modeltrail::tower::AuditLayer;
use modeltrail::{Ack, Recorder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Result;
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger};
use crate::timing::{Spread, Times, median};

/// Keep-alive connections, each with a thread that asks.
const N_CONNECTIONS: usize = 16;

/// Rounds of each server in turn; the figures are medians.
const N_ROUNDS: u64 = 11;

/// How long a round is.
const ROUND: Duration = Duration::from_secs(1);

/// What the paced requests take of the bare server's saturation.
const LOAD: f64 = 0.5;

const ADDED_P50_US_MAX: f64 = 10.0;

const QUESTION: &str = r#"{"transaction_amount": 1250.0, "merchant": "grocer", "hour": 14, "country": "DE", "n_today": 3, "features": [0.12, 0.5, 1.75, 0.003, 12.5, 0.0, 1.0, 0.25]}"#;
const ANSWER: &str = r#"{"prediction": "legitimate", "confidence": 0.9721, "reasons": ["amount", "merchant", "hour"]}"#;

/// A server on a port of its own, which ends with its value.
struct Server {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    fn start(router: Router) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, _runtime: runtime })
    }
}

fn router() -> Router {
    let answer = |question: Bytes| async move {
        std::hint::black_box(question);
        ([(CONTENT_TYPE, "application/json")], ANSWER)
    };
    Router::new().route("/predict", post(answer))
}

/// A connection on which one request follows the other.
struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        let n_bytes = QUESTION.len();
        let request = format!(
            "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {n_bytes}\r\n\r\n{QUESTION}"
        );
        let mut connection = Self { socket, request: request.into_bytes(), answer: Vec::new() };
        connection.learn_length()?;
        Ok(connection)
    }

    /// All answers have the length of the first one.
    fn learn_length(&mut self) -> Result<()> {
        self.socket.write_all(&self.request)?;
        let mut byte = [0];
        while !self.answer.ends_with(ANSWER.as_bytes()) {
            self.socket.read_exact(&mut byte)?;
            self.answer.extend_from_slice(&byte);
        }
        Ok(())
    }

    fn ask(&mut self) -> Result<()> {
        self.socket.write_all(&self.request)?;
        Ok(self.socket.read_exact(&mut self.answer)?)
    }
}

/// Runs something on all connections at once, and gives what each gave.
fn on_all<T: Send>(
    address: SocketAddr,
    run: impl Fn(usize, Connection) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let connections: Result<Vec<Connection>> =
        (0..N_CONNECTIONS).map(|_| Connection::open(address)).collect();
    let connections = connections?;
    std::thread::scope(|scope| {
        let run = &run;
        let started: Vec<_> = connections
            .into_iter()
            .enumerate()
            .map(|(n, connection)| scope.spawn(move || run(n, connection)))
            .collect();
        started
            .into_iter()
            .map(|thread| thread.join().map_err(|_| "a thread of the load panicked")?)
            .collect()
    })
}

/// Requests a second when each connection asks again as soon as it is answered, and how many there were.
fn saturate(address: SocketAddr) -> Result<(f64, u64)> {
    let (begun, over) = (Instant::now(), AtomicBool::new(false));
    let counts = on_all(address, |_, mut connection| {
        let mut n: u64 = 0;
        while !over.load(Ordering::Relaxed) {
            connection.ask()?;
            n += 1;
            if begun.elapsed() >= ROUND {
                over.store(true, Ordering::Relaxed);
            }
        }
        Ok(n)
    })?;
    let n: u64 = counts.iter().sum();
    // The first answer of each connection told its length.
    Ok((n as f64 / begun.elapsed().as_secs_f64(), n + N_CONNECTIONS as u64))
}

/// Times of requests that are sent at a fixed rate, whatever the answers take: one that is late is timed from when it
/// was due.
fn pace(address: SocketAddr, requests_per_second: f64) -> Result<(Times, u64)> {
    let period = Duration::from_secs_f64(N_CONNECTIONS as f64 / requests_per_second);
    let begun = Instant::now() + Duration::from_millis(10);
    let of_each = on_all(address, |n, mut connection| {
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

/// What was measured of one server, by round.
#[derive(Default)]
struct Rounds {
    saturation: Vec<f64>,
    paced: Vec<Spread>,
    n: u64,
}

impl Rounds {
    fn saturate(&mut self, server: &Server) -> Result<()> {
        let (per_second, n) = saturate(server.address)?;
        self.saturation.push(per_second);
        self.n += n;
        Ok(())
    }

    fn pace(&mut self, server: &Server, requests_per_second: f64) -> Result<()> {
        let (times, n) = pace(server.address, requests_per_second)?;
        self.paced.push(times.spread());
        self.n += n;
        Ok(())
    }

    fn median(&self, of: impl Fn(&Spread) -> f64) -> f64 {
        median(self.paced.iter().map(of).collect())
    }

    fn told(&self) -> Value {
        json!({
            "p50_us": self.median(|spread| spread.p50_us),
            "p99_us": self.median(|spread| spread.p99_us),
            "saturation_requests_per_second": median(self.saturation.clone()),
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
    let bare = Server::start(router())?;
    let layered = Server::start(router().layer(layer.clone()))?;
    let (mut baseline, mut product) = (Rounds::default(), Rounds::default());
    let n_rounds = setup.n_or(N_ROUNDS, 3);
    for _ in 0..n_rounds {
        baseline.saturate(&bare)?;
        product.saturate(&layered)?;
        // The next round has the machine to itself.
        recorder.flush(Ack::Sequenced)?;
    }
    let rate = median(baseline.saturation.clone()) * LOAD;
    for _ in 0..n_rounds {
        baseline.pace(&bare, rate)?;
        product.pace(&layered, rate)?;
        recorder.flush(Ack::Sequenced)?;
    }
    let n_recorded = recorder.stats()?.n_recorded;
    drop((bare, layered));
    recorder.close()?;
    let pairs = baseline.paced.iter().zip(&product.paced);
    let added_p50_us = median(pairs.map(|(bare, with)| with.p50_us - bare.p50_us).collect());
    let (of_bare, of_layered) = (baseline.told(), product.told());
    let kept = median(product.saturation.clone()) / median(baseline.saturation.clone());
    Ok(Outcome {
        name: "tower",
        baseline: json!({"server": "axum", "paced_requests_per_second": rate, "rounds": of_bare}),
        product: json!({
            "server": "axum with AuditLayer",
            "paced_requests_per_second": rate,
            "rounds": of_layered,
            "added_p50_us": added_p50_us,
            "n_requests": product.n,
            "n_recorded": n_recorded,
            "n_not_recorded": layer.n_not_recorded(),
        }),
        ratio: Some(kept),
        target: json!({"added_p50_us_max": ADDED_P50_US_MAX, "n_recorded": product.n}),
        met: added_p50_us <= ADDED_P50_US_MAX && n_recorded == product.n,
        n: product.n,
        notes: vec![
            format!("{N_CONNECTIONS} connections, rounds of 1 s in turns; medians of {n_rounds} rounds, added_p50_us that of the differences within a turn"),
            "load, server, capture and sequencer share the machine; everything is sequenced between turns".to_owned(),
            "ratio: throughput at saturation with the layer over that without".to_owned(),
        ],
    })
}
