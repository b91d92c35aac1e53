//! One request to the upstream, and its answer back.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use http::header::HOST;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use modeltrail::capture::Ending;
use modeltrail::{Ack, Capturer};

use super::body::{Answer, Request as RequestBody, Response as ResponseBody};
use super::recording::{Guard, Recording};
use super::upstream::{Upstream, address};
use super::{ProxyOptions, headers, problem, upgrade};

/// What all requests share.
pub(super) struct Forwarder {
    pub(super) options: ProxyOptions,
    pub(super) upstream: Upstream,
    pub(super) capturer: Capturer,
    pub(super) ack: Ack,
    /// True once the proxy is to stop.
    pub(super) stopping: Arc<AtomicBool>,
}

/// What is known of a request's connection.
#[derive(Clone, Copy)]
pub(super) struct Connection {
    pub(super) client: SocketAddr,
    pub(super) is_tls: bool,
}

impl Forwarder {
    /// Takes a request to the upstream; what goes wrong becomes an answer of the proxy's own, and a record.
    pub(super) async fn forward(
        self: Arc<Self>,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Response<Answer> {
        if let Some(what) = headers::ambiguous(request.headers(), request.version()) {
            return problem::refusal(&format!("the request {what}"));
        }
        if request.method() == Method::CONNECT {
            return problem::answer(StatusCode::METHOD_NOT_ALLOWED, "this is no forward proxy");
        }
        let Some(address) = address(&self.options.upstream, request.uri()) else {
            return problem::refusal("the request names no path");
        };
        let guard = self.begin(&request, connection);
        match self.exchange(request, address, connection, guard.as_ref()).await {
            Ok(Answered { response, tunnel }) => self.pass_back(response, tunnel, guard),
            Err(Failed { ending, status, detail }) => {
                if let Some(guard) = &guard {
                    guard.recording().feed(|exchange| exchange.response_status(status.as_u16()));
                    guard.recording().end(ending);
                }
                problem::answer(status, detail)
            }
        }
    }

    /// Begins the record, where the plan wants one.
    fn begin(&self, request: &Request<Incoming>, connection: Connection) -> Option<Guard> {
        let uri = request.uri();
        let mut flight = self.capturer.begin(request.method().as_str(), uri.path(), uri.query())?;
        flight.exchange(|exchange| {
            exchange.client_address(connection.client.ip().to_string());
            for (name, value) in request.headers() {
                exchange.request_header(name.as_str(), value.as_bytes());
            }
        });
        let recording = Recording::new(flight, self.ack, Arc::clone(&self.stopping));
        Some(recording.guard())
    }

    async fn exchange(
        &self,
        mut request: Request<Incoming>,
        address: http::Uri,
        connection: Connection,
        guard: Option<&Guard>,
    ) -> Result<Answered, Failed> {
        let recording = guard.map(Guard::recording);
        let protocol = headers::upgrade(request.headers());
        let on_upgrade = protocol.is_some().then(|| hyper::upgrade::on(&mut request));
        let (parts, mut body) = request.into_parts();
        let mut first = Vec::new();
        if let Some(recording) = recording.filter(|recording| recording.wants_intent()) {
            first = read_first(&mut body, recording, self.capturer.plan().body_bytes_max()).await?;
            intent(recording.clone()).await?;
        }
        let mut outgoing = Request::new(RequestBody::new(first, body, recording.cloned()));
        let host = parts.headers.get(HOST).cloned();
        let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        *outgoing.method_mut() = parts.method;
        *outgoing.uri_mut() = address;
        *outgoing.headers_mut() = parts.headers;
        // How names of headers were written.
        *outgoing.extensions_mut() = parts.extensions;
        let sent = outgoing.headers_mut();
        headers::strip(sent);
        let named =
            host.as_ref().and_then(|host| host.to_str().ok().map(str::to_owned)).or(authority);
        headers::forwarded(
            sent,
            connection.client,
            named.as_deref(),
            connection.is_tls,
            parts.version,
        );
        if !self.options.preserve_host {
            sent.remove(HOST);
        }
        if let Some(protocol) = protocol {
            headers::put_upgrade(sent, protocol);
        }
        let answer =
            tokio::time::timeout(self.options.head_timeout, self.upstream.request(outgoing));
        match answer.await {
            Ok(Ok(response)) => Ok(Answered { response, tunnel: on_upgrade }),
            Ok(Err(error)) => Err(Failed::upstream(&error)),
            Err(_) => Err(Failed::timed_out()),
        }
    }

    fn pass_back(
        &self,
        mut response: Response<Incoming>,
        tunnel: Option<hyper::upgrade::OnUpgrade>,
        guard: Option<Guard>,
    ) -> Response<Answer> {
        if let Some(guard) = &guard {
            guard.recording().feed(|exchange| {
                exchange.response_status(response.status().as_u16());
                for (name, value) in response.headers() {
                    exchange.response_header(name.as_str(), value.as_bytes());
                }
            });
        }
        let protocol = headers::upgrade(response.headers());
        headers::strip(response.headers_mut());
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            && let (Some(client), Some(protocol)) = (tunnel, protocol)
        {
            let upstream = hyper::upgrade::on(&mut response);
            upgrade::tunnel(client, upstream, guard);
            headers::put_upgrade(response.headers_mut(), protocol);
            return response.map(|body| Answer::new(body.map_err(Into::into)));
        }
        let idle = self.options.idle_timeout;
        response.map(|body| Answer::new(ResponseBody::new(body, guard, idle)))
    }
}

/// An answer of the upstream, and the client's side of the connection where it may go over to another protocol.
struct Answered {
    response: Response<Incoming>,
    tunnel: Option<hyper::upgrade::OnUpgrade>,
}

/// Why there is none: how the record ends, and what whoever asked is told.
struct Failed {
    ending: Ending,
    status: StatusCode,
    detail: &'static str,
}

impl Failed {
    fn upstream(error: &hyper_util::client::legacy::Error) -> Self {
        // The message of the cause; the outer one says that sending failed.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        let what = cause.to_string();
        let (ending, detail) = match error.is_connect() {
            true => (Ending::UpstreamUnreachable(what), "the upstream cannot be reached"),
            false => (Ending::UpstreamReset(what), "the upstream broke off"),
        };
        Self { ending, status: StatusCode::BAD_GATEWAY, detail }
    }

