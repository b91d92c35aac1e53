//! The text files of the project, read once for all checks.

use std::io;
use std::path::{Path, PathBuf};

use crate::rust::Scan;

/// Folders that hold no source of the project, wherever they are.
const FOLDERS_SKIPPED: &[&str] = &["target", "node_modules", "__pycache__", "venv"];
/// Hidden folders that do hold some.
const HIDDEN_FOLDERS: &[&str] = &[".ci", ".cargo", ".github"];
/// Kinds of files that are read; the others are data.
const KINDS: &[&str] = &["rs", "md", "py", "toml", "sh"];
/// Folders whose files without an ending are shell scripts.
const SCRIPT_FOLDERS: &[&str] = &["scripts/", ".ci/"];

/// One text file.
pub(crate) struct SourceFile {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    /// Its text; bytes that are no UTF-8 are replaced.
    pub(crate) text: String,
    /// What the scanner made of it, when it is Rust.
    pub(crate) rust: Option<Scan>,
}

impl SourceFile {
    /// A file as it would be read.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let rust = path.ends_with(".rs").then(|| Scan::new(text));
        Self { path: path.into(), text: text.into(), rust }
    }

    /// Whether the path has this ending (`"rs"`, `"md"`, …).
    pub(crate) fn is(&self, kind: &str) -> bool {
        self.path.rsplit_once('.').is_some_and(|(_, ending)| ending == kind)
    }

    /// Whether the whole file is compiled for tests or benches only, by its name or folder.
    pub(crate) fn is_test(&self) -> bool {
        is_test_path(&self.path)
    }

    /// Whether the file is the module `module` (`a/b` stands for `a/b.rs` and `a/b/…`).
    pub(crate) fn is_in_module(&self, module: &str) -> bool {
        self.path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    }
}

/// Whether a path names a file of tests: `…tests.rs`, or one in a folder of tests or benches.
pub(crate) fn is_test_path(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    name.ends_with("tests.rs") || parts.iter().any(|part| *part == "tests" || *part == "benches")
}

/// All text files of the project, by path.
pub(crate) struct Tree {
    /// The workspace's folder.
    pub(crate) root: PathBuf,
    /// Every file, ordered by path.
    pub(crate) files: Vec<SourceFile>,
}

impl Tree {
    /// Reads everything below `root`.
    ///
    /// # Errors
    /// When a folder or a file cannot be read; the error names it.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        read_folder(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { root: root.to_path_buf(), files })
    }

    /// The file at a path.
    pub(crate) fn get(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// All Rust files with what the scanner made of them.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&SourceFile, &Scan)> {
        self.files.iter().filter_map(|file| file.rust.as_ref().map(|scan| (file, scan)))
    }
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<SourceFile>) -> io::Result<()> {
    let named = |path: &Path, error: io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    for entry in std::fs::read_dir(folder).map_err(|error| named(folder, error))? {
        let entry = entry.map_err(|error| named(folder, error))?;
        let full = entry.path();
        let kind = entry.file_type().map_err(|error| named(&full, error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        if kind.is_dir() && is_source_folder(&name) {
            read_folder(&full, &format!("{path}/"), files)?;
        } else if kind.is_file() && is_text(&path, &name) {
            match std::fs::read(&full) {
                Ok(bytes) => {
                    files.push(SourceFile::new(&path, &String::from_utf8_lossy(&bytes)));
                }
                // Editors come and go with files of their own.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(named(&full, error)),
            }
        }
    }
    Ok(())
}

fn is_source_folder(name: &str) -> bool {
    if name.starts_with('.') {
        return HIDDEN_FOLDERS.contains(&name);
    }
    !FOLDERS_SKIPPED.contains(&name)
}

fn is_text(path: &str, name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, ending)) => KINDS.contains(&ending),
        None => SCRIPT_FOLDERS.iter().any(|folder| path.starts_with(folder)),
    }
}
