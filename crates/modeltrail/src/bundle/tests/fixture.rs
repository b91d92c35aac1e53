//! Small ledgers with a signed checkpoint, and bundles of them.

use std::ops::Range;
use std::process::Command;

use modeltrail_core::bundle::Filter;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::{MacKey, hex, sha256};
use modeltrail_core::note::{KeyName, NoteSigner, VerifierKey};
use modeltrail_core::policy::Policy;
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::time::format_rfc3339;
use modeltrail_core::{Frame, Kind, Limits, Record};
use serde_json::json;

use crate::bundle::{BundleRequest, DISCLOSED, write};
use crate::store::{Batch, Store};

const START_US: u64 = 1_772_323_200_000_000;
const STEP_US: u64 = 600_000_000;
const PRODUCER: [u8; 16] = [7; 16];

/// The time `hours` after that of the first entry, as filters have it.
pub(super) fn at(hours: u64) -> String {
    format_rfc3339(i64::try_from((START_US + hours * 3_600_000_000) * 1000).unwrap())
}

pub(super) fn filter(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    change(&mut filter);
    filter
}

pub(super) fn key(seed: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new("example.com/bundle").unwrap(), &[seed; 32]).unwrap()
}

/// A ledger that was filled and signed.
pub(super) struct Made {
    pub(super) store: Box<dyn Store>,
    pub(super) policy: Policy,
    vkey: String,
}

/// Appends entries and signs a checkpoint: predictions of two models, each tenth an oversight, ten
/// users, one number passed over and entry 50 to say so.
pub(super) fn ledger(store: &mut dyn Store, n: u64) -> Made {
    let tip = store.tip().unwrap();
    let (head, first) = (tip.head, tip.head.size);
    let mut batch = Batch::new(tip);
    for index in first..first + n {
        let time_us = START_US + index * STEP_US;
        let seq = index + u64::from(index >= 10);
        batch.push(frame(index, time_us), PRODUCER, seq, time_us);
    }
    store.append(&batch, &head).unwrap();
    signed(store)
}

/// Signs a checkpoint of all that is there.
pub(super) fn signed(store: &mut dyn Store) -> Made {
    let key = key(1);
    let checkpoint = Checkpoint::new(store.origin(), store.tip().unwrap().head).unwrap();
    store.put_checkpoint(&checkpoint.sign(&key).unwrap()).unwrap();
    let policy = Policy::logs_only([key.verifier().clone()]).unwrap();
    Made { store: store.another().unwrap(), policy, vkey: key.verifier().to_string() }
}

/// Appends the ledger's own entries, each under a producer of its own; returns their indexes.
pub(super) fn append(store: &mut dyn Store, controls: Vec<Control>) -> Range<u64> {
    let tip = store.tip().unwrap();
    let (head, first) = (tip.head, tip.head.size);
    let mut batch = Batch::new(tip);
    for (index, control) in (first..).zip(controls) {
        let mut id = [0xee; 16];
        id[..8].copy_from_slice(&index.to_be_bytes());
        let frame = Frame::new(Redacted::control(&control, 0), id, sha256(&[b"own", &id]).0);
        batch.push(frame, id, 0, START_US + index * STEP_US);
    }
    store.append(&batch, &head).unwrap();
    first..store.tip().unwrap().head.size
}

fn frame(index: u64, time_us: u64) -> Frame {
    let time_ns = i64::try_from(time_us * 1000).unwrap();
    let mut id = [0; 16];
    id[8..].copy_from_slice(&index.to_be_bytes());
    let secret = sha256(&[b"test", &id]).0;
    if index == 50 {
        let producer = hex(&PRODUCER);
        let gap = Gap { producer, ranges: vec![(10, 10)], reason: GapReason::Dropped };
        return Frame::new(Redacted::control(&Control::Gap(gap), time_ns), id, secret);
    }
    let record = match index {
        _ if index % 10 == 9 => Record::new(Kind::Oversight),
        _ if index.is_multiple_of(3) => Record::prediction("fraud", "1"),
        _ => Record::prediction("churn", "2"),
    };
    let record = record
        .request_id(format!("r{index}"))
        .user_id(format!("u{}", index % 10))
        .timestamp_ns(time_ns)
        .input(json!({ "amount": index }))
        .output(json!({ "prediction": index.is_multiple_of(2) }));
    let context = CaptureContext {
        redactor: &Redactor::disabled(),
        mac_key: &MacKey::new([3; 32]),
        limits: &Limits::default(),
        mode: "test",
    };
    Frame::new(Redacted::new(record, &context).unwrap(), id, secret)
}

/// Asks for what is asked for by default.
pub(super) fn request(made: &Made, filter: Filter) -> BundleRequest {
    BundleRequest {
        filter,
        disclose: DISCLOSED.to_vec(),
        policy: made.policy.clone(),
        checkpoint: None,
        timestamps: Vec::new(),
    }
}

impl Made {
    pub(super) fn checkpoint(&self) -> SignedCheckpoint {
        self.store.checkpoint(None).unwrap().unwrap()
    }

    pub(super) fn bundle(&self, request: &BundleRequest) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        write(self.store.as_ref(), request, &path, |_, _| {}).unwrap();
        std::fs::read(&path).unwrap()
    }

    /// Runs the verifier in Python, which shares no code with ours. Returns what it found, or nothing
    /// where there is no Python or no openssl.
    pub(super) fn agrees_with_python(&self, bytes: &[u8], exit: i32) -> Option<String> {
        self.agrees_with_python_and(bytes, &[], exit)
    }

    /// The same with further keys pinned.
    pub(super) fn agrees_with_python_and(
        &self,
        bytes: &[u8],
        more_keys: &[VerifierKey],
        exit: i32,
    ) -> Option<String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        std::fs::write(&path, bytes).unwrap();
        let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify.py");
        let mut command = Command::new("python3");
        command.args(["-B", verifier]).arg(&path).args(["--key", &self.vkey, "--json"]);
        for key in more_keys {
            command.args(["--key", &key.to_string()]);
        }
        let Ok(output) = command.output() else {
            println!("skipped: there is no python3");
            return None;
        };
        if output.status.code() == Some(3) {
            println!("skipped: {}", String::from_utf8_lossy(&output.stderr));
            return None;
        }
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(exit), "{said}{:?}", output.stderr);
        Some(said)
    }
}
