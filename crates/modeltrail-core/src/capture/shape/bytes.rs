//! Any JSON as JSON, anything else as bytes.

use serde_json::value::RawValue;

use super::{Content, Shape, Told, Understood};
use crate::canonical::canonicalize;
use crate::limits::Limits;
use crate::record::Payload;

pub(super) fn understand(shape: Option<Shape>, told: &Told<'_>) -> Understood {
    let mut understood = Understood { shape: Shape::Bytes.name(), ..Understood::default() };
    let as_json = shape != Some(Shape::Bytes);
    let (input, request_json) = payload(&told.request, as_json);
    let (output, response_json) = payload(&told.response, as_json);
    if request_json.is_some() || response_json.is_some() {
        understood.shape = Shape::Json.name();
    }
    (understood.input, understood.output) = (input, output);
    (understood.request_json, understood.response_json) = (request_json, response_json);
    understood
}

fn payload(content: &Content<'_>, as_json: bool) -> (Option<Payload>, Option<serde_json::Value>) {
    if content.bytes.is_empty() {
        return (None, None);
    }
    let text = std::str::from_utf8(content.bytes).ok().filter(|_| as_json && content.is_whole);
    let json = text
        .filter(|text| canonicalize(text.as_bytes(), &Limits::default()).is_ok())
        .and_then(|text| RawValue::from_string(text.trim().to_owned()).ok());
    match json {
        Some(raw) => {
            let value = serde_json::from_str(raw.get()).ok();
            (Some(Payload::raw(raw)), value)
        }
        None => (Some(Payload::bytes(content.bytes.to_vec(), media_type(content))), None),
    }
}

fn media_type(content: &Content<'_>) -> String {
    content.media_type.unwrap_or("application/octet-stream").to_owned()
}
