//! What producers and the sequencer promise each other.

use std::time::Duration;

use super::*;
use crate::disk::crash::{Call, Fail};

#[test]
fn frames_come_in_order_and_in_turn() {
    let disk = CrashDisk::new(1);
    let producers: Vec<Producer> =
        (10..13).map(|pid| produce(&disk.as_process(pid)).unwrap()).collect();
    for producer in &producers {
        spool_frames(producer, 40, 200);
    }
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let first = consumer.next_batch(30, 1 << 20, |_| 0).unwrap();
    assert_eq!(first.len(), 30);
    for producer in &producers {
        let n = first
            .iter()
            .filter(|item| matches!(item, Item::Frame { producer: p, .. } if *p == producer.id()));
        assert_eq!(n.count(), 10, "each its share");
    }
    let few = consumer.next_batch(100, 500, |_| panic!("asked once only")).unwrap();
    assert!((1..=5).contains(&few.len()), "{} frames for 500 bytes", few.len());
    let mut store = Collected::default();
    store.take(first);
    store.take(few);
    store.drain(&mut consumer).unwrap();
    for producer in &producers {
        assert!(store.frames[&producer.id()].keys().copied().eq(0..40));
    }
    assert_eq!(store.ended, []);
    assert_eq!(consumer.next_batch(10, 1000, |_| 0).unwrap(), []);
}

#[test]
fn a_gap_frame_covers_the_numbers_before_it() {
    let disk = CrashDisk::new(2);
    let producer = produce(&disk).unwrap();
    spool_frames(&producer, 2, 10);
    let mut covers = None;
    let seq = producer
        .append_gap(3, |from, to| {
            covers = Some((from, to));
            b"gap".to_vec()
        })
        .unwrap();
    assert_eq!((covers, seq, producer.next_seq()), (Some((2, 4)), 5, 6));
    let refused = producer.append_gap(0, |_, _| Vec::new()).unwrap_err();
    assert!(matches!(refused, SpoolError::BadGap { n_lost: 0, next_seq: 6 }));
    let refused = producer.append_gap(u64::MAX, |_, _| Vec::new()).unwrap_err();
    assert!(matches!(refused, SpoolError::BadGap { .. }));
    let refused = producer.append_gap(1, |_, _| vec![0; 18 << 20]).unwrap_err();
    assert!(matches!(refused, SpoolError::FrameTooLong { .. }));
    spool_frames(&producer, 1, 10);
    producer.close().unwrap();
    let found = recover(&disk);
    let frames = &found.frames[&producer.id()];
    assert!(frames.keys().copied().eq([0, 1, 5, 6]));
    assert_eq!(frames[&5], b"gap");
    assert_eq!(found.ended, [(producer.id(), 7)]);
}

#[test]
fn a_gap_across_segments_is_no_damage() {
    let disk = CrashDisk::new(3);
    let producer = produce(&disk).unwrap();
    let mut seqs = Vec::new();
    for _ in 0..20 {
        seqs.push(producer.append_gap(2, |_, _| vec![1; 900]).unwrap());
        producer.commit(*seqs.last().unwrap(), Level::Spooled).unwrap();
    }
    producer.close().unwrap();
    let found = recover(&disk);
    assert!(found.frames[&producer.id()].keys().eq(&seqs));
    assert_eq!(found.quarantined, []);
}

#[test]
fn only_one_sequencer_at_a_time() {
    let disk = CrashDisk::new(4);
    let first = consume(&disk.as_process(20)).unwrap().unwrap();
    assert!(first.holds_lock().unwrap());
    assert!(consume(&disk.as_process(21)).unwrap().is_none());
    assert!(consume(&disk.as_process(20)).unwrap().is_none());
    drop(first);
    let second = consume(&disk.as_process(21)).unwrap().unwrap();
    disk.kill(21);
    assert!(second.holds_lock().is_err());
    assert!(consume(&disk.as_process(22)).unwrap().is_some());
}

#[test]
fn what_the_store_has_is_not_handed_out_again() {
    let disk = CrashDisk::new(5);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 20, 700);
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let items = consumer.next_batch(100, 1 << 20, |_| 13).unwrap();
    let seqs = items.iter().map(|item| match item {
        Item::Frame { seq, .. } => *seq,
        _ => panic!("only frames"),
    });
    assert!(seqs.eq(13..20));
    // Segments below 13 are trimmed without an ack.
    assert_eq!(names(&disk, "seg-").len(), 2);
    let id = producer.id();
    let ahead = consumer.ack(&id, 21).unwrap_err();
    assert!(matches!(ahead, SpoolError::AckAhead { next_seq: 21, delivered: 20 }));
    consumer.ack(&id, 20).unwrap();
    consumer.ack(&id, 14).unwrap();
    consumer.ack(&[0; 16], 99).unwrap();
    assert_eq!(names(&disk, "seg-").len(), 1, "the living producer's current one stays");
}

