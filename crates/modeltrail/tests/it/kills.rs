//! SIGKILL at random moments, again and again, over one ledger.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use modeltrail::Ack;

use crate::child::{Child, Task, was_issued};
use crate::place::{self, Place};

/// Processes that are killed.
const N_KILLS: usize = 200;

/// Most processes that record at the same moment; one of them is the sequencer.
const N_AT_ONCE_MAX: usize = 3;

/// A generator from the clock: the moments are random anyway.
struct Rng(u64);

impl Rng {
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Self(u64::from(now.subsec_nanos()) << 20 | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn task(no: usize, rng: &mut Rng) -> Task {
    // What is promised at `accepted` is nothing, so it is no part of this.
    let acks = [Ack::Written, Ack::Spooled, Ack::Sequenced];
    Task {
        no,
        n_threads: 1 + rng.below(4) as usize,
        ack: acks[rng.below(3) as usize],
        // One in five never sequences, and waits for others.
        sequence: rng.below(5) > 0,
        padding_bytes: [0, 100, 3000][rng.below(3) as usize],
    }
}

/// Starts children until there are so many, with at least one that may sequence.
fn fill(pool: &mut Vec<Child>, n_started: &mut usize, place: &Place, rng: &mut Rng) {
    let n_wanted = 1 + rng.below(N_AT_ONCE_MAX as u64) as usize;
    while pool.len() < n_wanted {
        let mut task = task(*n_started, rng);
        task.sequence |= !pool.iter().any(|child| child.task.sequence);
        *n_started += 1;
        pool.push(Child::start(task, &place.path()));
    }
    // One that does not sequence has nobody to wait for when the last that did was killed.
    if !pool.iter().any(|child| child.task.sequence) {
        let task = Task { sequence: true, ..task(*n_started, rng) };
        *n_started += 1;
        pool.push(Child::start(task, &place.path()));
    }
}

#[test]
fn two_hundred_kills_lose_and_double_nothing() {
    let began = Instant::now();
    let place = Place::new();
    let mut rng = Rng::new();
    let mut acked = BTreeSet::new();
    let mut pool: Vec<Child> = Vec::new();
    let (mut n_started, mut n_sequencers, mut n_together) = (0, 0, 0);
    for n_killed in 0..N_KILLS {
        let n_left = N_KILLS - n_killed;
        if pool.len() < n_left {
            fill(&mut pool, &mut n_started, &place, &mut rng);
        }
        n_together += usize::from(pool.len() > 1);
        let child = pool.swap_remove(rng.below(pool.len() as u64) as usize);
        child.wait_acks(1);
        // The moment of the kill, not something that is waited for.
        std::thread::sleep(Duration::from_micros(5_000 + rng.below(55_000)));
        n_sequencers += usize::from(child.is_sequencer());
        acked.append(&mut child.kill());
    }
    for child in pool {
        acked.append(&mut child.kill());
    }
    let killing = began.elapsed();
    place::drain(&place.ledger);
    let found = place::judge(&place.ledger, &acked);
    let invented: Vec<&String> = found.ids.iter().filter(|id| !was_issued(id, &acked)).collect();
    assert!(invented.is_empty(), "never issued: {invented:?}");
    assert_eq!(found.n_gaps.get("duplicate"), None, "no record came twice");
    assert_eq!(found.n_gaps.get("dropped"), None, "no record was passed over");
    assert_eq!(found.n_lost_producers, n_started, "each death is told of once");
    assert!(n_sequencers > N_KILLS / 10, "sequencers were among the killed: {n_sequencers}");
    eprintln!(
        "{n_started} processes killed ({n_sequencers} as the sequencer, {n_together} while others \
         recorded); {} records acknowledged, 0 lost, 0 doubled; {} more kept; {} numbers \
         quarantined; {} entries; {:.1} s killing, {:.1} s in all",
        acked.len(),
        found.ids.len() - acked.len(),
        found.n_gaps.get("quarantined").unwrap_or(&0),
        found.size,
        killing.as_secs_f64(),
        began.elapsed().as_secs_f64(),
    );
}
