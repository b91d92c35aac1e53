//! Every call fails, once and for ever.

use super::*;
use crate::disk::crash::{Call, Fail};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;

/// What a run was promised, whatever failed in it.
#[derive(Default)]
struct Promised {
    spooled: BTreeMap<ProducerId, u64>,
    issued: BTreeMap<ProducerId, BTreeMap<u64, Vec<u8>>>,
    store: Collected,
}

impl Promised {
    /// Two frames, one of them perhaps long, and a commit; whether that worked.
    fn work(&mut self, producer: &Producer, n_bytes: usize) -> bool {
        let id = producer.id();
        for n_bytes in [n_bytes, 60] {
            let bytes = frame(&id, producer.next_seq(), n_bytes);
            let Ok(seq) = producer.append(&bytes) else { return false };
            self.issued.entry(id).or_default().insert(seq, bytes);
        }
        let below_seq = producer.next_seq();
        let committed = producer.commit(below_seq - 1, Level::Spooled).is_ok();
        if committed {
            self.spooled.insert(id, below_seq);
        }
        committed
    }

    fn check(&self, disk: &CrashDisk, what: &str) {
        let found = recover_from(disk, self.store.clone());
        for (id, below_seq) in &self.spooled {
            for (seq, bytes) in &self.issued[id] {
                let got = found.frames.get(id).and_then(|frames| frames.get(seq));
                assert!(seq >= below_seq || got.is_some(), "{what}: frame {seq} is lost");
                assert!(got.is_none_or(|got| got == bytes), "{what}: frame {seq} is changed");
            }
        }
    }
}

/// Opens, writes over several segments, reads, acknowledges, recycles, closes.
fn scenario(disk: &CrashDisk, promised: &mut Promised) -> Option<(Producer, Consumer)> {
    let producer = produce(&disk.as_process(10)).ok()?;
    let mut consumer = consume(&disk.as_process(20)).ok()??;
    for round in 0..8 {
        promised.work(&producer, [700, 2000, 30, 9000][round % 4]);
        if round % 2 == 1 {
            // What fails here shows in what is found afterwards.
            drop(promised.store.step(&mut consumer, 100));
        }
    }
    Some((producer, consumer))
}

fn n_calls_of(call: Option<Call>) -> u64 {
    let disk = CrashDisk::new(1);
    disk.fail_nth(call, u64::MAX, Fail::Once, EIO);
    let mut promised = Promised::default();
    let (producer, _consumer) = scenario(&disk, &mut promised).unwrap();
    assert_eq!(promised.spooled[&producer.id()], 16);
    disk.n_counted()
}

#[test]
fn any_call_may_fail_once_and_the_next_commit_heals() {
    let mut n_points = 0;
    for errno in [EIO, ENOSPC] {
        for n in 0..n_calls_of(None) {
            let disk = CrashDisk::new(n);
            disk.fail_nth(None, n, Fail::Once, errno);
            let mut promised = Promised::default();
            let opened = scenario(&disk, &mut promised);
            assert_eq!(disk.n_failed(), 1, "call {n} was not reached");
            let what = format!("call {n}, error {errno}");
            if let Some((producer, mut consumer)) = opened {
                assert!(promised.work(&producer, 100), "{what}: not healed");
                let counters = producer.counters();
                assert_eq!(counters.n_pending, 0, "{what}");
                promised.store.drain(&mut consumer).unwrap();
                let below_seq = producer.next_seq();
                let frames = &promised.store.frames[&producer.id()];
                assert!(frames.keys().copied().eq(0..below_seq), "{what}: not all handed out");
                assert_eq!(promised.store.quarantined, [], "{what}");
            }
            for seed in 0..4 {
                promised.check(&disk.crash(seed), &what);
            }
            n_points += 1;
        }
    }
    println!("{n_points} single failures");
    assert!(n_points > 200);
}

#[test]
fn all_calls_may_fail_for_ever_and_nothing_is_promised_any_more() {
    let mut n_points = 0;
    for n in 0..n_calls_of(None) {
        let disk = CrashDisk::new(n);
        disk.fail_nth(None, n, Fail::ForEver, EIO);
        let mut promised = Promised::default();
        let opened = scenario(&disk, &mut promised);
        let what = format!("from call {n} on");
        if let Some((producer, mut consumer)) = opened {
            let below_seq = producer.durable_seq();
            for _ in 0..3 {
                assert!(!promised.work(&producer, 100), "{what}: promised on a dead disk");
            }
            assert_eq!(producer.durable_seq(), below_seq, "{what}");
            for seed in 0..4 {
                promised.check(&disk.crash(seed), &what);
            }
            // Nothing was given up: what is in memory goes out as soon as the disk works again.
            disk.heal();
            assert!(promised.work(&producer, 100), "{what}: not healed");
            promised.store.drain(&mut consumer).unwrap();
            let frames = &promised.store.frames[&producer.id()];
            assert!(frames.keys().copied().eq(0..producer.next_seq()), "{what}");
        }
        promised.check(&disk.crash(9), &what);
        n_points += 1;
    }
    println!("{n_points} disks that died");
    assert!(n_points > 100);
}

