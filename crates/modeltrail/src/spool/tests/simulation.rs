//! Random histories of several processes, cut anywhere, and every kind of state a power loss or
//! a kill may leave. What was acknowledged must come back: acked ⊆ recovered ⊆ issued, in order
//! per producer, no byte changed.

use super::*;
use crate::disk::crash::{Call, Fail, SplitMix};

/// States to be checked in one run of the tests, unless [`N_STATES_VAR`] says otherwise.
const N_STATES: u64 = 100_000;
/// For longer searches: how many states. The default takes seconds, a million a minute or two.
const N_STATES_VAR: &str = "MODELTRAIL_CRASH_STATES";
/// Crash states drawn from each point at which the power goes.
const N_CRASHES: u64 = 24;
/// Lives of the machine in one history: each begins on a disk that the one before left.
const N_EPOCHS: u64 = 6;
const N_PROCESSES: usize = 3;

type Numbers = BTreeMap<ProducerId, u64>;

/// What a run has met, so that it can be seen to have met enough.
#[derive(Clone, Copy, Debug, Default)]
struct Met {
    n_states: u64,
    n_read_twice: u64,
    n_frames: u64,
    n_torn: u64,
    n_promised: u64,
    n_sequenced: u64,
    n_failures: u64,
}

impl Met {
    fn plus(self, other: Self) -> Self {
        Self {
            n_states: self.n_states + other.n_states,
            n_read_twice: self.n_read_twice + other.n_read_twice,
            n_frames: self.n_frames + other.n_frames,
            n_torn: self.n_torn + other.n_torn,
            n_promised: self.n_promised + other.n_promised,
            n_sequenced: self.n_sequenced + other.n_sequenced,
            n_failures: self.n_failures + other.n_failures,
        }
    }
}

