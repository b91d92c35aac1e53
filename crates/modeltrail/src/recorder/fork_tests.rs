//! A recorder in a forked child. Forking takes `unsafe`, so a thread pretends to be in another
//! process: what it meets is what the number of the process decides, which is whose engine it uses
//! and what it destroys. That the spool's own files refuse a child is tested there.

use std::cell::Cell;
use std::path::Path;

use modeltrail_core::control::{Control, ProducerEvent};
use modeltrail_core::hash::hex;
use modeltrail_core::{Kind, PartId, Record};

use super::*;
use crate::Query;
use crate::check::{self, CheckOptions};
use crate::ledger::Ledger;

thread_local! {
    static PRETENDED: Cell<Option<u32>> = const { Cell::new(None) };
}

pub(super) fn pretended_pid() -> Option<u32> {
    PRETENDED.get()
}

/// Runs something as if in the forked child of that number.
fn in_child<T>(pid: u32, run: impl FnOnce() -> T) -> T {
    let before = PRETENDED.replace(Some(pid));
    let done = run();
    PRETENDED.set(before);
    done
}

fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("audit.db").display())
}

fn open(url: &str) -> Recorder {
    Recorder::options().create("example.com/fork").ack(Ack::Sequenced).open(url).unwrap()
}

fn record(recorder: &Recorder, id: &str) -> u64 {
    let record =
        Record::prediction("m", "1").request_id(id).output(serde_json::json!({"label": 1}));
    recorder.record(record).unwrap().index.unwrap()
}

/// What the ledger knows of a producer's life.
fn events(url: &str, producer: [u8; 16]) -> Vec<ProducerEvent> {
    let query = Query { kind: Some(Kind::Producer), ..Query::default() };
    let mut entries = Reader::open(url).unwrap().query(&query, 100).unwrap().entries;
    entries.sort_by_key(|entry| entry.leaf.index);
    let event = |entry: &crate::store::Entry| {
        let part = entry.parts.iter().find(|part| part.id == PartId::Control)?;
        match Control::read(Kind::Producer, &part.bytes)? {
            Control::Producer(p) if p.producer == hex(&producer) => Some(p.event),
            _ => None,
        }
    };
    entries.iter().filter_map(event).collect()
}

#[test]
fn a_child_has_not_started_until_it_records() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = open(&url(dir.path()));
    assert!(recorder.is_started());
    in_child(u32::MAX, || {
        assert!(!recorder.is_started());
        let offered = recorder.offer(Record::prediction("m", "1").request_id("child-0")).unwrap();
        let Offered::Back(record) = offered else { panic!("taken by the parent's engine") };
        recorder.record(*record).unwrap();
        assert!(recorder.is_started());
    });
}

#[test]
fn parent_child_and_grandchild_are_producers_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = open(&url);
    record(&recorder, "parent-0");
    let parent = recorder.producer().unwrap();
    let (child, grandchild) = in_child(u32::MAX, || {
        record(&recorder, "child-0");
        let grandchild = in_child(u32::MAX - 1, || {
            record(&recorder, "grandchild-0");
            recorder.producer().unwrap()
        });
        record(&recorder, "child-1");
        (recorder.producer().unwrap(), grandchild)
    });
    assert!(parent != child && child != grandchild && parent != grandchild);
    record(&recorder, "parent-1");
    assert_eq!(recorder.producer().unwrap(), parent, "the parent goes on as it was");
    let reader = Reader::open(&url).unwrap();
    for (id, producer, seq) in [
        // Behind its opening, the policy in force and a canary scan; the others find the policy told.
        ("parent-0", parent, 3),
        ("parent-1", parent, 4),
        ("child-0", child, 2),
        ("child-1", child, 3),
        ("grandchild-0", grandchild, 2),
    ] {
        let entries = reader.by_request_id(id).unwrap();
        let places: Vec<_> =
            entries.iter().map(|e| (e.leaf.producer, e.leaf.producer_seq)).collect();
        assert_eq!(places, [(producer, seq)], "{id}");
    }
    // Each closes itself and nobody else.
    in_child(u32::MAX - 1, || recorder.close().unwrap());
    recorder.flush(Ack::Sequenced).unwrap();
    let (open, close) = (ProducerEvent::Open, ProducerEvent::Close);
    record(&recorder, "parent-2");
    in_child(u32::MAX, || record(&recorder, "child-2"));
    in_child(u32::MAX, || recorder.close().unwrap());
    recorder.close().unwrap();
    for producer in [parent, child, grandchild] {
        assert_eq!(events(&url, producer), [open, close]);
    }
    let ledger = Ledger::parse(&url).unwrap();
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn a_child_that_drops_the_recorder_leaves_its_parents_alone() {
    let dir = tempfile::tempdir().unwrap();
    let url = url(dir.path());
    let recorder = open(&url);
    record(&recorder, "parent-0");
    let parent = recorder.producer().unwrap();
    let Ok(engine) = recorder.engine().cloned() else { unreachable!("it was just used") };
    let child = in_child(u32::MAX, || {
        record(&recorder, "child-0");
        let child = recorder.producer().unwrap();
        drop(recorder);
        child
    });
    // The parent's engine is what it was: it takes records and is no nearer to its end.
    let later = Record::prediction("m", "1").request_id("parent-1");
    assert!(engine.record(later, Ack::Sequenced).unwrap().index.is_some());
    let (open, close) = (ProducerEvent::Open, ProducerEvent::Close);
    assert_eq!(events(&url, parent), [open]);
    assert_eq!(events(&url, child), [open, close], "the child closed its own");
    engine.close().unwrap();
    assert_eq!(events(&url, parent), [open, close]);
}
