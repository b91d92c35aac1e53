//! Canonical bytes: the public RFC 8785 cases, the extension, and every refusal.

use proptest::prelude::*;

use super::*;
use crate::limits::Limits;

fn canonical(text: &str) -> String {
    String::from_utf8(canonicalize(text.as_bytes(), &Limits::default()).unwrap()).unwrap()
}

fn refused(text: &[u8]) -> (String, JsonReason) {
    let error = canonicalize(text, &Limits::default()).unwrap_err();
    (error.pointer, error.reason)
}

#[derive(serde::Deserialize)]
struct Vectors {
    equal: Vec<(String, String)>,
}

#[test]
fn the_vectors_of_the_specification() {
    let text = include_str!("../../../../spec/vectors/canonical.json");
    let vectors: Vectors = serde_json::from_str(text).unwrap();
    assert!(vectors.equal.len() > 30);
    for (input, output) in vectors.equal {
        assert_eq!(canonical(&input), output, "{input}");
        assert_eq!(canonical(&output), output, "canonical bytes are their own canonical form");
    }
}

#[test]
fn equal_numbers_give_equal_bytes_and_no_digit_is_lost() {
    // The double nearest to the first prints as …3333333; that is another value, so the digits stay.
    for (input, output) in [
        ("333333333.33333329", "333333333.33333329"),
        ("1.0", "1"),
        ("-0", "0"),
        ("-0.0e5", "0"),
        ("100e-2", "1"),
        ("1E3", "1000"),
        ("12345678901234567890", "12345678901234567890"),
        ("12345678901234567890.0", "12345678901234567890"),
        ("1234567890123456789e1", "12345678901234567890"),
        ("9007199254740993", "9007199254740993"),
        ("9007199254740992", "9007199254740992"),
        ("0.1000000000000000055", "0.1000000000000000055"),
        ("0.1", "0.1"),
        ("333333333.3333333", "333333333.3333333"),
        ("1e21", "1e+21"),
        ("100000000000000000000", "100000000000000000000"),
        ("1e-7", "1e-7"),
        ("0.000001", "0.000001"),
        ("1e400", "1e+400"),
        ("5e-324", "5e-324"),
        ("4.9e-324", "4.9e-324"),
        ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ("1e-400", "1e-400"),
    ] {
        assert_eq!(canonical(input), output, "{input}");
    }
}

