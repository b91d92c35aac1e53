//! What holds for any input.

use proptest::prelude::*;

use super::{Redactor, Rule};

/// Pieces from which texts are made that are full of candidates and of what nearly is one.
const PIECES: &[&str] = &[
    "a.b@example.com",
    "x@",
    "@",
    "%40",
    ".com",
    "icon@2x.png",
    "\"q\"@x.io",
    "müller@exämple.de",
    "是t@x.io",
    "用户@例子.公司",
    "212",
    "555",
    "1234",
    "2125551234",
    "09301234567",
    "+1",
    "+49",
    "+",
    "(",
    ")",
    " ",
    " ",
    " ",
    "-",
    ".",
    "_",
    "#2",
    "x55",
    "\u{a0}",
    "\u{2011}",
    "123-45-6789",
    "536228145",
    "4111111111111111",
    "4111 1111 1111 1111",
    "371449635398431",
    "%20",
    "%2B",
    "phone",
    "call",
    "contact",
    "ssn",
    "social security",
    "order",
    "id",
    "reach me at ",
    "[PHONE]",
    "[CC]",
    "\n",
    "\\",
    "\"",
    "😀",
    ":",
    "/",
    "e5",
    "7c512e36-bc14-4f05-ad07-212555123400",
    "17 ",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        12 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "[0-9]{1,20}",
        1 => "\\PC{0,4}",
        1 => Just("y".repeat(30)),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn document() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        2 => any::<u64>().prop_map(Value::from),
        1 => (2_000_000_000_u64..9_999_999_999).prop_map(Value::from),
        1 => prop::sample::select(&[4_111_111_111_111_111_u64, 371_449_635_398_431][..])
            .prop_map(Value::from),
        1 => any::<i32>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(text(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Members by UTF-16 code units, no white space.
fn canonical(value: &serde_json::Value) -> String {
    use serde_json::Value;
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", quoted(name), canonical(value)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// The number of members and of items, at every depth.
fn size(value: &serde_json::Value) -> usize {
    use serde_json::Value;
    match value {
        Value::Object(members) => members.values().map(|value| 1 + size(value)).sum(),
        Value::Array(items) => items.iter().map(|value| 1 + size(value)).sum(),
        _ => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn text_is_redacted_once_and_for_all(text in text()) {
        let redactor = Redactor::default();
        let spans = redactor.find(&text, None);
        let mut last = 0;
        for span in &spans {
            prop_assert!(last <= span.start && span.start < span.end && span.end <= text.len());
            prop_assert!(text.get(span.start..span.end).is_some());
            last = span.end;
        }
        match redactor.redact_text(&text) {
            None => prop_assert!(spans.is_empty()),
            Some((masked, counts)) => {
                let n = counts.iter().map(|(_, n)| n).sum::<u32>();
                prop_assert_eq!(usize::try_from(n).unwrap(), spans.len());
                prop_assert_eq!(redactor.redact_text(&masked), None);
            }
        }
    }

    #[test]
    fn json_is_redacted_once_and_for_all(value in document()) {
        let json = canonical(&value);
        if let Some((masked, counts)) = Redactor::default().redact_json(json.as_bytes()).unwrap() {
            prop_assert!(!counts.is_empty());
            prop_assert_ne!(&masked, json.as_bytes());
            let read: serde_json::Value = serde_json::from_slice(&masked).unwrap();
            prop_assert_eq!(canonical(&read).into_bytes(), masked.clone());
            prop_assert_eq!(size(&read), size(&value));
            prop_assert_eq!(Redactor::default().redact_json(&masked), Ok(None));
        }
    }

    #[test]
    fn nothing_found_is_nothing_answered(text in "[a-zA-Z .,äß!?{}-]{0,80}") {
        let json = serde_json::to_string(&serde_json::json!({ &text: [&text, 1.5, 7] })).unwrap();
        prop_assert_eq!(Redactor::default().redact_text(&text), None);
        prop_assert_eq!(Redactor::default().redact_json(json.as_bytes()), Ok(None));
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let is_json = serde_json::from_slice::<serde_json::Value>(&bytes).is_ok();
        prop_assert_eq!(Redactor::default().redact_json(&bytes).is_ok(), is_json);
    }

    #[test]
    fn nearly_json_is_judged_as_serde_json_does(json in "[\\[\\]{}:,\"\\\\u0-9a-e.+ -]{0,24}") {
        let is_json = serde_json::from_str::<serde_json::Value>(&json).is_ok();
        prop_assert_eq!(Redactor::default().redact_json(json.as_bytes()).is_ok(), is_json);
    }

    #[test]
    fn a_planted_value_never_survives(
        before in "[a-z ]{0,30} ",
        after in " [a-z ]{0,30}",
        area in 200..899_u32,
        serial in 1..9999_u32,
        name in "[a-z]{1,8}",
    ) {
        prop_assume!(area != 666);
        let planted = [
            (Rule::Ssn, format!("{area}-11-{serial:04}")),
            (Rule::Phone, format!("({area}) 555-{serial:04}")),
            (Rule::Phone, format!("+1 {area} 555 {serial:04}")),
            (Rule::Email, format!("{name}+{serial}@{name}.example.org")),
            (Rule::CreditCard, luhn(&format!("4{area}{serial:04}{serial:04}123"))),
        ];
        for (rule, value) in planted {
            let text = format!("{before}{value}{after}");
            let (masked, _) = Redactor::default().redact_text(&text).unwrap();
            prop_assert_eq!(masked, format!("{before}{}{after}", rule.replacement()));
        }
    }
}

/// The digits with the check digit that makes them pass.
fn luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(n, byte)| (u32::from(byte - b'0'), n % 2 == 0))
        .map(|(digit, doubled)| if doubled { digit * 2 / 10 + digit * 2 % 10 } else { digit })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}
