//! TLS on both sides: rustls with ring, HTTP/2 and HTTP/1.1 by ALPN.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::ProxyError;

/// What the proxy speaks, the best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ProxyError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| ProxyError::tls(path, error))?;
    let certificates: Result<Vec<_>, _> = read.collect();
    let certificates = certificates.map_err(|error| ProxyError::tls(path, error))?;
    match certificates.is_empty() {
        true => Err(ProxyError::tls(path, "holds no certificate")),
        false => Ok(certificates),
    }
}

/// The proxy's own side.
pub(super) fn server(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ProxyError> {
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| ProxyError::tls(key, error))?;
    let refused = |error: rustls::Error| ProxyError::tls(certificate, error);
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(refused)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(refused)?;
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// The side to an upstream that one authority vouches for.
pub(super) fn client(authority: &Path) -> Result<ClientConfig, ProxyError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(authority)? {
        roots.add(certificate).map_err(|error| ProxyError::tls(authority, error))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ProxyError::tls(authority, error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
