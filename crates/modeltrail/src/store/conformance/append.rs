//! Appending and reading back.

use modeltrail_core::anchor::Head;
use modeltrail_core::code::{Encoding, PartId};
use modeltrail_core::hash::sha256;
use modeltrail_core::leaf::{leaf_hash, origin_prev};
use modeltrail_core::merkle::{Frontier, node_hash};
use modeltrail_core::query::Query;
use modeltrail_core::record::Part;
use modeltrail_core::{Frame, Hash, Record, commitment};
use serde_json::{Value, json};

use super::super::{Batch, Store, StoreError};
use super::generate::{Filled, Rng, Sample, frame};
use super::{Failed, Make, Outcome, ensure, same};
use crate::Payload;

pub(super) fn empty(make: &mut Make<'_>) -> Outcome {
    let store = make();
    let tip = store.tip()?;
    same("the size", &tip.head.size, &0)?;
    same("the root", &tip.head.root, &sha256(&[]))?;
    same("what stands for the last leaf", &tip.last_leaf_hash, &origin_prev(store.origin()))?;
    same("the time", &tip.time_us, &0)?;
    same("the frontier", &tip.frontier, &Frontier::new())?;
    same("no rows outside", &store.strays(0)?.findings, &Vec::new())?;
    same("entry 0", &store.get(0)?, &None)?;
    same("all places", &store.scan(&Query::default(), true, 10)?, &Vec::new())?;
    same("findings in indexes", &store.verify_indexes()?, &Vec::new())
}

/// Every part there is, in both encodings.
fn full(n: u64) -> Record {
    Record::prediction("m", "1")
        .request_id(format!("full-{n}"))
        .input(json!({"n": n, "text": "Grüße, \u{1f600} \" \\ \u{1} end"}))
        .output(Payload::bytes(vec![0, 0xff, u8::try_from(n % 256).unwrap_or(0)], "image/png"))
        .metadata(json!({"a": [1, 2.5, null, true]}))
        .pipeline(json!({"seed": n}))
        .error("E1", "it broke")
        .user_id("u")
        .subject_id("s")
        .session_id("c")
        .trace_id("t")
        .client_address("::1")
        .link("explains", "full-0")
}

pub(super) fn read_back(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 1);
    let mut rng = Rng(2);
    let mut frames: Vec<Frame> =
        (0..3).map(|n| frame(full(n), &mut rng)).collect::<Result<_, _>>()?;
    frames.push(Sample::gap(&mut rng).frame(&mut rng)?);
    frames.push(frame(full(9), &mut rng)?.into_conflict());
    // No parts but the two that every record has.
    frames.push(frame(Record::new(modeltrail_core::Kind::Session), &mut rng)?);
    let last = frames.split_off(4);
    same("indexes of the first batch", &filled.append(frames)?, &(0..4))?;
    same("indexes of the second batch", &filled.append(last)?, &(4..6))?;
    same("the size", &filled.store.tip()?.head.size, &6)?;
    same("the entry behind the last one", &filled.store.get(6)?, &None)?;
    same("the entry at the end of all", &filled.store.get(u64::MAX)?, &None)?;
    all_come_back(&filled, filled.store.as_ref())?;
    all_come_back(&filled, filled.store.another()?.as_ref())
}

/// Holds every entry against the frame that it was made of.
fn all_come_back(filled: &Filled, store: &dyn Store) -> Outcome {
    for (frame, index) in filled.frames.iter().zip(0_u64..) {
        let Some(entry) = store.get(index)? else {
            return Err(Failed(format!("entry {index} is not there")));
        };
        same("the leaf's index", &entry.leaf.index, &index)?;
        same("the leaf's kind", &entry.leaf.kind, &frame.kind().code())?;
        same("the leaf's record id", &entry.leaf.record_id, frame.record_id())?;
        same("the leaf's number", &entry.leaf.producer_seq, &index)?;
        same("the leaf hash", &entry.leaf_hash, &leaf_hash(&entry.leaf.encode()))?;
        same_parts(index, &entry.parts, frame.parts())?;
        let commitments = commitment::commit(frame.secret(), entry.parts.iter().map(Part::as_ref));
        same("the body", &entry.leaf.body, &commitment::body(&commitments))?;
    }
    Ok(())
}

