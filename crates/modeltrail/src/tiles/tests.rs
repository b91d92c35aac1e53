//! Exports of whole ledgers, read back as a stranger would, and folders that are refused.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;

use modeltrail_core::checkpoint::Checkpoint;
use modeltrail_core::leaf::Leaf;
use modeltrail_core::merkle::{inclusion, verify_inclusion};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::tile::TileSource;

use super::*;
use crate::proofs::tests::{ORIGIN, append, append_marked};
use crate::store::MemoryStore;

fn signer() -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[7; 32]).unwrap()
}

/// Publishes what is there.
fn publish(store: &mut dyn Store) {
    let tip = store.tip().unwrap();
    let signed = Checkpoint::new(ORIGIN, tip.head).unwrap().sign(&signer()).unwrap();
    store.put_checkpoint(&signed).unwrap();
}

fn published(size: u64) -> MemoryStore {
    let mut store = MemoryStore::new(ORIGIN);
    append(&mut store, size);
    publish(&mut store);
    store
}

fn to(store: &MemoryStore, dir: &Path) -> Result<Exported, ExportError> {
    export(&Reader::over(Box::new(store.clone())), dir)
}

#[track_caller]
fn refused(store: &MemoryStore, dir: &Path, says: &str) {
    let text = to(store, dir).unwrap_err().to_string();
    assert!(text.contains(says), "{text}");
}

/// Every file below a folder with its bytes and inode.
fn files(dir: &Path) -> BTreeMap<String, (Vec<u8>, u64)> {
    let mut all = BTreeMap::new();
    let mut open = vec![dir.to_owned()];
    while let Some(next) = open.pop() {
        for item in fs::read_dir(next).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            let inode = fs::metadata(&path).unwrap().ino();
            all.insert(name, (fs::read(&path).unwrap(), inode));
        }
    }
    all
}

/// Reads tiles as a client does that has nothing but the folder.
struct Client<'a>(&'a Path);

impl TileSource for Client<'_> {
    type Error = std::io::Error;

    fn tile(&mut self, tile: Tile) -> Result<Vec<u8>, std::io::Error> {
        fs::read(self.0.join(Resource::Tile(tile).to_string()))
    }
}

/// Verifies checkpoint, every entry's place and its inclusion from the files alone.
fn verify(dir: &Path, size: u64) {
    let checkpoint = SignedCheckpoint::parse(&fs::read(dir.join("checkpoint")).unwrap()).unwrap();
    checkpoint.verify_log([signer().verifier()]).unwrap();
    let head = checkpoint.checkpoint().head();
    assert_eq!(head.size, size);
    let mut nodes = TileNodes::new(Client(dir), size);
    let mut index = 0;
    for tile in tile::tiles(size).filter(|tile| tile.level() == 0) {
        let bytes = fs::read(dir.join(Resource::Entries(tile).to_string())).unwrap();
        for entry in bundle::decode(&bytes, tile.width()).unwrap() {
            assert_eq!(Leaf::decode(entry).unwrap().index, index);
            let proof = inclusion(&mut nodes, index, size).unwrap();
            verify_inclusion(&leaf_hash(entry), index, &proof, &head).unwrap();
            index += 1;
        }
    }
    assert_eq!(index, size);
    // Nothing lies there that no path of the layout names.
    for name in files(dir).keys() {
        assert!(Resource::parse(name).is_some(), "{name}");
    }
}

#[test]
fn a_stranger_verifies_the_files_and_further_runs_write_what_came_since() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("mirror");
    let mut store = published(0);
    let mut old_size = 0;
    for size in [0, 1, 100, 256, 300, 767, 768, 1100] {
        let n = size - store.tip().unwrap().head.size;
        append(&mut store, n);
        publish(&mut store);
        let before = if dir.exists() { files(&dir) } else { BTreeMap::new() };
        let done = to(&store, &dir).unwrap();
        assert_eq!((done.size, done.old_size), (size, old_size));
        verify(&dir, size);
        let after = files(&dir);
        let n_new = after.iter().filter(|(name, file)| before.get(*name) != Some(file)).count();
        assert_eq!(done.n_files, u64::try_from(n_new).unwrap(), "{size}");
        let kept = |name: &&String| Resource::parse(name) != Some(Resource::Checkpoint);
        for name in before.keys().filter(kept) {
            // Only partial tiles go, and nothing is written twice.
            assert!(after.get(name) == before.get(name) || name.contains(".p/"), "{name}");
        }
        let again = to(&store, &dir).unwrap();
        assert_eq!((again.n_files, again.n_bytes), (0, 0));
        old_size = size;
    }
    let partial: Vec<String> =
        files(&dir).into_keys().filter(|name| name.contains(".p/")).collect();
    let expected = ["tile/0/004.p/76", "tile/1/000.p/1", "tile/1/000.p/2", "tile/1/000.p/3"];
    assert_eq!(partial[..4], expected);
    assert_eq!(partial[4..], ["tile/1/000.p/4", "tile/entries/004.p/76"]);
}

