//! Bodies that are tapped as they pass.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use modeltrail_core::capture::Ending;
use pin_project_lite::pin_project;

use super::flight::{Ends, Tapped};

/// What an answer's body fails with: the application's error, or with
/// [`super::AuditLayer::fail_closed`] a [`crate::RecordingError`].
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

pin_project! {
    /// A request's body as the service gets it: the same frames, with data as [`Bytes`].
    pub struct RequestBody<B: Body> {
        #[pin]
        source: Source<B>,
        tapped: Option<Tapped>,
    }
}

pin_project! {
    #[project = SourceProjection]
    enum Source<B: Body> {
        Straight { #[pin] body: B },
        Behind { ahead: Ahead<B> },
    }
}

/// A body of which some frames were read before the service was called.
pub(super) struct Ahead<B: Body> {
    pub(super) body: Pin<Box<B>>,
    pub(super) frames: VecDeque<Frame<Bytes>>,
    /// What came behind them.
    pub(super) failure: Option<B::Error>,
}

impl<B: Body> RequestBody<B> {
    pub(super) const fn new(body: B, tapped: Option<Tapped>) -> Self {
        Self { source: Source::Straight { body }, tapped }
    }

    pub(super) const fn behind(ahead: Ahead<B>, tapped: Option<Tapped>) -> Self {
        Self { source: Source::Behind { ahead }, tapped }
    }
}

impl<B: Body> std::fmt::Debug for RequestBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestBody").field("tapped", &self.tapped).finish_non_exhaustive()
    }
}

impl<B: Body> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        let mut body = match this.source.project() {
            SourceProjection::Straight { body } => body,
            SourceProjection::Behind { ahead } => {
                if let Some(frame) = ahead.frames.pop_front() {
                    return Poll::Ready(Some(Ok(frame)));
                }
                if let Some(failure) = ahead.failure.take() {
                    return Poll::Ready(Some(Err(failure)));
                }
                ahead.body.as_mut()
            }
        };
        let polled = ready!(poll_tapped(body.as_mut(), cx, this.tapped.as_ref()));
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Straight { body } => body.is_end_stream(),
            Source::Behind { ahead } => {
                ahead.frames.is_empty() && ahead.failure.is_none() && ahead.body.is_end_stream()
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Straight { body } => body.size_hint(),
            Source::Behind { ahead } => ahead.size_hint(),
        }
    }
}

impl<B: Body> Ahead<B> {
    fn size_hint(&self) -> SizeHint {
        let behind = self.body.size_hint();
        let n_ahead: usize = self.frames.iter().filter_map(Frame::data_ref).map(Bytes::len).sum();
        let n_ahead = u64::try_from(n_ahead).unwrap_or(u64::MAX);
        let mut hint = SizeHint::new();
        hint.set_lower(behind.lower().saturating_add(n_ahead));
        if let Some(upper) = behind.upper() {
            hint.set_upper(upper.saturating_add(n_ahead));
        }
        hint
    }
}

/// The next frame of a request's body, fed to its exchange.
pub(super) fn poll_tapped<B: Body>(
    mut body: Pin<&mut B>,
    cx: &mut Context<'_>,
    tapped: Option<&Tapped>,
) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
    let polled = ready!(body.as_mut().poll_frame(cx)).map(|frame| frame.map(plain));
    if let Some(tapped) = tapped {
        if let Some(Ok(frame)) = &polled
            && let Some(data) = frame.data_ref()
        {
            tapped.request_bytes(data);
        }
        if polled.is_none() || body.is_end_stream() {
            tapped.request_is_whole();
        }
    }
    Poll::Ready(polled)
}

/// Data as [`Bytes`]; of those it is no copy.
fn plain<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

pin_project! {
    /// An answer's body as whoever asked gets it: the same frames, with data as [`Bytes`].
    pub struct ResponseBody<B> {
        #[pin]
        body: Option<B>,
        ends: Option<Ends>,
    }
}

impl<B> ResponseBody<B> {
    pub(super) const fn new(body: B, ends: Option<Ends>) -> Self {
        Self { body: Some(body), ends }
    }

    /// Of an answer that the layer gives itself.
    pub(super) const fn empty() -> Self {
        Self { body: None, ends: None }
    }
}

impl<B> std::fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseBody").field("ends", &self.ends).finish_non_exhaustive()
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        let Some(mut body) = this.body.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let polled = Ends::watch(this.ends.as_mut(), || body.as_mut().poll_frame(cx));
        let polled = ready!(polled).map(|frame| frame.map(plain).map_err(Into::into));
        let Some(ends) = this.ends else { return Poll::Ready(polled) };
        let is_last = match &polled {
            None => true,
            Some(Err(error)) => {
                ends.end_anyway(Ending::UpstreamReset(error.to_string()));
                return Poll::Ready(polled);
            }
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    ends.answer_bytes(data);
                }
                if let Some(trailers) = frame.trailers_ref() {
                    ends.status(trailers);
                }
                frame.is_trailers() || body.is_end_stream()
            }
        };
        if is_last
            && let Err(error) = ends.complete()
            && ends.shared().fail_closed
        {
            this.body.set(None);
            return Poll::Ready(Some(Err(error.into())));
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
