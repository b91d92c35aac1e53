//! The embedded store: one SQLite file in WAL mode.

mod checkpoints;
mod codec;
mod connect;
#[cfg(any(test, feature = "testing"))]
pub mod erasing;
mod indexes;
mod inspect;
mod read;
mod scan;
mod schema;
mod terms;
mod tiles;
mod tree;
mod verify;
mod write;

#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::leaf::origin_prev;
use modeltrail_core::merkle::Frontier;
use modeltrail_core::note::SignatureLine;
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::verify::Finding;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _};

use super::{
    Batch, EachCheckpoint, EachLeaf, Entry, ProducerState, Store, StoreError, Strays, Tip,
    UsageQuery, UsageRow, VerifyItem,
};
use codec::{Packer, Unpacker};
pub use inspect::SqliteFacts;
use terms::Terms;

/// How a ledger is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Reading only.
    Read,
    /// Reading and appending.
    Write,
}

/// Page cache of a writing connection in KiB. It holds the right edges and the hot pages of the
/// random indexes of a few million entries; beyond that the system's own cache serves.
const WRITE_CACHE_KIB: i64 = 48 * 1024;

/// Page cache of a reading connection in KiB: a verification opens one for each core, and all stay
/// below 128 MiB together.
const READ_CACHE_KIB: i64 = 8 * 1024;

/// The write-ahead log is folded back when it has this many pages (64 MiB): pages that several
/// batches touched are then written once. It also bounds what has to be read after a crash.
const WAL_PAGES: i64 = 16 * 1024;

/// A ledger in an SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    origin: String,
    access: Access,
    /// The format when it was last looked at; see [`Self::has_tree`].
    version: Cell<u32>,
    db: Connection,
    terms: RefCell<Terms>,
    packer: Packer,
    unpacker: RefCell<Unpacker>,
}

impl SqliteStore {
    /// Makes an empty ledger. The file must not be there yet.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or when the file cannot be written.
    pub fn create(path: &Path, origin: &str) -> Result<Self, StoreError> {
        // Claims the name: two creators at once cannot both think that they made it.
        // Who may read it is for the owner to widen; the log beside it gets the same mode.
        let claimed =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        if let Err(source) = claimed {
            return Err(if source.kind() == std::io::ErrorKind::AlreadyExists {
                StoreError::Exists(path.to_owned())
            } else {
                StoreError::Io { path: path.to_owned(), source }
            });
        }
        let made = Self::make(path, origin);
        if made.is_err() {
            // A file that is no ledger would only stand in the way of the next attempt.
            drop(std::fs::remove_file(path));
        }
        made?;
        Self::open(path, Access::Write)
    }

