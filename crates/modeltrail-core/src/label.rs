//! The label of an output: what reports count by.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::hash::sha256;

/// Longest label in bytes. A label is an index term and a row of a report; a text answer under the
/// key `label` must not become either at full length.
pub const LABEL_BYTES_MAX: usize = 200;

#[derive(Deserialize)]
struct Labelled<'a> {
    #[serde(borrow, default, deserialize_with = "present")]
    prediction: Option<&'a RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    label: Option<&'a RawValue>,
}

/// `null` counts as present: the seed document's `output.get("prediction", output.get("label"))`
/// looks at the label only where there is no prediction.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// The label of a canonical output: its member `prediction`, else `label`. Strings give their text,
/// other values their canonical JSON; `null`, absence and outputs that are no object give `None`.
/// What is longer than [`LABEL_BYTES_MAX`] is cut there and ends in `#` and 16 hex digits of its
/// SHA-256, so that different labels stay different.
#[must_use]
pub fn label(output: &[u8]) -> Option<Cow<'_, str>> {
    if output.first() != Some(&b'{') {
        return None;
    }
    let labelled: Labelled<'_> = serde_json::from_slice(output).ok()?;
    let json = labelled.prediction.or(labelled.label)?.get();
    if json == "null" {
        return None;
    }
    let text: Cow<'_, str> = if json.starts_with('"') {
        match json.strip_prefix('"').and_then(|s| s.strip_suffix('"')) {
            Some(inner) if !inner.contains('\\') => Cow::Borrowed(inner),
            _ => Cow::Owned(serde_json::from_str(json).ok()?),
        }
    } else {
        Cow::Borrowed(json)
    };
    Some(if text.len() > LABEL_BYTES_MAX { Cow::Owned(shorten(&text)) } else { text })
}

fn shorten(text: &str) -> String {
    let mut end = LABEL_BYTES_MAX - 17;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let digest = sha256(&[text.as_bytes()]).to_hex();
    format!("{}#{}", text.get(..end).unwrap_or(""), digest.get(..16).unwrap_or(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_seed_document_reads_it() {
        let of = |json: &'static str| label(json.as_bytes()).map(Cow::into_owned);
        assert_eq!(of(r#"{"label":"a","prediction":"fraud"}"#), Some("fraud".into()));
        assert_eq!(of(r#"{"label":"positive","score":0.9}"#), Some("positive".into()));
        assert_eq!(of(r#"{"label":"x","prediction":null}"#), None);
        assert_eq!(of(r#"{"prediction":[1,2.5]}"#), Some("[1,2.5]".into()));
        assert_eq!(of(r#"{"prediction":"a\"b"}"#), Some("a\"b".into()));
        assert_eq!(of(r#"{"score":1}"#), None);
        assert_eq!(of("[1]"), None);
    }

    #[test]
    fn long_labels_stay_apart() {
        let of = |end: &str| {
            let json = format!("{{\"label\":\"{}{end}\"}}", "é".repeat(300));
            label(json.as_bytes()).map(Cow::into_owned)
        };
        let (a, b) = (of("a").unwrap(), of("b").unwrap());
        assert!(a.len() <= LABEL_BYTES_MAX && a != b, "{a}");
    }
}
