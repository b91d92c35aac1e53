//! What the proxy itself answers: problem documents (RFC 9457).

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;

use super::body::{Answer, BodyError};

/// An answer of the proxy's own.
pub(super) fn answer(status: StatusCode, detail: &str) -> Response<Answer> {
    let title = status.canonical_reason().unwrap_or("Problem");
    let text = json!({"status": status.as_u16(), "title": title, "detail": detail}).to_string();
    let body = Full::new(Bytes::from(text)).map_err(|never| -> BodyError { match never {} });
    let mut response = Response::new(Answer::new(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

/// The same, behind which nothing else is read from the connection.
pub(super) fn refusal(detail: &str) -> Response<Answer> {
    let mut response = answer(StatusCode::BAD_REQUEST, detail);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
