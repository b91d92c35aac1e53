//! `proof`: one inclusion proof, one consistency proof and one receipt of a large ledger.

use modeltrail::keys::LedgerKeys;
use modeltrail::proofs;
use modeltrail::store::{Access, Batch, SqliteStore, Store};
use modeltrail::{Ack, Ledger};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::control::{Control, Gap, GapReason};
use modeltrail_core::hash::hex;
use modeltrail_core::{Frame, Redacted};
use serde_json::json;

use crate::Result;
use crate::outcome::{Outcome, progress};
use crate::random::Rng;
use crate::setup::{Setup, create_ledger, patient};
use crate::timing::Times;

const N: u64 = 10_000_000;

/// Proofs of each sort.
const N_PROOFS: u64 = 2_000;

/// Entries of a transaction.
const N_BATCH: u64 = 4_096;

/// Of the middle one: on a busy machine the slowest are those that lost the processor for a slice.
const P50_US_MAX: f64 = 1_000.0;

pub(crate) fn run(setup: &Setup) -> Result<Outcome> {
    let n = setup.n(N);
    let dir = setup.scratch()?;
    let url = create_ledger(dir.path(), "proofs.db")?;
    progress(&format!("building a ledger of {n} entries"))?;
    fill(&mut SqliteStore::open(&dir.path().join("proofs.db"), Access::Write)?, n)?;
    let recorder = patient().ack(Ack::Accepted).open(&url)?;
    LedgerKeys::of(&recorder)?.begin()?;
    recorder.flush(Ack::Published)?;
    recorder.close()?;
    let store = Ledger::parse(&url)?.open_read()?;
    let store = store.as_ref();
    let checkpoint = store.checkpoint(None)?.ok_or("there is no checkpoint")?;
    let mut random = Rng::new(setup.seed);
    let mut indexes = || random.below(n);
    let inclusion = each(&mut indexes, |index| {
        Ok(proofs::inclusion(store, index, checkpoint.checkpoint().head().size)?.len())
    })?;
    let consistency = each(&mut indexes, |index| {
        Ok(proofs::consistency(store, index + 1, checkpoint.checkpoint().head().size)?.len())
    })?;
    let receipt = each(&mut indexes, |index| receipt_bytes(store, index, &checkpoint))?;
    let spreads = [inclusion, consistency, receipt].map(Times::spread);
    let met = spreads.iter().all(|spread| spread.p50_us <= P50_US_MAX);
    let [inclusion, consistency, receipt] = spreads;
    Ok(Outcome {
        name: "proof",
        baseline: json!(null),
        product: json!({
            "size": checkpoint.checkpoint().head().size,
            "inclusion": inclusion,
            "consistency": consistency,
            "receipt": receipt,
        }),
        ratio: None,
        target: json!({"p50_us_max": P50_US_MAX}),
        met,
        n,
        notes: vec![
            "at places drawn anew for each proof, from stored tiles, through one connection; a receipt also \
             reads its leaf and is verified against the checkpoint's root before it is handed out"
                .to_owned(),
        ],
    })
}

fn each(
    index: &mut dyn FnMut() -> u64,
    mut make: impl FnMut(u64) -> Result<usize>,
) -> Result<Times> {
    let mut times = Times::default();
    for _ in 0..N_PROOFS {
        let at = index();
        std::hint::black_box(times.time(|| make(at))?);
    }
    Ok(times)
}

fn receipt_bytes(store: &dyn Store, index: u64, checkpoint: &SignedCheckpoint) -> Result<usize> {
    Ok(proofs::receipt(store, index, checkpoint)?.to_string().len())
}

/// Appends small entries, which cost little and have leaves like any other.
fn fill(store: &mut SqliteStore, n: u64) -> Result<()> {
    loop {
        let tip = store.tip()?;
        let head = tip.head;
        if head.size >= n {
            return Ok(());
        }
        let mut batch = Batch::new(tip);
        for seq in head.size..(head.size + N_BATCH).min(n) {
            let gap = Gap {
                producer: hex(&[1; 16]),
                ranges: vec![(seq, seq)],
                reason: GapReason::Dropped,
            };
            let mut record_id = [0; 16];
            record_id[..8].copy_from_slice(&seq.to_be_bytes());
            let redacted = Redacted::control(&Control::Gap(gap), 0);
            batch.push(Frame::new(redacted, record_id, [4; 32]), [5; 16], seq, seq);
        }
        store.append(&batch, &head)?;
    }
}
