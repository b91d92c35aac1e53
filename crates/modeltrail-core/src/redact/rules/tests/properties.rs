//! What is fast against what is simple, and that nothing panics.

use proptest::prelude::*;
use serde_json::Value;

use super::super::glob::Glob;
use super::super::path::{JsonPath, Selector};
use super::*;

/// A path of few names, so that it meets documents of the same names.
fn paths() -> impl Strategy<Value = String> {
    let step = prop::sample::select(vec![
        ".a",
        ".b",
        "..a",
        "..b",
        "[0]",
        "[1]",
        "..[0]",
        "[*]",
        ".*",
        "..*",
        "['a','b']",
        "['a',0]",
        "..['b',1]",
    ]);
    prop::collection::vec(step, 0..5).prop_map(|steps| format!("${}", steps.concat()))
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), Just(Value::Bool(true))];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let name = prop::sample::select(vec!["a", "b", "c"]).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(name, inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Whether a path names this place, by trying every way: what the automaton replaces.
fn names(path: &JsonPath, place: &[Selector]) -> bool {
    fn from(path: &JsonPath, n: usize, place: &[Selector]) -> bool {
        let Some(segment) = path.segments.get(n) else { return place.is_empty() };
        let Some((child, rest)) = place.split_first() else { return false };
        let takes = segment.selectors.iter().any(|s| *s == Selector::Any || s == child);
        (takes && from(path, n + 1, rest)) || (segment.deep && from(path, n, rest))
    }
    from(path, 0, place)
}

/// Calls `look` at every place with the spot and the children on the way.
fn visit(
    spot: &Spot<'_>,
    value: &Value,
    place: &mut Vec<Selector>,
    look: &mut impl FnMut(&Spot<'_>, &[Selector]),
) {
    look(spot, place);
    let children: Vec<(Selector, &Value)> = match value {
        Value::Array(items) => {
            items.iter().enumerate().map(|(n, item)| (Selector::Index(n), item)).collect()
        }
        Value::Object(members) => {
            members.iter().map(|(name, member)| (Selector::Name(name.clone()), member)).collect()
        }
        _ => Vec::new(),
    };
    for (child, value) in children {
        let below = match &child {
            Selector::Index(n) => spot.element(*n),
            Selector::Name(name) => spot.member(name),
            Selector::Any => unreachable!("no child is a wild card"),
        };
        place.push(child);
        visit(&below, value, place, look);
        place.pop();
    }
}

/// Globs by trying every way.
fn fits(glob: &[char], name: &[char]) -> bool {
    match (glob, name) {
        ([], _) => name.is_empty(),
        (['*', rest @ ..], _) => fits(rest, name) || (!name.is_empty() && fits(glob, &name[1..])),
        ([c, rest @ ..], [d, name @ ..]) => (*c == '?' || c == d) && fits(rest, name),
        _ => false,
    }
}

proptest! {
    #[test]
    fn the_automaton_says_what_trying_every_way_says(
        deny in prop::collection::vec(paths(), 1..4),
        allow in prop::collection::vec(paths(), 1..4),
        document in documents(),
    ) {
        let policy = policy(&format!("[[deny]]\npaths = {deny:?}\n[[allow]]\npaths = {allow:?}\n"));
        let parsed = |texts: &[String]| texts.iter().map(|t| JsonPath::parse(t).unwrap()).collect::<Vec<_>>();
        let (deny, allow) = (parsed(&deny), parsed(&allow));
        // A rule holds at a place if a path names it or one above it.
        let holds = |paths: &[JsonPath], place: &[Selector]| {
            (0..=place.len()).any(|n| paths.iter().any(|path| names(path, &place[..n])))
        };
        let scope = policy.scope(PartId::Input, "m");
        let mut wrong = Vec::new();
        visit(&scope.root(), &document, &mut Vec::new(), &mut |spot, place| {
            if spot.deny().is_some() != holds(&deny, place) || spot.is_allowed() != holds(&allow, place) {
                wrong.push(format!("{place:?}"));
            }
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn a_path_is_what_it_is_written_as(path in paths()) {
        let path = JsonPath::parse(&path).unwrap();
        prop_assert_eq!(JsonPath::parse(&path.to_string()).unwrap(), path);
    }

    #[test]
    fn any_name_can_be_written_in_a_path(name in any::<String>()) {
        let path = JsonPath { segments: vec![super::super::path::Segment {
            deep: false,
            selectors: vec![Selector::Name(name.chars().take(60).collect())],
        }] };
        prop_assert_eq!(JsonPath::parse(&path.to_string()).unwrap(), path);
    }

    #[test]
    fn a_glob_fits_what_trying_every_way_fits(glob in "[ab*?]{1,8}", name in "[ab]{0,8}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(Glob::new(&glob).unwrap().matches(&name), fits(&chars(&glob), &chars(&name)));
    }

    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), path in "[$.\\[\\]*'\"a0,\\\\u]{0,12}", name in any::<String>()) {
        let problems = RedactionPolicy::parse(&text, TYPES).unwrap_err();
        prop_assert!(!problems.all().is_empty());
        let read = JsonPath::parse(&format!("${path}"));
        prop_assert!(read.is_ok() || read.is_err_and(|error| error.at <= path.chars().count() + 2));
        let rules = format!("[[deny]]\npaths = ['''${path}''']\n[[pattern]]\nname = 'p'\nregex = '''{path}'''\n");
        let text = format!("version = 1\nname = 'x'\n{rules}");
        let compiled = RedactionPolicy::parse(&text, TYPES);
        prop_assert!(compiled.map_or_else(|p| !p.all().is_empty(), |p| p.patterns().len() == 1));
        let policy = policy("[[deny]]\nkeys = ['a']\n");
        let scope = policy.scope(PartId::Input, &name);
        prop_assert!(scope.root().member(&name).deny().is_none() || name.to_lowercase().contains('a'));
        prop_assert!(token_len(&name).is_none_or(|len| name.is_char_boundary(len)));
    }

    #[test]
    fn what_takes_a_values_place_tells_no_digits_and_is_passed_over(value in "[0-9+() a-zA-Z０-９ßİ\\t-]{0,12}", epoch: u32) {
        let key = PseudonymKey::new(epoch, &[1; 32]);
        for normal in [Normal::Lower, Normal::Phone, Normal::Alnum, Normal::Words, Normal::Exact] {
            let token = pseudonym(&key, "email", "EMAIL", normal, &value);
            prop_assert!(!token.bytes().any(|byte| byte.is_ascii_digit()));
            prop_assert_eq!(token_len(&token), Some(token.len()));
            // A telephone number may begin with more than one "00".
            let once = normal.apply(&value);
            prop_assert!(normal == Normal::Phone || normal.apply(&once) == once);
        }
        let masked = mask(&value, KEEP_LAST_MAX);
        prop_assert_eq!(masked.chars().count(), value.chars().count());
        prop_assert!(masked.chars().filter(|c| *c == '*').count() * 2 >= value.chars().count());
    }
}
