//! Damaged files: no panic, no loop, no more lost than was damaged, and every byte kept.

use super::super::format::HEADER_BYTES;
use super::*;
use crate::disk::crash::{Call, Fail, SplitMix};

const N_FRAMES: u64 = 14;

/// Three segments of a dead producer, and the frames in them.
fn spooled(seed: u64) -> (CrashDisk, ProducerId, Vec<String>) {
    let disk = CrashDisk::new(seed);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, N_FRAMES, 700);
    let id = producer.id();
    disk.kill(10);
    drop(producer);
    let mut segments = names(&disk, "seg-");
    segments.sort();
    assert_eq!(segments.len(), 3);
    (disk, id, segments)
}

fn frames_found(found: &Collected, id: &ProducerId) -> Vec<u64> {
    let frames = found.frames.get(id).into_iter().flatten();
    frames
        .map(|(seq, bytes)| {
            assert_eq!(*bytes, frame(id, *seq, 700), "frame {seq} is changed");
            *seq
        })
        .collect()
}

/// The numbers that are not found must lie in what was reported.
fn assert_reported(found: &Collected, id: &ProducerId, what: &str) -> usize {
    let got = frames_found(found, id);
    let lost: Vec<u64> = (0..N_FRAMES).filter(|seq| !got.contains(seq)).collect();
    for seq in &lost {
        let told = found.quarantined.iter().any(|(whose, seq_from, seq_to)| {
            whose == id
                && seq_from.is_none_or(|from| from <= *seq)
                && seq_to.is_none_or(|to| *seq <= to)
        });
        assert!(told, "{what}: frame {seq} is lost and not reported: {:?}", found.quarantined);
    }
    lost.len()
}

#[test]
fn any_flipped_bit_costs_one_frame_at_most_and_is_reported() {
    let mut random = SplitMix(1);
    let (mut n_lost, mut n_flips) = (0, 0);
    for seed in 0..1500 {
        let (disk, id, segments) = spooled(seed);
        let name = &segments[random.below(3) as usize];
        let at = HEADER_BYTES + random.below(4096) as usize;
        let bit = random.below(8);
        disk.tamper(&dir().join(name), |bytes| bytes[at] ^= 1 << bit);
        let damaged = disk.bytes(&dir().join(name)).unwrap();
        let found = recover(&disk);
        let n = assert_reported(&found, &id, &format!("seed {seed}, byte {at}"));
        assert!(n <= 1);
        if n == 1 {
            let kept = quarantined(&disk);
            assert_eq!(kept.len(), 1);
            assert!(kept[0][..HEADER_BYTES] == damaged[..HEADER_BYTES]);
            let span = &kept[0][HEADER_BYTES..];
            assert!(span.len() >= 700 && damaged.windows(span.len()).any(|w| w == span));
        }
        n_lost += n;
        n_flips += 1;
    }
    println!("{n_flips} flips, {n_lost} frames lost");
    assert!(n_lost > n_flips / 2);
}

#[test]
fn a_flipped_bit_in_the_header_costs_nothing() {
    let mut random = SplitMix(2);
    for seed in 0..300 {
        let (disk, id, segments) = spooled(seed);
        let at = random.below(HEADER_BYTES as u64) as usize;
        disk.tamper(&dir().join(&segments[1]), |bytes| bytes[at] ^= 0x80);
        let found = recover(&disk);
        assert_eq!(frames_found(&found, &id).len() as u64, N_FRAMES, "byte {at}");
        assert_eq!(found.quarantined, []);
    }
}

#[test]
fn both_headers_broken_puts_the_whole_file_aside() {
    for broken in 0..3 {
        let (disk, id, segments) = spooled(broken);
        let path = dir().join(&segments[broken as usize]);
        disk.tamper(&path, |bytes| {
            bytes[70] ^= 1;
            bytes[2048 + 300] ^= 1;
        });
        let whole = disk.bytes(&path).unwrap();
        let found = recover(&disk);
        assert!(quarantined(&disk) == [whole]);
        assert_eq!(found.quarantined, [(id, None, None)]);
        let got = frames_found(&found, &id);
        assert!(got.len() as u64 >= N_FRAMES - 5 && (got.len() as u64) < N_FRAMES);
    }
}

#[test]
fn zeroed_and_garbled_spans_cost_what_they_cover() {
    let mut random = SplitMix(3);
    let mut n_lost = 0;
    for seed in 0..1500 {
        let (disk, id, segments) = spooled(seed);
        let name = &segments[random.below(3) as usize];
        let at = HEADER_BYTES + random.below(4000) as usize;
        let n = 1 + random.below(2000) as usize;
        let zero = random.below(2) == 0;
        disk.tamper(&dir().join(name), |bytes| {
            let end = (at + n).min(bytes.len());
            bytes[at..end].fill(0);
            if !zero {
                bytes[at..end].iter_mut().for_each(|byte| *byte = random.next() as u8);
            }
        });
        let found = recover(&disk);
        let got = frames_found(&found, &id);
        let lost = N_FRAMES as usize - got.len();
        assert!(lost <= n / 736 + 2, "seed {seed}: {lost} frames for {n} bytes at {at}");
        // Zeros at the very end of the frames cannot be told from an end; the missing heartbeat
        // and close of the producer tell that. All else is reported.
        let is_tail = got.iter().copied().eq(0..got.len() as u64);
        if !(zero && is_tail) {
            let seqs = got.last().copied().unwrap_or(0);
            let holes = (0..seqs).filter(|seq| !got.contains(seq)).count();
            let told = !found.quarantined.is_empty();
            assert!(told || lost == 0 || zero, "seed {seed}: {holes} holes, nothing reported");
        }
        n_lost += lost;
    }
    assert!(n_lost > 1000, "{n_lost}");
}

