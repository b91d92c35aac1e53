//! Programs of others, which know nothing of this one: a witness (PyPI `aics-witness`) and a verifier
//! (PyPI `aics-tlog`). `scripts/foreign-tools` installs them and runs these tests; without it they say
//! that they skip, and pass.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use super::ledgers::{ORIGIN, ledger, policy, record, settings, stored, vkey};
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
        let (ok, said) = run(&tool, folder, &["add-log", "--origin", ORIGIN, "--vkey", &vkey()]);
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
    for ids in [&["r1", "r2"][..], &["r3"], &["r4", "r5"]] {
        record(&folder, ids);
        folder.run(&["publish"]).code(0);
        assert_eq!(policy(&folder).verify(&stored(&folder)).unwrap().cosigned().len(), 1);
    }
    let honest = stored(&folder);
    super::ledgers::copy_database(&folder, "modeltrail.db", "honest.db");
    // Another history of the same size, signed with the same key.
    let other = ledger();
    for ids in [&["r1", "another"][..], &["r3"], &["r4", "r5"]] {
        record(&other, ids);
    }
    assert_eq!(stored(&other).checkpoint().head().size, honest.checkpoint().head().size);
    super::attacks::replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history");
    let root = stored(&other).checkpoint().head().root.to_base64();
    let kept = foreign.evidence(&folder);
    assert!(kept.contains(&root), "{kept}");
    // The same, gone on.
    record(&other, &["r6"]);
    super::attacks::replace_by(&folder, &other);
    folder.run(&["publish"]).code(1).says("another history");
    // The beginning of the honest one.
    let young = ledger();
    record(&young, &["r1"]);
    super::attacks::replace_by(&folder, &young);
    folder.run(&["publish"]).code(1).says("entries are missing here");
    // And the honest one, as it was.
    super::ledgers::copy_database(&folder, "honest.db", "modeltrail.db");
    record(&folder, &["r7"]);
    folder.run(&["publish"]).code(0);
    assert!(policy(&folder).verify(&stored(&folder)).is_ok());
}

#[test]
fn a_foreign_verifier_accepts_what_two_witnesses_have_cosigned() {
    let folder = ledger();
    let Some(tlog) = tool("aics-tlog") else { return };
    let Some(foreign) = Foreign::new(&folder) else { return };
    let ours = super::servers::Witness::new(&folder, "ours", &[&vkey()]);
    let lines =
        foreign.line.clone() + &ours.policy_line() + "group both all foreign ours\nquorum both\n";
    settings(&folder, &lines, "");
    record(&folder, &["r1", "r2", "r3"]);
    folder.run(&["publish"]).code(0);
    let verify = |name: &str| {
        let (log, one, other) = (vkey(), foreign.vkey.as_str(), ours.vkey.as_str());
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
