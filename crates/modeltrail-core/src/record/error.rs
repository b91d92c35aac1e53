//! Why a record was refused: where, what, and what to do.

use crate::canonical::{JsonError, JsonReason};
use crate::code::Kind;
use crate::redact::Redactor;

/// A refusal. Nothing of the record was kept.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {reason}; {remedy}", if pointer.is_empty() { "record" } else { pointer })]
pub struct RecordError {
    /// JSON pointer (RFC 6901) of what was refused; empty for the record as a whole. Keys that look
    /// like personal data are masked in it.
    pub pointer: String,
    /// What is wrong, without the value itself.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
}

impl RecordError {
    pub(crate) fn new(pointer: &str, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { pointer: pointer.to_owned(), reason: reason.into(), remedy: remedy.into() }
    }

    pub(crate) fn missing(pointer: &str) -> Self {
        Self::new(pointer, "is required for a prediction", "give {\"name\": …, \"version\": …}")
    }

    pub(crate) fn empty(pointer: &str) -> Self {
        Self::new(pointer, "is empty", "give a text or leave an optional field out")
    }

    pub(crate) fn too_long(pointer: &str, max: usize, unit: &str) -> Self {
        Self::new(pointer, format!("is longer than {max} {unit}"), "shorten it, or send a digest")
    }

    pub(crate) fn too_large(bytes_max: usize) -> Self {
        Self::new(
            "",
            format!("is larger than {bytes_max} bytes"),
            "send less, or a digest of the large part",
        )
    }

    pub(crate) fn one_of(pointer: &str, names: &[&str]) -> Self {
        Self::new(pointer, "is none of the known names", format!("use one of {}", names.join(", ")))
    }

    pub(crate) fn wrong_type(pointer: &str, expected: &str) -> Self {
        Self::new(pointer, format!("is not {expected}"), format!("send {expected}"))
    }

    pub(crate) fn latency() -> Self {
        Self::new(
            "/latency_ms",
            "is no number from 0 to 2^53 microseconds",
            "send milliseconds as a number, like 23.5",
        )
    }

    pub(crate) fn own_kind(kind: Kind) -> Self {
        let names: Vec<_> =
            Kind::ALL.iter().filter(|k| k.is_submittable()).map(|k| k.name()).collect();
        Self::new(
            "/kind",
            format!("`{kind}` entries are written by modeltrail itself"),
            format!("use one of {}", names.join(", ")),
        )
    }

    /// A pointer as it may stand in an error: a key may be an e-mail address.
    /// Each key is judged as it was before its slashes were escaped.
    fn mask(pointer: &str) -> String {
        let redactor = Redactor::default();
        let mask = |key: &str| {
            let key = key.replace("~1", "/").replace("~0", "~");
            let key = redactor.redact_text(&key).map_or(key, |(text, _)| text);
            key.replace('~', "~0").replace('/', "~1")
        };
        pointer.split('/').map(mask).collect::<Vec<_>>().join("/")
    }

    /// A top-level key that a record does not have.
    pub(crate) fn unknown_field(key: &str) -> Self {
        let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1"));
        // Cut when it is masked: half a token is known by no rule.
        let shown: String = Self::mask(&pointer).chars().take(64).collect();
        let remedy = "put it under `metadata`, or mend its name";
        Self::new(&shown, "is no field of a record", remedy)
    }

    /// A refusal by the JSON reader, below `pointer`.
    pub(crate) fn json(pointer: &str, error: &JsonError) -> Self {
        let full = format!("{pointer}{}", error.pointer);
        let masked = Self::mask(&full);
        let text = error.reason.to_string();
        let (reason, remedy) = match text.split_once("; ") {
            Some((reason, remedy)) => (reason.to_owned(), remedy.to_owned()),
            None => (text, "mend the JSON text".to_owned()),
        };
        let reason = match error.reason {
            JsonReason::TooLarge(_) => reason,
            _ => format!("{reason} (byte {})", error.offset),
        };
        Self { pointer: masked, reason, remedy }
    }
}
