//! Terms: texts that many rows share, kept once.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::super::StoreError;

/// Most terms held in memory at once, each way. Names, versions and labels are few; users may be
/// many, and the heaviest of them come again and again. At about 100 bytes each this is 6 MiB.
const N_CACHED_MAX: usize = 32 * 1024;

/// A cache in front of the table `terms`.
pub(super) struct Terms {
    ids: HashMap<String, i64>,
    /// By id: ids are given in ascending order, so that the first ones are those that come again.
    texts: Vec<Option<Box<str>>>,
}

impl Terms {
    pub(super) fn new() -> Self {
        Self { ids: HashMap::new(), texts: Vec::new() }
    }

    /// The id of a term, if the ledger has it.
    pub(super) fn find(db: &Connection, text: &str) -> Result<Option<i64>, StoreError> {
        let mut statement = db.prepare_cached("SELECT id FROM terms WHERE text = ?1")?;
        Ok(statement.query_row([text], |row| row.get(0)).optional()?)
    }

    /// The id of a term, which is put into the ledger when it is not there.
    pub(super) fn intern(&mut self, db: &Connection, text: &str) -> Result<i64, StoreError> {
        if let Some(id) = self.ids.get(text) {
            return Ok(*id);
        }
        let id = match Self::find(db, text)? {
            Some(id) => id,
            None => {
                db.prepare_cached("INSERT INTO terms (text) VALUES (?1)")?.execute([text])?;
                db.last_insert_rowid()
            }
        };
        if self.ids.len() >= N_CACHED_MAX {
            self.ids.clear();
        }
        self.ids.insert(text.to_owned(), id);
        Ok(id)
    }

    /// Forgets ids that a rolled back transaction had made.
    pub(super) fn forget(&mut self) {
        self.ids.clear();
    }

    /// The text of a term.
    pub(super) fn text(&mut self, db: &Connection, id: i64) -> Result<Option<String>, StoreError> {
        self.with(db, id, |text| text.map(str::to_owned))
    }

    /// True when the term `id` has this text.
    pub(super) fn is(&mut self, db: &Connection, id: i64, text: &str) -> Result<bool, StoreError> {
        self.with(db, id, |known| known == Some(text))
    }

    fn with<T>(
        &mut self,
        db: &Connection,
        id: i64,
        of: impl FnOnce(Option<&str>) -> T,
    ) -> Result<T, StoreError> {
        let at = usize::try_from(id).unwrap_or(usize::MAX);
        if let Some(Some(text)) = self.texts.get(at) {
            return Ok(of(Some(text)));
        }
        let mut statement = db.prepare_cached("SELECT text FROM terms WHERE id = ?1")?;
        let text: Option<Box<str>> = statement.query_row([id], |row| row.get(0)).optional()?;
        let answer = of(text.as_deref());
        if at < N_CACHED_MAX {
            if self.texts.len() <= at {
                self.texts.resize(at + 1, None);
            }
            if let Some(place) = self.texts.get_mut(at) {
                *place = text;
            }
        }
        Ok(answer)
    }
}
