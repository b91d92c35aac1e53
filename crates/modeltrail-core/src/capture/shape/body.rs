//! A body as JSON, as the events of a stream, as the fields of a form, or as bytes.

use serde_json::{Value, json};

use super::table::Table;
use super::{Content, cut, form, sse, stream};
use crate::canonical::canonicalize;
use crate::limits::{Limits, NAME_BYTES_MAX};
use crate::record::Payload;

/// What stands for bytes that nobody named.
const UNNAMED: &str = "application/octet-stream";

/// Of a text that was cut, the last token may be half a secret. This is how far back its beginning is looked for;
/// tokens of any service are shorter.
const TOKEN_BYTES_MAX: usize = 16 * 1024;

/// Largest canonical form of a body, so that request and answer fit into a record together.
const CANONICAL_BYTES_MAX: usize = 7 * 1024 * 1024;

/// A body that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) payload: Option<Payload>,
    pub(super) json: Option<Value>,
    pub(super) n_events: Option<u64>,
    pub(super) problems: Vec<&'static str>,
}

impl Read {
    /// Reads a body as what its media type says and what it looks like.
    pub(super) fn of(content: &Content<'_>, table: Option<&Table>) -> Self {
        if content.bytes.is_empty() {
            return Self::default();
        }
        let essence = content.media_type.unwrap_or_default().split(';').next().unwrap_or_default();
        match essence.trim().to_ascii_lowercase().as_str() {
            "text/event-stream" => Self::events(content, table),
            "application/x-ndjson" | "application/jsonl" | "application/ndjson" => {
                Self::lines(content)
            }
            "application/x-www-form-urlencoded" => Self::form(content, form::urlencoded),
            "multipart/form-data" => Self::form(content, form::multipart),
            essence => {
                Self::by_look(content, table, essence.is_empty() || essence.contains("json"))
            }
        }
    }

    /// JSON where it is some, a stream where it begins like one, else bytes.
    fn by_look(content: &Content<'_>, table: Option<&Table>, says_json: bool) -> Self {
        let begins = content.bytes.trim_ascii_start();
        if begins.starts_with(b"data:") || begins.starts_with(b"event:") {
            return Self::events(content, table);
        }
        if !says_json && !matches!(begins.first(), Some(b'{' | b'[')) {
            return Self::bytes(content);
        }
        match Self::json(content) {
            Some(read) => read,
            None if says_json => Self::bytes(content).with("no_json"),
            None => Self::bytes(content),
        }
    }

    /// As JSON; a text that was cut is closed first.
    fn json(content: &Content<'_>) -> Option<Self> {
        // What nothing is missing of is whole, whatever else came or did not; but a number may go on.
        let is_closed = content.bytes.trim_ascii_end().ends_with(b"}");
        if content.is_whole || is_closed {
            let read = Self::canonical(content.bytes);
            if content.is_whole || read.is_some() {
                return read;
            }
        }
        let closed = cut::close(content.bytes)?;
        Some(Self::canonical(closed.as_bytes())?.with("truncated"))
    }

    fn canonical(text: &[u8]) -> Option<Self> {
        // The record around a body is a level too.
        let depth_max = Limits::default().depth_max - 1;
        let limits = Limits { depth_max, record_bytes_max: CANONICAL_BYTES_MAX };
        let canonical = canonicalize(text, &limits).ok()?;
        let json = serde_json::from_slice(&canonical).ok();
        Some(Self { payload: Some(Payload::canonical(canonical)), json, ..Self::default() })
    }

    fn value(value: &Value) -> Option<Self> {
        Self::canonical(value.to_string().as_bytes())
    }

    /// Bytes as they came. Of a text that was cut, the last token goes: it may be half a secret.
    pub(super) fn bytes(content: &Content<'_>) -> Self {
        if content.bytes.is_empty() {
            return Self::default();
        }
        let mut kept = content.bytes;
        if !content.is_whole {
            let from = kept.len().saturating_sub(TOKEN_BYTES_MAX);
            let end =
                kept.get(from..).unwrap_or_default().iter().rposition(u8::is_ascii_whitespace);
            kept = kept.get(..end.map_or(from, |at| from + at)).unwrap_or_default();
        }
        let payload = Payload::bytes(kept.to_vec(), media_type(content.media_type));
        let read = Self { payload: Some(payload), ..Self::default() };
        if content.is_whole { read } else { read.with("truncated") }
    }

    fn events(content: &Content<'_>, table: Option<&Table>) -> Self {
        let Some(read) = sse::read(content.bytes, content.is_whole) else {
            return Self::bytes(content);
        };
        let assembled = stream::assemble(table.map(|table| table.stream), &read);
        let mut answer = Self::value(&assembled.value).unwrap_or_else(|| Self::bytes(content));
        answer.n_events = Some(read.n_events());
        answer.problems.extend(assembled.problems);
        if content.is_whole { answer } else { answer.with("truncated") }
    }

    fn lines(content: &Content<'_>) -> Self {
        let Some(lines) = Self::json_lines(content) else {
            return Self::bytes(content).with("no_json");
        };
        let n = u64::try_from(lines.len()).ok();
        let mut read = Self::value(&Value::Array(lines)).unwrap_or_else(|| Self::bytes(content));
        read.n_events = n;
        if content.is_whole { read } else { read.with("truncated") }
    }

    fn json_lines(content: &Content<'_>) -> Option<Vec<Value>> {
        let mut lines: Vec<&[u8]> = content.bytes.split(|byte| *byte == b'\n').collect();
        if !content.is_whole {
            // The last one was cut.
            lines.pop();
        }
        let lines = lines.into_iter().map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        lines.map(|line| Self::canonical(line)?.json).collect()
    }

    fn form(content: &Content<'_>, read: form::Reader) -> Self {
        let Some(fields) = read(content).filter(|_| content.is_whole) else {
            return Self::bytes(content).with(if content.is_whole {
                "no_form"
            } else {
                "truncated"
            });
        };
        let mut object = serde_json::Map::new();
        for (name, value) in fields {
            match object.get_mut(&name) {
                None => drop(object.insert(name, value.into())),
                Some(Value::Array(values)) => values.push(value.into()),
                Some(one) => *one = json!([one.take(), value]),
            }
        }
        Self::value(&Value::Object(object)).unwrap_or_else(|| Self::bytes(content))
    }

    fn with(mut self, problem: &'static str) -> Self {
        self.problems.push(problem);
        self
    }
}

/// A media type that a record takes.
fn media_type(text: Option<&str>) -> String {
    let fits = |text: &&str| {
        text.len() <= NAME_BYTES_MAX
            && text.contains('/')
            && text.bytes().all(|b| b.is_ascii() && !b.is_ascii_control())
    };
    text.filter(fits).unwrap_or(UNNAMED).to_owned()
}
