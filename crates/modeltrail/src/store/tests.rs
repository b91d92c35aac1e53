//! The stores of this crate, held to what every store must do, and to what SQLite alone can show.

use std::path::Path;

use modeltrail_core::code::PartId;
use modeltrail_core::hash::{MacKey, sha256};
use modeltrail_core::query::{Cursor, Query};
use modeltrail_core::record::{CaptureContext, Redacted};
use modeltrail_core::redact::Redactor;
use modeltrail_core::{Frame, Kind, Limits, Record, Status};
use serde_json::json;

use super::*;

#[test]
fn the_memory_store_conforms() {
    conformance::run_all(&mut || Box::new(MemoryStore::new("example.com/memory")));
}

#[cfg(feature = "sqlite")]
#[test]
fn the_sqlite_store_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let mut n = 0;
    conformance::run_all(&mut || {
        n += 1;
        let path = dir.path().join(format!("{n}.db"));
        Box::new(SqliteStore::create(&path, "example.com/sqlite").unwrap())
    });
}

/// A store that takes what it is given and forgets the last entry of each batch.
struct Forgetful(MemoryStore);

#[test]
fn a_store_that_does_not_conform_is_named_with_the_check() {
    let lossy = std::panic::catch_unwind(|| {
        conformance::run_all(&mut || Box::new(Forgetful(MemoryStore::new("example.com/lossy"))));
    });
    let message = lossy.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("what was appended is read back byte by byte"), "{message}");
    assert!(message.contains("entry 3 is not there"), "{message}");
}

fn key() -> MacKey {
    MacKey::new([3; 32])
}

fn record(n: u64) -> Record {
    Record::prediction("model", "v1")
        .request_id(format!("r{n}"))
        .timestamp_ns(i64::try_from(n).unwrap())
        .input(json!({"n": n}))
        .output(json!({"prediction": "fraud"}))
        .user_id("user")
        .subject_id(format!("s{}", n % 3))
        .session_id(format!("c{}", n % 2))
}

fn batch(store: &dyn Store, first: u64, records: impl IntoIterator<Item = Record>) -> Batch {
    let (redactor, mac_key, limits) = (Redactor::disabled(), key(), Limits::default());
    let context =
        CaptureContext { redactor: &redactor, mac_key: &mac_key, limits: &limits, mode: "test" };
    let mut batch = Batch::new(store.tip().unwrap());
    for (record, seq) in records.into_iter().zip(first..) {
        let redacted = Redacted::new(record, &context).unwrap();
        batch.push(Frame::new(redacted, [1; 16], [2; 32]), [9; 16], seq, 1);
    }
    batch
}

fn append(store: &mut dyn Store, first: u64, records: impl IntoIterator<Item = Record>) {
    let batch = batch(store, first, records);
    let head = store.tip().unwrap().head;
    store.append(&batch, &head).unwrap();
}

/// A store whose short keys all collide: filters by them let every entry through.
struct Colliding(MemoryStore);

impl Colliding {
    fn loosened(query: &Query) -> Query {
        Query {
            request_id: None,
            subject_id: None,
            session_id: None,
            input_mac: None,
            ..query.clone()
        }
    }
}

/// What a store does that leaves everything to the one inside, but for what is given.
macro_rules! leave_to_inner {
    ($name:ident { $($own:item)* }) => {
        impl Store for $name {
            $($own)*
            fn origin(&self) -> &str {
                self.0.origin()
            }
            fn another(&self) -> Result<Box<dyn Store>, StoreError> {
                Ok(Box::new(Self(self.0.clone())))
            }
            fn tip(&self) -> Result<Tip, StoreError> {
                self.0.tip()
            }
            fn append(&mut self, batch: &Batch, expected: &Head) -> Result<(), StoreError> {
                self.0.append(batch, expected)
            }
            fn producer(&self, producer: &[u8; 16]) -> Result<ProducerState, StoreError> {
                self.0.producer(producer)
            }
            fn find_request(&self, request_id: &str) -> Result<Option<u64>, StoreError> {
                self.0.find_request(request_id)
            }
            fn usage(
                &self,
                query: &UsageQuery,
                row: &mut dyn FnMut(UsageRow),
            ) -> Result<(), StoreError> {
                self.0.usage(query, row)
            }
            fn term(&self, term: u32) -> Result<String, StoreError> {
                self.0.term(term)
            }
            fn verify_scan(
                &self,
                range: Range<u64>,
                item: &mut dyn FnMut(VerifyItem<'_>),
            ) -> Result<(), StoreError> {
                self.0.verify_scan(range, item)
            }
            fn strays(&self, size: u64) -> Result<crate::store::Strays, StoreError> {
        self.0.strays(size)
            }
            fn verify_indexes(&self) -> Result<Vec<Finding>, StoreError> {
                self.0.verify_indexes()
            }
        }
    };
}

leave_to_inner!(Colliding {
    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        self.0.get(index)
    }
    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        self.0.scan(&Self::loosened(query), oldest_first, limit)
    }
});