    fn make(path: &Path, origin: &str) -> Result<(), StoreError> {
        let mut db = Connection::open(path)?;
        db.execute_batch(schema::SETTINGS)?;
        let transaction = db.transaction()?;
        transaction.pragma_update(None, "application_id", schema::APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", schema::FORMAT_VERSION)?;
        transaction.execute_batch(schema::TABLES)?;
        transaction.execute_batch(schema::TRIGGERS)?;
        transaction.execute_batch(schema::TREE_TABLES)?;
        transaction.execute_batch(schema::TREE_TRIGGERS)?;
        transaction.execute_batch(schema::VIEW)?;
        transaction.execute("INSERT INTO meta (key, value) VALUES ('origin', ?1)", [origin])?;
        let frontier = Frontier::new();
        transaction.execute(
            "INSERT INTO head (id, size, root, last_leaf, time_us, frontier) \
             VALUES (1, 0, ?1, ?2, 0, ?3)",
            (frontier.root().0, origin_prev(origin).0, frontier.to_bytes()),
        )?;
        transaction.commit()?;
        // So that the tables are in the file itself and not only in its log.
        db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Opens a ledger that is there.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], [`StoreError::NotALedger`], [`StoreError::Version`], or when the
    /// file cannot be read.
    pub fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::NotFound(path.to_owned()));
        }
        let (mut db, mut version) = connect::connect(path, access)?;
        if !(schema::FORMAT_VERSION_MIN..=schema::FORMAT_VERSION).contains(&version) {
            let known = schema::FORMAT_VERSION;
            return Err(StoreError::Version { found: version, known });
        }
        db.set_prepared_statement_cache_capacity(64);
        // Plans do not depend on bound values: without this, statements on partial indexes are
        // prepared again and again.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.execute_batch(schema::SETTINGS)?;
        let cache_kib = match access {
            Access::Read => READ_CACHE_KIB,
            Access::Write => WRITE_CACHE_KIB,
        };
        db.pragma_update(None, "cache_size", -cache_kib)?;
        db.pragma_update(None, "wal_autocheckpoint", WAL_PAGES)?;
        if access == Access::Read {
            db.pragma_update(None, "query_only", true)?;
        } else if version < schema::FORMAT_VERSION {
            tree::upgrade(&mut db)?;
            version = schema::FORMAT_VERSION;
        }
        let origin = db
            .query_row("SELECT value FROM meta WHERE key = 'origin'", [], |row| row.get(0))
            .optional()?
            .ok_or_else(|| StoreError::Gone { path: path.to_owned(), what: "its name" })?;
        Ok(Self {
            path: path.to_owned(),
            origin,
            access,
            version: Cell::new(version),
            db,
            terms: RefCell::new(Terms::new()),
            packer: Packer::new(),
            unpacker: RefCell::new(Unpacker::new()),
        })
    }

    /// Keeps what tells the ledger's key from others.
    ///
    /// # Errors
    /// When one is kept already, or the file cannot be written.
    pub fn set_key_check(&self, check: &str) -> Result<(), StoreError> {
        let sql = "INSERT INTO meta (key, value) VALUES ('mac_key_check', ?1)";
        self.db.execute(sql, [check])?;
        Ok(())
    }

    /// Whether there are tables of tiles and checkpoints. A ledger of format version 1 that is open
    /// for reading has none, until another process opens it for writing.
    fn has_tree(&self) -> Result<bool, StoreError> {
        if self.version.get() < schema::FORMAT_VERSION {
            let version = self.db.pragma_query_value(None, "user_version", |row| row.get(0))?;
            self.version.set(version);
        }
        Ok(self.version.get() >= schema::FORMAT_VERSION)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How SQLite answers a query, a line for each step; `None` when it need not ask at all.
    #[cfg(test)]
    pub(crate) fn explain(&self, query: &Query, oldest_first: bool) -> Option<Vec<String>> {
        let plan = scan::plan(&self.db, query, oldest_first, 10).unwrap()?;
        Some(self.explain_sql(&plan.sql, plan.values))
    }

    /// How SQLite reads what usage reports are made of.
    #[cfg(test)]
    pub(crate) fn explain_usage(&self) -> Vec<String> {
        self.explain_sql(scan::USAGE_SQL, [1, 0, 1, 1].map(rusqlite::types::Value::from).to_vec())
    }

    #[cfg(test)]
    fn explain_sql(&self, sql: &str, values: Vec<rusqlite::types::Value>) -> Vec<String> {
        let mut statement = self.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = statement.query_map(rusqlite::params_from_iter(values), |row| row.get(3));
        steps.unwrap().collect::<Result<_, _>>().unwrap()
    }
}

impl Store for SqliteStore {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn key_check(&self) -> Result<Option<String>, StoreError> {
        let sql = "SELECT value FROM meta WHERE key = 'mac_key_check'";
        Ok(self.db.query_row(sql, [], |row| row.get(0)).optional()?)
    }

    fn another(&self) -> Result<Box<dyn Store>, StoreError> {
        Ok(Box::new(Self::open(&self.path, Access::Read)?))
    }

    fn tip(&self) -> Result<Tip, StoreError> {
        read::tip(&self.db, &self.path)
    }

