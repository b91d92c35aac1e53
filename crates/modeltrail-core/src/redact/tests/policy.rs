//! What a policy has done with what is found, and where.

use proptest::prelude::*;
use serde_json::Value;

use super::super::rules::{PseudonymKey, RedactionPolicy, token_len};
use super::super::{PartPlace, RedactError, Redactor, Rule};
use crate::code::PartId;

const INPUT: PartPlace<'static> = PartPlace { part: PartId::Input, model: "fraud" };

fn redactor(rules: &str) -> Redactor {
    let text = format!("version = 1\nname = \"test\"\n{rules}");
    let policy = RedactionPolicy::parse(&text, &Rule::TYPES)
        .unwrap_or_else(|problems| panic!("{text}\n{problems}"));
    Redactor::with_policy(policy, Some(PseudonymKey::new(0, &[7; 32])))
}

/// The document that a redactor makes of one, and what it counts.
fn masked_at(redactor: &Redactor, place: &PartPlace<'_>, json: &str) -> (String, String) {
    let Some((bytes, counts)) = redactor.redact_part(place, json.as_bytes()).unwrap() else {
        return (json.to_owned(), String::new());
    };
    let again = redactor.redact_part(place, &bytes).unwrap();
    let twice = again.map_or_else(|| bytes.clone(), |(bytes, _)| bytes);
    assert_eq!(String::from_utf8_lossy(&twice), String::from_utf8_lossy(&bytes), "once more");
    let counts: Vec<_> = counts.by_type().map(|(name, n)| format!("{name} {n}")).collect();
    (String::from_utf8(bytes).unwrap(), counts.join(", "))
}

fn check(rules: &str, cases: &[(&str, &str, &str)]) {
    let redactor = redactor(rules);
    for (json, expected, counted) in cases {
        let (masked, counts) = masked_at(&redactor, &INPUT, json);
        assert_eq!(&masked, expected, "of {json} under {rules}");
        assert_eq!(&counts, counted, "of {json} under {rules}");
    }
}

