//! A ledger of format version 1: read as it is, and brought to version 2 by whoever writes.

use std::os::unix::fs::PermissionsExt as _;

use modeltrail_core::merkle::verify_inclusion;
use modeltrail_core::tile;

use super::super::{Access, SqliteStore, tree};
use super::*;
use crate::Reader;
use crate::proofs;
use crate::store::Store;

/// Entries of the fixture; see its README.
const SIZE: u64 = 264;

/// The fixture's files in a folder of their own.
fn fixture() -> Edited {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    std::fs::create_dir(dir.path().join("v1.db.d")).unwrap();
    for name in ["v1.db", "v1.db.d/anchor", "v1.db.d/mac.key"] {
        let to = dir.path().join(name);
        std::fs::copy(from.join(name), &to).unwrap();
        // Version control keeps no modes.
        std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let path = dir.path().join("v1.db");
    Edited { _dir: dir, path }
}

fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn version(path: &Path) -> i64 {
    number(path, "PRAGMA user_version")
}

/// Leaves and hashes of all entries.
fn leaves(path: &Path) -> Vec<(u64, Vec<u8>, Vec<u8>)> {
    let store = SqliteStore::open(path, Access::Read).unwrap();
    let mut all = Vec::new();
    let mut keep =
        |index, leaf: &[u8], hash: &[u8]| all.push((index, leaf.to_vec(), hash.to_vec()));
    store.leaves(0..u64::MAX, &mut keep).unwrap();
    all
}

fn every_proof_holds(store: &dyn Store) {
    let head = store.tip().unwrap().head;
    let hashes = store.leaf_hashes(0..head.size).unwrap();
    for (hash, index) in hashes.iter().zip(0_u64..) {
        let proof = proofs::inclusion(store, index, head.size).unwrap();
        verify_inclusion(hash, index, &proof, &head).unwrap();
    }
}

#[test]
fn version_1_is_read_and_verified_as_it_is() {
    let old = fixture();
    old.expect(&[]);
    let reader = Reader::open(&url(&old.path)).unwrap();
    assert_eq!(reader.size().unwrap(), SIZE);
    assert_eq!(reader.by_request_id("r7").unwrap().len(), 2);
    assert_eq!(reader.checkpoint().unwrap(), None);
    let store = SqliteStore::open(&old.path, Access::Read).unwrap();
    assert_eq!(store.tile(0, 0).unwrap(), None);
    assert_eq!(store.tile_roots(0, 0..1).unwrap(), []);
    store.checkpoints(0..u64::MAX, &mut |size, _| panic!("a checkpoint of {size}")).unwrap();
    every_proof_holds(&store);
    drop((reader, store));
    assert_eq!(version(&old.path), 1, "reading changes nothing");
}

#[test]
fn the_first_writer_brings_version_1_to_version_2_under_readers() {
    let old = fixture();
    let before = leaves(&old.path);
    let reader = SqliteStore::open(&old.path, Access::Read).unwrap();
    assert_eq!(reader.tile(0, 0).unwrap(), None);
    let recorder = Recorder::open(&url(&old.path)).unwrap();
    recorder.record(record(1000)).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    assert_eq!(version(&old.path), 2);
    let after = leaves(&old.path);
    assert_eq!(after[..before.len()], before);
    assert!(after.len() > before.len());
    // Who read it as version 1 sees the tile without opening it again.
    let hashes = reader.leaf_hashes(0..256).unwrap();
    assert_eq!(reader.tile(0, 0).unwrap(), Some(tile::encode(&hashes)));
    assert_eq!(number(&old.path, "SELECT count(*) FROM tiles"), 1);
    assert_eq!(reader.facts().unwrap().changed_triggers, Vec::<&str>::new());
    every_proof_holds(&reader);
    old.expect(&[]);
}

#[test]
fn an_upgrade_that_is_killed_half_way_leaves_version_1() {
    let old = fixture();
    let mut db = Connection::open(&old.path).unwrap();
    // So that what is not committed reaches the file's log, as it may with many tiles.
    db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1").unwrap();
    let transaction = db.transaction().unwrap();
    tree::upgrade_within(&transaction).unwrap();
    // The files as a process leaves them that is killed here.
    let killed = tempfile::tempdir().unwrap();
    let path = killed.path().join("v1.db");
    let log = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    std::fs::copy(&old.path, &path).unwrap();
    assert!(std::fs::copy(log(&old.path), log(&path)).unwrap() > 8192);
    std::fs::create_dir(killed.path().join("v1.db.d")).unwrap();
    let anchor = "v1.db.d/anchor";
    let from = old.path.parent().unwrap().join(anchor);
    std::fs::copy(from, killed.path().join(anchor)).unwrap();
    drop(transaction);

    assert_eq!(version(&path), 1);
    let n_tables = "SELECT count(*) FROM sqlite_master WHERE name IN ('tiles', 'checkpoints')";
    assert_eq!(number(&path, n_tables), 0);
    assert_eq!(findings(&path), []);
    assert_eq!(leaves(&path), leaves(&old.path));
    SqliteStore::open(&path, Access::Write).unwrap();
    assert_eq!(version(&path), 2);
    assert_eq!(number(&path, "SELECT count(*) FROM tiles"), 1);
    assert_eq!(findings(&path), []);
}

#[test]
fn two_writers_upgrade_once() {
    let old = fixture();
    std::thread::scope(|scope| {
        let open = || scope.spawn(|| SqliteStore::open(&old.path, Access::Write).unwrap().tip());
        let opened = [open(), open(), open()];
        for thread in opened {
            assert_eq!(thread.join().unwrap().unwrap().head.size, SIZE);
        }
    });
    assert_eq!(version(&old.path), 2);
    assert_eq!(number(&old.path, "SELECT count(*) FROM tiles"), 1);
}

#[test]
fn a_damaged_ledger_of_version_1_stays_one() {
    let old = fixture();
    old.sql("UPDATE leaves SET hash = x'00' WHERE idx = 3");
    let error = SqliteStore::open(&old.path, Access::Write).err().unwrap().to_string();
    assert!(error.contains("entry 3") && error.contains("modeltrail verify"), "{error}");
    assert_eq!(version(&old.path), 1);
    old.expect(&[(ChangedLeaf, 3)]);
}
