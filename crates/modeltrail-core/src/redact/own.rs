//! The patterns of a policy's own: what they find besides the rules.

use super::context::{self, Names, Subject};
use super::order::{Match, Order, What};
use super::rules::{OwnPattern, token_len};
use super::{base64, secret, steps};

/// Adds what a policy's own patterns find in a text that the rules have gone through. What a rule
/// found is the rule's, and what stands for a value is nobody's.
pub(super) fn find(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    found: &mut Vec<Match>,
) {
    if order.patterns().is_empty() {
        return;
    }
    let subject = Subject { text, names };
    let tokens = tokens(text);
    for (slot, pattern) in order.patterns() {
        steps::add(text.len());
        let hits: Vec<Match> = pattern
            .find_iter(text)
            .map(|range| Match { start: range.start, end: range.end, what: What::Own(*slot) })
            .filter(|hit| is_free(found, hit) && is_free(&tokens, hit))
            .filter(|hit| is_spoken_of(pattern, &subject, hit.start, hit.end))
            .collect();
        add(hits, found);
    }
    if depth < secret::DEPTH_MAX {
        encoded(order, text, names, depth, found);
    }
}

/// Whether a match overlaps none of these, which are ascending and apart from each other.
fn is_free(taken: &[Match], hit: &Match) -> bool {
    let next = taken.partition_point(|other| other.end <= hit.start);
    taken.get(next).is_none_or(|other| hit.end <= other.start)
}

/// Adds matches that overlap none of those found.
fn add(hits: Vec<Match>, found: &mut Vec<Match>) {
    if !hits.is_empty() {
        found.extend(hits);
        found.sort_by_key(|hit| hit.start);
    }
}

/// Where texts stand that stand for values.
fn tokens(text: &str) -> Vec<Match> {
    memchr::memchr_iter(b'[', text.as_bytes())
        .filter_map(|at| {
            let len = token_len(text.get(at..)?)?;
            Some(Match { start: at, end: at + len, what: What::Own(usize::MAX) })
        })
        .collect()
}

/// Whether a pattern that asks for a word has one near a match, or in a name on its path.
fn is_spoken_of(pattern: &OwnPattern, subject: &Subject<'_>, start: usize, end: usize) -> bool {
    let wanted = |word: &str| {
        let lower = word.to_lowercase();
        pattern.words().contains(&lower)
    };
    pattern.words().is_empty() || context::words_about(subject, start, end).any(wanted)
}

/// Runs of base64 that decode to text in which a pattern finds something go as a whole.
fn encoded(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    found: &mut Vec<Match>,
) {
    let mut hits = Vec::new();
    for (start, end) in secret::base64_runs(text) {
        let run = text.get(start..end).unwrap_or_default().trim_end_matches('=');
        let mut hit = Match { start, end, what: What::Own(usize::MAX) };
        if !is_free(found, &hit) {
            continue;
        }
        let Some(decoded) = base64::decode_text(run.as_bytes()) else { continue };
        let mut within = Vec::new();
        find(order, &decoded, names, depth + 1, &mut within);
        if let Some(first) = within.first() {
            hit.what = first.what;
            hits.push(hit);
        }
    }
    add(hits, found);
}