    const fn timed_out() -> Self {
        let detail = "the upstream did not answer in time";
        Self { ending: Ending::TimedOut, status: StatusCode::GATEWAY_TIMEOUT, detail }
    }
}

/// Reads a request's body up to the bytes that are kept, for its intent.
async fn read_first(
    body: &mut Incoming,
    recording: &Recording,
    bytes_max: usize,
) -> Result<Vec<Bytes>, Failed> {
    let (mut first, mut n_bytes) = (Vec::new(), 0);
    while n_bytes < bytes_max {
        let Some(frame) = body.frame().await else { break };
        let Ok(frame) = frame else {
            recording.aborted();
            let detail = "the request ended early";
            let ending = Ending::ClientDisconnected;
            return Err(Failed { ending, status: StatusCode::BAD_REQUEST, detail });
        };
        // Trailers of requests are not passed on in this mode: they come behind what was read.
        if let Ok(bytes) = frame.into_data() {
            recording.feed(|exchange| exchange.request_bytes(&bytes));
            n_bytes += bytes.len();
            first.push(bytes);
        }
    }
    Ok(first)
}

/// Records the intent on a thread that may wait for a disk.
async fn intent(recording: Recording) -> Result<(), Failed> {
    let failed = |what: String| {
        tracing::error!(error = what, "an intent could not be recorded; its request is refused");
        let ending = Ending::Failed { code: "intent_failed".to_owned(), message: what };
        let detail = "the request could not be recorded, and was not sent on";
        Failed { ending, status: StatusCode::SERVICE_UNAVAILABLE, detail }
    };
    match tokio::task::spawn_blocking(move || recording.intent()).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}
