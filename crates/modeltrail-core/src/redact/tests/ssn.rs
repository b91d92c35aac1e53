//! US social security numbers.

use super::{check, check_json, check_stays};

#[test]
fn numbers_in_groups_are_masked() {
    check(&[
        ("123-45-6789", "[SSN]"),
        ("caller gave 518-41-4593 twice", "caller gave [SSN] twice"),
        ("536 22 8145", "[SSN]"),
        ("536.22.8145.", "[SSN]."),
        ("536\u{2013}22\u{2013}8145", "[SSN]"),
        ("2 copies of 2 536-22-8145", "2 copies of 2 [SSN]"),
        ("by/815-52-9407", "by/[SSN]"),
        ("ssn_123-45-6789", "ssn_[SSN]"),
        ("899-99-9999", "[SSN]"),
    ]);
}

#[test]
fn numbers_that_are_not_issued_stay() {
    check_stays(&["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000"]);
}

#[test]
fn other_forms_stay() {
    check_stays(&[
        "123-45-67890",
        "1123-45-6789",
        "1-123-45-6789",
        "123-45-6789-1",
        "v123.45.6789",
        "123-45.6789",
        "1 123 45 6789",
        "123-45-6789a",
        "ab1-123-45-6789",
        "sort code 20-00-00",
    ]);
}

#[test]
fn bare_digits_need_a_word_or_a_name() {
    check(&[
        ("social security number 536228145", "social security number [SSN]"),
        ("my social is 536228145", "my social is [SSN]"),
        ("536228145 is her SSN", "[SSN] is her SSN"),
    ]);
    check_stays(&["536228145", "social media 536228145", "ssn 666000000", "lessness 536228145"]);
    check_json(&[
        (r#"{"social_security_number":776724675}"#, r#"{"social_security_number":"[SSN]"}"#),
        (r#"{"userSsn":"776724675"}"#, r#"{"userSsn":"[SSN]"}"#),
        (r#"{"ssn":12345678}"#, r#"{"ssn":"[SSN]"}"#),
        (r#"{"ssn":{"last":[776724675]}}"#, r#"{"ssn":{"last":["[SSN]"]}}"#),
        (r#"{"seq":776724675}"#, r#"{"seq":776724675}"#),
        (r#"{"sessn":776724675}"#, r#"{"sessn":776724675}"#),
    ]);
}
