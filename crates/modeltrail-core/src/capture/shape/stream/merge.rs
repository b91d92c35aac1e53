//! Pieces of objects as one object.

use serde_json::{Map, Value};

/// Members that stand in full where they stand, and are not pieces of a text.
const WHOLE: &[&str] = &[
    "id",
    "object",
    "type",
    "role",
    "name",
    "model",
    "model_name",
    "model_version",
    "finish_reason",
    "stop_reason",
    "system_fingerprint",
    "service_tier",
    "created",
    "status",
    "call_id",
    "item_id",
];

/// Objects that come one after the other as one: texts go on, lists go on, the last of anything else counts.
pub(super) fn all(pieces: impl Iterator<Item = Value>) -> Value {
    let mut merged = Value::Object(Map::new());
    for piece in pieces {
        if let (Value::Object(into), Value::Object(piece)) = (&mut merged, piece) {
            members(into, piece);
        }
    }
    merged
}

/// Takes the members of a piece into an object. A list whose items have an `index` is one by that index, in the order
/// in which they first came; no list is made longer than what came.
pub(super) fn members(into: &mut Map<String, Value>, piece: Map<String, Value>) {
    for (name, value) in piece {
        if value.is_null() {
            into.entry(name).or_insert(Value::Null);
            continue;
        }
        match into.get_mut(&name) {
            None | Some(Value::Null) => {
                let value = if has_indexes(&value) {
                    by_index(Value::Array(Vec::new()), value)
                } else {
                    value
                };
                into.insert(name, value);
            }
            Some(there) => {
                let old = there.take();
                *there = one(&name, old, value);
            }
        }
    }
}

fn one(name: &str, there: Value, piece: Value) -> Value {
    match (there, piece) {
        (Value::String(mut there), Value::String(piece)) if !WHOLE.contains(&name) => {
            there.push_str(&piece);
            Value::String(there)
        }
        (Value::Object(mut there), Value::Object(piece)) => {
            members(&mut there, piece);
            Value::Object(there)
        }
        (there @ Value::Array(_), piece @ Value::Array(_)) if has_indexes(&piece) => {
            by_index(there, piece)
        }
        (Value::Array(mut there), Value::Array(piece)) => {
            there.extend(piece);
            Value::Array(there)
        }
        (_, piece) => piece,
    }
}

fn has_indexes(value: &Value) -> bool {
    let Value::Array(items) = value else { return false };
    !items.is_empty() && items.iter().all(|item| item.get("index").is_some_and(Value::is_u64))
}

/// Items of a list by their `index`, which stays on them until the end; see [`without_indexes`].
fn by_index(there: Value, piece: Value) -> Value {
    let (Value::Array(mut items), Value::Array(pieces)) = (there, piece) else {
        return Value::Null;
    };
    for piece in pieces {
        let index = piece.get("index").and_then(Value::as_u64);
        let same = |item: &&mut Value| item.get("index").and_then(Value::as_u64) == index;
        // Pieces of the newest item come most often.
        match (items.iter_mut().rev().find(same), piece) {
            (Some(Value::Object(item)), Value::Object(piece)) => members(item, piece),
            (_, piece) => items.push(piece),
        }
    }
    Value::Array(items)
}

/// The items of a list in the order of their `index`, which an answer that is not streamed does not have.
pub(super) fn without_indexes(list: &mut Value) {
    let Value::Array(items) = list else { return };
    items.sort_by_key(|item| item.get("index").and_then(Value::as_u64));
    for item in items {
        if let Value::Object(item) = item {
            item.remove("index");
        }
    }
}
