//! A process that is killed between an intent and its outcome.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use modeltrail::capture::{CaptureConfig, Ending};
use modeltrail::check::{self, CheckOptions};
use modeltrail::store::Entry;
use modeltrail::{Capturer, Kind, Query, Reader, Recorder};
use modeltrail_core::{Leaf, PartId};

use crate::place::{self, Place, SPOOL};

/// Marks a process as a child: the folder.
const DIR: &str = "MODELTRAIL_IT_INTENTS";

/// Requests of the child: the first half get their answers, the others are in flight when it is killed.
const N_REQUESTS: usize = 20;

/// The child. It says `ready` when all its intents are durable, and waits to be killed.
#[test]
#[ignore = "runs as a child process of another test"]
fn intents_child_main() {
    let Ok(dir) = std::env::var(DIR) else { return };
    // The other side sequences, when this one is dead.
    let url = place::url(Path::new(&dir));
    let recorder = Recorder::options().spool(SPOOL).sequence(false).open(&url).unwrap();
    let config = "[defaults]\nmodel = 'm'\nversion = '1'\ncapture = 'before_response'\nrequest_id = 'header:x-id'";
    let plan = CaptureConfig::from_toml(config).unwrap().plan().unwrap();
    let capturer = Capturer::new(recorder.clone(), plan, "test");
    let mut in_flight = Vec::new();
    for n in 0..N_REQUESTS {
        let mut flight = capturer.begin("POST", "/predict", None).unwrap();
        flight.exchange(|exchange| {
            // Every other one has an id that its client chose.
            if n % 2 == 0 {
                exchange.request_header("x-id", format!("r{n}").as_bytes());
            }
            exchange.request_bytes(format!("{{\"n\": {n}}}").as_bytes());
        });
        flight.intent().unwrap();
        match n < N_REQUESTS / 2 {
            true => drop(flight.end(Ending::Complete).unwrap()),
            false => in_flight.push(flight),
        }
    }
    recorder.flush(modeltrail::Ack::Spooled).unwrap();
    println!("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    // Only a kill ends it before its requests end.
    panic!("the child was not killed");
}

#[test]
fn a_kill_between_intent_and_outcome_leaves_a_record_that_says_unknown() {
    let place = Place::new();
    let ledger = modeltrail::Ledger::parse(&place::url(&place.path())).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "intents::intents_child_main", "--ignored", "--nocapture"])
        .env(DIR, place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let is_ready = stdout.lines().map_while(Result::ok).any(|line| line.contains("ready"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(is_ready, "the child ended early");
    for _ in 0..3 {
        place::drain(&ledger);
    }
    let reader = Reader::open(&place::url(&place.path())).unwrap();
    let of = |kind| {
        let query = Query { kind: Some(kind), ..Query::default() };
        let mut entries = reader.query(&query, 1000).unwrap().entries;
        entries.sort_by_key(|entry| entry.leaf.record_id);
        entries
    };
    let (intents, records) = (of(Kind::Intent), of(Kind::Prediction));
    let id = |entry: &Entry| -> [u8; 16] { Leaf::clone(&entry.leaf).record_id };
    let ids = |entries: &[Entry]| entries.iter().map(id).collect::<Vec<_>>();
    assert_eq!(intents.len(), N_REQUESTS);
    assert_eq!(ids(&records), ids(&intents), "one record for each");
    let is_unknown = |entry: &&Entry| {
        let error = entry.parts.iter().find(|part| part.id == PartId::Error);
        error.is_some_and(|part| part.bytes.windows(10).any(|bytes| bytes == b"no_outcome"))
    };
    assert_eq!(records.iter().filter(is_unknown).count(), N_REQUESTS / 2);
    let report = check::run(&ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, []);
}
