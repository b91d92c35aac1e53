//! The ledger as a whole: what a verification reads, and what other handles see meanwhile.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use modeltrail_core::code::{Encoding, PartId};
use modeltrail_core::query::Query;
use modeltrail_core::verify::{Chain, Ends, Keys, check_entry};
use modeltrail_core::{Frame, Leaf, Record};
use serde_json::json;

use super::super::{Store, VerifyItem};
use super::generate::{Filled, Rng, Sample, frame};
use super::{Failed, Make, Outcome, ensure, same};

/// What a verification was handed of one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Met {
    key: u64,
    leaf_hash: Vec<u8>,
    secret: Vec<u8>,
    parts: Vec<(PartId, Option<Encoding>, Vec<u8>)>,
}

fn meet(store: &dyn Store, range: Range<u64>) -> Result<Vec<Met>, Failed> {
    let mut met = Vec::new();
    let mut wrong = Vec::new();
    store.verify_scan(range, &mut |item| match item {
        VerifyItem::Entry(entry) => {
            let found = check_entry(&entry).findings;
            wrong.extend(found.iter().map(|finding| finding.detail.clone()));
            let part = |part: &modeltrail_core::verify::StoredPart<'_>| {
                (part.id, Encoding::from_code(part.encoding), part.bytes.to_vec())
            };
            met.push(Met {
                key: entry.key,
                leaf_hash: entry.leaf_hash.to_vec(),
                secret: entry.secret.unwrap_or_default().to_vec(),
                parts: entry.parts.iter().map(part).collect(),
            });
        }
        VerifyItem::OrphanLookup(key) => wrong.push(format!("an orphan under key {key}")),
    })?;
    same("what is wrong with a ledger that nobody touched", &wrong, &Vec::new())?;
    Ok(met)
}

pub(super) fn verify_scan(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 51);
    let mut rng = Rng(52);
    for n in [1, 40, 3, 56] {
        let frames: Result<Vec<Frame>, Failed> =
            (0..n).map(|_| Sample::random(&mut rng).frame(&mut rng)).collect();
        filled.append(frames?)?;
    }
    let size = filled.size();
    let all = meet(filled.store.as_ref(), 0..size)?;
    for ((met, frame), key) in all.iter().zip(&filled.frames).zip(0_u64..) {
        same("the key", &met.key, &key)?;
        same("the secret", &met.secret.as_slice(), &frame.secret().as_slice())?;
        let parts: Vec<_> = frame
            .parts()
            .iter()
            .map(|part| (part.id, Some(part.encoding), part.bytes.clone()))
            .collect();
        same("the parts", &met.parts, &parts)?;
    }
    same("how many were met", &u64::try_from(all.len())?, &size)?;
    for range in [0..0, 0..1, 7..8, 30..70, size - 1..size, size..size + 9, 0..u64::MAX] {
        let within: Vec<Met> = all.iter().filter(|met| range.contains(&met.key)).cloned().collect();
        same(&format!("what lies in {range:?}"), &meet(filled.store.as_ref(), range)?, &within)?;
    }
    same(
        "no rows outside",
        &filled.store.strays(size)?,
        &crate::store::Strays { end: size, findings: Vec::new() },
    )?;
    same("findings in indexes", &filled.store.verify_indexes()?, &Vec::new())?;
    chain(filled.store.as_ref())
}

/// The entries together: links, numbers, tree.
fn chain(store: &dyn Store) -> Outcome {
    let tip = store.tip()?;
    let ends = Ends {
        head: tip.head,
        last_leaf_hash: tip.last_leaf_hash,
        time_us: tip.time_us,
        edge_root: tip.frontier.root(),
        outside: Vec::new(),
        keys: Keys::new(store.origin(), Vec::new(), &[]),
    };
    let mut chain = Chain::new(store.origin(), ends);
    store.verify_scan(0..u64::MAX, &mut |item| {
        if let VerifyItem::Entry(entry) = item {
            chain.push(check_entry(&entry));
        }
    })?;
    same("findings of the chain", &chain.finish().findings, &Vec::new())
}

/// Entries of each batch; a size that is no multiple of it shows half a batch.
const N_BATCH: u64 = 7;

/// Batches appended while another handle reads.
const N_BATCHES: u64 = 60;

pub(super) fn batches(make: &mut Make<'_>) -> Outcome {
    let mut filled = Filled::new(make, 61);
    let reader = filled.store.another()?;
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reads = scope.spawn(|| read_until(reader, &over));
        let written = write_batches(&mut filled);
        over.store(true, Ordering::Release);
        let n_looks =
            reads.join().map_err(|_| Failed("the reading thread panicked".to_owned()))??;
        written?;
        ensure(n_looks > 1, || "the reader never looked while others wrote".to_owned())
    })?;
    same("the size", &filled.store.tip()?.head.size, &(N_BATCH * N_BATCHES))
}

fn write_batches(filled: &mut Filled) -> Outcome {
    for batch in 0..N_BATCHES {
        let of = |n| {
            Record::prediction("m", "1")
                .request_id(format!("{batch}-{n}"))
                .session_id(format!("batch-{batch}"))
                .input(json!({ "n": n, "batch": batch }))
        };
        let frames: Result<Vec<Frame>, Failed> =
            (0..N_BATCH).map(|n| frame(of(n), &mut filled.rng)).collect();
        filled.append(frames?)?;
    }
    Ok(())
}

/// Looks again and again, at least once after the last append; gives how often.
fn read_until(store: Box<dyn Store>, over: &AtomicBool) -> Result<u64, Failed> {
    let mut before = 0;
    for n_looks in 1.. {
        let is_last = over.load(Ordering::Acquire);
        let size = store.tip()?.head.size;
        ensure(size >= before, || format!("the size went from {before} back to {size}"))?;
        before = size;
        look(store.as_ref(), size)?;
        if is_last {
            same("the size in the end", &size, &(N_BATCH * N_BATCHES))?;
            return Ok(n_looks);
        }
    }
    Ok(0)
}

/// Each call sees whole batches, and no fewer than the call before it.
fn look(store: &dyn Store, size: u64) -> Outcome {
    let whole = |what: &str, n: u64| {
        ensure(n.is_multiple_of(N_BATCH) && n >= size, || {
            format!("{what} is {n} after size {size}")
        })
    };
    whole("the size", size)?;
    let places = store.scan(&Query::default(), true, usize::MAX)?;
    whole("the number of places", u64::try_from(places.len())?)?;
    let Some(last) = size.checked_sub(1) else { return Ok(()) };
    let Some(entry) = store.get(last)? else {
        return Err(Failed(format!("entry {last} of {size} is not there")));
    };
    same("how many parts the last entry has", &entry.parts.len(), &3)?;
    let Leaf { index, producer_seq, .. } = entry.leaf;
    same("the last entry's place and number", &(index, producer_seq), &(last, last))?;
    let session = format!("batch-{}", last / N_BATCH);
    let query = Query { session_id: Some(session), ..Query::default() };
    same("entries of the last batch", &store.scan(&query, false, 100)?.len(), &7)
}
