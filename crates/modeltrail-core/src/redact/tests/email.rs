//! E-mail addresses.

use super::{check, check_json, check_stays};

#[test]
fn addresses_are_masked() {
    check(&[
        ("a.b@example.com", "[EMAIL]"),
        ("write to max.o+tag-1@sub.example.co.uk.", "write to [EMAIL]."),
        ("<Jane@Example.ORG>, bob_2@x.io;", "<[EMAIL]>, [EMAIL];"),
        ("email='o'brien@example.ie'", "email='[EMAIL]'"),
        ("**bob@example.com**", "**[EMAIL]**"),
        ("https://acme.test/u/pat2@example.com/edit", "https://acme.test/u/[EMAIL]/edit"),
        ("https://acme.test/?u=pat%40example.com&n=1", "https://acme.test/?u=[EMAIL]&n=1"),
        ("mailto:ed@example.net?subject=x", "mailto:[EMAIL]?subject=x"),
        ("first_last%x@example-domain.museum", "[EMAIL]"),
        ("ann@xn--bcher-kva.example", "[EMAIL]"),
        ("ann@example.xn--p1ai", "[EMAIL]"),
        ("\"ann lee\"@example.com", "[EMAIL]"),
        ("root@[192.0.2.1], root@[IPv6:2001:db8::1]", "[EMAIL], [EMAIL]"),
        ("2125551234@example.com", "[EMAIL]"),
        ("x4111111111111111@example.com", "[EMAIL]"),
        (
            "id,email\n1,r1@example.com,20\n2,r2@example.com,30",
            "id,email\n1,[EMAIL],20\n2,[EMAIL],30",
        ),
        ("a@example.com b@example.com", "[EMAIL] [EMAIL]"),
        ("bob@example.com.2024", "[EMAIL].2024"),
    ]);
}

#[test]
fn addresses_in_other_scripts_are_masked() {
    check(&[
        ("müller@exämple.de bitte", "[EMAIL] bitte"),
        ("我的邮箱是test@example.com，请回复", "我的邮箱是[EMAIL]，请回复"),
        ("联系test@example.com谢谢", "联系[EMAIL]谢谢"),
        ("иван@пример.рф", "[EMAIL]"),
        ("用户@例子.公司", "[EMAIL]"),
    ]);
}

#[test]
fn what_is_no_address_stays() {
    check_stays(&[
        "icon@2x.png",
        "logo@3x.webp",
        "pkg@1.2.3",
        "react@18.2.0-beta.next",
        "pkg: @scope/name@2.0.1",
        "git@host",
        "git@github.com:group/name.git",
        "@decorator",
        "@media (max-width: 600px)",
        "a @ b . c",
        "user@localhost",
        "a@b",
        "root@[not an address]",
        "x@y.c",
        "@@@@",
        "50%40",
        "%40example.com",
        "a@.com",
        "a@-",
    ]);
}

#[test]
fn addresses_are_found_wherever_they_stand() {
    check_json(&[
        (r#"{"a":["x",{"b":"bob@example.com"}]}"#, r#"{"a":["x",{"b":"[EMAIL]"}]}"#),
        (r#"{"profile:bob@example.com:v2":"hit"}"#, r#"{"profile:[EMAIL]:v2":"hit"}"#),
        (r#"["line\nbob@example.com\t\"x\""]"#, r#"["line\n[EMAIL]\t\"x\""]"#),
        (r#"["bob\u0040example.com"]"#, r#"["[EMAIL]"]"#),
        (
            r#"{"arguments":"{\"to\":\"bob@example.com\"}"}"#,
            r#"{"arguments":"{\"to\":\"[EMAIL]\"}"}"#,
        ),
    ]);
}
