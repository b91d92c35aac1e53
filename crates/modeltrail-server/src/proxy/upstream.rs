//! The client that speaks to the upstream.

use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::body::Request;
use super::{ProxyError, ProxyOptions, tls};

/// How long a connection to the upstream may take: three tries of TCP's first packet.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long a connection that nobody uses is kept; most servers close theirs after a minute or more.
const KEEP: Duration = Duration::from_secs(50);

/// Connections that are kept for the next request; more than a model's server works on at once are not needed.
const N_IDLE_MAX: usize = 256;

pub(super) type Upstream = Client<HttpsConnector<HttpConnector>, Request>;

/// Makes the client.
pub(super) fn client(options: &ProxyOptions) -> Result<Upstream, ProxyError> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_MAX));
    let builder = HttpsConnectorBuilder::new();
    let builder = match &options.upstream_ca {
        Some(path) => builder.with_tls_config(tls::client(path)?),
        None => builder
            .with_provider_and_webpki_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| ProxyError::Upstream(error.to_string()))?,
    };
    let connector = builder.https_or_http().enable_all_versions().wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP)
        .pool_max_idle_per_host(N_IDLE_MAX)
        .http1_preserve_header_case(true)
        .http2_only(options.is_upstream_http2)
        .build(connector))
}

/// The address of a request at the upstream: its path and query behind the upstream's own path.
pub(super) fn address(upstream: &Uri, request: &Uri) -> Option<Uri> {
    let asked = request.path_and_query().map_or("/", |it| it.as_str());
    if !asked.starts_with('/') {
        return None;
    }
    let behind = upstream.path().trim_end_matches('/');
    Uri::builder()
        .scheme(upstream.scheme()?.clone())
        .authority(upstream.authority()?.clone())
        .path_and_query(format!("{behind}{asked}"))
        .build()
        .ok()
}
