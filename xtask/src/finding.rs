//! What a check returns.

use std::fmt;

/// Something that breaks a rule of the house.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path below the workspace's root, with `/`.
    pub(crate) path: String,
    /// Line, from 1.
    pub(crate) line: usize,
    /// What breaks the rule.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) todo: String,
}

impl Finding {
    /// A finding at a line.
    pub(crate) fn new(
        path: &str,
        line: usize,
        what: impl Into<String>,
        todo: impl Into<String>,
    ) -> Self {
        Self { path: path.into(), line, what: what.into(), todo: todo.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.path, self.line, self.what, self.todo)
    }
}

/// The outcome of a check: what it found, and what it could not look at and why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Everything found.
    pub(crate) findings: Vec<Finding>,
    /// What was skipped, with the reason.
    pub(crate) notes: Vec<String>,
}

impl From<Vec<Finding>> for Report {
    fn from(findings: Vec<Finding>) -> Self {
        Self { findings, notes: Vec::new() }
    }
}

impl Report {
    /// A report of a check that was skipped.
    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self { findings: Vec::new(), notes: vec![reason.into()] }
    }
}
