//! Tests of the spool.

mod damage;
mod failures;
mod format;
mod real;
mod recycling;
mod rules;
mod simulation;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Consumer, Item, Level, Place, Producer, ProducerId, SpoolError, SpoolOptions};
use crate::disk::Disk;
use crate::disk::crash::CrashDisk;

const ORIGIN: [u8; 32] = [7; 32];

/// Segments so small that a few frames fill one: every boundary is met within a few steps.
const SMALL: SpoolOptions = SpoolOptions {
    segment_bytes: 8192,
    bytes_max: 1 << 20,
    pending_bytes_max: 64 << 10,
    poll_ms: 1,
};

fn dir() -> PathBuf {
    PathBuf::from("/spool")
}

fn produce(disk: &CrashDisk) -> Result<Producer, SpoolError> {
    Producer::open(Arc::new(disk.clone()), &dir(), SMALL, ORIGIN)
}

fn consume(disk: &CrashDisk) -> Result<Option<Consumer>, SpoolError> {
    Consumer::try_open(Arc::new(disk.clone()), &dir(), SMALL, ORIGIN)
}

fn place(disk: &CrashDisk) -> Place {
    Place::open(Arc::new(disk.clone()), &dir(), SMALL, ORIGIN).unwrap()
}

/// Names of the files whose name begins so.
fn names(disk: &CrashDisk, prefix: &str) -> Vec<String> {
    disk.list(&dir()).unwrap().into_iter().filter(|name| name.starts_with(prefix)).collect()
}

fn quarantined(disk: &CrashDisk) -> Vec<Vec<u8>> {
    let dir = dir().join("quarantine");
    let names = disk.list(&dir).unwrap_or_default();
    names.iter().map(|name| disk.bytes(&dir.join(name)).unwrap()).collect()
}

/// A frame whose bytes say whose it is and which, so that no two are alike.
fn frame(producer: &ProducerId, seq: u64, n_bytes: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(n_bytes + 24);
    bytes.extend(producer);
    bytes.extend(seq.to_be_bytes());
    bytes.extend((0..n_bytes).map(|at| (at as u64).wrapping_mul(31).wrapping_add(seq) as u8));
    bytes
}

/// What a store would have: per producer the next number and the frames.
#[derive(Clone, Debug, Default)]
struct Collected {
    next: BTreeMap<ProducerId, u64>,
    frames: BTreeMap<ProducerId, BTreeMap<u64, Vec<u8>>>,
    quarantined: Vec<(ProducerId, Option<u64>, Option<u64>)>,
    ended: Vec<(ProducerId, u64)>,
}

impl Collected {
    fn next_of(&self, producer: &ProducerId) -> u64 {
        self.next.get(producer).copied().unwrap_or(0)
    }

    /// Takes a batch as a store does; a number at or below one it has is a fault of the spool.
    fn take(&mut self, items: Vec<Item>) {
        for item in items {
            match item {
                Item::Frame { producer, seq, bytes, .. } => {
                    let next = self.next.entry(producer).or_insert(0);
                    assert!(seq >= *next, "frame {seq} handed out after {next}");
                    *next = seq + 1;
                    self.frames.entry(producer).or_default().insert(seq, bytes);
                }
                Item::Quarantined { producer, seq_from, seq_to, file } => {
                    assert!(!file.is_empty());
                    self.quarantined.push((producer, seq_from, seq_to));
                    if let Some(seq_to) = seq_to {
                        let next = self.next.entry(producer).or_insert(0);
                        *next = (*next).max(seq_to + 1);
                    }
                }
                Item::Ended { producer, next_seq } => self.ended.push((producer, next_seq)),
            }
        }
    }

    /// One batch taken and acknowledged; the number of items.
    fn step(&mut self, consumer: &mut Consumer, n_max: usize) -> Result<usize, SpoolError> {
        let next = self.next.clone();
        let items = consumer
            .next_batch(n_max, 1 << 20, |producer| next.get(producer).copied().unwrap_or(0))?;
        let n = items.len();
        let mut acks: BTreeMap<ProducerId, u64> = BTreeMap::new();
        for item in &items {
            match item {
                Item::Frame { producer, seq, .. } => acks.insert(*producer, seq + 1),
                Item::Ended { producer, next_seq } => acks.insert(*producer, *next_seq),
                Item::Quarantined { .. } => None,
            };
        }
        self.take(items);
        for (producer, next_seq) in acks {
            consumer.ack(&producer, next_seq)?;
        }
        Ok(n)
    }

    /// Takes until three batches in a row are empty: enough for the second look at what a living
    /// producer left unfinished.
    fn drain(&mut self, consumer: &mut Consumer) -> Result<(), SpoolError> {
        let mut n_empty = 0;
        let mut n_batches = 0;
        while n_empty < 3 {
            n_empty = if self.step(consumer, 16)? == 0 { n_empty + 1 } else { 0 };
            n_batches += 1;
            assert!(n_batches < 10_000, "the spool never runs dry");
        }
        Ok(())
    }
}

/// What a disk holds, read by a sequencer of its own.
fn recover(disk: &CrashDisk) -> Collected {
    recover_from(disk, Collected::default())
}

fn recover_from(disk: &CrashDisk, mut store: Collected) -> Collected {
    let mut consumer = consume(disk).unwrap().unwrap();
    store.drain(&mut consumer).unwrap();
    store
}

fn spool_frames(producer: &Producer, n: u64, n_bytes: usize) {
    for _ in 0..n {
        let seq = producer.append(&frame(&producer.id(), producer.next_seq(), n_bytes)).unwrap();
        producer.commit(seq, Level::Spooled).unwrap();
    }
}
