//! The witness over HTTP: C2SP tlog-witness v1.0, `POST /add-checkpoint`.
//!
//! Everything that a stranger can make it hold is bounded: connections, their time, the body and the
//! threads that work.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use axum::serve::Listener;
use modeltrail_core::witness::REQUEST_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout};

use super::WitnessError;
use super::judge::{Answer, Witness};

/// Most connections at once; further ones wait to be accepted. A log needs one, so this serves some
/// hundreds of logs that publish at the same moment.
const N_CONNECTIONS_MAX: usize = 256;

/// How long a connection may last, whatever comes by it.
const CONNECTION_MAX: Duration = Duration::from_secs(60);

/// How long a connection may be silent, and how long the head of a request may take: a log speaks at
/// once. It bounds what those who only hold connections can keep from others.
const HEAD_MAX: Duration = Duration::from_secs(5);

/// How long a request may take from the end of its head to the first byte of its answer: its body, and
/// five seconds of a slow disk or of other requests of the same log.
const ANSWER_MAX: Duration = Duration::from_secs(20);

/// How long a request's body may take: 128 KiB at the speed of a bad line.
const BODY_MAX: Duration = Duration::from_secs(15);

/// Threads that read and write states. Each log has one turn at a time, and an fsync takes a few
/// milliseconds; more than eight would wait for the disk anyway.
const N_THREADS_MAX: usize = 8;

/// How long requests that are under way have after the signal to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A witness that listens but does not answer yet.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    address: SocketAddr,
}

impl Server {
    /// Listens at an address like `127.0.0.1:8700`; with port 0 the system chooses.
    ///
    /// # Errors
    /// When it cannot be listened at.
    pub(crate) fn bind(address: &str) -> Result<Self, WitnessError> {
        let error = |source| WitnessError::Listen { address: address.to_owned(), source };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(N_THREADS_MAX)
            .build()
            .map_err(error)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        Ok(Self { runtime, listener, address })
    }

