//! `proxy`: what the reverse proxy adds, beside a splice of two sockets and nginx.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::Result;
use crate::http_load::{Server, router, saturate_timed};
use crate::outcome::Outcome;
use crate::setup::{Setup, create_ledger};
use crate::timing::{Spread, median};

/// Rounds of each way in turn; the figures are medians.
const N_ROUNDS: u64 = 7;

/// How long a round is.
const ROUND: Duration = Duration::from_secs(1);

/// One caller, and as many as a busy server has.
const N_CONNECTIONS: [usize; 2] = [1, 16];

const ADDED_P50_RATIO_MAX: f64 = 3.0;
const ADDED_P99_US_MAX: f64 = 500.0;
const REQUESTS_PER_SECOND_MIN: f64 = 15_000.0;

/// A program that stands between, ended with its value.
struct Between {
    address: SocketAddr,
    child: Option<Child>,
    _runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Between {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            drop(Command::new("kill").args(["-TERM", &child.id().to_string()]).status());
            drop(child.wait());
        }
    }
}

/// Two sockets, and bytes from each to the other: the least that stands between can do.
fn splice(upstream: SocketAddr) -> Result<Between> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let Ok(mut server) = tokio::net::TcpStream::connect(upstream).await else { return };
                // Whatever becomes of the options, the bytes go on.
                drop((client.set_nodelay(true), server.set_nodelay(true)));
                drop(tokio::io::copy_bidirectional(&mut client, &mut server).await);
            });
        }
    });
    Ok(Between { address, child: None, _runtime: Some(runtime) })
}

/// nginx, where it is installed.
fn nginx(upstream: SocketAddr, dir: &Path) -> Result<Option<Between>> {
    if Command::new("nginx").arg("-v").stderr(Stdio::null()).status().is_err() {
        return Ok(None);
    }
    // A port that was free a moment ago; nginx cannot be asked which one it took.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let dir_text = dir.display();
    let mut config = format!(
        "daemon off; worker_processes 2; pid {dir_text}/nginx.pid; error_log {dir_text}/error.log;\n"
    );
    write!(
        config,
        "events {{ worker_connections 1024; }}\nhttp {{ access_log off; keepalive_requests 100000000;\n\
         upstream up {{ server {upstream}; keepalive 64; keepalive_requests 100000000; }}\n\
         server {{ listen {address}; location / {{ proxy_pass http://up; proxy_http_version 1.1; \
         proxy_set_header Connection \"\"; proxy_buffering off; }} }} }}\n"
    )?;
    let path = dir.join("nginx.conf");
    std::fs::write(&path, config)?;
    let child = Command::new("nginx").arg("-c").arg(&path).stderr(Stdio::null()).spawn()?;
    let between = Between { address, child: Some(child), _runtime: None };
    let begun = std::time::Instant::now();
    while std::net::TcpStream::connect(address).is_err() {
        if begun.elapsed() > Duration::from_secs(10) {
            return Err("nginx does not listen".into());
        }
        std::thread::yield_now();
    }
    Ok(Some(between))
}

/// The proxy of the product, with its recorder.
fn product(setup: &Setup, upstream: SocketAddr, url: &str) -> Result<Between> {
    let mut child = Command::new(setup.program()?)
        .args([
            "--store",
            url,
            "proxy",
            "--listen",
            "127.0.0.1:0",
            "--model",
            "m",
            "--version",
            "1",
        ])
        .args(["--upstream", &format!("http://{upstream}")])
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = child.stdout.take().ok_or("no output of the proxy")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim_end().rsplit_once('/').ok_or("the proxy did not start")?.1.parse()?;
    Ok(Between { address, child: Some(child), _runtime: None })
}

/// Figures of one way at one number of connections.
#[derive(Default)]
struct Rounds {
    spreads: Vec<Spread>,
    per_second: Vec<f64>,
}

impl Rounds {
    fn p50_us(&self) -> f64 {
        median(self.spreads.iter().map(|spread| spread.p50_us).collect())
    }

    fn p99_us(&self) -> f64 {
        median(self.spreads.iter().map(|spread| spread.p99_us).collect())
    }

    fn per_second(&self) -> f64 {
        median(self.per_second.clone())
    }

    fn told(&self) -> Value {
        json!({
            "p50_us": self.p50_us(),
            "p99_us": self.p99_us(),
            "requests_per_second": self.per_second(),
        })
    }
}

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "proxy.db")?;
    let server = Server::start(router())?;
    let upstream = server.address;
    let spliced = splice(upstream)?;
    let nginx = nginx(upstream, dir.path())?;
    let proxied = product(setup, upstream, &url)?;
    let mut ways =
        vec![("direct", upstream), ("splice", spliced.address), ("modeltrail", proxied.address)];
    ways.extend(nginx.as_ref().map(|nginx| ("nginx", nginx.address)));
    let mut told = Map::new();
    let mut at_most = Vec::new();
    let mut n = 0;
    for n_connections in N_CONNECTIONS {
        let mut figures: Vec<Rounds> = ways.iter().map(|_| Rounds::default()).collect();
        for _ in 0..setup.n_or(N_ROUNDS, 2) {
            for ((_, address), rounds) in ways.iter().zip(&mut figures) {
                let (times, per_second) = saturate_timed(*address, n_connections, ROUND)?;
                n += times.len() as u64;
                rounds.spreads.push(times.spread());
                rounds.per_second.push(per_second);
            }
        }
        let of_ways = ways.iter().zip(&figures);
        let of_ways: Map<String, Value> =
            of_ways.map(|((name, _), rounds)| ((*name).to_owned(), rounds.told())).collect();
        told.insert(format!("at_{n_connections}"), of_ways.into());
        at_most.push(figures);
    }
    drop((spliced, nginx, proxied));
    outcome(told, &at_most, n)
}

fn outcome(told: Map<String, Value>, figures: &[Vec<Rounds>], n: u64) -> Result<Outcome> {
    let of = |connections: usize, way: usize| {
        figures.get(connections).and_then(|ways| ways.get(way)).ok_or("a figure is missing")
    };
    let added = |connections: usize, way: usize, figure: fn(&Rounds) -> f64| -> Result<f64> {
        Ok(figure(of(connections, way)?) - figure(of(connections, 0)?))
    };
    let (splice_p50_us, p50_us) = (added(0, 1, Rounds::p50_us)?, added(0, 2, Rounds::p50_us)?);
    let p99_us = added(1, 2, Rounds::p99_us)?;
    let per_second = of(1, 2)?.per_second();
    let ratio = p50_us / splice_p50_us;
    Ok(Outcome {
        name: "proxy",
        baseline: json!({"added_p50_us_by_splice_at_1": splice_p50_us}),
        product: json!({
            "added_p50_us_at_1": p50_us,
            "added_p99_us_at_16": p99_us,
            "requests_per_second_at_16": per_second,
            "ways": told,
        }),
        ratio: Some(ratio),
        target: json!({
            "added_p50_ratio_max": ADDED_P50_RATIO_MAX,
            "added_p99_us_at_16_max": ADDED_P99_US_MAX,
            "requests_per_second_at_16_min": REQUESTS_PER_SECOND_MIN,
        }),
        met: ratio <= ADDED_P50_RATIO_MAX
            && p99_us <= ADDED_P99_US_MAX
            && per_second >= REQUESTS_PER_SECOND_MIN,
        n,
        notes: vec![
            "closed loops of 1 and 16 connections, rounds of 1 s in turns, medians; clients, server and proxy share the machine".to_owned(),
            "nginx is among the ways where it is installed".to_owned(),
        ],
    })
}
