//! The service around a service.

use std::fmt::Display;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{BoxError, RequestBody, ResponseBody};
use super::flight::{Ends, Shared, Tapped, is_head};
use super::future::{Intended, ResponseFuture};

/// Records what passes through the service inside.
#[derive(Clone, Debug)]
pub struct AuditService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> AuditService<S> {
    pub(super) const fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }

    /// The service inside.
    #[must_use]
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, B, R> Service<Request<B>> for AuditService<S>
where
    S: Service<Request<RequestBody<B>>, Response = Response<R>> + Clone,
    S::Error: Display,
    B: Body,
    R: Body,
    R::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let Some(flight) = self.shared.begin(&parts) else {
            let request = Request::from_parts(parts, RequestBody::new(body, None));
            return ResponseFuture::answering(self.inner.call(request), None);
        };
        let wants_intent = flight.wants_intent();
        let tapped = Tapped::new(flight);
        if body.is_end_stream() {
            tapped.request_is_whole();
        }
        let mut ends = Ends::new(self.shared.clone(), tapped.clone(), is_head(&parts.method));
        if wants_intent {
            // The one that is ready is taken.
            let next = self.inner.clone();
            let service = std::mem::replace(&mut self.inner, next);
            let intended = Intended::new(service, parts, body);
            return ResponseFuture::intending(intended, ends);
        }
        let request = Request::from_parts(parts, RequestBody::new(body, Some(tapped)));
        let future = Ends::watch(Some(&mut ends), || self.inner.call(request));
        ResponseFuture::answering(future, Some(ends))
    }
}
