//! A store that fails now and then, once or until it is repaired, before or after it did what was
//! asked: nothing is lost and nothing is doubled.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::SignatureLine;
use modeltrail_core::query::Cursor;
use modeltrail_core::verify::Finding;

use super::*;
use crate::store::{EachCheckpoint, EachLeaf, UsageQuery, UsageRow, VerifyItem};

/// What a sequencer asks of a store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Call {
    Append,
    Producer,
    FindRequest,
    Get,
    Tip,
}

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    /// Once, before anything was done.
    Once,
    /// From then on, until it is repaired.
    UntilRepaired,
    /// Once, when it was done already: the answer got lost.
    AfterDone,
    /// As before, and the store does not say how it ended until it is repaired.
    AfterDoneAndSilent,
}

#[derive(Debug)]
struct Plan {
    call: Call,
    how: How,
    /// Calls that still succeed.
    n_before: u32,
    n_failed: u32,
    silent: bool,
    repaired: bool,
}

#[derive(Clone)]
struct Faults(Arc<Mutex<Plan>>);

impl Faults {
    fn new(call: Call, how: How, n_before: u32) -> Self {
        Self(Arc::new(Mutex::new(Plan {
            call,
            how,
            n_before,
            n_failed: 0,
            silent: false,
            repaired: false,
        })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Plan) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn repair(&self) {
        self.with(|plan| {
            plan.repaired = true;
            plan.silent = false;
        });
    }

    fn n_failed(&self) -> u32 {
        self.with(|plan| plan.n_failed)
    }

    /// Runs a call, or fails as planned.
    fn call<T>(
        &self,
        call: Call,
        done: impl FnOnce() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let how = self.with(|plan| {
            if plan.silent {
                return Some(How::UntilRepaired);
            }
            if plan.call != call || plan.repaired {
                return None;
            }
            if plan.n_before > 0 {
                plan.n_before -= 1;
                return None;
            }
            let again = plan.how == How::UntilRepaired;
            if plan.n_failed > 0 && !again {
                return None;
            }
            plan.n_failed += 1;
            Some(plan.how)
        });
        match how {
            None => return done(),
            Some(How::Once | How::UntilRepaired) => {}
            Some(How::AfterDone) => drop(done()?),
            Some(How::AfterDoneAndSilent) => {
                drop(done()?);
                self.with(|plan| plan.silent = true);
            }
        }
        let source = std::io::Error::other("planned");
        Err(StoreError::Io { path: PathBuf::from("store"), source })
    }
}

/// A store behind faults.
struct Faulty {
    inner: Box<dyn Store>,
    faults: Faults,
}

impl Store for Faulty {
    fn origin(&self) -> &str {
        self.inner.origin()
    }
    fn another(&self) -> Result<Box<dyn Store>, StoreError> {
        self.inner.another()
    }
    fn tip(&self) -> Result<Tip, StoreError> {
        self.faults.call(Call::Tip, || self.inner.tip())
    }
    fn append(&mut self, batch: &Batch, expected: &Head) -> Result<(), StoreError> {
        let inner = &mut self.inner;
        self.faults.call(Call::Append, || inner.append(batch, expected))
    }
    fn producer(&self, producer: &[u8; 16]) -> Result<ProducerState, StoreError> {
        self.faults.call(Call::Producer, || self.inner.producer(producer))
    }
    fn in_one_read(
        &self,
        reads: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.inner.in_one_read(reads)
    }
    fn find_request(&self, request_id: &str) -> Result<Option<u64>, StoreError> {
        self.faults.call(Call::FindRequest, || self.inner.find_request(request_id))
    }
    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        self.faults.call(Call::Get, || self.inner.get(index))
    }
    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        self.inner.scan(query, oldest_first, limit)
    }
    fn usage(&self, query: &UsageQuery, row: &mut dyn FnMut(UsageRow)) -> Result<(), StoreError> {
        self.inner.usage(query, row)
    }
    fn term(&self, term: u32) -> Result<String, StoreError> {
        self.inner.term(term)
    }
    fn verify_scan(
        &self,
        range: Range<u64>,
        item: &mut dyn FnMut(VerifyItem<'_>),
    ) -> Result<(), StoreError> {
        self.inner.verify_scan(range, item)
    }
    fn strays(&self, size: u64) -> Result<crate::store::Strays, StoreError> {
        self.inner.strays(size)
    }
    fn verify_indexes(&self) -> Result<Vec<Finding>, StoreError> {
        self.inner.verify_indexes()
    }
    fn verify_tiles(&self) -> Result<Vec<Finding>, StoreError> {
        self.inner.verify_tiles()
    }
    fn leaves(&self, range: Range<u64>, each: &mut EachLeaf<'_>) -> Result<(), StoreError> {
        self.inner.leaves(range, each)
    }
    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        self.inner.leaf_hashes(range)
    }
    fn tile(&self, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        self.inner.tile(level, n)
    }
    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        self.inner.tile_roots(level, range)
    }
    fn checkpoint(&self, at_most: Option<u64>) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.inner.checkpoint(at_most)
    }
    fn checkpoints(
        &self,
        range: Range<u64>,
        each: &mut EachCheckpoint<'_>,
    ) -> Result<(), StoreError> {
        self.inner.checkpoints(range, each)
    }
    fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        self.inner.put_checkpoint(checkpoint)
    }
    fn add_signature(&mut self, size: u64, line: &SignatureLine) -> Result<(), StoreError> {
        self.inner.add_signature(size, line)
    }
}

