//! Stored tiles against the leaf hashes: what a proof, a mirror or a bundle would be made of.
//!
//! The leaf hashes are read once, in order, and each tile is made of them again. A tile of a higher
//! level is held against the entries too and not against the tiles below it, so that one changed
//! tile gives one finding.

use modeltrail_core::Hash;
use modeltrail_core::tile::{self, TILE_HEIGHT, TILE_LEVEL_MAX, TILE_WIDTH, Tile};
use modeltrail_core::verify::{Finding, FindingKind};
use rusqlite::Connection;

use super::super::StoreError;
use super::codec::{from_db, to_db};
use super::read::bytes;

/// Most findings about tiles: enough to say that somebody changed them, and a bound for what a
/// hostile file can ask of memory. Missing tiles side by side are one finding.
const N_FINDINGS_MAX: usize = 1000;

/// Holds every stored tile against the stored leaf hashes. Those are held against the leaves
/// elsewhere; over a leaf hash that is not there or cannot be read no tile is judged.
pub(super) fn check(db: &Connection) -> Result<Vec<Finding>, StoreError> {
    let mut walk = Walk { db, levels: Vec::new(), n_met: 0, wrong: Vec::new(), n_more: 0 };
    let mut n_leaves = 0;
    let mut statement = db.prepare("SELECT idx, hash FROM leaves WHERE idx >= 0 ORDER BY idx")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let index = from_db(row.get(0)?);
        n_leaves = index.saturating_add(1);
        if let Some(hash) = bytes(row, 1).and_then(Hash::from_slice) {
            walk.push(index, hash)?;
        }
    }
    let n_stored: i64 = db.query_row("SELECT count(*) FROM tiles", [], |row| row.get(0))?;
    if from_db(n_stored) != walk.n_met {
        walk.strays(n_leaves)?;
    }
    Ok(walk.findings())
}

/// What is wrong with a run of tiles of one level.
struct Wrong {
    level: u8,
    first: u64,
    last: u64,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Missing,
    /// So many hashes are not those of the entries.
    Hashes(usize),
    /// Not 256 hashes but so many bytes.
    Bytes(usize),
    Root,
    /// No tile can be there in a ledger of so many entries.
    Stray(u64),
}

impl Wrong {
    /// Takes the next tile of the level in, if it is wrong in the same way: whoever rewrites the
    /// entries or deletes the tiles is told in one finding and not in thousands.
    fn take(&mut self, level: u8, n: u64, what: What) -> bool {
        let together = match (self.what, what) {
            (What::Missing, What::Missing) => What::Missing,
            (What::Hashes(so_far), What::Hashes(more)) => What::Hashes(so_far + more),
            _ => return false,
        };
        let is_next = self.level == level && self.last.checked_add(1) == Some(n);
        if is_next {
            (self.last, self.what) = (n, together);
        }
        is_next
    }

    fn finding(&self) -> Finding {
        let Self { level, first, last, what } = self;
        let of = if first == last {
            format!("tile {first} of level {level}")
        } else {
            format!("tiles {first} to {last} of level {level}")
        };
        let detail = match what {
            What::Missing => format!("{of}: not there"),
            What::Hashes(n) => format!("{of}: {n} hashes are not those of the entries"),
            What::Bytes(n) => format!("{of}: {n} bytes where there should be 8192"),
            What::Root => format!("{of}: the root beside it is not that over its hashes"),
            What::Stray(n_leaves) => {
                format!("{of}: stored, and {n_leaves} entries do not fill it")
            }
        };
        let (start, _) = leaves_under(*level, *first);
        let (_, end) = leaves_under(*level, *last);
        Finding::run(start, end, FindingKind::ChangedTile, detail)
    }
}

/// The first and the last leaf under a tile; the last that there can be when it is no tile.
fn leaves_under(level: u8, n: u64) -> (u64, u64) {
    let Some(tile) = Tile::new(level, n, TILE_WIDTH) else { return (u64::MAX, u64::MAX) };
    let first = tile.first_node() << tile.node_level();
    // At the highest level a tile spans more than there are numbers.
    let n_leaves = 1_u64.checked_shl(u32::from(TILE_HEIGHT) * (u32::from(level) + 1));
    let after = n_leaves.and_then(|n_leaves| first.checked_add(n_leaves));
    (first, after.unwrap_or(u64::MAX) - 1)
}

