//! Where something was masked, and by which rules; never what.

use modeltrail_core::redact::{Rule, Span};
use serde_json::Value;

/// Places in a text.
pub(super) fn text_places(spans: &[Span]) -> Vec<String> {
    let place = |span: &Span| format!("bytes {} to {}: {}", span.start, span.end, span.rule);
    spans.iter().map(place).collect()
}

/// JSON pointers, each with its rules, of what differs between a document and its masked form. The
/// pointers are those of the masked form: a name may be personal data too.
pub(super) fn json_places(pointer: &str, before: &[u8], masked: &[u8]) -> Vec<String> {
    let mut places = Vec::new();
    // serde_json reads numbers into doubles, which does not matter here: only texts are compared.
    let read = |bytes| serde_json::from_slice::<Value>(bytes);
    if let (Ok(before), Ok(masked)) = (read(before), read(masked)) {
        walk(pointer, &before, &masked, &mut places);
    }
    places
}

fn walk(pointer: &str, before: &Value, masked: &Value, places: &mut Vec<String>) {
    match (before, masked) {
        (Value::Array(before), Value::Array(masked)) => {
            for (n, (before, masked)) in before.iter().zip(masked).enumerate() {
                walk(&format!("{pointer}/{n}"), before, masked, places);
            }
        }
        (Value::Object(before), Value::Object(masked)) => {
            let same_names = before.len() == masked.len() && before.keys().eq(masked.keys());
            if !same_names {
                let names = |object: &serde_json::Map<String, Value>| {
                    object.keys().cloned().collect::<Vec<_>>().join("\n")
                };
                let rules = rules(&names(before), &names(masked));
                places.push(format!("{}, a member's name: {rules}", shown(pointer)));
            }
            for (name, masked) in masked {
                if let Some(before) = before.get(name) {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    walk(&format!("{pointer}/{name}"), before, masked, places);
                }
            }
        }
        (Value::String(before), Value::String(masked)) if before != masked => {
            places.push(format!("{}: {}", shown(pointer), rules(before, masked)));
        }
        (Value::Number(_), Value::String(masked)) => {
            places.push(format!("{}: {}", shown(pointer), rules("", masked)));
        }
        _ => {}
    }
}

fn shown(pointer: &str) -> &str {
    if pointer.is_empty() { "(the whole)" } else { pointer }
}

/// The rules whose replacement stands more often in the masked text than in the other.
fn rules(before: &str, masked: &str) -> String {
    let n = |text: &str, rule: Rule| text.matches(rule.replacement()).count();
    let of = |rule: Rule| match n(masked, rule).saturating_sub(n(before, rule)) {
        0 => None,
        1 => Some(rule.name().to_owned()),
        n => Some(format!("{} {n}", rule.name())),
    };
    Rule::ALL.into_iter().filter_map(of).collect::<Vec<_>>().join(", ")
}
