//! Bodies as they stream, seen by the record on the way.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use modeltrail::capture::Ending;
use tokio::time::{Instant, Sleep, sleep_until};

use super::recording::{Guard, Recording};

/// What goes wrong in a body; hyper ends the connection with it.
pub(super) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer: the upstream's, or one of the proxy's own.
pub(super) type Answer = UnsyncBoxBody<Bytes, BodyError>;

/// The request's body on its way to the upstream: what was read for an intent, then the rest.
pub(super) struct Request {
    first: std::collections::VecDeque<Bytes>,
    rest: Incoming,
    recording: Option<Recording>,
    has_ended: bool,
}

impl Request {
    pub(super) fn new(first: Vec<Bytes>, rest: Incoming, recording: Option<Recording>) -> Self {
        Self { first: first.into(), rest, recording, has_ended: false }
    }
}

impl Body for Request {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        if let Some(bytes) = this.first.pop_front() {
            // Seen when it was read for the intent.
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        let frame = ready!(Pin::new(&mut this.rest).poll_frame(cx));
        if let Some(recording) = &this.recording {
            match &frame {
                Some(Ok(frame)) => {
                    if let Some(bytes) = frame.data_ref() {
                        recording.feed(|exchange| exchange.request_bytes(bytes));
                    }
                }
                Some(Err(_)) => recording.aborted(),
                None => this.has_ended = true,
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let first: usize = self.first.iter().map(Bytes::len).sum();
        let first = u64::try_from(first).unwrap_or(u64::MAX);
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(first));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(first));
        }
        hint
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if let Some(recording) = &self.recording
            && !self.has_ended
            && !self.is_end_stream()
        {
            recording.feed(modeltrail::capture::Exchange::request_cut);
        }
    }
}

/// The answer's body on its way to whoever asked. Each piece goes out as it comes in.
pub(super) struct Response {
    inner: Incoming,
    guard: Option<Guard>,
    idle: Duration,
    silence: Pin<Box<Sleep>>,
}

impl Response {
    pub(super) fn new(inner: Incoming, guard: Option<Guard>, idle: Duration) -> Self {
        let silence = Box::pin(sleep_until(Instant::now() + idle));
        let response = Self { inner, guard, idle, silence };
        response.note_end();
        response
    }

    /// Ends the record where nothing more can come: hyper does not ask again then.
    fn note_end(&self) {
        if self.inner.is_end_stream() {
            self.end(Ending::Complete);
        }
    }

    fn end(&self, ending: Ending) {
        if let Some(guard) = &self.guard {
            guard.recording().end(ending);
        }
    }
}

impl Body for Response {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(cx) else {
            ready!(this.silence.as_mut().poll(cx));
            this.end(Ending::TimedOut);
            return Poll::Ready(Some(Err("the upstream fell silent".into())));
        };
        this.silence.as_mut().reset(Instant::now() + this.idle);
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                if let (Some(bytes), Some(guard)) = (frame.data_ref(), &this.guard) {
                    guard.recording().response_bytes(bytes);
                }
                this.note_end();
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                this.end(Ending::UpstreamReset(error.to_string()));
                Some(Err(error.into()))
            }
            None => {
                this.end(Ending::Complete);
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
