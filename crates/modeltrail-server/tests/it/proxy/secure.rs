//! TLS on both sides, and HTTP/2.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::mpsc::channel;

use bytes::Bytes;
use http::{Request, Response, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::sides::{PATIENCE, Proxy, records};
use crate::support::Folder;

/// An upstream that speaks TLS and says which HTTP it was asked in; gives its port.
fn upstream(certificate: &str, key: &str) -> u16 {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap().port()).unwrap();
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = service_fn(async |request: Request<Incoming>| {
                        let version = format!("{{\"spoke\": \"{:?}\"}}", request.version());
                        drop(request.into_body().collect().await);
                        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(version))))
                    });
                    let server = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    drop(server.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
    });
    told.recv_timeout(PATIENCE).unwrap()
}

#[test]
fn tls_and_http2_are_spoken_on_both_sides() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let folder = Folder::with_ledger();
    folder.write("cert.pem", &certificate);
    folder.write("key.pem", &key);
    let port = upstream(&certificate, &key);
    let tls = ["--tls-cert", "cert.pem", "--tls-key", "key.pem", "--upstream-ca", "cert.pem"];
    let proxy = Proxy::start(&folder, &format!("https://localhost:{port}"), &tls);

    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let url = format!("https://localhost:{}/predict", proxy.address.port());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let spoken = runtime.block_on(async {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(config)
            .https_only()
            .enable_all_versions()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let request =
            Request::post(url).body(Full::new(Bytes::from_static(b"{\"a\": 1}"))).unwrap();
        let response = client.request(request).await.unwrap();
        let version = response.version();
        (version, response.into_body().collect().await.unwrap().to_bytes())
    });
    assert_eq!(spoken, (Version::HTTP_2, Bytes::from_static(b"{\"spoke\": \"HTTP/2.0\"}")));
    // With it go the client's connections.
    drop(runtime);
    proxy.stop();
    let [record] = &records(&folder)[..] else { panic!("one request") };
    assert_eq!(record["parts"]["input"], serde_json::json!({"a": 1}));

    folder.run(&["proxy", "--upstream", "ftp://x"]).code(2).says("no address of an upstream");
    folder
        .run(&["proxy", "--upstream", "http://x", "--tls-cert", "key.pem", "--tls-key", "key.pem"])
        .code(2)
        .says("key.pem");
}
