//! The one spelling of a policy: canonical JSON (RFC 8785) of all that it says; and digests of it.

use serde_json::{Map, Value, json};

use super::place::Place;
use super::{POLICY_VERSION, RedactionPolicy, Setting};
use crate::hash::{Hash, sha256};

/// Before the canonical form in its hash.
const DIGEST_PREFIX: &[u8] = b"modeltrail/v1/redaction-policy\0";

/// The digest of a policy whose canonical form this is.
#[must_use]
pub fn text_digest(canonical: &str) -> Hash {
    sha256(&[DIGEST_PREFIX, canonical.as_bytes()])
}

/// The lines that [`RedactionPolicy::header_digest`] is over.
#[must_use]
pub fn policy_lines(engine: u32, rule_pack: u32, digest: &Hash) -> String {
    format!("modeltrail/redaction\nengine {engine}\nrule pack {rule_pack}\npolicy {digest}\n")
}

/// Lists whose order means nothing are sorted already; that of rules is kept, since it counts.
pub(super) fn write(policy: &RedactionPolicy) -> String {
    let deny = policy.deny.iter().map(|rule| {
        let mut object = place(&rule.place);
        object.insert("action".to_owned(), json!(rule.action.to_string()));
        object.insert("type".to_owned(), json!(rule.type_name));
        Value::Object(object)
    });
    let rules = policy.rules.iter().map(|rule| {
        let mut names: Vec<_> = rule.slots.iter().filter_map(|n| policy.type_name(*n)).collect();
        names.sort_unstable();
        let mut object = place(&rule.place);
        object.insert("action".to_owned(), json!(rule.action.to_string()));
        object.insert("types".to_owned(), json!(names));
        Value::Object(object)
    });
    let patterns = policy.patterns.iter().map(|pattern| {
        json!({
            "models": pattern.models.iter().map(|glob| glob.as_str()).collect::<Vec<_>>(),
            "name": pattern.name,
            "parts": pattern.parts.iter().map(|part| part.name()).collect::<Vec<_>>(),
            "regex": pattern.regex.as_str(),
            "words": pattern.words,
        })
    });
    let value = json!({
        "allow": policy.allow.iter().map(|rule| Value::Object(place(rule))).collect::<Vec<_>>(),
        "deny": deny.collect::<Vec<_>>(),
        "name": policy.name,
        "patterns": patterns.collect::<Vec<_>>(),
        "rules": rules.collect::<Vec<_>>(),
        "types": types(policy),
        "values": {
            "allow": policy.allow_values,
            "allow_sha256": policy.allow_hashes.iter().map(|h| h.to_hex()).collect::<Vec<_>>(),
        },
        "version": POLICY_VERSION,
    });
    // Names are ASCII, so that sorting by bytes is sorting by UTF-16 units, and there are no
    // decimals: serde_json writes what RFC 8785 asks for.
    value.to_string()
}

fn types(policy: &RedactionPolicy) -> Map<String, Value> {
    let text = |setting: Setting| match setting {
        Setting::Off => "off".to_owned(),
        Setting::On(action) => action.to_string(),
    };
    let named = policy.types.iter().zip(&policy.settings);
    let mut types: Map<_, _> = named
        .filter_map(|(name, setting)| Some((name.clone(), json!(text((*setting)?)))))
        .collect();
    types.insert("default".to_owned(), json!(text(policy.default)));
    types
}

fn place(place: &Place) -> Map<String, Value> {
    let mut object = Map::new();
    let paths: Vec<_> = place.paths.iter().map(ToString::to_string).collect();
    let models: Vec<_> = place.models.iter().map(|glob| glob.as_str()).collect();
    let parts: Vec<_> = place.parts.iter().map(|part| part.name()).collect();
    object.insert("keys".to_owned(), json!(place.keys));
    object.insert("models".to_owned(), json!(models));
    object.insert("parts".to_owned(), json!(parts));
    object.insert("paths".to_owned(), json!(paths));
    object
}
