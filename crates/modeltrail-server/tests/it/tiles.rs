//! `modeltrail tiles`.

use modeltrail::store::{Access, SqliteStore, Store as _};
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::tile::Resource;

use crate::support::{Folder, PREDICTIONS, line};

/// Signs what is committed.
fn publish(folder: &Folder) -> NoteSigner {
    let mut store = SqliteStore::open(&folder.path("modeltrail.db"), Access::Write).unwrap();
    let signer = NoteSigner::new(KeyName::new(store.origin()).unwrap(), &[1; 32]).unwrap();
    let head = store.tip().unwrap().head;
    let checkpoint = Checkpoint::new(store.origin(), head).unwrap();
    store.put_checkpoint(&checkpoint.sign(&signer).unwrap()).unwrap();
    signer
}

#[test]
fn a_ledger_becomes_a_folder_of_tiles_and_grows() {
    // Without keys of its own nothing is signed but what this test signs.
    let folder = Folder::new();
    folder.run(&["init", "--no-key"]).code(0);
    folder.write("predictions.jsonl", PREDICTIONS);
    folder.run(&["log", "predictions.jsonl"]).code(0);
    folder.run(&["tiles", "mirror"]).code(3).says("no signed checkpoint");
    let signer = publish(&folder);
    let done = folder.json(&["tiles", "mirror"]);
    let size = done["size"].as_u64().unwrap();
    assert!(size >= 569, "{done}");
    let read = |name: &str| std::fs::read(folder.path("mirror").join(name)).unwrap();
    let checkpoint = SignedCheckpoint::parse(&read("checkpoint")).unwrap();
    checkpoint.verify_log([signer.verifier()]).unwrap();
    assert_eq!(checkpoint.checkpoint().head().size, size);
    assert_eq!(read("tile/0/000").len(), 8192);
    assert!(Resource::parse(&format!("tile/0/002.p/{}", size - 512)).is_some());
    assert_eq!(read(&format!("tile/0/002.p/{}", size - 512)).len() as u64, 32 * (size - 512));

    folder.pipe(&["log"], line("more", "")).code(0);
    // What is not published yet is not exported.
    assert_eq!(folder.json(&["tiles", "mirror"])["n_files"], 0);
    publish(&folder);
    let more = folder.json(&["tiles", "mirror"]);
    assert_eq!(more["old_size"], size);
    assert!(more["size"].as_u64().unwrap() > size);
    let table = folder.run(&["tiles", "mirror"]).code(0).stdout;
    assert!(table.contains("old_size") && table.contains("mirror"), "{table}");

    let other = Folder::with_ledger();
    publish(&other);
    let mirror = folder.path("mirror").display().to_string();
    other.run(&["tiles", &mirror]).code(3).says("choose another folder");
}
