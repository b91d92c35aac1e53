//! A layer that records what passes through a service: axum, hyper, tonic, anything that takes
//! [`http::Request`] and gives [`http::Response`]. The application's own code is not touched.
//!
//! ```
//! use modeltrail::capture::CaptureConfig;
//! use modeltrail::tower::AuditLayer;
//! use modeltrail::{Ledger, Recorder};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! # let url = format!("sqlite:{}", dir.path().join("audit.db").display());
//! Ledger::parse(&url)?.create("example.com/audit")?;
//! let plan = CaptureConfig::from_toml(
//!     r#"
//!     record_headers = ["user-agent"]
//!     [defaults]
//!     model = "fraud_detector"
//!     version = "v3.2.1"
//!     [[route]]
//!     path = "/predict"
//!     "#,
//! )?
//! .plan()
//! .map_err(|problems| problems[0].clone())?;
//! #[derive(Clone)]
//! struct Analyst(String);
//! let layer = AuditLayer::new(Recorder::open(&url)?, plan).identify(|request, exchange| {
//!     if let Some(analyst) = request.extensions.get::<Analyst>() {
//!         exchange.user_id(analyst.0.as_str());
//!     }
//! });
//! // axum: Router::new().route("/predict", post(predict)).layer(layer)
//! # Ok(())
//! # }
//! ```
//!
//! # What is recorded, and when
//!
//! Each request that the plan wants gives exactly one record, when its answer has ended:
//!
//! | how it went | the record |
//! |---|---|
//! | the last frame of the answer was handed on | success; a status of 400 or more, or a `grpc-status` other than 0, is a failure |
//! | future or body dropped before the end | failure `client_disconnected`, with the bytes so far |
//! | the service gave an error | failure `service_error` |
//! | the answer's body gave an error | failure `upstream_reset` |
//! | the service panicked | failure `panic` |
//!
//! Bodies are tapped as they stream: frames, trailers, `size_hint` and `is_end_stream` are those of the application, so
//! lengths and chunks on the wire are what they were. Of a request's body what the application has read is
//! recorded; where that is not all of it, the record's header says `truncated`.
//!
//! # What waits
//!
//! Nothing here waits for a disk on the thread that polls. A record goes into the recorder's ring
//! ([`crate::Ack::Accepted`], whatever the recorder's options say), and the rest is done on the recorder's own thread. When the
//! ring is full, the recorder's [`crate::OnFull`] decides: [`crate::OnFull::Block`] stops that thread for its time, which
//! is 100 ms unless set; a service that must never stop takes `Fail` or `Gap`.
//!
//! On a route with `capture = "before_response"` the request's body is read first (as much of it as is kept), an intent is
//! written, and only when that is durable the service is called. Meanwhile the future is pending: threads of the layer's own wait for
//! the disk. The service then gets the same frames. Such a route must not be one whose client waits
//! for an answer before it has sent its whole request.
//!
//! # When recording fails
//!
//! The application's answers stay as they are; the error is logged, counted ([`AuditLayer::n_not_recorded`]) and given
//! to [`AuditLayer::on_error`]. With [`AuditLayer::fail_closed`] nobody gets a whole answer that was not recorded.

mod body;
mod flight;
mod future;
mod grpc;
mod intents;
mod service;

#[cfg(test)]
mod tests;

pub use body::{BoxError, RequestBody, ResponseBody};
pub use future::ResponseFuture;
pub use service::AuditService;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::request::Parts;
use modeltrail_core::capture::{Exchange, Plan};

use crate::in_flight::Capturer;
use crate::recorder::{Ack, Recorder, RecordingError};
use flight::Shared;

/// Puts an [`AuditService`] around a service. Clones share what they count.
#[derive(Clone, Debug)]
pub struct AuditLayer {
    shared: Arc<Shared>,
}

impl AuditLayer {
    /// Records into `recorder` what `plan` wants.
    #[must_use]
    pub fn new(recorder: Recorder, plan: Plan) -> Self {
        let capturer = Capturer::new(recorder, plan, "tower").at(Ack::Accepted);
        Self { shared: Arc::new(Shared::new(capturer)) }
    }

    /// Lets the application say what it knows of a request (who asks, whom it is about, the client's address), from the
    /// request's head and the extensions that layers further out have put there. It is called once for each request
    /// that is recorded, before the service.
    #[must_use]
    pub fn identify(
        self,
        identify: impl Fn(&Parts, &mut Exchange) + Send + Sync + 'static,
    ) -> Self {
        self.with(|shared| shared.identify = Some(Arc::new(identify)))
    }

    /// Is called with each error of recording, on the thread where it happened; it must not wait.
    #[must_use]
    pub fn on_error(self, on_error: impl Fn(&RecordingError) + Send + Sync + 'static) -> Self {
        self.with(|shared| shared.on_error = Some(Arc::new(on_error)))
    }

    /// Nobody gets a whole answer that was not recorded: where an intent cannot be written, or an answer without a body
    /// not be recorded, the answer is an empty one with status 503; otherwise the answer's body breaks off with an
    /// error in place of its last frame. What was recorded is in memory then, not on disk: `before_response` is
    /// for who needs that.
    #[must_use]
    pub fn fail_closed(self) -> Self {
        self.with(|shared| shared.fail_closed = true)
    }

    /// How many records and intents could not be handed to the recorder so far.
    #[must_use]
    pub fn n_not_recorded(&self) -> u64 {
        self.shared.n_not_recorded.load(Ordering::Relaxed)
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        change(Arc::make_mut(&mut self.shared));
        self
    }
}

impl<S> tower_layer::Layer<S> for AuditLayer {
    type Service = AuditService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuditService::new(inner, self.shared.clone())
    }
}
