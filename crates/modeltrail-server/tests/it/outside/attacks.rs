//! Attacks by somebody who has the ledger's key and can write its database, and what a witness or a
//! second place makes of them.

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::VerifierKey;
use modeltrail_core::witness::{Request, is_equivocation};

use super::ledgers::{fork, ledger, policy, record, replace_by, settings, stored, vkey};
use super::servers::Witness;
use crate::support::Folder;

/// A ledger with one witness and a folder for copies.
fn witnessed() -> (Folder, Witness) {
    let folder = ledger();
    let witness = Witness::new(&folder, "w", &[&vkey(&folder)]);
    std::fs::create_dir(folder.path("copies")).unwrap();
    settings(&folder, &(witness.policy_line() + "quorum w\n"), "outside.copies = ['copies']");
    (folder, witness)
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
    let other = fork(&folder);
    let honest = record(&folder, &["r1", "r2"]);
    folder.run(&["publish"]).code(0);
    let forged = record(&other, &["r1", "another"]);
    assert_eq!(forged.checkpoint().head().size, honest.checkpoint().head().size);
    replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history").says("another root");
    // The witness has both, signed by the log: proof for anybody.
    let kept = evidence(&folder, "w.state/logs");
    let kept = evidence(&folder, kept.join("evidence").to_str().unwrap());
    let read =
        |name: &str| SignedCheckpoint::parse(&std::fs::read(kept.join(name)).unwrap()).unwrap();
    assert!(is_equivocation(
        &read("submitted"),
        &read("known"),
        &[VerifierKey::parse(&vkey(&folder)).unwrap()]
    ));
    // This side has as much from each of the two.
    let items = std::fs::read_dir(folder.path("modeltrail.db.d/evidence")).unwrap();
    let own: Vec<_> = items.map(|item| item.unwrap().path()).collect();
    let whom = |dir: &std::path::PathBuf| std::fs::read_to_string(dir.join("whom")).unwrap();
    let mut whoms: Vec<String> = own.iter().map(whom).collect();
    whoms.sort();
    assert_eq!(whoms, ["copies\n", "w.example\n"]);
    let own = own.iter().find(|dir| whom(dir) == "w.example\n").unwrap();
    let request = Request::parse(&std::fs::read(own.join("request")).unwrap()).unwrap();
    assert_eq!(request.checkpoint, forged);
    let known = SignedCheckpoint::parse(&std::fs::read(own.join("known")).unwrap()).unwrap();
    assert!(is_equivocation(
        &request.checkpoint,
        &known,
        &[VerifierKey::parse(&vkey(&folder)).unwrap()]
    ));
    // Nothing of it was cosigned or copied.
    assert!(policy(&folder).verify(&stored(&folder)).is_err());
    let copy = std::fs::read(folder.path("copies/checkpoint")).unwrap();
    assert_eq!(SignedCheckpoint::parse(&copy).unwrap().checkpoint(), honest.checkpoint());
    let status = folder.run(&["status"]).code(0).says("another root").says("two histories");
    assert!(status.stdout.contains("T0, nothing outside"), "{}", status.stdout);
    assert!(status.stdout.contains("CONTRADICTED by "), "{}", status.stdout);
    status.says(own.file_name().unwrap().to_str().unwrap());
    let outside = folder.json(&["status"])["outside"].clone();
    assert_eq!(outside["is_contradicted"], true);
    let paths = outside["contradicted_by"].to_string();
    assert!(paths.contains("modeltrail.db.d/evidence/"), "{paths}");
    // What rests on the ledger says so too.
    let table = folder.run(&["report", "model-usage", "--model", "m"]).code(0).stdout;
    assert!(table.contains("CONTRADICTED by "), "{table}");
    let report = folder.json(&["report", "model-usage", "--model", "m"]);
    assert_eq!(report["outside"]["is_contradicted"], true);
    let verified = folder.run(&["verify"]).code(1).says("two histories");
    assert!(!verified.stdout.starts_with("clean"), "{}", verified.stdout);
    let json = folder.run(&["--format", "json", "verify"]).code(1).json();
    assert_eq!(json["evidence"].as_array().unwrap().len(), outside["n_evidence"]);
}

/// A witness that only says no: loud, and nothing that anybody could verify.
#[test]
fn a_refusal_that_proves_nothing_is_no_evidence() {
    for (status, kind, body) in [
        (422, "text/plain", "no\n"),
        (409, "text/x.tlog.size", "999999\n"),
        (422, "text/plain", "a\n\nb"),
    ] {
        let folder = ledger();
        folder.run(&["witness", "key", "--key", "k", "--generate", "w.example"]).code(0);
        let vkey_of_witness = folder.run(&["witness", "key", "--key", "k"]).code(0).stdout;
        let first = record(&folder, &["r1"]).checkpoint().head().size;
        let asked = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let answer = move || {
            // First the size that it pretends to know, so that it is sent a proof.
            let known = format!("{first}\n");
            let is_first = !asked.swap(true, std::sync::atomic::Ordering::SeqCst);
            let (status, kind, body) = if is_first {
                (409, "text/x.tlog.size", known)
            } else {
                (status, kind, body.to_owned())
            };
            let status = axum::http::StatusCode::from_u16(status).unwrap();
            std::future::ready((status, [(axum::http::header::CONTENT_TYPE, kind)], body))
        };
        let router = axum::Router::new().fallback(axum::routing::any(answer));
        let address = super::servers::serve(router);
        let line = format!("witness w {} http://{address}\nquorum w\n", vkey_of_witness.trim());
        settings(&folder, &line, "outside.copies = ['copies']");
        std::fs::create_dir(folder.path("copies")).unwrap();
        let told = folder.run(&["publish"]).code(1);
        let says = if status == 422 { "refused by the witness with status 422" } else { "999999" };
        assert!(told.stdout.contains(says), "{}", told.stdout);
        assert!(told.stdout.contains("held back"), "{}", told.stdout);
        assert!(!folder.path("copies/checkpoint").exists());
        assert!(!folder.path("modeltrail.db.d/evidence").exists());
        folder.run(&["verify"]).code(0);
        let status = folder.json(&["status"])["outside"].clone();
        assert_eq!((&status["n_evidence"], &status["is_contradicted"]), (&0.into(), &true.into()));
    }
}

#[test]
fn a_forged_history_that_goes_on_is_refused_and_kept() {
    let (folder, _witness) = witnessed();
    let other = fork(&folder);
    record(&folder, &["r1", "r2"]);
    folder.run(&["publish"]).code(0);
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
    let before = fork(&folder);
    let new = record(&folder, &["r3"]);
    folder.run(&["publish"]).code(0);
    replace_by(&folder, &before);
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
