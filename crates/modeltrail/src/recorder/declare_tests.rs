//! What recorders say in the ledger about redaction.

use std::path::Path;
use std::time::Duration;

use modeltrail_core::control::Control;
use modeltrail_core::lifecycle::{EpochState, Lifecycle, PolicyInForce, PseudonymEpoch};
use modeltrail_core::record::Header;
use modeltrail_core::redact::rules::RedactionPolicy;
use modeltrail_core::redact::{Redactor, Rule};
use modeltrail_core::{Kind, PartId, Record};

use super::*;
use crate::check::{self, CheckOptions};
use crate::keys::{KeysError, LedgerKeys};
use crate::{Ledger, Query, redaction};

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("audit.db").display())
}

fn options() -> RecorderOptions {
    Recorder::options().create("example.com/test")
}

fn prediction(n: u64) -> Record {
    Record::prediction("fraud_detector", "v1")
        .request_id(format!("r{n}"))
        .input(serde_json::json!({"contact": "jane.doe@example.com"}))
        .output(serde_json::json!({"prediction": "legitimate"}))
}

fn policy(name: &str, rest: &str) -> RedactionPolicy {
    let text = format!("version = 1\nname = '{name}'\n{rest}");
    RedactionPolicy::parse(&text, &Rule::TYPES).unwrap()
}

/// Records this many at the stage that returns first, and has them sequenced.
fn record(options: RecorderOptions, url: &str, requests: std::ops::Range<u64>) {
    let recorder = options.open(url).unwrap();
    for n in requests {
        recorder.record(prediction(n)).unwrap();
    }
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
}

/// The ledger's own lifecycle entries by index, each with the first index of a record behind it.
fn said(url: &str) -> Vec<(u64, Lifecycle)> {
    let store = Ledger::parse(url).unwrap().open_read().unwrap();
    let query = Query { kind: Some(Kind::Lifecycle), ..Query::default() };
    let mut indexes: Vec<_> =
        store.scan(&query, true, 1000).unwrap().iter().map(|place| place.index).collect();
    indexes.sort_unstable();
    let read = |index| {
        let entry = store.get(index).unwrap().unwrap();
        let part = entry.parts.iter().find(|part| part.id == PartId::Control)?;
        match Control::read(Kind::Lifecycle, &part.bytes)? {
            Control::Lifecycle(lifecycle) => Some((index, lifecycle)),
            _ => None,
        }
    };
    indexes.into_iter().filter_map(read).collect()
}

fn policies_said(url: &str) -> Vec<PolicyInForce> {
    let policy = |(_, said)| match said {
        Lifecycle::RedactionPolicy(policy) => Some(policy),
        _ => None,
    };
    said(url).into_iter().filter_map(policy).collect()
}

fn header_policies(url: &str) -> Vec<(u64, String)> {
    let reader = Reader::open(url).unwrap();
    let query = Query { kind: Some(Kind::Prediction), ..Query::default() };
    let entries = reader.query(&query, 1000).unwrap().entries;
    let policy = |entry: &crate::store::Entry| {
        let header: Header<'_> = serde_json::from_slice(&entry.parts[0].bytes).unwrap();
        (entry.leaf.index, header.policy.unwrap().into_owned())
    };
    entries.iter().map(policy).collect()
}

