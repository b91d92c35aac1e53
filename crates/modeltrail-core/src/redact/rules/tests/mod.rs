//! Tests of policies: what the vectors say, what is refused, and that what is fast says the same as
//! what is simple.

mod properties;
mod vectors;

use super::*;

/// Types of a registry, as the vectors have them.
const TYPES: &[(&str, &str)] = &[
    ("email", "EMAIL"),
    ("phone", "PHONE"),
    ("ssn", "SSN"),
    ("credit_card", "CC"),
    ("ip_address", "IP_ADDRESS"),
    ("de_tax_id", "DE_TAX_ID"),
];

fn policy(rules: &str) -> RedactionPolicy {
    let text = format!("version = 1\nname = \"test\"\n{rules}");
    RedactionPolicy::parse(&text, TYPES).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}

fn problems(rules: &str) -> String {
    let text = format!("version = 1\nname = \"test\"\n{rules}");
    RedactionPolicy::parse(&text, TYPES).err().map(|found| found.to_string()).unwrap_or_default()
}

/// The spot at a JSON pointer; elements are numbers.
fn at<'p>(scope: &Scope<'p>, pointer: &str) -> Spot<'p> {
    pointer.split('/').skip(1).fold(scope.root(), |spot, token| match token.parse() {
        Ok(index) => spot.element(index),
        Err(_) => spot.member(token),
    })
}

#[test]
fn the_policy_of_the_documentation_says_what_it_says() {
    let policy = policy(
        r#"
        [types]
        email = "pseudonym"
        credit_card = { mask = 4 }
        ip_address = "off"
        [[deny]]
        keys = ["password", "authorization"]
        paths = ["$.user.ssn", "$..token"]
        [[allow]]
        paths = ["$.embedding[*]"]
        parts = ["input"]
        [[rule]]
        types = ["email"]
        models = ["support-*"]
        action = "keep"
        [values]
        allow = ["support@example.com"]
        [[pattern]]
        name = "employee"
        regex = '\bE[0-9]{6}\b'
        words = ["employee"]
        action = "pseudonym"
        "#,
    );
    let [email, phone, card, ip] =
        ["email", "phone", "credit_card", "ip_address"].map(|name| policy.slot_of(name).unwrap());
    assert!(policy.is_on(email) && policy.is_on(phone) && !policy.is_on(ip));
    assert!(!policy.is_on(policy.n_slots()));

    let scope = policy.scope(PartId::Input, "fraud");
    assert!(scope.has_places());
    assert!(at(&scope, "/user/ssn").deny().is_some() && at(&scope, "/user").deny().is_none());
    assert!(at(&scope, "/ssn").deny().is_none() && at(&scope, "/a/0/token/b").deny().is_some());
    let denied = at(&scope, "/headers/Proxy-Authorization").deny().unwrap();
    assert_eq!((denied.label.as_str(), denied.action), ("REDACTED", Action::Replace));
    assert!(at(&scope, "/embedding/7").is_allowed() && !at(&scope, "/embedding").is_allowed());
    assert_eq!(at(&scope, "/x").action(email), Action::Pseudonym);
    assert_eq!(scope.action(card), Action::Mask { keep_last: 4 });
    assert_eq!(scope.action(phone), Action::Replace);

    let other = policy.scope(PartId::Output, "support-eu");
    assert!(!at(&other, "/embedding/7").is_allowed());
    assert_eq!(at(&other, "/x").action(email), Action::Keep);
    assert_eq!(at(&other, "/x").action(card), Action::Mask { keep_last: 4 });

    assert!(policy.allows_value("support@example.com") && !policy.allows_value("x@example.com"));
    let found: Vec<_> = scope.patterns().collect();
    let [(slot, pattern)] = found.as_slice() else { panic!("one pattern") };
    assert_eq!((*slot, policy.type_name(*slot)), (TYPES.len(), Some("employee")));
    assert_eq!(
        (policy.label(*slot), pattern.words()),
        (Some("EMPLOYEE"), &["employee".into()][..])
    );
    assert!(pattern.find_iter("E123456, xE123456").eq(std::iter::once(0..7)));
    assert_eq!(scope.action(*slot), Action::Pseudonym);
}

#[test]
fn a_policy_without_places_asks_for_no_walk() {
    let policy =
        policy("[types]\nemail = \"keep\"\n[[deny]]\nkeys = [\"x\"]\nparts = [\"error\"]\n");
    assert!(!policy.scope(PartId::Input, "m").has_places());
    assert!(policy.scope(PartId::Error, "m").has_places());
}

