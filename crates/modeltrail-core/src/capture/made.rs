//! The record of a captured exchange.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::plan::Route;
use super::shape::{self, Content, Told, Understood};
use super::source::{Places, Source};
use super::{Body, Captured, Ending, Exchange};
use crate::code::Status;
use crate::limits::{ID_BYTES_MAX, NAME_BYTES_MAX};
use crate::record::{Complete, Model, Record};

/// What stands for a model's name or version that nothing said.
const UNKNOWN: &str = "unknown";

/// A body as shapes read it.
struct Plain<'a> {
    bytes: Cow<'a, [u8]>,
    is_whole: bool,
    /// The coding that could not be taken off.
    closed: Option<String>,
}

pub(super) fn record(captured: Captured) -> Record {
    let Captured { of, ending, timing } = captured;
    let exchange = &*of.exchange;
    let is_request_whole = !of.request.is_truncated() && !exchange.is_request_cut;
    // What ended early may end within a token: it is read as what was cut.
    let is_response_whole = !of.response.is_truncated() && ending == Ending::Complete;
    let request = plain(exchange, &exchange.headers, &of.request.bytes, is_request_whole);
    let response =
        plain(exchange, &exchange.response_headers, &of.response.bytes, is_response_whole);
    let told = told(exchange, &request, &response);
    let route = exchange.route();
    let mut understood = shape::understand(route.and_then(|route| route.shape), &told);
    let (record, claimed) = begin(exchange, route, &mut understood, timing.occurred_ns);
    let complete = match () {
        () if request.closed.is_some() || response.closed.is_some() => Complete::Digest,
        () if !is_request_whole || of.response.is_truncated() => Complete::Truncated,
        () => Complete::Full,
    };
    let mut capture = Map::new();
    capture.insert("shape".into(), understood.shape.into());
    capture.insert("request".into(), about_body(&of.request, &request));
    let mut of_response = about_body(&of.response, &response);
    if let Value::Object(members) = &mut of_response {
        let first_byte_ms = timing.first_byte_us.map(|us| json!(us as f64 / 1000.0));
        members.extend(first_byte_ms.map(|ms| ("first_byte_ms".to_owned(), ms)));
        members.extend(understood.n_events.map(|n| ("n_events".to_owned(), n.into())));
    }
    capture.insert("response".into(), of_response);
    if !claimed.is_empty() {
        capture.insert("claimed".into(), claimed.into());
    }
    if !understood.problems.is_empty() {
        capture.insert("problems".into(), understood.problems.clone().into());
    }
    let mut metadata = exchange.metadata.clone();
    metadata.insert("http".into(), http(exchange));
    metadata.insert("capture".into(), Value::Object(capture));
    metadata.extend(understood.usage.take().map(|usage| ("usage".to_owned(), usage)));
    let finish_reason = understood.finish_reason.take();
    metadata.extend(finish_reason.map(|reason| ("finish_reason".to_owned(), reason.into())));
    let record = record
        .metadata(Value::Object(metadata))
        .latency_us(timing.latency_us)
        .captured(exchange.mode, complete);
    let record = match understood.output.take() {
        Some(output) => record.output(output),
        None => record,
    };
    outcome(record, ending, exchange.status, understood.failure.take())
}

pub(super) fn intent(exchange: &Exchange, occurred_ns: i64) -> Record {
    let tap = exchange.request_so_far();
    let is_whole = tap.n_bytes() == u64::try_from(tap.kept().len()).unwrap_or(u64::MAX);
    let request = plain(exchange, &exchange.headers, tap.kept(), is_whole);
    let nothing = Plain { bytes: Cow::Borrowed(&[]), is_whole: true, closed: None };
    let told = told(exchange, &request, &nothing);
    let route = exchange.route();
    let mut understood = shape::understand(route.and_then(|route| route.shape), &told);
    let (record, claimed) = begin(exchange, route, &mut understood, occurred_ns);
    let mut capture = Map::new();
    capture.insert("shape".into(), understood.shape.into());
    if !claimed.is_empty() {
        capture.insert("claimed".into(), claimed.into());
    }
    let complete = if request.closed.is_some() {
        Complete::Digest
    } else if is_whole {
        Complete::Full
    } else {
        Complete::Truncated
    };
    record
        .metadata(json!({"http": http(exchange), "capture": capture}))
        .status(Status::Unknown)
        .captured(exchange.mode, complete)
}

