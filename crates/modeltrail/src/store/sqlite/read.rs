//! Single rows.

use std::path::Path;

use modeltrail_core::anchor::Head;
use modeltrail_core::code::{Encoding, PartId};
use modeltrail_core::merkle::Frontier;
use modeltrail_core::record::{Part, Parties};
use modeltrail_core::{Hash, Kind, Leaf};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::super::{Entry, ProducerState, StoreError, Tip};
use super::codec::{Unpacker, bit, from_db, text_key, to_db};

pub(super) fn tip(db: &Connection, path: &Path) -> Result<Tip, StoreError> {
    let row = db
        .query_row("SELECT size, root, last_leaf, time_us, frontier FROM head", [], |row| {
            let size = from_db(row.get(0)?);
            let root: [u8; 32] = row.get(1)?;
            let last_leaf: [u8; 32] = row.get(2)?;
            let time_us = from_db(row.get(3)?);
            let frontier: Vec<u8> = row.get(4)?;
            Ok((Head { size, root: Hash(root) }, Hash(last_leaf), time_us, frontier))
        })
        .optional()?;
    let Some((head, last_leaf_hash, time_us, frontier)) = row else {
        return Err(StoreError::Gone { path: path.to_owned(), what: "the row of its head" });
    };
    let frontier = Frontier::from_parts(head.size, &frontier).unwrap_or_default();
    Ok(Tip { head, last_leaf_hash, time_us, frontier })
}

pub(super) fn producer(db: &Connection, producer: &[u8; 16]) -> Result<ProducerState, StoreError> {
    let mut statement = db.prepare_cached("SELECT next_seq, ended FROM producers WHERE id = ?1")?;
    let state = statement.query_row([producer], |row| {
        Ok(ProducerState { next_seq: from_db(row.get(0)?), ended: row.get(1)? })
    });
    Ok(state.optional()?.unwrap_or_default())
}

pub(super) fn find_request(db: &Connection, request_id: &str) -> Result<Option<u64>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT k.idx, k.kind, p.parties FROM lookups k JOIN parts p ON p.idx = k.idx \
         WHERE k.request_key = ?1 ORDER BY k.idx",
    )?;
    let mut rows = statement.query([text_key(request_id)])?;
    while let Some(row) = rows.next()? {
        let unique = Kind::from_code(row.get(1)?).is_some_and(Kind::has_unique_request_id);
        let parties = bytes(row, 2).unwrap_or_default();
        let parties: Parties<'_> = serde_json::from_slice(parties).unwrap_or_default();
        if unique && parties.request_id.as_deref() == Some(request_id) {
            return Ok(Some(from_db(row.get(0)?)));
        }
    }
    Ok(None)
}

/// Columns of `parts` that hold bytes, in the order of [`PART_COLUMNS`].
const BYTE_PARTS: [PartId; 7] = [
    PartId::Header,
    PartId::Output,
    PartId::Parties,
    PartId::Metadata,
    PartId::Pipeline,
    PartId::Error,
    PartId::Control,
];

/// What [`parts`] reads from a row, from a given column on.
pub(super) const PART_COLUMNS: &str = "p.raw, p.zstd, c.form, c.bytes, p.input, p.header, \
     p.output, p.parties, p.metadata, p.pipeline, p.error, p.control";

/// A part's bytes as they lie in a row.
pub(super) struct PackedPart<'a> {
    pub(super) id: PartId,
    pub(super) encoding: Encoding,
    pub(super) packed: bool,
    /// `None` when the row says that there is content but the content is not there.
    pub(super) bytes: Option<&'a [u8]>,
}

/// The parts of a row whose columns from `at` on are [`PART_COLUMNS`], ascending by id.
pub(super) fn parts<'a>(row: &'a Row<'_>, at: usize) -> rusqlite::Result<Vec<PackedPart<'a>>> {
    let raw: i64 = row.get(at)?;
    let zstd: i64 = row.get(at + 1)?;
    let encoding = |id| if raw & bit(id) == 0 { Encoding::Json } else { Encoding::Raw };
    let mut parts = Vec::with_capacity(8);
    for (n, id) in BYTE_PARTS.into_iter().enumerate() {
        if let Some(bytes) = bytes(row, at + 5 + n) {
            let packed = zstd & bit(id) != 0;
            parts.push(PackedPart { id, encoding: encoding(id), packed, bytes: Some(bytes) });
        }
    }
    if row.get_ref(at + 4)? != ValueRef::Null {
        let id = PartId::Input;
        let packed = row.get::<_, Option<i64>>(at + 2)? == Some(1);
        let content = bytes(row, at + 3);
        parts.push(PackedPart { id, encoding: encoding(id), packed, bytes: content });
    }
    parts.sort_unstable_by_key(|part| part.id);
    Ok(parts)
}

/// Bytes of a column, whatever type somebody gave it; `None` for NULL.
pub(super) fn bytes<'a>(row: &'a Row<'_>, at: usize) -> Option<&'a [u8]> {
    match row.get_ref(at).ok()? {
        ValueRef::Blob(bytes) | ValueRef::Text(bytes) => Some(bytes),
        ValueRef::Null => None,
        ValueRef::Integer(_) | ValueRef::Real(_) => Some(&[]),
    }
}

pub(super) fn get(
    db: &Connection,
    unpacker: &mut Unpacker,
    index: u64,
) -> Result<Option<Entry>, StoreError> {
    let sql = format!(
        "SELECT l.leaf, l.hash, p.idx, {PART_COLUMNS} FROM leaves l \
         LEFT JOIN parts p ON p.idx = l.idx LEFT JOIN contents c ON c.id = p.input \
         WHERE l.idx = ?1"
    );
    let damaged = |what| StoreError::Damaged { index, what };
    let mut statement = db.prepare_cached(&sql)?;
    let mut rows = statement.query([to_db(index)])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let leaf = Leaf::decode(bytes(row, 0).unwrap_or_default())
        .map_err(|_| damaged("its leaf cannot be read"))?;
    let leaf_hash = Hash::from_slice(bytes(row, 1).unwrap_or_default())
        .ok_or_else(|| damaged("its leaf hash cannot be read"))?;
    let mut found = Vec::new();
    if row.get_ref(2)? != ValueRef::Null {
        for part in parts(row, 3)? {
            let bytes = part.bytes.ok_or_else(|| damaged("its input is not there"))?;
            let bytes = if part.packed {
                unpacker.unpack(bytes).ok_or_else(|| damaged("a part cannot be decompressed"))?
            } else {
                bytes.to_vec()
            };
            found.push(Part { id: part.id, encoding: part.encoding, bytes });
        }
    }
    Ok(Some(Entry { leaf, leaf_hash, parts: found }))
}