/// The tile of a level that is being made.
#[derive(Default)]
struct Level {
    n: u64,
    hashes: Vec<Hash>,
}

struct Walk<'a> {
    db: &'a Connection,
    levels: Vec<Level>,
    /// Stored tiles that were held against the entries.
    n_met: u64,
    wrong: Vec<Wrong>,
    /// Wrong tiles that are not in `wrong`.
    n_more: u64,
}

impl Walk<'_> {
    /// Takes the next leaf hash, and at each level the root of the tile that it fills.
    fn push(&mut self, index: u64, hash: Hash) -> Result<(), StoreError> {
        let (mut index, mut hash) = (index, hash);
        for level in 0..=TILE_LEVEL_MAX {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Level::default());
            }
            let Some(open) = self.levels.get_mut(at) else { return Ok(()) };
            let n = index / u64::from(TILE_WIDTH);
            if open.n != n {
                // The one before had a hole, or it would have been closed.
                *open = Level { n, hashes: Vec::new() };
            }
            if u64::try_from(open.hashes.len()) == Ok(index % u64::from(TILE_WIDTH)) {
                open.hashes.push(hash);
            }
            let Some(root) = tile::parent_hash(&open.hashes) else { return Ok(()) };
            let hashes = std::mem::take(&mut open.hashes);
            self.compare(level, n, root, &hashes)?;
            (index, hash) = (n, root);
        }
        Ok(())
    }

    fn compare(
        &mut self,
        level: u8,
        n: u64,
        root: Hash,
        hashes: &[Hash],
    ) -> Result<(), StoreError> {
        let sql = "SELECT root, hashes FROM tiles WHERE level = ?1 AND n = ?2";
        let mut statement = self.db.prepare_cached(sql)?;
        let mut rows = statement.query((level, to_db(n)))?;
        let Some(row) = rows.next()? else {
            self.note(level, n, What::Missing);
            return Ok(());
        };
        self.n_met += 1;
        let stored = bytes(row, 1).unwrap_or_default();
        if stored != tile::encode(hashes) {
            let differs = |(of_tile, hash): &(&[u8], &Hash)| *of_tile != hash.0;
            let n_differing = stored.chunks(32).zip(hashes).filter(differs).count();
            let is_whole = stored.len() == 32 * hashes.len();
            let what = if is_whole { What::Hashes(n_differing) } else { What::Bytes(stored.len()) };
            self.note(level, n, what);
        } else if bytes(row, 0) != Some(&root.0) {
            self.note(level, n, What::Root);
        }
        Ok(())
    }

    /// Tiles that a ledger of so many entries does not have.
    fn strays(&mut self, n_leaves: u64) -> Result<(), StoreError> {
        let mut statement = self.db.prepare("SELECT level, n FROM tiles ORDER BY level, n")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // A place that is no number is nowhere: behind all that can be.
            let level: u8 = row.get(0).unwrap_or(u8::MAX);
            let n = row.get(1).ok().and_then(|n: i64| u64::try_from(n).ok()).unwrap_or(u64::MAX);
            if !Tile::at(level, n, n_leaves).is_some_and(|tile| tile.is_full()) {
                self.note(level, n, What::Stray(n_leaves));
            }
        }
        Ok(())
    }

    fn note(&mut self, level: u8, n: u64, what: What) {
        // Tiles of several levels come by turns.
        if self.wrong.iter_mut().rev().any(|run| run.take(level, n, what)) {
            return;
        }
        if self.wrong.len() < N_FINDINGS_MAX {
            self.wrong.push(Wrong { level, first: n, last: n, what });
        } else {
            self.n_more += 1;
        }
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.wrong.iter().map(Wrong::finding).collect();
        if let (Some(last), 1..) = (findings.last_mut(), self.n_more) {
            last.detail = format!("{}; and {} further tiles are wrong", last.detail, self.n_more);
        }
        findings
    }
}