#[test]
fn a_file_may_end_anywhere() {
    for len in (0..8192).step_by(61) {
        let (disk, id, segments) = spooled(len as u64);
        let which = len % 3;
        disk.tamper(&dir().join(&segments[which]), |bytes| bytes.truncate(len));
        let found = recover(&disk);
        let got = frames_found(&found, &id);
        let in_others = match which {
            2 => 10,
            _ => N_FRAMES - 5,
        };
        assert!(got.len() as u64 >= in_others, "segment {which} of {len} bytes: {got:?}");
        // As many frames of the cut file as it still has.
        let whole = len.saturating_sub(HEADER_BYTES) / 736;
        assert!(got.len() as u64 >= in_others.min(N_FRAMES) + whole.min(4) as u64 - 1);
    }
}

#[test]
fn random_damage_everywhere_never_panics_or_loops() {
    let mut random = SplitMix(4);
    for seed in 0..1500 {
        let (disk, id, segments) = spooled(seed);
        for name in segments.iter().chain(&names(&disk, "producer-")) {
            for _ in 0..random.below(6) {
                disk.tamper(&dir().join(name), |bytes| {
                    let len = bytes.len().max(1) as u64;
                    let at = random.below(len) as usize;
                    match random.below(4) {
                        0 => bytes.truncate(at),
                        1 => bytes.extend_from_within(..at.min(bytes.len())),
                        2 => bytes.iter_mut().skip(at).take(700).for_each(|byte| *byte = 0),
                        _ => bytes.iter_mut().skip(at).take(3).for_each(|byte| *byte ^= 0x5a),
                    }
                });
            }
        }
        let found = recover(&disk);
        frames_found(&found, &id);
        // The spool goes on working.
        let producer = produce(&disk).unwrap();
        spool_frames(&producer, 2, 700);
        let found = recover(&disk);
        assert_eq!(frames_found(&found, &producer.id()), [0, 1]);
    }
}

#[test]
fn damage_under_a_living_producer_is_passed_once_it_is_certain() {
    let disk = CrashDisk::new(5);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 4, 700);
    let id = producer.id();
    let name = names(&disk, "seg-").swap_remove(0);
    disk.tamper(&dir().join(name), |bytes| bytes[HEADER_BYTES + 736 + 100] ^= 1);
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    store.drain(&mut consumer).unwrap();
    // Frame 2 says that frame 1 was durable, so nobody will write it again.
    assert_eq!(frames_found(&store, &id), [0, 2, 3]);
    assert_eq!(store.quarantined, [(id, Some(1), Some(1))]);
}

#[test]
fn a_frame_its_producer_still_holds_is_not_given_up() {
    let disk = CrashDisk::new(6);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 1, 700);
    for seq in 1..4 {
        producer.append(&frame(&producer.id(), seq, 700)).unwrap();
        producer.commit(seq, Level::Written).unwrap();
    }
    let id = producer.id();
    let name = names(&disk, "seg-").swap_remove(0);
    // Not synced yet: as if the page had been lost after a failed sync.
    disk.tamper(&dir().join(&name), |bytes| bytes[HEADER_BYTES + 736 + 100] ^= 1);
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    for _ in 0..5 {
        store.drain(&mut consumer).unwrap();
    }
    assert_eq!((frames_found(&store, &id), store.quarantined.len()), (vec![0], 0));
    // The sync fails, the frames go to a new segment, and nothing was lost.
    disk.fail_nth(Some(Call::Sync), 0, Fail::Once, 5);
    producer.commit(3, Level::Spooled).unwrap();
    store.drain(&mut consumer).unwrap();
    assert_eq!((frames_found(&store, &id), store.quarantined.len()), (vec![0, 1, 2, 3], 0));
}

#[test]
fn a_span_that_cannot_be_copied_keeps_its_whole_file() {
    let (disk, id, segments) = spooled(7);
    let path = dir().join(&segments[0]);
    disk.tamper(&path, |bytes| bytes[HEADER_BYTES + 200] ^= 1);
    let damaged = disk.bytes(&path).unwrap();
    let mut consumer = consume(&disk).unwrap().unwrap();
    let mut store = Collected::default();
    disk.fail_nth(Some(Call::Write), 0, Fail::Once, 28);
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.quarantined, [(id, Some(0), Some(0))]);
    assert_eq!(frames_found(&store, &id).len() as u64, N_FRAMES - 1);
    assert!(quarantined(&disk) == [damaged]);
}
