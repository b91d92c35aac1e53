//! Telephone numbers.

use super::{check, check_json, check_stays};

#[test]
fn numbers_with_the_form_of_one_are_masked() {
    check(&[
        ("555-123-4567", "[PHONE]"),
        ("(212) 555-1234", "[PHONE]"),
        ("((212) 555-1234)", "([PHONE])"),
        ("(212-555-1234)", "([PHONE])"),
        ("(212)555-1234, (212)5551234", "[PHONE], [PHONE]"),
        ("212.555.1234", "[PHONE]"),
        ("212 555 1234", "[PHONE]"),
        ("212\u{a0}555\u{a0}1234", "[PHONE]"),
        ("212\u{2011}555\u{2011}1234", "[PHONE]"),
        ("1-800-555-1234", "[PHONE]"),
        ("1 (800) 555-1234", "[PHONE]"),
        ("212-555-1234x55 now", "[PHONE] now"),
        ("212-555-1234.", "[PHONE]."),
        ("(212) 555-1234 (212) 555-1235", "[PHONE] [PHONE]"),
        ("tel-212-555-1234", "tel-[PHONE]"),
        ("%20212-555-1234", "%20[PHONE]"),
    ]);
}

#[test]
fn international_numbers_are_masked() {
    check(&[
        ("+1 948 555 0180", "[PHONE]"),
        ("+1 (212) 555-1234", "[PHONE]"),
        ("call tel:+442079460018 any time", "call tel:[PHONE] any time"),
        ("+49 (0)30 23125 411", "[PHONE]"),
        ("+33 1 99 00 46 76 was rejected", "[PHONE] was rejected"),
        ("WhatsApp:+51912345678", "WhatsApp:[PHONE]"),
        ("reach +971501234567 after 5pm", "reach [PHONE] after 5pm"),
        ("u=%2B14155550133&x", "u=[PHONE]&x"),
        ("phone +1.7035555555, +44.2079460018", "phone [PHONE], [PHONE]"),
        ("+1 415 555 0132 2 times", "[PHONE] 2 times"),
        // Passes as a Visa of thirteen digits, but for the sign.
        ("+4915112345678", "[PHONE]"),
        ("+14155550133,+14155550134", "[PHONE],[PHONE]"),
    ]);
    check_stays(&[
        "+1000 points",
        "+1 555",
        "+10000000000",
        "a+4915112345679",
        "2+4915112345679",
        "+4915112345678901234",
        "+0123456789",
        "5 + 4915112345",
        "at +49.1234567, +11.5820000",
    ]);
}

#[test]
fn bare_digits_need_a_word() {
    check(&[
        ("Contact me: 2125551234.", "Contact me: [PHONE]."),
        ("reach me at 2125551234 or 3125551234. x", "reach me at [PHONE] or [PHONE]. x"),
        (
            "reach me at fatima.moreau99@xn--bcher-kva.example or 3125551234.",
            "reach me at [EMAIL] or [PHONE].",
        ),
        ("2125551234 is my mobile", "[PHONE] is my mobile"),
        ("TEL:2121234567", "TEL:[PHONE]"),
        ("mobile number: 09301234567", "mobile number: [PHONE]"),
        ("fax 12125551234", "fax [PHONE]"),
        ("whatsapp 919812345678", "whatsapp [PHONE]"),
        ("caller id 2125551234", "caller id [PHONE]"),
        ("ring me on 2125551234", "ring me on [PHONE]"),
        ("call us at 2125551234", "call us at [PHONE]"),
    ]);
    check_stays(&[
        "2125551234",
        "0123456789",
        "order 1029384756",
        "order 2125551234",
        "phone order no. 2125551234",
        "call back about ticket 2125551234",
        "call took 2125551234 ms",
        "the phone rang at epoch 1732271515",
        "phone 1732271515",
        "const PAGES_OF_RING: u32 = 2147483648;",
        "excellent telemetry, cellar 2125551234",
        "x2125551234 phone",
        "phone 2125551234abc",
        "phone 2125551234e5",
        "phone 0.2125551234",
    ]);
}