/// The disk, and what the processes on it were promised.
struct World {
    disk: CrashDisk,
    random: SplitMix,
    pid: u32,
    issued: BTreeMap<ProducerId, BTreeMap<u64, Vec<u8>>>,
    /// Per producer: every frame below was acknowledged as written.
    written: Numbers,
    /// Per producer: every frame below was acknowledged as spooled.
    spooled: Numbers,
    store: Collected,
    met: Met,
    seed: u64,
    life: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            disk: CrashDisk::new(seed),
            random: SplitMix(seed ^ 0x5eed),
            pid: 1,
            issued: BTreeMap::new(),
            written: Numbers::new(),
            spooled: Numbers::new(),
            store: Collected::default(),
            met: Met::default(),
            seed,
            life: 0,
        }
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.random.below(n) == 0
    }

    fn new_pid(&mut self) -> u32 {
        self.pid += 1;
        self.pid
    }

    /// One life of the machine. What it leaves is on `self.disk`, the power still on.
    fn live(&mut self) {
        if !self.one_in(8) {
            let at = self.random.below(1200);
            self.disk.cut_at(at);
        }
        let mut producers: Vec<Option<(u32, Producer)>> = (0..N_PROCESSES).map(|_| None).collect();
        let mut consumer: Option<(u32, Consumer)> = None;
        for _ in 0..20 + self.random.below(140) {
            self.trouble();
            if self.one_in(10) {
                self.sequence(&mut consumer);
                continue;
            }
            let at = self.random.below(N_PROCESSES as u64) as usize;
            let slot = &mut producers[at];
            if slot.is_none() {
                let pid = self.new_pid();
                *slot = produce(&self.disk.as_process(pid)).ok().map(|producer| (pid, producer));
            }
            if let Some((pid, producer)) = slot.take() {
                *slot = self.act(pid, producer);
            }
        }
        // Nobody gets to say goodbye: what a drop commits is not promised to anyone.
        for (pid, _) in producers.iter().flatten() {
            self.disk.kill(*pid);
        }
        if let Some((pid, _)) = &consumer {
            self.disk.kill(*pid);
        }
    }

    /// Sometimes a call fails, once or until it is healed.
    fn trouble(&mut self) {
        self.met.n_failures += self.disk.n_failed();
        match self.random.below(64) {
            0 => {
                let call = [Call::Write, Call::Sync, Call::Dir, Call::Other, Call::Open];
                let call = call[self.random.below(5) as usize];
                let fail = if self.one_in(3) { Fail::ForEver } else { Fail::Once };
                let errno = if self.one_in(2) { 5 } else { 28 };
                self.disk.fail_nth(Some(call), self.random.below(4), fail, errno);
            }
            1..9 => self.disk.fail_nth(Some(Call::Read), u64::MAX, Fail::Once, 5),
            _ => {}
        }
    }

    fn act(&mut self, pid: u32, producer: Producer) -> Option<(u32, Producer)> {
        let id = producer.id();
        match self.random.below(32) {
            0 => {
                if producer.close().is_ok() {
                    self.promise(&id, producer.next_seq(), Level::Spooled);
                }
                self.disk.kill(pid);
                return None;
            }
            1 => {
                self.disk.kill(pid);
                return None;
            }
            2 => {
                let n_lost = 1 + self.random.below(3);
                let made = producer.append_gap(n_lost, |from, to| {
                    [&id[..], &from.to_be_bytes(), &to.to_be_bytes()].concat()
                });
                if let Ok(seq) = made {
                    let bytes =
                        [&id[..], &(seq - n_lost).to_be_bytes(), &(seq - 1).to_be_bytes()].concat();
                    self.issued.entry(id).or_default().insert(seq, bytes);
                }
            }
            3..12 => self.commit(&producer, Level::Spooled),
            12..16 => self.commit(&producer, Level::Written),
            _ => {
                let n_bytes = match self.random.below(24) {
                    0 => 4096 + self.random.below(9000),
                    1..4 => self.random.below(3000),
                    _ => self.random.below(400),
                };
                let bytes = frame(&id, producer.next_seq(), n_bytes as usize);
                if let Ok(seq) = producer.append(&bytes) {
                    self.issued.entry(id).or_default().insert(seq, bytes);
                }
            }
        }
        Some((pid, producer))
    }

    fn commit(&mut self, producer: &Producer, level: Level) {
        let Some(last) = producer.next_seq().checked_sub(1) else { return };
        let seq = last - self.random.below(3).min(last);
        if producer.commit(seq, level).is_ok() {
            self.promise(&producer.id(), seq + 1, level);
        }
    }

    fn promise(&mut self, id: &ProducerId, below_seq: u64, level: Level) {
        if level == Level::Spooled {
            let seq = self.spooled.entry(*id).or_insert(0);
            *seq = (*seq).max(below_seq);
        }
        let seq = self.written.entry(*id).or_insert(0);
        *seq = (*seq).max(below_seq);
    }

    /// The sequencer takes a batch, or another process takes its place.
    fn sequence(&mut self, slot: &mut Option<(u32, Consumer)>) {
        if self.one_in(12)
            && let Some((pid, consumer)) = slot.take()
        {
            self.disk.kill(pid);
            drop(consumer);
        }
        if slot.is_none() {
            let pid = self.new_pid();
            *slot = consume(&self.disk.as_process(pid)).ok().flatten().map(|found| (pid, found));
        }
        if let Some((pid, mut consumer)) = slot.take_if(|_| self.random.below(8) == 0) {
            // It dies with a batch in its hands, before the store has it.
            drop(consumer.next_batch(8, 1 << 20, |producer| self.store.next_of(producer)));
            self.disk.kill(pid);
        }
        if let Some((_, consumer)) = slot {
            let n_max = 1 + self.random.below(20) as usize;
            // An error here is trouble that was asked for; what must hold is checked afterwards.
            drop(self.store.step(consumer, n_max));
        }
    }

    /// What a fresh sequencer finds on a disk, against what was promised below `promised`.
    fn check(&self, disk: &CrashDisk, promised: &Numbers) -> Collected {
        let found = recover_from(disk, self.store.clone());
        for (id, frames) in &found.frames {
            let issued = self.issued.get(id).expect("a producer that never was");
            for (seq, bytes) in frames {
                assert_eq!(issued.get(seq), Some(bytes), "frame {seq} is not the one issued");
            }
        }
        for (id, below_seq) in promised {
            let issued = self.issued.get(id).into_iter().flatten();
            for (seq, _) in issued.take_while(|(seq, _)| *seq < below_seq) {
                let got = found.frames.get(id).is_some_and(|frames| frames.contains_key(seq));
                let (seed, life) = (self.seed, self.life);
                assert!(got, "seed {seed}, life {life}: frame {seq} below {below_seq} is lost");
            }
        }
        for (id, seq_from, seq_to) in &found.quarantined {
            // Torn tails are reported; nothing here is damaged otherwise.
            assert!(self.issued.contains_key(id), "a file was quarantined");
            let ordered = seq_to.is_none_or(|seq_to| Some(seq_to) >= *seq_from);
            assert!(seq_from.is_some() && ordered, "{seq_from:?} to {seq_to:?}");
        }
        let n_told = found.ended.len() - self.store.ended.len();
        let told: std::collections::BTreeSet<_> =
            found.ended.iter().rev().take(n_told).map(|(id, _)| id).collect();
        assert_eq!(told.len(), n_told, "an end was told twice");
        found
    }
}

