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

#[cfg(feature = "sqlite")]
mod sqlite;

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
            fn verify_tiles(&self) -> Result<Vec<Finding>, StoreError> {
                self.0.verify_tiles()
            }
            fn leaves(
                &self,
                range: Range<u64>,
                each: &mut EachLeaf<'_>,
            ) -> Result<(), StoreError> {
                self.0.leaves(range, each)
            }
            fn leaf_hashes(&self, range: Range<u64>) -> Result<Vec<Hash>, StoreError> {
                self.0.leaf_hashes(range)
            }
            fn tile(&self, level: u8, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
                self.0.tile(level, n)
            }
            fn tile_roots(
                &self,
                level: u8,
                range: Range<u64>,
            ) -> Result<Vec<Hash>, StoreError> {
                self.0.tile_roots(level, range)
            }
            fn checkpoint(&self, at_most: Option<u64>) -> Result<Option<SignedCheckpoint>, StoreError> {
                self.0.checkpoint(at_most)
            }
            fn checkpoints(
                &self,
                range: Range<u64>,
                each: &mut EachCheckpoint<'_>,
            ) -> Result<(), StoreError> {
                self.0.checkpoints(range, each)
            }
            fn put_checkpoint(&mut self, checkpoint: &SignedCheckpoint) -> Result<(), StoreError> {
                self.0.put_checkpoint(checkpoint)
            }
            fn add_signature(&mut self, size: u64, line: &SignatureLine) -> Result<(), StoreError> {
                self.0.add_signature(size, line)
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
