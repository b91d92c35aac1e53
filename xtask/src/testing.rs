//! For the tests: small made-up trees in a temporary folder, removed when they are dropped.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::finding::Finding;
use crate::output::Output;
use crate::tree::Tree;

/// A folder with a few files.
pub(crate) struct TempTree {
    /// Where it is.
    pub(crate) root: PathBuf,
}

impl TempTree {
    /// Writes `files`, each (path, text).
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("modeltrail-xtask-{}-{number}", std::process::id());
        let tree = Self { root: std::env::temp_dir().join(name) };
        std::fs::create_dir_all(&tree.root).unwrap();
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    /// Writes or replaces one file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let full = self.root.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }

    /// Reads it as the checks see it.
    pub(crate) fn read(&self) -> Tree {
        Tree::read(&self.root).unwrap()
    }
}

impl Drop for TempTree {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.root));
    }
}

/// Reads `files` as a project and gives what `check` finds, each as `path:line: what`.
pub(crate) fn findings(
    check: impl Fn(&Tree) -> Vec<Finding>,
    files: &[(&str, &str)],
) -> Vec<String> {
    let temp = TempTree::new(files);
    check(&temp.read()).iter().map(told).collect()
}

/// A finding without its advice.
pub(crate) fn told(finding: &Finding) -> String {
    format!("{}:{}: {}", finding.path, finding.line, finding.what)
}

/// Runs something that writes; gives its exit code and the text of both streams.
pub(crate) fn captured(run: impl FnOnce(&mut Output<'_>) -> u8) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&mut Output { out: &mut out, err: &mut err });
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}
