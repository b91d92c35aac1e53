//! The sequencer on both stores, with frames delivered again, damaged, doubled, and with a store
//! that fails.

mod faults;
mod intents;
mod refusals;
mod trim;

use std::path::{Path, PathBuf};
use std::time::Duration;

use modeltrail_core::control::{Control, Gap, GapReason, ProducerEvent};
use modeltrail_core::hash::hex;
use modeltrail_core::query::Query;
use modeltrail_core::record::{CaptureContext, Part};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Kind, Limits, PartId, Record};
use serde_json::json;

use super::*;
use crate::anchor_file::AnchorFileError;
use crate::check::{self, CheckOptions};
use crate::spool::{Level, Producer as SpoolProducer, SpoolError, SpoolOptions};
use crate::store::{Entry, StoreError};

const ORIGIN: &str = "example.com/sequencer";

/// Segments of a few dozen frames: a new file is zero-filled, and there are many here.
const SPOOL: SpoolOptions = SpoolOptions {
    segment_bytes: 64 << 10,
    bytes_max: 64 << 20,
    pending_bytes_max: 32 << 20,
    poll_ms: 5,
};

/// A ledger in a folder of its own.
struct Place {
    ledger: Ledger,
    dir: tempfile::TempDir,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.ledger.is_memory() {
            std::fs::remove_dir_all(self.ledger.dir()).ok();
        }
    }
}

impl Place {
    fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", dir.path().join("audit.db").display());
        let ledger = Ledger::parse(&url).unwrap();
        ledger.create(ORIGIN).unwrap();
        Self { ledger, dir }
    }

    fn memory() -> Self {
        let ledger = Ledger::parse("memory:").unwrap();
        ledger.create(ORIGIN).unwrap();
        // A spool in memory too, where the system has such a place: a sync costs nothing there.
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        Self { ledger, dir }
    }

    /// One on each store.
    fn each() -> [Self; 2] {
        [Self::memory(), Self::sqlite()]
    }

    /// A spool directory that is the same for both stores.
    fn spool(&self) -> PathBuf {
        self.dir.path().join("spool")
    }

    fn sequencer(&self) -> Sequencer {
        self.try_sequencer().unwrap().unwrap()
    }

    fn try_sequencer(&self) -> Result<Option<Sequencer>, SequencerError> {
        Sequencer::try_open(&self.ledger, &self.spool(), SPOOL)
    }

    fn producer(&self) -> SpoolProducer {
        let origin = spool_origin(ORIGIN);
        SpoolProducer::open_dir(&self.spool(), SPOOL, origin).unwrap()
    }

    fn frame(&self, record: Record) -> Frame {
        let (redactor, limits) = (Redactor::disabled(), Limits::default());
        let mac_key = self.ledger.mac_key().unwrap();
        let context = CaptureContext {
            redactor: &redactor,
            mac_key: &mac_key,
            limits: &limits,
            mode: "test",
        };
        let mut entropy = Entropy::new();
        let redacted = Redacted::new(record, &context).unwrap();
        Frame::new(redacted, entropy.uuid_v7().unwrap(), entropy.take().unwrap())
    }

    /// Appends a record as a producer would; gives its number.
    fn append(&self, producer: &SpoolProducer, record: Record) -> u64 {
        producer.append(&self.frame(record).encode()).unwrap()
    }

    fn append_event(producer: &SpoolProducer, event: ProducerEvent, next_seq: u64) -> u64 {
        let control = producer_control(&producer.id(), event, next_seq);
        let frame = control_frame(&control, &mut Entropy::new()).unwrap();
        producer.append(&frame.encode()).unwrap()
    }

    fn entries(&self) -> Vec<Entry> {
        let store = self.ledger.open_read().unwrap();
        let size = store.tip().unwrap().head.size;
        (0..size).map(|index| store.get(index).unwrap().unwrap()).collect()
    }

    fn entries_of(&self, kind: Kind) -> Vec<Entry> {
        let of_kind = |entry: &Entry| entry.leaf.kind == kind.code();
        self.entries().into_iter().filter(of_kind).collect()
    }

    /// What all gap entries say.
    fn gaps(&self) -> Vec<Gap> {
        let read = |entry: &Entry| match control(entry) {
            Some(Control::Gap(gap)) => Some(gap),
            _ => None,
        };
        self.entries_of(Kind::Gap).iter().filter_map(read).collect()
    }

    #[track_caller]
    fn assert_clean(&self) {
        let report = check::run(&self.ledger, &CheckOptions::default(), |_, _| {}).unwrap();
        assert_eq!(report.findings, []);
        let anchored = if self.ledger.is_memory() { None } else { Some(report.size) };
        assert_eq!(report.anchored_size, anchored);
    }
}

