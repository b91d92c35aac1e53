//! A record from JSON text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::error::RecordError;
use super::payload::Payload;
use super::{Failure, Link, Model, Record};
use crate::canonical::object_fields;
use crate::code::{Kind, Status};
use crate::limits::Limits;
use crate::time;

/// Fields that the ledger sets and a caller never does.
const SERVER_SET: &[&str] =
    &["index", "prev", "leaf", "leaf_hash", "recorded_at", "record_id", "producer", "producer_seq"];

/// U+FEFF in UTF-8, which some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the flat names of the seed document leave for the end.
#[derive(Default)]
struct Pending {
    model: Option<Model>,
    model_name: Option<String>,
    model_version: Option<String>,
    input: Slot,
    output: Slot,
}

/// A payload under any of its names.
#[derive(Default)]
struct Slot {
    json: Option<Vec<u8>>,
    base64: Option<Vec<u8>>,
    media_type: Option<String>,
}

impl Record {
    /// Reads a record from JSON text.
    ///
    /// # Errors
    /// The first thing that cannot be taken, with its JSON pointer. Nothing of the record is kept.
    pub fn from_json(text: &[u8], limits: &Limits) -> Result<Self, RecordError> {
        if text.starts_with(BYTE_ORDER_MARK) {
            return Err(RecordError::new(
                "",
                "begins with a byte order mark, which is no part of JSON",
                "save the file as UTF-8 without one",
            ));
        }
        let fields = object_fields(text, limits).map_err(|error| RecordError::json("", &error))?;
        let mut record = Self::new(Kind::Prediction);
        let mut pending = Pending::default();
        for (key, value) in fields.iter() {
            record.take_field(&mut pending, key, value)?;
        }
        let is_flat = pending.model.is_none();
        record.take_model(pending.model, pending.model_name, pending.model_version)?;
        record.input = pending.input.into_payload("input")?;
        record.output = pending.output.into_payload("output")?;
        record.check().map_err(|error| match error.pointer.strip_prefix("/model/") {
            // The name that the caller wrote.
            Some(field) if is_flat => RecordError { pointer: format!("/model_{field}"), ..error },
            _ => error,
        })?;
        Ok(record)
    }

    fn take_field(
        &mut self,
        pending: &mut Pending,
        key: &str,
        value: &[u8],
    ) -> Result<(), RecordError> {
        match key {
            "request_id" => self.request_id = text(key, value)?,
            "timestamp" => self.time_ns = timestamp(value)?,
            "kind" => self.kind = kind(value)?,
            // What the seed document's `log_prediction` writes beside the other fields.
            "event" if value == b"\"ai_prediction\"" => {}
            "model" => {
                pending.model =
                    typed(key, value, "{\"name\", \"version\", \"digest\"?, \"provider\"?}")?
            }
            "model_name" => pending.model_name = text(key, value)?,
            "model_version" => pending.model_version = text(key, value)?,
            "input" | "input_data" => pending.input.set_json(key, value)?,
            "output" | "output_data" => pending.output.set_json(key, value)?,
            "input_base64" => pending.input.base64 = base64(key, value)?,
            "output_base64" => pending.output.base64 = base64(key, value)?,
            "input_media_type" => pending.input.media_type = text(key, value)?,
            "output_media_type" => pending.output.media_type = text(key, value)?,
            "user_id" => self.user_id = text(key, value)?,
            "subject_id" => self.subject_id = text(key, value)?,
            "session_id" => self.session_id = text(key, value)?,
            "trace_id" => self.trace_id = text(key, value)?,
            "client_address" => self.client_address = text(key, value)?,
            "latency_ms" => self.latency_us = latency(value)?,
            "status" => self.status = status(value)?,
            "error" => self.failure = typed::<Failure>(key, value, "{\"code\"?, \"message\"?}")?,
            "pipeline" => self.pipeline = object(key, value)?,
            "links" => {
                self.links = typed::<Vec<Link>>(key, value, "[{\"rel\", \"request_id\"}, …]")?
                    .unwrap_or_default();
            }
            "metadata" => self.metadata = object(key, value)?,
            _ => return Err(refuse_key(key)),
        }
        Ok(())
    }

    fn take_model(
        &mut self,
        model: Option<Model>,
        name: Option<String>,
        version: Option<String>,
    ) -> Result<(), RecordError> {
        self.model = match (model, name, version) {
            (model, None, None) => model,
            (Some(_), _, _) => {
                return Err(RecordError::new(
                    "/model",
                    "is given twice, as `model` and as `model_name` or `model_version`",
                    "keep one of them",
                ));
            }
            (None, Some(name), Some(version)) => {
                Some(Model { digest: None, name, provider: None, version })
            }
            (None, None, Some(_)) => return Err(RecordError::missing("/model_name")),
            (None, Some(_), None) => return Err(RecordError::missing("/model_version")),
        };
        Ok(())
    }
}

