//! Going on from the last verification.

use modeltrail_core::Leaf;
use modeltrail_core::anchor::{Anchor, Head};
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{self, Frontier, Nodes, verify_inclusion};
use modeltrail_core::verify::{Chain, Ends, KnownHead, Source, Start};

use super::verified::{self, Verified};
use super::{CheckError, CheckOptions, CheckReport, Mode};
use crate::ledger::Ledger;
use crate::proofs::{self, ProofsError};
use crate::store::{Store, Tip};

/// The note of the last verification, when one is asked for and there.
pub(super) fn note_of(
    ledger: &Ledger,
    options: &CheckOptions,
    report: &mut CheckReport,
) -> Result<Option<Verified>, CheckError> {
    if !options.incremental || options.mode != Mode::Full {
        return Ok(None);
    }
    let (note, why) = match verified::read(ledger) {
        Ok(Some(note)) if note.origin != report.origin => {
            (None, format!("the last verification was of the ledger `{}`", note.origin))
        }
        Ok(Some(note)) => (Some(note), String::new()),
        Ok(None) => (None, "there was no clean verification before".to_owned()),
        Err(error) if error.is_unreadable() => (None, error.to_string()),
        Err(error) => return Err(error.into()),
    };
    if note.is_none() {
        report.notes.push(format!("{why}, so everything was verified"));
    }
    Ok(note)
}

/// Where to begin, if the tree still is the one that was verified. If it is not, everything is looked
/// at, and what was verified then is one more head to hold the ledger against.
pub(super) fn start(
    store: &dyn Store,
    tip: &Tip,
    before: Option<Verified>,
    known: &mut Vec<KnownHead>,
    report: &mut CheckReport,
) -> Result<Option<Start>, CheckError> {
    let Some(before) = before else { return Ok(None) };
    let head = before.head;
    let start = match head.size <= tip.head.size {
        true => begin(store, before)?,
        false => None,
    };
    match &start {
        Some(_) => report.since = head.size,
        None => {
            let anchor = Anchor { origin: report.origin.clone(), head };
            known.push(KnownHead::plain(Source::Verified, anchor));
            let note = "the ledger does not begin with what was verified before";
            report.notes.push(format!("{note}, so everything was verified"));
        }
    }
    Ok(start)
}

/// The right edge, last leaf hash and time at the verified size, when tiles and the last leaf lead to
/// the verified root. What cannot be read for that is for the full verification to say.
fn begin(store: &dyn Store, before: Verified) -> Result<Option<Start>, CheckError> {
    let Head { size, root } = before.head;
    let Some(last) = size.checked_sub(1) else { return Ok(None) };
    let mut nodes = proofs::nodes(store, size);
    let mut edge = Vec::new();
    let mut first = 0;
    for level in (0..64_u8).rev().filter(|level| size >> level & 1 == 1) {
        let Ok(node) = nodes.node(level, first >> level) else { return Ok(None) };
        edge.extend_from_slice(node.as_bytes());
        first += 1 << level;
    }
    let Some(frontier) = Frontier::from_parts(size, &edge) else { return Ok(None) };
    if frontier.root() != root {
        return Ok(None);
    }
    let mut leaf = Vec::new();
    store.leaves(last..size, &mut |_, bytes, _| leaf = bytes.to_vec())?;
    let (Ok(decoded), Ok(proof)) = (Leaf::decode(&leaf), merkle::inclusion(&mut nodes, last, size))
    else {
        return Ok(None);
    };
    let hash = leaf_hash(&leaf);
    let is_last = verify_inclusion(&hash, last, &proof, &before.head).is_ok();
    let producers = before.producers;
    let start = Start { frontier, last_leaf_hash: hash, time_us: decoded.time_us, producers };
    Ok(is_last.then_some(start))
}

/// A chain that goes on from there. Heads of earlier sizes are held against the tree's nodes.
pub(super) fn resume(
    store: &dyn Store,
    ends: Ends,
    start: Start,
    sizes: &[u64],
) -> Result<Chain, CheckError> {
    let size = start.frontier.size();
    let mut chain = Chain::resume(store.origin(), ends, start);
    for earlier in sizes.iter().filter(|earlier| **earlier < size) {
        let root = merkle::root(&mut proofs::nodes(store, size), *earlier);
        chain.earlier_root(*earlier, &root.map_err(ProofsError::from)?);
    }
    Ok(chain)
}
