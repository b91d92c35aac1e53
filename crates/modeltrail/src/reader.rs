//! Reading a ledger: by request id, by any combination of filters, page by page.

mod view;

pub use view::EntryView;

use std::path::PathBuf;

use modeltrail_core::Hash;
use modeltrail_core::canonical::canonicalize;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::hash::MacKey;
use modeltrail_core::limits::Limits;
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::receipt::Receipt;
use modeltrail_core::record::{Part, Parties};

use crate::ledger::{Ledger, LedgerError};
use crate::proofs::{self, ProofsError};
use crate::store::{Entry, Store, StoreError, UsageQuery, UsageRow};

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An input to look for that is no JSON.
    #[error("the input to look for: {0}")]
    Input(modeltrail_core::canonical::JsonError),
    /// There is no proof.
    #[error(transparent)]
    Proofs(#[from] ProofsError),
    /// The key beside the database is needed and is not there.
    #[error("looking for an input needs the ledger's key: {0}")]
    NoKey(String),
}

/// A page of answers, newest first.
#[derive(Clone, Debug)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` when this is the last.
    pub next: Option<Cursor>,
}

/// Most places that are looked at in one step of a query.
const N_SCAN_MAX: usize = 1024;

/// Reads one ledger. Each thread needs its own.
pub struct Reader {
    ledger: Ledger,
    store: Box<dyn Store>,
}

impl Reader {
    /// Opens the ledger at `url`.
    ///
    /// # Errors
    /// When no ledger is there, or it cannot be read.
    pub fn open(url: &str) -> Result<Self, ReadError> {
        Self::of(&Ledger::parse(url)?)
    }

    /// Opens a ledger.
    ///
    /// # Errors
    /// When no ledger is there, or it cannot be read.
    pub fn of(ledger: &Ledger) -> Result<Self, ReadError> {
        Ok(Self { ledger: ledger.clone(), store: ledger.open_read()? })
    }

    /// A reader of any store, for tests of what it does with a store's answers.
    #[cfg(test)]
    pub(crate) fn over(store: Box<dyn Store>) -> Self {
        Self { ledger: Ledger::parse("memory:").unwrap(), store }
    }

