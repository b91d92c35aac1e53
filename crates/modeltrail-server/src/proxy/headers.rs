//! Headers on their way: those of one connection stay on it (RFC 9110, 7.6.1), and what the proxy adds.

use std::net::SocketAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, HOST, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};
use http::{HeaderMap, Version};

/// Headers of one connection.
const HOP_BY_HOP: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a request's framing is refused: servers behind the proxy could read it in another way than the proxy.
pub(super) fn ambiguous(headers: &HeaderMap, version: Version) -> Option<&'static str> {
    let n_lengths = headers.get_all(CONTENT_LENGTH).iter().count();
    let codings: Vec<&HeaderValue> = headers.get_all(TRANSFER_ENCODING).iter().collect();
    if n_lengths > 0 && !codings.is_empty() {
        return Some("has both Content-Length and Transfer-Encoding");
    }
    if n_lengths > 1 {
        return Some("has more than one Content-Length");
    }
    if version >= Version::HTTP_2 && !codings.is_empty() {
        return Some("has Transfer-Encoding, which HTTP/2 does not know");
    }
    let is_chunked = |value: &&HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if codings.len() > 1 || !codings.iter().all(is_chunked) {
        return Some("has a Transfer-Encoding other than chunked");
    }
    (headers.get_all(HOST).iter().count() > 1).then_some("has more than one Host")
}

/// Takes away the headers of one connection, those that `Connection` names among them. `TE: trailers` stays, as it asks
/// for what the proxy passes on.
pub(super) fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let wants_trailers = headers
        .get_all(TE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|coding| coding.trim().eq_ignore_ascii_case("trailers"));
    for name in HOP_BY_HOP {
        headers.remove(*name);
    }
    for name in named {
        headers.remove(name);
    }
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// The protocol that a request asks to go over to.
pub(super) fn upgrade(headers: &HeaderMap) -> Option<HeaderValue> {
    let names = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let asks = names
        .flat_map(|value| value.split(','))
        .any(|name| name.trim().eq_ignore_ascii_case("upgrade"));
    asks.then(|| headers.get(UPGRADE).cloned()).flatten()
}

/// Puts the wish for another protocol back, which is of the next connection too.
pub(super) fn put_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// Says where the request came from, as proxies do.
pub(super) fn forwarded(
    headers: &mut HeaderMap,
    client: SocketAddr,
    host: Option<&str>,
    is_tls: bool,
    version: Version,
) {
    append(headers, "x-forwarded-for", &client.ip().to_string());
    if !headers.contains_key("x-forwarded-proto") {
        append(headers, "x-forwarded-proto", if is_tls { "https" } else { "http" });
    }
    if let Some(host) = host.filter(|_| !headers.contains_key("x-forwarded-host")) {
        append(headers, "x-forwarded-host", host);
    }
    let version = if version >= Version::HTTP_2 { "2" } else { "1.1" };
    append(headers, VIA.as_str(), &format!("{version} modeltrail"));
}

/// Adds to a header that is a list.
fn append(headers: &mut HeaderMap, name: &'static str, value: &str) {
    let there: Vec<&str> =
        headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    let joined =
        if there.is_empty() { value.to_owned() } else { format!("{}, {value}", there.join(", ")) };
    if let Ok(value) = HeaderValue::from_str(&joined) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