#[test]
fn keys_sort_by_utf16_units() {
    assert_eq!(
        canonical(r#"{"\ue000":1,"😀":2,"a":3,"":4}"#),
        "{\"\":4,\"a\":3,\"😀\":2,\"\u{e000}\":1}"
    );
    assert_eq!(canonical(r#"{ "b" : [ ] , "a" : { } }"#), r#"{"a":{},"b":[]}"#);
}

#[test]
fn refusals_name_the_place_and_the_reason() {
    assert_eq!(refused(br#"{"a":{"b":[1,NaN]}}"#), ("/a/b/1".into(), JsonReason::NotFinite("NaN")));
    assert_eq!(refused(b"[-Infinity]").1, JsonReason::NotFinite("-Infinity"));
    assert_eq!(refused(br#"{"x":{"k":1,"j":2,"k":3}}"#), ("/x/k".into(), JsonReason::DuplicateKey));
    assert_eq!(refused(br#"{"k":1,"\u006b":2}"#), ("/k".into(), JsonReason::DuplicateKey));
    assert_eq!(
        refused(br#"{"a/b~":"\ud83d"}"#),
        ("/a~1b~0".into(), JsonReason::LoneSurrogate(0xd83d))
    );
    assert_eq!(refused(br#""\ude00\ud83d""#).1, JsonReason::LoneSurrogate(0xde00));
    assert_eq!(refused(b"\"a\x01\"").1, JsonReason::Control(1));
    assert_eq!(refused(b"[\"\xff\"]").1, JsonReason::Utf8);
    assert_eq!(refused(b"1e99999999999").1, JsonReason::Exponent);
    for bad in [
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "tru",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "",
        "\"",
        "[",
        "1 1",
        "\"\\x\"",
        "\"\\u12\"",
    ] {
        let reason = refused(bad.as_bytes()).1;
        assert!(matches!(reason, JsonReason::Syntax(_) | JsonReason::End(_)), "{bad}: {reason}");
    }
}

#[test]
fn depth_and_size_are_bounded_exactly() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(canonical(&nested(128)), nested(128));
    assert_eq!(refused(nested(129).as_bytes()).1, JsonReason::Depth(128));
    let limits = Limits { record_bytes_max: 10, ..Limits::default() };
    assert!(canonicalize(b"\"12345678\"", &limits).is_ok());
    let error = canonicalize(b"\"123456789\"", &limits).unwrap_err();
    assert_eq!(error.reason, JsonReason::TooLarge(10));
    // Grows while it is written: 19 digits and an exponent become 300 plain digits.
    let limits = Limits { record_bytes_max: 100, ..Limits::default() };
    assert!(canonicalize(b"1234567890123456789e280", &limits).is_err());
}

#[test]
fn object_fields_keep_the_order_received() {
    let fields =
        object_fields(br#" {"b": [2, 1.0], "a": {"z":1,"y":2}} "#, &Limits::default()).unwrap();
    let seen: Vec<(String, String)> = fields
        .iter()
        .map(|(key, value)| (key.to_owned(), String::from_utf8(value.to_vec()).unwrap()))
        .collect();
    assert_eq!(seen, [("b".into(), "[2,1]".into()), ("a".into(), r#"{"y":2,"z":1}"#.into())]);
    assert!(object_fields(b"[]", &Limits::default()).is_err());
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::btree_map(".{0,6}", inner, 0..8)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_bytes_mean_the_same_and_are_a_fixed_point(value in any_json()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        let once = canonical(&text);
        prop_assert_eq!(&canonical(&once), &once);
        let compact = canonical(&serde_json::to_string(&value).unwrap());
        prop_assert_eq!(compact, once.clone());
        let again: serde_json::Value = serde_json::from_str(&once).unwrap();
        prop_assert!(same(&again, &value), "{} {}", again, value);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(canonicalize(&bytes, &Limits::default()));
    }

    #[test]
    fn decimals_of_any_spelling_keep_their_value(digits in "[1-9][0-9]{0,40}", shift in 0_usize..40) {
        // The same value written with an exponent and without.
        let padded = format!("{digits}{}", "0".repeat(shift));
        prop_assert_eq!(canonical(&format!("{digits}e{shift}")), canonical(&padded));
        let small = format!("0.{}{digits}", "0".repeat(shift));
        prop_assert_eq!(canonical(&format!("{digits}e-{}", shift + digits.len())), canonical(&small));
    }
}

/// Equal as JSON, with numbers compared as doubles and a few units in the last place allowed,
/// which `serde_json` may be off by when it reads them.
fn same(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value::{Array, Number, Object};
    match (a, b) {
        (Number(a), Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            (a - b).abs() <= a.abs() * 1e-14
        }
        (Array(a), Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Object(a), Object(b)) => {
            a.len() == b.len()
                && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| same(value, other)))
        }
        (a, b) => a == b,
    }
}

#[test]
fn a_string_ends_where_it_does_whatever_stands_before() {
    for n in 0..40 {
        for (mark, kept) in
            [("\\n", "\\n"), ("\\\"", "\\\""), ("\\u0041", "A"), ("é", "é"), ("\u{7f}", "\u{7f}")]
        {
            let (head, tail) = ("x".repeat(n), "!".repeat(40 - n));
            let text = format!("\"{head}{mark}{tail}\"");
            let canonical = canonicalize(text.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(canonical, format!("\"{head}{kept}{tail}\"").into_bytes());
        }
        for control in ["\u{1}", "\n", "\u{1f}"] {
            let text = format!("\"{}{control}{}\"", "é".repeat(n), " ".repeat(9));
            let error = canonicalize(text.as_bytes(), &Limits::default()).unwrap_err();
            assert_eq!(error.offset, 1 + 2 * n, "{text:?}");
        }
        let open = format!("\"{}", "x".repeat(n));
        assert!(canonicalize(open.as_bytes(), &Limits::default()).is_err());
    }
}

#[test]
fn what_needs_an_escape_is_found_wherever_it_stands() {
    for (character, escaped) in
        [('"', "\\\""), ('\\', "\\\\"), ('\u{1f}', "\\u001f"), ('\n', "\\n"), ('\u{7f}', "\u{7f}")]
    {
        for before in 0..200 {
            let (start, end) = ("é".repeat(before), "x".repeat(199 - before));
            let mut out = Vec::new();
            write_string(&mut out, &format!("{start}{character}{end}"));
            assert_eq!(String::from_utf8(out).unwrap(), format!("\"{start}{escaped}{end}\""));
        }
    }
}
