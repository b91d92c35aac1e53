//! A redaction policy from its file.

use std::io;
use std::path::{Path, PathBuf};

use modeltrail_core::redact::Rule;
use modeltrail_core::redact::rules::{POLICY_BYTES_MAX, PolicyProblems, RedactionPolicy};

use crate::small_file;

/// Why a file holds no policy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyFileError {
    /// It cannot be read.
    #[error("the redaction policy {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no policy.
    #[error("{}", lines(.path, .problems))]
    Problems {
        /// Which file.
        path: PathBuf,
        /// All that is wrong.
        problems: PolicyProblems,
    },
}

/// Each problem as `FILE:LINE:COLUMN: what; remedy`.
fn lines(path: &Path, problems: &PolicyProblems) -> String {
    let line = |problem| format!("{}:{problem}", path.display());
    problems.all().iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Reads the redaction policy in a file (`spec/redaction-policy.md`).
///
/// # Errors
/// When it cannot be read, or with everything that is wrong in it.
pub fn policy_file(path: &Path) -> Result<RedactionPolicy, PolicyFileError> {
    let text = small_file::read_text(path, POLICY_BYTES_MAX)
        .map_err(|source| PolicyFileError::Io { path: path.to_owned(), source })?;
    RedactionPolicy::parse(&text, &Rule::TYPES)
        .map_err(|problems| PolicyFileError::Problems { path: path.to_owned(), problems })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_told_with_its_place_in_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.toml");
        let missing = policy_file(&path).unwrap_err().to_string();
        assert!(missing.contains("p.toml"), "{missing}");
        std::fs::write(&path, "version = 1\nname = 'a b'\n[types]\nemial = 'off'\n").unwrap();
        let told = policy_file(&path).unwrap_err().to_string();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines.len(), 2, "{told}");
        assert!(lines[0].contains("p.toml:2:") && lines[1].contains("p.toml:4:1: "), "{told}");
        std::fs::write(&path, "version = 1\nname = 'shop'\n[types]\nemail = 'off'\n").unwrap();
        assert_eq!(policy_file(&path).unwrap().name(), "shop");
    }
}
