//! One line: a record, other JSON, or text.

use modeltrail::{Limits, Record};
use modeltrail_core::Encoding;
use modeltrail_core::PartId;
use modeltrail_core::canonical::{canonicalize, object_fields, write_string};
use modeltrail_core::hash::{MacKey, base64};
use modeltrail_core::record::{CaptureContext, Header, Part, Redacted};
use modeltrail_core::redact::{Counts, Redactor, Rule};

use super::explain::{json_places, text_places};

/// A masked line.
pub(super) struct Masked {
    /// What is shown, without a line end.
    pub(super) bytes: Vec<u8>,
    /// How many spans each rule masked.
    pub(super) counts: Counts,
    /// Where, if that was asked for: a place and its rules.
    pub(super) places: Vec<String>,
}

/// Masks lines.
pub(super) struct Masker {
    redactor: Redactor,
    limits: Limits,
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
    pub(super) fn new(redactor: Redactor, limits: Limits) -> Self {
        Self { redactor, limits, mac_key: MacKey::new([0; 32]) }
    }

    /// Masks a line.
    pub(super) fn mask(&self, line: &[u8], explain: bool) -> Result<Masked, String> {
        let text = std::str::from_utf8(line).map_err(|error| {
            format!("invalid UTF-8 at byte {}; send such content as base64", error.valid_up_to())
        })?;
        if let Ok(record) = Record::from_json(line, &self.limits) {
            return self.record(record, line, explain);
        }
        // A bare number is text: as JSON it would come back in quotes.
        let is_json = text.trim_start().starts_with(['{', '[', '"']);
        match canonicalize(line, &self.limits) {
            Ok(canonical) if is_json => self.json(canonical, explain),
            _ => Ok(self.text(text, explain)),
        }
    }

    /// The very way of recording, up to the parts.
    fn record(&self, mut record: Record, line: &[u8], explain: bool) -> Result<Masked, String> {
        record.assign(|| "preview".to_owned(), || 0);
        let context = CaptureContext {
            redactor: &self.redactor,
            mac_key: &self.mac_key,
            limits: &self.limits,
            mode: "cli",
        };
        let redacted = Redacted::new(record, &context).map_err(|error| error.to_string())?;
        let fields = object_fields(line, &self.limits).map_err(|error| error.to_string())?;
        let mut masked =
            Masked { bytes: vec![b'{'], counts: counts(redacted.parts()), places: Vec::new() };
        for (n, (key, value)) in fields.iter().enumerate() {
            if n > 0 {
                masked.bytes.push(b',');
            }
            write_string(&mut masked.bytes, key);
            masked.bytes.push(b':');
            match part_of(key, redacted.parts()) {
                Some(Part { encoding: Encoding::Json, bytes, .. }) => {
                    masked.bytes.extend_from_slice(bytes);
                    if explain && bytes != value {
                        masked.places.extend(json_places(&format!("/{key}"), value, bytes));
                    }
                }
                Some(Part { encoding: Encoding::Raw, bytes, .. }) => {
                    let encoded = base64(bytes);
                    let is_masked =
                        value.get(1..value.len().saturating_sub(1)) != Some(encoded.as_bytes());
                    if explain && is_masked {
                        masked.places.push(format!("/{key}: in the decoded text"));
                    }
                    write_string(&mut masked.bytes, &encoded);
                }
                None => masked.bytes.extend_from_slice(value),
            }
        }
        masked.bytes.push(b'}');
        Ok(masked)
    }

    fn json(&self, canonical: Vec<u8>, explain: bool) -> Result<Masked, String> {
        let redacted = self.redactor.redact_json(&canonical).map_err(|error| error.to_string())?;
        Ok(match redacted {
            None => Masked { bytes: canonical, counts: Counts::default(), places: Vec::new() },
            Some((bytes, counts)) => {
                let places = if explain { json_places("", &canonical, &bytes) } else { Vec::new() };
                Masked { bytes, counts, places }
            }
        })
    }

    fn text(&self, text: &str, explain: bool) -> Masked {
        let (bytes, counts) = match self.redactor.redact_text(text) {
            Some((masked, counts)) => (masked.into_bytes(), counts),
            None => (text.as_bytes().to_vec(), Counts::default()),
        };
        let places =
            if explain { text_places(&self.redactor.find(text, None)) } else { Vec::new() };
        Masked { bytes, counts, places }
    }
}

fn part_of<'a>(key: &str, parts: &'a [Part]) -> Option<&'a Part> {
    let (_, id) = FIELDS.iter().find(|(field, _)| *field == key)?;
    parts.iter().find(|part| part.id == *id)
}

/// What the header says was masked.
fn counts(parts: &[Part]) -> Counts {
    let mut counts = Counts::default();
    let header = parts.iter().find(|part| part.id == PartId::Header);
    let header = header.and_then(|part| serde_json::from_slice::<Header<'_>>(&part.bytes).ok());
    for (name, n) in header.iter().flat_map(|header| header.redactions.values()).flatten() {
        if let Some(rule) = Rule::ALL.into_iter().find(|rule| rule.name() == name.as_ref()) {
            counts.add(rule, *n);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(line: &str) -> (String, Vec<String>) {
        let masked = Masker::new(Redactor::default(), Limits::default());
        let masked = masked.mask(line.as_bytes(), true).unwrap();
        (String::from_utf8(masked.bytes).unwrap(), masked.places)
    }

    #[test]
    fn a_record_keeps_its_identifiers_and_the_order_of_its_fields() {
        let line = r#"{"user_id":"jo@example.com","model_name":"m","model_version":"1","input":{"to":"jo@example.com","n":1.50},"output_base64":"bWFpbCBqb0BleGFtcGxlLmNvbQ=="}"#;
        let (text, places) = mask(line);
        assert_eq!(
            text,
            r#"{"user_id":"jo@example.com","model_name":"m","model_version":"1","input":{"n":1.5,"to":"[EMAIL]"},"output_base64":"bWFpbCBbRU1BSUxd"}"#
        );
        assert_eq!(places, ["/input/to: email", "/output_base64: in the decoded text"]);
    }

    #[test]
    fn other_json_is_masked_everywhere_and_text_as_text() {
        for (line, expect, place) in [
            (r#"{"user_id":"jo@example.com"}"#, r#"{"user_id":"[EMAIL]"}"#, "/user_id: email"),
            (r#"["a",{"ssn":"123-45-6789"}]"#, r#"["a",{"ssn":"[SSN]"}]"#, "/1/ssn: ssn"),
            ("mail jo@example.com now", "mail [EMAIL] now", "bytes 5 to 19: email"),
            ("4111 1111 1111 1111", "[CC]", "bytes 0 to 19: credit_card"),
            (r#"{"jo@example.com":1}"#, r#"{"[EMAIL]":1}"#, "(the whole), a member's name: email"),
        ] {
            let (text, places) = mask(line);
            assert_eq!(text, expect);
            assert_eq!(places, [place], "{line}");
        }
        assert_eq!(mask("no personal data 1.50"), ("no personal data 1.50".into(), vec![]));
        assert!(!mask(r#"{"a":"x@example.com","a":1}"#).0.contains("x@example.com"));
    }
}
