//! Messages of Anthropic: `message_start`, blocks with their deltas, `message_delta`, `message_stop`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::sse::Event;
use super::{ARGUMENTS, Assembly, said};

/// Deltas of texts: their type, the member of the delta, and that of the block.
const TEXTS: &[(&str, &str, &str)] = &[
    ("text_delta", "text", "text"),
    ("thinking_delta", "thinking", "thinking"),
    ("signature_delta", "signature", "signature"),
    ("input_json_delta", "partial_json", PARTIAL),
];

/// Where the text of a tool's input is gathered until its block ends; no member of the protocol.
const PARTIAL: &str = "\u{0}partial_json";

pub(super) fn assemble(events: &[Event], assembly: &mut Assembly) -> Option<Value> {
    let mut message = None::<Map<String, Value>>;
    let mut blocks: BTreeMap<u64, Map<String, Value>> = BTreeMap::new();
    for event in events {
        let Value::Object(mut said) = said(event) else {
            assembly.keep(event);
            continue;
        };
        let kind = said.get("type").and_then(Value::as_str).unwrap_or(&event.name).to_owned();
        let index = said.get("index").and_then(Value::as_u64).unwrap_or(0);
        let is_known = match kind.as_str() {
            "ping" | "content_block_stop" => true,
            "message_start" => object(&mut said, "message").map(|it| message = Some(it)).is_some(),
            "content_block_start" => object(&mut said, "content_block")
                .map(|block| blocks.insert(index, block))
                .is_some(),
            "content_block_delta" => object(&mut said, "delta")
                .is_some_and(|delta| take_delta(blocks.entry(index).or_default(), delta)),
            "message_delta" => {
                let message = message.get_or_insert_default();
                take_message_delta(message, &mut said);
                true
            }
            "message_stop" => {
                assembly.is_done = true;
                true
            }
            "error" => {
                assembly.error = said.remove("error");
                true
            }
            _ => false,
        };
        if !is_known {
            assembly.keep(event);
        }
    }
    if message.is_none() && blocks.is_empty() && assembly.error.is_none() {
        return None;
    }
    let mut message = message.unwrap_or_default();
    let content = blocks.into_values().map(|block| whole(block, assembly)).collect();
    message.insert("content".to_owned(), Value::Array(content));
    Some(Value::Object(message))
}

fn object(said: &mut Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    match said.remove(name)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

fn take_delta(block: &mut Map<String, Value>, mut delta: Map<String, Value>) -> bool {
    let kind = delta.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "citations_delta" {
        let Some(citation) = delta.remove("citation") else { return false };
        match block.get_mut("citations") {
            Some(Value::Array(citations)) => citations.push(citation),
            _ => drop(block.insert("citations".to_owned(), Value::Array(vec![citation]))),
        }
        return true;
    }
    let Some((_, from, to)) = TEXTS.iter().find(|(of, ..)| *of == kind) else { return false };
    let Some(Value::String(piece)) = delta.remove(*from) else { return false };
    match block.get_mut(*to) {
        Some(Value::String(text)) => text.push_str(&piece),
        _ => drop(block.insert((*to).to_owned(), Value::String(piece))),
    }
    true
}

/// Why it stopped, and what was used up so far: members of the message as it stands at the end.
fn take_message_delta(message: &mut Map<String, Value>, said: &mut Map<String, Value>) {
    for (name, value) in object(said, "delta").into_iter().flatten() {
        message.insert(name, value);
    }
    let Some(usage) = object(said, "usage") else { return };
    let there = message.entry("usage").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(there) = there {
        there.extend(usage.into_iter().filter(|(_, value)| !value.is_null()));
    }
}

/// A block with the input of its tool as JSON, where it is some.
fn whole(mut block: Map<String, Value>, assembly: &mut Assembly) -> Value {
    if let Some(Value::String(text)) = block.remove(PARTIAL)
        && !text.is_empty()
    {
        let input = serde_json::from_str(&text).unwrap_or_else(|_| {
            assembly.note(ARGUMENTS);
            Value::String(text)
        });
        block.insert("input".to_owned(), input);
    }
    Value::Object(block)
}
