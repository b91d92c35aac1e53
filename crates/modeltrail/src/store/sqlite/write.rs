//! Appending a batch: one transaction, compare-and-swap on the head.

use std::borrow::Cow;

use modeltrail_core::anchor::Head;
use modeltrail_core::code::{Encoding, PartId};
use modeltrail_core::lookup::Lookup;
use modeltrail_core::record::Part;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::super::batch::NewEntry;
use super::super::tree::grow;
use super::super::{Batch, StoreError};
use super::codec::{Packer, bit, hash_key, text_key, to_db};
use super::terms::Terms;
use super::tree::Rows;

pub(super) fn append(
    db: &mut Connection,
    terms: &mut Terms,
    packer: &mut Packer,
    batch: &Batch,
    expected: &Head,
) -> Result<(), StoreError> {
    let done = append_in_transaction(db, terms, packer, batch, expected);
    if done.is_err() {
        terms.forget();
    }
    done
}

fn append_in_transaction(
    db: &mut Connection,
    terms: &mut Terms,
    packer: &mut Packer,
    batch: &Batch,
    expected: &Head,
) -> Result<(), StoreError> {
    let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // The head first: a batch of another place then is a conflict, not an index that is taken.
    move_head(&transaction, batch, expected)?;
    let mut writer = Writer { db: &transaction, terms, packer };
    for entry in batch.entries() {
        writer.entry(entry)?;
    }
    grow(&mut Rows(&transaction), expected.size, batch.tip().head.size)?;
    for (producer, state) in batch.producers() {
        transaction
            .prepare_cached(
                "INSERT INTO producers (id, next_seq, ended) VALUES (?1, ?2, ?3) \
                 ON CONFLICT (id) DO UPDATE \
                 SET next_seq = excluded.next_seq, ended = excluded.ended",
            )?
            .execute(params![producer, to_db(state.next_seq), state.ended])?;
    }
    transaction.commit()?;
    Ok(())
}

fn move_head(
    transaction: &Transaction<'_>,
    batch: &Batch,
    expected: &Head,
) -> Result<(), StoreError> {
    let tip = batch.tip();
    let n_changed = transaction
        .prepare_cached(
            "UPDATE head SET size = ?1, root = ?2, last_leaf = ?3, time_us = ?4, frontier = ?5 \
             WHERE id = 1 AND size = ?6 AND root = ?7",
        )?
        .execute(params![
            to_db(tip.head.size),
            tip.head.root.0,
            tip.last_leaf_hash.0,
            to_db(tip.time_us),
            tip.frontier.to_bytes(),
            to_db(expected.size),
            expected.root.0,
        ])?;
    if n_changed == 1 {
        return Ok(());
    }
    let found: i64 = transaction.query_row("SELECT size FROM head", [], |row| row.get(0))?;
    Err(StoreError::Conflict { found: super::codec::from_db(found), expected: expected.size })
}

/// Refuses an insert that put nothing in: a trigger that somebody added swallowed the row.
pub(super) fn put_in(n_rows: usize, index: u64) -> Result<(), StoreError> {
    if n_rows == 1 {
        return Ok(());
    }
    Err(StoreError::Damaged { index, what: "a trigger of somebody else's swallows what is stored" })
}

struct Writer<'a> {
    db: &'a Transaction<'a>,
    terms: &'a mut Terms,
    packer: &'a mut Packer,
}

