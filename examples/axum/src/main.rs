//! A model behind axum whose predictions are recorded by a layer: nothing in the handler knows of it.
//!
//! ```text
//! cargo run -p modeltrail-example-axum -- sqlite:audit.db 127.0.0.1:8080
//! ```

mod model;

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Router, serve};
use modeltrail::capture::CaptureConfig;
use modeltrail::tower::AuditLayer;
use modeltrail::{Ledger, Recorder};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use model::{Error, Model};

/// What is recorded. The gateway in front has checked who asks, and says so in a header.
const CAPTURE: &str = r#"
    [defaults]
    model = "tumour_classifier"
    version = "tree-1"
    user = "header:x-authenticated-user"
    subject = "header:x-patient"
    trusted = ["header:x-authenticated-user"]

    [[route]]
    path = "/predict"
"#;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("call it with a ledger and an address: sqlite:audit.db 127.0.0.1:8080".into());
    };
    let model = Arc::new(Model::train()?);
    let ledger = Ledger::parse(&url)?;
    if !ledger.exists() {
        ledger.create("example.com/tumours")?;
    }
    let recorder = Recorder::open(&url)?;
    let plan =
        CaptureConfig::from_toml(CAPTURE)?.plan().map_err(|problems| format!("{problems:?}"))?;
    let layer = AuditLayer::new(recorder.clone(), plan).identify(|request, exchange| {
        if let Some(ConnectInfo(peer)) = request.extensions.get::<ConnectInfo<SocketAddr>>() {
            exchange.client_address(peer.ip().to_string());
        }
    });
    let router = Router::new()
        .route("/predict", post(predict))
        .route("/healthz", get(|| async { "ready" }))
        .with_state(model)
        .layer(layer);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(run(router, &address))?;
    // What was accepted is made durable, and the ledger told that this process has ended.
    recorder.close()?;
    Ok(())
}

async fn run(router: Router, address: &str) -> Result<(), Error> {
    let listener = TcpListener::bind(address).await?;
    let mut terminate = signal(SignalKind::terminate())?;
    writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    serve(listener, service)
        .with_graceful_shutdown(async move {
            terminate.recv().await;
        })
        .await?;
    Ok(())
}

async fn predict(State(model): State<Arc<Model>>, body: Bytes) -> Response {
    let predicted =
        serde_json::from_slice(&body).map_err(Error::from).and_then(|input| model.predict(&input));
    match predicted {
        Ok(answer) => ([(CONTENT_TYPE, "application/json")], answer.to_string()).into_response(),
        Err(error) => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()).into_response(),
    }
}
