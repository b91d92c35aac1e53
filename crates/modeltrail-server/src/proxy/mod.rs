//! The reverse proxy: it stands before a model's server, passes everything through as it streams, and records each
//! request that its plan wants, however the request ends.
//!
//! `server` accepts and drains, `forward` takes one request to the upstream and its answer back, `recording` is what
//! both bodies and the request's own future hold of its record. HTTP types stay in this folder.

mod admin;
mod body;
mod forward;
mod headers;
mod problem;
mod recording;
pub(crate) mod server;
mod tls;
mod upgrade;
mod upstream;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;

/// How the proxy is set up.
#[derive(Clone, Debug)]
pub(crate) struct ProxyOptions {
    /// Where requests go: scheme, authority and a path that they stand behind.
    pub(crate) upstream: Uri,
    /// A certificate authority beside Mozilla's, for the upstream.
    pub(crate) upstream_ca: Option<PathBuf>,
    /// HTTP/2 to the upstream without TLS's word for it.
    pub(crate) is_upstream_http2: bool,
    /// Certificate chain and key of the proxy's own TLS.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Hands the request's own `Host` on, in place of the upstream's.
    pub(crate) preserve_host: bool,
    /// How long the head of an answer may take.
    pub(crate) head_timeout: Duration,
    /// How long an answer's body may be silent.
    pub(crate) idle_timeout: Duration,
    /// How long requests under way have after the signal to stop.
    pub(crate) drain: Duration,
}

/// Why the proxy cannot start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    /// It cannot listen there.
    #[error("cannot listen at {address}: {source}; choose another address")]
    Listen {
        /// The address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file of certificates or keys.
    #[error("{path}: {what}; give certificates and key as PEM")]
    Tls {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// The upstream's address.
    #[error(
        "{0} is no address of an upstream; write http://HOST:PORT or https://HOST:PORT, with a path if need be"
    )]
    Upstream(String),
    /// Signals cannot be listened to.
    #[error("cannot wait for signals: {0}")]
    Signals(io::Error),
}

impl ProxyError {
    fn tls(path: &std::path::Path, what: impl std::fmt::Display) -> Self {
        Self::Tls { path: path.to_owned(), what: what.to_string() }
    }
}

/// Reads the address of an upstream.
///
/// # Errors
/// [`ProxyError::Upstream`].
pub(crate) fn parse_upstream(text: &str) -> Result<Uri, ProxyError> {
    let refused = || ProxyError::Upstream(text.to_owned());
    let uri: Uri = text.parse().map_err(|_| refused())?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    if !is_http || uri.authority().is_none() || has_user || uri.query().is_some() {
        return Err(refused());
    }
    Ok(uri)
}
