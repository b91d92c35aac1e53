//! Records: what is taken, what is refused and how, and what becomes of them.

use std::sync::Arc;

use super::*;
use crate::code::{Encoding, PartId};
use crate::hash::MacKey;
use crate::lookup::Lookup;
use crate::redact::rules::RedactionPolicy;
use crate::redact::{Detector, DetectorError, DetectorSpan, DetectorText, Redactor, Rule};
use crate::{Frame, Limits};

fn parse(json: &str) -> Result<Record, RecordError> {
    Record::from_json(json.as_bytes(), &Limits::default())
}

fn redacted(record: Record) -> Redacted<Record> {
    redacted_by(&Redactor::default(), record)
}

fn redacted_by(redactor: &Redactor, record: Record) -> Redacted<Record> {
    let mut record = record;
    record.assign(|| "assigned".into(), || 1_700_000_000_123_456_789);
    let context = CaptureContext {
        redactor,
        mac_key: &MacKey::new([7; 32]),
        limits: &Limits::default(),
        mode: "api",
    };
    Redacted::new(record, &context).unwrap()
}

fn part(redacted: &Redacted<Record>, id: PartId) -> Option<String> {
    let part = redacted.parts().iter().find(|part| part.id == id)?;
    Some(String::from_utf8(part.bytes.clone()).unwrap())
}

const FULL: &str = r#"{
  "request_id": "r-1", "timestamp": "2026-03-15T10:30:00.5+01:00", "kind": "prediction",
  "model": {"name": "fraud_detector", "version": "v3.2.1", "digest": "sha256:00", "provider": "own"},
  "input": {"z": 12345678901234567890, "amount": 1250.00}, "output": {"prediction": "legitimate"},
  "user_id": "jane", "subject_id": "s1", "session_id": "c1", "trace_id": "t1",
  "client_address": "10.0.0.1", "latency_ms": 23.5, "status": "success",
  "error": {"code": "none", "message": "call 555-123-4567"},
  "pipeline": {"seed": 1}, "links": [{"rel": "reviews", "request_id": "r-0"}],
  "metadata": {"region": "eu"}
}"#;

