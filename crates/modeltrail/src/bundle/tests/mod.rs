//! Bundles of small ledgers, read by the verifier of core and by `docs/verify.py`.

mod erased;
mod fixture;
mod tampered;

use std::io::Cursor;

use modeltrail_core::bundle::{BundleReport, Pinned, verify};

use super::*;
use crate::store::MemoryStore;
use fixture::{Made, at, filter, ledger, request};

fn check(bytes: &[u8], made: &Made) -> BundleReport {
    verify(Cursor::new(bytes), &Pinned::policy(&made.policy)).unwrap()
}

#[track_caller]
fn clean(bytes: &[u8], made: &Made) -> BundleReport {
    let report = check(bytes, made);
    assert!(report.is_clean(), "{:#?}", report.findings);
    report
}

#[test]
fn everything_that_can_be_asked_for_is_clean_and_as_many_as_there_are() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 700);
    let n_of = |filter: Filter| {
        let bytes = made.bundle(&request(&made, filter));
        let report = clean(&bytes, &made);
        made.agrees_with_python(&bytes, 0);
        (report.n_entries, report.n_matching)
    };
    let of_model = filter(|filter| filter.model_name = Some("fraud".into()));
    assert_eq!(n_of(of_model.clone()), (700, 210));
    assert_eq!(n_of(Filter::default()), (700, 699), "the gap entry is none of them");
    let oversight = filter(|filter| filter.kind = Some("oversight".into()));
    assert_eq!(n_of(oversight), (700, 70));
    let gaps = filter(|filter| filter.kind = Some("gap".into()));
    assert_eq!(n_of(gaps), (700, 1));
    let failed = filter(|filter| filter.status = Some("failure".into()));
    assert_eq!(n_of(failed), (700, 0));
    // An entry every ten minutes: 24 hours before, two hours asked for, one hour late.
    let window = filter(|filter| {
        filter.since = Some(at(40));
        filter.until = Some(at(42));
        filter.late_by_us = Some(3_600_000_000);
    });
    assert_eq!(n_of(window.clone()), (27 * 6 + 1, 12));
    let of_both = Filter { model_name: of_model.model_name, ..window };
    assert_eq!(n_of(of_both), (27 * 6 + 1, 3));
    let nothing = filter(|filter| filter.since = Some(at(4000)));
    assert_eq!(n_of(nothing), (0, 0));
}

#[test]
fn a_filter_on_a_person_says_that_completeness_is_not_provable() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 300);
    let of_user = filter(|filter| filter.user_id = Some("u7".into()));
    let mut request = request(&made, of_user);
    let report = clean(&made.bundle(&request), &made);
    assert_eq!(report.n_matching, 30);
    assert_eq!(
        report.completeness,
        Completeness { provable: false, why: "filter_on_person".into() }
    );
    assert!(!report.disclose.contains(&"parties".to_owned()));
    // Only who asks for it by name gets it.
    request.disclose.push(PartId::Parties);
    let bytes = made.bundle(&request);
    assert!(clean(&bytes, &made).disclose.contains(&"parties".to_owned()));
    assert!(String::from_utf8_lossy(&bytes).contains("\"user_id\":\"u7\""));
    made.agrees_with_python(&bytes, 0);
}

#[test]
fn what_is_not_asked_for_is_withheld_and_shown_as_that() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 60);
    let mut request = request(&made, Filter::default());
    request.disclose = vec![PartId::Output];
    let bytes = made.bundle(&request);
    clean(&bytes, &made);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("\"withheld\":[\"input\",\"parties\"]"), "{text}");
    assert!(text.contains("\"output\":{\"prediction\""));
    assert!(!text.contains("\"input\":{\"amount\""));
}

#[test]
fn a_gap_outside_the_range_comes_with_it() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 300);
    // Number 10 was passed over in the range; entry 50, which says so, is behind it.
    let early = filter(|filter| {
        filter.until = Some(at(4));
        filter.late_by_us = Some(0);
    });
    let bytes = made.bundle(&request(&made, early));
    let report = clean(&bytes, &made);
    assert_eq!((report.range.end, report.n_outside), (25, 1));
    made.agrees_with_python(&bytes, 0);
}