fn control(entry: &Entry) -> Option<Control> {
    let part = entry.parts.iter().find(|part| part.id == PartId::Control)?;
    Control::read(Kind::from_code(entry.leaf.kind)?, &part.bytes)
}

fn record(n: u64) -> Record {
    Record::prediction("model", "v1")
        .request_id(format!("r{n}"))
        .timestamp_ns(1_700_000_000_000_000_000)
        .input(json!({ "n": n }))
        .output(json!({"prediction": "fraud"}))
}

fn commit(producer: &SpoolProducer) {
    producer.commit(producer.next_seq() - 1, Level::Spooled).unwrap();
}

/// Steps until there is nothing more; gives the sum of all steps.
fn drain(sequencer: &mut Sequencer) -> Step {
    let mut sum = Step::default();
    loop {
        let step = sequencer.step().unwrap();
        if step.n_taken == 0 {
            return sum;
        }
        sum.n_taken += step.n_taken;
        sum.n_entries += step.n_entries;
        sum.n_duplicates += step.n_duplicates;
        sum.n_conflicts += step.n_conflicts;
    }
}

fn is_acked(producer: &SpoolProducer, seq: u64) -> bool {
    producer.wait_acked(seq, Duration::ZERO).unwrap()
}

/// Commits to the store what waits and dies before it acknowledges anything.
fn commit_and_die(mut sequencer: Sequencer) {
    sequencer.items = sequencer.consumer.next_batch(1000, 1 << 20, |_| 0).unwrap();
    let waiting = sequencer.make_batch().unwrap();
    sequencer.store.append(&waiting.batch, &sequencer.tip.head).unwrap();
}

#[test]
fn frames_delivered_again_become_no_second_entry() {
    for place in Place::each() {
        let producer = place.producer();
        for n in 0..10 {
            place.append(&producer, record(n));
        }
        commit(&producer);
        commit_and_die(place.sequencer());
        assert_eq!(place.entries().len(), 10);
        assert!(!is_acked(&producer, 0), "the producer has not heard of it");

        // Nothing new comes, and still the producer must hear that all of it is there.
        let mut sequencer = place.sequencer();
        assert_eq!(drain(&mut sequencer).n_entries, 0);
        assert!(is_acked(&producer, 9));

        for n in 10..15 {
            place.append(&producer, record(n));
        }
        commit(&producer);
        drop(sequencer);
        commit_and_die(place.sequencer());
        place.append(&producer, record(15));
        commit(&producer);
        let mut sequencer = place.sequencer();
        assert_eq!(drain(&mut sequencer).n_entries, 1);
        assert!(is_acked(&producer, 15));
        let numbers: Vec<u64> = place.entries().iter().map(|e| e.leaf.producer_seq).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<_>>());
        assert_eq!(place.gaps(), []);
        drop(sequencer);
        place.assert_clean();
    }
}

#[test]
fn frames_delivered_again_by_a_spool_that_could_not_ask_the_store_are_acknowledged() {
    for place in Place::each() {
        let producer = place.producer();
        for n in 0..10 {
            place.append(&producer, record(n));
        }
        commit(&producer);
        commit_and_die(place.sequencer());
        // As when the store did not answer: the spool begins at 0 and hands out everything.
        let mut sequencer = place.sequencer();
        sequencer.items = sequencer.consumer.next_batch(1000, 1 << 20, |_| 0).unwrap();
        assert_eq!(sequencer.items.len(), 10);
        assert_eq!(sequencer.step().unwrap().n_entries, 0);
        assert!(is_acked(&producer, 9));
        assert_eq!(place.entries().len(), 10);
    }
}

#[test]
fn the_same_record_again_is_counted_in_one_gap_entry() {
    for place in Place::each() {
        let producer = place.producer();
        // 0, then itself twice, another one, itself once more: within one batch.
        for n in [0, 0, 0, 1, 0] {
            place.append(&producer, record(n));
        }
        commit(&producer);
        let mut sequencer = place.sequencer();
        let step = drain(&mut sequencer);
        // Two records, the sequencer's opening and the gap entry.
        assert_eq!((step.n_entries, step.n_duplicates, step.n_conflicts), (4, 3, 0));
        // And against what is in the store.
        for n in [1, 2, 0] {
            place.append(&producer, record(n));
        }
        commit(&producer);
        assert_eq!(drain(&mut sequencer).n_duplicates, 2);
        let gap =
            |ranges| Gap { producer: hex(&producer.id()), ranges, reason: GapReason::Duplicate };
        assert_eq!(place.gaps(), [gap(vec![(1, 2), (4, 4)]), gap(vec![(5, 5), (7, 7)])]);
        assert_eq!(place.entries_of(Kind::Prediction).len(), 3);
        assert!(is_acked(&producer, 7));
        sequencer.close().unwrap();
        place.assert_clean();
    }
}

