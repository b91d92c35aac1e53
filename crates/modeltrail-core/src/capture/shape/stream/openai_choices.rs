//! Chat completions and completions of OpenAI: `choices` of `delta` or `text`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::sse::Event;
use super::{Assembly, merge, said};

/// What the stream ends with.
const DONE: &str = "[DONE]";

/// Text that providers add to hide lengths, and no part of the answer.
const PADDING: &str = "obfuscation";

pub(super) fn assemble(events: &[Event], assembly: &mut Assembly) -> Option<Value> {
    let mut answer = Map::new();
    let mut choices: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    let mut is_chunked = false;
    for event in events {
        if event.data.trim() == DONE {
            assembly.is_done = true;
            continue;
        }
        let Value::Object(mut chunk) = said(event) else {
            assembly.keep(event);
            continue;
        };
        if let Some(error) = chunk.remove("error") {
            assembly.error = Some(error);
            continue;
        }
        let Some(Value::Array(pieces)) = chunk.remove("choices") else {
            assembly.keep(event);
            continue;
        };
        is_chunked = true;
        chunk.remove(PADDING);
        last(&mut answer, chunk);
        for piece in pieces {
            let Value::Object(piece) = piece else { continue };
            let index = piece.get("index").and_then(Value::as_u64).unwrap_or(0);
            take_choice(choices.entry(index).or_default(), piece);
        }
    }
    if !is_chunked {
        return assembly.error.is_some().then_some(Value::Object(answer));
    }
    // Some servers end without the last line; every choice has said why it ended then.
    let has_ended =
        |choice: &Map<String, Value>| choice.get("finish_reason").is_some_and(Value::is_string);
    assembly.is_done |= !choices.is_empty() && choices.values().all(has_ended);
    if let Some(Value::String(object)) = answer.get_mut("object")
        && let Some(whole) = object.strip_suffix(".chunk")
    {
        *object = whole.to_owned();
    }
    let choices = choices.into_values().map(Value::Object).collect();
    answer.insert("choices".to_owned(), Value::Array(choices));
    let mut answer = Value::Object(answer);
    tidy(&mut answer);
    Some(answer)
}

/// Members of a chunk stand in full each time; the last one that says something counts.
fn last(answer: &mut Map<String, Value>, chunk: Map<String, Value>) {
    for (name, value) in chunk {
        if !value.is_null() || !answer.contains_key(&name) {
            answer.insert(name, value);
        }
    }
}

fn take_choice(choice: &mut Map<String, Value>, mut piece: Map<String, Value>) {
    let delta = piece.remove("delta");
    merge::members(choice, piece);
    let Some(Value::Object(delta)) = delta else { return };
    let message = choice.entry("message").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(message) = message {
        merge::members(message, delta);
    }
}

/// Tool calls of a message have no index when it is not streamed.
fn tidy(answer: &mut Value) {
    let Some(Value::Array(choices)) = answer.get_mut("choices") else { return };
    for choice in choices {
        if let Some(calls) = choice.pointer_mut("/message/tool_calls") {
            merge::without_indexes(calls);
        }
    }
}
