//! Files are used again; nothing of an earlier use ever shows, or can be read.

use super::super::format::{Head, apply_keystream, decode_head};
use super::*;
use crate::disk::crash::{Call, Fail};

/// Fills and empties the spool until its files are used for the n-th time.
fn churn(producer: &Producer, consumer: &mut Consumer, store: &mut Collected, n_rounds: u64) {
    for round in 0..n_rounds {
        spool_frames(producer, 5, 600 + (round as usize * 37) % 900);
        store.drain(consumer).unwrap();
    }
}

#[test]
fn files_are_recycled_and_stale_frames_never_show() {
    let disk = CrashDisk::new(1);
    let producer = produce(&disk.as_process(10)).unwrap();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    churn(&producer, &mut consumer, &mut store, 60);
    // A round fills two or three segments; all 60 make do with the files of one or two rounds.
    assert!(names(&disk, "seg-").len() + names(&disk, "free-").len() <= 6);
    let id = producer.id();
    assert!(store.frames[&id].keys().copied().eq(0..300));
    for (seq, bytes) in &store.frames[&id] {
        assert!(bytes.starts_with(&[&id[..], &seq.to_be_bytes()].concat()));
    }
    assert_eq!(store.quarantined, []);
    // After a power loss the tail of a recycled file is still the tail.
    for seed in 0..500 {
        let found = recover_from(&disk.crash(seed), store.clone());
        assert_eq!(found.frames, store.frames);
        assert_eq!(found.quarantined, []);
    }
}

#[test]
fn frames_of_a_trimmed_segment_are_unreadable() {
    let disk = CrashDisk::new(2);
    let producer = produce(&disk.as_process(10)).unwrap();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let secret = b"a patient's name, in the clear nowhere on the disk ".repeat(20);
    for _ in 0..20 {
        let seq = producer.append(&secret).unwrap();
        producer.commit(seq, Level::Spooled).unwrap();
    }
    let needle = &secret[..32];
    let shows = |bytes: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);

    // Who has the key reads it ...
    let name = names(&disk, "seg-").swap_remove(0);
    let before = disk.bytes(&dir().join(&name)).unwrap();
    assert!(!shows(&before));
    let Head::Segment(header) = decode_head(&before) else { panic!("a segment") };
    let mut payload = before[4096 + 32..4096 + 32 + secret.len()].to_vec();
    apply_keystream(&header.key, 4096, &mut payload);
    assert_eq!(payload, secret);

    // ... and after the trim the key is nowhere, on any disk that a power loss may leave.
    Collected::default().drain(&mut consumer).unwrap();
    for crashed in (0..200).map(|seed| disk.crash(seed)).chain([disk.clone()]) {
        for name in names(&crashed, "") {
            let bytes = crashed.bytes(&dir().join(&name)).unwrap();
            let has_key = bytes.windows(32).any(|window| window == header.key);
            assert!(!has_key && !shows(&bytes), "{name}");
            // The old ciphertext may be there; every key that is left turns it into noise.
            let Head::Segment(left) = decode_head(&bytes) else { continue };
            let mut payload = bytes[4096 + 32..].to_vec();
            apply_keystream(&left.key, 4096, &mut payload);
            assert_ne!(left.tag, header.tag);
        }
    }
}

#[test]
fn no_key_stream_is_used_twice() {
    // The same frames, over and over through the same files: were a key stream used twice, equal
    // bytes would stand at equal places.
    let disk = CrashDisk::new(3);
    let producer = produce(&disk.as_process(10)).unwrap();
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    let mut seen = std::collections::BTreeSet::new();
    let mut keys = std::collections::BTreeSet::new();
    for round in 0..40 {
        if round % 5 == 0 {
            disk.fail_nth(Some(Call::Sync), 1, Fail::Once, 5);
        }
        for _ in 0..3 {
            let seq = producer.append(&[0; 1000]).unwrap();
            producer.commit(seq, Level::Spooled).unwrap();
        }
        for name in names(&disk, "seg-") {
            let bytes = disk.bytes(&dir().join(&name)).unwrap();
            if let Head::Segment(header) = decode_head(&bytes)
                && keys.insert(header.key)
            {
                // A frame of zeros is its key stream.
                assert!(seen.insert(bytes[4096 + 32..4096 + 64].to_vec()));
            }
        }
        store.drain(&mut consumer).unwrap();
    }
    assert!(keys.len() > 15, "{} uses of a file", keys.len());
}

#[test]
fn a_name_that_came_back_does_not_make_frames_free() {
    // A power loss may undo the rename by which a file was claimed: the name says free, the
    // contents are acknowledged frames.
    let disk = CrashDisk::new(4);
    let producer = produce(&disk.as_process(10)).unwrap();
    spool_frames(&producer, 2, 100);
    let id = producer.id();
    let name = names(&disk, "seg-").swap_remove(0);
    disk.kill(10);
    disk.rename(&dir().join(name), &dir().join("free-0000000000000000")).unwrap();
    let other = produce(&disk.as_process(11)).unwrap();
    spool_frames(&other, 3, 100);
    let found = recover(&disk);
    assert!(found.frames[&id].keys().copied().eq(0..2));
    assert!(found.frames[&other.id()].keys().copied().eq(0..3));
}

