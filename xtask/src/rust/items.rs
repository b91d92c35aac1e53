//! Finds functions, imports and test-only items in masked code.

use std::ops::RangeInclusive;

use super::mask::is_word;
use super::{Function, UsePath};

/// An identifier, keyword or number.
pub(super) struct Word {
    text: String,
    /// Where it starts and where what follows it starts, in characters.
    start: usize,
    end: usize,
    /// Its line, from 1.
    line: usize,
}

/// All words of the code, in order.
pub(super) fn words(code: &[char]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut line = 1;
    for (at, c) in code.iter().copied().enumerate() {
        line += usize::from(c == '\n');
        if !is_word(c) {
            continue;
        }
        match words.last_mut().filter(|word| word.end == at) {
            Some(word) => {
                word.text.push(c);
                word.end = at + 1;
            }
            None => words.push(Word { text: c.into(), start: at, end: at + 1, line }),
        }
    }
    words
}

/// All functions: a `fn` that is followed by a name.
pub(super) fn functions(code: &[char], words: &[Word]) -> Vec<Function> {
    let pairs = words.iter().zip(words.iter().skip(1));
    pairs
        .filter(|(keyword, _)| keyword.text == "fn")
        .filter(|(keyword, name)| is_blank(code, keyword.end, name.start))
        .map(|(keyword, name)| Function {
            name: name.text.clone(),
            line: keyword.line,
            n_lines: n_lines(code, keyword.start, item_end(code, name.end)),
        })
        .collect()
}

/// All imported paths, written out.
pub(super) fn uses(code: &[char], words: &[Word]) -> Vec<UsePath> {
    let mut paths = Vec::new();
    for word in words.iter().filter(|word| word.text == "use") {
        let rest = code.get(word.end..).unwrap_or_default();
        // `use<'a>` in a return type imports nothing.
        if rest.first().is_some_and(|c| c.is_whitespace()) {
            write_out(rest, word.line, &mut paths);
        }
    }
    paths
}

/// Writes out the paths of one `use`, from behind its keyword to its semicolon.
fn write_out(code: &[char], mut line: usize, paths: &mut Vec<UsePath>) {
    // The prefixes of the open braces, and the path after the innermost of them.
    let mut prefixes: Vec<String> = Vec::new();
    let mut tail = String::new();
    for c in code.iter().copied() {
        match c {
            '{' => {
                let outer = prefixes.last().cloned().unwrap_or_default();
                prefixes.push(outer + tail.trim());
                tail.clear();
            }
            ',' | '}' | ';' => {
                let path = tail.split(" as ").next().unwrap_or_default().trim();
                if !path.is_empty() {
                    let path = prefixes.last().cloned().unwrap_or_default() + path;
                    let path = path.trim_start_matches("::").to_owned();
                    paths.push(UsePath { line, path });
                }
                tail.clear();
            }
            _ => tail.push(if c.is_whitespace() { ' ' } else { c }),
        }
        line += usize::from(c == '\n');
        match c {
            '}' => drop(prefixes.pop()),
            ';' => return,
            _ => {}
        }
    }
}

/// The lines of items under `#[cfg(test)]` or `#[cfg(all(test, …))]`; with an inner attribute
/// (`#![cfg(test)]`) those of the whole file.
pub(super) fn test_lines(code: &[char], words: &[Word]) -> Vec<RangeInclusive<usize>> {
    let mut found = Vec::new();
    for word in words.iter().filter(|word| word.text == "cfg") {
        let rest: String = code.iter().skip(word.end).take(9).collect();
        if !rest.starts_with("(test)]") && !rest.starts_with("(all(test") {
            continue;
        }
        if ends_with(code, word.start, "#![") {
            found.push(1..=usize::MAX);
        } else if ends_with(code, word.start, "#[") {
            let end = attribute_end(code, word.end).and_then(|end| item_end(code, end));
            found.push(word.line..=word.line + n_lines(code, word.start, end) - 1);
        }
    }
    found
}

/// Behind the `]` that closes an attribute.
fn attribute_end(code: &[char], from: usize) -> Option<usize> {
    let length = code.iter().skip(from).position(|c| *c == ']')?;
    Some(from + length + 1)
}

/// Behind the semicolon or closing brace that ends an item whose signature goes on at `from`;
/// none when it does not end.
fn item_end(code: &[char], from: usize) -> Option<usize> {
    // Depth of parentheses and brackets, in which `;` and braces belong to types; and of braces.
    let (mut inner, mut braces) = (0_usize, 0_usize);
    for (at, c) in code.iter().copied().enumerate().skip(from) {
        match c {
            '(' | '[' if braces == 0 => inner += 1,
            ')' | ']' if braces == 0 => inner = inner.saturating_sub(1),
            ';' if inner == 0 && braces == 0 => return Some(at + 1),
            '{' if inner == 0 => braces += 1,
            '}' if inner == 0 => {
                braces = braces.saturating_sub(1);
                if braces == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Lines from the one of `start` to the one of the character before `end`; without an end, one.
fn n_lines(code: &[char], start: usize, end: Option<usize>) -> usize {
    let span = end.and_then(|end| code.get(start..end)).unwrap_or_default();
    1 + span.iter().filter(|c| **c == '\n').count()
}

fn is_blank(code: &[char], start: usize, end: usize) -> bool {
    code.get(start..end).is_some_and(|between| between.iter().all(|c| c.is_whitespace()))
}

fn ends_with(code: &[char], end: usize, text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    code.get(..end).is_some_and(|before| before.ends_with(&text))
}
