//! The recorder as an application uses it, on the embedded store and in memory.

use std::path::Path;
use std::time::Duration;

use modeltrail_core::{Kind, Record};

use super::*;
use crate::check::{self, CheckOptions};
use crate::{Ledger, Query};

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("audit.db").display())
}

fn prediction(n: u64) -> Record {
    Record::prediction("fraud_detector", "v1")
        .request_id(format!("r{n}"))
        .input(serde_json::json!({"n": n % 10, "contact": "jane.doe@example.com"}))
        .output(serde_json::json!({"prediction": if n.is_multiple_of(3) { "fraud" } else { "legitimate" }}))
        .user_id(format!("user{}", n % 4))
        .latency_ms(1.5)
}

fn options() -> RecorderOptions {
    Recorder::options().create("example.com/test")
}

#[track_caller]
fn assert_clean(url: &str) -> u64 {
    let ledger = Ledger::parse(url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.anchored_size, Some(report.size));
    report.size
}

#[test]
fn what_has_no_room_is_given_back_and_can_be_recorded_later() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = options().on_full(OnFull::Fail).ring(4, usize::MAX).open(&url).unwrap();
    // Faster than the capture thread frames them: sooner or later the four places are taken.
    let mut n_taken = 0;
    let back = loop {
        let record = prediction(n_taken);
        match recorder.offer(record).unwrap() {
            Offered::Taken(request_id) => assert_eq!(request_id, format!("r{n_taken}")),
            Offered::Back(record) => break record,
        }
        n_taken += 1;
    };
    recorder.flush(Ack::Spooled).unwrap();
    let recorded = recorder.record_at(*back, Ack::Accepted).unwrap();
    assert_eq!(recorded.request_id, format!("r{n_taken}"));
    let reader = recorder.reader().unwrap();
    let query = Query { kind: Some(Kind::Prediction), ..Query::default() };
    assert_eq!(reader.count(&query).unwrap(), n_taken + 1);
    assert_eq!(recorder.stats().unwrap().n_recorded, n_taken + 1);
    recorder.close().unwrap();
    assert!(matches!(recorder.offer(prediction(0)), Err(RecordingError::Closed)));
    assert_clean(&url);
}

#[test]
fn every_stage_reaches_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = options().open(&url).unwrap();
    for (n, ack) in
        [Ack::Accepted, Ack::Written, Ack::Spooled, Ack::Sequenced].into_iter().enumerate()
    {
        let receipt = recorder.record_at(prediction(n as u64), ack).unwrap();
        assert_eq!((receipt.ack, receipt.index.is_some()), (ack, ack == Ack::Sequenced));
    }
    let reader = recorder.reader().unwrap();
    let page =
        reader.query(&Query { kind: Some(Kind::Prediction), ..Query::default() }, 10).unwrap();
    assert_eq!(page.entries.len(), 4);
    let text = format!("{:?}", page.entries);
    assert!(!text.contains("jane.doe"), "redacted before anything is stored");
    recorder.close().unwrap();
    assert!(matches!(recorder.record(prediction(9)), Err(RecordingError::Closed)));
    assert_clean(&url);
}

#[test]
fn the_same_record_again_is_answered_with_its_index_and_another_is_a_conflict() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = options().ack(Ack::Sequenced).open(&url).unwrap();
    let first = recorder.record(prediction(1)).unwrap().index.unwrap();
    assert_eq!(recorder.record(prediction(1)).unwrap().index, Some(first));
    let other = prediction(1).latency_ms(2.0);
    match recorder.record(other) {
        Err(RecordingError::Conflict { request_id, index }) => {
            assert_eq!((request_id.as_str(), index), ("r1", first));
        }
        other => panic!("{other:?}"),
    }
    let entries = recorder.reader().unwrap().by_request_id("r1").unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| Kind::from_code(entry.leaf.kind)).collect();
    assert_eq!(kinds, [Some(Kind::Prediction), Some(Kind::Conflict)]);
    recorder.close().unwrap();
    assert_clean(&url);
}

