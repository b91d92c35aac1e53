//! A small server of axum, and clients that ask it as fast as they are answered.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::Result;
use crate::timing::Times;

const QUESTION: &str = r#"{"transaction_amount": 1250.0, "merchant": "grocer", "hour": 14, "country": "DE", "n_today": 3, "features": [0.12, 0.5, 1.75, 0.003, 12.5, 0.0, 1.0, 0.25]}"#;
const ANSWER: &str = r#"{"prediction": "legitimate", "confidence": 0.9721, "reasons": ["amount", "merchant", "hour"]}"#;

/// A server on a port of its own, which ends with its value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start(router: Router) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, _runtime: runtime })
    }
}

/// Answers every question alike.
pub(crate) fn router() -> Router {
    let answer = |question: Bytes| async move {
        std::hint::black_box(question);
        ([(CONTENT_TYPE, "application/json")], ANSWER)
    };
    Router::new().route("/predict", post(answer))
}

/// A connection on which one request follows the other.
pub(crate) struct Connection {
    socket: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
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

    /// Asks, and waits for the whole answer.
    pub(crate) fn ask(&mut self) -> Result<()> {
        self.socket.write_all(&self.request)?;
        Ok(self.socket.read_exact(&mut self.answer)?)
    }
}

/// Runs something on all connections at once, and gives what each gave.
pub(crate) fn on_all<T: Send>(
    address: SocketAddr,
    n_connections: usize,
    run: impl Fn(usize, Connection) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let connections: Result<Vec<Connection>> =
        (0..n_connections).map(|_| Connection::open(address)).collect();
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
pub(crate) fn saturate(
    address: SocketAddr,
    n_connections: usize,
    round: Duration,
) -> Result<(f64, u64)> {
    let (times, per_second) = saturate_timed(address, n_connections, round)?;
    // The first answer of each connection told its length.
    Ok((per_second, times.len() as u64 + n_connections as u64))
}

/// The same with the time of each request, those aside that tell lengths.
pub(crate) fn saturate_timed(
    address: SocketAddr,
    n_connections: usize,
    round: Duration,
) -> Result<(Times, f64)> {
    let (begun, over) = (Instant::now(), AtomicBool::new(false));
    let of_each = on_all(address, n_connections, |_, mut connection| {
        let mut times = Times::default();
        while !over.load(Ordering::Relaxed) {
            let from = Instant::now();
            connection.ask()?;
            times.push(from.elapsed());
            if begun.elapsed() >= round {
                over.store(true, Ordering::Relaxed);
            }
        }
        Ok(times)
    })?;
    let mut all = Times::default();
    of_each.into_iter().for_each(|times| all.append(times));
    let per_second = all.len() as f64 / begun.elapsed().as_secs_f64();
    Ok((all, per_second))
}
