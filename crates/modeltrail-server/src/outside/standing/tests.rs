//! Windows, tiers, and what contradicts them.

use super::*;

fn place(tier: Tier, size: u64, every_s: u64, problem: &str) -> PlaceStanding {
    let (whom, problem) = (format!("{tier:?}-{size}-{every_s}"), problem.to_owned());
    PlaceStanding {
        tier,
        whom,
        size,
        time: None,
        problem,
        is_stamp: false,
        is_finding: false,
        every_s,
    }
}

/// Of 100 entries, `covered` are outside; the first of the others was sequenced `age_s` ago.
fn standing(tier: Tier, covered: u64, age_s: u64, every_s: u64) -> OutsideStanding {
    let now_us = 1_000_000_000_000;
    let since_us = (covered < 100).then(|| now_us - age_s * 1_000_000);
    window(tier, 100, covered, since_us, Some(every_s), now_us)
}

#[test]
fn a_window_is_the_age_of_the_oldest_entry_that_is_not_outside() {
    let some = standing(Tier::T2, 90, 12, 10);
    assert_eq!((some.n_exposed, some.exposed_s, some.exposed_max_s), (10, 12, Some(10)));
    assert!(!some.is_late, "one failed round is none too many");
    assert_eq!(
        some.line(),
        "T2, witnesses: 90 entries covered, 10 exposed, for 12 s (at most 10 s)"
    );
    let late = standing(Tier::T2, 90, 31, 10);
    assert!(late.is_late);
    assert!(late.line().ends_with("for 31 s, which should be 10 s at most"), "{}", late.line());
    let all = standing(Tier::T1, 100, 0, 10);
    assert_eq!((all.n_exposed, all.exposed_s, all.is_late), (0, 0, false));
    let none = window(Tier::T0, 100, 0, Some(0), None, 5_000_000);
    assert_eq!((none.exposed_s, none.is_late), (5, false));
    assert_eq!(none.line(), "T0, nothing outside: 0 entries covered, 100 exposed, for 5 s");
    // A clock that was set back makes no huge number.
    assert_eq!(window(Tier::T1, 2, 1, Some(9_000_000), Some(1), 5_000_000).exposed_s, 0);
}

#[test]
fn the_highest_tier_that_is_not_late_is_in_force() {
    let (t3, t2) = (standing(Tier::T3, 50, 4000, 3610), standing(Tier::T2, 90, 5, 10));
    assert_eq!(choose(vec![t3.clone(), t2.clone()]), Some(t3));
    let late = standing(Tier::T3, 50, 20_000, 3610);
    assert_eq!(choose(vec![late.clone(), t2.clone()]), Some(t2));
    let both = [late.clone(), standing(Tier::T2, 50, 20_000, 10)];
    assert_eq!(choose(both.to_vec()), Some(late), "the highest, and it says that it is late");
    assert_eq!(choose(Vec::new()), None);
}

#[test]
fn a_tier_that_somebody_contradicts_says_so_first() {
    let mut some = standing(Tier::T3, 100, 0, 10);
    let by = |evidence: Option<&str>| Contradiction {
        whom: "w.example".to_owned(),
        what: "another history".to_owned(),
        evidence: evidence.map(str::to_owned),
    };
    some.contradicted_by = vec![by(None), by(Some("x/evidence/7"))];
    some.is_contradicted = true;
    let line = some.line();
    let start = "CONTRADICTED by w.example; evidence: x/evidence/7; without that: T3";
    assert!(line.starts_with(start), "{line}");
    assert_eq!(some.headline(), "contradicted");
}

#[test]
fn places_with_problems_do_not_count() {
    let places = [
        place(Tier::T1, 10, 10, ""),
        place(Tier::T1, 30, 10, ""),
        place(Tier::T2, 0, 10, "no witness has cosigned"),
        place(Tier::T3, 20, 3610, ""),
        place(Tier::T3, 20, 10, ""),
    ];
    let best: Vec<&str> = best_of_tiers(&places).iter().map(|p| p.whom.as_str()).collect();
    assert_eq!(best, ["T3-20-10", "T1-30-10"]);
}
