//! Programs of others, which know nothing of this one: a witness (PyPI `aics-witness`) and a verifier
//! (PyPI `aics-tlog`). `scripts/foreign-tools` installs them and runs these tests; without it they say
//! that they skip, and pass.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::ledgers::{ORIGIN, fork, ledger, policy, record, replace_by, settings, stored, vkey};
use super::servers::PATIENCE;
use crate::support::Folder;

/// The folder of their programs; `None` when the variable is not set.
fn tool(name: &str) -> Option<PathBuf> {
    let dir = std::env::var_os("MODELTRAIL_FOREIGN_TOOLS");
    if dir.is_none() {
        eprintln!("skipped: run scripts/foreign-tools to have this tested with {name}");
    }
    Some(Path::new(&dir?).join(name))
}

/// Runs a tool in a folder; gives whether it was content, and what it said.
fn run(tool: &Path, folder: &Folder, args: &[&str]) -> (bool, String) {
    let done = Command::new(tool).args(args).current_dir(folder.path("")).output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8_lossy(&said).into_owned())
}

struct Foreign {
    child: Child,
    tool: PathBuf,
    vkey: String,
    line: String,
}

impl Foreign {
    fn new(folder: &Folder) -> Option<Self> {
        let tool = tool("aics-witness")?;
        // It cannot be asked to choose a port, so one that was free a moment ago is.
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let listen = free.to_string();
        let (ok, said) =
            run(&tool, folder, &["init", "--name", "foreign.example/w1", "--listen", &listen]);
        assert!(ok, "{said}");
        let is_vkey = |word: &&str| word.starts_with("foreign.example/w1+");
        let own = said.split_whitespace().find(is_vkey).unwrap().to_owned();
        let (ok, said) =
            run(&tool, folder, &["add-log", "--origin", ORIGIN, "--vkey", &vkey(folder)]);
        assert!(ok, "{said}");
        let mut command = Command::new(&tool);
        command.arg("serve").current_dir(folder.path("")).stderr(Stdio::piped());
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || BufReader::new(stderr).lines().for_each(drop));
        let began = Instant::now();
        while TcpStream::connect(free).is_err() {
            assert!(began.elapsed() < PATIENCE, "it does not listen");
            std::thread::yield_now();
        }
        let line = format!("witness foreign {own} http://{free}\n");
        Some(Self { child, tool, vkey: own, line })
    }

    /// What it has kept against the log.
    fn evidence(&self, folder: &Folder) -> String {
        let (ok, said) = run(&self.tool, folder, &["evidence"]);
        assert!(ok, "{said}");
        said
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn a_foreign_witness_cosigns_and_refuses_forgery_and_rollback() {
    let folder = ledger();
    let Some(foreign) = Foreign::new(&folder) else { return };
    settings(&folder, &(foreign.line.clone() + "quorum foreign\n"), "");
    let (other, young) = (fork(&folder), fork(&folder));
    for ids in [&["r1", "r2"][..], &["r3"], &["r4", "r5"]] {
        record(&folder, ids);
        folder.run(&["publish"]).code(0);
        assert_eq!(policy(&folder).verify(&stored(&folder)).unwrap().cosigned().len(), 1);
    }
    let honest = stored(&folder);
    let as_it_was = fork(&folder);
    // Another history of the same size, signed with the same key.
    for ids in [&["r1", "another"][..], &["r3"], &["r4", "r5"]] {
        record(&other, ids);
    }
    assert_eq!(stored(&other).checkpoint().head().size, honest.checkpoint().head().size);
    replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history");
    let root = stored(&other).checkpoint().head().root.to_base64();
    let kept = foreign.evidence(&folder);
    assert!(kept.contains(&root), "{kept}");
    // The same, gone on.
    record(&other, &["r6"]);
    replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history");
    // The beginning of the honest one.
    record(&young, &["r1"]);
    replace_by(&folder, &young);
    folder.run(&["publish"]).code(1).says("entries are missing here");
    // And the honest one, as it was.
    replace_by(&folder, &as_it_was);
    record(&folder, &["r7"]);
    folder.run(&["publish"]).code(0);
    assert!(policy(&folder).verify(&stored(&folder)).is_ok());
}

#[test]
fn a_foreign_verifier_accepts_what_two_witnesses_have_cosigned() {
    let folder = ledger();
    let Some(tlog) = tool("aics-tlog") else { return };
    let Some(foreign) = Foreign::new(&folder) else { return };
    let ours = super::servers::Witness::new(&folder, "ours", &[&vkey(&folder)]);
    let lines =
        foreign.line.clone() + &ours.policy_line() + "group both all foreign ours\nquorum both\n";
    settings(&folder, &lines, "");
    record(&folder, &["r1", "r2", "r3"]);
    folder.run(&["publish"]).code(0);
    let verify = |name: &str| {
        let (log, one, other) = (vkey(&folder), foreign.vkey.as_str(), ours.vkey.as_str());
        let args = [
            "verify-checkpoint",
            "--note",
            name,
            "--log-key",
            &log,
            "--origin",
            ORIGIN,
            "--witness-key",
            one,
            "--witness-key",
            other,
            "--quorum",
            "2",
        ];
        run(&tlog, &folder, &args)
    };
    let cosigned = stored(&folder).to_string();
    folder.write("cosigned", &cosigned);
    let (ok, said) = verify("cosigned");
    assert!(ok, "{said}");
    // Without one of the two lines there is no quorum, and another size is none that was signed.
    let fewer: Vec<&str> = cosigned.lines().filter(|line| !line.contains("ours.example")).collect();
    folder.write("fewer", fewer.join("\n") + "\n");
    assert!(!verify("fewer").0);
    folder.write(
        "changed",
        cosigned.replacen(
            &format!("\n{}\n", stored(&folder).checkpoint().head().size),
            "\n99\n",
            1,
        ),
    );
    assert!(!verify("changed").0);
}

#[test]
fn a_foreign_verifier_checks_exported_tiles_and_refuses_a_changed_leaf() {
    let folder = ledger();
    let Some(tlog) = tool("aics-tlog") else { return };
    folder.write("vkey", vkey(&folder));
    let verify = |what: &str, tiles: &str, more: &[&str]| {
        let args = ["--tiles", tiles, "--vkey-file", "vkey", "--origin", ORIGIN];
        run(&tlog, &folder, &[&[what], &args[..], more].concat())
    };
    let ids = |from: u32, to: u32| (from..to).map(|n| format!("r{n}")).collect::<Vec<_>>();
    let export = |ids: Vec<String>| {
        record(&folder, &ids.iter().map(String::as_str).collect::<Vec<_>>());
        folder.run(&["tiles", "mirror"]).code(0);
    };
    // A full tile and a partial one, then more of both.
    export(ids(0, 400));
    std::fs::copy(folder.path("mirror/checkpoint"), folder.path("earlier")).unwrap();
    export(ids(400, 700));
    let size = stored(&folder).checkpoint().head().size;
    let last = (size - 1).to_string();
    for (what, more) in [
        ("verify-checkpoint", &[][..]),
        ("verify-inclusion", &["--index", "0"]),
        ("verify-inclusion", &["--index", "300", "--entry-out", "leaf"]),
        ("verify-inclusion", &["--index", &last]),
        ("verify-inclusion", &["--index", "300", "--leaf", "leaf"]),
        ("verify-consistency", &["--old-checkpoint", "earlier"]),
    ] {
        let (ok, said) = verify(what, "mirror", more);
        assert!(ok, "{what} {more:?}: {said}");
    }
    // Somebody changes one byte of the leaf of entry 300: where it lies, and where it is handed over.
    let mut leaf = std::fs::read(folder.path("leaf")).unwrap();
    let entries = folder.path("mirror/tile/entries/001");
    let honest = std::fs::read(&entries).unwrap();
    let at = honest.windows(leaf.len()).position(|bytes| bytes == leaf).unwrap();
    leaf[60] ^= 1;
    folder.write("changed", &leaf);
    let (ok, said) = verify("verify-inclusion", "mirror", &["--index", "300", "--leaf", "changed"]);
    assert!(!ok && said.contains("not included"), "{said}");
    std::fs::write(&entries, [&honest[..at], &leaf, &honest[at + leaf.len()..]].concat()).unwrap();
    let (ok, said) = verify("verify-inclusion", "mirror", &["--index", "300"]);
    assert!(!ok && said.contains("tile/entries/001"), "{said}");
    std::fs::write(&entries, honest).unwrap();
    // And its hash in the tile, so that both agree: then the tile is not its parent's.
    let tile = folder.path("mirror/tile/0/001");
    let mut hashes = std::fs::read(&tile).unwrap();
    hashes[(300 - 256) * 32] ^= 1;
    std::fs::write(&tile, hashes).unwrap();
    let (ok, said) = verify("verify-inclusion", "mirror", &["--index", "300"]);
    assert!(!ok && said.contains("tile/0/001"), "{said}");
}
