//! Data-driven: a case is a text (or a document) and what has to be left of it. A text that has
//! to stay as it is stands for itself.

mod card;
mod detector;
mod email;
mod engine;
mod json;
mod phone;
mod policy;
mod properties;
mod ssn;

use super::{Counts, Redactor, Rule};

/// Redacts a text both by itself and as a JSON string, which have to agree.
fn masked(text: &str) -> String {
    let redactor = Redactor::default();
    let plain = redactor.redact_text(text).map_or_else(|| text.to_owned(), |(masked, _)| masked);
    let document = serde_json::to_string(&[text]).unwrap();
    let redacted = redactor.redact_json(document.as_bytes()).unwrap();
    let bytes = redacted.map_or_else(|| document.into_bytes(), |(bytes, _)| bytes);
    let [in_json] = serde_json::from_slice::<[String; 1]>(&bytes).unwrap();
    assert_eq!(plain, in_json, "text and JSON differ for {text:?}");
    plain
}

fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&masked(text), expected, "for {text:?}");
    }
}

fn check_stays(texts: &[&str]) {
    for text in texts {
        assert_eq!(&masked(text), text);
    }
}

/// Redacts a document; one that has to stay is answered with nothing.
fn check_json(cases: &[(&str, &str)]) {
    for (json, expected) in cases {
        let redacted = Redactor::default().redact_json(json.as_bytes()).unwrap();
        let text = redacted.map(|(bytes, counts)| {
            assert!(!counts.is_empty(), "nothing counted for {json}");
            String::from_utf8(bytes).unwrap()
        });
        let expected = (json != expected).then(|| (*expected).to_owned());
        assert_eq!(text, expected, "for {json}");
    }
}

fn counts(pairs: &[(Rule, u32)]) -> Counts {
    let mut counts = Counts::default();
    for &(rule, n) in pairs {
        counts.add(rule, n);
    }
    counts
}