#[test]
fn every_field_finds_its_part() {
    let redacted = redacted(parse(FULL).unwrap());
    let of = |id| part(&redacted, id).unwrap();
    assert_eq!(of(PartId::Input), r#"{"amount":1250,"z":12345678901234567890}"#);
    assert_eq!(of(PartId::Output), r#"{"prediction":"legitimate"}"#);
    assert_eq!(of(PartId::Error), r#"{"code":"none","message":"call [PHONE]"}"#);
    assert_eq!(of(PartId::Metadata), r#"{"region":"eu"}"#);
    let header: serde_json::Value = serde_json::from_str(&of(PartId::Header)).unwrap();
    assert_eq!(header["occurred_at"], "2026-03-15T09:30:00.500000000Z");
    assert_eq!(header["latency_us"], 23_500);
    assert_eq!(header["model"]["digest"], "sha256:00");
    assert_eq!(header["redactions"], serde_json::json!({"error": {"phone": 1}}));
    assert_eq!(header.get("assigned"), None);
    let parties: serde_json::Value = serde_json::from_str(&of(PartId::Parties)).unwrap();
    assert_eq!(parties["links"][0]["rel"], "reviews");
    let expected = MacKey::new([7; 32]).mac(&[of(PartId::Input).as_bytes()]).to_hex();
    assert_eq!(parties["input_mac"], serde_json::Value::String(expected));
}

/// Gives no answer about texts that ask for that.
struct Silent;

impl Detector for Silent {
    fn name(&self) -> &str {
        "silent"
    }

    fn version(&self) -> &str {
        "1"
    }

    fn find(&self, texts: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError> {
        if texts.iter().any(|text| text.text == "fail") { Err(DetectorError) } else { Ok(vec![]) }
    }
}

#[test]
fn a_part_that_cannot_be_redacted_is_left_out_with_the_reason_and_the_others_stay() {
    let redactor = Redactor::default().with_detector(Arc::new(Silent));
    let json = r#"{"model":{"name":"m","version":"1"},"input":["fail","4111111111111111"],"output":["jo@example.com"]}"#;
    let redacted = redacted_by(&redactor, parse(json).unwrap());
    let of = |id| part(&redacted, id).unwrap();
    assert_eq!(of(PartId::Input), r#""[REDACTION_FAILED]""#);
    assert_eq!(of(PartId::Output), r#"["[EMAIL]"]"#);
    let header: serde_json::Value = serde_json::from_str(&of(PartId::Header)).unwrap();
    let expected =
        serde_json::json!({"input": {"failed": 1, "failed_detector": 1}, "output": {"email": 1}});
    assert_eq!(header["redactions"], expected);
}

#[test]
fn a_policy_holds_for_its_model_and_part() {
    let text = "version = 1\nname = 'p'\n[[deny]]\nkeys = ['note']\nmodels = ['fraud*']\nparts = ['output']\ntype = 'note'\n";
    let policy = RedactionPolicy::parse(text, &Rule::TYPES).unwrap();
    let redactor = Redactor::with_policy(policy, None);
    for (model, output) in [("fraud_2", r#"{"note":"[NOTE]"}"#), ("other", r#"{"note":"x"}"#)] {
        let json = format!(
            r#"{{"model":{{"name":"{model}","version":"1"}},"input":{{"note":"x"}},"output":{{"note":"x"}}}}"#
        );
        let redacted = redacted_by(&redactor, parse(&json).unwrap());
        assert_eq!(part(&redacted, PartId::Input).unwrap(), r#"{"note":"x"}"#);
        assert_eq!(part(&redacted, PartId::Output).unwrap(), output);
    }
}

#[test]
fn header_and_parties_are_canonical_as_they_are_written() {
    let redacted = redacted(parse(FULL).unwrap());
    for part in redacted.parts() {
        let canonical = crate::canonical::canonicalize(&part.bytes, &Limits::default()).unwrap();
        assert_eq!(canonical, part.bytes, "{}", part.id);
    }
    assert!(redacted.parts().windows(2).all(|pair| pair[0].id < pair[1].id));
}

#[test]
fn the_seed_documents_names_are_aliases() {
    let flat = r#"{"event":"ai_prediction","request_id":"r","model_name":"m","model_version":"v1",
        "input_data":{"a":1},"output_data":{"label":"x"},"timestamp":"2026-03-15T09:30:00Z","metadata":null,"user_id":null}"#;
    let nested = r#"{"request_id":"r","model":{"version":"v1","name":"m"},
        "output":{"label":"x"},"input":{"a":1.0},"timestamp":"2026-03-15T10:30:00+01:00"}"#;
    let parts = |json| redacted(parse(json).unwrap()).parts().to_vec();
    assert_eq!(parts(flat), parts(nested), "the same record, and compared as the same");
}

#[test]
fn refusals_give_pointer_reason_and_remedy() {
    let ok = r#""model":{"name":"m","version":"1"}"#;
    let cases: &[(&str, &str, &str)] = &[
        (r#"{"input":1}"#, "/model", "required"),
        (r#"{"model":{"name":"","version":"1"}}"#, "/model/name", "empty"),
        (r#"{"model_name":"","model_version":"1"}"#, "/model_name", "empty"),
        ("\u{feff}{}", "", "byte order mark"),
        (r#"{"model":{"name":"m","version":" "}}"#, "/model/version", "empty"),
        (r#"{"model_name":"m"}"#, "/model_version", "required"),
        (
            r#"{"model_name":"m","model_version":"1","model":{"name":"m","version":"1"}}"#,
            "/model",
            "twice",
        ),
        (r#"{"model":{"name":"m","version":"1","weights":2}}"#, "/model", "is not"),
        (r#"{"model":{"name":"m","version":1}}"#, "/model", "is not"),
        (r#"{OK,"index":1}"#, "/index", "set by the ledger"),
        (r#"{OK,"prev":"x"}"#, "/prev", "set by the ledger"),
        (r#"{OK,"leaf":"x"}"#, "/leaf", "set by the ledger"),
        (r#"{OK,"recorded_at":"x"}"#, "/recorded_at", "set by the ledger"),
        (r#"{OK,"input_hash":"x"}"#, "/input_hash", "computed"),
        (r#"{OK,"colour":"red"}"#, "/colour", "no field"),
        (r#"{OK,"jane.doe@example.com":1}"#, "/[EMAIL]", "no field"),
        (r#"{OK,"kind":"gap"}"#, "/kind", "written by modeltrail itself"),
        (r#"{OK,"kind":"guess"}"#, "/kind", "known names"),
        (r#"{OK,"status":"maybe"}"#, "/status", "known names"),
        (r#"{OK,"timestamp":"2026-03-15 nine"}"#, "/timestamp", "RFC 3339"),
        (r#"{OK,"timestamp":"2026-03-15T09:30:00"}"#, "/timestamp", "RFC 3339"),
        (r#"{OK,"timestamp":5}"#, "/timestamp", "a string"),
        (r#"{OK,"latency_ms":-1}"#, "/latency_ms", "no number"),
        (r#"{OK,"latency_ms":"5"}"#, "/latency_ms", "no number"),
        (r#"{OK,"latency_ms":1e300}"#, "/latency_ms", "no number"),
        (r#"{OK,"latency_ms":NaN}"#, "/latency_ms", "no JSON number"),
        (r#"{OK,"input":{"x":[0,NaN]}}"#, "/input/x/1", "no JSON number"),
        (r#"{OK,"input":{"a":1,"a":2}}"#, "/input/a", "twice"),
        (r#"{OK,"input":1,"input":2}"#, "/input", "twice"),
        (r#"{OK,"input":1,"input_data":2}"#, "/input_data", "twice"),
        (r#"{OK,"input":"\ud800"}"#, "/input", "lone surrogate"),
        (r#"{OK,"input":1,"input_base64":"AA=="}"#, "/input_base64", "beside"),
        (r#"{OK,"output_base64":"A"}"#, "/output_base64", "base64"),
        (r#"{OK,"input_media_type":"text/plain"}"#, "/input_media_type", "without"),
        (r#"{OK,"metadata":[1]}"#, "/metadata", "an object"),
        (r#"{OK,"pipeline":"x"}"#, "/pipeline", "an object"),
        (r#"{OK,"links":[{"rel":"likes","request_id":"r"}]}"#, "/links/0/rel", "known names"),
        (r#"{OK,"links":[{"rel":"reviews","request_id":""}]}"#, "/links/0/request_id", "empty"),
        (r#"{OK,"request_id":""}"#, "/request_id", "empty"),
        (r#"{OK,"user_id":"a\nb"}"#, "/user_id", "control character"),
        (r#"[1]"#, "", "an object"),
        (r#""#, "", "ends here"),
    ];
    for (json, pointer, reason) in cases {
        let json = json.replace("OK", ok);
        let error = parse(&json).unwrap_err();
        assert_eq!(error.pointer, *pointer, "{json}: {error}");
        assert!(error.reason.contains(reason), "{json}: {error}");
        assert!(!error.remedy.is_empty(), "{json}");
    }
    let long = format!(r#"{{{ok},"request_id":"{}"}}"#, "x".repeat(129));
    assert!(parse(&long).unwrap_err().reason.contains("longer than 128 bytes"));
    assert!(parse(&long.replace(&"x".repeat(129), &"x".repeat(128))).is_ok());
}

#[test]
fn depth_size_and_bytes_at_their_limits() {
    let with_depth = |n: usize| {
        // The record itself is one level.
        let (open, close) = ("[".repeat(n - 1), "]".repeat(n - 1));
        parse(&format!(r#"{{"model_name":"m","model_version":"1","input":{open}{close}}}"#))
    };
    assert!(with_depth(128).is_ok());
    assert!(with_depth(129).unwrap_err().reason.contains("deeper than 128"));
    let of_size = |n: usize| {
        let frame = r#"{"model_name":"m","model_version":"1","input":""}"#;
        let text = frame.replace("\"\"", &format!("\"{}\"", "x".repeat(n - frame.len())));
        parse(&text)
    };
    assert!(of_size(16 << 20).is_ok());
    let error = of_size((16 << 20) + 1).unwrap_err();
    assert!(error.reason.contains("larger than 16777216 bytes"), "{error}");
    assert!(parse("{\"input\": \"\u{0}\"}").is_err());
    let bad_utf8 = Record::from_json(b"{\"input\":\"\xff\"}", &Limits::default()).unwrap_err();
    assert!(bad_utf8.reason.contains("invalid UTF-8"), "{bad_utf8}");
}

#[test]
fn bytes_that_are_no_json_stay_bytes() {
    let json = r#"{"model_name":"m","model_version":"1","input_base64":"AP8=","input_media_type":"image/png",
        "output_base64":"bWFpbCBqYW5lLmRvZUBleGFtcGxlLmNvbQ=="}"#;
    let redacted = redacted(parse(json).unwrap());
    let find = |id| redacted.parts().iter().find(|part| part.id == id).unwrap();
    assert_eq!(
        (find(PartId::Input).encoding, find(PartId::Input).bytes.as_slice()),
        (Encoding::Raw, &[0, 255][..])
    );
    assert_eq!(part(&redacted, PartId::Output).unwrap(), "mail [EMAIL]");
    let header: serde_json::Value = serde_json::from_slice(&find(PartId::Header).bytes).unwrap();
    assert_eq!(header["input_media_type"], "image/png");
    assert_eq!(header["output_media_type"], "application/octet-stream");
}

#[test]
fn builder_and_text_give_the_same_parts() {
    let built = Record::prediction("fraud_detector", "v3.2.1")
        .request_id("r-1")
        .input(serde_json::json!({"amount": 1250.0, "b": [true, null]}))
        .output(serde_json::value::to_raw_value(&serde_json::json!({"label": "x"})).unwrap())
        .latency_ms(23.5)
        .link("reviews", "r-0");
    let text = r#"{"request_id":"r-1","model_name":"fraud_detector","model_version":"v3.2.1",
        "input":{"b":[true,null],"amount":1250},"output":{"label":"x"},"latency_ms":23.50,
        "links":[{"rel":"reviews","request_id":"r-0"}]}"#;
    assert_eq!(redacted(built).parts(), redacted(parse(text).unwrap()).parts());
}

#[test]
fn a_builder_refuses_what_the_text_refuses() {
    let ok = || Record::prediction("m", "1");
    assert!(ok().latency_ms(f64::NAN).check().is_err());
    assert!(ok().latency_ms(-0.1).check().is_err());
    assert!(ok().request_id("").check().is_err());
    assert!(ok().link("likes", "r").check().is_err());
    assert!(Record::new(Kind::Gap).check().is_err());
    assert!(Record::new(Kind::Oversight).check().is_ok(), "needs no model");
    let limits = Limits { record_bytes_max: 100, ..Limits::default() };
    assert!(ok().input(serde_json::Value::from("x".repeat(99))).check_size(&limits).is_err());
    assert!(ok().input(serde_json::Value::from("x".repeat(97))).check_size(&limits).is_ok());
}

#[test]
fn latencies_become_whole_microseconds() {
    for (text, us) in [
        ("0", Some(0)),
        ("23.5", Some(23_500)),
        ("0.0005", Some(1)),
        ("0.00049", Some(0)),
        ("1.2345678", Some(1_235)),
        ("1e3", Some(1_000_000)),
        ("12.3e-1", Some(1_230)),
        ("9007199254740.992", Some(1 << 53)),
        ("9007199254740.993", None),
        ("-1", None),
        ("", None),
        ("1e99999999999999999999", None),
        ("0e5", Some(0)),
        ("4.9e-324", Some(0)),
    ] {
        assert_eq!(parse::microseconds(text), us, "{text}");
    }
}

#[test]
fn what_was_submitted_is_compared_without_what_was_assigned() {
    let mac = |record: Record| {
        let redacted = redacted(record);
        let parties = part(&redacted, PartId::Parties).unwrap();
        let parties: serde_json::Value = serde_json::from_str(&parties).unwrap();
        parties["submitted_mac"].as_str().unwrap().to_owned()
    };
    let base = || Record::prediction("m", "1").request_id("r").input(serde_json::json!({"a": 1}));
    assert_eq!(mac(base()), mac(base()));
    let others = [
        base().timestamp_ns(1),
        base().input(serde_json::json!({"a": 2})),
        base().output(serde_json::json!(null)),
        base().user_id("u"),
        base().subject_id("u"),
        base().latency_ms(1.0),
        base().status(Status::Success),
        base().error("a", "b"),
        base().metadata(serde_json::json!({})),
        Record::prediction("m", "2").request_id("r").input(serde_json::json!({"a": 1})),
    ];
    let macs: std::collections::BTreeSet<_> = others.into_iter().map(mac).collect();
    assert_eq!(macs.len(), 10, "each field counts, and in its own place");
    assert!(!macs.contains(&mac(base())));
    // Different inputs that redaction makes alike are still told apart.
    let secret = |mail: &str| mac(base().input(serde_json::json!({"mail": mail})));
    assert_ne!(secret("jane.doe@example.com"), secret("john.doe@example.com"));
}

#[test]
fn a_frame_comes_back_and_no_cut_or_changed_one_panics() {
    let redacted = redacted(parse(FULL).unwrap());
    let frame = Frame::new(redacted, [1; 16], [2; 32]);
    let bytes = frame.encode();
    assert_eq!(Frame::decode(&bytes), Ok(frame));
    for cut in 0..bytes.len() {
        assert!(Frame::decode(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Frame::decode(&longer).is_err());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x55;
        // Frames carry no checksum of their own; the queue's does that. Reading must not panic.
        drop(Frame::decode(&changed));
    }
}

#[test]
fn lookup_columns_derive_from_the_parts() {
    let redacted = redacted(parse(FULL).unwrap());
    let lookup =
        Lookup::derive(Kind::Prediction, redacted.parts().iter().map(Part::as_ref)).unwrap();
    assert_eq!(lookup.request_id.as_deref(), Some("r-1"));
    assert_eq!(lookup.label.as_deref(), Some("legitimate"));
    assert_eq!(lookup.latency_us, Some(23_500));
    assert_eq!(lookup.time_ns, 1_773_567_000_500_000_000);
    let input = part(&redacted, PartId::Input).unwrap();
    assert_eq!(lookup.input_hash, Some(crate::hash::sha256(&[input.as_bytes()])));
    assert!(lookup.input_mac.is_some());
}

#[test]
fn unread_text_is_read_as_strictly_as_any_other() {
    let of =
        |text: &str| Record::prediction("m", "1").input(Payload::unread(text.as_bytes().to_vec()));
    let input = |record: Record| {
        let parts = redacted(record).into_parts();
        parts.into_iter().find(|part| part.id == PartId::Input).map(|part| part.bytes)
    };
    assert_eq!(input(of(r#"{"b": 1.10, "a": 2}"#)).unwrap(), br#"{"a":2,"b":1.1}"#);
    let context = CaptureContext {
        redactor: &Redactor::default(),
        mac_key: &MacKey::new([7; 32]),
        limits: &Limits::default(),
        mode: "api",
    };
    for bad in [r#"{"a":1,"a":2}"#, "{", "\"\\ud800\"", ""] {
        let mut record = of(bad);
        record.assign(|| "assigned".into(), || 0);
        assert_eq!(
            Redacted::new(record, &context).unwrap_err().pointer.get(..6),
            Some("/input"),
            "{bad}"
        );
    }
}
