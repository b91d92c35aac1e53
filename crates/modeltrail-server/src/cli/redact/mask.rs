//! One line: a record, other JSON, or text.

use std::collections::BTreeMap;

use modeltrail::{Limits, Record};
use modeltrail_core::Encoding;
use modeltrail_core::PartId;
use modeltrail_core::canonical::{canonicalize, object_fields, write_string};
use modeltrail_core::hash::{MacKey, base64, unbase64};
use modeltrail_core::record::{CaptureContext, Header, Part, Redacted};
use modeltrail_core::redact::{PartPlace, Redactor};

/// What stands in a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Body {
    /// Canonical JSON.
    Json(Vec<u8>),
    /// Plain text; of bytes that are none, what can be read of them.
    Text(String),
}

impl Body {
    /// As a text for people.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Json(json) => super::changes::shown(json),
            Self::Text(text) => text.clone(),
        }
    }
}

/// What of a line is redacted by itself: a part of a record, or all of another line.
pub(super) struct Document {
    /// Where it stands in the line, as a JSON pointer.
    pub(super) pointer: String,
    /// Whether it stands there in base64.
    pub(super) is_encoded: bool,
    /// Which part it is, or counts as.
    pub(super) part: PartId,
    /// As it came.
    pub(super) before: Body,
    /// As it would be recorded.
    pub(super) after: Body,
}

/// How many findings of each type there are in each part.
pub(super) type Found = BTreeMap<(PartId, String), u32>;

/// A masked line.
pub(super) struct Masked {
    /// What is shown, without a line end.
    pub(super) bytes: Vec<u8>,
    /// What was found.
    pub(super) found: Found,
    /// The model's name.
    pub(super) model: String,
    /// What was redacted, in the order of the line, if that was asked for.
    pub(super) documents: Vec<Document>,
}

/// Masks lines.
pub(super) struct Masker {
    pub(super) redactor: Redactor,
    pub(super) limits: Limits,
    /// What a line that is no record counts as.
    pub(super) part: PartId,
    /// The model that such a line counts as one of.
    pub(super) model: String,
    /// Whether documents are kept.
    pub(super) keep: bool,
    /// Makes MACs that nobody sees.
    mac_key: MacKey,
}

/// Fields of a record that become parts, with their part.
const FIELDS: [(&str, PartId); 9] = [
    ("input", PartId::Input),
    ("input_data", PartId::Input),
    ("input_base64", PartId::Input),
    ("output", PartId::Output),
    ("output_data", PartId::Output),
    ("output_base64", PartId::Output),
    ("metadata", PartId::Metadata),
    ("pipeline", PartId::Pipeline),
    ("error", PartId::Error),
];

impl Masker {
    pub(super) fn new(redactor: Redactor, limits: Limits, part: PartId, model: &str) -> Self {
        let mac_key = MacKey::new([0; 32]);
        Self { redactor, limits, part, model: model.to_owned(), keep: false, mac_key }
    }

    /// Keeps what was redacted, for who looks into it.
    pub(super) fn keeping(self, keep: bool) -> Self {
        Self { keep, ..self }
    }

    /// Masks a line.
    pub(super) fn mask(&self, line: &[u8]) -> Result<Masked, String> {
        let text = std::str::from_utf8(line).map_err(|error| {
            format!("invalid UTF-8 at byte {}; send such content as base64", error.valid_up_to())
        })?;
        if let Ok(record) = Record::from_json(line, &self.limits) {
            return self.record(record, line);
        }
        // A bare number is text: as JSON it would come back in quotes.
        let is_json = text.trim_start().starts_with(['{', '[', '"']);
        match canonicalize(line, &self.limits) {
            Ok(canonical) if is_json => self.other(Body::Json(canonical)),
            _ => self.other(Body::Text(text.to_owned())),
        }
    }

    /// The very way of recording, up to the parts.
    fn record(&self, mut record: Record, line: &[u8]) -> Result<Masked, String> {
        record.assign(|| "preview".to_owned(), || 0);
        let context = CaptureContext {
            redactor: &self.redactor,
            mac_key: &self.mac_key,
            limits: &self.limits,
            mode: "cli",
        };
        let redacted = Redacted::new(record, &context).map_err(|error| error.to_string())?;
        let fields = object_fields(line, &self.limits).map_err(|error| error.to_string())?;
        let (found, model) = of_header(redacted.parts());
        let mut masked = Masked { bytes: vec![b'{'], found, model, documents: Vec::new() };
        for (n, (key, value)) in fields.iter().enumerate() {
            if n > 0 {
                masked.bytes.push(b',');
            }
            write_string(&mut masked.bytes, key);
            masked.bytes.push(b':');
            let Some(part) = part_of(key, redacted.parts()) else {
                masked.bytes.extend_from_slice(value);
                continue;
            };
            match part.encoding {
                Encoding::Json => masked.bytes.extend_from_slice(&part.bytes),
                Encoding::Raw => write_string(&mut masked.bytes, &base64(&part.bytes)),
            }
            if self.keep {
                masked.documents.push(document(key, value, part));
            }
        }
        masked.bytes.push(b'}');
        Ok(masked)
    }

