//! A server with answers of every form.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;

/// A body in pieces, each of its own chunk.
struct Pieces {
    pieces: VecDeque<&'static str>,
    then: Then,
}

#[derive(Clone, Copy)]
enum Then {
    Ends,
    Waits,
    Breaks,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<http_body::Frame<Bytes>>>> {
        match (self.pieces.pop_front(), self.then) {
            (Some(""), _) => {
                // Lets others go first, as one who computes the next piece does.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            (Some(piece), _) => Poll::Ready(Some(Ok(http_body::Frame::data(piece.into())))),
            (None, Then::Ends) => Poll::Ready(None),
            (None, Then::Waits) => Poll::Pending,
            (None, Then::Breaks) => {
                Poll::Ready(Some(Err(std::io::Error::other("the model broke"))))
            }
        }
    }
}

fn pieces(pieces: &[&'static str], then: Then) -> Response {
    let body = Pieces { pieces: pieces.iter().copied().collect(), then };
    ([("content-type", "text/event-stream")], Body::new(body)).into_response()
}

async fn predict(body: Bytes) -> Response {
    let answer = format!("{{\"prediction\": \"legitimate\", \"n_bytes\": {}}}", body.len());
    ([("content-type", "application/json")], answer).into_response()
}

async fn echo(body: Bytes) -> Response {
    ([("content-type", "application/json")], body).into_response()
}

async fn refused(_: Bytes) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "no model").into_response()
}

pub(super) fn router() -> Router {
    let stream = ["data: a\n\n", "", "data: b\n\n", "", "", "data: c\n\n"];
    Router::new()
        .route("/predict", post(predict))
        .route("/before", post(predict))
        .route("/echo", post(echo))
        .route("/refused", post(refused))
        .route("/unread", post(|| async { "not read" }))
        .route("/stream", post(move |_: Bytes| async move { pieces(&stream, Then::Ends) }))
        .route("/endless", post(move |_: Bytes| async move { pieces(&stream, Then::Waits) }))
        .route("/breaks", post(move |_: Bytes| async move { pieces(&stream, Then::Breaks) }))
        .route("/never", post(|_: Bytes| std::future::pending::<()>()))
}
