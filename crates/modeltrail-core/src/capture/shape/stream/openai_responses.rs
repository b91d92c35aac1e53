//! Responses of OpenAI: typed events, of which the last one carries the whole response.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::super::sse::Event;
use super::{Assembly, DIFFER, said};

/// Events that carry the response as it stands at the end.
const TERMINAL: &[&str] =
    &["response.completed", "response.incomplete", "response.failed", "response.cancelled"];

/// Events that carry the response on the way.
const ON_THE_WAY: &[&str] = &["response.created", "response.in_progress", "response.queued"];

/// Deltas of texts: the event, the list in the item that the text stands in, the index in it, and its member. Their
/// `.done` events repeat the text.
const TEXTS: &[(&str, &str, &str, &str)] = &[
    ("response.output_text", "content", "content_index", "text"),
    ("response.refusal", "content", "content_index", "refusal"),
    ("response.reasoning_text", "content", "content_index", "text"),
    ("response.reasoning_summary_text", "summary", "summary_index", "text"),
];

/// Deltas that are a member of the item itself.
const MEMBERS: &[(&str, &str)] = &[
    ("response.function_call_arguments", "arguments"),
    ("response.mcp_call_arguments", "arguments"),
    ("response.custom_tool_call_input", "input"),
    ("response.code_interpreter_call_code", "code"),
];

/// Events that say how far something is, and nothing that the items at the end do not.
const PROGRESS: &[&str] =
    &["response.content_part.done", "response.reasoning_summary_part.done", "keepalive"];

#[derive(Default)]
struct Item {
    object: Map<String, Value>,
    is_done: bool,
    /// By list and index in it.
    lists: BTreeMap<(&'static str, u64), Map<String, Value>>,
}

pub(super) fn assemble(events: &[Event], assembly: &mut Assembly) -> Option<Value> {
    let mut response = None;
    let mut items: BTreeMap<u64, Item> = BTreeMap::new();
    for event in events {
        let Value::Object(mut said) = said(event) else {
            assembly.keep(event);
            continue;
        };
        let kind = said.get("type").and_then(Value::as_str).unwrap_or(&event.name).to_owned();
        let is_terminal = TERMINAL.contains(&kind.as_str());
        if is_terminal || ON_THE_WAY.contains(&kind.as_str()) {
            assembly.is_done |= is_terminal;
            response = said.remove("response").filter(Value::is_object).or(response);
        } else if kind == "error" {
            assembly.error = Some(Value::Object(said));
        } else if !take(&mut items, &kind, said) {
            assembly.keep(event);
        }
    }
    if response.is_none() && items.is_empty() && assembly.error.is_none() {
        return None;
    }
    let mut response = response.unwrap_or_else(|| Value::Object(Map::new()));
    let put_together: Vec<Value> = items.into_values().map(Item::whole).collect();
    if assembly.is_done {
        if texts(response.get("output")) != texts(Some(&Value::Array(put_together))) {
            assembly.note(DIFFER);
        }
    } else if let Value::Object(response) = &mut response {
        response.insert("output".to_owned(), Value::Array(put_together));
    }
    Some(response)
}

/// Takes an event of an item; false where it is none that is known.
fn take(items: &mut BTreeMap<u64, Item>, kind: &str, mut said: Map<String, Value>) -> bool {
    if PROGRESS.contains(&kind) {
        return true;
    }
    let index = |name: &str| said.get(name).and_then(Value::as_u64).unwrap_or(0);
    let item = || index("output_index");
    if let "response.output_item.added" | "response.output_item.done" = kind {
        let at = item();
        let Some(Value::Object(object)) = said.remove("item") else { return false };
        let item = items.entry(at).or_default();
        item.object = object;
        item.is_done = kind.ends_with(".done");
        return true;
    }
    for (event, list, index_name, member) in TEXTS {
        let Some(stage) = kind.strip_prefix(event) else { continue };
        let place = (*list, index(index_name));
        let part = items.entry(item()).or_default().lists.entry(place).or_default();
        return put(part, member, stage, &mut said);
    }
    for (event, member) in MEMBERS {
        let Some(stage) = kind.strip_prefix(event) else { continue };
        let item = items.entry(item()).or_default();
        return put(&mut item.object, member, stage, &mut said);
    }
    for (event, list, index_name) in [
        ("response.content_part.added", "content", "content_index"),
        ("response.reasoning_summary_part.added", "summary", "summary_index"),
    ] {
        if kind == event {
            let place = (list, index(index_name));
            let at = item();
            let Some(Value::Object(part)) = said.remove("part") else { return false };
            items.entry(at).or_default().lists.insert(place, part);
            return true;
        }
    }
    // A tool's call says how far it is: `response.web_search_call.searching`.
    kind.starts_with("response.") && kind.contains("_call.") && !said.contains_key("delta")
}

/// A text's next piece, or at its end the whole of it.
fn put(
    into: &mut Map<String, Value>,
    member: &str,
    stage: &str,
    said: &mut Map<String, Value>,
) -> bool {
    match stage {
        ".delta" => {
            let Some(Value::String(piece)) = said.remove("delta") else { return false };
            match into.get_mut(member) {
                Some(Value::String(text)) => text.push_str(&piece),
                _ => drop(into.insert(member.to_owned(), Value::String(piece))),
            }
            true
        }
        ".done" => {
            if let Some(whole) = said.remove(member) {
                into.insert(member.to_owned(), whole);
            }
            true
        }
        _ => false,
    }
}

impl Item {
    fn whole(self) -> Value {
        let Self { mut object, is_done, lists } = self;
        if !is_done {
            for ((list, _), part) in lists {
                let there = object.entry(list).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(parts) = there {
                    parts.push(Value::Object(part));
                }
            }
        }
        Value::Object(object)
    }
}

/// The texts of an output, one after the other.
fn texts(output: Option<&Value>) -> String {
    let items = output.and_then(Value::as_array).into_iter().flatten();
    let parts = items.filter_map(|item| item.get("content")?.as_array()).flatten();
    parts.filter_map(|part| part.get("text").or_else(|| part.get("refusal"))?.as_str()).collect()
}
