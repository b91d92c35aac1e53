//! Intents whose record never comes become records with status `unknown`, once.

use modeltrail_core::record::{Header, Parties};

use super::*;

/// Appends an intent as a recorder does, under a record id of this number.
fn intend(place: &Place, producer: &SpoolProducer, n: u8, request_id: Option<&str>) {
    let record = Record::prediction("fraud_detector", "v1").input(json!({ "n": n }));
    append_as(place, producer, asked(record, request_id).into_intent([n; 16]), n);
}

/// Appends the record of what became of it.
fn answer(place: &Place, producer: &SpoolProducer, n: u8, request_id: Option<&str>) {
    let record = Record::prediction("fraud_detector", "v1").output(json!({ "n": n }));
    append_as(place, producer, asked(record, request_id).outcome_of_intent([n; 16]), n);
}

fn asked(mut record: Record, request_id: Option<&str>) -> Record {
    record = record.user_id("analyst_jane");
    match request_id {
        Some(id) => record.request_id(id).timestamp_ns(1_700_000_000_000_000_000),
        None => {
            record.assign(|| "assigned".to_owned(), || 1_700_000_000_000_000_000);
            record
        }
    }
}

fn append_as(place: &Place, producer: &SpoolProducer, record: Record, n: u8) {
    let (redactor, limits) = (Redactor::disabled(), Limits::default());
    let mac_key = place.ledger.mac_key().unwrap();
    let context =
        CaptureContext { redactor: &redactor, mac_key: &mac_key, limits: &limits, mode: "test" };
    let redacted = Redacted::new(record, &context).unwrap();
    let frame = Frame::new(redacted, [n; 16], Entropy::new().take().unwrap());
    producer.append(&frame.encode()).unwrap();
}

/// Record id, request id, status and error code of the records.
fn records(place: &Place, kind: Kind) -> Vec<(u8, String, String, Option<String>)> {
    let told = |entry: &Entry| {
        let part = |id| entry.parts.iter().find(|part: &&Part| part.id == id);
        let header: Header<'_> =
            serde_json::from_slice(&part(PartId::Header).unwrap().bytes).unwrap();
        let parties = Parties::of(&entry.parts).unwrap();
        assert_eq!(parties.user_id.as_deref(), Some("analyst_jane"));
        assert_eq!(header.occurred_at, "2023-11-14T22:13:20.000000000Z");
        let error = part(PartId::Error).map(|part| {
            let error: serde_json::Value = serde_json::from_slice(&part.bytes).unwrap();
            error["code"].as_str().unwrap().to_owned()
        });
        let status = header.status.unwrap().into_owned();
        (entry.leaf.record_id[0], parties.request_id.unwrap().into_owned(), status, error)
    };
    place.entries_of(kind).iter().map(told).collect()
}

fn unknown(n: u8, request_id: &str) -> (u8, String, String, Option<String>) {
    (n, request_id.into(), "unknown".into(), Some("no_outcome".into()))
}

fn success(n: u8, request_id: &str) -> (u8, String, String, Option<String>) {
    (n, request_id.into(), "success".into(), None)
}

#[test]
fn an_intent_of_a_producer_that_died_becomes_a_record_that_says_unknown() {
    for place in Place::each() {
        let producer = place.producer();
        Place::append_event(&producer, ProducerEvent::Open, 0);
        intend(&place, &producer, 1, None);
        intend(&place, &producer, 2, Some("b"));
        answer(&place, &producer, 1, None);
        commit(&producer);
        let mut sequencer = place.sequencer();
        drain(&mut sequencer);
        assert_eq!(records(&place, Kind::Prediction), [success(1, "assigned")], "it is alive");
        producer.close().unwrap();
        for _ in 0..20 {
            drain(&mut sequencer);
        }
        sequencer.close().unwrap();
        let told = [success(1, "assigned"), unknown(2, "b")];
        assert_eq!(records(&place, Kind::Prediction), told);
        for _ in 0..3 {
            drain(&mut place.sequencer());
        }
        assert_eq!(records(&place, Kind::Prediction), told, "once");
        place.assert_clean();
    }
}

#[test]
fn so_does_one_that_was_open_when_its_producer_closed() {
    for place in Place::each() {
        let producer = place.producer();
        Place::append_event(&producer, ProducerEvent::Open, 0);
        intend(&place, &producer, 1, Some("a"));
        intend(&place, &producer, 2, Some("b"));
        answer(&place, &producer, 2, Some("b"));
        Place::append_event(&producer, ProducerEvent::Close, 5);
        commit(&producer);
        producer.close().unwrap();
        drain(&mut place.sequencer());
        assert_eq!(records(&place, Kind::Prediction), [success(2, "b"), unknown(1, "a")]);
        place.assert_clean();
    }
}

#[test]
fn a_crash_at_any_moment_neither_loses_nor_doubles_it() {
    for place in Place::each() {
        let producer = place.producer();
        Place::append_event(&producer, ProducerEvent::Open, 0);
        intend(&place, &producer, 1, None);
        intend(&place, &producer, 2, Some("b"));
        commit(&producer);
        // Another has taken the intents, and dies: the next one has to read them.
        commit_and_die(place.sequencer());
        answer(&place, &producer, 1, None);
        commit(&producer);
        commit_and_die(place.sequencer());
        producer.close().unwrap();
        // This one commits what it makes of the end, and dies before it says so.
        for _ in 0..3 {
            commit_and_die(place.sequencer());
        }
        drain(&mut place.sequencer());
        let told = [success(1, "assigned"), unknown(2, "b")];
        assert_eq!(records(&place, Kind::Prediction), told);
        assert_eq!(records(&place, Kind::Intent).len(), 2);
        place.assert_clean();
    }
}

#[test]
fn a_request_id_that_is_taken_meanwhile_stays_with_who_has_it() {
    for place in Place::each() {
        let died = place.producer();
        Place::append_event(&died, ProducerEvent::Open, 0);
        intend(&place, &died, 1, Some("again"));
        commit(&died);
        let other = place.producer();
        answer(&place, &other, 2, Some("again"));
        commit(&other);
        died.close().unwrap();
        let mut sequencer = place.sequencer();
        for _ in 0..20 {
            drain(&mut sequencer);
        }
        assert_eq!(records(&place, Kind::Prediction), [success(2, "again")]);
        assert_eq!(records(&place, Kind::Conflict), [unknown(1, "again")]);
        drop(sequencer);
        place.assert_clean();
    }
}

#[test]
fn what_comes_after_all_is_kept() {
    for place in Place::each() {
        let producer = place.producer();
        Place::append_event(&producer, ProducerEvent::Open, 0);
        intend(&place, &producer, 1, None);
        intend(&place, &producer, 2, Some("b"));
        // No producer does this; a spool that somebody put together might.
        Place::append_event(&producer, ProducerEvent::Close, 4);
        commit(&producer);
        let mut sequencer = place.sequencer();
        drain(&mut sequencer);
        answer(&place, &producer, 1, None);
        answer(&place, &producer, 2, Some("b"));
        commit(&producer);
        drain(&mut sequencer);
        drop(sequencer);
        let told = [unknown(1, "assigned"), unknown(2, "b"), success(1, "assigned")];
        assert_eq!(records(&place, Kind::Prediction), told);
        assert_eq!(records(&place, Kind::Conflict), [success(2, "b")]);
    }
}
