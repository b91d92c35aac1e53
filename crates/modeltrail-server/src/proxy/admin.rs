//! Health of the proxy, at an address of its own: every path of the proxy's belongs to the upstream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

/// `/healthz`: the process lives. `/readyz`: it takes requests, and is not about to stop.
pub(super) fn router(stopping: Arc<AtomicBool>) -> Router {
    let ready = async move || match stopping.load(Ordering::Acquire) {
        false => (StatusCode::OK, "ok\n"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining\n"),
    };
    Router::new().route("/healthz", get(async || "ok\n")).route("/readyz", get(ready))
}
