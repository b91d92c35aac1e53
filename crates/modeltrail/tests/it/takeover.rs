//! Another process becomes the sequencer when the one that was is killed.

use std::collections::BTreeSet;

use modeltrail::{Ack, Reader};

use crate::child::{Child, Task};
use crate::place::{self, Place};

fn task(no: usize, ack: Ack) -> Task {
    Task { no, n_threads: 2, ack, sequence: true, padding_bytes: 100 }
}

#[test]
fn a_process_that_records_takes_over_from_a_killed_sequencer() {
    // Again and again, so that the death falls before, into and behind a commit.
    for _ in 0..10 {
        let place = Place::new();
        let first = Child::start(task(0, Ack::Spooled), &place.path());
        first.wait_sequencer();
        let second = Child::start(task(1, Ack::Sequenced), &place.path());
        second.wait_acks(20);
        assert!(!second.is_sequencer(), "one sequencer at a time");
        first.wait_acks(20);
        let mut acked: BTreeSet<String> = first.kill();
        let n_before = second.n_acked();
        second.wait_sequencer();
        // Acknowledged as sequenced, so by the one that took over.
        second.wait_acks(n_before + 50);
        acked.append(&mut second.stop());
        // The second closed in order, so nothing is left for anybody to drain.
        let found = place::judge(&place.ledger, &acked);
        assert_eq!(found.n_lost_producers, 1);
        assert_eq!(found.n_gaps.get("duplicate"), None);
    }
}

#[test]
fn what_a_process_spooled_without_any_sequencer_arrives_later() {
    let place = Place::new();
    let never = Task { sequence: false, ..task(0, Ack::Spooled) };
    let alone = Child::start(never, &place.path());
    alone.wait_acks(100);
    let acked = alone.kill();
    assert_eq!(Reader::of(&place.ledger).unwrap().size().unwrap(), 0);
    place::drain(&place.ledger);
    let found = place::judge(&place.ledger, &acked);
    assert_eq!(found.n_lost_producers, 1);
}
