//! No room on the disk, for real: a small tmpfs in a mount namespace of its own, and a limit of file
//! sizes set from outside.

mod inside;

use std::process::Command;

use modeltrail::Ack;
use modeltrail_core::query::Query;
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::child::{Child, Task};
use crate::place::{self, Place};

/// A command that runs in a mount namespace of its own, as its root; with it all mounts go away.
fn unshared() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "--"]);
    command
}

/// Why no file system can be mounted here, if so.
fn no_mounts() -> Option<String> {
    let dir = tempfile::tempdir().unwrap();
    let tried = unshared().args(["mount", "-t", "tmpfs", "tmpfs"]).arg(dir.path()).output();
    match tried {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) => Some(error.to_string()),
    }
}

#[test]
fn a_full_disk_and_a_read_only_one() {
    if let Some(why) = no_mounts() {
        eprintln!("skipped: no file system can be mounted here ({})", why.trim());
        return;
    }
    let output = unshared()
        .arg(std::env::current_exe().unwrap())
        .args(["full::inside::", "--ignored", "--test-threads=1", "--nocapture"])
        .env(inside::HERE, "1")
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert!(stdout.contains("test result: ok. 4 passed"), "{stdout}\n{stderr}");
    eprint!("{stderr}");
}

/// Largest file in bytes while the store must not grow: the spool's segments fit, the database's
/// log does not for long.
const FILE_BYTES_MAX: u64 = 1 << 20;

#[test]
fn a_store_that_cannot_grow_holds_up_the_ledger_and_no_record() {
    let place = Place::new();
    // The signal that comes with the limit would end the process; ignoring it is inherited.
    let mut command = Command::new("sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    let task = Task { no: 0, n_threads: 2, ack: Ack::Spooled, sequence: true, padding_bytes: 3000 };
    let child = Child::start_as(&mut command, task, &place.path());
    child.wait_sequencer();
    let pid = Pid::from_raw(i32::try_from(child.pid()).unwrap());
    let limit = |bytes| {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(pid, Resource::Fsize, limit).unwrap();
    };
    limit(Some(FILE_BYTES_MAX));
    // Four times as much as the store can take: it stands still, and recording goes on.
    let n = child.n_acked() + 4 * usize::try_from(FILE_BYTES_MAX).unwrap() / task.padding_bytes;
    child.wait_acks(n);
    let n_held_up = child.n_acked();
    let size = modeltrail::Reader::of(&place.ledger).unwrap().size().unwrap();
    assert!(size < n_held_up as u64, "the store stands still at {size} of {n_held_up}");
    limit(None);
    let acked = child.stop();
    let found = place::judge(&place.ledger, &acked);
    assert_eq!(found.ids, acked, "all of it and nothing else");
    let all = modeltrail::Reader::of(&place.ledger).unwrap().count(&Query::default()).unwrap();
    eprintln!(
        "{} records, {} entries, {size} of them before the limit was lifted",
        acked.len(),
        all
    );
}
