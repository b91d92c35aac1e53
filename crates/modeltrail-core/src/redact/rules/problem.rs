//! What is wrong with a policy file, all of it at once.

use std::fmt;

/// Most problems that are told; a file with more is not one that somebody mends line by line.
const PROBLEMS_MAX: usize = 100;

/// Most problems that are kept until they are sorted: what a file of nothing else would fill memory
/// with is not looked at.
const PROBLEMS_KEPT_MAX: usize = 2_000;

/// One thing that is wrong.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Problem {
    /// Where, from 1.
    pub line: usize,
    /// The character within that line, from 1.
    pub column: usize,
    /// What is wrong. Names keys and types of the file, and never values that it lets through.
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.line, self.column, self.what, self.remedy)
    }
}

/// Why a text is no policy: every problem in it, in the order of their places (at most 100).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyProblems(Vec<Problem>);

impl PolicyProblems {
    /// The problems, at least one.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for PolicyProblems {
    /// One line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if n > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for PolicyProblems {}

/// Collects problems by their byte in the text.
#[derive(Debug)]
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, String, String)>,
}

impl<'t> Problems<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Notes a problem at byte `at`.
    pub(super) fn add(&mut self, at: usize, what: impl Into<String>, remedy: impl Into<String>) {
        if self.found.len() < PROBLEMS_KEPT_MAX {
            self.found.push((at, what.into(), remedy.into()));
        }
    }

    /// The problems in the order of their places, or nothing if there are none.
    pub(super) fn finish(mut self) -> Result<(), PolicyProblems> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort();
        self.found.dedup();
        self.found.truncate(PROBLEMS_MAX);
        let text = self.text;
        let place = |(at, what, remedy): (usize, String, String)| {
            let before = text.get(..at.min(text.len())).unwrap_or(text);
            let start = before.rfind('\n').map_or(0, |newline| newline + 1);
            let column = before.get(start..).unwrap_or_default().chars().count() + 1;
            let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
            Problem { line, column, what, remedy }
        };
        Err(PolicyProblems(self.found.into_iter().map(place).collect()))
    }
}
