//! Counts, spans, digests and switched-off rules.

use super::{Redactor, Rule, check_json, counts};
use crate::redact::{Counts, Span};

#[test]
fn the_design_s_first_example() {
    let json =
        br#"{"text":"Contact a.b@example.com or call 555-123-4567","user_ssn":"123-45-6789"}"#;
    let (redacted, found) = Redactor::default().redact_json(json).unwrap().unwrap();
    let expected = r#"{"text":"Contact [EMAIL] or call [PHONE]","user_ssn":"[SSN]"}"#;
    assert_eq!(String::from_utf8(redacted).unwrap(), expected);
    assert_eq!(found, counts(&[(Rule::Email, 1), (Rule::Phone, 1), (Rule::Ssn, 1)]));
}

#[test]
fn counts_add_up_in_registry_order() {
    let mut counts = Counts::default();
    assert!(counts.is_empty());
    counts.add(Rule::CreditCard, 2);
    counts.add(Rule::Email, u32::MAX);
    let mut more = Counts::default();
    more.add(Rule::Email, 1);
    more.add(Rule::Phone, 3);
    counts.merge(&more);
    let all: Vec<_> = counts.iter().map(|(rule, n)| (rule.name(), n)).collect();
    assert_eq!(all, [("email", u32::MAX), ("phone", 3), ("credit_card", 2)]);
    assert_eq!((counts.get(Rule::Ssn), counts.is_empty()), (0, false));
}

#[test]
fn rules_can_be_off() {
    let json = br#"["a@x.io","123-45-6789","4111111111111111","212-555-1234"]"#;
    assert_eq!(Redactor::disabled().redact_json(json), Ok(None));
    assert_eq!(Redactor::disabled().redact_text("a@x.io"), None);
    for rule in [Rule::Email, Rule::Phone, Rule::Ssn, Rule::CreditCard] {
        let (bytes, found) = Redactor::with_rules([rule]).redact_json(json).unwrap().unwrap();
        assert_eq!(found, counts(&[(rule, 1)]));
        assert!(String::from_utf8(bytes).unwrap().contains(rule.replacement()));
    }
}

#[test]
fn the_digest_names_the_policy() {
    // sha256 of "modeltrail/redaction\nengine 3\nrule pack 3\n" and a line for each rule.
    let none = "modeltrail/redaction\nengine 3\nrule pack 3\n";
    let all = &Rule::ALL.iter().fold(none.to_owned(), |text, rule| format!("{text}rule {rule}\n"));
    assert_eq!(Redactor::default().policy_digest(), sha256(all));
    assert_eq!(Redactor::disabled().policy_digest(), sha256(none));
    let (ab, ba) = ([Rule::Ssn, Rule::Email], [Rule::Email, Rule::Ssn, Rule::Email]);
    assert_eq!(Redactor::with_rules(ab).policy_digest(), Redactor::with_rules(ba).policy_digest());
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn spans_are_byte_ranges_of_the_text() {
    let text = "é a@x.io, (212) 555-1234";
    let found = Redactor::default().find(text, None);
    let expected = [
        Span { start: 3, end: 9, rule: Rule::Email },
        Span { start: 11, end: 25, rule: Rule::Phone },
    ];
    assert_eq!(found, expected);
    assert!(Redactor::default().find("2125551234", None).is_empty());
    assert_eq!(Redactor::default().find("2125551234", Some("fax")).len(), 1);
}

#[test]
fn the_outermost_name_is_context() {
    let redactor = Redactor::default();
    let json = br#"["2125551234"]"#;
    assert_eq!(redactor.redact_json(json), Ok(None));
    assert_eq!(redactor.redact_json_under("input", json), Ok(None));
    let (bytes, _) = redactor.redact_json_under("contacts", json).unwrap().unwrap();
    assert_eq!(bytes, br#"["[PHONE]"]"#);
}

#[test]
fn a_word_that_masking_brings_near_still_counts() {
    // The word is 70 bytes before the number, until the address between them is masked.
    let text = format!("phone {}@example.com 09301234567", "x".repeat(51));
    let (masked, found) = Redactor::default().redact_text(&text).unwrap();
    assert_eq!(masked, "phone [EMAIL] [PHONE]");
    assert_eq!(found, counts(&[(Rule::Email, 1), (Rule::Phone, 1)]));
    let spans = Redactor::default().find(&text, None);
    let cut: Vec<_> = spans.iter().map(|span| &text[span.start..span.end]).collect();
    assert_eq!(cut, [&text[6..69], "09301234567"]);
    let json = serde_json::to_string(&[&text]).unwrap();
    check_json(&[(&json, r#"["phone [EMAIL] [PHONE]"]"#)]);
}

#[test]
fn replacements_are_no_words() {
    check_json(&[
        (r#"{"212-555-1234":4155558860}"#, r#"{"[PHONE]":4155558860}"#),
        (
            r#"["[PHONE] 4155558860","[SSN] 536228145"]"#,
            r#"["[PHONE] 4155558860","[SSN] 536228145"]"#,
        ),
    ]);
}

#[test]
fn a_document_is_answered_whole_as_the_seed_does() {
    let redactor = Redactor::default();
    let pii =
        |json: &str| redactor.redact_pii(json.as_bytes()).map(|b| String::from_utf8(b).unwrap());
    // The seed document's own example, its address spelt out.
    let json =
        r#"{"text": "Contact a.b@example.com or call 555-123-4567", "user_ssn": "123-45-6789"}"#;
    let expected = r#"{"text": "Contact [EMAIL] or call [PHONE]", "user_ssn": "[SSN]"}"#;
    assert_eq!(pii(json).as_deref(), Ok(expected));
    // What the seed passes over: lists, numbers, names of members.
    let json = r#"{"z":["a@x.io",{"b@x.io":4111111111111111}],"a":1}"#;
    assert_eq!(pii(json).as_deref(), Ok(r#"{"z":["[EMAIL]",{"[EMAIL]":"[CC]"}],"a":1}"#));
    assert_eq!(pii(r#" {"n": 1.50} "#).as_deref(), Ok(r#" {"n": 1.50} "#));
    assert!(pii("[1]").is_err() && pii("\"x\"").is_err() && pii("").is_err() && pii("{").is_err());
}

#[test]
fn the_names_of_all_rules_are_a_list_and_a_text() {
    assert_eq!(Rule::NAMES, Rule::ALL.map(Rule::name));
    assert_eq!(Rule::NAMES_TEXT, Rule::NAMES.join(","));
    assert!(
        Rule::NAMES.into_iter().all(|name| Rule::named(name).is_some_and(|r| r.name() == name))
    );
}
