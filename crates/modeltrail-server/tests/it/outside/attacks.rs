//! Attacks by somebody who has the ledger's key and can write its database, and what a witness or a
//! second place makes of them.

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::witness::{Request, is_equivocation};

use super::ledgers::{copy_database, ledger, policy, record, settings, signer, stored, vkey};
use super::servers::Witness;
use crate::support::Folder;

/// A ledger with one witness and a folder for copies.
fn witnessed() -> (Folder, Witness) {
    let folder = ledger();
    let witness = Witness::new(&folder, "w", &[&vkey()]);
    std::fs::create_dir(folder.path("copies")).unwrap();
    settings(&folder, &(witness.policy_line() + "quorum w\n"), "outside.copies = ['copies']");
    (folder, witness)
}

/// Puts another ledger's database in the place of this one's, as the operator can.
pub(super) fn replace_by(folder: &Folder, other: &Folder) {
    for ending in ["", "-wal", "-shm"] {
        let name = format!("modeltrail.db{ending}");
        drop(std::fs::remove_file(folder.path(&name)));
        if other.path(&name).exists() {
            std::fs::copy(other.path(&name), folder.path(&name)).unwrap();
        }
    }
}

/// The one folder of evidence below `dir`, which may be some folders deep.
fn evidence(folder: &Folder, dir: &str) -> std::path::PathBuf {
    let mut found: Vec<_> =
        std::fs::read_dir(folder.path(dir)).unwrap().map(|item| item.unwrap().path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn a_forged_history_of_the_same_size_is_refused_and_kept() {
    let (folder, _witness) = witnessed();
    let honest = record(&folder, &["r1", "r2"]);
    folder.run(&["publish"]).code(0);
    let other = ledger();
    let forged = record(&other, &["r1", "another"]);
    assert_eq!(forged.checkpoint().head().size, honest.checkpoint().head().size);
    replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history").says("another root");
    // The witness has both, signed by the log: proof for anybody.
    let kept = evidence(&folder, "w.state/logs");
    let kept = evidence(&folder, kept.join("evidence").to_str().unwrap());
    let read =
        |name: &str| SignedCheckpoint::parse(&std::fs::read(kept.join(name)).unwrap()).unwrap();
    assert!(is_equivocation(&read("submitted"), &read("known"), &[signer().verifier().clone()]));
    // This side has what it asked and what it was told.
    let own = evidence(&folder, "modeltrail.db.d/evidence");
    let request = Request::parse(&std::fs::read(own.join("request")).unwrap()).unwrap();
    assert_eq!(request.checkpoint, forged);
    let answer = std::fs::read_to_string(own.join("answer")).unwrap();
    assert!(answer.contains("status 409"), "{answer}");
    // Nothing of it was cosigned or copied.
    assert!(policy(&folder).verify(&stored(&folder)).is_err());
    let copy = std::fs::read(folder.path("copies/checkpoint")).unwrap();
    assert_eq!(SignedCheckpoint::parse(&copy).unwrap().checkpoint(), honest.checkpoint());
    let status = folder.run(&["status"]).code(0).says("another root").says("two histories");
    assert!(status.stdout.contains("T0, nothing outside"), "{}", status.stdout);
}

#[test]
fn a_forged_history_that_goes_on_is_refused_and_kept() {
    let (folder, _witness) = witnessed();
    record(&folder, &["r1", "r2"]);
    folder.run(&["publish"]).code(0);
    let other = ledger();
    record(&other, &["r1", "another"]);
    record(&other, &["r3", "r4"]);
    replace_by(&folder, &other);
    folder
        .run(&["publish"])
        .code(1)
        .says("another history")
        .says("status 422")
        .says("another root");
    assert!(policy(&folder).verify(&stored(&folder)).is_err());
}

#[test]
fn an_old_copy_that_is_put_back_is_refused() {
    let (folder, _witness) = witnessed();
    let old = record(&folder, &["r1", "r2"]);
    copy_database(&folder, "modeltrail.db", "old.db");
    let new = record(&folder, &["r3"]);
    folder.run(&["publish"]).code(0);
    copy_database(&folder, "old.db", "modeltrail.db");
    assert_eq!(stored(&folder), old);
    let (n_new, n_old) = (new.checkpoint().head().size, old.checkpoint().head().size);
    folder
        .run(&["publish"])
        .code(1)
        .says(&format!("it has cosigned {n_new} entries and this ledger has {n_old}"))
        .says(&format!("is a checkpoint of {n_new} entries and the ledger has {n_old}"));
    folder.run(&["status"]).code(0).says("more than are here");
}

#[test]
fn a_database_that_does_not_give_its_checkpoint_is_not_sent() {
    let (folder, _witness) = witnessed();
    record(&folder, &["r1", "r2"]);
    folder.run(&["publish"]).code(0);
    record(&folder, &["r3"]);
    let database = folder.database();
    let triggers = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'leaves'";
    let triggers: Vec<String> = database
        .prepare(triggers)
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    let n = database.execute("UPDATE leaves SET hash = zeroblob(32) WHERE idx = 1", []).unwrap();
    assert_eq!(n, 1);
    drop(database);
    folder.run(&["publish"]).code(1).says("cannot prove that it only grew");
}