/// As [`same`], without showing megabytes.
fn same_parts(index: u64, are: &[Part], should_be: &[Part]) -> Outcome {
    let heads = |parts: &[Part]| -> Vec<(PartId, Encoding, usize)> {
        parts.iter().map(|part| (part.id, part.encoding, part.bytes.len())).collect()
    };
    same(&format!("what parts entry {index} has"), &heads(are), &heads(should_be))?;
    for (part, other) in are.iter().zip(should_be) {
        ensure(part.bytes == other.bytes, || {
            format!("the part `{}` of entry {index} has other bytes", part.id)
        })?;
    }
    Ok(())
}

/// Lengths around the thresholds at which stores begin to compress or to keep things elsewhere
/// (128 and 512 bytes, 2 and 8 KB, a page, 64 KiB), and nothing at all.
const LENGTHS: [usize; 21] = [
    0, 1, 2, 127, 128, 129, 510, 511, 512, 513, 514, 1999, 2000, 2048, 4095, 4096, 4097, 8192,
    65_535, 65_536, 65_537,
];

/// A record whose input and output have exactly `n_bytes`, compressible or not. JSON has two bytes
/// at least: its quotation marks.
fn sized(n_bytes: usize, n: usize, rng: &mut Rng) -> Record {
    let text = || Value::String("x".repeat(n_bytes.saturating_sub(2)));
    let noise = |rng: &mut Rng| Payload::bytes(rng.noise(n_bytes), "application/octet-stream");
    let record = Record::prediction("m", "1").request_id(format!("sized-{n_bytes}-{n}"));
    match n {
        0 => record.input(text()).output(noise(rng)),
        1 => record.input(noise(rng)).output(text()),
        _ => {
            let zeros = || Payload::bytes(vec![0; n_bytes], "application/octet-stream");
            record.input(zeros()).output(zeros()).metadata(json!({ "text": text() }))
        }
    }
}

pub(super) fn sizes(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 3);
    for n_bytes in LENGTHS {
        let records = (0..3).map(|n| sized(n_bytes, n, &mut filled.rng)).collect();
        filled.append_records(records)?;
    }
    all_come_back(&filled, filled.store.as_ref())
}

pub(super) fn large(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 4);
    let records = (0..2).map(|n| sized(17 << 20, n, &mut filled.rng)).collect();
    filled.append_records(records)?;
    all_come_back(&filled, filled.store.as_ref())
}

pub(super) fn shared(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 5);
    let long = "the same again and again ".repeat(100);
    let json_text = Value::String(long).to_string();
    for n in 0..4 {
        let of = |input: Payload, what: &str| {
            Record::prediction("m", "1").request_id(format!("{what}-{n}")).input(input)
        };
        let short = json!({"amount": 1});
        let value: Value = serde_json::from_str(&json_text)?;
        // The same bytes once as JSON and once as bytes: one content, two encodings.
        let raw = Payload::bytes(json_text.clone().into_bytes(), "text/plain");
        filled.append_records(vec![
            of(short.clone().into(), "short"),
            of(short.into(), "again"),
            of(value.into(), "long"),
            of(raw, "raw"),
        ])?;
    }
    all_come_back(&filled, filled.store.as_ref())?;
    let input = |index| -> Result<Option<Hash>, Failed> {
        let entry = filled.store.get(index)?;
        let part = entry.and_then(|e| e.parts.into_iter().find(|p| p.id == PartId::Input));
        Ok(part.map(|part| sha256(&[&part.bytes])))
    };
    for (index, n_like_it) in [(0, 8), (2, 8)] {
        let query = Query { input_hash: input(index)?, ..Query::default() };
        let n_found = filled.store.scan(&query, true, 100)?.len();
        same("how many entries have the input", &n_found, &n_like_it)?;
    }
    Ok(())
}

