//! What a filter reads of a header and of parties: less than a whole header, so that headers of a later version
//! are judged alike.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::LINE_BYTES_MAX;
use crate::canonical::canonicalize;
use crate::code::Encoding;
use crate::limits::Limits;
use crate::time::{format_rfc3339, parse_rfc3339};

/// The members of a header that a filter asks for; a member that is there and is not of the form that
/// it must have counts as not there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct HeaderView<'a> {
    /// When it occurred, as it stands there.
    pub occurred_at: Option<Cow<'a, str>>,
    /// Its status.
    pub status: Option<Cow<'a, str>>,
    /// Name of the model.
    pub model_name: Option<Cow<'a, str>>,
    /// Version of the model.
    pub model_version: Option<Cow<'a, str>>,
    /// Whether it is JSON, an object, and has `kind` and `occurred_at`.
    pub is_regular: bool,
}

/// The form that every header has that this program writes; read without copying.
#[derive(Deserialize)]
struct Usual<'a> {
    #[serde(borrow)]
    occurred_at: Cow<'a, str>,
    /// Only that it is there and a text counts.
    #[serde(borrow, rename = "kind")]
    _kind: Cow<'a, str>,
    #[serde(borrow, default)]
    status: Option<Cow<'a, str>>,
    /// A map, as a list is no model.
    #[serde(default)]
    model: Option<BTreeMap<String, Value>>,
}

impl<'a> HeaderView<'a> {
    /// Reads the part `header`.
    #[must_use]
    pub fn read(encoding: u8, bytes: &'a [u8]) -> Self {
        if !is_json(encoding, bytes) || !is_object(bytes) {
            return Self::default();
        }
        if let Ok(Usual { occurred_at, status, model, _kind }) = serde_json::from_slice(bytes) {
            let of_model = |name| match model.as_ref()?.get(name)? {
                Value::String(text) => Some(Cow::Owned(text.clone())),
                _ => None,
            };
            let (model_name, model_version) = (of_model("name"), of_model("version"));
            let occurred_at = Some(occurred_at).filter(|text| is_time(text));
            let is_regular = occurred_at.is_some();
            return Self { occurred_at, status, model_name, model_version, is_regular };
        }
        Self::read_unusual(bytes)
    }

    /// A header of another form: whatever of it can be had.
    fn read_unusual(bytes: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Self::default() };
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).map(|text| Cow::Owned(text.to_owned()))
        };
        let of_model = |name| value.get("model").and_then(|model| text(model, name));
        let occurred_at = text(&value, "occurred_at").filter(|text| is_time(text));
        let is_regular = occurred_at.is_some() && text(&value, "kind").is_some();
        Self {
            occurred_at,
            status: text(&value, "status"),
            model_name: of_model("name"),
            model_version: of_model("version"),
            is_regular,
        }
    }
}

/// Whether a text is a time as headers have it: in UTC, with nine digits after the second and `Z`.
pub(super) fn is_time(text: &str) -> bool {
    parse_rfc3339(text).is_ok_and(|time_ns| format_rfc3339(time_ns) == text)
}

/// The member of a part `parties`, if it is a text.
pub(super) fn party(encoding: u8, bytes: &[u8], name: &str) -> Option<String> {
    if !is_json(encoding, bytes) {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

/// Whether a text that is JSON is an object. Without this a list of the right length would be read as one.
#[must_use]
pub(super) fn is_object(json: &[u8]) -> bool {
    json.trim_ascii_start().starts_with(b"{")
}

/// Whether a part is labelled JSON and is it, in the narrow sense that records have: what a line can
/// hold as it is, and every reader reads alike.
#[must_use]
pub(super) fn is_json(encoding: u8, bytes: &[u8]) -> bool {
    // Numbers are written out to be judged, which canonical bytes do not grow by.
    let limits = Limits { record_bytes_max: 2 * LINE_BYTES_MAX, depth_max: 128 };
    encoding == Encoding::Json.code()
        && !bytes.iter().any(|byte| *byte < 0x20)
        && canonicalize(bytes, &limits).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_far_as_a_filter_asks() {
        let read = |text: &'static str| {
            let view = HeaderView::read(1, text.as_bytes());
            (view.occurred_at.is_some(), view.model_name, view.status.is_some(), view.is_regular)
        };
        let usual = r#"{"kind":"k","model":{"name":"m","version":"1"},"occurred_at":"2026-01-01T00:00:00.000000000Z","status":"s"}"#;
        assert_eq!(read(usual), (true, Some("m".into()), true, true));
        let odd =
            r#"{"kind":"k","model":[1],"occurred_at":"2026-01-01T00:00:00.000000000Z","status":7}"#;
        assert_eq!(read(odd), (true, None, false, true));
        let half = r#"{"model":{"name":"m"},"occurred_at":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(read(half), (false, Some("m".into()), false, false));
        let nothing = (false, None, false, false);
        for none in ["[]", "", "{\"kind\":\"k\"}\n", r#"{"status":"s","status":"s"}"#] {
            assert_eq!(read(none), nothing, "{none}");
        }
        assert_eq!(HeaderView::read(2, usual.as_bytes()), HeaderView::default(), "labelled raw");
        assert_eq!(party(1, br#"{"user_id":"u","subject_id":3}"#, "user_id"), Some("u".into()));
        assert_eq!(party(1, br#"{"user_id":"u","subject_id":3}"#, "subject_id"), None);
    }

    #[test]
    fn json_is_what_every_reader_reads_alike() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        for json in ["1e400", "123456789012345678901234567890", "\"\\ud83d\\ude00\"", &deep(128)] {
            assert!(is_json(1, json.as_bytes()), "{json}");
        }
        for none in ["NaN", "{\"a\":1,\"a\":1}", "\"\\ud800\"", "[1]\n", "", &deep(129)] {
            assert!(!is_json(1, none.as_bytes()), "{none}");
        }
        assert!(!is_json(1, b"\"\xff\"") && !is_json(2, b"1"));
    }
}