#[test]
fn each_action_does_what_it_says() {
    check(
        "[types]\ndefault = 'off'\nemail = 'remove'\nphone = 'mask'\nssn = 'keep'\ncredit_card = { mask = 6 }\niban = 'replace'\n",
        &[
            (r#"{"a":"to jo@example.com now"}"#, r#"{"a":"to  now"}"#, "email 1"),
            (r#"["+49 30 901820-11"]"#, r#"["************0-11"]"#, "phone 1"),
            (r#"["ssn 123-45-6789"]"#, r#"["ssn 123-45-6789"]"#, "ssn 1"),
            (r#"{"card":4111111111111111}"#, r#"{"card":"**********111111"}"#, "credit_card 1"),
            (r#"["DE89370400440532013000"]"#, r#"["[IBAN]"]"#, "iban 1"),
            (r#"["192.168.7.9"]"#, r#"["192.168.7.9"]"#, ""),
        ],
    );
}

#[test]
fn one_value_has_one_pseudonym_however_it_is_spelt() {
    let redactor = redactor("[types]\ndefault = 'pseudonym'\n");
    let token = |json: &str| {
        let (masked, _) = masked_at(&redactor, &INPUT, json);
        let start = masked.find("[EMAIL:").unwrap_or_else(|| panic!("{masked}"));
        let len = token_len(&masked[start..]).unwrap();
        masked[start..start + len].to_owned()
    };
    let first = token(r#"{"a":"jo@example.com"}"#);
    assert_eq!(token(r#"{"b":"mail JO@Example.com today"}"#), first);
    assert_eq!(token("{\"b\":\"jo\u{200b}@example.com\"}"), first);
    assert_eq!(token(r#"{"b":"{\"to\": \"jo@example.com\"}"}"#), first);
    assert_ne!(token(r#"{"a":"jim@example.com"}"#), first);
    let other = redactor.clone().with_key(PseudonymKey::new(1, &[8; 32]));
    let (masked, _) = masked_at(&other, &INPUT, r#"{"a":"jo@example.com"}"#);
    assert!(masked.contains("[EMAIL:b:") && !masked.contains(&first), "{masked}");
    let keyless = Redactor::with_policy(redactor.policy().unwrap().clone(), None);
    assert!(keyless.wants_key());
    assert_eq!(masked_at(&keyless, &INPUT, r#"["jo@example.com"]"#).0, r#"["[EMAIL]"]"#);
}

#[test]
fn a_denied_place_is_never_stored_whatever_it_holds() {
    check(
        "[[deny]]\npaths = ['$.user.ssn', '$..token']\n[[deny]]\nkeys = ['password']\ntype = 'login'\n",
        &[
            (
                r#"{"user":{"name":"x","ssn":{"a":[1,"b"]}}}"#,
                r#"{"user":{"name":"x","ssn":"[REDACTED]"}}"#,
                "redacted 1",
            ),
            (
                r#"{"a":[{"token":null},{"token":12}],"token":true}"#,
                r#"{"a":[{"token":"[REDACTED]"},{"token":"[REDACTED]"}],"token":"[REDACTED]"}"#,
                "redacted 3",
            ),
            (r#"{"userPassword":""}"#, r#"{"userPassword":"[LOGIN]"}"#, "login 1"),
            (
                r#"{"arguments":"{\"password\": 1, \"n\": 2}"}"#,
                r#"{"arguments":"{\"password\": \"[LOGIN]\", \"n\": 2}"}"#,
                "login 1",
            ),
            (r#"{"user":{"ssn":"[REDACTED]"}}"#, r#"{"user":{"ssn":"[REDACTED]"}}"#, ""),
        ],
    );
}

#[test]
fn what_is_taken_out_goes_with_its_name_and_its_comma() {
    check(
        "[[deny]]\nkeys = ['x']\npaths = ['$.list[0]', '$.list[2]']\naction = 'remove'\n",
        &[
            (r#"{"x":1}"#, "{}", "redacted 1"),
            (r#"{"a":1,"x":2}"#, r#"{"a":1}"#, "redacted 1"),
            (r#"{"x":2,"y":1}"#, r#"{"y":1}"#, "redacted 1"),
            (r#"{"b_x":3,"x":{"z":[]},"y":1}"#, r#"{"y":1}"#, "redacted 2"),
            (r#"{"a":1,"b_x":3,"c":2,"d_x":3,"e_x":3}"#, r#"{"a":1,"c":2}"#, "redacted 3"),
            (r#"{"list":[1,{"x":2},3]}"#, r#"{"list":[null,{},null]}"#, "redacted 3"),
            (r#"{"list":[null]}"#, r#"{"list":[null]}"#, ""),
            (
                r#"{"x":1,"jo@example.com":2,"z":"212-555-1234"}"#,
                r#"{"[EMAIL]":2,"z":"[PHONE]"}"#,
                "email 1, phone 1, redacted 1",
            ),
            (
                r#"{"s":"{\"x\": 1, \"y\": [2], \"jo@example.com\": {}}"}"#,
                r#"{"s":"{\"y\": [2], \"[EMAIL]\": {}}"}"#,
                "email 1, redacted 1",
            ),
        ],
    );
    check(
        "[[deny]]\npaths = ['$']\naction = 'remove'\n",
        &[(r#"{"a":1}"#, "null", "redacted 1"), ("[]", "null", "redacted 1")],
    );
}

#[test]
fn an_allowed_place_is_not_looked_at_and_an_allowed_value_stays() {
    check(
        "[[allow]]\npaths = ['$.embedding']\n[[deny]]\npaths = ['$.embedding.key']\n[values]\nallow = ['help@example.com']\n",
        &[
            (
                r#"{"embedding":{"jo@example.com":4111111111111111,"key":1},"to":"jo@example.com"}"#,
                r#"{"embedding":{"jo@example.com":4111111111111111,"key":"[REDACTED]"},"to":"[EMAIL]"}"#,
                "email 1, redacted 1",
            ),
            (
                r#"["help@example.com, jo@example.com"]"#,
                r#"["help@example.com, [EMAIL]"]"#,
                "email 1",
            ),
        ],
    );
}

#[test]
fn a_rule_by_place_holds_for_its_model_and_part_alone() {
    let redactor = redactor(
        "[types]\nemail = 'pseudonym'\n[[rule]]\ntypes = ['email']\nmodels = ['support-*']\nparts = ['input']\naction = 'keep'\n[[rule]]\npaths = ['$.cc']\naction = { mask = 3 }\n",
    );
    let json = r#"{"cc":"jo@example.com","to":"jo@example.com"}"#;
    let support = PartPlace { part: PartId::Input, model: "support-2" };
    let (masked, counts) = masked_at(&redactor, &support, json);
    assert_eq!(masked, r#"{"cc":"***********com","to":"jo@example.com"}"#);
    assert_eq!(counts, "email 2");
    let output = PartPlace { part: PartId::Output, ..support };
    assert!(masked_at(&redactor, &output, json).0.contains(r#""to":"[EMAIL:a:"#));
    assert!(masked_at(&redactor, &INPUT, json).0.contains(r#""to":"[EMAIL:a:"#));
}

#[test]
fn own_patterns_are_found_wherever_rules_are() {
    check(
        "[types]\ndefault = 'off'\nemail = 'replace'\n[[pattern]]\nname = 'employee'\nregex = '\\bE?[0-9]{6}\\b'\nwords = ['employee', 'staff']\n[[pattern]]\nname = 'ticket'\nregex = 'TCK-[A-Z]+'\naction = 'remove'\n",
        &[
            (
                r#"["the staff number is E123456"]"#,
                r#"["the staff number is [EMPLOYEE]"]"#,
                "employee 1",
            ),
            (r#"["the number is E123456"]"#, r#"["the number is E123456"]"#, ""),
            (r#"{"employee_no":123456}"#, r#"{"employee_no":"[EMPLOYEE]"}"#, "employee 1"),
            (r#"{"TCK-AB":1,"TCK-CD":2}"#, r##"{"":1,"#2":2}"##, "ticket 2"),
            (r#"{"s":"[\"x TCK-AB\"]"}"#, r#"{"s":"[\"x \"]"}"#, "ticket 1"),
            // "about TCK-ABC, and more" in base64.
            (r#"["YWJvdXQgVENLLUFCQywgYW5kIG1vcmU="]"#, r#"[""]"#, "ticket 1"),
            (r#"{"chunks":["a TC","K-AB c"]}"#, r#"{"chunks":["a "," c"]}"#, "ticket 1"),
        ],
    );
}

#[test]
fn text_and_bytes_follow_the_policy_too() {
    let redactor =
        redactor("[[deny]]\npaths = ['$']\nparts = ['error']\n[types]\nemail = 'mask'\n");
    let error = PartPlace { part: PartId::Error, ..INPUT };
    let text = |place, text: &str| redactor.redact_text_part(place, text).unwrap().map(|(t, _)| t);
    assert_eq!(text(&error, "anything").unwrap(), "[REDACTED]");
    assert_eq!(text(&INPUT, "jo@example.com!").unwrap(), "**********.com!");
    assert_eq!(text(&INPUT, "nothing"), None);
    let bytes =
        |place, bytes: &[u8]| redactor.redact_bytes_part(place, bytes).unwrap().map(|(b, _)| b);
    assert_eq!(
        bytes(&INPUT, b"\xffto jo@example.com \xe9 x").unwrap(),
        b"\xffto **********.com \xe9 x"
    );
    assert_eq!(bytes(&INPUT, b"\xff\xfe"), None);
    assert_eq!(bytes(&error, b"\xff\xfe").unwrap(), b"[REDACTED]");
}

#[test]
fn without_a_policy_the_text_in_force_is_what_the_digest_is_over() {
    let plain = Redactor::with_rules([Rule::Email]);
    let digest = crate::hash::sha256(&[plain.policy_text().as_bytes()]).to_hex();
    assert_eq!(plain.policy_digest(), digest);
    assert!(plain.policy().is_none() && !plain.wants_key());
    let other = redactor("");
    assert_eq!(other.policy_text(), other.policy().unwrap().canonical());
    assert_ne!(other.policy_digest(), redactor("[types]\nemail = 'keep'\n").policy_digest());
}

#[test]
fn each_finding_says_where_it_stands_and_why() {
    let redactor = redactor(
        "[types]\nemail = 'mask'\nssn = 'keep'\n[[deny]]\npaths = ['$.gone']\naction = 'remove'\n[[pattern]]\nname = 'own'\nregex = 'Q[0-9]'\n",
    );
    let json = r#"{"gone":[1],"jo@example.com":"Q7","user":{"ssn":["536228145"],"note":["","my ssn: 536-22-8145, jo@example.com"]},"password":"hunter22"}"#;
    let found = redactor.explain(Some(&INPUT), json.as_bytes()).unwrap();
    let said: Vec<_> = found
        .iter()
        .map(|f| {
            format!(
                "{} {} {} {:?} {:?} {:?}",
                f.pointer, f.is_name, f.type_name, f.action, f.span, f.why
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            "/gone false redacted Remove None Denied",
            "/jo@example.com true email Mask { keep_last: 4 } Some((0, 14)) Shape",
            "/jo@example.com false own Replace Some((0, 2)) Pattern",
            "/password false password Replace Some((0, 8)) Name(\"password\")",
            "/user/note/1 false ssn Keep Some((8, 19)) Shape",
            "/user/note/1 false email Mask { keep_last: 4 } Some((21, 35)) Shape",
            "/user/ssn/0 false ssn Keep Some((0, 9)) Name(\"ssn\")",
        ]
    );
    let near = &redactor.explain_text(None, "phone 030 901820")[0];
    assert_eq!((near.type_name.as_str(), &near.why), ("phone", &super::super::Why::WordNear));
}

#[test]
fn the_canary_finds_nothing_left_whatever_is_done_with_what_is_found() {
    for action in ["'replace'", "'pseudonym'", "'remove'", "'mask'", "{ mask = 1 }"] {
        let report = redactor(&format!("[types]\ndefault = {action}\n")).canary();
        assert!(report.is_clean(), "{action}: {report:?}");
    }
    check(
        "[types]\ndefault = 'remove'\npassword = 'pseudonym'\n[[deny]]\nkeys = ['password']\naction = 'pseudonym'\n",
        &[(
            "[\"password: hunter22x, \"]",
            "[\"password: [PASSWORD:a:ofbhenjncedhijpo], \"]",
            "password 1",
        )],
    );
}

/// Stretches of policies, of which any may stand together.
const STRETCHES: &[&str] = &[
    "[types]\ndefault = 'mask'\nemail = 'pseudonym'\nphone = 'remove'\n",
    "[[deny]]\nkeys = ['b']\naction = 'remove'\n",
    "[[deny]]\npaths = ['$..c', '$[1]']\ntype = 'hidden'\n",
    "[[deny]]\npaths = ['$.a.a']\naction = 'pseudonym'\n",
    "[[deny]]\npaths = ['$.a.b', '$[0][0]']\naction = { mask = 2 }\n",
    "[[allow]]\npaths = ['$.b', '$[2]']\n",
    "[[rule]]\nkeys = ['a']\naction = 'keep'\n",
    "[[rule]]\npaths = ['$..b']\naction = 'remove'\n",
    "[[rule]]\npaths = ['$.a']\naction = { mask = 6 }\n",
    "[[pattern]]\nname = 'own'\nregex = '[a-z]+-?[0-9]{2,}'\naction = 'mask'\n",
    "[[pattern]]\nname = 'word'\nregex = 'com(ma)?'\naction = 'remove'\n",
];

const TEXTS: &[&str] = &[
    "jo@example.com",
    "call 212-555-1234 or jo@example.com",
    "ssn 123-45-6789",
    "4111 1111 1111 1111",
    "password=hunter22x",
    "key AKIAQLBQ9LBE7U3G4S3F",
    "[EMAIL]",
    "[EMAIL:a:kcfmaobhlhkffmbp]",
    "{\"a\": {\"b\": \"jo@example.com\", \"c\": [1, 2]}, \"jo@example.com\": 1}",
    "[\"212-555-1234\", {\"c\": 1}]",
    "am9AZXhhbXBsZS5jb20sIGFuZCBzbyBvbg==",
    "comcommama",
    "",
];

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        prop::sample::select(TEXTS).prop_map(Value::from),
        Just(Value::Null),
        Just(Value::from(4_111_111_111_111_111_u64)),
        Just(Value::from(12)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name =
            prop::sample::select(vec!["a", "b", "c", "password", "jo@example.com", "chunks"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name.prop_map(str::to_owned), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_policy_on_any_document_is_done_once_and_for_all(
        chosen in prop::sample::subsequence(STRETCHES, 0..5),
        value in documents(),
    ) {
        // A table stands once in a file, and [types] before the lists.
        let redactor = redactor(&chosen.concat());
        let json = crate::canonical::canonicalize(value.to_string().as_bytes(), &crate::Limits::default()).unwrap();
        let masked = match redactor.redact_part(&INPUT, &json) {
            Ok(masked) => masked,
            Err(RedactError::NotSettled { .. }) => return Err(TestCaseError::fail("not settled")),
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        };
        if let Some((masked, counts)) = masked {
            prop_assert!(!counts.is_empty());
            let canonical = crate::canonical::canonicalize(&masked, &crate::Limits::default()).unwrap();
            prop_assert_eq!(&canonical, &masked);
            let again = redactor.redact_part(&INPUT, &masked).unwrap();
            let twice = again.map_or_else(|| masked.clone(), |(bytes, _)| bytes);
            prop_assert_eq!(String::from_utf8(twice).unwrap(), String::from_utf8(masked).unwrap());
        }
    }
}
