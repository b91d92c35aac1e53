//! Ledgers whose checkpoints a test signs, so that it can also act as somebody who has the key.

use std::path::Path;

use modeltrail::store::{Access, SqliteStore, Store as _};
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::note::{KeyName, NoteSigner};
use modeltrail_core::policy::Policy;

use crate::support::{Folder, line};

pub(super) const ORIGIN: &str = "example.com/outside";

/// The ledger's key.
pub(super) fn signer() -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[7; 32]).unwrap()
}

pub(super) fn vkey() -> String {
    signer().verifier().to_string()
}

/// A folder with a ledger of that name.
pub(super) fn ledger() -> Folder {
    let folder = Folder::new();
    folder.run(&["init", "--origin", ORIGIN]).code(0);
    folder
}

/// Records some, and signs a checkpoint of what is there then.
pub(super) fn record(folder: &Folder, ids: &[&str]) -> SignedCheckpoint {
    let lines: Vec<String> = ids.iter().map(|id| line(id, "")).collect();
    folder.pipe(&["log"], lines.join("\n")).code(0);
    sign(&folder.path("modeltrail.db"))
}

/// Signs a checkpoint of all that is in a database.
pub(super) fn sign(database: &Path) -> SignedCheckpoint {
    let mut store = SqliteStore::open(database, Access::Write).unwrap();
    let checkpoint = Checkpoint::new(ORIGIN, store.tip().unwrap().head).unwrap();
    let signed = checkpoint.sign(&signer()).unwrap();
    store.put_checkpoint(&signed).unwrap();
    signed
}

/// The newest checkpoint as it is stored.
pub(super) fn stored(folder: &Folder) -> SignedCheckpoint {
    let store = SqliteStore::open(&folder.path("modeltrail.db"), Access::Read).unwrap();
    store.checkpoint(None).unwrap().unwrap()
}

/// Writes settings for `publish`: a policy file when there is one, and further lines.
pub(super) fn settings(folder: &Folder, policy: &str, rest: &str) {
    folder.write("policy", format!("log {}\n{policy}", vkey()));
    folder.write("modeltrail.toml", format!("outside.policy = 'policy'\n{rest}\n"));
}

/// The policy that [`settings`] has written.
pub(super) fn policy(folder: &Folder) -> Policy {
    Policy::parse(&std::fs::read(folder.path("policy")).unwrap()).unwrap()
}

/// The database with what lies beside it, under another name.
pub(super) fn copy_database(folder: &Folder, from: &str, to: &str) {
    for ending in ["", "-wal", "-shm"] {
        let (from, to) =
            (folder.path(&format!("{from}{ending}")), folder.path(&format!("{to}{ending}")));
        drop(std::fs::remove_file(&to));
        if from.exists() {
            std::fs::copy(from, to).unwrap();
        }
    }
}