fn refuse_key(key: &str) -> RecordError {
    if SERVER_SET.contains(&key) {
        return RecordError::new(&format!("/{key}"), "is set by the ledger", "leave it out");
    }
    if key == "input_hash" || key == "input_mac" {
        return RecordError::new(&format!("/{key}"), "is computed from the input", "leave it out");
    }
    RecordError::unknown_field(key)
}

impl Slot {
    fn set_json(&mut self, key: &str, value: &[u8]) -> Result<(), RecordError> {
        if self.json.replace(value.to_vec()).is_some() {
            let reason = "is given twice, under its own name and the seed document's";
            return Err(RecordError::new(&format!("/{key}"), reason, "keep one of them"));
        }
        Ok(())
    }

    fn into_payload(self, name: &str) -> Result<Option<Payload>, RecordError> {
        match (self.json, self.base64, self.media_type) {
            (Some(_), Some(_), _) => Err(RecordError::new(
                &format!("/{name}_base64"),
                format!("is given beside `{name}`"),
                "keep one of them",
            )),
            (Some(json), None, None) => Ok(Some(Payload::canonical(json))),
            (None, Some(bytes), media_type) => {
                let media_type = media_type.unwrap_or_else(|| "application/octet-stream".into());
                Ok(Some(Payload::bytes(bytes, media_type)))
            }
            (_, None, Some(_)) => Err(RecordError::new(
                &format!("/{name}_media_type"),
                format!("is given without `{name}_base64`"),
                "JSON needs no media type; leave it out",
            )),
            (None, None, None) => Ok(None),
        }
    }
}

fn typed<T: DeserializeOwned>(
    key: &str,
    value: &[u8],
    expected: &str,
) -> Result<Option<T>, RecordError> {
    if value == b"null" {
        return Ok(None);
    }
    serde_json::from_slice(value)
        .map(Some)
        .map_err(|_| RecordError::wrong_type(&format!("/{key}"), expected))
}

fn text(key: &str, value: &[u8]) -> Result<Option<String>, RecordError> {
    typed(key, value, "a string")
}

fn object(key: &str, value: &[u8]) -> Result<Option<Payload>, RecordError> {
    match value.first() {
        Some(b'{') => Ok(Some(Payload::canonical(value.to_vec()))),
        _ if value == b"null" => Ok(None),
        _ => Err(RecordError::wrong_type(&format!("/{key}"), "an object")),
    }
}

fn kind(value: &[u8]) -> Result<Kind, RecordError> {
    let name = text("kind", value)?.unwrap_or_else(|| "prediction".to_owned());
    let names: Vec<_> = Kind::ALL.iter().filter(|k| k.is_submittable()).map(|k| k.name()).collect();
    Kind::from_name(&name).ok_or_else(|| RecordError::one_of("/kind", &names))
}

fn status(value: &[u8]) -> Result<Option<Status>, RecordError> {
    let Some(name) = text("status", value)? else { return Ok(None) };
    let names: Vec<_> = Status::ALL.iter().map(|status| status.name()).collect();
    Status::from_name(&name).map(Some).ok_or_else(|| RecordError::one_of("/status", &names))
}

fn timestamp(value: &[u8]) -> Result<Option<i64>, RecordError> {
    let Some(text) = text("timestamp", value)? else { return Ok(None) };
    time::parse_rfc3339(&text).map(Some).map_err(|_| {
        RecordError::new(
            "/timestamp",
            "is no RFC 3339 time with a zone between the years 1678 and 2261",
            "write it like 2026-03-15T09:30:00.123Z",
        )
    })
}

fn latency(value: &[u8]) -> Result<Option<u64>, RecordError> {
    if value == b"null" {
        return Ok(None);
    }
    let text = std::str::from_utf8(value).unwrap_or("");
    microseconds(text).map(Some).ok_or_else(RecordError::latency)
}

/// Whole microseconds of a decimal number of milliseconds, half rounded up, without going through a
/// binary fraction; `None` when it is negative, no number, or above 2^53 µs (285 years).
pub(super) fn microseconds(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    // value in µs = digits × 10^shift
    let shift = exponent + 3 - i64::try_from(fraction.len()).ok()?;
    let n_whole = i64::try_from(digits.len()).ok()? + shift;
    if n_whole > 16 {
        return None;
    }
    let n_kept = usize::try_from(n_whole.max(0)).ok()?;
    let kept: String = digits.chars().chain("0000000000000000".chars()).take(n_kept).collect();
    let value: u64 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let next = if n_whole < 0 { None } else { digits.as_bytes().get(n_kept) };
    let rounded = value + u64::from(next.is_some_and(|digit| *digit >= b'5'));
    (rounded <= 1 << 53).then_some(rounded)
}

fn base64(key: &str, value: &[u8]) -> Result<Option<Vec<u8>>, RecordError> {
    let Some(text) = text(key, value)? else { return Ok(None) };
    STANDARD
        .decode(text)
        .map(Some)
        .map_err(|_| RecordError::wrong_type(&format!("/{key}"), "base64 (RFC 4648 section 4)"))
}
