//! Canary secrets: one of every rule goes in by every way there is, and then every byte that is left
//! anywhere is searched for them. With the redactor off the same search finds each of them.

mod search;
mod secrets;
mod ways;

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use modeltrail::{Ack, Reader, Recorder};
use modeltrail_core::query::Query;
use modeltrail_core::redact::Redactor;

use crate::support::{Folder, Output};
use search::Search;
use secrets::Canary;

/// Holds the folder that a child records into; marks a process as that child.
const CHILD: &str = "MODELTRAIL_CANARY_FOLDER";

/// What the child says when everything is written.
const WRITTEN: &str = "all is written";

fn url(folder: &std::path::Path) -> String {
    format!("sqlite:{}", folder.join("modeltrail.db").display())
}

/// Everything that was printed, with the number that names it.
fn printed(search: &mut Search, what: &str, output: &Output) {
    search.look(&format!("{what}, stdout"), output.stdout.as_bytes());
    search.look(&format!("{what}, stderr"), output.stderr.as_bytes());
}

/// Every part as the code reads it back, and all that the program shows and exports.
fn read_back(search: &mut Search, folder: &Folder) {
    let reader = Reader::open(&url(&folder.path(""))).unwrap();
    reader
        .each(&Query::default(), |_, entry| {
            for part in &entry.parts {
                let what = format!("entry {}, {:?}", entry.leaf.index, part.id);
                search.look(&what, &part.bytes);
            }
            Ok::<_, modeltrail::reader::ReadError>(())
        })
        .unwrap();
    drop(reader);
    for args in [
        &["--format", "json", "query", "--limit", "0"][..],
        &["--format", "csv", "query", "--limit", "0"],
        &["query", "--limit", "0"],
        &["--format", "json", "show", "canary-0"],
        &["show", "canary-1"],
        &["-vv", "verify"],
        &["-vv", "status"],
        &["bundle", "--output", "all.bundle"],
        &["tiles", "tiles"],
    ] {
        printed(search, &args.join(" "), &folder.run(args));
    }
}

/// Records every canary by every way of the library and of `log`, and searches what is left.
fn searched(redactor: &Redactor, settings: &str) -> Search {
    let canaries = secrets::all();
    let mut search = Search::new(&canaries);
    let folder = Folder::with_ledger();
    folder.write("modeltrail.toml", settings);
    for ack in Ack::ALL {
        let recorder =
            Recorder::options().redactor(redactor.clone()).open(&url(&folder.path(""))).unwrap();
        for (n, record) in ways::records(&canaries, ack.name()).into_iter().enumerate() {
            let recorded = recorder.record_at(record, ack);
            search.look(&format!("{} {n}", ack.name()), format!("{recorded:?}").as_bytes());
        }
        search.look("stats", format!("{:?}", recorder.stats()).as_bytes());
        recorder.close().unwrap();
    }
    let lines = ways::lines(&canaries);
    printed(&mut search, "log", &folder.pipe(&["-vv", "log"], &lines));
    folder.write("outside.jsonl", &lines);
    printed(&mut search, "log of a file", &folder.run(&["log", "outside.jsonl"]));
    std::fs::remove_file(folder.path("outside.jsonl")).unwrap();
    let preview = ways::preview(&canaries);
    printed(&mut search, "redact", &folder.pipe(&["-vv", "redact", "--explain"], preview));
    read_back(&mut search, &folder);
    search.look_in(&folder.path(""));
    search
}

#[test]
fn no_canary_is_left_anywhere() {
    let search = searched(&Redactor::default(), "");
    assert!(search.found.is_empty(), "{}", search.report());
    // An empty search finds nothing either.
    assert!(search.n_bytes > 1_000_000, "{} bytes were searched", search.n_bytes);
}

#[test]
fn the_search_finds_every_canary_when_nothing_is_masked() {
    let search = searched(&Redactor::disabled(), "redaction.rules = []\n");
    let missed: Vec<&Canary> =
        search.canaries.iter().filter(|canary| !search.has(&canary.secret)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// The child: writes every canary into the spool, says so, and waits to be killed.
#[test]
#[ignore = "runs as a child process of another test"]
fn child_main() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let recorder = Recorder::options()
        .ack(Ack::Written)
        .sequence(false)
        .open(&url(std::path::Path::new(&folder)))
        .unwrap();
    for record in ways::records(&secrets::all(), "killed") {
        recorder.record(record).ok();
    }
    println!("{WRITTEN}");
    std::io::stdin().lines().for_each(drop);
}

#[test]
fn no_canary_is_in_what_a_kill_leaves() {
    let folder = Folder::with_ledger();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "canary::child_main", "--ignored", "--nocapture"])
        .env(CHILD, folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while !text.contains(WRITTEN) {
        assert!(said.read_line(&mut text).unwrap() > 0, "it ended: {text}");
    }
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    let mut search = Search::new(&secrets::all());
    search.look("the child's stdout", text.as_bytes());
    search.look("the child's stderr", &output.stderr);
    // Before anybody recovers it, and after, when frames have become entries.
    search.look_in(&folder.path(""));
    assert!(search.n_bytes > 100_000, "{} bytes are left", search.n_bytes);
    let recorder = Recorder::open(&url(&folder.path(""))).unwrap();
    recorder.flush(Ack::Sequenced).unwrap();
    recorder.close().unwrap();
    assert!(folder.count(&["--kind", "prediction"]) > 0);
    read_back(&mut search, &folder);
    search.look_in(&folder.path(""));
    assert!(search.found.is_empty(), "{}", search.report());
}