fn n_frames(of: &Collected) -> u64 {
    of.frames.values().map(|frames| frames.len() as u64).sum()
}

/// One history, and what it met.
fn history(seed: u64) -> Met {
    let mut world = World::new(seed);
    for _ in 0..N_EPOCHS {
        world.life += 1;
        world.live();
        world.check(&world.disk.after_kill(), &world.written);
        for _ in 0..N_CRASHES {
            let crashed = world.disk.crash(world.random.next());
            let found = world.check(&crashed, &world.spooled);
            world.met.n_states += 1;
            world.met.n_frames += n_frames(&found) - n_frames(&world.store);
            world.met.n_torn += (found.quarantined.len() - world.store.quarantined.len()) as u64;
            if world.one_in(8) {
                // What was acknowledged stays away, and an emptied spool holds no segment.
                let again = recover_from(&crashed, found.clone());
                assert_eq!(again.frames, found.frames);
                assert_eq!(names(&crashed, "seg-"), Vec::<String>::new());
                world.met.n_read_twice += 1;
            }
        }
        let seed = world.random.next();
        if world.one_in(4) {
            world.disk = world.disk.after_kill();
        } else {
            world.disk = world.disk.crash(seed);
            world.written = world.spooled.clone();
        }
    }
    world.met.n_promised = world.spooled.values().sum();
    world.met.n_sequenced = n_frames(&world.store);
    world.met
}

#[test]
fn nothing_acknowledged_is_lost_in_any_state() {
    let n_workers = 2;
    let wanted = std::env::var(N_STATES_VAR).map(|n| n.parse().expect("a number of states"));
    let n_states = wanted.unwrap_or(N_STATES);
    let n_histories = n_states.div_ceil(N_CRASHES * N_EPOCHS);
    let met = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..n_workers)
            .map(|worker| {
                let seeds = (0..n_histories).filter(move |seed| seed % n_workers == worker);
                scope.spawn(move || seeds.map(history).fold(Met::default(), Met::plus))
            })
            .collect();
        let met = workers.into_iter().map(|worker| worker.join().unwrap());
        met.fold(Met::default(), Met::plus)
    });
    println!("crash states: {met:?}");
    assert!(met.n_states >= n_states);
    // A simulation in which nothing happens proves nothing.
    assert!(met.n_frames > 2 * n_states && met.n_torn > n_states / 50);
    assert!(met.n_failures > n_states / 50 && met.n_promised > n_states / 5);
    assert!(met.n_sequenced > n_states / 5);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20))]
    #[test]
    fn any_seed_will_do(seed: u64) {
        history(seed);
    }
}