    fn append(&mut self, batch: &Batch, expected: &Head) -> Result<(), StoreError> {
        if self.access == Access::Read {
            return Err(StoreError::ReadOnly);
        }
        write::append(&mut self.db, &mut self.terms.borrow_mut(), &mut self.packer, batch, expected)
    }

    fn producer(&self, producer: &[u8; 16]) -> Result<ProducerState, StoreError> {
        read::producer(&self.db, producer)
    }

    fn in_one_read(
        &self,
        reads: &mut dyn FnMut() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // Each statement by itself would lock and unlock the file.
        let transaction = self.db.unchecked_transaction()?;
        reads()?;
        Ok(transaction.finish()?)
    }

    fn find_request(&self, request_id: &str) -> Result<Option<u64>, StoreError> {
        read::find_request(&self.db, request_id)
    }

    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        read::get(&self.db, &mut self.unpacker.borrow_mut(), index)
    }

    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        scan::scan(&self.db, query, oldest_first, limit)
    }

    fn usage(&self, query: &UsageQuery, row: &mut dyn FnMut(UsageRow)) -> Result<(), StoreError> {
        scan::usage(&self.db, query, row)
    }

    fn term(&self, term: u32) -> Result<String, StoreError> {
        self.terms.borrow_mut().text(&self.db, i64::from(term))?.ok_or(StoreError::NoTerm(term))
    }

    fn verify_scan(
        &self,
        range: Range<u64>,
        item: &mut dyn FnMut(VerifyItem<'_>),
    ) -> Result<(), StoreError> {
        let (terms, unpacker) = (&mut self.terms.borrow_mut(), &mut self.unpacker.borrow_mut());
        verify::scan(&self.db, terms, unpacker, range, self.has_tree()?, item)
    }

    fn strays(&self, size: u64) -> Result<Strays, StoreError> {
        verify::strays(&self.db, size)
    }

    fn verify_indexes(&self) -> Result<Vec<Finding>, StoreError> {
        indexes::check(&self.db)
    }

    fn verify_tiles(&self) -> Result<Vec<Finding>, StoreError> {
        if !self.has_tree()? {
            return Ok(Vec::new());
        }
        // In one snapshot: what is appended meanwhile brings its tiles with it.
        let transaction = self.db.unchecked_transaction()?;
        let findings = tiles::check(&self.db)?;
        transaction.finish()?;
        Ok(findings)
    }

    fn leaves(&self, range: Range<u64>, each: &mut EachLeaf<'_>) -> Result<(), StoreError> {
        tree::leaves(&self.db, range, each)
    }

    fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        tree::leaf_hashes(&self.db, range)
    }

    fn tile(&self, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        if self.has_tree()? { tree::tile(&self.db, level, n) } else { Ok(None) }
    }

    fn tile_roots(&self, level: u8, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        if self.has_tree()? { tree::tile_roots(&self.db, level, range) } else { Ok(Vec::new()) }
    }

    fn checkpoint(&self, at_most: Option<u64>) -> Result<Option<SignedCheckpoint>, StoreError> {
        if self.has_tree()? { checkpoints::newest(&self.db, at_most) } else { Ok(None) }
    }

    fn checkpoints(
        &self,
        range: Range<u64>,
        each: &mut EachCheckpoint<'_>,
    ) -> Result<(), StoreError> {
        if self.has_tree()? { checkpoints::each(&self.db, range, each) } else { Ok(()) }
    }

    fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
        if self.access == Access::Read {
            return Err(StoreError::ReadOnly);
        }
        checkpoints::put(&mut self.db, &self.origin, checkpoint)
    }

    fn add_signature(&mut self, size: u64, line: &SignatureLine) -> Result<(), StoreError> {
        if self.access == Access::Read {
            return Err(StoreError::ReadOnly);
        }
        checkpoints::add_signature(&mut self.db, size, line)
    }
}