#[test]
fn each_kind_of_call_may_fail_for_ever() {
    let mut n_points = 0;
    for call in [Call::Open, Call::Read, Call::Write, Call::Sync, Call::Dir, Call::Other] {
        for n in 0..n_calls_of(Some(call)) {
            for errno in [EIO, ENOSPC] {
                let disk = CrashDisk::new(n);
                disk.fail_nth(Some(call), n, Fail::ForEver, errno);
                let mut promised = Promised::default();
                let opened = scenario(&disk, &mut promised);
                let what = format!("{call:?} from {n} on");
                for seed in 0..4 {
                    promised.check(&disk.crash(seed), &what);
                }
                if let Some((producer, mut consumer)) = opened {
                    if matches!(call, Call::Write | Call::Sync) {
                        assert!(!promised.work(&producer, 100), "{what}: promised");
                    }
                    disk.heal();
                    assert!(promised.work(&producer, 100), "{what}: not healed");
                    promised.store.drain(&mut consumer).unwrap();
                }
                promised.check(&disk.crash(4), &what);
                n_points += 1;
            }
        }
    }
    println!("{n_points} calls that stopped working");
    assert!(n_points > 200);
}

#[test]
fn a_failed_sync_is_not_tried_again_on_the_same_file() {
    let disk = CrashDisk::new(3);
    let producer = produce(&disk).unwrap();
    spool_frames(&producer, 1, 50);
    let before = names(&disk, "seg-");
    disk.fail_nth(Some(Call::Sync), 0, Fail::Once, EIO);
    spool_frames(&producer, 1, 50);
    disk.heal();
    let after = names(&disk, "seg-");
    assert_eq!((before.len(), after.len()), (1, 2));
    // The first file holds the first frame durably, so it stays, and stays as it was.
    let first = disk.bytes(&dir().join(&before[0])).unwrap();
    spool_frames(&producer, 5, 50);
    assert_eq!(disk.bytes(&dir().join(&before[0])).unwrap(), first);
    assert_eq!(producer.counters().n_sync_failures, 1);
    for seed in 0..200 {
        let found = recover(&disk.crash(seed));
        assert!(found.frames[&producer.id()].keys().copied().eq(0..7), "seed {seed}");
        assert_eq!(found.quarantined, []);
    }
}

#[test]
fn failing_commits_do_not_fill_the_disk() {
    let disk = CrashDisk::new(4);
    let producer = produce(&disk).unwrap();
    spool_frames(&producer, 3, 50);
    disk.fail_nth(Some(Call::Sync), 0, Fail::ForEver, EIO);
    for _ in 0..500 {
        let seq = producer.append(b"waits in memory").unwrap();
        assert!(producer.commit(seq, Level::Spooled).is_err());
    }
    assert!(names(&disk, "").len() <= 5, "{:?}", names(&disk, ""));
    assert_eq!(producer.counters().n_pending, 500);
    disk.heal();
    producer.commit(502, Level::Spooled).unwrap();
    let found = recover(&disk.crash(1));
    assert!(found.frames[&producer.id()].keys().copied().eq(0..503));
}

#[test]
fn written_frames_outlive_the_process_through_failures() {
    for n in 0..40 {
        for call in [Call::Write, Call::Sync, Call::Dir, Call::Open, Call::Other] {
            let disk = CrashDisk::new(n);
            let producer = produce(&disk.as_process(10)).unwrap();
            disk.fail_nth(Some(call), n, Fail::ForEver, EIO);
            let mut below_seq = 0;
            for round in 0..12 {
                let seq = producer.append(&frame(&producer.id(), round, 900)).unwrap();
                if producer.commit(seq, Level::Written).is_ok() {
                    below_seq = seq + 1;
                }
                drop(producer.commit(seq, Level::Spooled));
            }
            disk.kill(10);
            let found = recover(&disk.after_kill());
            let n_found = found.frames.get(&producer.id()).map_or(0, BTreeMap::len) as u64;
            assert!(n_found >= below_seq, "{call:?} {n}: {n_found} of {below_seq}");
        }
    }
}

#[test]
fn nothing_is_concluded_from_a_listing_that_failed() {
    let mut n_points = 0;
    for seed in 0..8 {
        for call in [Call::Open, Call::Read, Call::Dir, Call::Other] {
            for n in 0..8 {
                let disk = CrashDisk::new(seed);
                let producer = produce(&disk.as_process(10)).unwrap();
                spool_frames(&producer, 2, 700);
                let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
                let mut store = Collected::default();
                store.drain(&mut consumer).unwrap();
                // Its next write fails half way, the frame goes to a second segment, it dies.
                disk.fail_nth(Some(Call::Write), 0, Fail::Once, EIO);
                spool_frames(&producer, 1, 1500);
                assert_eq!(names(&disk, "seg-").len(), 2);
                disk.kill(10);
                // Who takes the first segment for the last one gives the frame up.
                disk.fail_nth(Some(call), n, Fail::Once, EIO);
                drop(store.step(&mut consumer, 10));
                n_points += disk.n_failed();
                disk.heal();
                store.drain(&mut consumer).unwrap();
                let (id, what) = (producer.id(), format!("{call:?} {n}, seed {seed}"));
                assert_eq!(store.quarantined, [], "{what}");
                assert!(store.frames[&id].keys().copied().eq(0..3), "{what}");
                assert_eq!(store.ended, [(id, 3)], "{what}");
            }
        }
    }
    assert!(n_points > 100, "{n_points} failures met");
}
