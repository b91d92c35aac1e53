//! Bundles of which parts were erased: with the authority's leave, and with something that only looks
//! like it.

use std::io::Cursor;

use modeltrail_core::PartId;
use modeltrail_core::bundle::{BundleReport, Filter, Pinned, verify};
use modeltrail_core::control::Control;
use modeltrail_core::erasure::{Erasure, ErasureReason};
use modeltrail_core::keys::{KeyChange, KeyEvent, KeyReason, KeyRole};
use modeltrail_core::note::{KeyName, NoteSigner};

use super::fixture::{Made, append, at, filter, key, ledger, request, signed};
use super::{check, clean};
use crate::store::MemoryStore;

const ORIGIN: &str = "example.com/bundle";
const N: u64 = 60;

/// The entry of which parts are taken, and which.
const TAKEN: u64 = 12;
const PARTS: [PartId; 2] = [PartId::Input, PartId::Parties];

fn authority(seed: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new("example.com/officer").unwrap(), &[seed; 32]).unwrap()
}

fn change(
    event: KeyEvent,
    role: KeyRole,
    of: &NoteSigner,
    replaces: Option<&NoteSigner>,
    by: &[&NoteSigner],
) -> Control {
    let mut change = KeyChange::new(event, role, of.verifier(), KeyReason::Routine);
    if let Some(old) = replaces {
        change = change.replacing(old.verifier());
    }
    let text = change.text(ORIGIN);
    Control::Key(change.sign(ORIGIN, by.iter().map(|key| key.sign(&text)).collect()).unwrap())
}

/// The authority's key as `init` makes it, and then the one that signs checkpoints.
fn keys() -> Vec<Control> {
    let (officer, log) = (authority(2), key(1));
    vec![
        change(KeyEvent::Added, KeyRole::Authority, &officer, None, &[&officer]),
        change(KeyEvent::Added, KeyRole::Checkpoint, &log, None, &[&log, &officer]),
    ]
}

fn list(index: u64) -> Vec<(u64, Vec<u16>)> {
    vec![(index, PARTS.map(PartId::code).to_vec())]
}

fn erasure(origin: &str, entries: Vec<(u64, Vec<u16>)>, by: &NoteSigner) -> Erasure {
    Erasure::sign(origin, ErasureReason::SubjectRequest, entries, by).unwrap()
}

/// A ledger whose last entries are these, and of which parts of one entry are gone.
fn made(more: Vec<Control>) -> Made {
    let mut store = MemoryStore::new(ORIGIN);
    ledger(&mut store, N);
    append(&mut store, more);
    assert!(store.take_parts(TAKEN, &PARTS));
    signed(&mut store)
}

fn names(report: &BundleReport) -> Vec<(&'static str, Option<u64>)> {
    let mut names: Vec<_> = report.findings.iter().map(|f| (f.kind.name(), f.index)).collect();
    names.sort_unstable();
    names
}