#[test]
fn an_end_is_told_once_and_acknowledging_it_leaves_nothing() {
    let disk = CrashDisk::new(6);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 12, 700);
    let id = producer.id();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.ended, []);
    producer.close().unwrap();
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.ended, [(id, 12)]);
    assert_eq!(names(&disk, "seg-").len() + names(&disk, "producer-").len(), 0);
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.ended.len(), 1);
}

#[test]
fn an_end_that_was_not_acknowledged_is_told_to_the_next_sequencer() {
    let disk = CrashDisk::new(7);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 1, 10);
    let id = producer.id();
    disk.kill(10);
    let told = |consumer: &mut Consumer| {
        let items = consumer.next_batch(10, 1000, |_| 1).unwrap();
        items.iter().filter(|item| matches!(item, Item::Ended { .. })).count()
    };
    for pid in 20..23 {
        let mut consumer = consume(&disk.as_process(pid)).unwrap().unwrap();
        assert_eq!([told(&mut consumer), told(&mut consumer)], [1, 0]);
    }
    // One that goes on without a word has nothing to do about it.
    let mut consumer = consume(&disk.as_process(23)).unwrap().unwrap();
    assert_eq!((0..30).map(|_| told(&mut consumer)).sum::<usize>(), 1);
    assert_eq!(names(&disk, "producer-"), Vec::<String>::new());
    consumer.ack(&id, 1).unwrap();
}

#[test]
fn a_forked_child_is_refused_at_once() {
    let disk = CrashDisk::new(8);
    let process = disk.as_process(10);
    let producer = produce(&process).unwrap();
    let mut consumer = consume(&process).unwrap().unwrap();
    spool_frames(&producer, 2, 10);
    let id = producer.id();
    process.fork_into(11);
    let is_forked = |error: SpoolError| matches!(error, SpoolError::Forked { opened_by: 10 });
    assert!(is_forked(producer.append(b"x").unwrap_err()));
    assert!(is_forked(producer.append_gap(1, |_, _| Vec::new()).unwrap_err()));
    assert!(is_forked(producer.commit(0, Level::Written).unwrap_err()));
    assert!(is_forked(producer.acked_seq().unwrap_err()));
    assert!(is_forked(producer.wait_acked(0, Duration::ZERO).unwrap_err()));
    assert!(is_forked(producer.close().unwrap_err()));
    assert!(is_forked(consumer.next_batch(1, 1, |_| 0).unwrap_err()));
    assert!(is_forked(consumer.ack(&id, 0).unwrap_err()));
    assert!(!consumer.wait(Duration::ZERO));
    assert_eq!(consumer.depth().n_frames, 0);
    // The child's copies going away leave the parent's locks alone.
    drop((producer, consumer));
    let child = produce(&process).unwrap();
    spool_frames(&child, 1, 10);
    assert!(consume(&disk.as_process(12)).unwrap().is_none());
}

#[test]
fn another_ledgers_directory_is_refused() {
    let disk = CrashDisk::new(9);
    let producer = produce(&disk).unwrap();
    spool_frames(&producer, 1, 10);
    let other = [8; 32];
    let refused = Producer::open(Arc::new(disk.clone()), &dir(), SMALL, other).unwrap_err();
    assert!(matches!(refused, SpoolError::ForeignOrigin { .. }));
    let text = refused.to_string();
    assert!(text.contains(&"07".repeat(32)) && text.contains("use another spool directory"));
    let refused = Consumer::try_open(Arc::new(disk.clone()), &dir(), SMALL, other).unwrap_err();
    assert!(matches!(refused, SpoolError::ForeignOrigin { .. }));
    // A refused sequencer does not keep the lock.
    assert!(consume(&disk).unwrap().is_some());
}

#[test]
fn foreign_frames_that_come_later_do_not_stop_the_others() {
    let disk = CrashDisk::new(10);
    let open = |pid, origin| {
        Producer::open(Arc::new(disk.as_process(pid)), &dir(), SMALL, origin).unwrap()
    };
    let (ours, theirs) = (open(10, ORIGIN), open(11, [8; 32]));
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    for producer in [&theirs, &ours] {
        spool_frames(producer, 2, 10);
    }
    let items = consumer.next_batch(10, 1000, |_| 0).unwrap();
    assert_eq!(items.len(), 2);
    let refused = consumer.next_batch(10, 1000, |_| 0).unwrap_err();
    assert!(matches!(refused, SpoolError::ForeignOrigin { found, .. } if found == [8; 32]));
}

