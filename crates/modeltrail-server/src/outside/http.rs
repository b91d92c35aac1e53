//! Requests to others: bounded in time and answer, tried again when that may help.

use std::path::Path;
use std::time::Duration;

use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::files;

/// How often a request is tried. What is still wrong then is tried again in the next round.
const N_TRIES: u32 = 3;

/// The wait before the second try; before each further one four times as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Longest file of authorities: Mozilla's own list has 200 KiB.
const CA_FILE_BYTES_MAX: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{url}: {what}")]
pub(crate) struct HttpError {
    /// Where it was asked, without what may be secret in it.
    pub(crate) url: String,
    /// What went wrong.
    pub(crate) what: String,
}

/// An answer, whatever its status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Without parameters, in lower case; empty when none was sent.
    pub(crate) content_type: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether another try may give another answer.
    const fn is_passing(&self) -> bool {
        matches!(self.status, 408 | 429 | 500..=599)
    }

    /// The beginning of the body, for people: one line without control characters.
    pub(crate) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
    }
}

/// How something is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Method {
    Get,
    Post,
    Put,
}

/// Who asks. Connections are kept open between rounds.
#[derive(Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
}

impl Client {
    /// A client; `timeout` bounds each try as a whole. `ca_file` has the authorities to trust in
    /// place of Mozilla's, in PEM.
    ///
    /// # Errors
    /// When that file has no certificate.
    pub(crate) fn new(timeout: Duration, ca_file: Option<&Path>) -> Result<Self, String> {
        let roots = ca_file.map_or(Ok(RootCerts::WebPki), read_roots)?;
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // What is sent is for the address that was configured, and for no other.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("modeltrail/", env!("CARGO_PKG_VERSION")))
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .build();
        Ok(Self { agent: config.into() })
    }

    /// Sends a body and reads an answer of at most `bytes_max`. Tried again when nobody answers or
    /// the answer is that of a server in trouble.
    ///
    /// # Errors
    /// When nobody answers, or too much.
    pub(crate) fn send(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<Answer, HttpError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..N_TRIES {
            match self.once(method, url, content_type, body, bytes_max) {
                Ok(answer) if !answer.is_passing() => return Ok(answer),
                Ok(answer) => tracing::debug!("{}: status {}", shown(url), answer.status),
                Err(error) => tracing::debug!("{error}"),
            }
            std::thread::sleep(wait);
            wait *= 4;
        }
        self.once(method, url, content_type, body, bytes_max)
    }

    /// Reads what is at an address, at most `bytes_max`; tried again as [`Client::send`] does.
    ///
    /// # Errors
    /// When nobody answers, or too much.
    pub(crate) fn get(&self, url: &str, bytes_max: usize) -> Result<Answer, HttpError> {
        self.send(Method::Get, url, "", &[], bytes_max)
    }

    /// Sends a body, a single time.
    ///
    /// # Errors
    /// When nobody answers, or too much.
    pub(crate) fn once(
        &self,
        method: Method,
        url: &str,
        content_type: &str,
        body: &[u8],
        bytes_max: usize,
    ) -> Result<Answer, HttpError> {
        let error = |error: ureq::Error| HttpError { url: shown(url), what: error.to_string() };
        let with_body = |request: ureq::RequestBuilder<ureq::typestate::WithBody>| {
            request.content_type(content_type).send(body)
        };
        let answered = match method {
            Method::Get => self.agent.get(url).call(),
            Method::Post => with_body(self.agent.post(url)),
            Method::Put => with_body(self.agent.put(url)),
        };
        let mut response = answered.map_err(error)?;
        let status = response.status().as_u16();
        let content_type = response.body().mime_type().unwrap_or_default().to_lowercase();
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(error)?;
        Ok(Answer { status, content_type, body })
    }
}

fn read_roots(path: &Path) -> Result<RootCerts, String> {
    let at = |what: String| format!("{}: {what}", path.display());
    let read = files::read(path, CA_FILE_BYTES_MAX).map_err(|error| at(error.to_string()))?;
    let bytes = read.ok_or_else(|| at("no such file".to_owned()))?;
    let mut found: Vec<Certificate<'static>> = Vec::new();
    for item in parse_pem(&bytes) {
        if let PemItem::Certificate(certificate) = item.map_err(|error| at(error.to_string()))? {
            found.push(certificate);
        }
    }
    if found.is_empty() {
        return Err(at("holds no certificate in PEM".to_owned()));
    }
    Ok(RootCerts::from(found))
}

/// A URL without what people put there that is secret: user, password and query.
pub(crate) fn shown(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = plain.split_once("://") else { return plain.to_owned() };
    let (host, path) = rest.split_once('/').map_or((rest, None), |(host, path)| (host, Some(path)));
    let host = host.rsplit('@').next().unwrap_or_default();
    path.map_or_else(|| format!("{scheme}://{host}"), |path| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn secrets_of_an_address_are_not_shown() {
        for (url, expected) in [
            ("https://a.example/x?token=s", "https://a.example/x"),
            ("https://user:word@a.example:8/x/y#z", "https://a.example:8/x/y"),
            ("http://a.example", "http://a.example"),
            ("a.example/x?y", "a.example/x"),
        ] {
            assert_eq!(shown(url), expected);
        }
    }
}
