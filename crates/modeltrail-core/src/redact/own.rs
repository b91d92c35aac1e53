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
    let n_before = found.len();
    for (slot, pattern) in order.patterns() {
        steps::add(text.len());
        for range in pattern.find_iter(text) {
            let free = |start, end| range.end <= start || end <= range.start;
            let taken = found.iter().any(|hit| !free(hit.start, hit.end))
                || tokens.iter().any(|(start, end)| !free(*start, *end));
            if !taken && is_spoken_of(pattern, &subject, range.start, range.end) {
                found.push(Match { start: range.start, end: range.end, what: What::Own(*slot) });
            }
        }
    }
    if depth < secret::DEPTH_MAX {
        encoded(order, text, names, depth, found);
    }
    if found.len() > n_before {
        found.sort_by_key(|hit| hit.start);
    }
}

/// Where texts stand that stand for values.
fn tokens(text: &str) -> Vec<(usize, usize)> {
    memchr::memchr_iter(b'[', text.as_bytes())
        .filter_map(|at| Some((at, at + token_len(text.get(at..)?)?)))
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
    for (start, end) in secret::base64_runs(text) {
        if found.iter().any(|hit| start < hit.end && hit.start < end) {
            continue;
        }
        let run = text.get(start..end).unwrap_or_default().trim_end_matches('=');
        let Some(decoded) = base64::decode_text(run.as_bytes()) else { continue };
        let mut within = Vec::new();
        find(order, &decoded, names, depth + 1, &mut within);
        if let Some(first) = within.first() {
            found.push(Match { start, end, what: first.what });
        }
    }
}
