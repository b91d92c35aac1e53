//! The machine's own file system, threads and processes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use super::super::{FRAME_BYTES_MAX, peek};
use super::*;

const OPTIONS: SpoolOptions = SpoolOptions {
    segment_bytes: 64 << 10,
    bytes_max: 64 << 20,
    pending_bytes_max: 256 << 10,
    poll_ms: 1,
};

fn open(dir: &std::path::Path) -> Producer {
    Producer::open_dir(dir, OPTIONS, ORIGIN).unwrap()
}

fn sequencer(dir: &std::path::Path) -> Option<Consumer> {
    Consumer::try_open_dir(dir, OPTIONS, ORIGIN).unwrap()
}

#[test]
fn everything_arrives_once_from_many_threads() {
    const N_PRODUCERS: usize = 3;
    const N_THREADS: usize = 8;
    const N_FRAMES: usize = 300;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("deep/spool");
    let producers: Vec<Producer> = (0..N_PRODUCERS).map(|_| open(&dir)).collect();
    let mut consumer = sequencer(&dir).unwrap();
    let mut store = Collected::default();
    std::thread::scope(|scope| {
        for producer in &producers {
            for thread in 0..N_THREADS {
                scope.spawn(move || {
                    for n in 0..N_FRAMES {
                        let text = format!("{thread}/{n}/{}", "x".repeat(n * 3));
                        let seq = producer.append(text.as_bytes()).unwrap();
                        let level = if n % 3 == 0 { Level::Written } else { Level::Spooled };
                        producer.commit(seq, level).unwrap();
                        assert!(level == Level::Written || producer.durable_seq() > seq);
                    }
                });
            }
        }
        let all = |store: &Collected| {
            store.frames.values().map(BTreeMap::len).sum::<usize>()
                == N_PRODUCERS * N_THREADS * N_FRAMES
        };
        while !all(&store) {
            if store.step(&mut consumer, 500).unwrap() == 0 {
                consumer.wait(Duration::from_secs(5));
            }
        }
    });
    for producer in &producers {
        let frames = &store.frames[&producer.id()];
        assert!(frames.keys().copied().eq(0..(N_THREADS * N_FRAMES) as u64));
        let mut texts: Vec<&[u8]> = frames.values().map(Vec::as_slice).collect();
        texts.sort_unstable();
        texts.dedup();
        assert_eq!(texts.len(), N_THREADS * N_FRAMES);
        assert_eq!(producer.acked_seq().unwrap(), producer.next_seq());
        producer.close().unwrap();
    }
    assert_eq!(store.quarantined, []);
    store.drain(&mut consumer).unwrap();
    assert_eq!(store.ended.len(), N_PRODUCERS);
    let state = peek(&dir).unwrap();
    assert_eq!((state.n_segments, state.n_quarantined), (0, 0));
    assert!(state.n_free > 0 && state.bytes == state.n_free * OPTIONS.segment_bytes);
    // 24 threads wrote some 11 MB; nothing near that stays.
    assert!(state.bytes < 8 << 20, "{state:?}");
}

#[test]
fn a_second_sequencer_waits_its_turn() {
    let dir = tempfile::tempdir().unwrap();
    let first = sequencer(dir.path()).unwrap();
    assert!(sequencer(dir.path()).is_none());
    assert!(sequencer(&dir.path().join(".")).is_none());
    assert!(first.holds_lock().unwrap());
    drop(first);
    let second = sequencer(dir.path()).unwrap();
    assert!(sequencer(dir.path()).is_none());
    drop(second);
    assert!(sequencer(dir.path()).is_some());
}

#[test]
fn the_longest_frame_passes() {
    let dir = tempfile::tempdir().unwrap();
    let producer = open(dir.path());
    let long: Vec<u8> = (0..FRAME_BYTES_MAX).map(|at| (at % 251) as u8).collect();
    for bytes in [&b"short"[..], &long, &b"short"[..]] {
        let seq = producer.append(bytes).unwrap();
        producer.commit(seq, Level::Spooled).unwrap();
    }
    let mut consumer = sequencer(dir.path()).unwrap();
    let mut store = Collected::default();
    store.drain(&mut consumer).unwrap();
    assert!(store.frames[&producer.id()][&1] == long);
}

#[test]
fn files_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("spool");
    let producer = open(&dir);
    producer.append(b"x").unwrap();
    producer.commit(0, Level::Spooled).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&dir) & 0o777, 0o700);
    for entry in std::fs::read_dir(&dir).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()) & 0o777, 0o600);
    }
}

#[test]
fn the_state_of_no_directory_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(peek(&dir.path().join("none")).unwrap(), Default::default());
}

const CHILD_DIR: &str = "MODELTRAIL_TEST_SPOOL";