#[test]
fn another_record_under_a_request_id_is_kept_whole_as_a_conflict() {
    for place in Place::each() {
        let producer = place.producer();
        let later = place.frame(record(0).output(json!({"prediction": "legitimate"})));
        place.append(&producer, record(0));
        producer.append(&later.encode()).unwrap();
        commit(&producer);
        let mut sequencer = place.sequencer();
        assert_eq!(drain(&mut sequencer).n_conflicts, 1);
        let latest = place.frame(record(0).user_id("somebody else"));
        producer.append(&latest.encode()).unwrap();
        // A duplicate of the first is one all the same.
        place.append(&producer, record(0));
        commit(&producer);
        let step = drain(&mut sequencer);
        assert_eq!((step.n_conflicts, step.n_duplicates), (1, 1));
        let conflicts = place.entries_of(Kind::Conflict);
        let parts: Vec<&[Part]> = conflicts.iter().map(|entry| entry.parts.as_slice()).collect();
        assert_eq!(parts, [later.parts(), latest.parts()]);
        let store = place.ledger.open_read().unwrap();
        assert_eq!(store.find_request("r0").unwrap(), Some(0));
        sequencer.close().unwrap();
        place.assert_clean();
    }
}

#[test]
fn an_assigned_request_id_is_never_taken_for_a_duplicate() {
    for place in Place::each() {
        let producer = place.producer();
        let assigned = |n: u64| {
            let mut record = Record::prediction("m", "1").input(json!({ "n": n }));
            record.assign(|| format!("assigned-{n}"), || 5);
            record
        };
        for n in [0, 1] {
            place.append(&producer, assigned(n));
        }
        commit(&producer);
        let mut sequencer = place.sequencer();
        let step = drain(&mut sequencer);
        assert_eq!((step.n_entries, step.n_duplicates, step.n_conflicts), (2, 0, 0));
        let store = place.ledger.open_read().unwrap();
        assert_eq!(store.find_request("assigned-1").unwrap(), Some(1));
    }
}

#[test]
fn a_frame_that_nobody_can_read_is_put_aside_and_the_others_go_on() {
    for place in Place::each() {
        let producer = place.producer();
        place.append(&producer, record(0));
        let poison: [&[u8]; 3] = [b"no frame at all", b"", b"MTF\x01\xff\0\0\0"];
        for bytes in poison {
            producer.append(bytes).unwrap();
        }
        place.append(&producer, record(1));
        commit(&producer);
        let mut sequencer = place.sequencer();
        drain(&mut sequencer);
        for (bytes, seq) in poison.iter().zip(1..) {
            let name = format!("frame-{}-{seq}", hex(&producer.id()));
            let kept = std::fs::read(place.spool().join("quarantine").join(name)).unwrap();
            assert_eq!(kept, *bytes);
        }
        let gap = Gap {
            producer: hex(&producer.id()),
            ranges: vec![(1, 3)],
            reason: GapReason::Quarantined,
        };
        assert_eq!(place.gaps(), [gap]);
        assert_eq!(place.entries_of(Kind::Prediction).len(), 2);
        assert!(is_acked(&producer, 4));
        sequencer.close().unwrap();
        place.assert_clean();
    }
}

#[test]
fn damage_in_the_spool_becomes_a_gap_entry() {
    for place in Place::each() {
        let producer = place.producer();
        for n in 0..6 {
            place.append(&producer, record(n));
            commit(&producer);
        }
        // One byte in the middle of the third frame.
        let segment = segments(&place.spool()).pop().unwrap();
        let mut bytes = std::fs::read(&segment).unwrap();
        let slots: Vec<usize> = (4096..bytes.len() - 32)
            .step_by(32)
            .filter(|at| bytes[*at..].starts_with(b"mt") && bytes[at + 8..at + 15] == [0; 7])
            .collect();
        assert_eq!(slots.len(), 6);
        bytes[slots[2] + 200] ^= 1;
        std::fs::write(&segment, bytes).unwrap();
        let mut sequencer = place.sequencer();
        drain(&mut sequencer);
        producer.close().unwrap();
        drain(&mut sequencer);
        let gap = Gap {
            producer: hex(&producer.id()),
            ranges: vec![(2, 2)],
            reason: GapReason::Quarantined,
        };
        assert_eq!(place.gaps(), [gap]);
        assert_eq!(place.entries_of(Kind::Prediction).len(), 5);
        sequencer.close().unwrap();
        place.assert_clean();
    }
}

