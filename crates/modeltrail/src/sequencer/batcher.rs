//! From items of the spool to a batch: exactly once by (producer, number), one entry per request id.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use modeltrail_core::Frame;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::code::PartId;
use modeltrail_core::commitment;
use modeltrail_core::control::{Control, GapReason, ProducerEvent};
use modeltrail_core::hash::hex;
use modeltrail_core::record::{Header, Parties, Redacted};
use modeltrail_core::{Leaf, Record};

use super::intents::OpenIntents;
use super::{gap_control, producer_control};
use crate::clock;
use crate::proofs::{self, ProofsError};
use crate::spool::{Item, ProducerId};
use crate::store::{Batch, ProducerState, Store, StoreError};

/// What a batcher made.
pub(super) struct Done {
    pub(super) batch: Batch,
    pub(super) acks: Vec<(ProducerId, u64)>,
    pub(super) controls: Vec<Control>,
    pub(super) settled: Vec<Settled>,
    pub(super) n_duplicates: u64,
    pub(super) n_conflicts: u64,
}

/// The record of an intent that has none, to be written under the intent's record id.
pub(super) struct Settled {
    pub(super) record_id: [u8; 16],
    pub(super) record: Redacted<Record>,
    /// True when another record holds its request id.
    pub(super) is_conflict: bool,
}

impl Settled {
    /// As a frame, under the secret given.
    pub(super) fn frame(self, secret: [u8; 32]) -> Frame {
        let frame = Frame::new(self.record, self.record_id, secret);
        if self.is_conflict { frame.into_conflict() } else { frame }
    }
}

/// What is done with frames that the ledger has already, by producer and number.
#[derive(Clone, Copy)]
pub(super) enum Seen<'a> {
    /// Nothing: the spool may forget them.
    PassOver,
    /// They are held against their entries before it may: these, and the inclusion in the newest
    /// checkpoint where it covers them.
    Prove(Option<&'a SignedCheckpoint>),
}

/// Makes one batch.
pub(super) struct Batcher<'a> {
    batch: Batch,
    store: &'a dyn Store,
    known: &'a HashMap<ProducerId, ProducerState>,
    quarantine_dir: PathBuf,
    seen: Seen<'a>,
    /// True when the ledger goes on from another, which has the producers' earlier numbers.
    goes_on: bool,
    /// Request ids of this batch, with what their records are compared by.
    requests: HashMap<String, Option<String>>,
    touched: BTreeMap<ProducerId, ProducerState>,
    /// Behind the last number that was handed out, of each producer: with the batch, everything
    /// below is in the ledger, and the producer is told so although it may have been told before.
    handed_out: BTreeMap<ProducerId, u64>,
    gaps: BTreeMap<(ProducerId, GapReasonKey), Vec<(u64, u64)>>,
    controls: Vec<Control>,
    settled: Vec<Settled>,
    n_duplicates: u64,
    n_conflicts: u64,
}

/// [`GapReason`] with an order, so that gap entries come in a fixed one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum GapReasonKey {
    Duplicate,
    Quarantined,
    Epoch,
}

impl GapReasonKey {
    const fn reason(self) -> GapReason {
        match self {
            Self::Duplicate => GapReason::Duplicate,
            Self::Quarantined => GapReason::Quarantined,
            Self::Epoch => GapReason::Epoch,
        }
    }
}

/// What a caller's request id leads to.
enum Taken {
    Free,
    ByTheSame,
    ByAnother,
}

impl<'a> Batcher<'a> {
    pub(super) fn new(
        batch: Batch,
        store: &'a dyn Store,
        known: &'a HashMap<ProducerId, ProducerState>,
        spool_dir: &Path,
        seen: Seen<'a>,
    ) -> Self {
        Self {
            batch,
            store,
            known,
            quarantine_dir: spool_dir.join("quarantine"),
            seen,
            goes_on: false,
            requests: HashMap::new(),
            touched: BTreeMap::new(),
            handed_out: BTreeMap::new(),
            gaps: BTreeMap::new(),
            controls: Vec::new(),
            settled: Vec::new(),
            n_duplicates: 0,
            n_conflicts: 0,
        }
    }

    /// Producers' numbers before the first that is met are those of the epoch before.
    pub(super) const fn goes_on(&mut self) {
        self.goes_on = true;
    }

