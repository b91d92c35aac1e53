//! A folder of its own for each test, and the program run in it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// The example data.
pub(crate) const PREDICTIONS: &str = include_str!("../../../../examples/data/predictions.jsonl");

/// The figures that were counted when the example data was made.
pub(crate) const COUNTS: &str = include_str!("../../../../examples/data/counts.json");

/// What a run left.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Output {
    /// Checks the exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("{e}: {}", self.stdout))
    }

    /// Standard error must say this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is not in:\n{}", self.stderr);
        self
    }
}

/// A folder to work in.
pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// With an empty ledger at the default place.
    pub(crate) fn with_ledger() -> Self {
        let folder = Self::new();
        folder.run(&["init"]).code(0);
        folder
    }

    /// With the example data recorded.
    pub(crate) fn with_predictions() -> Self {
        let folder = Self::with_ledger();
        folder.write("predictions.jsonl", PREDICTIONS);
        folder.run(&["log", "predictions.jsonl"]).code(0);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Names of what lies in it.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        let items = std::fs::read_dir(self.dir.path()).unwrap();
        items.map(|item| item.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// The program with its arguments, in this folder and without the caller's settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_modeltrail"));
        let own = std::env::vars_os().map(|(name, _)| name);
        for name in own.filter(|name| name.to_string_lossy().starts_with("MODELTRAIL_")) {
            command.env_remove(name);
        }
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command.args(args).current_dir(self.dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finish(self.command(args).spawn().unwrap())
    }

    /// With something on standard input.
    #[track_caller]
    pub(crate) fn pipe(&self, args: &[&str], input: impl AsRef<[u8]>) -> Output {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            let input = input.as_ref();
            // Who refuses early closes the pipe early.
            scope.spawn(move || drop(stdin.write_all(input)));
            finish(child)
        })
    }

    /// The number that `query --count` gives.
    #[track_caller]
    pub(crate) fn count(&self, filters: &[&str]) -> u64 {
        let mut args = vec!["query", "--count"];
        args.extend(filters);
        self.run(&args).code(0).stdout.trim().parse().unwrap()
    }

    /// Answers as JSON.
    #[track_caller]
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["--format", "json"];
        all.extend(args);
        self.run(&all).code(0).json()
    }

    /// The database, opened past the program.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("modeltrail.db")).unwrap()
    }
}

/// Reads both outputs at once, so that neither pipe fills up, and waits for the end.
pub(crate) fn finish(mut child: Child) -> Output {
    let mut from_err = child.stderr.take().unwrap();
    let stderr = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from_err.read_to_end(&mut bytes).unwrap();
        bytes
    });
    let mut stdout = Vec::new();
    if let Some(mut from) = child.stdout.take() {
        from.read_to_end(&mut stdout).unwrap();
    }
    let code = child.wait().unwrap().code().unwrap_or(-1);
    Output {
        code,
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr.join().unwrap()).unwrap(),
    }
}

/// The example data, line by line.
pub(crate) fn predictions() -> Vec<Value> {
    PREDICTIONS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A line that can be recorded.
pub(crate) fn line(request_id: &str, rest: &str) -> String {
    format!(r#"{{"request_id":"{request_id}","model_name":"m","model_version":"1"{rest}}}"#)
}

/// True when nothing lies there.
pub(crate) fn is_missing(path: &Path) -> bool {
    !path.exists()
}
