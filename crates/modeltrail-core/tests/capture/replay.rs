//! A transcript through an exchange, as a way in would feed it.

use modeltrail_core::capture::{CaptureConfig, Ending, Timing};
use modeltrail_core::hash::MacKey;
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Limits, Record};
use serde_json::{Map, Value};

/// The record of a transcript whose bodies come whole.
pub(crate) fn whole(fixture: &Value) -> Value {
    replay(fixture, usize::MAX)
}

/// The record of a transcript whose bodies come in pieces of so many bytes.
pub(crate) fn replay(fixture: &Value, n_bytes: usize) -> Value {
    let config = fixture.get("config").map_or_else(|| "{}".to_owned(), Value::to_string);
    let plan = CaptureConfig::from_json(&config).unwrap().plan().unwrap();
    let text = |name: &str| fixture[name].as_str().unwrap();
    let (path, query) =
        text("path").split_once('?').map_or((text("path"), None), |(p, q)| (p, Some(q)));
    let mut exchange = plan.begin(text("method"), path, query).unwrap();
    let (request, response) = (&fixture["request"], &fixture["response"]);
    for (name, value) in request["headers"].as_object().unwrap() {
        exchange.request_header(name, value.as_str().unwrap().as_bytes());
    }
    for piece in body(request).chunks(n_bytes.min(1 << 20)) {
        exchange.request_bytes(piece);
    }
    if let Some(status) = response["status"].as_u64() {
        exchange.response_status(u16::try_from(status).unwrap());
    }
    for (name, value) in response["headers"].as_object().unwrap() {
        exchange.response_header(name, value.as_str().unwrap().as_bytes());
    }
    for piece in body(response).chunks(n_bytes.min(1 << 20)) {
        exchange.response_bytes(piece);
    }
    let ending = match fixture["ending"].as_str() {
        None => Ending::Complete,
        Some("client_disconnected") => Ending::ClientDisconnected,
        Some("upstream_reset") => Ending::UpstreamReset("connection reset by peer".to_owned()),
        Some(other) => panic!("{other}"),
    };
    let timing = Timing { occurred_ns: 0, latency_us: 1500, first_byte_us: Some(250) };
    seen(exchange.end(ending, timing, || "assigned".to_owned()).into_record())
}

/// Text, JSON, or the lines of a stream.
fn body(message: &Value) -> Vec<u8> {
    match &message["body"] {
        Value::Null => Vec::new(),
        Value::String(text) => text.clone().into_bytes(),
        Value::Array(lines) => lines
            .iter()
            .map(|line| line.as_str().unwrap().to_owned() + "\n")
            .collect::<String>()
            .into_bytes(),
        object => object.to_string().into_bytes(),
    }
}

/// What the record holds once it is redacted, without what differs from run to run or is told elsewhere.
fn seen(record: Record) -> Value {
    let key = MacKey::new([7; 32]);
    let context = CaptureContext {
        redactor: &Redactor::default(),
        mac_key: &key,
        limits: &Limits::default(),
        mode: "api",
    };
    record.check().unwrap();
    let redacted = Redacted::new(record, &context).unwrap();
    let mut seen = Map::new();
    for part in redacted.parts() {
        let mut value: Value = match serde_json::from_slice(&part.bytes) {
            Ok(value) => value,
            Err(_) => String::from_utf8_lossy(&part.bytes).into_owned().into(),
        };
        if let Value::Object(members) = &mut value {
            for name in
                ["policy", "submitted_mac", "input_mac", "pipeline_digest", "occurred_at", "kind"]
            {
                members.remove(name);
            }
        }
        seen.insert(part.id.name().to_owned(), value);
    }
    Value::Object(seen)
}