#[test]
fn options_are_checked() {
    let bad = |options: SpoolOptions| {
        let refused = Producer::open(Arc::new(CrashDisk::new(0)), &dir(), options, ORIGIN);
        matches!(refused.unwrap_err(), SpoolError::BadOption { .. })
    };
    assert!(bad(SpoolOptions { segment_bytes: 4096, ..SMALL }));
    assert!(bad(SpoolOptions { segment_bytes: 10_000, ..SMALL }));
    assert!(bad(SpoolOptions { segment_bytes: 2 << 30, ..SMALL }));
    assert!(bad(SpoolOptions { bytes_max: 8191, ..SMALL }));
}

#[test]
fn an_unlinked_segment_is_noticed_and_its_frames_are_saved() {
    let disk = CrashDisk::new(11);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 3, 500);
    disk.remove(&dir().join(&names(&disk, "seg-")[0])).unwrap();
    spool_frames(&producer, 2, 500);
    assert_eq!(producer.counters().n_sync_failures, 1);
    for seed in 0..100 {
        let found = recover(&disk.crash(seed));
        assert!(found.frames[&producer.id()].keys().copied().eq(0..5), "seed {seed}");
    }
}

#[test]
fn a_full_buffer_commits_inline() {
    let disk = CrashDisk::new(12);
    let producer = produce(&disk).unwrap();
    for seq in 0..200 {
        assert_eq!(producer.append(&[0; 1000]).unwrap(), seq);
        let held = (producer.next_seq() - producer.durable_seq()) * 1056;
        assert!(held <= SMALL.pending_bytes_max as u64, "{held}");
    }
    let counters = producer.counters();
    assert!(counters.n_syncs > 0 && counters.n_pending > 0);
    assert_eq!((counters.n_appended, counters.appended_bytes), (200, 200_000));
    // And when that cannot be, the frame is refused and no number used.
    disk.fail_nth(Some(Call::Sync), 0, Fail::ForEver, 5);
    let mut n_taken = 0;
    while producer.append(&[0; 1000]).is_ok() {
        n_taken += 1;
        assert!(n_taken < 200);
    }
    let next_seq = producer.next_seq();
    assert!(producer.append(&[0; 1000]).is_err());
    assert_eq!(producer.next_seq(), next_seq);
    disk.heal();
    assert_eq!(producer.append(&[0; 1000]).unwrap(), next_seq);
}

#[test]
fn unknown_numbers_and_closed_producers_are_refused() {
    let disk = CrashDisk::new(13);
    let producer = produce(&disk).unwrap();
    let refused = producer.commit(0, Level::Written).unwrap_err();
    assert!(matches!(refused, SpoolError::NotAppended { seq: 0, next_seq: 0 }));
    producer.append(b"pending when closed").unwrap();
    producer.close().unwrap();
    producer.close().unwrap();
    assert!(matches!(producer.append(b"x").unwrap_err(), SpoolError::Closed));
    producer.commit(0, Level::Spooled).unwrap();
    let found = recover(&disk.crash(3));
    assert_eq!(found.frames[&producer.id()].len(), 1);
}

#[test]
fn dropping_commits_what_is_pending() {
    let disk = CrashDisk::new(14);
    let producer = produce(&disk).unwrap();
    producer.append(b"never committed").unwrap();
    drop(producer);
    assert_eq!(recover(&disk.crash(1)).frames.len(), 1);
}

#[test]
fn acks_reach_producers_here_and_elsewhere() {
    let disk = CrashDisk::new(15);
    for (producer_pid, consumer_pid) in [(10, 10), (11, 21)] {
        let producer = produce(&disk.as_process(producer_pid)).unwrap();
        spool_frames(&producer, 5, 10);
        assert_eq!(producer.acked_seq().unwrap(), 0);
        assert!(!producer.wait_acked(0, Duration::ZERO).unwrap());
        let mut consumer = consume(&disk.as_process(consumer_pid)).unwrap().unwrap();
        let n = consumer.next_batch(100, 1 << 20, |_| 0).unwrap().len();
        assert!(n >= 5);
        consumer.ack(&producer.id(), 3).unwrap();
        assert_eq!(producer.acked_seq().unwrap(), 3);
        assert!(producer.wait_acked(2, Duration::from_secs(60)).unwrap());
        assert!(!producer.wait_acked(3, Duration::ZERO).unwrap());
        // One that waits before the ack is woken by it.
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| producer.wait_acked(4, Duration::from_secs(60)).unwrap());
            consumer.ack(&producer.id(), 5).unwrap();
            assert!(waiter.join().unwrap());
        });
    }
}

