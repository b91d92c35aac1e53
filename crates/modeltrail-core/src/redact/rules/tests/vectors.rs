//! `spec/vectors/redaction-policy.json`, which a second implementation in Python has written.

use serde_json::Value;

use super::super::key::{Words, joined};
use super::super::path::JsonPath;
use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../../../spec/vectors/redaction-policy.json"))
        .unwrap()
}

fn cases<'v>(vectors: &'v Value, name: &str) -> &'v Vec<Value> {
    let cases = vectors[name].as_array().unwrap();
    assert!(!cases.is_empty());
    cases
}

fn text<'v>(case: &'v Value, name: &str) -> &'v str {
    case[name].as_str().unwrap()
}

fn number<T: TryFrom<u64>>(case: &Value, name: &str) -> T {
    case[name].as_u64().and_then(|n| n.try_into().ok()).unwrap()
}

#[test]
fn the_types_are_those_of_the_vectors() {
    let pairs: Vec<(String, String)> = serde_json::from_value(vectors()["types"].clone()).unwrap();
    assert!(
        pairs.iter().map(|(name, label)| (name.as_str(), label.as_str())).eq(TYPES.iter().copied())
    );
}

#[test]
fn canonical_forms_and_digests_are_those_of_the_second_implementation() {
    for case in cases(&vectors(), "equal") {
        let policy = RedactionPolicy::parse(text(case, "toml"), TYPES).unwrap();
        assert_eq!(policy.canonical(), text(case, "canonical"));
        assert_eq!(policy.digest().to_hex(), text(case, "digest"));
        let named = policy.header_digest(number(case, "engine"), number(case, "rule_pack"));
        assert_eq!(named.to_hex(), text(case, "in_header"));
        let limits = crate::limits::Limits::default();
        let again = crate::canonical::canonicalize(policy.canonical().as_bytes(), &limits).unwrap();
        assert_eq!(again, policy.canonical().as_bytes(), "is canonical JSON");
    }
}

#[test]
fn all_problems_are_found_at_their_places() {
    for case in cases(&vectors(), "refused") {
        let problems = RedactionPolicy::parse(text(case, "toml"), TYPES).unwrap_err();
        let Some(places) = case["at"].as_array() else { continue };
        let found: Vec<_> = problems.all().iter().map(|p| vec![p.line, p.column]).collect();
        assert_eq!(serde_json::to_value(found).unwrap().as_array(), Some(places), "{problems}");
        assert!(problems.all().iter().all(|p| !p.what.is_empty() && !p.remedy.is_empty()));
    }
}

#[test]
fn keys_fit_the_names_that_they_should() {
    for case in cases(&vectors(), "keys") {
        let keys = [(joined(text(case, "key")).unwrap(), ())];
        let mut words = Words::default();
        words.read(text(case, "name"));
        let mut n_hits = 0;
        words.find(&keys, |()| n_hits += 1);
        assert_eq!(n_hits > 0, case["fits"].as_bool().unwrap(), "{case}");
    }
}

/// All places of a document, with what is denied there.
fn denied(spot: &Spot<'_>, value: &Value, pointer: &str, above: bool, out: &mut Vec<String>) {
    let here = spot.deny().is_some();
    assert!(here || !above, "a rule holds beneath its place too");
    if here && !above {
        out.push(pointer.to_owned());
    }
    match value {
        Value::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                denied(&spot.element(n), item, &format!("{pointer}/{n}"), here, out);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                denied(&spot.member(name), member, &format!("{pointer}/{name}"), here, out);
            }
        }
        _ => {}
    }
}

#[test]
fn paths_name_the_places_that_they_should() {
    let vectors = vectors();
    for case in cases(&vectors, "paths") {
        let path = text(case, "path");
        assert_eq!(JsonPath::parse(path).unwrap().to_string(), text(case, "canonical"));
        let policy = policy(&format!("[[deny]]\npaths = [{path:?}]\n"));
        let mut found = Vec::new();
        let scope = policy.scope(PartId::Input, "m");
        denied(&scope.root(), &vectors["document"], "", false, &mut found);
        // What lies beneath another place of the path is in the vectors and not found again here.
        let named: Vec<_> =
            case["at"].as_array().unwrap().iter().map(|at| at.as_str().unwrap()).collect();
        let beneath = |at: &str| {
            named
                .iter()
                .any(|other| at.strip_prefix(other).is_some_and(|rest| rest.starts_with('/')))
        };
        let mut outermost: Vec<_> = named.iter().filter(|at| !beneath(at)).copied().collect();
        outermost.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, outermost, "{path}");
    }
}

#[test]
fn pseudonyms_and_masks_are_those_of_the_second_implementation() {
    let vectors = vectors();
    for case in cases(&vectors, "pseudonyms") {
        let epoch: u32 = number(case, "epoch");
        let key = PseudonymKey::new(epoch, &[u8::try_from(epoch % 256).unwrap(); 32]);
        let name = text(case, "type");
        let token =
            pseudonym(&key, name, text(case, "label"), Normal::of(name), text(case, "value"));
        assert_eq!(token, text(case, "token"), "{case}");
        assert_eq!(token_len(&token), Some(token.len()));
    }
    for case in cases(&vectors, "masks") {
        assert_eq!(mask(text(case, "value"), number(case, "keep_last")), text(case, "masked"));
    }
}