/// Not a test of its own: what the child of the tests below does, until it is killed.
#[test]
#[ignore = "runs as a child process of other tests"]
fn child() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let producer = open(dir.as_ref());
    let mut out = std::io::stdout().lock();
    writeln!(out, "id {}", super::super::names::hex(&producer.id())).unwrap();
    loop {
        let seq = producer.append(&frame(&producer.id(), producer.next_seq(), 300)).unwrap();
        producer.commit(seq, Level::Written).unwrap();
        writeln!(out, "written {seq}").unwrap();
        out.flush().unwrap();
    }
}

fn spawn_child(dir: &std::path::Path) -> std::process::Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "spool::tests::real::child", "--ignored", "--nocapture"])
        .env(CHILD_DIR, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Reads the child's reports until it has written that many frames; the last number.
fn read_reports(lines: &mut impl Iterator<Item = String>, n: u64) -> u64 {
    lines
        .filter_map(|line| line.strip_prefix("written ").and_then(|seq| seq.parse().ok()))
        .find(|seq| *seq + 1 >= n)
        .unwrap()
}

#[test]
fn a_killed_process_leaves_all_it_has_written_and_its_end_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..5 {
        let mut child = spawn_child(dir.path());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut last = read_reports(&mut lines, 50);

        // Alive: read beside it, from this process, without its end being seen.
        let mut consumer = sequencer(dir.path()).unwrap();
        let mut store = Collected::default();
        while store.frames.values().all(|frames| frames.len() < 100) {
            store.step(&mut consumer, 64).unwrap();
            last = last.max(read_reports(&mut lines, last + 1));
        }
        assert_eq!(store.ended, [], "round {round}");

        child.kill().unwrap();
        child.wait().unwrap();
        last = lines
            .filter_map(|line| line.strip_prefix("written ")?.parse().ok())
            .fold(last, u64::max);
        store.drain(&mut consumer).unwrap();
        let (id, frames) = store.frames.first_key_value().unwrap();
        assert!(frames.len() as u64 > last, "{} of {last}", frames.len());
        assert!(frames.keys().copied().eq(0..frames.len() as u64));
        assert!(frames.iter().all(|(seq, bytes)| *bytes == frame(id, *seq, 300)));
        assert_eq!(store.ended, [(*id, frames.len() as u64)]);
        assert_eq!(store.quarantined, []);
    }
}

#[test]
fn producers_of_one_process_do_not_drop_each_others_locks() {
    // POSIX drops a lock when any descriptor of its file is closed, so a sequencer must not look
    // at the locks of its own process by opening them.
    let dir = tempfile::tempdir().unwrap();
    let producers: Vec<Producer> = (0..4).map(|_| open(dir.path())).collect();
    let mut consumer = sequencer(dir.path()).unwrap();
    let mut store = Collected::default();
    for producer in &producers {
        producer.append(b"x").unwrap();
        producer.commit(0, Level::Spooled).unwrap();
    }
    for _ in 0..5 {
        store.drain(&mut consumer).unwrap();
    }
    assert_eq!(store.ended, []);
    let child = spawn_child(dir.path());
    drop(consumer);
    // The kernel's own list of locks: four producers' are still there.
    let locks = std::fs::read_to_string("/proc/locks").unwrap_or_default();
    if !locks.is_empty() {
        let pid = std::process::id().to_string();
        let ours = locks.lines().filter(|line| line.split_whitespace().any(|word| word == pid));
        assert!(ours.count() >= 4, "{locks}");
    }
    let mut child = child;
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_commit_and_an_ack_wake_whoever_waits_for_them() {
    // Nothing is polled within the time of this test: a wake-up that is lost ends it.
    const N_ROUNDS: u64 = 1000;
    let options = SpoolOptions { poll_ms: 600_000, ..OPTIONS };
    let long = Duration::from_secs(60);
    let dir = tempfile::tempdir().unwrap();
    let producer = Producer::open_dir(dir.path(), options, ORIGIN).unwrap();
    let mut consumer = Consumer::try_open_dir(dir.path(), options, ORIGIN).unwrap().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..N_ROUNDS {
                let seq = producer.append(b"ping").unwrap();
                producer.commit(seq, Level::Written).unwrap();
                assert!(producer.wait_acked(seq, long).unwrap(), "the ack of {seq} woke nobody");
            }
        });
        let mut next_seq = 0;
        while next_seq < N_ROUNDS {
            for item in consumer.next_batch(10, 1000, |_| 0).unwrap() {
                let Item::Frame { producer, seq, .. } = item else { panic!("only frames") };
                consumer.ack(&producer, seq + 1).unwrap();
                next_seq = seq + 1;
            }
            assert!(next_seq == N_ROUNDS || consumer.wait(long), "a commit woke nobody");
        }
    });
}
