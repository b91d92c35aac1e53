//! Configurations, and what an exchange takes from them.

use super::*;
use crate::record::Record;

fn plan(toml: &str) -> Plan {
    CaptureConfig::from_toml(toml).unwrap().plan().unwrap()
}

fn ended(mut exchange: Exchange, request: &str, status: u16, response: &str) -> Record {
    exchange.request_header("content-type", b"application/json");
    exchange.request_bytes(request.as_bytes());
    exchange.response_status(status);
    exchange.response_header("content-type", b"application/json");
    exchange.response_bytes(response.as_bytes());
    exchange
        .end(
            Ending::Complete,
            Timing { occurred_ns: 1, latency_us: 7, first_byte_us: Some(3) },
            || "assigned".to_owned(),
        )
        .into_record()
}

#[test]
fn names_come_from_path_header_body_and_config() {
    let plan = plan(
        r#"
        [defaults]
        user = ["header:x-user-id", "body:/user"]
        trusted = ["header:x-user-id"]
        [[route]]
        path = "/v1/models/{model}:predict"
        model = "path:model"
        version = ["header:x-version", "v0"]
        "#,
    );
    let exchange = plan.begin("POST", "/v1/models/fraud%20one:predict", None).unwrap();
    let record = ended(exchange, r#"{"user": "u1", "x": 1}"#, 200, r#"{"y": 2}"#);
    record.check().unwrap();
    let model = record.model.as_ref().unwrap();
    assert_eq!((model.name.as_str(), model.version.as_str()), ("fraud one", "v0"));
    assert_eq!(record.user_id.as_deref(), Some("u1"));
    assert!(plan.begin("GET", "/v1/models/a:predict", None).is_none());
    assert!(plan.begin("POST", "/v1/models/a/b:predict", None).is_none());
    assert!(plan.begin("POST", "/v1/models/:predict", None).is_none());
}

#[test]
fn a_configuration_is_refused_with_everything_that_is_wrong_in_it() {
    let config = CaptureConfig::from_toml(
        r#"
        record_headers = ["Authorization"]
        [[route]]
        path = "v1"
        shape = "soap"
        capture = "never"
        model = "path:model"
        user = "header:cookie"
        "#,
    )
    .unwrap();
    let problems = config.plan().unwrap_err();
    assert_eq!(problems.len(), 6, "{problems:#?}");
    assert!(CaptureConfig::from_toml("modle = 'x'").is_err());
    assert!(CaptureConfig::from_toml("[[route]]\nmodle = 'x'").is_err());
}
