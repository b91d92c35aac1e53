//! Payloads: JSON in whatever form the caller has it, or bytes.

use serde_json::Value;
use serde_json::value::RawValue;

use super::error::RecordError;
use crate::canonical::canonicalize;
use crate::code::Encoding;
use crate::limits::Limits;

/// Input, output, metadata or pipeline of a record. A JSON value is taken over as it is and turned
/// into text by the recorder's own thread, not by the thread that answers the request.
#[derive(Clone, Debug)]
pub struct Payload(pub(crate) Form);

#[derive(Clone, Debug)]
pub(crate) enum Form {
    /// Already canonical.
    Canonical(Vec<u8>),
    /// A tree of the caller's.
    Value(Value),
    /// Text as received; every digit of it is kept.
    Text(Box<RawValue>),
    /// As [`Form::Text`], not read yet.
    Unread(Vec<u8>),
    /// No JSON.
    Bytes { bytes: Vec<u8>, media_type: String },
}

impl Payload {
    /// JSON text as received.
    #[must_use]
    pub fn raw(text: Box<RawValue>) -> Self {
        Self(Form::Text(text))
    }

    /// JSON text that the caller has just written and that nobody has read yet. It is read when the record is
    /// framed: where it turns out to be no JSON then, a record at `accepted` is refused after the call.
    #[must_use]
    pub const fn unread(text: Vec<u8>) -> Self {
        Self(Form::Unread(text))
    }

    /// Bytes that are no JSON, with their media type.
    #[must_use]
    pub fn bytes(bytes: Vec<u8>, media_type: impl Into<String>) -> Self {
        Self(Form::Bytes { bytes, media_type: media_type.into() })
    }

    /// Anything that `serde` can turn into JSON.
    ///
    /// # Errors
    /// When serde cannot.
    pub fn serialize(value: &impl serde::Serialize) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self::raw)
    }

    pub(crate) const fn canonical(bytes: Vec<u8>) -> Self {
        Self(Form::Canonical(bytes))
    }

    pub(crate) fn media_type(&self) -> Option<&str> {
        match &self.0 {
            Form::Bytes { media_type, .. } => Some(media_type),
            _ => None,
        }
    }

    /// The bytes that the part will hold if nothing is masked.
    pub(crate) fn into_bytes(
        self,
        pointer: &str,
        limits: &Limits,
    ) -> Result<(Encoding, Vec<u8>), RecordError> {
        let limits = inside(limits);
        let canonical = |text: &[u8]| {
            canonicalize(text, &limits).map_err(|error| RecordError::json(pointer, &error))
        };
        match self.0 {
            Form::Canonical(bytes) => Ok((Encoding::Json, bytes)),
            Form::Text(text) => Ok((Encoding::Json, canonical(text.get().as_bytes())?)),
            Form::Unread(text) => Ok((Encoding::Json, canonical(&text)?)),
            Form::Value(value) => Ok((Encoding::Json, canonical(value.to_string().as_bytes())?)),
            Form::Bytes { bytes, .. } => Ok((Encoding::Raw, bytes)),
        }
    }

    /// A lower bound of the JSON text's length, and a check of the depth where it is known cheaply.
    pub(crate) fn measure(&self, pointer: &str, limits: &Limits) -> Result<usize, RecordError> {
        match &self.0 {
            Form::Value(value) => measure_value(value, 1, limits.depth_max).ok_or_else(|| {
                RecordError::new(
                    pointer,
                    format!("is nested deeper than {} levels", limits.depth_max),
                    "flatten it or send it as a string",
                )
            }),
            _ => Ok(self.size_hint_bytes()),
        }
    }

    pub(crate) fn size_hint_bytes(&self) -> usize {
        match &self.0 {
            Form::Canonical(bytes) | Form::Unread(bytes) | Form::Bytes { bytes, .. } => bytes.len(),
            Form::Text(text) => text.get().len(),
            Form::Value(value) => measure_value(value, 0, usize::MAX).unwrap_or(0),
        }
    }
}

/// The limits of a payload: the record around it is a level too.
fn inside(limits: &Limits) -> Limits {
    Limits { depth_max: limits.depth_max.saturating_sub(1), ..*limits }
}

fn measure_value(value: &Value, depth: usize, depth_max: usize) -> Option<usize> {
    if depth > depth_max {
        return None;
    }
    match value {
        Value::String(text) => Some(text.len() + 2),
        Value::Array(items) => {
            if depth >= depth_max {
                return None;
            }
            items
                .iter()
                .try_fold(2, |sum, item| Some(sum + 1 + measure_value(item, depth + 1, depth_max)?))
        }
        Value::Object(members) => {
            if depth >= depth_max {
                return None;
            }
            members.iter().try_fold(2, |sum, (key, item)| {
                Some(sum + key.len() + 4 + measure_value(item, depth + 1, depth_max)?)
            })
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(1),
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self(Form::Value(value))
    }
}

impl From<Box<RawValue>> for Payload {
    fn from(text: Box<RawValue>) -> Self {
        Self::raw(text)
    }
}