leave_to_inner!(Forgetful {
    fn get(&self, index: u64) -> Result<Option<Entry>, StoreError> {
        Ok(self.0.get(index)?.filter(|entry| entry.leaf.index != 3))
    }
    fn scan(
        &self,
        query: &Query,
        oldest_first: bool,
        limit: usize,
    ) -> Result<Vec<Cursor>, StoreError> {
        self.0.scan(query, oldest_first, limit)
    }
});

#[test]
fn a_reader_looks_at_the_part_itself_where_keys_collide() {
    let mut inner = MemoryStore::new("example.com/colliding");
    append(&mut inner, 0, (0..30).map(record));
    let mac = key().mac(&[json!({"n": 7}).to_string().as_bytes()]);
    let reader = crate::Reader::over(Box::new(Colliding(inner.clone())));
    let indexes = |query: &Query, limit| -> Vec<u64> {
        let page = reader.query(query, limit).unwrap();
        page.entries.iter().map(|entry| entry.leaf.index).collect()
    };
    let by = |text: &str| Some(text.to_owned());
    let every_third: Vec<u64> = (0..30).rev().filter(|n| n % 3 == 1).collect();
    let cases = [
        (Query { request_id: by("r12"), ..Query::default() }, vec![12]),
        (Query { request_id: by("r99"), ..Query::default() }, vec![]),
        (Query { input_mac: Some(mac), ..Query::default() }, vec![7]),
        (Query { input_mac: Some(sha256(&[])), ..Query::default() }, vec![]),
        (Query { subject_id: by("s1"), ..Query::default() }, every_third),
        (
            Query {
                subject_id: by("s1"),
                session_id: by("c0"),
                until_ns: Some(9),
                ..Query::default()
            },
            vec![4],
        ),
    ];
    for (query, expected) in cases {
        assert!(inner.scan(&Colliding::loosened(&query), false, 100).unwrap().len() >= 9);
        assert_eq!(indexes(&query, 100), expected, "{query:?}");
        assert_eq!(reader.count(&query).unwrap(), expected.len() as u64, "{query:?}");
        // Page by page: what was let through takes no place on a page.
        let (mut paged, mut query) = (Vec::new(), query);
        loop {
            let page = reader.query(&query, 2).unwrap();
            paged.extend(page.entries.iter().map(|entry| entry.leaf.index));
            query.after = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(paged, expected, "{query:?}");
        query.after = None;
        let mut each = Vec::new();
        let stop: Result<(), crate::reader::ReadError> = reader.each(&query, |_, entry| {
            each.push(entry.leaf.index);
            Ok(())
        });
        stop.unwrap();
        each.reverse();
        assert_eq!(each, expected, "{query:?}");
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;

    fn create(dir: &Path) -> SqliteStore {
        SqliteStore::create(&dir.join("audit.db"), "example.com/sqlite").unwrap()
    }

    /// Everything of the tables that a batch touches.
    fn counts(db: &rusqlite::Connection) -> Vec<i64> {
        ["leaves", "parts", "contents", "lookups", "terms", "producers"]
            .iter()
            .map(|table| {
                db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn an_append_that_fails_half_way_leaves_nothing_and_can_be_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        append(&mut store, 0, (0..5).map(record));
        let other = rusqlite::Connection::open(store.path()).unwrap();
        let before = (store.tip().unwrap(), counts(&other));
        let new = (5..15).map(|n| record(n).user_id(format!("new user {n}")).input(json!([n])));
        let mut batch = batch(&store, 5, new);
        batch.account([9; 16], ProducerState { next_seq: 15, ended: false });
        for table in ["leaves", "contents", "parts", "terms", "lookups", "producers"] {
            let at =
                if table == "producers" { "" } else { "WHEN (SELECT count(*) FROM leaves) = 12" };
            other
                .execute_batch(&format!(
                    "CREATE TRIGGER broken BEFORE INSERT ON {table} {at} \
                     BEGIN SELECT RAISE(ABORT, 'broken'); END;"
                ))
                .unwrap();
            let error = store.append(&batch, &before.0.head).unwrap_err();
            assert!(error.to_string().contains("broken"), "{table}: {error}");
            assert_eq!((store.tip().unwrap(), counts(&other)), before, "{table}");
            other.execute_batch("DROP TRIGGER broken").unwrap();
        }
        // What the failed attempts had learnt of terms is forgotten with them.
        store.append(&batch, &before.0.head).unwrap();
        let query = Query { user_id: Some("new user 14".to_owned()), ..Query::default() };
        assert_eq!(store.scan(&query, false, 10).unwrap(), [Cursor { time_ns: 14, index: 14 }]);
        assert_eq!(store.verify_indexes().unwrap(), []);
        assert_eq!(store.producer(&[9; 16]).unwrap().next_seq, 15);
    }

    #[test]
    fn equal_inputs_are_stored_once() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        let same = json!({"text": "again ".repeat(200)});
        append(&mut store, 0, (0..8).map(|n| record(n).input(same.clone())));
        append(&mut store, 8, (8..16).map(|n| record(n).input(same.clone())));
        let other = rusqlite::Connection::open(store.path()).unwrap();
        assert_eq!(counts(&other)[..3], [16, 16, 1]);
        let entry = store.get(15).unwrap().unwrap();
        let input = entry.parts.iter().find(|part| part.id == PartId::Input).unwrap();
        assert_eq!(input.bytes, same.to_string().as_bytes());
    }

    #[test]
    fn a_handle_for_reading_appends_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        append(&mut store, 0, (0..2).map(record));
        let mut other = store.another().unwrap();
        let (batch, head) = (batch(&store, 2, [record(2)]), store.tip().unwrap().head);
        assert!(matches!(other.append(&batch, &head), Err(StoreError::ReadOnly)));
        assert_eq!(store.tip().unwrap().head, head);
    }

    #[test]
    fn what_is_no_ledger_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("other.db");
        let open = |path: &Path| SqliteStore::open(path, Access::Write).err().unwrap();
        assert!(matches!(open(&path), StoreError::NotFound(_)));
        assert!(!path.exists(), "nothing is made on the way");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(matches!(open(&path), StoreError::NotALedger(_)));
        std::fs::write(
            &path,
            "no database at all, and longer than a header of SQLite's. ".repeat(9),
        )
        .unwrap();
        assert!(matches!(open(&path), StoreError::NotALedger(_)));
        let made = create(dir.path());
        let again = SqliteStore::create(made.path(), "example.com/again").err().unwrap();
        assert!(matches!(again, StoreError::Exists(_)));
        let other = rusqlite::Connection::open(made.path()).unwrap();
        other.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(open(made.path()), StoreError::Version { found: 99, .. }));
    }

    fn by(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// Every filter of [`Query`] alone, with the index that must answer it.
    fn single_filters() -> Vec<(Query, &'static str)> {
        let input = json!({"n": 7}).to_string();
        let (hash, mac) = (sha256(&[input.as_bytes()]), key().mac(&[input.as_bytes()]));
        let q = Query::default;
        vec![
            (Query { request_id: by("r7"), ..q() }, "lookups_by_request"),
            (Query { input_mac: Some(mac), ..q() }, "lookups_by_mac"),
            (Query { input_hash: Some(hash), ..q() }, "lookups_by_input"),
            (Query { session_id: by("c1"), ..q() }, "lookups_by_session"),
            (Query { subject_id: by("s1"), ..q() }, "lookups_by_subject"),
            (Query { user_id: by("user"), ..q() }, "lookups_by_user"),
            (Query { model_version: by("v1"), ..q() }, "lookups_by_version"),
            (Query { label: by("fraud"), ..q() }, "lookups_by_label"),
            (Query { model_name: by("model"), ..q() }, "lookups_by_model"),
            (Query { status: Some(Status::Failure), ..q() }, "lookups_by_status"),
            (Query { kind: Some(Kind::Gap), ..q() }, "lookups_by_kind"),
            (Query { since_ns: Some(3), ..q() }, "lookups_by_time"),
            (Query { until_ns: Some(9), ..q() }, "lookups_by_time"),
            (Query { after: Some(Cursor { time_ns: 5, index: 5 }), ..q() }, "lookups_by_time"),
        ]
    }

    /// The second of two queries laid over the first.
    fn both(a: &Query, b: &Query) -> Query {
        let (a, b) = (a.clone(), b.clone());
        Query {
            request_id: a.request_id.or(b.request_id),
            model_name: a.model_name.or(b.model_name),
            model_version: a.model_version.or(b.model_version),
            user_id: a.user_id.or(b.user_id),
            subject_id: a.subject_id.or(b.subject_id),
            session_id: a.session_id.or(b.session_id),
            input_hash: a.input_hash.or(b.input_hash),
            input_mac: a.input_mac.or(b.input_mac),
            label: a.label.or(b.label),
            status: a.status.or(b.status),
            kind: a.kind.or(b.kind),
            since_ns: a.since_ns.or(b.since_ns),
            until_ns: a.until_ns.or(b.until_ns),
            after: a.after.or(b.after),
        }
    }

    fn assert_plan(store: &SqliteStore, query: &Query, index: &str) {
        // A request id and the MAC of an input are shared by a handful of entries at most, so
        // their indexes hold no time and the few rows are sorted.
        let few = query.request_id.is_some() || query.input_mac.is_some();
        for oldest_first in [false, true] {
            let steps = store.explain(query, oldest_first).unwrap();
            let search = format!("SEARCH lookups USING INDEX {index} (");
            let covering = format!("SEARCH lookups USING COVERING INDEX {index} (");
            let first = steps.first().unwrap();
            assert!(
                first.starts_with(&search) || first.starts_with(&covering),
                "{query:?}: {steps:?}"
            );
            let ordered = steps.len() == 1;
            assert!(ordered || few, "sorts more than a handful of rows: {query:?}: {steps:?}");
        }
    }

    #[test]
    fn every_filter_and_every_pair_of_filters_is_answered_from_an_index() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        append(&mut store, 0, (0..40).map(record));
        let singles = single_filters();
        for (at, (query, index)) in singles.iter().enumerate() {
            assert_plan(&store, query, index);
            // The more selective filter comes first and chooses the index.
            for (other, _) in &singles[at + 1..] {
                assert_plan(&store, &both(query, other), index);
            }
        }
    }

    #[test]
    fn what_nearly_every_entry_is_reads_the_index_of_times_in_its_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        append(&mut store, 0, (0..40).map(record));
        let success = Query { status: Some(Status::Success), ..Query::default() };
        let prediction = Query { kind: Some(Kind::Prediction), ..Query::default() };
        for query in [success.clone(), prediction.clone(), both(&success, &prediction)] {
            for oldest_first in [false, true] {
                let steps = store.explain(&query, oldest_first).unwrap();
                assert_eq!(steps, ["SCAN lookups USING INDEX lookups_by_time"]);
            }
            let user = Query { user_id: Some("user".into()), ..query };
            assert_plan(&store, &user, "lookups_by_user");
        }
    }

    #[test]
    fn a_time_range_narrows_the_index_of_the_other_filter() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = create(dir.path());
        append(&mut store, 0, (0..40).map(record));
        let range = Query { since_ns: Some(3), until_ns: Some(9), ..Query::default() };
        for (query, index) in single_filters() {
            if matches!(index, "lookups_by_request" | "lookups_by_mac") {
                continue;
            }
            let steps = store.explain(&both(&query, &range), false).unwrap();
            let first = steps.first().unwrap();
            assert!(
                first.contains("time_ns>?") && first.contains("time_ns<?"),
                "{query:?}: {steps:?}"
            );
        }
    }

    #[test]
    fn newest_first_without_a_filter_walks_the_index_of_times() {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        for oldest_first in [false, true] {
            let steps = store.explain(&Query::default(), oldest_first).unwrap();
            assert_eq!(steps, ["SCAN lookups USING COVERING INDEX lookups_by_time"]);
        }
    }

    #[test]
    fn a_text_that_the_ledger_never_saw_asks_no_table() {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        let never = Query { user_id: by("nobody"), ..Query::default() };
        assert_eq!(store.explain(&never, false), None);
    }

    #[test]
    fn usage_reads_one_covering_index_and_sorts_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = create(dir.path());
        let steps = store.explain_usage();
        assert_eq!(steps.len(), 1, "{steps:?}");
        let begins = "SEARCH lookups USING COVERING INDEX lookups_by_model (model=? AND time_ns>? AND time_ns<?";
        assert!(steps[0].starts_with(begins), "{steps:?}");
    }
}