fn segments(spool: &Path) -> Vec<PathBuf> {
    let names = std::fs::read_dir(spool).unwrap().map(|entry| entry.unwrap().path());
    let is_segment =
        |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("seg-");
    names.filter(is_segment).collect()
}

/// Events of a producer that the sequencer or it itself wrote down.
fn events(place: &Place, id: ProducerId) -> Vec<(ProducerEvent, u64)> {
    let of_producer = |entry: &Entry| match control(entry) {
        Some(Control::Producer(p)) if p.producer == hex(&id) => Some((p.event, p.next_seq)),
        _ => None,
    };
    place.entries_of(Kind::Producer).iter().filter_map(of_producer).collect()
}

#[test]
fn a_producer_that_died_is_told_of_once() {
    for place in Place::each() {
        let died = place.producer();
        Place::append_event(&died, ProducerEvent::Open, 0);
        place.append(&died, record(0));
        commit(&died);
        let closed = place.producer();
        Place::append_event(&closed, ProducerEvent::Open, 0);
        Place::append_event(&closed, ProducerEvent::Close, 2);
        commit(&closed);
        let (died_id, closed_id) = (died.id(), closed.id());
        // Letting go of the lock without a closing entry is what a death looks like.
        died.close().unwrap();
        closed.close().unwrap();
        commit_and_die(place.sequencer());
        for _ in 0..3 {
            let mut sequencer = place.sequencer();
            for _ in 0..20 {
                drain(&mut sequencer);
            }
        }
        let (open, lost, close) = (ProducerEvent::Open, ProducerEvent::Lost, ProducerEvent::Close);
        assert_eq!(events(&place, died_id), [(open, 0), (lost, 2)]);
        assert_eq!(events(&place, closed_id), [(open, 0), (close, 2)]);
        assert_eq!(segments(&place.spool()), [] as [PathBuf; 0], "all of it was trimmed");
        place.sequencer().close().unwrap();
        place.assert_clean();
    }
}

#[test]
fn a_sequencer_closes_its_own_producer() {
    for place in Place::each() {
        let producer = place.producer();
        producer.append(b"poison").unwrap();
        commit(&producer);
        let mut sequencer = place.sequencer();
        drain(&mut sequencer);
        let own_id = sequencer.own_id;
        sequencer.close().unwrap();
        let (open, close) = (ProducerEvent::Open, ProducerEvent::Close);
        assert_eq!(events(&place, own_id), [(open, 0), (close, 3)]);
        let store = place.ledger.open_read().unwrap();
        let state = store.producer(&own_id).unwrap();
        assert_eq!(state, ProducerState { next_seq: 3, ended: true });
        place.assert_clean();
        // One that had nothing to say leaves no entry.
        place.sequencer().close().unwrap();
        assert_eq!(place.entries().len(), 3);
    }
}

#[test]
fn more_than_a_batch_goes_through_in_order() {
    for place in Place::each() {
        let producer = place.producer();
        let n_records = N_BATCH_MAX as u64 + 700;
        for n in 0..n_records {
            place.append(&producer, record(n));
        }
        commit(&producer);
        let mut sequencer = place.sequencer();
        assert_eq!(sequencer.step().unwrap().n_entries, N_BATCH_MAX);
        assert!(is_acked(&producer, N_BATCH_MAX as u64 - 1));
        assert!(!is_acked(&producer, N_BATCH_MAX as u64));
        assert_eq!(drain(&mut sequencer).n_entries, 700);
        let store = place.ledger.open_read().unwrap();
        let predictions = Query { kind: Some(Kind::Prediction), ..Query::default() };
        let places = store.scan(&predictions, true, usize::MAX).unwrap();
        let indexes: Vec<u64> = places.iter().map(|place| place.index).collect();
        assert_eq!(indexes, (0..n_records).collect::<Vec<_>>());
        sequencer.close().unwrap();
        place.assert_clean();
    }
}
