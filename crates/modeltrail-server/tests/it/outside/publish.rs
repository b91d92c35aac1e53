//! The way of a checkpoint to witnesses, and what `status` and reports say of it.

use super::ledgers::{ledger, policy, record, settings, stored, vkey};
use super::servers::Witness;
use crate::support::Folder;

const QUORUM: &str = "group both all a b\nquorum both\n";

/// A ledger of some entries, and two witnesses that must both cosign.
fn witnessed() -> (Folder, Witness, Witness) {
    let folder = ledger();
    record(&folder, &["r1", "r2", "r3"]);
    let (a, b) = (Witness::new(&folder, "a", &[&vkey()]), Witness::new(&folder, "b", &[&vkey()]));
    let lines = a.policy_line() + &b.policy_line() + QUORUM;
    settings(&folder, &lines, "");
    (folder, a, b)
}

fn tier(folder: &Folder) -> (String, u64, u64) {
    let outside = folder.json(&["status"])["outside"].clone();
    let number = |name: &str| outside[name].as_u64().unwrap();
    (outside["tier"].as_str().unwrap().to_owned(), number("covered_size"), number("n_exposed"))
}

#[test]
fn two_witnesses_and_a_quorum() {
    let (folder, a, b) = witnessed();
    let size = stored(&folder).checkpoint().head().size;
    assert_eq!(tier(&folder), ("T0".into(), 0, size));
    folder.run(&["publish"]).code(0);
    let verified = policy(&folder).verify(&stored(&folder)).unwrap();
    assert_eq!(verified.cosigned().len(), 2);
    assert_eq!(tier(&folder), ("T2".into(), size, 0));
    // Once more finds nothing to ask for.
    let again = folder.run(&["--format", "json", "publish"]).code(0).json();
    assert_eq!(again["outcomes"].as_array().unwrap().len(), 2);
    assert_eq!(policy(&folder).verify(&stored(&folder)).unwrap(), verified);
    // The next one begins where the last one ended.
    let second = record(&folder, &["r4"]).checkpoint().head().size;
    folder.run(&["publish"]).code(0);
    assert_eq!(policy(&folder).verify(&stored(&folder)).unwrap().cosigned().len(), 2);
    assert_eq!(tier(&folder), ("T2".into(), second, 0));
    assert_eq!((a.terminate(), b.terminate()), (Some(0), Some(0)));
}

#[test]
fn a_witness_that_is_away_is_asked_again() {
    let (folder, mut a, _b) = witnessed();
    folder.run(&["publish"]).code(0);
    let first = stored(&folder).checkpoint().head().size;
    let second = record(&folder, &["r4", "r5"]).checkpoint().head().size;
    a.kill();
    let failed = folder.run(&["publish"]).code(3);
    assert!(failed.stdout.contains("failed"), "{}", failed.stdout);
    // The other one has cosigned, which is no quorum: what is covered stays what it was.
    assert_eq!(tier(&folder), ("T2".into(), first, second - first));
    a.restart(&folder, &[&vkey()]);
    folder.run(&["publish"]).code(0);
    assert_eq!(tier(&folder), ("T2".into(), second, 0));
}

#[test]
fn what_this_side_remembers_is_not_needed() {
    let (folder, _a, _b) = witnessed();
    folder.run(&["publish"]).code(0);
    record(&folder, &["r4"]);
    std::fs::remove_file(folder.path("modeltrail.db.d/outside.json")).unwrap();
    folder.run(&["publish"]).code(0);
    record(&folder, &["r5"]);
    folder.write("modeltrail.db.d/outside.json", "{ nonsense");
    folder.run(&["publish"]).code(0).says("outside.json");
    assert_eq!(policy(&folder).verify(&stored(&folder)).unwrap().cosigned().len(), 2);
}

#[test]
fn reports_say_what_they_rest_on() {
    let (folder, _a, _b) = witnessed();
    let report = ["report", "model-usage", "--model", "m"];
    assert_eq!(folder.json(&report)["outside"]["tier"], "T0");
    folder.run(&["publish"]).code(0);
    let outside = folder.json(&report)["outside"].clone();
    assert_eq!((&outside["tier"], &outside["n_exposed"]), (&"T2".into(), &0.into()));
    assert_eq!(outside["exposed_max_s"], 10);
    let table = folder.run(&report).code(0).stdout;
    assert!(table.contains("T2, witnesses: "), "{table}");
    let csv =
        folder.run(&["--format", "csv", "report", "model-usage", "--model", "m"]).code(0).stdout;
    assert!(csv.contains("\noutside,T2,"), "{csv}");
    let access = ["report", "data-access", "--user", "u"];
    assert_eq!(folder.json(&access)["outside"]["tier"], "T2");
    assert!(folder.run(&access).code(0).stdout.contains("T2, witnesses: "));
    folder
        .run(&["--format", "csv", "report", "data-access", "--user", "u"])
        .code(0)
        .says("T2, witnesses");
}

#[test]
fn witnesses_of_others_are_another_tier() {
    let (folder, _a, _b) = witnessed();
    folder.run(&["publish"]).code(0);
    folder.write("modeltrail.toml", "outside = { policy = 'policy', witnesses_of = 'others' }");
    assert_eq!(tier(&folder).0, "T3");
}

#[test]
fn settings_that_cannot_be_used_are_told_at_once() {
    let folder = ledger();
    folder.run(&["publish"]).code(2).says("no place to publish to");
    settings(&folder, "quorum none\n", "outside.copies = ['copies']");
    folder.run(&["publish"]).code(3).says("no checkpoint of this ledger is signed yet");
    folder.write("policy", "log nonsense\n");
    folder.run(&["publish"]).code(2).says("the policy policy: ");
    let status = folder.run(&["status"]).code(0).says("the policy policy: ");
    assert!(status.stdout.contains("T0, nothing outside"), "{}", status.stdout);
    folder.write(
        "modeltrail.toml",
        "outside = { tsa = 'ftp://x', timeout_ms = 0, every_s = 0, witnesses_of = 'me' }",
    );
    folder.run(&["publish"]).code(2).says("4 settings cannot be taken");
    folder.write("modeltrail.toml", "outside = { copies = ['x'], ca_file = 'none.pem' }");
    folder.run(&["publish"]).code(2).says("none.pem: no such file");
    folder.run(&["publish", "--every", "often"]).code(2).says("like 10s");
}