#[cfg(feature = "sqlite")]
#[test]
fn a_store_on_disk_gives_the_same_bytes_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = crate::store::SqliteStore::create(&path, "example.com/bundle").unwrap();
    let made = ledger(&mut store, 600);
    let request = request(&made, filter(|filter| filter.model_name = Some("fraud".into())));
    let first = made.bundle(&request);
    clean(&first, &made);
    assert_eq!(first, made.bundle(&request));
    let memory = ledger(&mut MemoryStore::new("example.com/bundle"), 600);
    assert_eq!(first, memory.bundle(&request), "whatever the store");
}

#[test]
fn an_older_checkpoint_can_be_asked_for() {
    let mut store = MemoryStore::new("example.com/bundle");
    let older = ledger(&mut store, 300).checkpoint();
    let made = ledger(&mut store, 300);
    let mut request = request(&made, Filter::default());
    assert_eq!(clean(&made.bundle(&request), &made).size, 600);
    request.checkpoint = Some(older);
    assert_eq!(clean(&made.bundle(&request), &made).size, 300);
}

#[test]
fn nothing_is_written_over_and_nothing_is_left_behind() {
    let made = ledger(&mut MemoryStore::new("example.com/bundle"), 10);
    let dir = tempfile::tempdir().unwrap();
    let names = || -> Vec<String> {
        let items = std::fs::read_dir(dir.path()).unwrap();
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect()
    };
    let path = dir.path().join("a.tar");
    let request = request(&made, Filter::default());
    let write =
        |store: &dyn Store, request: &BundleRequest| write(store, request, &path, |_, _| {});
    let unsigned = MemoryStore::new("example.com/bundle");
    assert!(matches!(write(&unsigned, &request), Err(BundleError::NoCheckpoint)));
    let other = Policy::logs_only([fixture::key(9).verifier().clone()]).unwrap();
    let refused = BundleRequest { policy: other, ..request.clone() };
    assert!(matches!(write(made.store.as_ref(), &refused), Err(BundleError::Policy(_))));
    let backwards = filter(|filter| filter.late_by_us = Some(1));
    let refused = BundleRequest { filter: backwards, ..request.clone() };
    assert!(matches!(write(made.store.as_ref(), &refused), Err(BundleError::Filter(_))));
    let mut shorter = MemoryStore::new("example.com/bundle");
    ledger(&mut shorter, 9);
    let refused = BundleRequest { checkpoint: Some(made.checkpoint()), ..request.clone() };
    assert!(write(&shorter, &refused).is_err(), "a checkpoint of more than there is");
    assert_eq!(names(), Vec::<String>::new());
    let summary = write(made.store.as_ref(), &request).unwrap();
    assert_eq!(names(), ["a.tar"]);
    assert_eq!(summary.n_bytes, std::fs::metadata(&path).unwrap().len());
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(write(made.store.as_ref(), &request), Err(BundleError::Exists(_))));
    assert_eq!((names(), std::fs::read(&path).unwrap()), (vec!["a.tar".to_owned()], before));
}

#[cfg(feature = "sqlite")]
#[test]
fn a_ledger_that_was_edited_gives_no_bundle_and_the_entry_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.db");
    let mut store = crate::store::SqliteStore::create(&path, "example.com/bundle").unwrap();
    let made = ledger(&mut store, 10);
    let edit = rusqlite::Connection::open(&path).unwrap();
    edit.execute_batch(
        "DROP TRIGGER parts_no_update; UPDATE parts SET output = '{\"prediction\":1}' WHERE idx = 3",
    )
    .unwrap();
    let target = dir.path().join("a.tar");
    let error = write(&store, &request(&made, Filter::default()), &target, |_, _| {}).unwrap_err();
    assert!(matches!(error, BundleError::Entry { index: 3, .. }), "{error}");
    assert!(!target.exists());
}