#[test]
fn a_full_directory_says_so_until_frames_are_acknowledged() {
    let disk = CrashDisk::new(5);
    let options = SpoolOptions { bytes_max: 3 * 8192, ..SMALL };
    let open =
        |pid| Producer::open(Arc::new(disk.as_process(pid)), &dir(), options, ORIGIN).unwrap();
    let producer = open(10);
    let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
    let mut store = Collected::default();
    for _ in 0..5 {
        let mut n_spooled = 0;
        let error = loop {
            let seq = producer.append(&frame(&producer.id(), producer.next_seq(), 1500)).unwrap();
            match producer.commit(seq, Level::Spooled) {
                Ok(()) => n_spooled += 1,
                Err(error) => break error,
            }
            assert!(n_spooled < 50);
        };
        assert!(matches!(error, SpoolError::Full { .. }) && error.is_full(), "{error}");
        store.drain(&mut consumer).unwrap();
        // Room again, for the frame that did not fit as well.
        producer.commit(producer.next_seq() - 1, Level::Spooled).unwrap();
        store.drain(&mut consumer).unwrap();
        assert_eq!(store.next_of(&producer.id()), producer.next_seq());
    }
    let bytes = place(&disk).state().unwrap().bytes;
    assert!(bytes <= options.bytes_max, "{bytes}");
}

#[test]
fn a_long_frame_gets_a_file_of_its_own_and_leaves_none() {
    let disk = CrashDisk::new(6);
    let options = SpoolOptions { bytes_max: 64 << 20, ..SMALL };
    let disk_of = |pid| Arc::new(disk.as_process(pid));
    let producer = Producer::open(disk_of(10), &dir(), options, ORIGIN).unwrap();
    let mut sizes = vec![10, 8192, 5, super::super::FRAME_BYTES_MAX, 7];
    sizes.extend([4000, 4064, 4096, 4097]);
    for n_bytes in &sizes {
        let seq = producer.append(&vec![0x77; *n_bytes]).unwrap();
        producer.commit(seq, Level::Spooled).unwrap();
    }
    let error = producer.append(&vec![0; super::super::FRAME_BYTES_MAX + 1]).unwrap_err();
    assert!(matches!(error, SpoolError::FrameTooLong { .. }));
    assert!(place(&disk).state().unwrap().bytes > 17 << 20);
    let mut consumer = Consumer::try_open(disk_of(20), &dir(), options, ORIGIN).unwrap().unwrap();
    let mut store = Collected::default();
    store.drain(&mut consumer).unwrap();
    let got: Vec<usize> = store.frames[&producer.id()].values().map(Vec::len).collect();
    assert_eq!(got, sizes);
    assert!(place(&disk).state().unwrap().bytes < 100 << 10, "long files are removed");
}

#[test]
fn a_file_whose_name_was_never_durable_is_not_used_again() {
    // A producer dies between making a file and syncing the directory. Were the file recycled,
    // a power loss could take its name, and with it the frames of whoever uses it now.
    let mut n_unfinished = 0;
    for n in 0..40 {
        let disk = CrashDisk::new(n);
        place(&disk);
        // The process dies at its n-th call, the kernel lives.
        disk.cut_at(n);
        if let Ok(producer) = produce(&disk.as_process(10)) {
            producer.append(b"x").unwrap();
            drop(producer.commit(0, Level::Spooled));
        }
        let disk = disk.after_kill();
        n_unfinished += usize::from(!names(&disk, "seg-").is_empty());
        let producer = produce(&disk.as_process(11)).unwrap();
        let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
        let mut store = Collected::default();
        store.drain(&mut consumer).unwrap();
        spool_frames(&producer, 2, 10);
        for seed in 0..50 {
            let found = recover_from(&disk.crash(seed), store.clone());
            assert_eq!(found.frames[&producer.id()].len(), 2, "cut at {n}, seed {seed}");
        }
    }
    assert!(n_unfinished > 3, "{n_unfinished}");
}

#[test]
fn the_end_of_a_recycled_segment_is_plain() {
    // Stale bytes behind the last frame must not look like damage: of a commit that the power cut
    // short, what is found is frames, a frame that was begun, or nothing. (Lengths are such that
    // no frame ends with a sector; there the mark behind it may be lost alone.)
    let mut n_torn = 0;
    for n_spooled in 0..4 {
        let disk = CrashDisk::new(n_spooled);
        let producer = produce(&disk.as_process(10)).unwrap();
        let mut consumer = consume(&disk.as_process(20)).unwrap().unwrap();
        let mut store = Collected::default();
        churn(&producer, &mut consumer, &mut store, 6);
        // A new producer gets a file that was full of frames.
        let producer = produce(&disk.as_process(11)).unwrap();
        assert!(!names(&disk, "free-").is_empty());
        spool_frames(&producer, n_spooled, 37);
        for _ in 0..3 {
            producer.append(&[1; 1000]).unwrap();
        }
        producer.commit(n_spooled + 2, Level::Written).unwrap();
        for seed in 0..400 {
            let found = recover_from(&disk.crash(seed), store.clone());
            let n_found = found.frames.get(&producer.id()).map_or(0, BTreeMap::len) as u64;
            assert!(n_found >= n_spooled);
            for (id, seq_from, seq_to) in &found.quarantined {
                assert!(*id == producer.id() && *seq_from >= Some(n_spooled));
                assert!(seq_to.is_some(), "stale bytes taken for damage");
                n_torn += 1;
            }
        }
    }
    assert!(n_torn > 100, "{n_torn}");
}
