//! Small ledgers with a signed checkpoint, and bundles of them.

use std::collections::BTreeMap;
use std::process::Command;

use modeltrail_core::bundle::{Filter, Manifest, tar};
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::{MacKey, hex, sha256};
use modeltrail_core::note::{KeyName, NoteSigner};
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
    let key = key(1);
    let checkpoint = Checkpoint::new(store.origin(), store.tip().unwrap().head).unwrap();
    store.put_checkpoint(&checkpoint.sign(&key).unwrap()).unwrap();
    let policy = Policy::logs_only([key.verifier().clone()]).unwrap();
    Made { store: store.another().unwrap(), policy, vkey: key.verifier().to_string() }
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
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.tar");
        std::fs::write(&path, bytes).unwrap();
        let verifier = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/verify.py");
        let mut command = Command::new("python3");
        command.args(["-B", verifier]).arg(&path).args(["--key", &self.vkey, "--json"]);
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

/// The files of a bundle.
pub(super) fn unpack(mut bytes: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    while let Some((block, rest)) = bytes.split_first_chunk()
        && let Ok((path, n_bytes)) = tar::read_header(block)
    {
        let (content, rest) = rest.split_at(usize::try_from(n_bytes).unwrap());
        files.insert(path, content.to_vec());
        bytes = &rest[tar::padding_bytes(n_bytes)..];
    }
    files
}

/// A bundle of files, with digests that fit: an attacker would see to that.
pub(super) fn pack(mut files: BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut manifest = Manifest::parse(&files["manifest.json"]).unwrap();
    let digest = |bytes: &Vec<u8>| sha256(&[bytes]);
    manifest.files = files
        .iter()
        .filter(|(path, _)| !path.starts_with("manifest."))
        .map(|(path, bytes)| (path.clone(), digest(bytes).to_hex()))
        .collect();
    let bytes = manifest.to_bytes();
    files.insert("manifest.sha256".into(), Manifest::digest_line(&digest(&bytes)).into());
    files.insert("manifest.json".into(), bytes);
    let mut out = Vec::new();
    for (path, content) in files {
        let n_bytes = u64::try_from(content.len()).unwrap();
        out.extend(tar::header(&path, n_bytes).unwrap());
        out.extend(content);
        out.resize(out.len() + tar::padding_bytes(n_bytes), 0);
    }
    out.resize(out.len() + tar::END_BYTES, 0);
    out
}