#[test]
fn a_second_run_over_the_same_records_adds_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let count = |url: &str| {
        let reader = Reader::open(url).unwrap();
        reader.count(&Query { kind: Some(Kind::Prediction), ..Query::default() }).unwrap()
    };
    for _ in 0..2 {
        let recorder = options().open(&url).unwrap();
        for n in 0..500 {
            recorder.record(prediction(n)).unwrap();
        }
        recorder.flush(Ack::Sequenced).unwrap();
        recorder.close().unwrap();
        assert_eq!(count(&url), 500);
    }
    assert_clean(&url);
}

#[test]
fn a_recorder_without_a_ledger_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = Recorder::open(&url(dir.path())).err().unwrap();
    assert!(error.to_string().contains("no ledger at"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made on the way");
}

#[test]
fn another_ledgers_key_and_a_trigger_that_swallows_rows_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    options().open(&url).unwrap().close().unwrap();
    let key = dir.path().join("audit.db.d/mac.key");
    let right = std::fs::read(&key).unwrap();
    std::fs::write(&key, format!("{}\n", "ab".repeat(32))).unwrap();
    let error = Recorder::open(&url).err().unwrap().to_string();
    assert!(error.contains("not the key of this ledger"), "{error}");
    std::fs::write(&key, right).unwrap();

    let db = rusqlite::Connection::open(dir.path().join("audit.db")).unwrap();
    db.execute_batch("CREATE TRIGGER evil BEFORE INSERT ON parts BEGIN SELECT RAISE(IGNORE); END")
        .unwrap();
    let recorder = Recorder::options()
        .flush_timeout(Duration::from_millis(300))
        .close_timeout(Duration::from_millis(300))
        .open(&url)
        .unwrap();
    let error = recorder.record_at(prediction(1), Ack::Sequenced).unwrap_err().to_string();
    assert!(error.contains("trigger"), "never said to be sequenced: {error}");
    drop(recorder);
    db.execute_batch("DROP TRIGGER evil").unwrap();
    let recorder = Recorder::open(&url).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    assert_eq!(recorder.reader().unwrap().by_request_id("r1").unwrap().len(), 1);
    recorder.close().unwrap();
    // The anchor may still be on its way from the recorder that was dropped; it is never ahead.
    let ledger = Ledger::parse(&url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn two_recorders_share_a_ledger_and_one_takes_over() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let first = options().open(&url).unwrap();
    let second = options().open(&url).unwrap();
    assert!(first.stats().unwrap().is_sequencer && !second.stats().unwrap().is_sequencer);
    for n in 0..50 {
        first.record(prediction(n)).unwrap();
        second.record_at(prediction(100 + n), Ack::Spooled).unwrap();
    }
    second.flush(Ack::Sequenced).unwrap();
    first.close().unwrap();
    second.record_at(prediction(900), Ack::Sequenced).unwrap();
    second.close().unwrap();
    let reader = Reader::open(&url).unwrap();
    let predictions = Query { kind: Some(Kind::Prediction), ..Query::default() };
    assert_eq!(reader.count(&predictions).unwrap(), 101);
    assert_clean(&url);
}

#[test]
fn a_memory_ledger_works_the_same_and_leaves_nothing() {
    let recorder = options().open("memory:").unwrap();
    for n in 0..20 {
        recorder.record(prediction(n)).unwrap();
    }
    let reader = recorder.reader().unwrap();
    // Twenty, the producer's opening, the policy in force and a canary scan.
    assert_eq!(reader.query(&Query::default(), 100).unwrap().entries.len(), 23);
    recorder.close().unwrap();
}

#[test]
fn what_is_refused_is_refused_before_anything_is_kept() {
    let recorder = options().ack(Ack::Accepted).open("memory:").unwrap();
    let empty = Record::prediction("", "v1");
    assert!(matches!(recorder.record(empty), Err(RecordingError::Refused(_))));
    let own = Record::new(Kind::Erasure);
    assert!(matches!(recorder.record(own), Err(RecordingError::Refused(_))));
    let mut deep = serde_json::json!(1);
    for _ in 0..129 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    let deep = Record::prediction("m", "1").input(deep);
    assert!(matches!(recorder.record(deep), Err(RecordingError::Refused(_))));
    assert_eq!(recorder.reader().unwrap().size().unwrap(), 1, "only the producer's opening");
    recorder.close().unwrap();
}

#[test]
fn a_full_ring_does_what_the_options_say() {
    // No sequencer and a spool of one segment: it fills, then the ring fills.
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    Ledger::parse(&url).unwrap().create("example.com/test").unwrap();
    let spool = crate::spool::SpoolOptions {
        segment_bytes: 16 * 1024,
        bytes_max: 32 * 1024,
        pending_bytes_max: 16 * 1024,
        ..Default::default()
    };
    let small = Recorder::options().spool(spool).sequence(false).ring(4, 1 << 20);
    let fill = |on_full, close_timeout| {
        let options = small.clone().on_full(on_full).close_timeout(close_timeout);
        let recorder = options.open(&url).unwrap();
        let results: Vec<_> = (0..200).map(|n| recorder.record(prediction(n))).collect();
        (recorder, results)
    };
    let (recorder, results) = fill(OnFull::Fail, Duration::ZERO);
    assert!(results.iter().any(|r| matches!(r, Err(RecordingError::Full(_)))), "fails closed");
    drop(recorder);

    let (recorder, results) = fill(OnFull::Gap, Duration::from_secs(60));
    assert!(results.iter().all(Result::is_ok), "inference goes on");
    let n_dropped = results.iter().filter(|r| r.as_ref().is_ok_and(|r| r.dropped)).count();
    assert_eq!(recorder.stats().unwrap().n_dropped, n_dropped as u64);
    assert!(n_dropped > 0);
    // A sequencer makes room; the gap entry then covers exactly what was dropped.
    let other = Recorder::options().spool(spool).open(&url).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    other.close().unwrap();
    assert_clean(&url);
    let reader = Reader::open(&url).unwrap();
    let gaps = reader.query(&Query { kind: Some(Kind::Gap), ..Query::default() }, 1000).unwrap();
    let text: String = gaps
        .entries
        .iter()
        .flat_map(|entry| &entry.parts)
        .map(|part| String::from_utf8_lossy(&part.bytes).into_owned())
        .collect();
    assert!(text.contains("dropped"), "{text}");
}

#[test]
fn a_request_in_flight_is_recorded_once_however_it_ends() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("audit.db").display());
    let recorder = Recorder::options().create("example.com/audit").open(&url).unwrap();
    let plan = crate::capture::CaptureConfig::from_toml(
        "[defaults]\nmodel = 'm'\nversion = '1'\ncapture = 'before_response'",
    )
    .unwrap()
    .plan()
    .unwrap();
    let capturer = crate::Capturer::new(recorder.clone(), plan, "tower");
    let begin = || {
        let mut flight = capturer.begin("POST", "/predict", None).unwrap();
        flight.exchange(|exchange| exchange.request_bytes(br#"{"amount": 1}"#));
        flight.intent().unwrap();
        flight.exchange(|exchange| exchange.response_status(200));
        flight.response_bytes(br#"{"prediction": "#);
        flight
    };
    let mut whole = begin();
    whole.response_bytes(br#""legitimate"}"#);
    let recorded = whole.end(crate::capture::Ending::Complete).unwrap();
    drop(begin());
    assert!(capturer.begin("GET", "/healthz", None).is_none());
    let reader = recorder.reader().unwrap();
    for kind in [crate::Kind::Intent, crate::Kind::Prediction] {
        let of_kind = crate::Query { kind: Some(kind), ..crate::Query::default() };
        assert_eq!(reader.count(&of_kind).unwrap(), 2, "{kind}");
    }
    let entries = reader.by_request_id(&recorded.request_id).unwrap();
    let [record, intent] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(intent.leaf.record_id, record.leaf.record_id, "what says that they belong together");
    assert_eq!(record.leaf.kind, crate::Kind::Prediction.code(), "the record comes first");
    assert_eq!(intent.leaf.kind, crate::Kind::Intent.code());
    let newest_first = reader.query(&crate::Query::default(), 2).unwrap().entries;
    let kinds: Vec<u8> = newest_first.iter().map(|entry| entry.leaf.kind).collect();
    assert_eq!(kinds, [1, 8], "both have the time at which the request came");
    let counted = std::fs::read_dir(dir.path().join("audit.db.d/coverage")).unwrap();
    let counts: Vec<String> =
        counted.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(counts, ["00000000000000000002 -----\n"]);
    recorder.close().unwrap();
}
