//! Everything that is stored, in the order of keys, for a verification.

use std::cell::RefCell;
use std::ops::Range;

use modeltrail_core::code::PartId;
use modeltrail_core::lookup::Lookup;
use modeltrail_core::verify::{Finding, FindingKind, LookupRow, StoredEntry, StoredPart};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::super::{StoreError, Strays, VerifyItem};
use super::codec::{Unpacker, from_db, hash_key, text_key, to_db};
use super::read::{PART_COLUMNS, bytes, parts};
use super::terms::Terms;

/// Columns of `lookups`, in the order in which [`StoredRow`] reads them.
const LOOKUP_COLUMNS: &str = "k.time_ns, k.kind, k.status, k.model, k.version, k.user, k.label, \
     k.latency_us, k.request_key, k.subject_key, k.session_key, k.input_mac_key, k.input";

/// Most rows outside the ledger's keys that are looked at: enough to say that somebody put them
/// there, and a bound for what a hostile file can ask of memory.
const N_STRAYS_MAX: i64 = 1000;

pub(super) fn scan(
    db: &Connection,
    terms: &mut Terms,
    unpacker: &mut Unpacker,
    range: Range<u64>,
    has_erasures: bool,
    item: &mut dyn FnMut(VerifyItem<'_>),
) -> Result<(), StoreError> {
    // Format version 1 has no columns for what erasing leaves.
    let erasure = if has_erasures { "p.erased, p.salts" } else { "NULL, NULL" };
    let sql = format!(
        "SELECT l.idx, l.leaf, l.hash, p.idx, p.secret, p.checks, c.hash, k.idx, {LOOKUP_COLUMNS}, c.key, \
         {PART_COLUMNS}, {erasure} FROM leaves l LEFT JOIN parts p ON p.idx = l.idx \
         LEFT JOIN contents c ON c.id = p.input LEFT JOIN lookups k ON k.idx = l.idx \
         WHERE l.idx >= ?1 AND l.idx < ?2 ORDER BY l.idx"
    );
    let (first, end) = (to_db(range.start), to_db(range.end));
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([first, end])?;
    let mut n_lookups = 0_i64;
    let terms = RefCell::new(terms);
    while let Some(row) = rows.next()? {
        n_lookups += i64::from(has(row, 7));
        entry(db, &terms, unpacker, row, item)?;
    }
    let n_stored: i64 = db
        .prepare_cached("SELECT count(*) FROM lookups WHERE idx >= ?1 AND idx < ?2")?
        .query_row([first, end], |row| row.get(0))?;
    if n_stored != n_lookups {
        orphans(db, first, end, item)?;
    }
    Ok(())
}

fn orphans(
    db: &Connection,
    first: i64,
    end: i64,
    item: &mut dyn FnMut(VerifyItem<'_>),
) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT k.idx FROM lookups k LEFT JOIN leaves l ON l.idx = k.idx \
         WHERE k.idx >= ?1 AND k.idx < ?2 AND l.idx IS NULL ORDER BY k.idx",
    )?;
    let mut rows = statement.query([first, end])?;
    while let Some(row) = rows.next()? {
        item(VerifyItem::OrphanLookup(from_db(row.get(0)?)));
    }
    Ok(())
}

fn has(row: &Row<'_>, at: usize) -> bool {
    !matches!(row.get_ref(at), Ok(ValueRef::Null) | Err(_))
}

/// Where the columns of [`PART_COLUMNS`] begin in the scan's rows.
const PARTS_AT: usize = 8 + 14;

/// Where what erasing leaves stands, behind [`PART_COLUMNS`].
const ERASED_AT: usize = PARTS_AT + 12;

fn entry(
    db: &Connection,
    terms: &RefCell<&mut Terms>,
    unpacker: &mut Unpacker,
    row: &Row<'_>,
    item: &mut dyn FnMut(VerifyItem<'_>),
) -> Result<(), StoreError> {
    let mut unreadable = Vec::new();
    let mut unpacked: Vec<(PartId, Vec<u8>)> = Vec::new();
    // A cell of another type than was written tells nothing; the checks would blame every part.
    let read = if has(row, 3) { parts(row, PARTS_AT) } else { Ok(Vec::new()) };
    let is_read = read.is_ok();
    let packed = read.unwrap_or_default();
    for part in packed.iter().filter(|part| part.packed) {
        match part.bytes.and_then(|bytes| unpacker.unpack(bytes)) {
            Some(bytes) => unpacked.push((part.id, bytes)),
            None if part.bytes.is_some() => unreadable.push(part.id),
            None => {}
        }
    }
    let stored: Vec<StoredPart<'_>> = packed
        .iter()
        .filter_map(|part| {
            let plain = unpacked.iter().find(|(id, _)| *id == part.id).map(|(_, b)| b.as_slice());
            let bytes = if part.packed { plain? } else { part.bytes? };
            Some(StoredPart { id: part.id, encoding: part.encoding.code(), bytes })
        })
        .collect();
    let content_hash = bytes(row, 6);
    let lookup = StoredRow { db, terms, row, content_hash };
    item(VerifyItem::Entry(StoredEntry {
        key: from_db(row.get(0)?),
        leaf: bytes(row, 1).unwrap_or_default(),
        leaf_hash: bytes(row, 2).unwrap_or_default(),
        secret: if has(row, 3) { bytes(row, 4) } else { None },
        parts: &stored,
        checks: if is_read { bytes(row, 5).unwrap_or_default() } else { &[] },
        erased: bytes(row, ERASED_AT).unwrap_or_default(),
        salts: bytes(row, ERASED_AT + 1).unwrap_or_default(),
        unreadable: &unreadable,
        lookup: if has(row, 7) { Some(&lookup) } else { None },
    }));
    Ok(())
}

/// A row of `lookups` beside the terms and contents that it points to.
struct StoredRow<'a, 'terms, 'row> {
    db: &'a Connection,
    terms: &'a RefCell<&'terms mut Terms>,
    row: &'a Row<'row>,
    content_hash: Option<&'a [u8]>,
}