#[test]
fn a_third_level_of_tiles() {
    let dir = tempfile::tempdir().unwrap();
    let store = published(65_800);
    to(&store, dir.path()).unwrap();
    for name in ["tile/0/x000", "tile/0/256", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"] {
        assert_eq!(dir.path().join(name).exists(), name != "tile/0/x000", "{name}");
    }
    let size = 65_800;
    let checkpoint = store.checkpoint(None).unwrap().unwrap();
    let mut nodes = TileNodes::new(Client(dir.path()), size);
    for index in [0, 65_535, 65_536, 65_799] {
        let proof = inclusion(&mut nodes, index, size).unwrap();
        let hash = store.leaf_hashes(index..index + 1).unwrap()[0];
        verify_inclusion(&hash, index, &proof, &checkpoint.checkpoint().head()).unwrap();
    }
}

#[test]
fn new_cosignatures_of_the_same_checkpoint_are_brought_along() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = published(10);
    to(&store, dir.path()).unwrap();
    let text = store.checkpoint(None).unwrap().unwrap().note().text().to_owned();
    let witness = NoteSigner::new(KeyName::new("witness").unwrap(), &[8; 32]).unwrap();
    store.add_signature(10, &witness.sign(&text)).unwrap();
    assert_eq!(to(&store, dir.path()).unwrap().n_files, 1);
    let there = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    assert!(there.contains("witness"), "{there}");
}

#[test]
fn an_export_that_died_is_taken_up_again() {
    let (dir, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = published(600);
    to(&store, whole.path()).unwrap();
    to(&store, dir.path()).unwrap();
    fs::remove_file(dir.path().join("checkpoint")).unwrap();
    fs::write(dir.path().join("checkpoint.new"), "half").unwrap();
    fs::remove_file(dir.path().join("tile/0/001")).unwrap();
    fs::write(dir.path().join("tile/0/001.new"), "half").unwrap();
    assert_eq!(to(&store, dir.path()).unwrap().n_files, 2);
    let bytes = |dir| -> Vec<_> { files(dir).into_iter().map(|(n, (b, _))| (n, b)).collect() };
    assert_eq!(bytes(dir.path()), bytes(whole.path()));
}

#[test]
fn folders_of_something_else_are_refused_and_left_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let store = published(300);
    let mirror = dir.path().join("mirror");
    to(&store, &mirror).unwrap();
    let before = files(&mirror);

    let mut other = MemoryStore::new("example.com/other");
    append(&mut other, 300);
    let tip = other.tip().unwrap();
    let signed = Checkpoint::new("example.com/other", tip.head).unwrap().sign(&signer()).unwrap();
    other.put_checkpoint(&signed).unwrap();
    refused(&other, &mirror, "is of `example.com/proofs`");

    refused(&published(299), &mirror, "was the ledger set back?");
    let mut rewritten = MemoryStore::new(ORIGIN);
    append_marked(&mut rewritten, 400, 9);
    publish(&mut rewritten);
    refused(&rewritten, &mirror, "its history was rewritten");
    assert_eq!(files(&mirror), before);

    // Without its checkpoint the tiles tell.
    fs::remove_file(mirror.join("checkpoint")).unwrap();
    refused(&rewritten, &mirror, "holds other bytes than this ledger's");
    fs::write(mirror.join("notes.txt"), "mine").unwrap();
    refused(&store, &mirror, "is no part of a log");
    fs::write(mirror.join("checkpoint"), "no checkpoint").unwrap();
    refused(&store, &mirror, "choose another folder");

    let mut unpublished = MemoryStore::new(ORIGIN);
    append(&mut unpublished, 3);
    refused(&unpublished, &dir.path().join("new"), "no signed checkpoint");
    assert!(!dir.path().join("new").exists());
}

#[test]
fn one_export_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = published(3);
    let held = Folder::open(dir.path()).unwrap();
    refused(&store, dir.path(), "is written to by another export");
    drop(held);
    to(&store, dir.path()).unwrap();
}

#[cfg(feature = "sqlite")]
#[test]
fn what_was_changed_in_the_ledger_is_not_exported() {
    for (sql, says) in [
        ("UPDATE leaves SET leaf = zeroblob(122) WHERE idx = 3", "entry 3: its leaf was changed"),
        (
            "UPDATE leaves SET hash = zeroblob(32) WHERE idx = 290",
            "entry 290: its leaf was changed",
        ),
        ("DELETE FROM leaves WHERE idx = 299", "entry 299: its leaf was changed"),
        ("UPDATE tiles SET root = zeroblob(32)", "does not fit `tile/0/000`"),
        ("UPDATE checkpoints SET text = replace(text, 'A', 'B')", "does not fit `checkpoint`"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.db");
        let mut store = crate::store::SqliteStore::create(&path, ORIGIN).unwrap();
        append(&mut store, 300);
        publish(&mut store);
        let db = rusqlite::Connection::open(&path).unwrap();
        for trigger in ["leaves_no_update", "leaves_no_delete", "tiles_no_update"] {
            db.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
        }
        db.execute_batch("DROP TRIGGER checkpoints_no_update").unwrap();
        db.execute_batch(sql).unwrap();
        let mirror = dir.path().join("mirror");
        let reader = Reader::over(Box::new(store));
        let text = export(&reader, &mirror).unwrap_err().to_string();
        assert!(text.contains(says), "{sql}: {text}");
        assert!(!mirror.join("checkpoint").exists());
    }
}
