//! What has to change in one text, be it the value of a member, its name, or a plain text.

use std::borrow::Cow;

use super::context::Names;
use super::json::RedactError;
use super::order::{Done, Match, Order, What};
use super::{find, fold, own, scan, values};

/// JSON in a string in JSON, and so on: how deep it is followed.
pub(super) const NESTED_MAX: usize = 4;

/// A stretch of a text and what takes its place.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: Cow<'static, str>,
    pub(super) what: What,
    /// What else matched inside, where the stretch is a whole token of nested JSON.
    pub(super) more: Vec<What>,
}

impl Patch {
    pub(super) fn new(hit: &Match, text: Cow<'static, str>) -> Self {
        Self { start: hit.start, end: hit.end, text, what: hit.what, more: Vec::new() }
    }

    /// Everything that matched.
    pub(super) fn whats(&self) -> impl Iterator<Item = What> + '_ {
        std::iter::once(self.what).chain(self.more.iter().copied())
    }
}

/// What one look at a text came to.
#[derive(Default, Debug)]
pub(super) struct Leaf {
    /// Ascending and apart from each other.
    pub(super) patches: Vec<Patch>,
    /// What matched and stands by its action.
    pub(super) kept: Vec<Match>,
    /// Whether JSON within the text took more passes than there may be.
    pub(super) unsettled: bool,
}

impl Leaf {
    /// Ready for another text.
    pub(super) fn clear(&mut self) {
        self.patches.clear();
        self.kept.clear();
    }

    /// Does what is to be done with a match; `value` is its text in plain characters.
    fn add(&mut self, order: &Order<'_>, hit: &Match, value: &str) {
        match order.done(hit.what, value) {
            Done::Becomes(text) => self.patches.push(Patch::new(hit, text)),
            Done::Kept => self.kept.push(*hit),
            Done::Stands => {}
        }
    }
}

/// Looks at a text that stands under `names`. `depth` says in how many encodings it lies.
pub(super) fn look(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Leaf,
) {
    if let Some(verdict) = names.and_then(Names::verdict)
        && order.rules.has(verdict.rule)
        && verdict.need.is_met(text)
    {
        let mut found = Vec::new();
        scan::scan(order, text, names, depth, &mut found);
        let whole = |hit: &Match| hit.start == 0 && hit.end == text.len();
        let named = What::Rule(verdict.rule);
        let what = found.first().filter(|hit| whole(hit)).map_or(named, |hit| hit.what);
        out.add(order, &Match { start: 0, end: text.len(), what }, text);
        return;
    }
    if depth < NESTED_MAX && nested(order, text, names, depth, out) {
        return;
    }
    look_plain(order, text, names, depth, out);
}

/// Looks at a text as it stands: by no name, and not as JSON.
pub(super) fn look_plain(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Leaf,
) {
    let mut found = Vec::new();
    let folded = fold::fold(text);
    let read = folded.as_ref().map_or(text, |folded| folded.text.as_str());
    scan::scan(order, read, names, depth, &mut found);
    own::find(order, read, names, depth, &mut found);
    for hit in found {
        let value = read.get(hit.start..hit.end).unwrap_or_default();
        let origin = folded.as_ref().and_then(|folded| folded.origin(hit.start, hit.end));
        let (start, end) = origin.unwrap_or((hit.start, hit.end));
        let sound = end <= text.len() && start < end;
        if sound && !values::is_blank(text.get(start..end).unwrap_or_default()) {
            out.add(order, &Match { start, end, ..hit }, value);
        }
    }
}

/// JSON, or lines of JSON, in a text: whether it is that. Its tokens are patched where they stand,
/// so that white space, order and the spelling of numbers stay.
fn nested(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
    out: &mut Leaf,
) -> bool {
    let trimmed = text.trim_start();
    if !matches!(trimmed.as_bytes(), [b'{' | b'[', .., b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'])
    {
        return false;
    }
    let found = match find::nested(order, text, names, depth + 1) {
        Ok(found) => found,
        Err(RedactError::NotSettled { .. }) => {
            out.unsettled = true;
            return true;
        }
        Err(_) => return false,
    };
    let whole = |what| Match { start: 0, end: text.len(), what };
    out.kept.extend(found.kept.into_iter().map(whole));
    for edit in found.edits {
        let mut token = Vec::with_capacity(edit.new.len() + 2);
        edit.new.write(&mut token);
        let mut whats = edit.whats.into_iter();
        let (Ok(token), Some(what)) = (String::from_utf8(token), whats.next()) else { continue };
        out.patches.push(Patch {
            start: edit.start,
            end: edit.end,
            text: Cow::Owned(token),
            what,
            more: whats.collect(),
        });
    }
    true
}

/// The first thing that something is done with in a text.
pub(super) fn first_match(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
) -> Option<What> {
    let mut out = Leaf::default();
    if depth >= NESTED_MAX || !nested(order, text, names, depth, &mut out) {
        look_plain(order, text, names, depth, &mut out);
    }
    out.patches.first().map(|patch| patch.what)
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