impl Writer<'_> {
    fn entry(&mut self, entry: &NewEntry) -> Result<(), StoreError> {
        let index = to_db(entry.index);
        let n_rows = self
            .db
            .prepare_cached("INSERT INTO leaves (idx, leaf, hash) VALUES (?1, ?2, ?3)")?
            .execute(params![index, entry.leaf, entry.leaf_hash.0])?;
        put_in(n_rows, entry.index)?;
        let derived = Lookup::derive(entry.kind, entry.parts.iter().map(Part::as_ref))
            .unwrap_or_else(|_| Lookup::unreadable(entry.kind));
        let input = self.input(entry, &derived)?;
        self.parts(entry, input)?;
        self.lookup(index, input, &derived)
    }

    /// The content row of the input: the one that is there already, or a new one.
    fn input(&mut self, entry: &NewEntry, derived: &Lookup<'_>) -> Result<Option<i64>, StoreError> {
        let part = entry.parts.iter().find(|part| part.id == PartId::Input);
        let (Some(part), Some(hash)) = (part, derived.input_hash) else { return Ok(None) };
        let key = hash_key(&hash);
        let known = self
            .db
            .prepare_cached("SELECT id FROM contents WHERE key = ?1 AND hash = ?2")?
            .query_row(params![key, hash.0], |row| row.get(0))
            .optional()?;
        if known.is_some() {
            return Ok(known);
        }
        let packed = self.packer.pack(&part.bytes);
        let form = i64::from(packed.is_some());
        self.db
            .prepare_cached(
                "INSERT INTO contents (key, hash, form, bytes) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![key, hash.0, form, packed.as_deref().unwrap_or(&part.bytes)])?;
        Ok(Some(self.db.last_insert_rowid()))
    }

    fn parts(&mut self, entry: &NewEntry, input: Option<i64>) -> Result<(), StoreError> {
        let (mut raw, mut zstd) = (0, 0);
        for part in entry.parts.iter().filter(|part| part.encoding == Encoding::Raw) {
            raw |= bit(part.id);
        }
        let mut column = |id: PartId| {
            let part = entry.parts.iter().find(|part| part.id == id)?;
            Some(match self.packer.pack(&part.bytes) {
                Some(packed) => {
                    zstd |= bit(id);
                    Cow::Owned(packed)
                }
                None => Cow::Borrowed(part.bytes.as_slice()),
            })
        };
        // Header, parties and control stay plain: the view and people's own SQL read them.
        let plain = |id: PartId| {
            entry.parts.iter().find(|part| part.id == id).map(|part| part.bytes.as_slice())
        };
        let output = column(PartId::Output);
        let metadata = column(PartId::Metadata);
        let pipeline = column(PartId::Pipeline);
        let error = column(PartId::Error);
        let n_rows = self
            .db
            .prepare_cached(
                "INSERT INTO parts (idx, secret, checks, raw, zstd, header, input, output, \
                 parties, metadata, pipeline, error, control) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            )?
            .execute(params![
                to_db(entry.index),
                entry.secret,
                entry.checks,
                raw,
                zstd,
                plain(PartId::Header),
                input,
                output,
                plain(PartId::Parties),
                metadata,
                pipeline,
                error,
                plain(PartId::Control),
            ])?;
        put_in(n_rows, entry.index)
    }

    fn lookup(
        &mut self,
        index: i64,
        input: Option<i64>,
        derived: &Lookup<'_>,
    ) -> Result<(), StoreError> {
        let mut term = |text: &Option<Cow<'_, str>>| -> Result<Option<i64>, StoreError> {
            text.as_deref().map(|text| self.terms.intern(self.db, text)).transpose()
        };
        let model = term(&derived.model_name)?;
        let version = term(&derived.model_version)?;
        let user = term(&derived.user_id)?;
        let label = term(&derived.label)?;
        let key = |text: &Option<Cow<'_, str>>| text.as_deref().map(text_key);
        let n_rows = self
            .db
            .prepare_cached(
                "INSERT INTO lookups (idx, time_ns, kind, status, model, version, user, label, \
                 latency_us, input, request_key, subject_key, session_key, input_mac_key) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                index,
                derived.time_ns,
                derived.kind.code(),
                derived.status.map(modeltrail_core::Status::code),
                model,
                version,
                user,
                label,
                derived.latency_us.map(to_db),
                input,
                key(&derived.request_id),
                key(&derived.subject_id),
                key(&derived.session_id),
                derived.input_mac.as_ref().map(hash_key),
            ])?;
        put_in(n_rows, super::codec::from_db(index))
    }
}