impl StoredRow<'_, '_, '_> {
    /// A column of [`LOOKUP_COLUMNS`]; `None` when somebody made it another type.
    fn integer(&self, at: usize) -> Option<Option<i64>> {
        match self.row.get_ref(8 + at).ok()? {
            ValueRef::Integer(value) => Some(Some(value)),
            ValueRef::Null => Some(None),
            _ => None,
        }
    }

    fn is(&self, at: usize, expected: Option<i64>) -> bool {
        self.integer(at) == Some(expected)
    }

    /// True when the column's term has this text. A term that cannot be read has none.
    fn is_term(&self, at: usize, expected: Option<&str>) -> bool {
        match (self.integer(at), expected) {
            (Some(None), None) => true,
            (Some(Some(id)), Some(text)) => {
                self.terms.borrow_mut().is(self.db, id, text).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// True when the lookup row points to the same content as the row of parts.
    fn same_input(&self) -> bool {
        let of_parts: Option<Option<i64>> = self.row.get(PARTS_AT + 4).ok();
        let of_lookup: Option<Option<i64>> = self.integer(12);
        of_parts.is_some() && of_parts == of_lookup
    }
}

impl LookupRow for StoredRow<'_, '_, '_> {
    fn differing(&self, derived: &Lookup<'_>) -> Vec<&'static str> {
        let key = |text: Option<&str>| text.map(text_key);
        let status = derived.status.map(|status| i64::from(status.code()));
        let input_hash = derived.input_hash.as_ref().map(|hash| hash.0.as_slice());
        let columns = [
            ("timestamp", self.is(0, Some(derived.time_ns))),
            ("kind", self.is(1, Some(i64::from(derived.kind.code())))),
            ("status", self.is(2, status)),
            ("model_name", self.is_term(3, derived.model_name.as_deref())),
            ("model_version", self.is_term(4, derived.model_version.as_deref())),
            ("user_id", self.is_term(5, derived.user_id.as_deref())),
            ("label", self.is_term(6, derived.label.as_deref())),
            ("latency_us", self.is(7, derived.latency_us.map(to_db))),
            ("request_id", self.is(8, key(derived.request_id.as_deref()))),
            ("subject_id", self.is(9, key(derived.subject_id.as_deref()))),
            ("session_id", self.is(10, key(derived.session_id.as_deref()))),
            ("input_mac", self.is(11, derived.input_mac.as_ref().map(hash_key))),
            ("input_hash", self.content_hash == input_hash && self.same_input()),
            ("input_key", self.is(13, derived.input_hash.as_ref().map(hash_key))),
        ];
        columns.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect()
    }
}

pub(super) fn strays(db: &Connection, size: u64) -> Result<Strays, StoreError> {
    let size = to_db(size);
    let mut strays = Strays::default();
    let mut statement =
        db.prepare_cached("SELECT idx FROM leaves WHERE idx >= ?1 ORDER BY idx LIMIT ?2")?;
    let behind: Vec<i64> =
        statement.query_map([size, N_STRAYS_MAX], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let n_next = behind.iter().zip(size..).take_while(|(key, next)| *key == next).count();
    let last: Option<i64> =
        db.query_row("SELECT max(idx) FROM leaves WHERE idx >= 0 AND idx < ?1", [size], |row| {
            row.get(0)
        })?;
    strays.end = if n_next > 0 {
        from_db(size).saturating_add(u64::try_from(n_next).unwrap_or(0))
    } else {
        last.map_or(0, |last| from_db(last).saturating_add(1))
    };
    let end = size.saturating_add(i64::try_from(n_next).unwrap_or(0));
    for (table, kind, what) in [
        ("leaves", FindingKind::InsertedEntry, "a leaf stands"),
        ("parts", FindingKind::InsertedEntry, "parts stand"),
        ("lookups", FindingKind::InventedLookup, "a lookup row stands"),
    ] {
        // Two ranges and not one with OR, for which SQLite would read the whole table.
        for (range, bound) in [("idx < ?1", 0), ("idx >= ?1", end)] {
            let sql = format!("SELECT idx FROM {table} WHERE {range} ORDER BY idx LIMIT ?2");
            let mut statement = db.prepare(&sql)?;
            let mut rows = statement.query([bound, N_STRAYS_MAX])?;
            while let Some(row) = rows.next()? {
                let key: i64 = row.get(0)?;
                let detail = format!("{what} under the key {key}, where no entry can be");
                strays.findings.push(Finding::at(from_db(key), kind, detail));
            }
        }
    }
    // One edit, one finding: rows of several tables under one key were put there together.
    strays.findings.sort();
    strays.findings.dedup_by_key(|finding| finding.index);
    Ok(strays)
}
