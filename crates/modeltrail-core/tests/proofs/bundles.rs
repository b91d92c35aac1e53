//! The evidence bundles of `spec/vectors/bundle/`, which a second implementation wrote, whole and with every
//! edit of `cases.json`. `docs/verify.py` is held to the same list.

use std::io::Cursor;
use std::path::PathBuf;

use modeltrail_core::bundle::{BundleError, BundleReport, Pinned, verify};
use modeltrail_core::hash::unbase64;
use modeltrail_core::note::VerifierKey;
use modeltrail_core::policy::Policy;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Cases {
    key: String,
    policy: String,
    keys: BTreeMap<String, String>,
    /// Name and index of what is found in bundles of entries that no ledger writes.
    odd: BTreeMap<String, Vec<(String, Option<u64>)>>,
    /// Indexes of the entries by which a bundle's checkpoint key follows from `key`.
    followed: BTreeMap<String, Vec<u64>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    bundle: String,
    /// Place, bytes to remove, bytes to put there in base64; places are those of the whole bundle.
    edits: Vec<(usize, usize, String)>,
    pin: String,
    exit: u8,
    finding: Option<String>,
}

fn file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../spec/vectors/bundle");
    std::fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases() -> Cases {
    serde_json::from_slice(&file("cases.json")).unwrap()
}

fn pinned_key(text: &str) -> [VerifierKey; 1] {
    [VerifierKey::parse(text).unwrap()]
}

fn of_key(text: &str) -> Policy {
    Policy::logs_only([VerifierKey::parse(text).unwrap()]).unwrap()
}

fn run(bytes: &[u8], policy: &Policy) -> Result<BundleReport, BundleError> {
    verify(Cursor::new(bytes), &Pinned::policy(policy))
}

fn names(report: &BundleReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.kind.name()).collect()
}

#[test]
fn whole_bundles_are_clean() {
    let cases = cases();
    for name in ["good.tar", "person.tar", "nothing.tar", "large.tar", "epoch.tar"] {
        let key = of_key(cases.keys.get(name).unwrap_or(&cases.key));
        let report = run(&file(name), &key).unwrap();
        assert!(report.is_clean(), "{name}: {:?}", report.findings);
        assert!(report.is_pinned);
    }
    let policy = Policy::parse(cases.policy.as_bytes()).unwrap();
    let report = run(&file("good.tar"), &policy).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings);
    assert_eq!(report.cosigned_by, ["one", "two"]);
    assert_eq!((report.size, report.n_matching, report.timestamps.len()), (700, 31, 1));
    assert!(report.completeness.provable);
    let person = run(&file("person.tar"), &of_key(&cases.key)).unwrap();
    assert!(!person.completeness.provable);
}

#[test]
fn a_checkpoint_key_that_follows_from_the_pinned_one_is_believed_and_the_entries_are_named() {
    let cases = cases();
    let key = [VerifierKey::parse(&cases.key).unwrap()];
    let by_key = |name: &str| verify(Cursor::new(file(name)), &Pinned::keys(&key)).unwrap();
    for (name, way) in &cases.followed {
        let report = by_key(name);
        assert!(report.is_clean(), "{name}: {:?}", report.findings);
        assert_eq!(report.key_followed_by, *way, "{name}");
        // A policy names who is believed, and nobody else.
        let report = run(&file(name), &of_key(&cases.key)).unwrap();
        assert_eq!(names(&report), ["untrusted_checkpoint"], "{name}");
    }
    assert_eq!(cases.followed.len(), 1);
    let report = by_key("good.tar");
    assert!(report.is_clean() && report.key_followed_by.is_empty());
    assert_eq!(names(&by_key("stolen.tar")), ["untrusted_checkpoint"]);
}

#[test]
fn without_a_key_a_bundle_only_agrees_with_itself_and_the_report_says_so() {
    for name in ["good.tar", "forged.tar"] {
        let report = verify(Cursor::new(file(name)), &Pinned::default()).unwrap();
        assert!(report.is_clean() && !report.is_pinned, "{name}: {:?}", report.findings);
    }
}

#[test]
fn entries_that_no_ledger_writes() {
    let cases = cases();
    assert_eq!(cases.odd.len(), 4);
    for (name, mut expected) in cases.odd {
        let report = run(&file(&name), &of_key(&cases.key)).unwrap();
        let found = report.findings.iter().map(|it| (it.kind.name().to_owned(), it.index));
        let mut found: Vec<_> = found.collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{name}: {:#?}", report.findings);
    }
}

#[test]
fn every_edit_is_found_under_its_name() {
    let cases = cases();
    assert!(cases.cases.len() > 25);
    let mut wrong = Vec::new();
    for case in &cases.cases {
        let mut bytes = file(&case.bundle);
        for (at, n_bytes, text) in case.edits.iter().rev() {
            bytes.splice(*at..*at + *n_bytes, unbase64(text).unwrap());
        }
        let policy = Policy::parse(cases.policy.as_bytes()).unwrap();
        let key = pinned_key(if case.pin.contains('+') { &case.pin } else { &cases.key });
        let pinned = match case.pin.as_str() {
            "policy" => Pinned::policy(&policy),
            _ => Pinned::keys(&key),
        };
        let said = match verify(Cursor::new(&bytes), &pinned) {
            Ok(report) => (u8::from(!report.is_clean()), names(&report)),
            Err(BundleError::Refused { .. }) => (2, Vec::new()),
            Err(error) => panic!("{}: {error}", case.name),
        };
        let is_named = case.finding.as_deref().is_none_or(|finding| said.1.contains(&finding));
        if said.0 != case.exit || !is_named {
            wrong.push(format!("{}: {said:?}, not {} {:?}", case.name, case.exit, case.finding));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