    pub(super) fn take(&mut self, item: &Item) -> Result<(), StoreError> {
        let (producer, behind) = match item {
            Item::Frame { producer, seq, .. } => (producer, Some(seq.saturating_add(1))),
            Item::Quarantined { producer, seq_to, .. } => {
                (producer, seq_to.map(|last| last.saturating_add(1)))
            }
            Item::Ended { producer, next_seq } => (producer, Some(*next_seq)),
        };
        if let Some(behind) = behind {
            let known = self.handed_out.entry(*producer).or_default();
            *known = behind.max(*known);
        }
        match item {
            Item::Frame { producer, seq, bytes, .. } => self.frame(*producer, *seq, bytes),
            Item::Quarantined { producer, seq_from, seq_to, file } => {
                tracing::error!(
                    producer = hex(producer),
                    file,
                    ?seq_from,
                    ?seq_to,
                    "the spool is damaged; the damaged bytes are in its quarantine"
                );
                // Numbers that are known to be lost; unknown ones show as a hole at the next frame.
                if let Some(last) = seq_to {
                    let first = self.state(producer)?.next_seq;
                    self.lose(*producer, first, *last, GapReasonKey::Quarantined)?;
                }
                Ok(())
            }
            Item::Ended { producer, next_seq } => self.ended(*producer, *next_seq),
        }
    }

    fn state(&mut self, producer: &ProducerId) -> Result<ProducerState, StoreError> {
        if let Some(state) = self.touched.get(producer) {
            return Ok(*state);
        }
        if let Some(state) = self.known.get(producer) {
            return Ok(*state);
        }
        self.store.producer(producer)
    }

    fn set_next(&mut self, producer: ProducerId, next_seq: u64) -> Result<(), StoreError> {
        let state = self.state(&producer)?;
        self.touched.insert(producer, ProducerState { next_seq, ..state });
        Ok(())
    }