fn assert_clean(url: &str) {
    let ledger = Ledger::parse(url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn the_policy_and_a_canary_scan_stand_before_the_first_record() {
    for ack in [Ack::Accepted, Ack::Spooled] {
        let dir = tempfile::tempdir().unwrap();
        let url = url(dir.path());
        record(options().ack(ack), &url, 0..3);
        let said = said(&url);
        let [
            (at, Lifecycle::RedactionPolicy(in_force)),
            (then, Lifecycle::RedactionCanary(canary)),
        ] = said.as_slice()
        else {
            panic!("{said:?}");
        };
        let redactor = Redactor::default();
        assert_eq!(*in_force, PolicyInForce::of(&redactor, None, false));
        assert!(in_force.is_proven() && canary.policy == in_force.policy);
        assert!(canary.n_vectors >= 8 && canary.n_failed == 0 && canary.failed.is_empty());
        let first = header_policies(&url).iter().map(|(index, _)| *index).min().unwrap();
        assert!(at < then && *then < first);
        assert_clean(&url);
        // Again, with the same: a scan, and nothing to say of the policy.
        record(options().ack(ack), &url, 3..4);
        assert_eq!(policies_said(&url).len(), 1);
        assert_eq!(super::declare_tests::said(&url).len(), 3);
    }
}

#[test]
fn a_recorder_that_records_nothing_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    record(options(), &url, 0..0);
    assert_eq!(said(&url), []);
}

#[test]
fn every_policy_that_a_header_names_has_its_text_and_it_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let shop = || options().policy(policy("shop", "[types]\nip_address = 'off'\n"));
    let bank = || options().policy(policy("bank", "[types]\ndefault = 'mask'\n"));
    // Two producers by turns, and both at once.
    record(shop(), &url, 0..1);
    record(bank(), &url, 1..2);
    record(shop(), &url, 2..3);
    record(shop(), &url, 3..4);
    let (one, other) = (shop().open(&url).unwrap(), bank().open(&url).unwrap());
    for n in 4..8 {
        one.record(prediction(n)).unwrap();
        other.record(prediction(n + 4)).unwrap();
    }
    one.flush(Ack::Sequenced).unwrap();
    other.flush(Ack::Sequenced).unwrap();
    one.close().unwrap();
    other.close().unwrap();
    let told = policies_said(&url);
    let names: Vec<_> = told.iter().map(|said| said.name.clone().unwrap()).collect();
    assert_eq!(names, ["shop", "bank", "shop", "bank"], "one for each change, none for a record");
    let texts: Vec<_> = told.iter().map(|said| said.text.is_some()).collect();
    assert_eq!(texts, [true, true, false, false]);
    assert_eq!(told[1].previous.as_ref(), Some(&told[0].policy));
    let store = Ledger::parse(&url).unwrap().open_read().unwrap();
    for (index, digest) in header_policies(&url) {
        let found = redaction::policies(store.as_ref(), &digest).unwrap();
        assert!(found[0].index < index && found.iter().all(|found| found.policy.is_proven()));
    }
    let newest = redaction::newest_policy(store.as_ref()).unwrap().unwrap();
    assert_eq!(newest.policy.name.as_deref(), Some("bank"));
    assert_clean(&url);
}

#[test]
fn a_text_that_is_not_the_policys_counts_for_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let redactor = Redactor::default();
    let recorder = options().open(&url).unwrap();
    let mut forged = PolicyInForce::of(&redactor, None, false);
    forged.text = Some("modeltrail/redaction\nengine 3\nrule pack 3\n".to_owned());
    recorder.control(&Control::Lifecycle(Lifecycle::RedactionPolicy(forged.clone()))).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    record(options(), &url, 0..1);
    let right = PolicyInForce::of(&redactor, Some(forged.policy.clone()), false);
    assert_eq!(policies_said(&url), [forged, right], "said again, with its text");
    let store = Ledger::parse(&url).unwrap().open_read().unwrap();
    let found = redaction::policies(store.as_ref(), redactor.policy_digest()).unwrap();
    let proven: Vec<_> = found.iter().map(|found| found.policy.is_proven()).collect();
    assert_eq!(proven, [false, true]);
}

#[test]
fn scans_go_on_while_records_come_and_only_then() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    // Due whenever it is looked at.
    let recorder = options().canary(Duration::from_nanos(1)).open(&url).unwrap();
    let n_scans = || {
        recorder.flush(Ack::Sequenced).unwrap();
        said(&url).iter().filter(|(_, said)| matches!(said, Lifecycle::RedactionCanary(_))).count()
    };
    recorder.record(prediction(0)).unwrap();
    // The capture thread looks once a second, and behind each group of records.
    let mut n = 1;
    while n_scans() < 3 {
        recorder.record(prediction(n)).unwrap();
        n += 1;
    }
    assert_eq!(recorder.stats().unwrap().n_canaries_failed, 0);
    recorder.close().unwrap();
    assert_clean(&url);
}

