//! Any bytes as JSON: no panic, an error or valid JSON with as many members and items, and nothing left
//! for a second pass.

#![no_main]

use libfuzzer_sys::fuzz_target;
use modeltrail_core::redact::Redactor;
use serde_json::Value;

/// The number of members and of items, at every depth.
fn size(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(|value| 1 + size(value)).sum(),
        Value::Array(items) => items.iter().map(|value| 1 + size(value)).sum(),
        _ => 0,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let redactor = Redactor::default();
    // Whatever it is, it is answered.
    let _ = redactor.redact_json(bytes);
    // The promises are about canonical JSON, so what can be read is written so.
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return };
    let json = value.to_string();
    if let Ok(Some((masked, counts))) = redactor.redact_json(json.as_bytes()) {
        assert!(!counts.is_empty(), "masked, and nothing counted");
        let read: Value = serde_json::from_slice(&masked).expect("what is written is JSON");
        assert_eq!(size(&read), size(&value), "a path is lost");
        assert_eq!(redactor.redact_json(&masked), Ok(None), "a second pass masks more");
    }
});
