//! What can be said of a ledger's file without reading its entries: for a status display.

use super::{SqliteStore, StoreError, schema};

/// What a ledger's file is, beside its entries.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SqliteFacts {
    /// `PRAGMA user_version`: the format that the file has.
    pub format_version: u32,
    /// Bytes of the database's pages, those of its write-ahead log not counted.
    pub database_bytes: u64,
    /// Number of triggers that refuse a change when all are there.
    pub n_triggers: usize,
    /// Triggers that are not there, or say something else than they did when the ledger was made.
    pub changed_triggers: Vec<&'static str>,
    /// Triggers that no ledger is made with: they may change what is written.
    pub foreign_triggers: Vec<String>,
}

/// Name and text of each trigger that a ledger is made with.
fn triggers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let texts = [schema::TRIGGERS, schema::TREE_TRIGGERS].into_iter();
    texts.flat_map(|texts| texts.split_inclusive("END;")).filter_map(|text| {
        let text = text.trim().strip_suffix(';')?;
        Some((text.split_whitespace().nth(2)?, text))
    })
}

impl SqliteStore {
    /// Looks at the file.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn facts(&self) -> Result<SqliteFacts, StoreError> {
        let number = |pragma: &str| -> Result<i64, StoreError> {
            Ok(self.db.pragma_query_value(None, pragma, |row| row.get(0))?)
        };
        let mut statement = self
            .db
            .prepare("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?1")?;
        let (mut n_triggers, mut changed_triggers) = (0, Vec::new());
        for (name, text) in triggers() {
            n_triggers += 1;
            let mut rows = statement.query([name])?;
            let is_there = match rows.next()? {
                Some(row) => row.get::<_, String>(0)? == text,
                None => false,
            };
            if !is_there {
                changed_triggers.push(name);
            }
        }
        let own: Vec<&str> = triggers().map(|(name, _)| name).collect();
        let mut names = self.db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'")?;
        let mut foreign_triggers =
            names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        foreign_triggers.retain(|name| !own.contains(&name.as_str()));
        let database_bytes = number("page_count")?.saturating_mul(number("page_size")?);
        Ok(SqliteFacts {
            format_version: u32::try_from(number("user_version")?).unwrap_or(0),
            database_bytes: u64::try_from(database_bytes).unwrap_or(0),
            n_triggers,
            changed_triggers,
            foreign_triggers,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Access, SqliteStore};

    #[test]
    fn a_trigger_that_is_gone_or_disarmed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.db");
        let store = SqliteStore::create(&path, "example.com/a").unwrap();
        let facts = store.facts().unwrap();
        assert_eq!((facts.format_version, facts.n_triggers), (2, 18));
        assert_eq!(facts.changed_triggers, Vec::<&str>::new());
        assert_eq!(facts.database_bytes, std::fs::metadata(&path).unwrap().len());
        store
            .db
            .execute_batch(
                "DROP TRIGGER parts_no_update; DROP TRIGGER leaves_no_delete;
                 CREATE TRIGGER leaves_no_delete BEFORE DELETE ON leaves BEGIN SELECT 1; END;",
            )
            .unwrap();
        let facts = SqliteStore::open(&path, Access::Read).unwrap().facts().unwrap();
        assert_eq!(facts.changed_triggers, ["leaves_no_delete", "parts_no_update"]);
    }
}