#[test]
fn depth_and_lag_follow_the_frames() {
    let disk = CrashDisk::new(16);
    let here = produce(&disk.as_process(20)).unwrap();
    let elsewhere = produce(&disk.as_process(10)).unwrap();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    assert_eq!(consumer.next_batch(1, 1, |_| 0).unwrap(), []);
    assert_eq!(consumer.depth(), Default::default());
    spool_frames(&here, 7, 10);
    assert_eq!(consumer.depth().n_frames, 7, "known without reading");
    spool_frames(&elsewhere, 3, 10);
    let n = consumer.next_batch(100, 1 << 20, |_| 0).unwrap().len();
    assert_eq!((n, consumer.depth().n_frames), (10, 10));
    // The simulated clock counts calls, a microsecond each.
    while disk.now_us() < 1_100_000 {
        names(&disk, "");
    }
    assert!(consumer.depth().lag_ms >= 90, "{:?}", consumer.depth());
    consumer.ack(&here.id(), 7).unwrap();
    assert_eq!(consumer.depth().n_frames, 3);
    consumer.ack(&elsewhere.id(), 3).unwrap();
    assert_eq!(consumer.depth(), Default::default());
}

#[test]
fn a_commit_or_a_waker_ends_the_wait() {
    let disk = CrashDisk::new(17);
    let producer = produce(&disk.as_process(20)).unwrap();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    assert_eq!(consumer.next_batch(1, 1, |_| 0).unwrap(), []);
    assert!(!consumer.wait(Duration::ZERO));
    spool_frames(&producer, 1, 10);
    assert!(consumer.wait(Duration::from_secs(60)), "not missed though it came before");
    assert_eq!(consumer.next_batch(1, 1, |_| 0).unwrap().len(), 1);
    let waker = consumer.waker();
    std::thread::scope(|scope| {
        scope.spawn(move || waker.wake());
        assert!(consumer.wait(Duration::from_secs(60)));
    });
    // Another process cannot ring; it is found by looking.
    assert_eq!(consumer.next_batch(1, 1, |_| 0).unwrap(), []);
    let elsewhere = produce(&disk.as_process(10)).unwrap();
    assert!(consumer.wait(Duration::from_secs(60)), "a new producer");
    assert_eq!(consumer.next_batch(1, 1, |_| 0).unwrap(), []);
    spool_frames(&elsewhere, 1, 10);
    assert!(consumer.wait(Duration::from_secs(60)), "its segment");
    assert_eq!(consumer.next_batch(1, 1000, |_| 0).unwrap().len(), 1);
    assert_eq!(consumer.next_batch(1, 1000, |_| 0).unwrap(), []);
    assert!(!consumer.wait(Duration::ZERO));
    spool_frames(&elsewhere, 1, 10);
    assert!(consumer.wait(Duration::from_secs(60)), "its next frame");
}

#[test]
fn written_frames_outlive_their_process() {
    let disk = CrashDisk::new(18);
    let producer = produce(&disk.as_process(10)).unwrap();
    for seq in 0..20 {
        producer.append(&frame(&producer.id(), seq, 600)).unwrap();
        producer.commit(seq, Level::Written).unwrap();
    }
    assert!(producer.durable_seq() < 20);
    disk.kill(10);
    let found = recover(&disk);
    assert!(found.frames[&producer.id()].keys().copied().eq(0..20));
    assert_eq!(found.ended, [(producer.id(), 20)]);
}

#[test]
fn a_trim_that_fails_is_counted_and_left_to_the_next_sequencer() {
    let disk = CrashDisk::new(19);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 9, 700);
    disk.kill(10);
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    disk.fail_nth(Some(Call::Sync), 0, Fail::ForEver, 5);
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.frames[&producer.id()].len(), 9);
    assert_eq!(consumer.depth().n_untrimmed, 2);
    drop(consumer);
    disk.heal();
    for seed in 0..20 {
        let crashed = disk.crash(seed);
        let found = recover_from(&crashed, store.clone());
        assert_eq!(found.frames, store.frames);
        assert_eq!(names(&crashed, "seg-"), Vec::<String>::new());
    }
}
