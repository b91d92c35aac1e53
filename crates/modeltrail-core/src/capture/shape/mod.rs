//! Shapes of requests and answers that are understood: what their bodies say of model, user, usage and end, and how
//! an answer that was streamed is put together.
//!
//! What a shape is stands in a table (`tables`); the one engine here reads tables. A stream is put
//! together by the assembler of its family (`stream`). A body that is not what its shape says is kept as it came, and
//! a code says so: `no_json`, `no_form`, `truncated`, `stream_incomplete`, `unknown_events`, `deltas_differ`,
//! `arguments_no_json`.

mod body;
mod cut;
mod form;
mod sse;
mod stream;
mod table;
mod tables;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::record::Payload;
use body::Read;
use table::Table;

pub use tables::Shape;

/// A body with its content coding taken off.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content<'a> {
    /// Its media type with parameters, as the header had it.
    pub(super) media_type: Option<&'a str>,
    /// Its bytes, the first ones where it is cut.
    pub(super) bytes: &'a [u8],
    /// False when there is more that is not here.
    pub(super) is_whole: bool,
}

/// What a shape is read from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) path: &'a str,
    pub(super) status: Option<u16>,
    pub(super) request: Content<'a>,
    pub(super) response: Content<'a>,
}

/// What a shape understood. `None` where the bodies do not say.
#[derive(Debug, Default)]
pub(super) struct Understood {
    /// The name of the shape that was used.
    pub(super) shape: &'static str,
    pub(super) input: Option<Payload>,
    pub(super) output: Option<Payload>,
    /// The request's JSON, for places in it that a configuration names.
    pub(super) request_json: Option<Value>,
    /// The answer's JSON (assembled, where it was streamed).
    pub(super) response_json: Option<Value>,
    pub(super) model: Option<String>,
    pub(super) version: Option<String>,
    pub(super) provider: Option<String>,
    pub(super) user: Option<String>,
    pub(super) session: Option<String>,
    /// What decoding was asked for (temperature, seed …): the pipeline pin's `decoding`.
    pub(super) decoding: Option<Value>,
    pub(super) usage: Option<Value>,
    pub(super) finish_reason: Option<String>,
    /// Of an answer that says in its body that it failed: code and message.
    pub(super) failure: Option<(String, String)>,
    /// How many events a stream had.
    pub(super) n_events: Option<u64>,
    /// What was not as the shape says, as codes.
    pub(super) problems: Vec<&'static str>,
}

/// Reads a request and its answer as `shape`, or as what they look like.
pub(super) fn understand(shape: Option<Shape>, told: &Told<'_>) -> Understood {
    if shape == Some(Shape::Bytes) {
        return Understood {
            shape: Shape::Bytes.name(),
            input: Read::bytes(&told.request).payload,
            output: Read::bytes(&told.response).payload,
            ..Understood::default()
        };
    }
    let shape = shape.or_else(|| Shape::of_path(told.path));
    let table = shape.and_then(Shape::table);
    let request = Read::of(&told.request, None);
    let response = Read::of(&told.response, table);
    let mut problems = request.problems.clone();
    problems.extend(&response.problems);
    problems.sort_unstable();
    problems.dedup();
    let is_json = request.json.is_some() || response.json.is_some();
    let name = match shape {
        Some(shape) => shape.name(),
        None if is_json => Shape::Json.name(),
        None => Shape::Bytes.name(),
    };
    let mut understood = Understood {
        shape: name,
        input: request.payload,
        output: response.payload,
        request_json: request.json,
        response_json: response.json,
        n_events: response.n_events,
        problems,
        ..Understood::default()
    };
    if let Some((shape, table)) = shape.zip(table) {
        understood.look_up(shape, table, told);
    }
    understood
}

impl Understood {
    fn look_up(&mut self, shape: Shape, table: &Table, told: &Told<'_>) {
        let Self { request_json: request, response_json: response, .. } = &*self;
        let vars = shape.variables(told.path);
        let var = |name| vars.as_ref().and_then(|vars| vars.get(name)).map(str::to_owned);
        let in_request = |pointers: &[&str]| first(request.as_ref(), pointers).and_then(scalar);
        let in_response = |pointers: &[&str]| first(response.as_ref(), pointers).and_then(scalar);
        let model = in_request(table.model).or_else(|| var("model"));
        let model = model.or_else(|| in_response(table.model_of_answer));
        let version = in_response(table.version).or_else(|| var("version"));
        let decoding = request.as_ref().and_then(|request| decoding(table, request));
        let usage =
            first(response.as_ref(), table.usage).filter(|usage| usage.is_object()).cloned();
        let (user, session) = (in_request(table.user), in_request(table.session));
        let finish_reason = in_response(table.finish_reason);
        let failure = response.as_ref().and_then(|response| failure(response, told.status));
        self.provider = table.provider.map(str::to_owned);
        (self.model, self.version, self.user, self.session) = (model, version, user, session);
        (self.decoding, self.usage) = (decoding, usage);
        (self.finish_reason, self.failure) = (finish_reason, failure);
    }
}

/// The first of these places that has something.
fn first<'a>(json: Option<&'a Value>, pointers: &[&str]) -> Option<&'a Value> {
    let json = json?;
    pointers.iter().find_map(|pointer| json.pointer(pointer).filter(|value| !value.is_null()))
}

/// A text or a number as a text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn decoding(table: &Table, request: &Value) -> Option<Value> {
    let inside = table.decoding_in.map_or(Some(request), |pointer| request.pointer(pointer))?;
    let asked = table.decoding.iter();
    let members: Map<String, Value> =
        asked.filter_map(|name| Some(((*name).to_owned(), inside.get(*name)?.clone()))).collect();
    (!members.is_empty()).then_some(Value::Object(members))
}

/// What an answer says of its own failure: `{"error": {"code" or "type", "message"}}` (OpenAI, Anthropic),
/// `{"error": "…"}` (KServe, Open Inference Protocol), `{"code", "type", "message"}` (TorchServe) or
/// `{"error_code", "message"}` (MLflow).
fn failure(response: &Value, status: Option<u16>) -> Option<(String, String)> {
    let or_status = |code: Option<String>| {
        code.unwrap_or_else(|| status.map_or("error".to_owned(), |status| format!("http_{status}")))
    };
    let text = |of: &Value, name: &str| of.get(name).and_then(scalar);
    match response.get("error") {
        Some(Value::String(message)) => return Some((or_status(None), message.clone())),
        Some(error @ Value::Object(_)) => {
            let code = text(error, "code").or_else(|| text(error, "type"));
            return Some((or_status(code), text(error, "message").unwrap_or_default()));
        }
        _ => {}
    }
    let failed = status.is_some_and(|status| status >= 400);
    let message = text(response, "message").filter(|_| failed)?;
    let code = text(response, "error_code").or_else(|| text(response, "type"));
    Some((or_status(code), message))
}