#[test]
fn deny_goes_before_allow_and_the_last_rule_counts() {
    let policy = policy(
        r#"
        [[allow]]
        paths = ["$.a"]
        [[deny]]
        paths = ["$.a.b"]
        type = "ssn"
        action = "remove"
        [[deny]]
        paths = ["$..b"]
        [[rule]]
        paths = ["$.c"]
        action = "keep"
        [[rule]]
        paths = ["$.c.d"]
        types = ["email"]
        action = "remove"
        "#,
    );
    let scope = policy.scope(PartId::Input, "m");
    let denied = at(&scope, "/a/b/x").deny().unwrap();
    assert_eq!((denied.type_name, denied.action), ("ssn", Action::Remove));
    assert_eq!(denied.label, "SSN");
    assert_eq!(at(&scope, "/b").deny().unwrap().type_name, "redacted");
    assert!(at(&scope, "/a/x").is_allowed() && at(&scope, "/a/x").deny().is_none());
    let (email, ssn) = (policy.slot_of("email").unwrap(), policy.slot_of("ssn").unwrap());
    assert_eq!(at(&scope, "/c/d").action(email), Action::Remove);
    assert_eq!(at(&scope, "/c/d/0").action(ssn), Action::Keep);
    assert_eq!(at(&scope, "/x").action(email), Action::Replace);
}

#[test]
fn what_headers_say_of_a_failure_is_no_name_of_a_type() {
    for name in ["failed", "failed_too_deep"] {
        let pattern = format!("[[pattern]]\nname = '{name}'\nregex = 'x'\n");
        assert!(problems(&pattern).contains("no name of a type"), "{name}");
        let deny = format!("[[deny]]\nkeys = ['k']\ntype = '{name}'\n");
        assert!(problems(&deny).contains("no name of a type"), "{name}");
    }
    assert_eq!(problems("[[pattern]]\nname = 'failedx'\nregex = 'x'\n"), "");
}

#[test]
fn what_holds_in_one_member_does_not_in_the_next() {
    let policy = policy("[[deny]]\npaths = [\"$.a.b\"]\n[[allow]]\nkeys = [\"c\"]\n");
    let scope = policy.scope(PartId::Input, "m");
    let a = scope.root().member("a");
    assert!(a.member("b").deny().is_some());
    assert!(a.member("c").deny().is_none() && a.member("c").is_allowed());
    assert!(!a.is_allowed());
    assert!(scope.root().member("b").deny().is_none());
}

#[test]
fn each_problem_says_what_to_write_instead() {
    let text =
        problems("[types]\nemial = \"replace\"\n[[deny]]\npaths = [\"$.a-b\"]\nkey = \"x\"\n");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("4:1: no type \"emial\"; use one of email, phone"), "{text}");
    assert!(lines[1].starts_with("6:10: no path: a character that a name behind a dot"), "{text}");
    assert!(lines[1].ends_with("at its character 4; write the name as ['the-name']"), "{text}");
    assert!(lines[2].starts_with("7:1: no key \"key\" in [[deny]]; use one of keys"), "{text}");
}

#[test]
fn columns_count_characters() {
    let text = problems("types = { \"é\" = \"off\", x = \"off\" }\n");
    assert!(text.contains("3:11: no type \"é\"") && text.contains("3:24: no type \"x\""), "{text}");
}

#[test]
fn bounds_are_kept() {
    let long = "#".repeat(POLICY_BYTES_MAX);
    assert!(problems(&long).contains("bytes, at most 262144"));
    let keys = |n: usize| format!("[[deny]]\nkeys = [{}]\n", "\"k\",".repeat(n));
    assert_eq!(problems(&keys(64)), "");
    assert!(problems(&keys(65)).contains("65 items in \"keys\", at most 64"));
    let rules = |n: usize| "[[allow]]\nkeys = \"k\"\n".repeat(n);
    assert_eq!(problems(&rules(256)), "");
    assert!(problems(&rules(257)).contains("257 rules by place, at most 256"));
    let deep = format!("$.{}", ["a"; 32].join("."));
    let steps = |n: usize| format!("[[deny]]\npaths = ['{deep}']\n").repeat(n);
    assert_eq!(problems(&steps(32)), "");
    assert!(problems(&steps(33)).contains("1056 steps in all paths together"));
    assert!(problems(&format!("[[deny]]\npaths = ['{deep}.a']\n")).contains("more than 32 steps"));
    let pattern = |n: usize| {
        let name = |n: usize| {
            format!("p{}{}", char::from(b'a' + n as u8 / 26), char::from(b'a' + n as u8 % 26))
        };
        (0..n)
            .map(|n| format!("[[pattern]]\nname = '{}'\nregex = 'x'\n", name(n)))
            .collect::<String>()
    };
    assert_eq!(problems(&pattern(64)), "");
    assert!(problems(&pattern(65)).contains("more than 64 [[pattern]]"));
    let wrong: String = (0..300).map(|n| format!("x{n} = 1\n")).collect();
    assert_eq!(problems(&wrong).lines().count(), 100);
}

#[test]
fn patterns_that_could_run_away_are_refused() {
    for (regex, says) in [
        ("a*", "empty text"),
        ("\\b", "empty text"),
        ("x|", "empty text"),
        ("[a&&b]", "nothing at all"),
        ("(a)\\1", "no pattern: backreferences"),
        ("(?<=a)b", "no pattern: look-around"),
        ("(", "no pattern: unclosed group"),
        ("\\w{5000}", "needs more than"),
        ("[A-Z]{5}", "finds the replacement [EMAIL] itself"),
        ("own", ""),
        ("(?i)own", "finds the replacement [OWN] itself"),
    ] {
        let text = problems(&format!("[[pattern]]\nname = \"own\"\nregex = '{regex}'\n"));
        assert!(
            if says.is_empty() { text.is_empty() } else { text.contains(says) },
            "{regex}: {text}"
        );
    }
}

