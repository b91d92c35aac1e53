//! The future of an answer: at once, or behind an intent.

use std::collections::VecDeque;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::Body;
use modeltrail_core::capture::Ending;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::{Ahead, BoxError, RequestBody, ResponseBody, poll_tapped};
use super::flight::Ends;
use super::intents::Writing;
use crate::recorder::RecordingError;

/// What a frame counts at least among those that are held back, so that a client cannot fill the memory with empty
/// ones; about what one takes.
const FRAME_BYTES_MIN: usize = 128;

pin_project! {
    /// The future of an [`super::AuditService`].
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<RequestBody<B>>>,
        B: Body,
    {
        #[pin]
        state: State<S, B, S::Future>,
        ends: Option<Ends>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B: Body, F> {
        Intending { intended: Option<Box<Intended<S, B>>>, writing: Option<Writing> },
        Answering { #[pin] future: F },
    }
}

/// A request that is held back until its intent is durable.
pub(super) struct Intended<S, B: Body> {
    service: S,
    parts: Parts,
    ahead: Ahead<B>,
    n_bytes: usize,
    is_read: bool,
}

impl<S, B: Body> Intended<S, B> {
    pub(super) fn new(service: S, parts: Parts, body: B) -> Self {
        let is_read = body.is_end_stream();
        let ahead = Ahead { body: Box::pin(body), frames: VecDeque::new(), failure: None };
        Self { service, parts, ahead, n_bytes: 0, is_read }
    }

    /// Reads of the request's body what an intent keeps of it.
    fn poll_read(&mut self, cx: &mut Context<'_>, ends: &Ends) -> Poll<()> {
        let n_bytes_max = ends.shared().capturer.plan().body_bytes_max();
        while !self.is_read && self.n_bytes < n_bytes_max {
            let body = self.ahead.body.as_mut();
            match ready!(poll_tapped(body, cx, Some(ends.tapped()))) {
                Some(Ok(frame)) => {
                    let n_bytes = frame.data_ref().map_or(0, bytes::Bytes::len);
                    self.n_bytes += n_bytes.max(FRAME_BYTES_MIN);
                    self.is_read = frame.is_trailers() || self.ahead.body.is_end_stream();
                    self.ahead.frames.push_back(frame);
                }
                Some(Err(failure)) => {
                    self.ahead.failure = Some(failure);
                    self.is_read = true;
                }
                None => self.is_read = true,
            }
        }
        Poll::Ready(())
    }

    fn call(mut self, ends: &mut Ends) -> S::Future
    where
        S: Service<Request<RequestBody<B>>>,
    {
        let body = RequestBody::behind(self.ahead, Some(ends.tapped().clone()));
        let request = Request::from_parts(self.parts, body);
        Ends::watch(Some(ends), || self.service.call(request))
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    pub(super) const fn answering(future: S::Future, ends: Option<Ends>) -> Self {
        Self { state: State::Answering { future }, ends }
    }

    pub(super) fn intending(intended: Intended<S, B>, ends: Ends) -> Self {
        let intended = Some(Box::new(intended));
        Self { state: State::Intending { intended, writing: None }, ends: Some(ends) }
    }
}

impl<S, B> std::fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>>,
    B: Body,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>>,
    S::Error: Display,
    B: Body,
    R: Body,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProjection::Answering { future } => {
                    let polled = Ends::watch(this.ends.as_mut(), || future.poll(cx));
                    return Poll::Ready(answer(ready!(polled), this.ends.take()));
                }
                StateProjection::Intending { intended, writing } => {
                    let Some(ends) = this.ends.as_mut() else { return Poll::Pending };
                    if let Some(held) = intended.as_deref_mut() {
                        ready!(held.poll_read(cx, ends));
                    }
                    if ready!(poll_intent(writing, cx, ends)).is_err() && ends.shared().fail_closed
                    {
                        ends.end_anyway(Ending::Failed {
                            code: "intent_failed".into(),
                            message: "the request did not go on".into(),
                        });
                        return Poll::Ready(Ok(refused()));
                    }
                    let Some(held) = intended.take() else { return Poll::Pending };
                    let future = held.call(ends);
                    this.state.set(State::Answering { future });
                }
            }
        }
    }
}

/// Writes the intent, and puts the request back where it is fed.
fn poll_intent(
    writing: &mut Option<Writing>,
    cx: &mut Context<'_>,
    ends: &Ends,
) -> Poll<Result<(), RecordingError>> {
    if writing.is_none() {
        let Some(flight) = ends.tapped().take() else { return Poll::Ready(Ok(())) };
        *writing = Some(ends.shared().intents.write(flight, ends.shared()));
    }
    let Some(waits) = writing.as_mut() else { return Poll::Ready(Ok(())) };
    let (flight, result) = ready!(Pin::new(waits).poll(cx));
    if let Some(flight) = flight {
        ends.tapped().put(flight);
    }
    Poll::Ready(result.inspect_err(|error| ends.shared().failed(error)))
}

/// The answer with its body tapped.
fn answer<R, E>(
    answer: Result<Response<R>, E>,
    ends: Option<Ends>,
) -> Result<Response<ResponseBody<R>>, E>
where
    R: Body,
    E: Display,
{
    let Some(mut ends) = ends else {
        return answer.map(|answer| answer.map(|body| ResponseBody::new(body, None)));
    };
    let answer = answer.inspect_err(|error| {
        ends.end_anyway(Ending::Failed {
            code: "service_error".into(),
            message: error.to_string(),
        });
    })?;
    let (head, body) = answer.into_parts();
    if ends.answered(&head, &body) {
        return Ok(Response::from_parts(head, ResponseBody::new(body, Some(ends))));
    }
    if ends.complete().is_err() && ends.shared().fail_closed {
        return Ok(refused());
    }
    Ok(Response::from_parts(head, ResponseBody::new(body, None)))
}

/// The answer to a request that cannot be recorded.
fn refused<R>() -> Response<ResponseBody<R>> {
    let mut answer = Response::new(ResponseBody::empty());
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}