    /// Notes numbers that become no entry.
    fn lose(
        &mut self,
        producer: ProducerId,
        first: u64,
        last: u64,
        reason: GapReasonKey,
    ) -> Result<(), StoreError> {
        if first > last {
            return Ok(());
        }
        let ranges = self.gaps.entry((producer, reason)).or_default();
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == first => *end = last,
            _ => ranges.push((first, last)),
        }
        self.set_next(producer, last.saturating_add(1))
    }

    fn frame(&mut self, producer: ProducerId, seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let next_seq = self.state(&producer)?.next_seq;
        if seq < next_seq {
            return self.seen(producer, seq, bytes);
        }
        let frame = match Frame::decode(bytes) {
            Ok(frame) => frame,
            Err(error) => return self.poison(producer, seq, bytes, &error.to_string()),
        };
        let control =
            frame.part(PartId::Control).and_then(|part| Control::read(frame.kind(), &part.bytes));
        if seq > next_seq && !covers(control.as_ref(), &producer, next_seq, seq - 1) {
            let reason = match self.goes_on && next_seq == 0 {
                true => GapReasonKey::Epoch,
                false => GapReasonKey::Quarantined,
            };
            self.lose(producer, next_seq, seq - 1, reason)?;
        }
        let frame = match self.request_id_of(&frame) {
            None => frame,
            Some((request_id, submitted)) => match self.taken(&request_id, submitted.as_deref())? {
                Taken::Free => {
                    self.requests.insert(request_id, submitted);
                    frame
                }
                Taken::ByTheSame => {
                    self.n_duplicates += 1;
                    return self.lose(producer, seq, seq, GapReasonKey::Duplicate);
                }
                Taken::ByAnother => {
                    self.n_conflicts += 1;
                    frame.into_conflict()
                }
            },
        };
        let closes = matches!(
            &control,
            Some(Control::Producer(p)) if p.event == ProducerEvent::Close && p.producer == hex(&producer)
        );
        self.batch.push(frame, producer, seq, clock::now_us());
        self.set_next(producer, seq + 1)?;
        if closes {
            self.touched.insert(producer, ProducerState { next_seq: seq + 1, ended: true });
        }
        Ok(())
    }

    /// The request id that must be unique, with what its record is compared by; `None` where the
    /// recorder assigned it or the kind has none.
    fn request_id_of(&self, frame: &Frame) -> Option<(String, Option<String>)> {
        if frame.request_id_assigned() || !frame.kind().has_unique_request_id() {
            return None;
        }
        let parties = Parties::of(frame.parts())?;
        let submitted = parties.submitted_mac.map(std::borrow::Cow::into_owned);
        Some((parties.request_id?.into_owned(), submitted))
    }

    fn taken(&self, request_id: &str, submitted: Option<&str>) -> Result<Taken, StoreError> {
        let compare = |there: Option<&str>| {
            if there.is_some() && there == submitted { Taken::ByTheSame } else { Taken::ByAnother }
        };
        if let Some(there) = self.requests.get(request_id) {
            return Ok(compare(there.as_deref()));
        }
        let Some(index) = self.store.find_request(request_id)? else { return Ok(Taken::Free) };
        let entry = self.store.get(index)?;
        let there = entry.as_ref().and_then(|entry| Parties::of(&entry.parts)).unwrap_or_default();
        Ok(compare(there.submitted_mac.as_deref()))
    }

    /// A frame that cannot be read is kept in the quarantine and does not stop the others.
    fn poison(
        &mut self,
        producer: ProducerId,
        seq: u64,
        bytes: &[u8],
        why: &str,
    ) -> Result<(), StoreError> {
        let path = self.put_aside(producer, seq, bytes)?;
        tracing::error!(file = %path.display(), why, "a frame cannot be read; it was put aside");
        let next_seq = self.state(&producer)?.next_seq;
        self.lose(producer, next_seq, seq, GapReasonKey::Quarantined)
    }

    /// Keeps a frame in the quarantine.
    fn put_aside(
        &self,
        producer: ProducerId,
        seq: u64,
        bytes: &[u8],
    ) -> Result<PathBuf, StoreError> {
        let path = self.quarantine_dir.join(format!("frame-{}-{seq}", hex(&producer)));
        let kept = std::fs::create_dir_all(&self.quarantine_dir)
            .and_then(|()| std::fs::write(&path, bytes))
            .and_then(|()| std::fs::File::open(&path)?.sync_all());
        kept.map_err(|source| StoreError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// A frame whose number the ledger has. Where the spool keeps records until they are published,
    /// one that is not in the ledger as it lies here is kept as evidence.
    fn seen(&mut self, producer: ProducerId, seq: u64, bytes: &[u8]) -> Result<(), StoreError> {
        let Seen::Prove(checkpoint) = self.seen else { return Ok(()) };
        let Ok(frame) = Frame::decode(bytes) else { return Ok(()) };
        let Some(why) = unproven(self.store, &frame, &producer, seq, checkpoint)? else {
            return Ok(());
        };
        let path = self.put_aside(producer, seq, bytes)?;
        tracing::error!(file = %path.display(), why, "the ledger does not hold what it took; run `modeltrail verify`");
        Ok(())
    }

    fn ended(&mut self, producer: ProducerId, next_seq: u64) -> Result<(), StoreError> {
        let state = self.state(&producer)?;
        if self.goes_on && state.next_seq == 0 {
            // It has nothing in this ledger.
            return Ok(());
        }
        if state.ended || (state.next_seq == 0 && next_seq == 0) {
            return Ok(());
        }
        if next_seq > state.next_seq {
            self.lose(producer, state.next_seq, next_seq - 1, GapReasonKey::Quarantined)?;
        }
        let next_seq = self.state(&producer)?.next_seq;
        self.controls.push(producer_control(&producer, ProducerEvent::Lost, next_seq));
        self.touched.insert(producer, ProducerState { next_seq, ended: true });
        Ok(())
    }

    /// Makes records for the intents of producers that are over with this batch. Frames of such a producer come no
    /// more: the spool hands all of them out before it says that a producer has died, and one that closed numbers
    /// nothing behind its closing entry. Should one come all the same, it becomes an entry as any other.
    pub(super) fn settle(&mut self, intents: &OpenIntents) -> Result<(), StoreError> {
        let over: Vec<ProducerId> =
            self.touched.iter().filter(|(_, state)| state.ended).map(|(id, _)| *id).collect();
        for producer in over {
            let was = match self.known.get(&producer) {
                Some(state) => *state,
                None => self.store.producer(&producer)?,
            };
            if was.ended {
                continue;
            }
            for index in intents.of(&producer, self.store, &self.batch)? {
                self.settle_one(index)?;
            }
        }
        Ok(())
    }

    fn settle_one(&mut self, index: u64) -> Result<(), StoreError> {
        let of_batch = self.batch.entries().iter().find(|entry| entry.index == index);
        let (leaf, parts) = match of_batch {
            Some(entry) => (Leaf::decode(&entry.leaf).ok(), entry.parts.clone()),
            None => match self.store.get(index)? {
                Some(entry) => (Some(entry.leaf), entry.parts),
                None => return Ok(()),
            },
        };
        let header = parts.iter().find(|part| part.id == PartId::Header);
        let header = header.and_then(|part| serde_json::from_slice::<Header<'_>>(&part.bytes).ok());
        let (Some(leaf), Some(header)) = (leaf, header) else {
            tracing::error!(
                index,
                "an intent without a record cannot be read; run `modeltrail verify`"
            );
            return Ok(());
        };
        let parties = Parties::of(&parts).unwrap_or_default();
        let record = Redacted::without_outcome(&header, &parties);
        let mut is_conflict = false;
        if !record.request_id_assigned()
            && let Some(request_id) = parties.request_id
        {
            is_conflict = !matches!(self.taken(&request_id, None)?, Taken::Free);
            self.n_conflicts += u64::from(is_conflict);
            self.requests.entry(request_id.into_owned()).or_insert(None);
        }
        self.settled.push(Settled { record_id: leaf.record_id, record, is_conflict });
        Ok(())
    }

    pub(super) fn finish(mut self) -> Done {
        let gaps = std::mem::take(&mut self.gaps);
        let mut controls: Vec<Control> = gaps
            .into_iter()
            .map(|((producer, reason), ranges)| gap_control(&producer, ranges, reason.reason()))
            .collect();
        controls.append(&mut self.controls);
        for (producer, state) in self.touched {
            self.batch.account(producer, state);
        }
        Done {
            batch: self.batch,
            acks: self.handed_out.into_iter().collect(),
            controls,
            settled: self.settled,
            n_duplicates: self.n_duplicates,
            n_conflicts: self.n_conflicts,
        }
    }
}

/// What is wrong with the entry of a frame that was taken before; `None` when it is the frame's, or
/// cannot be told: entries without a request id, duplicates and conflicts are not found by it.
fn unproven(
    store: &dyn Store,
    frame: &Frame,
    producer: &ProducerId,
    seq: u64,
    checkpoint: Option<&SignedCheckpoint>,
) -> Result<Option<&'static str>, StoreError> {
    let request_id = Parties::of(frame.parts()).and_then(|parties| parties.request_id);
    let Some(request_id) = request_id else { return Ok(None) };
    let Some(index) = store.find_request(&request_id)? else {
        return Ok(Some("no entry has its request id"));
    };
    let Some(entry) = store.get(index)? else {
        return Ok(Some("the entry of its request id is not there"));
    };
    if entry.leaf.producer != *producer || entry.leaf.producer_seq != seq {
        return Ok(None);
    }
    let parts = frame.parts().iter().map(modeltrail_core::record::Part::as_ref);
    if entry.leaf.body != commitment::body(&commitment::commit(frame.secret(), parts)) {
        return Ok(Some("its entry commits to something else"));
    }
    match checkpoint.filter(|checkpoint| checkpoint.checkpoint().head().size > index) {
        None => Ok(None),
        Some(checkpoint) => match proofs::receipt(store, index, checkpoint) {
            Ok(_) => Ok(None),
            Err(ProofsError::Store(error)) => Err(error),
            Err(_) => Ok(Some("its entry is not in the published tree")),
        },
    }
}

/// True when a gap frame of the producer itself covers the numbers from `first` to `last`.
fn covers(control: Option<&Control>, producer: &ProducerId, first: u64, last: u64) -> bool {
    match control {
        Some(Control::Gap(gap)) => {
            gap.producer == hex(producer)
                && gap.ranges.iter().any(|(from, to)| *from <= first && last <= *to)
        }
        _ => false,
    }
}