    /// A line that is no record.
    fn other(&self, before: Body) -> Result<Masked, String> {
        let place = PartPlace { part: self.part, model: &self.model };
        let mut found = Found::new();
        let mut count = |name: String, n: u32| *found.entry((self.part, name)).or_default() += n;
        let redacted = match &before {
            Body::Json(json) => self.redactor.redact_part(&place, json).map(|redacted| {
                redacted.map(|(masked, counts)| {
                    counts.by_type().for_each(|(name, n)| count(name.to_owned(), n));
                    Body::Json(masked)
                })
            }),
            Body::Text(text) => self.redactor.redact_text_part(&place, text).map(|redacted| {
                redacted.map(|(masked, counts)| {
                    counts.by_type().for_each(|(name, n)| count(name.to_owned(), n));
                    Body::Text(masked)
                })
            }),
        };
        let after = redacted.map_err(|error| error.to_string())?.unwrap_or_else(|| before.clone());
        let bytes = match &after {
            Body::Json(json) => json.clone(),
            Body::Text(text) => text.clone().into_bytes(),
        };
        let document =
            Document { pointer: String::new(), is_encoded: false, part: self.part, before, after };
        let documents = if self.keep { vec![document] } else { Vec::new() };
        Ok(Masked { bytes, found, model: self.model.clone(), documents })
    }
}

fn part_of<'a>(key: &str, parts: &'a [Part]) -> Option<&'a Part> {
    let (_, id) = FIELDS.iter().find(|(field, _)| *field == key)?;
    parts.iter().find(|part| part.id == *id)
}

fn document(key: &str, value: &[u8], part: &Part) -> Document {
    // What a policy does to a whole part may be JSON where bytes were.
    let encoded = key.ends_with("_base64");
    let text = |bytes: &[u8]| Body::Text(String::from_utf8_lossy(bytes).into_owned());
    let before = match serde_json::from_slice::<String>(value) {
        Ok(encoded_text) if encoded => text(&unbase64(&encoded_text).unwrap_or_default()),
        _ => Body::Json(value.to_vec()),
    };
    let after = match part.encoding {
        Encoding::Json => Body::Json(part.bytes.clone()),
        Encoding::Raw => text(&part.bytes),
    };
    Document { pointer: format!("/{key}"), is_encoded: encoded, part: part.id, before, after }
}

/// What the header says was found, and of which model the record is.
fn of_header(parts: &[Part]) -> (Found, String) {
    let header = parts.iter().find(|part| part.id == PartId::Header);
    let header = header.and_then(|part| serde_json::from_slice::<Header<'_>>(&part.bytes).ok());
    let Some(header) = header else { return (Found::new(), String::new()) };
    let mut found = Found::new();
    for (part, types) in &header.redactions {
        let Some(part) = PartId::from_name(part) else { continue };
        // A part that failed is counted as such, and again under its reason.
        let has_reason = types.keys().any(|name| name.starts_with("failed_"));
        let told = types.iter().filter(|(name, _)| !(has_reason && *name == "failed"));
        found.extend(told.map(|(name, n)| ((part, name.to_string()), *n)));
    }
    let model = header.model.as_ref().map(|model| model.name.to_string());
    (found, model.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(line: &str) -> Masked {
        let masker = Masker::new(Redactor::default(), Limits::default(), PartId::Input, "m");
        masker.keeping(true).mask(line.as_bytes()).unwrap()
    }

    fn text(masked: &Masked) -> &str {
        std::str::from_utf8(&masked.bytes).unwrap()
    }

    #[test]
    fn a_record_keeps_its_identifiers_and_the_order_of_its_fields() {
        let line = r#"{"user_id":"jo@example.com","model_name":"x","model_version":"1","input":{"to":"jo@example.com","n":1.50},"output_base64":"bWFpbCBqb0BleGFtcGxlLmNvbQ=="}"#;
        let masked = mask(line);
        assert_eq!(
            text(&masked),
            r#"{"user_id":"jo@example.com","model_name":"x","model_version":"1","input":{"n":1.5,"to":"[EMAIL]"},"output_base64":"bWFpbCBbRU1BSUxd"}"#
        );
        assert_eq!(masked.model, "x");
        let found: Vec<_> = masked.found.into_iter().collect();
        let email = |part| ((part, "email".to_owned()), 1);
        assert_eq!(found, [email(PartId::Input), email(PartId::Output)]);
        let [input, output] = &masked.documents[..] else { panic!("two parts") };
        assert_eq!((input.pointer.as_str(), input.is_encoded), ("/input", false));
        assert_eq!(input.before.shown(), r#"{"n":1.5,"to":"jo@example.com"}"#);
        assert_eq!((output.pointer.as_str(), output.is_encoded), ("/output_base64", true));
        assert_eq!(output.before.shown(), "mail jo@example.com");
        assert_eq!(output.after.shown(), "mail [EMAIL]");
    }

    #[test]
    fn other_json_is_masked_everywhere_and_text_as_text() {
        for (line, expect, rule) in [
            (r#"{"user_id":"jo@example.com"}"#, r#"{"user_id":"[EMAIL]"}"#, "email"),
            (r#"["a",{"ssn":"123-45-6789"}]"#, r#"["a",{"ssn":"[SSN]"}]"#, "ssn"),
            ("mail jo@example.com now", "mail [EMAIL] now", "email"),
            ("4111 1111 1111 1111", "[CC]", "credit_card"),
            (r#"{"jo@example.com":1}"#, r#"{"[EMAIL]":1}"#, "email"),
        ] {
            let masked = mask(line);
            assert_eq!(text(&masked), expect);
            let found: Vec<_> =
                masked.found.keys().map(|(part, name)| (*part, name.as_str())).collect();
            assert_eq!(found, [(PartId::Input, rule)], "{line}");
        }
        let same = mask("no personal data 1.50");
        assert_eq!(text(&same), "no personal data 1.50");
        assert!(same.found.is_empty() && same.documents[0].before == same.documents[0].after);
        assert!(!text(&mask(r#"{"a":"x@example.com","a":1}"#)).contains("x@example.com"));
    }
}