#[test]
fn a_policy_is_the_same_in_another_spelling() {
    let one = policy("[[deny]]\nkeys = [\"api_key\", \"ssn\"]\npaths = [\"$.a['b']\"]\n");
    let other =
        policy("# a comment\ndeny = [{ paths = '$[\"a\"].b', keys = [\"SSN\", \"ApiKey\"] }]");
    assert_eq!(one.canonical(), other.canonical());
    assert_eq!(one.digest(), other.digest());
    let third = policy("[[deny]]\nkeys = [\"api_key\"]\npaths = [\"$.a['b']\"]\n");
    assert_ne!(one.digest(), third.digest());
}

#[test]
fn tokens_are_told_from_text() {
    let key = PseudonymKey::new(30, &[7; 32]);
    let token = pseudonym(&key, "email", "EMAIL", Normal::of("email"), "a@example.com");
    assert!(token.bytes().all(|byte| !byte.is_ascii_digit()), "{token}");
    for text in ["[EMAIL]", "[IP_ADDRESS]", token.as_str()] {
        assert_eq!(token_len(&format!("{text} and more")), Some(text.len()), "{text}");
        assert_eq!(token_len(&text[1..]), None);
        assert_eq!(token_len(&text[..text.len() - 1]), None);
    }
    for text in [
        "[]",
        "[email]",
        "[EMAIL:a]",
        "[A1]",
        "[EMAIL:1:aaaaaaaaaaaaaaaa]",
        "[EMAIL:a:qqqqqqqqqqqqqqqq]",
    ] {
        assert_eq!(token_len(text), None, "{text}");
    }
    assert!(!format!("{key:?}").contains('7'), "the key is not printed");
}

#[test]
fn other_types_other_epochs_and_other_keys_make_other_tokens() {
    let token = |epoch, key: u8, name: &str, value: &str| {
        let key = PseudonymKey::new(epoch, &[key; 32]);
        pseudonym(&key, name, "X", Normal::Lower, value)
    };
    let one = token(0, 1, "email", "a@b.c");
    assert_eq!(one, token(0, 1, "email", " A@B.C"));
    for other in [
        token(1, 1, "email", "a@b.c"),
        token(0, 2, "email", "a@b.c"),
        token(0, 1, "phone", "a@b.c"),
        token(0, 1, "email", "b@b.c"),
    ] {
        assert_ne!(one, other);
    }
}

#[test]
fn texts_that_nest_or_fail_without_end_are_refused() {
    for open in ["x = [", "x = {a=", "[a.", "x = \"", "x.", "[["] {
        let tail = open.trim_start_matches("x = ");
        let text = format!("{open}{}", tail.repeat(200_000 / tail.len()));
        let problems = RedactionPolicy::parse(&text, TYPES).unwrap_err();
        assert!((1..=100).contains(&problems.all().len()), "{open}");
    }
    let types: String = (0..15_000).map(|n| format!("t{n}=1\n")).collect();
    assert_eq!(problems(&format!("[types]\n{types}")).lines().count(), 100);
}

#[test]
fn each_action_puts_its_text_in_the_values_place() {
    let policy = policy(
        "[[pattern]]\nname = 'my_code'\nregex = 'x[0-9]'\n[[deny]]\nkeys = ['ssn']\naction = 'mask'\n",
    );
    let key = PseudonymKey::new(0, &[9; 32]);
    let (card, own) = (policy.slot_of("credit_card").unwrap(), policy.slot_of("my_code").unwrap());
    let card = |action, key| policy.replacement(card, action, "4111 1111 1111 1111", key);
    assert_eq!(card(Action::Keep, Some(&key)), None);
    assert_eq!(card(Action::Remove, None).as_deref(), Some(""));
    assert_eq!(card(Action::Replace, None).as_deref(), Some("[CC]"));
    assert_eq!(card(Action::Pseudonym, None).as_deref(), Some("[CC]"));
    assert_eq!(card(Action::Mask { keep_last: 4 }, None).as_deref(), Some("***************1111"));
    let token = pseudonym(&key, "credit_card", "CC", Normal::Alnum, "4111111111111111");
    assert_eq!(card(Action::Pseudonym, Some(&key)), Some(token));
    // A pattern's findings are not joined: case may be all that parts two of them.
    let own = |value| policy.replacement(own, Action::Pseudonym, value, Some(&key)).unwrap();
    assert!(own("x1").starts_with("[MY_CODE:a:") && own("x1") != own("X1"));
    assert_eq!(policy.replacement(99, Action::Replace, "x", None).as_deref(), Some("[REDACTED]"));
    let denied = at(&policy.scope(PartId::Input, "m"), "/ssn").deny().unwrap();
    assert_eq!(denied.replacement("123456789", None), "*****6789");
}
