//! Requests that came against what the ledger has.

use super::*;
use crate::capture::{CaptureConfig, Ending};
use crate::{Ack, Capturer, Record, Recorder};

#[test]
fn what_came_is_held_against_what_was_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", dir.path().join("audit.db").display());
    let recorder = Recorder::options().create("example.com/audit").open(&url).unwrap();
    let ledger = Ledger::parse(&url).unwrap();
    let of = |ledger: &Ledger| super::of(ledger, &ledger.spool_dir());
    assert_eq!(of(&ledger).unwrap(), []);
    let config = "[defaults]\nmodel = 'm'\nversion = '1'";
    let plan = CaptureConfig::from_toml(config).unwrap().plan().unwrap();
    let capturer = Capturer::new(recorder.clone(), plan, "tower");
    for _ in 0..3 {
        capturer.begin("POST", "/", None).unwrap().end(Ending::Complete).unwrap();
    }
    // Counted, and then lost on the way; and records that are no requests.
    recorder.count_request();
    recorder.record(Record::prediction("m", "1")).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    let [open] = &of(&ledger).unwrap()[..] else { unreachable!("one producer") };
    assert_eq!((open.n_requests, open.n_recorded, open.life), (4, 3, Life::Open));
    recorder.close().unwrap();
    let [closed] = &of(&ledger).unwrap()[..] else { unreachable!("one producer") };
    assert_eq!((closed.n_recorded, closed.n_missing(), closed.life), (3, 1, Life::Closed));
}
