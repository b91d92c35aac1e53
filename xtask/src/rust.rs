//! A scanner of Rust text: enough to tell code from comments and strings, and to find functions,
//! imports and test-only items. It reads what rustfmt writes; it is no parser and needs none.

mod items;
mod mask;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;

/// A string literal.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    /// The line it begins on, from 1.
    pub(crate) line: usize,
    /// What stands between its quotes, escapes as written.
    pub(crate) text: String,
}

/// A function or method, with or without a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from its `fn` to its closing brace.
    pub(crate) n_lines: usize,
}

/// One path that a `use` item brings in, written out: `use a::{b, c as d}` is `a::b` and `a::c`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsePath {
    /// The line its last part stands on, from 1.
    pub(crate) line: usize,
    /// The path, without a leading `::` and without `as`.
    pub(crate) path: String,
}

/// What is known of a Rust file.
pub(crate) struct Scan {
    /// The text with comments, strings and characters blanked out, by line.
    code: Vec<String>,
    /// Every string literal.
    pub(crate) literals: Vec<Literal>,
    /// Every function.
    pub(crate) functions: Vec<Function>,
    /// Every imported path.
    pub(crate) uses: Vec<UsePath>,
    /// Lines of items under `#[cfg(test)]`.
    test_lines: Vec<RangeInclusive<usize>>,
}

impl Scan {
    /// Scans a file's text. Text that is no Rust gives an odd scan, never a panic.
    pub(crate) fn new(text: &str) -> Self {
        let masked = mask::mask(text);
        let words = items::words(&masked.code);
        Self {
            functions: items::functions(&masked.code, &words),
            uses: items::uses(&masked.code, &words),
            test_lines: items::test_lines(&masked.code, &words),
            code: masked.code.iter().collect::<String>().lines().map(str::to_owned).collect(),
            literals: masked.literals,
        }
    }

    /// Whether a line is inside an item under `#[cfg(test)]`.
    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.test_lines.iter().any(|lines| lines.contains(&line))
    }

    /// The lines whose code names `path` (`async`, `std::fs`, …), in full or through a `use`,
    /// in order and each once.
    pub(crate) fn lines_naming(&self, path: &str) -> Vec<usize> {
        let direct = self.code.iter().enumerate().filter(|(_, code)| names(code, path));
        let imported = self.uses.iter().filter(|used| imports(&used.path, path));
        let mut lines: Vec<usize> = direct.map(|(index, _)| index + 1).collect();
        lines.extend(imported.map(|used| used.line));
        lines.sort_unstable();
        lines.dedup();
        lines
    }
}

/// Whether a line of code has `path` as whole words.
fn names(code: &str, path: &str) -> bool {
    code.match_indices(path).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + path.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(mask::is_word) && !after.is_some_and(mask::is_word)
    })
}

/// Whether an imported path is `path`, is below it, or is a glob that brings it in.
fn imports(used: &str, path: &str) -> bool {
    let used = used.strip_suffix("::self").unwrap_or(used);
    match used.strip_suffix("::*") {
        Some(folder) => path == folder || path.starts_with(&format!("{folder}::")),
        None => used == path || used.starts_with(&format!("{path}::")),
    }
}
