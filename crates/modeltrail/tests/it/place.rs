//! A ledger in a folder, and the judgement over it in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use modeltrail::check::{self, CheckOptions};
use modeltrail::reader::ReadError;
use modeltrail::sequencer::Sequencer;
use modeltrail::spool::{self, SpoolOptions};
use modeltrail::{Kind, Ledger, Query, Reader, Record};
use modeltrail_core::PartId;
use modeltrail_core::control::{Control, GapReason};
use modeltrail_core::record::Parties;
use serde_json::json;

/// Segments of a few hundred frames, so that a process fills, trims and reuses many of them.
pub(crate) const SPOOL: SpoolOptions = SpoolOptions {
    segment_bytes: 256 << 10,
    bytes_max: 256 << 20,
    pending_bytes_max: 32 << 20,
    poll_ms: 5,
};

/// The record of an id; its input repeats the id, so that content and id can be held together.
pub(crate) fn record(id: &str, padding_bytes: usize) -> Record {
    Record::prediction("fraud_detector", "v1")
        .request_id(id)
        .input(json!({ "id": id }))
        .output(json!({"prediction": "fraud"}))
        .metadata(json!({ "padding": noise(id, padding_bytes) }))
        .user_id("user")
}

/// Text that hardly compresses, so that a disk fills as fast as records come.
fn noise(seed: &str, n_bytes: usize) -> String {
    let mut state = seed.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |state, byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Letters alone: nothing that looks like a number of anybody's.
        char::from(b'g' + u8::try_from((state >> 33) % 20).unwrap())
    };
    (0..n_bytes).map(|_| next()).collect()
}

pub(crate) fn url(dir: &Path) -> String {
    format!("sqlite:{}", dir.join("audit.db").display())
}

pub(crate) fn create(dir: &Path) -> Ledger {
    let ledger = Ledger::parse(&url(dir)).unwrap();
    ledger.create("example.com/processes").unwrap();
    ledger
}

/// Takes what dead processes left in the spool.
pub(crate) fn drain(ledger: &Ledger) {
    let mut sequencer = Sequencer::try_open(ledger, &ledger.spool_dir(), SPOOL).unwrap().unwrap();
    // Deaths are found when nothing else is left to do; the step after that finds nothing at all.
    let mut n_idle = 0;
    while n_idle < 3 {
        let step = sequencer.step().unwrap();
        n_idle = if step.n_taken == 0 { n_idle + 1 } else { 0 };
    }
    sequencer.close().unwrap();
    let left = spool::peek(&ledger.spool_dir()).unwrap();
    assert_eq!(left.n_segments, 0, "everything was taken and trimmed: {left:?}");
}

/// What a ledger holds in the end.
pub(crate) struct Found {
    /// Request ids of predictions.
    pub(crate) ids: BTreeSet<String>,
    /// Numbers covered by gap entries, by the name of the reason.
    pub(crate) n_gaps: BTreeMap<&'static str, u64>,
    /// Producers that were told of as lost.
    pub(crate) n_lost_producers: usize,
    /// Number of entries.
    pub(crate) size: u64,
}

/// Verifies the ledger, and that it holds every acknowledged record once and none twice.
#[track_caller]
pub(crate) fn judge(ledger: &Ledger, acked: &BTreeSet<String>) -> Found {
    let report = check::run(ledger, &CheckOptions::default(), |_, _| {}).unwrap();
    assert_eq!(report.findings, [], "the verification is clean");
    assert_eq!(report.anchored_size, Some(report.size), "the anchor is up to date");
    let mut found = Found {
        ids: BTreeSet::new(),
        n_gaps: BTreeMap::new(),
        n_lost_producers: 0,
        size: report.size,
    };
    let mut doubled = Vec::new();
    let each = Reader::of(ledger).unwrap().each(&Query::default(), |_, entry| {
        let part = |id| entry.parts.iter().find(|part| part.id == id);
        match Kind::from_code(entry.leaf.kind).unwrap() {
            Kind::Prediction => {
                let parties = &part(PartId::Parties).unwrap().bytes;
                let parties: Parties<'_> = serde_json::from_slice(parties).unwrap();
                let id = parties.request_id.unwrap().into_owned();
                let input = &part(PartId::Input).unwrap().bytes;
                assert_eq!(*input, json!({ "id": id }).to_string().into_bytes());
                if !found.ids.insert(id.clone()) {
                    doubled.push(id);
                }
            }
            kind => match Control::read(kind, &part(PartId::Control).unwrap().bytes) {
                Some(Control::Gap(gap)) => {
                    let n: u64 = gap.ranges.iter().map(|(first, last)| last - first + 1).sum();
                    *found.n_gaps.entry(name(gap.reason)).or_default() += n;
                }
                Some(Control::Producer(p)) => {
                    let lost = p.event == modeltrail_core::control::ProducerEvent::Lost;
                    found.n_lost_producers += usize::from(lost);
                }
                Some(
                    Control::Key(_)
                    | Control::Epoch(_)
                    | Control::Erasure(_)
                    | Control::Lifecycle(_),
                ) => {}
                None => panic!("an entry of kind {kind} without its control part"),
            },
        }
        Ok::<(), ReadError>(())
    });
    each.unwrap();
    let lost: Vec<&String> = acked.difference(&found.ids).collect();
    assert!(lost.is_empty(), "{} acknowledged records are lost: {lost:?}", lost.len());
    assert!(doubled.is_empty(), "{} records are there twice: {doubled:?}", doubled.len());
    found
}

const fn name(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Duplicate => "duplicate",
        GapReason::Dropped => "dropped",
        GapReason::Quarantined => "quarantined",
        GapReason::Refused => "refused",
        GapReason::Epoch => "epoch",
    }
}

/// A folder of its own with a ledger.
pub(crate) struct Place {
    pub(crate) ledger: Ledger,
    dir: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { ledger: create(dir.path()), dir }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().to_owned()
    }
}
