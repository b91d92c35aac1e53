//! What has to change in one text, be it the value of a member, its name, or a plain text.

use std::borrow::Cow;

use super::context::Names;
use super::policy::Span;
use super::rule::{Rule, RuleSet};
use super::{find, fold, json, scan, values};

/// JSON in a string in JSON, and so on: how deep it is followed.
pub(super) const NESTED_MAX: usize = 4;

/// A stretch of a text and what takes its place.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: Cow<'static, str>,
    pub(super) rule: Rule,
    /// Further rules that matched inside, where the stretch is a whole token of nested JSON.
    pub(super) more: Vec<Rule>,
}

impl Patch {
    fn new(span: &Span) -> Self {
        Self::with(span, span.rule.replacement())
    }

    /// A patch that puts another text in the place of a span.
    pub(super) fn with(span: &Span, text: &'static str) -> Self {
        let text = Cow::Borrowed(text);
        Self { start: span.start, end: span.end, text, rule: span.rule, more: Vec::new() }
    }

    /// Every rule that matched.
    pub(super) fn rules(&self) -> impl Iterator<Item = Rule> + '_ {
        std::iter::once(self.rule).chain(self.more.iter().copied())
    }
}

/// Appends the patches of a text that stands under `names`, ascending and apart from each other.
/// `depth` says in how many encodings it lies.
pub(super) fn patches(
    rules: RuleSet,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Vec<Patch>,
) {
    if let Some(verdict) = names.and_then(Names::verdict)
        && rules.has(verdict.rule)
        && verdict.need.is_met(text)
    {
        let mut spans = Vec::new();
        scan::scan(rules, text, names, depth, &mut spans);
        let whole = |span: &Span| span.start == 0 && span.end == text.len();
        let rule = spans.first().filter(|span| whole(span)).map_or(verdict.rule, |span| span.rule);
        out.push(Patch::new(&Span { start: 0, end: text.len(), rule }));
        return;
    }
    if depth < NESTED_MAX && nested(rules, text, names, depth, out) {
        return;
    }
    inner(rules, text, names, depth, out);
}

/// The patches of a text that is read as it stands: by no name, and not as JSON.
pub(super) fn inner(
    rules: RuleSet,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Vec<Patch>,
) {
    let mut spans = Vec::new();
    match fold::fold(text) {
        None => scan::scan(rules, text, names, depth, &mut spans),
        Some(folded) => {
            scan::scan(rules, &folded.text, names, depth, &mut spans);
            for span in &mut spans {
                if let Some((start, end)) = folded.origin(span.start, span.end) {
                    (span.start, span.end) = (start, end);
                }
            }
            spans.retain(|span| span.end <= text.len() && span.start < span.end);
        }
    }
    let masked =
        |span: &Span| !values::is_blank(text.get(span.start..span.end).unwrap_or_default());
    out.extend(spans.iter().filter(|span| masked(span)).map(Patch::new));
}

/// JSON, or lines of JSON, in a text: whether it is that. Its tokens are patched where they stand,
/// so that white space, order and the spelling of numbers stay.
fn nested(
    rules: RuleSet,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Vec<Patch>,
) -> bool {
    let trimmed = text.trim_start();
    if !matches!(trimmed.as_bytes(), [b'{' | b'[', .., b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'])
    {
        return false;
    }
    let Ok(found) = find::nested(rules, text, names, depth + 1) else { return false };
    for edit in found.edits {
        let mut token = Vec::with_capacity(edit.text.len() + 2);
        json::escape(&edit.text, &mut token);
        let mut matched = edit.rules.into_iter();
        let (Ok(token), Some(rule)) = (String::from_utf8(token), matched.next()) else { continue };
        out.push(Patch {
            start: edit.start,
            end: edit.end,
            text: Cow::Owned(token),
            rule,
            more: matched.collect(),
        });
    }
    true
}

/// The rule of the first thing found in a text.
pub(super) fn first_rule(
    rules: RuleSet,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
) -> Option<Rule> {
    let mut found = Vec::new();
    if depth >= NESTED_MAX || !nested(rules, text, names, depth, &mut found) {
        inner(rules, text, names, depth, &mut found);
    }
    found.first().map(|patch| patch.rule)
}

/// The text with each patch in its place.
pub(super) fn apply(text: &str, patches: &[Patch]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut copied = 0;
    for patch in patches {
        masked.push_str(text.get(copied..patch.start).unwrap_or_default());
        masked.push_str(&patch.text);
        copied = patch.end;
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    masked
}

/// Merges the patches of a text with those found in its masked copy, all as ranges of the text.
/// One that reaches over a replacement takes its place.
pub(super) fn lift(patches: &[Patch], more: Vec<Patch>) -> Vec<Patch> {
    let mut merged: Vec<Patch> = more
        .into_iter()
        .map(|patch| Patch {
            start: unmasked(patches, patch.start, false),
            end: unmasked(patches, patch.end, true),
            ..patch
        })
        .collect();
    let n_new = merged.len();
    for patch in patches {
        let new = merged.get(..n_new).unwrap_or_default();
        if !new.iter().any(|new| new.start <= patch.start && patch.end <= new.end) {
            merged.push(patch.clone());
        }
    }
    merged.sort_by_key(|patch| patch.start);
    merged
}

/// The place in the text of a place in its masked copy. Inside a replacement that is the start or
/// the end of the patch.
fn unmasked(patches: &[Patch], at: usize, is_end: bool) -> usize {
    let (mut masked, mut original) = (0, 0);
    for patch in patches {
        let here = masked + (patch.start - original);
        if at <= here {
            break;
        }
        let behind = here + patch.text.len();
        if at < behind {
            return if is_end { patch.end } else { patch.start };
        }
        (masked, original) = (behind, patch.end);
    }
    original + (at - masked)
}
