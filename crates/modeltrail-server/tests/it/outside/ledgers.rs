//! Ledgers, and what somebody who has their files and keys can do with them.

use std::path::PathBuf;

use modeltrail::store::{Access, SqliteStore, Store as _};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::policy::Policy;

use crate::support::{Folder, line};

pub(super) const ORIGIN: &str = "example.com/outside";

/// A folder with a ledger of that name.
pub(super) fn ledger() -> Folder {
    let folder = Folder::new();
    folder.run(&["init", "--origin", ORIGIN]).code(0);
    folder
}

/// The same ledger, with the same keys, once more: what its operator can make to show another history.
pub(super) fn fork(folder: &Folder) -> Folder {
    let other = Folder::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(dir) = dirs.pop() {
        for item in std::fs::read_dir(folder.path("").join(&dir)).unwrap() {
            let item = item.unwrap();
            let name = dir.join(item.file_name());
            if item.file_type().unwrap().is_dir() {
                std::fs::create_dir(other.path("").join(&name)).unwrap();
                dirs.push(name);
            } else {
                std::fs::copy(item.path(), other.path("").join(&name)).unwrap();
            }
        }
    }
    other
}

/// The ledger's key.
pub(super) fn vkey(folder: &Folder) -> String {
    folder.run(&["key", "show"]).code(0).stdout.trim_end().to_owned()
}

/// Records some; gives the checkpoint that is signed at the end.
pub(super) fn record(folder: &Folder, ids: &[&str]) -> SignedCheckpoint {
    let lines: Vec<String> = ids.iter().map(|id| line(id, "")).collect();
    folder.pipe(&["log"], lines.join("\n")).code(0);
    let checkpoint = stored(folder);
    assert_eq!(checkpoint.checkpoint().head().size, folder.json(&["status"])["size"]);
    checkpoint
}

/// The newest checkpoint as it is stored.
pub(super) fn stored(folder: &Folder) -> SignedCheckpoint {
    let store = SqliteStore::open(&folder.path("modeltrail.db"), Access::Read).unwrap();
    store.checkpoint(None).unwrap().unwrap()
}

/// Writes settings for `publish`: a policy file when there is one, and further lines.
pub(super) fn settings(folder: &Folder, policy: &str, rest: &str) {
    folder.write("policy", format!("log {}\n{policy}", vkey(folder)));
    folder.write("modeltrail.toml", format!("outside.policy = 'policy'\n{rest}\n"));
}

/// The policy that [`settings`] has written.
pub(super) fn policy(folder: &Folder) -> Policy {
    Policy::parse(&std::fs::read(folder.path("policy")).unwrap()).unwrap()
}

/// Puts another folder's ledger in the place of this one's, all that its operator can write: database,
/// anchor, head. What this side remembers of places outside stays.
pub(super) fn replace_by(folder: &Folder, other: &Folder) {
    for name in ["", "-wal", "-shm", ".d/anchor", ".d/head"] {
        let name = format!("modeltrail.db{name}");
        drop(std::fs::remove_file(folder.path(&name)));
        if other.path(&name).exists() {
            std::fs::copy(other.path(&name), folder.path(&name)).unwrap();
        }
    }
}
