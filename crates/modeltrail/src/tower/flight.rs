//! What request body, future and answer's body of one request share, and its one end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use modeltrail_core::capture::{Ending, Exchange};

use super::grpc;
use super::intents::Intents;
use crate::in_flight::{Capturer, InFlight};
use crate::recorder::RecordingError;

type Identify = dyn Fn(&Parts, &mut Exchange) + Send + Sync;
type OnError = dyn Fn(&RecordingError) + Send + Sync;

/// What all requests of a layer share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) capturer: Capturer,
    pub(super) identify: Option<Arc<Identify>>,
    pub(super) on_error: Option<Arc<OnError>>,
    pub(super) fail_closed: bool,
    pub(super) n_not_recorded: Arc<AtomicU64>,
    pub(super) intents: Intents,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("capturer", &self.capturer).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(capturer: Capturer) -> Self {
        Self {
            capturer,
            identify: None,
            on_error: None,
            fail_closed: false,
            n_not_recorded: Arc::default(),
            intents: Intents::default(),
        }
    }

    /// Begins with a request's head; `None` where the plan does not want it.
    pub(super) fn begin(&self, parts: &Parts) -> Option<InFlight> {
        let uri = &parts.uri;
        let mut flight = self.capturer.begin(parts.method.as_str(), uri.path(), uri.query())?;
        flight.exchange(|exchange| {
            for (name, value) in &parts.headers {
                exchange.request_header(name.as_str(), value.as_bytes());
            }
            if let Some(identify) = &self.identify {
                identify(parts, exchange);
            }
        });
        Some(flight)
    }

    /// Records how a request ended.
    pub(super) fn end(&self, flight: InFlight, ending: Ending) -> Result<(), RecordingError> {
        flight.end(ending).map(drop).inspect_err(|error| self.failed(error))
    }

    /// Tells of an error of recording.
    pub(super) fn failed(&self, error: &RecordingError) {
        self.n_not_recorded.fetch_add(1, Ordering::Relaxed);
        tracing::error!(%error, "a request could not be recorded");
        if let Some(on_error) = &self.on_error {
            on_error(error);
        }
    }
}

/// Where the request in flight is, for all who feed it.
#[derive(Clone, Debug)]
pub(super) struct Tapped {
    place: Arc<Mutex<Place>>,
}

#[derive(Debug)]
struct Place {
    /// Empty while an intent is written, and after the end.
    flight: Option<InFlight>,
    request_is_whole: bool,
}

impl Tapped {
    pub(super) fn new(flight: InFlight) -> Self {
        let place = Place { flight: Some(flight), request_is_whole: false };
        Self { place: Arc::new(Mutex::new(place)) }
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn feed(&self, feed: impl FnOnce(&mut InFlight)) {
        if let Some(flight) = &mut self.place().flight {
            feed(flight);
        }
    }

    pub(super) fn request_bytes(&self, bytes: &[u8]) {
        self.feed(|flight| flight.exchange(|exchange| exchange.request_bytes(bytes)));
    }

    /// The request's body was read to its end.
    pub(super) fn request_is_whole(&self) {
        self.place().request_is_whole = true;
    }

    pub(super) fn take(&self) -> Option<InFlight> {
        self.place().flight.take()
    }

    pub(super) fn put(&self, flight: InFlight) {
        self.place().flight = Some(flight);
    }

    /// Taken for its end.
    fn land(&self) -> Option<InFlight> {
        let mut place = self.place();
        let is_whole = place.request_is_whole;
        let mut flight = place.flight.take()?;
        if !is_whole {
            flight.exchange(Exchange::request_cut);
        }
        Some(flight)
    }
}

/// Ends a request once: when it is told how, or when it is dropped. It goes from the future to the answer's body.
#[derive(Debug)]
pub(super) struct Ends {
    shared: Arc<Shared>,
    tapped: Tapped,
    is_head: bool,
    is_grpc: bool,
    /// Bytes of the answer's body still to come, where the length is known.
    remaining: Option<u64>,
    grpc: Option<Ending>,
    ended: bool,
}

impl Ends {
    pub(super) const fn new(shared: Arc<Shared>, tapped: Tapped, is_head: bool) -> Self {
        Self { shared, tapped, is_head, is_grpc: false, remaining: None, grpc: None, ended: false }
    }

    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(super) const fn tapped(&self) -> &Tapped {
        &self.tapped
    }

    /// Takes the head of the answer, and says whether there is a body to wait for.
    pub(super) fn answered(
        &mut self,
        head: &http::response::Parts,
        body: &impl http_body::Body,
    ) -> bool {
        self.tapped.feed(|flight| {
            flight.exchange(|exchange| {
                exchange.response_status(head.status.as_u16());
                for (name, value) in &head.headers {
                    exchange.response_header(name.as_str(), value.as_bytes());
                }
            });
        });
        self.is_grpc = grpc::is_grpc(&head.headers);
        self.status(&head.headers);
        let said = head.headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        self.remaining = said.and_then(|text| text.parse().ok()).or(body.size_hint().exact());
        // RFC 9110, 6.4.1: answers that never have a body.
        let is_bare = matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        !(self.is_head || is_bare || head.status.is_informational() || body.is_end_stream())
    }

    /// Bytes of the answer's body.
    pub(super) fn answer_bytes(&mut self, bytes: &[u8]) {
        let n_bytes = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(n_bytes));
        self.tapped.feed(|flight| flight.response_bytes(bytes));
    }

    /// Headers or trailers of an answer, which may have a status of gRPC.
    pub(super) fn status(&mut self, headers: &HeaderMap) {
        if self.is_grpc && self.grpc.is_none() {
            self.grpc = grpc::status(headers);
        }
    }

    /// The answer went out to its end.
    pub(super) fn complete(&mut self) -> Result<(), RecordingError> {
        let ending = match self.grpc.take() {
            Some(ending) => ending,
            None if self.is_grpc => grpc::without_status(),
            None => Ending::Complete,
        };
        self.end(ending)
    }

    /// Ends it; the second time nothing is done.
    pub(super) fn end(&mut self, ending: Ending) -> Result<(), RecordingError> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(());
        }
        match self.tapped.land() {
            Some(flight) => self.shared.end(flight, ending),
            // It is where its intent is written, and ends there.
            None => Ok(()),
        }
    }

    /// For who ends it otherwise, and has been told of errors.
    pub(super) fn end_anyway(&mut self, ending: Ending) {
        // Told already.
        let _told = self.end(ending);
    }

    /// Runs something that is the application's, and records it as a panic if it is one.
    pub(super) fn watch<T>(ends: Option<&mut Self>, run: impl FnOnce() -> T) -> T {
        let watch = Watch { ends };
        let given = run();
        drop(watch);
        given
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let all_out = self.remaining == Some(0) && !self.is_grpc;
        match () {
            () if std::thread::panicking() => self.end_anyway(panicked()),
            // Servers stop asking where the length that was announced is reached.
            () if all_out => self.end_anyway(Ending::Complete),
            () => self.end_anyway(Ending::ClientDisconnected),
        }
    }
}

/// A panic that somebody further out catches would drop the future later, when it can no longer be told.
struct Watch<'a> {
    ends: Option<&'a mut Ends>,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if let Some(ends) = self.ends.take()
            && std::thread::panicking()
        {
            ends.end_anyway(panicked());
        }
    }
}

fn panicked() -> Ending {
    Ending::Failed { code: "panic".into(), message: "the service panicked".into() }
}

/// True for a request whose answer has no body.
pub(super) fn is_head(method: &Method) -> bool {
    method == Method::HEAD
}