    /// Name of the ledger.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.store.origin()
    }

    /// Number of entries.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn size(&self) -> Result<u64, ReadError> {
        Ok(self.store.tip()?.head.size)
    }

    /// The file that keeps the last head outside the database.
    #[must_use]
    pub fn anchor_path(&self) -> PathBuf {
        self.ledger.anchor_path()
    }

    /// The newest stored checkpoint; `None` when none was published yet.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, ReadError> {
        Ok(self.store.checkpoint(None)?)
    }

    /// The receipt of an entry under the newest stored checkpoint.
    ///
    /// # Errors
    /// [`ProofsError::Unpublished`] when no checkpoint covers it; see [`proofs::receipt`].
    pub fn receipt(&self, index: u64) -> Result<Receipt, ReadError> {
        let covers = |it: &SignedCheckpoint| it.checkpoint().head().size > index;
        let checkpoint = self.store.checkpoint(None)?.filter(covers);
        let checkpoint = checkpoint.ok_or(ProofsError::Unpublished { index })?;
        Ok(proofs::receipt(self.store.as_ref(), index, &checkpoint)?)
    }

    /// The store that it reads, for proofs and exports.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The entry at an index.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn at(&self, index: u64) -> Result<Option<Entry>, ReadError> {
        Ok(self.store.get(index)?)
    }

    /// The entries of a request id: the record first, conflict entries if others came under it, and intents last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn by_request_id(&self, request_id: &str) -> Result<Vec<Entry>, ReadError> {
        let query = Query { request_id: Some(request_id.to_owned()), ..Query::default() };
        let mut entries = self.query(&query, usize::MAX)?.entries;
        let is_intent = |entry: &Entry| entry.leaf.kind == modeltrail_core::Kind::Intent.code();
        entries.sort_by_key(|entry| (is_intent(entry), entry.leaf.index));
        Ok(entries)
    }

    /// Up to `limit` entries that fit, newest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn query(&self, query: &Query, limit: usize) -> Result<Page, ReadError> {
        let mut entries = Vec::new();
        let mut query = query.clone();
        loop {
            // One more than asked for tells whether there is a next page.
            let missing = limit.saturating_sub(entries.len()).saturating_add(1);
            let places = self.store.scan(&query, false, missing.min(N_SCAN_MAX))?;
            let Some(last) = places.last().copied() else {
                return Ok(Page { entries, next: None });
            };
            let mut before = query.after;
            for place in places {
                let Some(entry) = self.store.get(place.index)? else { continue };
                if !fits(&query, &entry.parts) {
                    continue;
                }
                if entries.len() == limit {
                    return Ok(Page { entries, next: before });
                }
                entries.push(entry);
                before = Some(place);
            }
            query.after = Some(last);
        }
    }

    /// Number of entries that fit.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn count(&self, query: &Query) -> Result<u64, ReadError> {
        let mut query = query.clone();
        let exact = !by_key(&query);
        let mut n = 0;
        loop {
            let places = self.store.scan(&query, false, N_SCAN_MAX)?;
            let Some(last) = places.last().copied() else { return Ok(n) };
            for place in &places {
                let counts = exact
                    || self.store.get(place.index)?.is_some_and(|entry| fits(&query, &entry.parts));
                n += u64::from(counts);
            }
            query.after = Some(last);
        }
    }

    /// The MAC of an input as JSON text: what answers "was this exact input seen before", also where
    /// redaction made different inputs alike or a policy changed since.
    ///
    /// # Errors
    /// When the text is no JSON or the ledger's key is not there.
    pub fn input_mac(&self, json: &[u8]) -> Result<Hash, ReadError> {
        let canonical = canonicalize(json, &Limits::default()).map_err(ReadError::Input)?;
        Ok(self.mac_key()?.mac(&[&canonical]))
    }

    fn mac_key(&self) -> Result<MacKey, ReadError> {
        let key = self.ledger.mac_key_of(self.store.as_ref());
        key.map_err(|error| ReadError::NoKey(error.to_string()))
    }

    /// Hands over each prediction of a model in the order of time; what usage reports are made of.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn usage(
        &self,
        query: &UsageQuery,
        row: &mut dyn FnMut(UsageRow),
    ) -> Result<(), ReadError> {
        Ok(self.store.usage(query, row)?)
    }

    /// The text of a term of [`UsageRow`].
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn term(&self, term: u32) -> Result<String, ReadError> {
        Ok(self.store.term(term)?)
    }

    /// Hands over the entries that fit, oldest first, without holding them.
    ///
    /// # Errors
    /// When the store cannot be read, or `entry` says to stop with an error.
    pub fn each<E: From<ReadError>>(
        &self,
        query: &Query,
        mut entry: impl FnMut(&Cursor, Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = query.clone();
        loop {
            let places = self.store.scan(&query, true, N_SCAN_MAX).map_err(ReadError::from)?;
            let Some(last) = places.last().copied() else { return Ok(()) };
            for place in &places {
                let found = self.store.get(place.index).map_err(ReadError::from)?;
                if let Some(found) = found.filter(|found| fits(&query, &found.parts)) {
                    entry(place, found)?;
                }
            }
            query.after = Some(last);
        }
    }
}

/// True when the query filters by a column that stores may keep as a short key.
const fn by_key(query: &Query) -> bool {
    query.request_id.is_some()
        || query.subject_id.is_some()
        || query.session_id.is_some()
        || query.input_mac.is_some()
}

/// Holds the filters that may be keys in the store against the part itself.
fn fits(query: &Query, parts: &[Part]) -> bool {
    if !by_key(query) {
        return true;
    }
    let Some(parties) = Parties::of(parts) else {
        return false;
    };
    let same = |asked: &Option<String>, is: Option<&str>| {
        asked.as_deref().is_none_or(|asked| is == Some(asked))
    };
    let mac = parties.input_mac.as_deref().and_then(Hash::from_hex);
    same(&query.request_id, parties.request_id.as_deref())
        && same(&query.subject_id, parties.subject_id.as_deref())
        && same(&query.session_id, parties.session_id.as_deref())
        && query.input_mac.is_none_or(|asked| mac == Some(asked))
}
