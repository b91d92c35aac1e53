//! SIGKILL between commits and checkpoints: what was signed is durable, and what was answered as
//! published is signed.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use modeltrail::keys::LedgerKeys;
use modeltrail::{Ack, Ledger, Reader, Recorder};
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::merkle::verify_consistency;
use modeltrail_core::note::VerifierKey;

use crate::child::{Child, TRIM, Task};
use crate::place::{self, Place};

/// Processes that are killed, with each of the two rules for the spool.
const N_KILLS: usize = 30;

fn head_of(checkpoint: &SignedCheckpoint) -> Head {
    checkpoint.checkpoint().head()
}

/// Makes the ledger's keys.
fn begin(place: &Place) -> VerifierKey {
    let recorder = Recorder::options().spool(place::SPOOL).open(&place::url(&place.path()));
    let recorder = recorder.unwrap();
    let [_, vkey] = LedgerKeys::of(&recorder).unwrap().begin().unwrap();
    recorder.close().unwrap();
    vkey
}

fn start(place: &Place, task: Task, trim_published: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    if trim_published {
        command.env(TRIM, "1");
    }
    Child::start_as(&mut command, task, &place.path())
}

/// What holds right after a kill: the anchor is a signed checkpoint that the database has too, and
/// the newest checkpoint covers everything that was answered as published.
fn look(ledger: &Ledger, vkey: &VerifierKey, published: &BTreeSet<String>) -> Head {
    let reader = Reader::of(ledger).unwrap();
    let newest = reader.checkpoint().unwrap().unwrap();
    assert_eq!(newest.verify_log([vkey]), Ok(()));
    let anchor = std::fs::read(ledger.anchor_path()).unwrap();
    let anchor = SignedCheckpoint::parse(&anchor).unwrap();
    assert_eq!(anchor.verify_log([vkey]), Ok(()));
    assert!(head_of(&anchor).size <= head_of(&newest).size);
    assert!(head_of(&newest).size <= reader.size().unwrap());
    for id in published {
        let entries = reader.by_request_id(id).unwrap();
        assert!(entries.iter().any(|it| it.leaf.index < head_of(&newest).size), "{id}");
    }
    head_of(&newest)
}

/// Every stored checkpoint is signed, and each extends the one before.
fn check_history(ledger: &Ledger, vkey: &VerifierKey) -> usize {
    let store = ledger.open_read().unwrap();
    let mut all = Vec::new();
    store.checkpoints(0..u64::MAX, &mut |_, found| all.push(found.unwrap())).unwrap();
    for pair in all.windows(2) {
        let [old, new] = [head_of(&pair[0]), head_of(&pair[1])];
        let proof = modeltrail::proofs::consistency(store.as_ref(), old.size, new.size).unwrap();
        assert_eq!(verify_consistency(&old, &new, &proof), Ok(()));
        assert_eq!(pair[1].verify_log([vkey]), Ok(()));
    }
    all.len()
}

fn kill_again_and_again(trim_published: bool) {
    let place = Place::new();
    let vkey = begin(&place);
    let mut acked = BTreeSet::new();
    let mut before = look(&place.ledger, &vkey, &acked);
    for no in 0..N_KILLS {
        let acks = [Ack::Published, Ack::Spooled, Ack::Sequenced];
        let ack = acks[no % acks.len()];
        let task = Task { no, n_threads: 1 + no % 3, ack, sequence: true, padding_bytes: 100 };
        let child = start(&place, task, trim_published);
        child.wait_acks(1);
        // The moment of the kill, not something that is waited for.
        std::thread::sleep(Duration::from_micros(1_000 * (7 * no as u64 % 23)));
        let mut of_child = child.kill();
        let empty = BTreeSet::new();
        let published = if ack == Ack::Published { &of_child } else { &empty };
        let newest = look(&place.ledger, &vkey, published);
        assert!(newest.size >= before.size);
        assert!(newest.size > before.size || newest.root == before.root, "one size, one root");
        before = newest;
        acked.append(&mut of_child);
    }
    place::drain(&place.ledger);
    let found = place::judge(&place.ledger, &acked);
    assert_eq!(found.n_gaps.get("duplicate"), None, "no record came twice");
    let newest = look(&place.ledger, &vkey, &acked);
    assert_eq!(newest.size, found.size, "the last checkpoint covers everything");
    let n_checkpoints = check_history(&place.ledger, &vkey);
    let quarantine = place.ledger.spool_dir().join("quarantine");
    let aside = std::fs::read_dir(quarantine).map_or(0, |dir| {
        let names = dir.map(|item| item.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("frame-")).count()
    });
    assert_eq!(aside, 0, "every record that was taken before a kill is in its entry");
    eprintln!(
        "{N_KILLS} kills, trim published: {trim_published}: {} records acknowledged, {} entries, {n_checkpoints} checkpoints",
        acked.len(),
        found.size
    );
}

#[test]
fn kills_between_commit_and_checkpoint_sign_nothing_that_is_lost() {
    kill_again_and_again(false);
}

#[test]
fn kills_lose_nothing_where_the_spool_keeps_records_until_they_are_published() {
    kill_again_and_again(true);
}
