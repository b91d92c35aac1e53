//! What SQLite alone can show: transactions, shared rows, plans.

use super::*;

fn create(dir: &Path) -> SqliteStore {
    SqliteStore::create(&dir.join("audit.db"), "example.com/sqlite").unwrap()
}

/// Everything of the tables that a batch touches.
fn counts(db: &rusqlite::Connection) -> Vec<i64> {
    ["leaves", "parts", "contents", "lookups", "terms", "producers"]
        .iter()
        .map(|table| {
            db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
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
        let at = if table == "producers" { "" } else { "WHEN (SELECT count(*) FROM leaves) = 12" };
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
    std::fs::write(&path, "no database at all, and longer than a header of SQLite's. ".repeat(9))
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
        assert!(first.starts_with(&search) || first.starts_with(&covering), "{query:?}: {steps:?}");
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
        assert!(first.contains("time_ns>?") && first.contains("time_ns<?"), "{query:?}: {steps:?}");
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
    let begins =
        "SEARCH lookups USING COVERING INDEX lookups_by_model (model=? AND time_ns>? AND time_ns<?";
    assert!(steps[0].starts_with(begins), "{steps:?}");
}
