//! Streamed answers, put together to what the same answer is when it is not streamed.

mod anthropic;
mod merge;
mod openai_choices;
mod openai_responses;

use serde_json::{Value, json};

use super::sse::{Event, Events};

/// How a family of shapes streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Family {
    /// Events of no family: a list of what each says.
    Events,
    /// Chunks with `choices` of `delta` or `text`, and `[DONE]` at the end.
    OpenAiChoices,
    /// Typed events, the last of which carries the whole response.
    OpenAiResponses,
    /// `message_start`, blocks and their deltas, `message_stop`.
    Anthropic,
    /// Chunks whose `text_output` goes on.
    TextOutput,
}

/// An answer that was put together.
#[derive(Debug)]
pub(super) struct Assembled {
    pub(super) value: Value,
    pub(super) problems: Vec<&'static str>,
}

/// The stream broke off, or said that it failed, before its end.
const INCOMPLETE: &str = "stream_incomplete";
/// Events that the shape does not know, kept in `unknown_events`.
const UNKNOWN: &str = "unknown_events";
/// What deltas gave is not what the whole object at the end says.
const DIFFER: &str = "deltas_differ";
/// The arguments of a tool that are no JSON, kept as text.
const ARGUMENTS: &str = "arguments_no_json";

/// What is known of a stream while its events come.
#[derive(Default)]
struct Assembly {
    problems: Vec<&'static str>,
    unknown: Vec<Value>,
    error: Option<Value>,
    is_done: bool,
}

/// Puts a stream together.
pub(super) fn assemble(family: Option<Family>, read: &Events) -> Assembled {
    let family = family.filter(|_| read.events.iter().any(|event| said(event).is_object()));
    let mut assembly = Assembly::default();
    let value = match family {
        None | Some(Family::Events) => {
            assembly.is_done = !read.is_open;
            Some(list(&read.events))
        }
        Some(Family::OpenAiChoices) => openai_choices::assemble(&read.events, &mut assembly),
        Some(Family::OpenAiResponses) => openai_responses::assemble(&read.events, &mut assembly),
        Some(Family::Anthropic) => anthropic::assemble(&read.events, &mut assembly),
        Some(Family::TextOutput) => {
            assembly.is_done = !read.is_open;
            Some(merge::all(read.events.iter().map(said)))
        }
    };
    assembly.finish(value, read)
}

impl Assembly {
    fn finish(mut self, value: Option<Value>, read: &Events) -> Assembled {
        if !self.is_done || self.error.is_some() {
            self.problems.push(INCOMPLETE);
        }
        let is_known = value.is_some();
        // Events of another shape than was thought: nothing of them is lost.
        let mut value = value.unwrap_or_else(|| list(&read.events));
        if is_known && let Value::Object(members) = &mut value {
            members.extend(self.error.take().map(|error| ("error".to_owned(), error)));
            if !self.unknown.is_empty() {
                members.insert("unknown_events".to_owned(), Value::Array(self.unknown));
                self.problems.push(UNKNOWN);
            }
        }
        self.problems.sort_unstable();
        self.problems.dedup();
        Assembled { value, problems: self.problems }
    }

    fn note(&mut self, problem: &'static str) {
        self.problems.push(problem);
    }

    /// Keeps an event that the shape does not know.
    fn keep(&mut self, event: &Event) {
        self.unknown.push(told(event));
    }
}

/// What an event says: its JSON, or its text.
fn said(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap_or_else(|_| Value::String(event.data.clone()))
}

/// An event with its name, where it has one.
fn told(event: &Event) -> Value {
    match event.name.as_str() {
        "" => said(event),
        name => json!({"event": name, "data": said(event)}),
    }
}

fn list(events: &[Event]) -> Value {
    Value::Array(events.iter().map(told).collect())
}
