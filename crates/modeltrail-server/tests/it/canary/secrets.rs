//! The canaries: labelled cases of the redactor, one of each rule.

use std::collections::BTreeMap;

use modeltrail_core::redact::Rule;
use serde_json::Value;

/// The redactor's own labelled cases. Each of them is masked whole, which is tested there.
const CASES: &str = include_str!("../../../../modeltrail-core/tests/data/redaction.jsonl");

/// Of each rule: more would take long and go the same ways.
const N_EACH: usize = 1;

/// Shorter ones could be found by chance.
const SECRET_BYTES_MIN: usize = 8;

/// A secret, and a document in which it is one by its form, by words or by a name.
#[derive(Clone, Debug)]
pub(crate) struct Canary {
    pub(crate) kind: String,
    pub(crate) secret: String,
    pub(crate) document: Value,
    /// The text that holds it, where it needs no name to be known.
    pub(crate) text: Option<String>,
}

/// The type of a case that a rule finds.
fn kind(rule: Rule) -> &'static str {
    match rule {
        Rule::Ssn => "US_SSN",
        Rule::CreditCard => "CREDIT_CARD",
        other => other.replacement().trim_matches(['[', ']']),
    }
}

/// Canaries of every rule of the registry.
pub(crate) fn all() -> Vec<Canary> {
    let mut by_kind: BTreeMap<String, Vec<Canary>> = BTreeMap::new();
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let [label] = case["expect"].as_array().unwrap().as_slice() else { continue };
        let secret = label["text"].as_str().unwrap().to_owned();
        let kind = label["type"].as_str().unwrap().to_owned();
        let at = label["path"].as_str().and_then(|path| case["json"].pointer(path));
        let whole = at.is_some_and(|at| label["start"].is_u64() || *at == secret.as_str());
        let of_kind = by_kind.entry(kind.clone()).or_default();
        if !whole || secret.len() < SECRET_BYTES_MIN || of_kind.len() == N_EACH {
            continue;
        }
        let text = at.and_then(Value::as_str).map(str::to_owned);
        // What stands by itself under a name is known by the name.
        let text = text.filter(|text| text.len() > secret.len());
        of_kind.push(Canary { kind, secret, document: case["json"].clone(), text });
    }
    let without: Vec<&str> =
        Rule::ALL.into_iter().map(kind).filter(|kind| !by_kind.contains_key(*kind)).collect();
    assert!(without.is_empty(), "no canary of {without:?}");
    let none = by_kind.values().filter(|canaries| canaries.is_empty()).count();
    assert_eq!(none, 0, "{:?}", by_kind.iter().filter(|(_, c)| c.is_empty()).collect::<Vec<_>>());
    by_kind.into_values().flatten().collect()
}