/// What intent and record have alike, and which identities were only claimed.
fn begin(
    exchange: &Exchange,
    route: Option<&Route>,
    understood: &mut Understood,
    occurred_ns: i64,
) -> (Record, Vec<&'static str>) {
    let places = Places {
        headers: &exchange.headers,
        response_headers: &exchange.response_headers,
        path: &exchange.vars,
        query: exchange.query.as_deref(),
        body: understood.request_json.as_ref(),
        response: understood.response_json.as_ref(),
    };
    let first = |sources: &[Source]| {
        sources.iter().find_map(|source| Some((source.read(&places)?, source.clone())))
    };
    let named = |sources: fn(&Route) -> &[Source], said: &Option<String>| {
        let text = route.and_then(|route| first(sources(route))).map(|(text, _)| text);
        text.or_else(|| said.clone()).map(|text| fit(&text, NAME_BYTES_MAX))
    };
    let model = Model {
        digest: None,
        name: named(|route| &route.model, &understood.model).unwrap_or_else(|| UNKNOWN.into()),
        provider: named(|route| &route.provider, &understood.provider),
        version: named(|route| &route.version, &understood.version)
            .unwrap_or_else(|| UNKNOWN.into()),
    };
    let identity =
        |known: &Option<String>, sources: fn(&Route) -> &[Source], said: &Option<String>| {
            if let Some(known) = known {
                return Some((known.clone(), true));
            }
            let Some((text, source)) = route.and_then(|route| first(sources(route))) else {
                return said.clone().map(|text| (text, false));
            };
            let is_trusted = route.is_some_and(|route| route.trusted.contains(&source));
            Some((text, is_trusted || matches!(source, Source::Literal(_))))
        };
    let user = identity(&exchange.user_id, |route| &route.user, &understood.user);
    let subject = identity(&exchange.subject_id, |route| &route.subject, &None);
    let session = identity(&exchange.session_id, |route| &route.session, &understood.session);
    let (mut identities, mut claimed) = (Vec::new(), Vec::new());
    for (name, found, set) in [
        ("user_id", user, Record::user_id as fn(Record, String) -> Record),
        ("subject_id", subject, Record::subject_id),
        ("session_id", session, Record::session_id),
    ] {
        let Some((text, is_known)) = found else { continue };
        identities.push((set, text));
        claimed.extend((!is_known).then_some(name));
    }
    let record = Record::prediction(String::new(), String::new()).model(model);
    let record = identities
        .into_iter()
        .fold(record, |record, (set, text)| set(record, fit(&text, ID_BYTES_MAX)));
    (with_request(record, exchange, understood, occurred_ns), claimed)
}

/// What intent and record have of the request itself.
fn with_request(
    record: Record,
    exchange: &Exchange,
    understood: &mut Understood,
    occurred_ns: i64,
) -> Record {
    let mut record = record.timestamp_ns(occurred_ns);
    if let Some(address) = &exchange.client_address {
        record = record.client_address(fit(address, ID_BYTES_MAX));
    }
    if let Some(trace_id) = trace_id(&exchange.headers) {
        record = record.trace_id(trace_id);
    }
    match exchange.request_id.clone() {
        Some(id) if exchange.request_id_assigned => record.assign(|| id, || occurred_ns),
        Some(id) => record = record.request_id(fit(&id, ID_BYTES_MAX)),
        None => {}
    }
    if let Some(intent) = exchange.intent {
        record = record.outcome_of_intent(intent);
    }
    if let Some(input) = understood.input.take() {
        record = record.input(input);
    }
    if let Some(decoding) = understood.decoding.take() {
        record = record.pipeline(json!({"decoding": decoding}));
    }
    record
}

/// The request id that a place outside the bodies gives.
pub(super) fn request_id(exchange: &Exchange) -> Option<String> {
    let places = Places {
        headers: &exchange.headers,
        response_headers: &[],
        path: &exchange.vars,
        query: exchange.query.as_deref(),
        body: None,
        response: None,
    };
    exchange.route()?.request_id.iter().find_map(|source| source.read(&places))
}