/// Asserts that both verifiers find these, whether the erasure is in the range or behind it.
#[track_caller]
fn found(made: &Made, expected: &[(&'static str, Option<u64>)]) {
    let before_it = filter(|filter| {
        filter.until = Some(at(4));
        filter.late_by_us = Some(0);
    });
    for asked in [Filter::default(), before_it] {
        let bytes = made.bundle(&request(made, asked));
        let report = check(&bytes, made);
        assert_eq!(names(&report), expected, "{:#?}", report.findings);
        assert_eq!(report.n_erasures, u64::from(expected.is_empty()));
        same_in_python(made, &bytes, &[], expected);
    }
}

#[track_caller]
fn same_in_python(
    made: &Made,
    bytes: &[u8],
    pinned: &[&NoteSigner],
    expected: &[(&'static str, Option<u64>)],
) {
    let keys: Vec<_> = pinned.iter().map(|key| key.verifier().clone()).collect();
    let exit = i32::from(!expected.is_empty());
    let Some(said) = made.agrees_with_python_and(bytes, &keys, exit) else { return };
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    let finding =
        |it: &serde_json::Value| (it["name"].as_str().unwrap().to_owned(), it["index"].as_u64());
    let mut found: Vec<_> = said["findings"].as_array().unwrap().iter().map(finding).collect();
    found.sort_unstable();
    let expected: Vec<_> = expected.iter().map(|(name, at)| ((*name).to_owned(), *at)).collect();
    assert_eq!(found, expected, "{said:#}");
}

#[test]
fn parts_erased_with_the_authoritys_leave_are_nothing_to_find() {
    let lawful = Control::Erasure(erasure(ORIGIN, list(TAKEN), &authority(2)));
    let made = made(keys().into_iter().chain([lawful]).collect());
    found(&made, &[]);
    let report = clean(&made.bundle(&request(&made, Filter::default())), &made);
    assert_eq!(report.authorities, [authority(2).verifier().to_string()]);
    let bytes = made.bundle(&request(&made, Filter::default()));
    assert!(String::from_utf8_lossy(&bytes).contains(r#"{"erased":["input"],"#));
}

#[cfg(feature = "sqlite")]
#[test]
fn a_ledger_on_disk_gives_the_same_bytes_after_an_erasure() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = crate::store::SqliteStore::create(&path, ORIGIN).unwrap();
    let lawful = Control::Erasure(erasure(ORIGIN, list(TAKEN), &authority(2)));
    let controls: Vec<Control> = keys().into_iter().chain([lawful]).collect();
    ledger(&mut store, N);
    append(&mut store, controls.clone());
    crate::store::erasing::take_parts(&path, &[(TAKEN, PARTS.to_vec())]).unwrap();
    let on_disk = signed(&mut store);
    found(&on_disk, &[]);
    let request = request(&on_disk, Filter::default());
    assert_eq!(on_disk.bundle(&request), made(controls).bundle(&request), "whatever the store");
}

#[test]
fn an_erasure_that_the_authority_did_not_sign_is_found_and_so_is_what_it_hides() {
    let lawful = || erasure(ORIGIN, list(TAKEN), &authority(2));
    let forged = [
        Erasure { note: String::new(), ..lawful() },
        Erasure { reason: ErasureReason::Order, ..lawful() },
        // By a key that nobody named, under the authority's name; and by the one that signs checkpoints.
        erasure(ORIGIN, list(TAKEN), &authority(66)),
        erasure(ORIGIN, list(TAKEN), &key(1)),
        // A lawful signature over another list; and for another ledger.
        Erasure { entries: list(TAKEN), ..erasure(ORIGIN, list(TAKEN + 1), &authority(2)) },
        erasure("example.com/other", list(TAKEN), &authority(2)),
        // A lawful signature over an entry behind it.
        erasure(ORIGIN, [list(TAKEN), list(N + 2)].concat(), &authority(2)),
    ];
    let expected = [("forged_erasure", Some(N + 2)), ("missing_part", Some(TAKEN))];
    for forged in forged {
        found(&made(keys().into_iter().chain([Control::Erasure(forged)]).collect()), &expected);
    }
}

#[test]
fn parts_that_no_erasure_names_are_missing() {
    let other = Control::Erasure(erasure(ORIGIN, list(TAKEN + 1), &authority(2)));
    let made = made(keys().into_iter().chain([other]).collect());
    let bytes = made.bundle(&request(&made, Filter::default()));
    assert_eq!(names(&check(&bytes, &made)), [("missing_part", Some(TAKEN))]);
    same_in_python(&made, &bytes, &[], &[("missing_part", Some(TAKEN))]);
}

#[test]
fn a_key_that_an_entry_without_effect_names_allows_nothing() {
    let (officer, mine, log) = (authority(2), authority(66), key(1));
    let forged = Control::Erasure(erasure(ORIGIN, list(TAKEN), &mine));
    let expected = [("forged_erasure", Some(N + 3)), ("missing_part", Some(TAKEN))];
    for tried in [
        // There is an authority, and the key of checkpoints cannot name another one.
        change(KeyEvent::Added, KeyRole::Authority, &mine, None, &[&mine, &log]),
        change(KeyEvent::Rotated, KeyRole::Authority, &mine, Some(&officer), &[&mine, &log]),
        // Nor can it retire the one there is.
        change(KeyEvent::Retired, KeyRole::Authority, &officer, None, &[&log]),
    ] {
        let made = made(keys().into_iter().chain([tried, forged.clone()]).collect());
        found(&made, &expected);
        let report = check(&made.bundle(&request(&made, Filter::default())), &made);
        let indexes: Vec<u64> = report.keys_without_effect.iter().map(|key| key.index).collect();
        assert_eq!(indexes, [N + 2]);
    }
}

#[test]
fn an_erasure_counts_while_its_key_is_in_force() {
    let (old, new) = (authority(2), authority(3));
    let rotated = change(KeyEvent::Rotated, KeyRole::Authority, &new, Some(&old), &[&old, &new]);
    let retired = change(KeyEvent::Retired, KeyRole::Authority, &old, None, &[&new]);
    let by = |key| Control::Erasure(erasure(ORIGIN, list(TAKEN), key));
    let ledger = |more: Vec<Control>| made(keys().into_iter().chain(more).collect());
    found(&ledger(vec![rotated.clone(), by(&old), retired.clone()]), &[]);
    found(&ledger(vec![rotated.clone(), retired.clone(), by(&new)]), &[]);
    let forged = |at| [("forged_erasure", Some(at)), ("missing_part", Some(TAKEN))];
    found(&ledger(vec![rotated.clone(), retired, by(&old)]), &forged(N + 4));
    found(&ledger(vec![by(&new), rotated]), &forged(N + 2));
}

#[test]
fn without_an_authority_no_erasure_can_be_believed() {
    let log = key(1);
    let added = change(KeyEvent::Added, KeyRole::Checkpoint, &log, None, &[&log]);
    let lawful = Control::Erasure(erasure(ORIGIN, list(TAKEN), &authority(2)));
    let forged = |at| [("forged_erasure", Some(at)), ("missing_part", Some(TAKEN))];
    found(&made(vec![added, lawful.clone()]), &forged(N + 1));
    found(&made(vec![lawful]), &forged(N));
}

#[test]
fn a_pinned_authority_is_the_only_one_whose_followers_count() {
    let (officer, new, log) = (authority(2), authority(3), key(1));
    let rotated =
        change(KeyEvent::Rotated, KeyRole::Authority, &new, Some(&officer), &[&officer, &new]);
    let by_new = Control::Erasure(erasure(ORIGIN, list(TAKEN), &new));
    let made = made(keys().into_iter().chain([rotated, by_new]).collect());
    let bytes = made.bundle(&request(&made, Filter::default()));
    let forged = [("forged_erasure", Some(N + 3)), ("missing_part", Some(TAKEN))];
    let stranger = authority(66);
    for (pinned, expected) in [(&officer, &[][..]), (&new, &[]), (&stranger, &forged)] {
        let keys = [log.verifier().clone(), pinned.verifier().clone()];
        let report = verify(Cursor::new(&bytes), &Pinned::keys(&keys)).unwrap();
        assert_eq!(names(&report), expected, "{:#?}", report.findings);
        // Beside a policy the authority's key can stand alone.
        let beside = Pinned { policy: Some(&made.policy), keys: &keys[1..] };
        assert_eq!(names(&verify(Cursor::new(&bytes), &beside).unwrap()), expected);
        same_in_python(&made, &bytes, &[pinned], expected);
    }
    // Alone it signs for no checkpoint.
    let alone = [officer.verifier().clone()];
    let report = verify(Cursor::new(&bytes), &Pinned::keys(&alone)).unwrap();
    assert_eq!(names(&report), [("untrusted_checkpoint", None)]);
}