/// Everything of a ledger that a failed append might have changed.
fn everything(store: &dyn Store) -> Result<impl PartialEq + std::fmt::Debug + use<>, Failed> {
    let producer = store.producer(&super::generate::PRODUCER)?;
    let places = store.scan(&Query::default(), true, usize::MAX)?;
    let mut leaf_hashes = Vec::new();
    store.verify_scan(0..u64::MAX, &mut |item| {
        if let super::super::VerifyItem::Entry(entry) = item {
            leaf_hashes.push((entry.key, entry.leaf_hash.to_vec()));
        }
    })?;
    let fresh = store.find_request("full-77")?;
    Ok((store.tip()?, store.strays(0)?, producer, places, leaf_hashes, fresh))
}

pub(super) fn conflict(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 6);
    filled.append_records((0..5).map(full).collect())?;
    let late = frame(full(77), &mut filled.rng)?;
    let behind_batch = filled.batch(std::slice::from_ref(&late))?;
    let behind = filled.store.tip()?.head;
    // Somebody else was faster: the batch's indexes are taken.
    filled.append_records((5..8).map(full).collect())?;
    let before = everything(filled.store.as_ref())?;
    let size = filled.size();
    let other_root = Head { size, root: Hash([9; 32]) };
    let ahead = Head { size: size + 1, root: behind.root };
    for expected in [behind, other_root, ahead] {
        match filled.store.append(&behind_batch, &expected) {
            Err(StoreError::Conflict { found, expected: of_caller }) => {
                same("the size found", &found, &size)?;
                same("the size expected", &of_caller, &expected.size)?;
            }
            other => return Err(Failed(format!("{other:?} where a conflict was due"))),
        }
        same("the ledger after a conflict", &everything(filled.store.as_ref())?, &before)?;
    }
    let again = filled.batch(&[late])?;
    filled.store.append(&again, &filled.store.tip()?.head)?;
    same("the size after all", &filled.store.tip()?.head, &again.tip().head)
}

pub(super) fn misplaced(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 7);
    let nothing = filled.store.tip()?;
    filled.append_records((0..5).map(full).collect())?;
    let before = everything(filled.store.as_ref())?;
    let head = filled.store.tip()?.head;
    let mut misplaced = Batch::new(nothing);
    for n in 0..8 {
        misplaced.push(frame(full(70 + n), &mut filled.rng)?, [1; 16], n, 0);
    }
    // The head fits, what the batch was made behind does not.
    let taken = filled.store.append(&misplaced, &head);
    ensure(taken.is_err(), || "a batch of another place was taken".to_owned())?;
    same("the ledger after the refusal", &everything(filled.store.as_ref())?, &before)
}

/// The root as RFC 6962 section 2.1 defines it.
fn root(leaf_hashes: &[Hash]) -> Hash {
    match leaf_hashes {
        [] => sha256(&[]),
        [one] => *one,
        _ => {
            let (left, right) = leaf_hashes.split_at(leaf_hashes.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}

pub(super) fn tree(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 8);
    let mut time_us = 0;
    for n_records in [1_u64, 1, 2, 3, 1, 8, 16, 5, 27] {
        let first = filled.size();
        filled.append_records((first..first + n_records).map(full).collect())?;
        let mut leaf_hashes = Vec::new();
        let mut prev = origin_prev(filled.store.origin());
        let mut frontier = Frontier::new();
        for index in 0..filled.size() {
            let Some(entry) = filled.store.get(index)? else {
                return Err(Failed(format!("entry {index} is not there")));
            };
            same(&format!("`prev` of entry {index}"), &entry.leaf.prev, &prev)?;
            prev = entry.leaf_hash;
            frontier.push(prev);
            leaf_hashes.push(prev);
            time_us = entry.leaf.time_us;
        }
        let tip = filled.store.tip()?;
        let head = Head { size: filled.size(), root: root(&leaf_hashes) };
        same("the head", &tip.head, &head)?;
        same("the frontier", &tip.frontier, &frontier)?;
        same("the last leaf hash", &tip.last_leaf_hash, &prev)?;
        same("the time", &tip.time_us, &time_us)?;
        same("the tip that another handle sees", &filled.store.another()?.tip()?, &tip)?;
    }
    Ok(())
}
