//! Everything that is stored, entry by entry.

use std::sync::atomic::{AtomicU64, Ordering};

use modeltrail_core::verify::{Chain, Checked, Finding, FindingKind, check_entry};

use super::chunks::{Workers, hand_over};
use super::{CheckError, CheckReport, Job};
use crate::store::VerifyItem;

/// Entries that one thread takes at a time. Small enough that results wait in a few MiB of memory,
/// large enough that a thread's statement is prepared once for many rows.
const N_CHUNK: u64 = 4096;

/// Results of one chunk, in the order of keys. They lie in the chunk itself: a box for each would be
/// freed by another thread than it was made by, which costs more than the few bytes of an orphan.
#[expect(clippy::large_enum_variant, reason = "see above")]
enum Piece {
    Checked(Checked),
    Orphan(u64),
}

/// Gives the findings about tiles, for [`add_tiles`] once those about entries are known.
pub(super) fn check(
    job: &Job<'_>,
    chain: &mut Chain,
    report: &mut CheckReport,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<Finding>, CheckError> {
    let part_bytes = AtomicU64::new(0);
    let of_chunk = |store: &dyn crate::store::Store, range: std::ops::Range<u64>, _: &[_]| {
        let n_keys = range.end - range.start;
        let mut pieces = Vec::with_capacity(usize::try_from(n_keys).unwrap_or(0));
        let mut n_bytes = 0_u64;
        store.verify_scan(range, &mut |item| {
            pieces.push(match item {
                VerifyItem::Entry(entry) => {
                    let lengths = entry.parts.iter().map(|part| part.bytes.len());
                    n_bytes += u64::try_from(lengths.sum::<usize>()).unwrap_or(0);
                    Piece::Checked(check_entry(&entry))
                }
                VerifyItem::OrphanLookup(key) => Piece::Orphan(key),
            });
        })?;
        part_bytes.fetch_add(n_bytes, Ordering::Relaxed);
        Ok(pieces)
    };
    let of_tiles = std::thread::scope(|scope| -> Result<Vec<Finding>, CheckError> {
        let (for_indexes, for_tiles) = (job.store.another()?, job.store.another()?);
        // What lies beside the rows is of all entries; a verification of the latest leaves it.
        let is_later = job.start > 0;
        let skips_indexes = job.options.skip_indexes || is_later;
        let indexes = scope.spawn(move || match skips_indexes {
            true => Ok(Vec::new()),
            false => for_indexes.verify_indexes(),
        });
        let tiles = scope.spawn(move || match is_later {
            true => Ok(Vec::new()),
            false => for_tiles.verify_tiles(),
        });
        let workers = Workers::start(scope, job, N_CHUNK, of_chunk)?;
        workers.take_all(|done| {
            hand_over(done.checkpoints, chain, report);
            for piece in done.result {
                match piece {
                    Piece::Checked(checked) => chain.push(checked),
                    Piece::Orphan(key) => chain.orphan_lookup(key),
                }
            }
            progress(done.range.end, job.end);
            Ok(())
        })?;
        let found = indexes.join().map_err(|_| CheckError::Thread)??;
        found.into_iter().for_each(|finding| chain.note(finding));
        Ok(tiles.join().map_err(|_| CheckError::Thread)??)
    })?;
    report.part_bytes = part_bytes.into_inner();
    Ok(of_tiles)
}

/// Adds the findings about tiles that are no consequence of one about the entries under them.
pub(super) fn add_tiles(findings: &mut Vec<Finding>, of_tiles: Vec<Finding>) {
    let explains = |of_entry: &Finding, tile: &Finding| match of_entry.kind {
        // What comes behind has moved, or is gone.
        FindingKind::MissingEntry | FindingKind::InsertedEntry | FindingKind::TruncatedTail => {
            of_entry.index <= tile.index_end
        }
        FindingKind::ChangedLeaf | FindingKind::MovedEntry | FindingKind::BrokenPrev => {
            of_entry.index <= tile.index_end && of_entry.index_end >= tile.index
        }
        _ => false,
    };
    let mut new = of_tiles;
    new.retain(|tile| !findings.iter().any(|of_entry| explains(of_entry, tile)));
    findings.append(&mut new);
    findings.sort();
}