#[test]
fn records_that_callers_submit_as_lifecycle_are_records() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = options().open(&url).unwrap();
    let text = r#"{"kind":"lifecycle","model_name":"m","model_version":"2","metadata":{"event":"redaction_policy"}}"#;
    recorder
        .record(Record::from_json(text.as_bytes(), &modeltrail_core::Limits::default()).unwrap())
        .unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    assert_eq!(policies_said(&url).len(), 1);
    assert_clean(&url);
}

#[test]
fn a_policy_with_pseudonyms_gets_the_ledgers_key_and_says_its_epoch() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let shop = || options().policy(policy("shop", "[types]\nemail = 'pseudonym'\n"));
    record(shop(), &url, 0..2);
    record(shop(), &url, 2..3);
    let epochs = |url: &str| -> Vec<PseudonymEpoch> {
        let epoch = |(_, said)| match said {
            Lifecycle::PseudonymEpoch(epoch) => Some(epoch),
            _ => None,
        };
        said(url).into_iter().filter_map(epoch).collect()
    };
    let begun = |number| PseudonymEpoch { number, state: EpochState::Begun };
    assert_eq!(epochs(&url), [begun(0)]);
    let recorder = Recorder::open(&url).unwrap();
    let keys = LedgerKeys::of(&recorder).unwrap();
    assert!(matches!(keys.destroy_epoch(0), Err(KeysError::EpochInUse { number: 0 })));
    assert_eq!(keys.begin_epoch().unwrap(), 1);
    let destroyed = PseudonymEpoch { number: 0, state: EpochState::Destroyed };
    keys.destroy_epoch(0).unwrap();
    assert!(matches!(keys.destroy_epoch(0), Err(KeysError::EpochDestroyed { number: 0, .. })));
    assert!(matches!(keys.destroy_epoch(7), Err(KeysError::NoEpoch { number: 7 })));
    recorder.close().unwrap();
    record(shop(), &url, 3..4);
    assert_eq!(epochs(&url), [begun(0), begun(1), destroyed]);
    let tokens: Vec<String> = {
        let reader = Reader::open(&url).unwrap();
        let input = |n: u64| {
            let entries = reader.by_request_id(&format!("r{n}")).unwrap();
            let part = entries[0].parts.iter().find(|part| part.id == PartId::Input).unwrap();
            String::from_utf8(part.bytes.clone()).unwrap()
        };
        (0..4).map(input).collect()
    };
    assert!(tokens[0].contains("[EMAIL:a:") && tokens[3].contains("[EMAIL:b:"), "{tokens:?}");
    assert!(tokens[0] == tokens[1] && tokens[1] == tokens[2], "across recorders: {tokens:?}");
    // The folder is lost: no number stands for two keys.
    std::fs::remove_dir_all(Ledger::parse(&url).unwrap().pseudonym_keys().dir()).unwrap();
    record(shop(), &url, 4..5);
    assert_eq!(epochs(&url).last(), Some(&begun(2)));
    assert_clean(&url);
}

#[test]
fn a_canary_that_fails_is_said_and_a_dead_one_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let allows = "[values]\nallow = ['canary.k7q2@example.com']\n";
    let recorder = options().policy(policy("leaky", allows)).open(&url).unwrap();
    assert_eq!(recorder.stats().unwrap().n_canaries_failed, 1);
    recorder.record(prediction(0)).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    let canary = said(&url).into_iter().find_map(|(_, said)| match said {
        Lifecycle::RedactionCanary(canary) => Some(canary),
        _ => None,
    });
    assert_eq!(canary.unwrap().failed, ["email"]);
    let dead = policy("dead", &format!("[types]\ndefault = 'off'\nemail = 'replace'\n{allows}"));
    let refused = options().policy(dead).open(&url).err().unwrap();
    assert!(matches!(refused, RecordingError::Redactor { n_vectors: 2 }), "{refused}");
}