/// A sequencer whose store fails as planned.
fn faulty(place: &Place, faults: &Faults) -> Sequencer {
    let mut sequencer = place.sequencer();
    let inner = place.ledger.open_write().unwrap();
    sequencer.store = Box::new(Faulty { inner, faults: faults.clone() });
    sequencer
}

/// Three producers, records, duplicates within and across batches, conflicts and poison; one of
/// the producers dies, and what it held is handed out in another round.
fn scenario(place: &Place, faults: &Faults) {
    let [first, second, third] = [place.producer(), place.producer(), place.producer()];
    let mut sequencer = None;
    for round in 0..3 {
        for n in 0..4 {
            place.append(&first, record(round * 10 + n));
        }
        if round < 2 {
            for n in 2..6 {
                place.append(&second, record(round * 10 + n));
            }
            commit(&second);
        }
        place.append(&third, record(0));
        place.append(&third, record(round).user_id(format!("later {round}")));
        third.append(b"poison").unwrap();
        commit(&first);
        commit(&third);
        go_on(place, faults, &mut sequencer);
        if round == 1 {
            // Without a closing entry; and the sequencer is another one from here on.
            second.close().unwrap();
            sequencer = None;
        }
    }
    faults.repair();
    place.append(&first, record(99));
    commit(&first);
    go_on(place, faults, &mut sequencer);
    for producer in [&first, &second, &third] {
        let (acked_seq, next_seq) = (producer.acked_seq().unwrap(), producer.next_seq());
        assert_eq!(acked_seq, next_seq, "{:?}", faults.0);
    }
    first.close().unwrap();
    third.close().unwrap();
    go_on(place, faults, &mut sequencer);
    sequencer.unwrap().close().unwrap();
}

/// Steps as a recorder does: again after what passes, with a new sequencer after what does not.
fn go_on(place: &Place, faults: &Faults, sequencer: &mut Option<Sequencer>) {
    let mut n_failures = 0;
    loop {
        let active = sequencer.get_or_insert_with(|| faulty(place, faults));
        match active.step() {
            Ok(step) if step.n_taken == 0 => return,
            Ok(_) => {}
            Err(error) => {
                n_failures += 1;
                assert!(n_failures <= 4, "it never gets on: {error}");
                if !error.is_passing() {
                    *sequencer = None;
                }
                // As long as it takes somebody to repair it.
                if n_failures == 3 {
                    faults.repair();
                }
            }
        }
    }
}

/// What a ledger without any fault holds, but for what is random.
fn content(place: &Place) -> Vec<(u8, Vec<Vec<u8>>)> {
    let mut all: Vec<(u8, Vec<Vec<u8>>)> = place
        .entries()
        .into_iter()
        .filter(|entry| !Kind::from_code(entry.leaf.kind).unwrap().is_control())
        .map(|entry| {
            let parts = entry.parts.into_iter();
            // The MACs under the ledger's own random key differ from ledger to ledger.
            let parts = parts.filter(|part| part.id != PartId::Parties).map(|part| part.bytes);
            (entry.leaf.kind, parts.collect())
        })
        .collect();
    all.sort();
    all
}