/// What became of it.
fn outcome(
    record: Record,
    ending: Ending,
    status: Option<u16>,
    failure: Option<(String, String)>,
) -> Record {
    let (code, message) = match ending {
        Ending::Complete => match (failure, status) {
            (Some(failure), _) => failure,
            (None, Some(status)) if status >= 400 => {
                (format!("http_{status}"), format!("answered with status {status}"))
            }
            _ => return record.status(Status::Success),
        },
        Ending::ClientDisconnected => (
            "client_disconnected".into(),
            "whoever asked went away before the end of the answer".into(),
        ),
        Ending::UpstreamReset(what) => ("upstream_reset".into(), what),
        Ending::UpstreamUnreachable(what) => ("upstream_unreachable".into(), what),
        Ending::TimedOut => ("timed_out".into(), "no answer in time".into()),
        Ending::Failed { code, message } => (code, message),
    };
    record.status(Status::Failure).error(code, message)
}

fn told<'a>(exchange: &'a Exchange, request: &'a Plain<'_>, response: &'a Plain<'_>) -> Told<'a> {
    fn media_type(headers: &[(String, String)]) -> Option<&str> {
        header(headers, "content-type")
    }
    let content = |plain: &'a Plain<'_>, headers: &'a [(String, String)]| Content {
        media_type: media_type(headers),
        bytes: &plain.bytes,
        is_whole: plain.is_whole,
    };
    Told {
        path: &exchange.path,
        status: exchange.status,
        request: content(request, &exchange.headers),
        response: content(response, &exchange.response_headers),
    }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_str())
}

/// A body with its content codings taken off; empty where that cannot be done, since what cannot be read cannot be
/// redacted.
fn plain<'a>(
    exchange: &Exchange,
    headers: &[(String, String)],
    bytes: &'a [u8],
    is_whole: bool,
) -> Plain<'a> {
    let codings = header(headers, "content-encoding").unwrap_or_default().to_ascii_lowercase();
    let mut plain = Plain { bytes: Cow::Borrowed(bytes), is_whole, closed: None };
    if bytes.is_empty() {
        return plain;
    }
    // Applied in the order they are listed (RFC 9110, 8.4), so taken off from the last.
    let codings = codings.split(',').map(str::trim).rev();
    for coding in codings.filter(|coding| !coding.is_empty() && *coding != "identity") {
        let most = exchange.plan.body_bytes_max;
        match (exchange.plan.unpack)(coding, &plain.bytes, most) {
            Some(unpacked) => {
                plain.is_whole &= unpacked.len() < most;
                plain.bytes = Cow::Owned(unpacked);
            }
            None => {
                return Plain {
                    bytes: Cow::Borrowed(&[]),
                    is_whole: false,
                    closed: Some(coding.to_owned()),
                };
            }
        }
    }
    plain
}

/// What is said of a body beside its content.
fn about_body(body: &Body, plain: &Plain<'_>) -> Value {
    let mut about = json!({"bytes": body.n_bytes, "sha256": body.sha256.to_hex()});
    if let Value::Object(members) = &mut about {
        if body.is_truncated() {
            members.insert("kept_bytes".into(), body.bytes.len().into());
        }
        if let Some(coding) = &plain.closed {
            members.insert("content_coding".into(), coding.as_str().into());
        }
    }
    about
}

fn http(exchange: &Exchange) -> Value {
    let mut http = Map::new();
    http.insert("method".into(), exchange.method.as_str().into());
    http.insert("path".into(), exchange.path.as_str().into());
    http.extend(exchange.status.map(|status| ("status".to_owned(), status.into())));
    for (name, headers) in
        [("request_headers", &exchange.headers), ("response_headers", &exchange.response_headers)]
    {
        let recorded: Map<String, Value> = headers
            .iter()
            .filter(|(at, _)| exchange.plan.recorded_headers.contains(at))
            .map(|(at, value)| (at.clone(), value.as_str().into()))
            .collect();
        if !recorded.is_empty() {
            http.insert(name.into(), recorded.into());
        }
    }
    Value::Object(http)
}

/// The trace of a `traceparent` (W3C Trace Context, 3.2): version, trace id, parent id, flags.
fn trace_id(headers: &[(String, String)]) -> Option<String> {
    let id = header(headers, "traceparent")?.split('-').nth(1)?;
    let is_id = id.len() == 32
        && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        && id.bytes().any(|b| b != b'0');
    is_id.then(|| id.to_owned())
}

/// A text that somebody sent, so that a record takes it: without control characters, and cut at a length.
fn fit(text: &str, bytes_max: usize) -> String {
    let mut fitted: String =
        text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if fitted.len() > bytes_max {
        let end = (0..=bytes_max).rev().find(|at| fitted.is_char_boundary(*at)).unwrap_or(0);
        fitted.truncate(end);
    }
    if fitted.trim().is_empty() { UNKNOWN.to_owned() } else { fitted }
}
