//! What a filter reads of a header and of parties: less than a whole header, so that headers of a later version
//! are judged alike.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::code::Encoding;

/// The members of a header that a filter asks for. A member that is there and is no text counts as
/// not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderView<'a> {
    /// When it occurred, as it stands there.
    pub occurred_at: Cow<'a, str>,
    /// Its status.
    pub status: Option<Cow<'a, str>>,
    /// Name of the model.
    pub model_name: Option<Cow<'a, str>>,
    /// Version of the model.
    pub model_version: Option<Cow<'a, str>>,
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
    #[serde(borrow, default)]
    model: Option<UsualModel<'a>>,
}

#[derive(Deserialize)]
struct UsualModel<'a> {
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    version: Option<Cow<'a, str>>,
}

impl<'a> HeaderView<'a> {
    /// Reads the part `header`; `None` when it is no JSON object with the texts `kind` and
    /// `occurred_at`, and then it matches nothing that asks for a member of it.
    #[must_use]
    pub fn read(encoding: u8, bytes: &'a [u8]) -> Option<Self> {
        if !is_json(encoding, bytes) {
            return None;
        }
        if let Ok(Usual { occurred_at, status, model, _kind }) = serde_json::from_slice(bytes) {
            let (model_name, model_version) =
                model.map_or((None, None), |model| (model.name, model.version));
            return Some(Self { occurred_at, status, model_name, model_version });
        }
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let text = |value: &Value, name: &str| {
            value.get(name).and_then(Value::as_str).map(|text| Cow::Owned(text.to_owned()))
        };
        text(&value, "kind")?;
        let of_model = |name| value.get("model").and_then(|model| text(model, name));
        Some(Self {
            occurred_at: text(&value, "occurred_at")?,
            status: text(&value, "status"),
            model_name: of_model("name"),
            model_version: of_model("version"),
        })
    }
}

/// The member of a part `parties`, if it is a text.
pub(super) fn party(encoding: u8, bytes: &[u8], name: &str) -> Option<String> {
    if !is_json(encoding, bytes) {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    value.get(name)?.as_str().map(str::to_owned)
}

/// Whether a part is labelled JSON and can be put into a line as it is: JSON without any byte below
/// 0x20, which canonical bytes never have.
#[must_use]
pub(super) fn is_json(encoding: u8, bytes: &[u8]) -> bool {
    encoding == Encoding::Json.code()
        && !bytes.iter().any(|byte| *byte < 0x20)
        && std::str::from_utf8(bytes)
            .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_far_as_a_filter_asks() {
        let read = |text: &str| {
            HeaderView::read(1, text.as_bytes()).map(|view| {
                (
                    view.occurred_at.into_owned(),
                    view.model_name.map(Cow::into_owned),
                    view.status.is_some(),
                )
            })
        };
        let usual = r#"{"kind":"prediction","model":{"name":"m","version":"1"},"occurred_at":"t","status":"s"}"#;
        assert_eq!(read(usual), Some(("t".into(), Some("m".into()), true)));
        assert_eq!(read(r#"{"kind":"k","occurred_at":"t"}"#), Some(("t".into(), None, false)));
        let odd = r#"{"kind":"k","model":[1],"occurred_at":"t","status":7}"#;
        assert_eq!(read(odd), Some(("t".into(), None, false)));
        for none in [r#"{"kind":"k"}"#, r#"{"kind":1,"occurred_at":"t"}"#, "[]", "", "{\"a\":1}\n"]
        {
            assert_eq!(read(none), None, "{none}");
        }
        assert_eq!(HeaderView::read(2, usual.as_bytes()), None, "labelled raw");
        assert_eq!(party(1, br#"{"user_id":"u","subject_id":3}"#, "user_id"), Some("u".into()));
        assert_eq!(party(1, br#"{"user_id":"u","subject_id":3}"#, "subject_id"), None);
    }
}
