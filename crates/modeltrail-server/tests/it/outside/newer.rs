//! Evidence that ends before the ledger does: under a checkpoint that witnesses have seen a while ago, or
//! from an older copy.

use super::ledgers::{fork, ledger, record, replace_by, settings, vkey};
use super::servers::Witness;

#[test]
fn a_bundle_names_what_no_witness_has_seen_yet() {
    let folder = ledger();
    record(&folder, &["r1", "r2", "r3"]);
    let mut witness = Witness::new(&folder, "a", &[&vkey(&folder)]);
    settings(&folder, &(witness.policy_line() + "quorum a\n"), "");
    folder.run(&["publish"]).code(0);
    let whole = folder.run(&["bundle", "--model", "m", "-o", "whole.tar"]).code(0);
    assert!(!whole.stderr.contains("more records"), "{}", whole.stderr);
    witness.kill();
    record(&folder, &["r4", "r5"]);
    let less = folder.run(&["bundle", "--model", "m", "-o", "less.tar"]).code(0);
    less.says("2 more records match and are newer").says("modeltrail publish");
    witness.restart(&folder, &[&vkey(&folder)]);
    folder.run(&["publish"]).code(0);
    let whole = folder.run(&["bundle", "--model", "m", "-o", "again.tar"]).code(0);
    assert!(!whole.stderr.contains("more records"), "{}", whole.stderr);
    assert!(whole.stdout.contains("5 matching entries"), "{}", whole.stdout);
    // Of everything, the ledger's own entries behind the checkpoint are none that match.
    let all = folder.run(&["bundle", "-o", "all.tar"]).code(0);
    assert!(!all.stderr.contains("more records"), "{}", all.stderr);
}

#[test]
fn what_is_made_from_an_older_copy_says_so() {
    let folder = ledger();
    record(&folder, &["r1", "r2"]);
    let old = fork(&folder);
    record(&folder, &["r3"]);
    let anchor = std::fs::read(folder.path("modeltrail.db.d/anchor")).unwrap();
    replace_by(&folder, &old);
    std::fs::write(folder.path("modeltrail.db.d/anchor"), anchor).unwrap();
    folder.run(&["bundle", "-o", "b.tar"]).code(0).says("older copy");
    folder.run(&["receipt", "r1"]).code(0).says("older copy");
    folder.run(&["tiles", "mirror"]).code(0).says("older copy");
}
