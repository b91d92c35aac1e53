//! Shapes of requests and answers that are understood: what their bodies say of model, user, usage and end, and how
//! an answer that was streamed is put together.

mod bytes;

use serde_json::Value;

use crate::record::Payload;

/// How a request and its answer are built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Any JSON.
    Json,
    /// Anything: kept as bytes.
    Bytes,
}

impl Shape {
    /// Every shape.
    pub const ALL: &'static [Self] = &[Self::Json, Self::Bytes];

    /// The name in configurations and records.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Bytes => "bytes",
        }
    }

    /// The shape of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|shape| shape.name() == name)
    }
}

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
    pub(super) method: &'a str,
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
    bytes::understand(shape, told)
}