/// How many numbers of frames gap entries cover, by reason.
fn covered(place: &Place) -> (u64, u64) {
    let mut sums = (0, 0);
    for gap in place.gaps() {
        let n: u64 = gap.ranges.iter().map(|(first, last)| last - first + 1).sum();
        match gap.reason {
            GapReason::Duplicate => sums.0 += n,
            GapReason::Quarantined => sums.1 += n,
            other => panic!("{other:?}"),
        }
    }
    sums
}

fn try_all(make: impl Fn() -> Place, n_max: u32) {
    let untouched = make();
    scenario(&untouched, &Faults::new(Call::Append, How::Once, u32::MAX));
    untouched.assert_clean();
    let (expected, expected_gaps) = (content(&untouched), covered(&untouched));
    assert_eq!((expected.len(), expected_gaps), (20, (7, 3)));
    let hows = [How::Once, How::UntilRepaired, How::AfterDone, How::AfterDoneAndSilent];
    for call in [Call::Append, Call::Producer, Call::FindRequest, Call::Get, Call::Tip] {
        let mut n_tried = 0;
        for how in hows {
            for n_before in 0..n_max {
                let place = make();
                let faults = Faults::new(call, how, n_before);
                scenario(&place, &faults);
                let context = format!("{call:?} {how:?} after {n_before}");
                assert_eq!(content(&place), expected, "{context}");
                assert_eq!(covered(&place), expected_gaps, "{context}");
                place.assert_clean();
                if faults.n_failed() == 0 {
                    break;
                }
                n_tried += 1;
            }
        }
        // A tip is asked for only after an append failed; the plan fails one kind of call.
        assert_eq!(n_tried > 0, call != Call::Tip, "{call:?}");
    }
}

#[test]
fn a_failing_memory_store_loses_and_doubles_nothing() {
    try_all(Place::memory, 30);
}

#[test]
fn a_failing_sqlite_store_loses_and_doubles_nothing() {
    // Each run is a dozen durable commits, so fewer places than in memory.
    try_all(Place::sqlite, 4);
}

#[test]
fn a_quarantine_that_cannot_be_written_holds_up_and_loses_nothing() {
    for place in Place::each() {
        let producer = place.producer();
        place.append(&producer, record(0));
        producer.append(b"poison").unwrap();
        place.append(&producer, record(1));
        commit(&producer);
        let mut sequencer = place.sequencer();
        let quarantine = place.spool().join("quarantine");
        drop(std::fs::remove_dir_all(&quarantine));
        std::fs::write(&quarantine, "a file is in the way").unwrap();
        for _ in 0..3 {
            let error = sequencer.step().unwrap_err();
            assert!(error.is_passing(), "{error}");
        }
        assert_eq!(place.entries().len(), 0);
        assert!(!is_acked(&producer, 0));
        std::fs::remove_file(&quarantine).unwrap();
        drain(&mut sequencer);
        assert_eq!(place.entries_of(Kind::Prediction).len(), 2);
        let name = format!("frame-{}-1", hex(&producer.id()));
        assert_eq!(std::fs::read(quarantine.join(name)).unwrap(), b"poison");
        assert_eq!(covered(&place), (0, 1));
        sequencer.close().unwrap();
        place.assert_clean();
    }
}

#[test]
fn an_anchor_that_cannot_be_written_is_written_when_it_can() {
    let place = Place::sqlite();
    let producer = place.producer();
    let mut sequencer = place.sequencer();
    place.append(&producer, record(0));
    commit(&producer);
    // A directory of the anchor's new name is in the way.
    let in_the_way = place.ledger.anchor_path().with_extension("new");
    std::fs::create_dir(&in_the_way).unwrap();
    let error = sequencer.step().unwrap_err();
    assert!(matches!(error, SequencerError::Anchor(_)) && error.is_passing(), "{error}");
    assert!(is_acked(&producer, 0), "it is in the store all the same");
    assert!(sequencer.step().is_err(), "it goes on saying so while nothing comes");
    std::fs::remove_dir(&in_the_way).unwrap();
    assert_eq!(sequencer.step().unwrap(), Step::default());
    assert_eq!(place.entries().len(), 1);
    place.assert_clean();
}