#[test]
fn national_forms_need_a_word() {
    check(&[
        ("전화번호: 010-2000-0000", "전화번호: [PHONE]"),
        ("my phone is 212 345 678", "my phone is [PHONE]"),
        ("my phone is 0450 00 12 34", "my phone is [PHONE]"),
        ("my telefone is 21 234 5678", "my telefone is [PHONE]"),
        ("phone: 200 123 4567", "phone: [PHONE]"),
        ("Teléfono 91 123 45 67", "Teléfono [PHONE]"),
    ]);
    check_stays(&[
        "010-2000-0000",
        "0450 00 12 34",
        "phone me on 2026-11-22 10:20:30,123",
        "phone me on 22-11-2026 10:20",
    ]);
}

#[test]
fn other_numbers_stay() {
    check_stays(&[
        "1 800 000 items",
        "page 415 of 5550132 items",
        "SKU 123-456-7890123",
        "order 123-456-7890",
        "1990-2000",
        "2026-11-22 10:20:30,123",
        "ISBN 978-0-306-40615-7",
        "7c512e36-bc14-4f05-ad07-212555123400",
        "12345678-1234-4123-8123-212555123412",
        "firmware version 192.168.1-rc2",
        "192.168.100.1234",
        "000-000-0000",
        "Clause 252.227-7013",
        "Pittsburgh, PA 15213-3890, fax:",
        "212-555-1234-5",
        "0-212-555-1234",
        "tok1-212-555-1234",
        "212-555-1234-b6",
        "[0.0234, -0.1129, 0.7071067811865476]",
        "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22",
    ]);
}

#[test]
fn a_long_row_of_numbers_hides_none() {
    let row = "17 ".repeat(40);
    check(&[(&format!("{row}and 212-555-1234"), &format!("{row}and [PHONE]"))]);
    check(&[(&format!("{row}(212) 555-1234"), &format!("{row}[PHONE]"))]);
    for n in 1..24 {
        let row = "(17) ".repeat(n);
        check(&[(&format!("{row}(212) 555-1234"), &format!("{row}[PHONE]"))]);
    }
}

#[test]
fn names_on_the_path_count() {
    check_json(&[
        (r#"{"phoneNumber":4155558860}"#, r#"{"phoneNumber":"[PHONE]"}"#),
        (
            r#"{"contacts":["4155558860",{"alt":"4155558861"}]}"#,
            r#"{"contacts":["[PHONE]",{"alt":"[PHONE]"}]}"#,
        ),
        (
            r#"{"customer":{"contact":{"primary":"4155558860"}}}"#,
            r#"{"customer":{"contact":{"primary":"[PHONE]"}}}"#,
        ),
        (r#"{"by_contact":{"4155558860":3}}"#, r#"{"by_contact":{"[PHONE]":3}}"#),
        (r#"{"ph\u006fne":[[4155558860]]}"#, r#"{"ph\u006fne":[["[PHONE]"]]}"#),
        (r#"{"value":4155558860}"#, r#"{"value":4155558860}"#),
        (r#"{"telemetry":4155558860}"#, r#"{"telemetry":4155558860}"#),
        (r#"{"contact":{"id":4155558860}}"#, r#"{"contact":{"id":4155558860}}"#),
        (r#"{"contact_id":4155558860}"#, r#"{"contact_id":4155558860}"#),
        (r#"{"call":{"started":1732271515}}"#, r#"{"call":{"started":1732271515}}"#),
        (r#"{"tool_calls":[{"n":4155558860}]}"#, r#"{"tool_calls":[{"n":4155558860}]}"#),
        (r#"{"phone":4155558860.5}"#, r#"{"phone":4155558860.5}"#),
        (r#"{"phone":-4155558860}"#, r#"{"phone":-4155558860}"#),
        (r#"{"phone":"order 4155558860"}"#, r#"{"phone":"order 4155558860"}"#),
    ]);
}
