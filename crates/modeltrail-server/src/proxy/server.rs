//! Accepts connections, and drains them when it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use modeltrail::{Ack, Capturer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::forward::{Connection, Forwarder};
use super::{ProxyError, ProxyOptions, admin, tls, upstream};

/// Most connections at once; further ones wait to be accepted. At 64 KiB of buffers each they take 256 MiB.
const N_CONNECTIONS_MAX: usize = 4096;

/// Largest head of a request: what nginx and most servers take.
const HEAD_BYTES_MAX: usize = 64 * 1024;

/// How long the head of a request may take, and the handshake before it.
const HEAD_MAX: Duration = Duration::from_secs(30);

/// Most streams of an HTTP/2 connection at once: RFC 9113 asks for a hundred at least.
const N_STREAMS_MAX: u32 = 256;

/// Threads that wait for disks: intents, and records at stages behind `accepted`. Their syncs are shared, so that more
/// of them wait for the same one.
const N_BLOCKING_MAX: usize = 64;

/// How long to wait before accepting again when the process has no more files.
const FULL_WAIT: Duration = Duration::from_millis(50);

/// A proxy that listens but passes nothing on yet.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    listener: TcpListener,
    admin: Option<TcpListener>,
    acceptor: Option<TlsAcceptor>,
    options: ProxyOptions,
}

impl Server {
    /// Listens.
    ///
    /// # Errors
    /// When an address cannot be listened at, or a certificate or key cannot be used.
    pub(crate) fn bind(
        address: &str,
        admin: Option<&str>,
        options: ProxyOptions,
    ) -> Result<Self, ProxyError> {
        let acceptor = match &options.tls {
            Some((certificate, key)) => Some(TlsAcceptor::from(tls::server(certificate, key)?)),
            None => None,
        };
        let error = |address: &str| {
            let address = address.to_owned();
            move |source| ProxyError::Listen { address, source }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(N_BLOCKING_MAX)
            .thread_name("modeltrail-proxy")
            .build()
            .map_err(error(address))?;
        let listen = |at: &str| runtime.block_on(TcpListener::bind(at)).map_err(error(at));
        let listener = listen(address)?;
        let admin = admin.map(listen).transpose()?;
        Ok(Self { runtime, listener, admin, acceptor, options })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Where it tells of its health.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.local_addr().ok()
    }

    /// Passes requests on until SIGTERM or SIGINT; then those under way have the time to drain. What is left then is
    /// cut off and recorded so.
    ///
    /// # Errors
    /// When signals cannot be listened to.
    pub(crate) fn run(self, capturer: Capturer, ack: Ack) -> Result<(), ProxyError> {
        let Self { runtime, listener, admin, acceptor, options } = self;
        let stopping = Arc::new(AtomicBool::new(false));
        // The client's pool needs the runtime that it lives in.
        let entered = runtime.enter();
        let upstream = upstream::client(&options)?;
        drop(entered);
        let drain = options.drain;
        let forwarder = Arc::new(Forwarder {
            options,
            upstream,
            capturer,
            ack,
            stopping: Arc::clone(&stopping),
        });
        let done = runtime.block_on(async {
            if let Some(listener) = admin {
                let app = admin::router(Arc::clone(&stopping));
                tokio::spawn(axum::serve(listener, app).into_future());
            }
            let graceful = GracefulShutdown::new();
            accept(&listener, acceptor, &forwarder, &graceful).await?;
            stopping.store(true, Ordering::Release);
            // New connections are refused from here on.
            drop(listener);
            if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
                tracing::warn!("requests were cut off, since the time to drain is over");
            }
            Ok(())
        });
        // Futures that are left are dropped, and their records end; those that wait for a disk are waited for.
        runtime.shutdown_timeout(drain.max(Duration::from_secs(1)));
        done
    }
}

/// Accepts until a signal to stop.
async fn accept(
    listener: &TcpListener,
    acceptor: Option<TlsAcceptor>,
    forwarder: &Arc<Forwarder>,
    graceful: &GracefulShutdown,
) -> Result<(), ProxyError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(ProxyError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ProxyError::Signals)?;
    let room = Arc::new(Semaphore::new(N_CONNECTIONS_MAX));
    loop {
        let next = async {
            // The semaphore is never closed.
            let permit = Arc::clone(&room).acquire_owned().await.ok();
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            next = next => next,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        match accepted {
            Ok((stream, client)) => {
                let (acceptor, forwarder) = (acceptor.clone(), Arc::clone(forwarder));
                let watcher = graceful.watcher();
                tokio::spawn(async move {
                    connection(stream, client, acceptor, forwarder, watcher, permit).await;
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(FULL_WAIT).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    client: SocketAddr,
    acceptor: Option<TlsAcceptor>,
    forwarder: Arc<Forwarder>,
    watcher: Watcher,
    _permit: Option<OwnedSemaphorePermit>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "small answers may wait");
    }
    let connection = Connection { client, is_tls: acceptor.is_some() };
    match acceptor {
        None => serve(stream, connection, forwarder, watcher).await,
        Some(acceptor) => match tokio::time::timeout(HEAD_MAX, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => serve(stream, connection, forwarder, watcher).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        },
    }
}

async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    connection: Connection,
    forwarder: Arc<Forwarder>,
    watcher: Watcher,
) {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .preserve_header_case(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(N_STREAMS_MAX)
        .max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    let service = service_fn(move |request| {
        let forwarder = Arc::clone(&forwarder);
        async move { Ok::<_, std::convert::Infallible>(forwarder.forward(request, connection).await) }
    });
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(served.into_owned()).await {
        tracing::debug!(error = &*error as &dyn std::error::Error, "a connection ended early");
    }
}
