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
    "DE89370400440532013000",
    "FI21 1234 5600 0007 85",
    "192.168.7.9",
    "2001:db8::1",
    "::",
    "00:1A:2B:3C:4D:5E",
    "postgres://u:Qz7mPl0x@db",
    "://",
    "ghp_a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4e5f6",
    "AKIAQLBQ9LBE7U3G4S3F",
    "sk-",
    "xoxb-",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "eyJ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "password",
    "pwd=",
    "client_secret",
    "api_key",
    "token",
    "Authorization: Bearer ",
    "Cookie: sid=",
    "--password ",
    "=",
    ": ",
    "Zebra73!x",
    "0afae57f3ccfd9d7f5767067bc48b30f",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "date of birth ",
    "1985-03-12",
    "12 March 1985",
    "passport no ",
    "A12345678",
    "account number ",
    "pesel ",
    "44051401458",
    "131052-308T",
    "56402622-K",
    "AB 12 34 56 C",
    "912-70-1234",
    "RSSMRA85T10A562S",
    "４１１１",
    "\u{200b}",
    "\u{ad}",
    "[at]",
    "&#64;",
    "cGF5bG9hZCBhLmJAZXhhbXBsZS5jb20gZW5k",
    "{\"ssn\":536228145}",
    "[\"a@x.io\"]",
    "{",
    "}",
    "[",
    "]",
    "[API_KEY]",
    "[PASSWORD",
    "\"password\":\"",
];

/// Names of members, among them those that say what their value is.
const NAMES: &[&str] = &[
    "a",
    "note",
    "password",
    "api_key",
    "token",
    "credentials",
    "first_name",
    "address",
    "dob",
    "cvv",
    "ssn",
    "phone",
    "national_id",
    "chunks",
    "delta",
    "content",
    "index",
    "stream",
    "email_address",
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

fn name() -> impl Strategy<Value = String> {
    prop_oneof![text(), prop::sample::select(NAMES).prop_map(str::to_owned)]
}

fn document() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        6 => text().prop_map(Value::from),
        1 => text().prop_map(|text| Value::from(serde_json::json!({ "note": text }).to_string())),
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
            prop::collection::btree_map(name(), inner, 0..5)
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
                prop_assert!(usize::try_from(n).unwrap() >= spans.len());
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
        let json = serde_json::to_string(&serde_json::json!({ "note": [&text, 1.5, 7] })).unwrap();
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
        before in "[a-z ]{0,30} so ",
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
            (Rule::IpAddress, format!("10.{}.{}.7", area % 200, serial % 256)),
            (Rule::MacAddress, format!("00:1b:{:02x}:4c:5d:{:02x}", area % 200, serial % 256)),
            (Rule::ApiKey, format!("ghp_{area}{serial:04}{}", "aB3dE5fG7h".repeat(3))),
            (Rule::CreditCard, luhn(&format!("4{area}{serial:04}{serial:04}123"))),
        ];
        for (rule, value) in planted {
            let text = format!("{before}{value}{after}");
            let (masked, _) = Redactor::default().redact_text(&text).unwrap();
            prop_assert_eq!(masked, format!("{before}{}{after}", rule.replacement()));
        }
    }
}

/// What nearly is something, over and over: a scanner that starts afresh at each would be quadratic.
const NEAR_MISSES: &[&str] = &[
    "1",
    "12 ",
    "1-",
    "1.",
    "1:",
    "a1",
    "a@",
    "@",
    "a@b",
    "a.b@",
    "%40",
    "::",
    ":",
    "a:b",
    "fe80:",
    "eyJ",
    "eyJ.",
    "(1-",
    "\u{200b}1",
    "１",
    "-",
    "--",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY",
    "_",
    "a_",
    "sk-",
    "ghp_",
    "xoxb-1-",
    "=",
    "a=",
    "password=",
    "password: ",
    "pwd",
    "pw",
    "w",
    "token=x",
    "key:",
    "://",
    "a://b:",
    "://u:p",
    "Cookie: a=",
    "Authorization: Basic",
    "AKIA",
    "I",
    "aB3d",
    "aB3d/",
    "aB3d+",
    "YUBi",
    "DE89 ",
    "DE89",
    "0x1",
    "1A1zP",
    "[",
    "{",
    "[1,",
    "{\"a\":",
    "[[\"",
    "\"",
    "\\\"",
    "+1 ",
    "+",
    "1 2 3 4 ",
    "dob 1985-03-",
    "phone 12 ",
    "12 March ",
    "[at]",
    "&#",
    "é",
    "用户",
    "a é@",
    "1/",
    "1985/",
    "X-1234567-",
    "\n",
    "passport A1",
    "https://a:",
    "https://hooks.slack.com/services/",
    "\",",
    "f(\"token\", \"",
    "setPassword(\"",
    "connect.sid=",
    "{\"Cookie\": \"",
    "<password>",
    "030/",
    "+49 30/901",
    "licence AB-1",
    "dob:1985",
    "first_name: ",
];

#[test]
fn twice_as_much_costs_no_more_than_two_and_a_half_times() {
    for near_miss in NEAR_MISSES {
        let cost = |n: usize| {
            let text = near_miss.repeat(n);
            crate::redact::steps::take();
            Redactor::default().redact_text(&text);
            crate::redact::steps::take()
        };
        let (once, twice) = (cost(4_000), cost(8_000));
        assert!(twice <= once * 5 / 2 + 2_000, "{near_miss:?}: {once} steps, then {twice}");
        let length = u64::try_from(near_miss.len() * 8_000).unwrap();
        assert!(twice <= 300 * length, "{near_miss:?}: {twice} steps for {length} bytes");
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