    /// Where it listens.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until SIGTERM or SIGINT; then requests that are under way are finished.
    ///
    /// # Errors
    /// When signals cannot be listened to.
    pub(crate) fn run(self, witness: Witness) -> io::Result<()> {
        let app = Router::new()
            .route("/add-checkpoint", post(add_checkpoint))
            .route("/healthz", get(async || "ok\n"))
            .with_state(Arc::new(witness));
        let listener =
            Bounded { inner: self.listener, room: Arc::new(Semaphore::new(N_CONNECTIONS_MAX)) };
        self.runtime.block_on(async {
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let signalled = async move {
                std::future::poll_fn(|cx| {
                    let term = terminate.poll_recv(cx).is_ready();
                    let int = interrupt.poll_recv(cx).is_ready();
                    if term || int { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                // Nobody listens any more when the server ended by itself.
                stop.send(()).unwrap_or_default();
            };
            let serve = axum::serve(listener, app).with_graceful_shutdown(signalled);
            let deadline = async {
                match stopped.await {
                    Ok(()) => sleep(GRACE).await,
                    Err(_) => std::future::pending().await,
                }
            };
            first(serve.into_future(), deadline).await
        })
    }
}

/// Whichever of the two ends first; the deadline is no error.
async fn first(
    serve: impl Future<Output = io::Result<()>>,
    deadline: impl Future<Output = ()>,
) -> io::Result<()> {
    let (mut serve, mut deadline) = (std::pin::pin!(serve), std::pin::pin!(deadline));
    std::future::poll_fn(|cx| match serve.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(done),
        Poll::Pending => deadline.as_mut().poll(cx).map(Ok),
    })
    .await
}

async fn add_checkpoint(State(witness): State<Arc<Witness>>, body: Body) -> Response<Body> {
    let bytes: Bytes = match timeout(BODY_MAX, to_bytes(body, REQUEST_BYTES_MAX)).await {
        Ok(Ok(bytes)) => bytes,
        // Also a connection that broke; then nobody reads this.
        Ok(Err(_)) => {
            let what = format!("a request has at most {REQUEST_BYTES_MAX} bytes");
            return response(Answer::text(413, what));
        }
        Err(_) => return response(Answer::text(408, "the request took too long")),
    };
    // Files are written and synced there. It is carried to its end even if the caller goes away.
    let answer = tokio::task::spawn_blocking(move || witness.add_checkpoint(&bytes)).await;
    response(answer.unwrap_or_else(|_| Answer::text(500, "the witness failed; ask again")))
}

fn response(answer: Answer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let content_type = axum::http::HeaderValue::from_static(answer.content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Accepts while there is room.
struct Bounded {
    inner: TcpListener,
    room: Arc<Semaphore>,
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            // Closed by nobody.
            let Ok(permit) = Arc::clone(&self.room).acquire_owned().await else {
                return std::future::pending().await;
            };
            match self.inner.accept().await {
                Ok((stream, address)) => {
                    return (Connection::new(stream, permit), address);
                }
                Err(error) => {
                    // Out of file descriptors, perhaps; at once it would be the same again.
                    tracing::warn!("cannot accept a connection: {error}");
                    drop(permit);
                    sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// A connection that ends in time.
struct Connection {
    stream: TcpStream,
    /// When it ends at the latest.
    last: Instant,
    /// When it ends if it goes on as now.
    end: Pin<Box<Sleep>>,
    head: Head,
    _permit: OwnedSemaphorePermit,
}

/// How much of a request's head has come: an empty line ends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Head {
    /// Somewhere in a line, or nothing yet.
    InLine,
    /// A line has ended.
    LineEnd,
    /// All of it; what follows is the body, until something is answered.
    Whole,
}

impl Head {
    fn after(self, bytes: &[u8]) -> Self {
        bytes.iter().fold(self, |head, byte| match (head, byte) {
            (Self::Whole, _) | (Self::LineEnd, b'\n') => Self::Whole,
            (Self::InLine, b'\n') | (Self::LineEnd, b'\r') => Self::LineEnd,
            _ => Self::InLine,
        })
    }
}

impl Connection {
    fn new(stream: TcpStream, permit: OwnedSemaphorePermit) -> Self {
        let now = Instant::now();
        let last = now + CONNECTION_MAX;
        let end = Box::pin(sleep_until(now + HEAD_MAX));
        Self { stream, last, end, head: Head::InLine, _permit: permit }
    }

    /// Gives it so long from now.
    fn extend(&mut self, by: Duration) {
        let until = (Instant::now() + by).min(self.last);
        self.end.as_mut().reset(until);
    }

    fn has_read(&mut self, bytes: &[u8]) {
        let head = self.head.after(bytes);
        // Not for each byte: who sends a head slowly has no more time than who sends none.
        if head == Head::Whole && self.head != Head::Whole {
            self.extend(ANSWER_MAX);
        }
        self.head = head;
    }

    /// What comes next is another request.
    fn has_written(&mut self) {
        self.head = Head::InLine;
        self.extend(HEAD_MAX);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let n_before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.has_read(buf.filled().get(n_before..).unwrap_or_default());
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        if matches!(written, Poll::Ready(Ok(_))) {
            self.has_written();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::Head;

    #[test]
    fn a_head_ends_with_an_empty_line_however_it_is_cut() {
        let whole = b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n\r\n";
        let (last, before) = whole.split_last().unwrap();
        let mut head = Head::InLine;
        for byte in before {
            head = head.after(&[*byte]);
            assert_ne!(head, Head::Whole);
        }
        assert_eq!(head.after(&[*last]), Head::Whole);
        assert_eq!(Head::InLine.after(whole), Head::Whole);
        assert_eq!(Head::InLine.after(b"GET / HTTP/1.0\n\n"), Head::Whole);
        assert_eq!(Head::Whole.after(b"body"), Head::Whole);
    }
}
