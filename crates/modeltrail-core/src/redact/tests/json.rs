//! Places in JSON: values, keys, numbers, nesting.

use super::{Redactor, check_json};
use crate::redact::RedactError;

#[test]
fn clean_documents_are_answered_with_nothing() {
    for json in ["null", "true", "[]", "{}", "\"\"", "0", "-0.5e-7", r#"{"a":{"b":[1,"x",null]}}"#]
    {
        check_json(&[(json, json)]);
    }
}

#[test]
fn the_rest_of_a_document_keeps_its_bytes() {
    check_json(&[
        (
            r#"{"a":1e21,"b":"\u0001\\ é 😀","c":"bob@example.com","d":[true,-0.5,{}]}"#,
            r#"{"a":1e21,"b":"\u0001\\ é 😀","c":"[EMAIL]","d":[true,-0.5,{}]}"#,
        ),
        (r#"["\u0001\b\f\n\r\t\"\\/ 😀 bob@x.io"]"#, r#"["\u0001\b\f\n\r\t\"\\/ 😀 [EMAIL]"]"#),
        // Escapes that canonical JSON does not have are resolved where a string is rewritten.
        (r#"["\u0041\/\ud83d\ude00 bob@x.io"]"#, r#"["A/😀 [EMAIL]"]"#),
        (
            r#"{"a":["b",1,null,{"z@x.io":[0.5,"c@x.io",4111111111111111,{}]}]}"#,
            r#"{"a":["b",1,null,{"[EMAIL]":[0.5,"[EMAIL]","[CC]",{}]}]}"#,
        ),
    ]);
}

#[test]
fn changed_names_are_sorted_by_utf16_units() {
    check_json(&[
        (r#"{"A":1,"a@x.io":2,"z":3}"#, r#"{"A":1,"[EMAIL]":2,"z":3}"#),
        (
            r#"{"Z":1,"_":2,"b@x.io":{"d@x.io":3,"Y":4}}"#,
            r#"{"Z":1,"[EMAIL]":{"Y":4,"[EMAIL]":3},"_":2}"#,
        ),
        // U+1F600 is 0xD83D in UTF-16 and sorts before U+FB33, in UTF-8 behind it.
        (
            "{\"a@x.io\u{1f600}\":1,\"a@x.io \u{fb33}\":2,\"\u{1f600}\":3,\"\u{fb33}\":4}",
            "{\"[EMAIL] \u{fb33}\":2,\"[EMAIL]\u{1f600}\":1,\"\u{1f600}\":3,\"\u{fb33}\":4}",
        ),
    ]);
}

#[test]
fn names_that_become_equal_are_told_apart() {
    check_json(&[
        (r#"{"a@x.io":1,"b@x.io":2,"c@x.io":3}"#, r##"{"[EMAIL]":1,"[EMAIL]#2":2,"[EMAIL]#3":3}"##),
        (r#"{"A@x.io":1,"[EMAIL]":2}"#, r##"{"[EMAIL]":2,"[EMAIL]#2":1}"##),
        (
            r##"{"[EMAIL]#2":0,"a@x.io":1,"b@x.io":2}"##,
            r##"{"[EMAIL]":1,"[EMAIL]#2":0,"[EMAIL]#3":2}"##,
        ),
        (r#"{"a@x.io":1,"a@x.io!":2,"b@x.io":3}"#, r##"{"[EMAIL]":1,"[EMAIL]!":2,"[EMAIL]#2":3}"##),
        (
            r#"{"a@x.io":["c@x.io"],"b@x.io":{"d@x.io":1,"e@x.io":2}}"#,
            r##"{"[EMAIL]":["[EMAIL]"],"[EMAIL]#2":{"[EMAIL]":1,"[EMAIL]#2":2}}"##,
        ),
    ]);
}

#[test]
fn what_is_no_json_is_an_error_and_no_panic() {
    let bad = [
        "",
        "{",
        "}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\ud800 4@x.io\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"a\nb\"",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "1e+",
        "+1",
        "- 1",
        "tru",
        "nulll",
        "1 2",
        "[1] x",
        "NaN",
        "é",
        "{\"\\ud800\":1}",
    ];
    for json in bad {
        let error = Redactor::default().redact_json(json.as_bytes());
        assert!(matches!(error, Err(RedactError::Syntax { .. })), "{json:?} gave {error:?}");
        assert!(serde_json::from_str::<serde_json::Value>(json).is_err(), "{json:?} is JSON");
    }
}

#[test]
fn errors_tell_the_place_and_no_content() {
    let error = Redactor::default().redact_json(b"[\"ann@example.com\",}").unwrap_err();
    assert_eq!(error.to_string(), "not valid JSON at byte 19: expected a value");
    let error = Redactor::default().redact_json(b"\"ann@example.com\xff\"").unwrap_err();
    assert_eq!(error, RedactError::NotUtf8 { offset: 16 });
}

#[test]
fn depth_is_bounded() {
    let nested = |n: usize| format!("{}\"a@x.io\"{}", "[".repeat(n), "]".repeat(n));
    let redacted = Redactor::default().redact_json(nested(256).as_bytes()).unwrap();
    assert_eq!(redacted.unwrap().0, nested(256).replace("a@x.io", "[EMAIL]").into_bytes());
    let error = Redactor::default().redact_json(nested(100_000).as_bytes()).unwrap_err();
    assert_eq!(error, RedactError::TooDeep { offset: 256 });
    let objects = format!("{}1{}", "{\"a\":".repeat(257), "}".repeat(257));
    let error = Redactor::default().redact_json(objects.as_bytes()).unwrap_err();
    assert!(matches!(error, RedactError::TooDeep { .. }));
}

#[test]
fn white_space_is_read_past() {
    check_json(&[(
        " {\n\t\"a\" : [ \"b@x.io\" , 4111111111111111 ] }\r\n",
        " {\n\t\"a\" : [ \"[EMAIL]\" , \"[CC]\" ] }\r\n",
    )]);
}

#[test]
fn a_string_with_one_mark_is_read_where_the_mark_can_mean_something() {
    let redactor = Redactor::default();
    let base64 = "cGxlYXNlIHdyaXRlIHRvIGJvYkBleGFtcGxlLmNvbSBzb29u";
    for (text, found) in [
        ("the Password is hunter!!", true),
        ("the PWD is hunter!!", true),
        ("a swan in a pew, I think", false),
        ("AKIAIOSFODNNABCDEFGH", true),
        ("jo [at] example.com", true),
        ("jo (AT) example.com", true),
        ("jo&commat;example.com", true),
        ("(see above) [x] & so on", false),
        ("well-known", false),
        (base64, true),
        ("hf_abcdefghijklmnopqrstuvwxyzABCDEFGH", true),
    ] {
        let json = serde_json::to_vec(text).unwrap();
        assert_eq!(redactor.redact_json(&json).unwrap().is_some(), found, "{text}");
    }
}
