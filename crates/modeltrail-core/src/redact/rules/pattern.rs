//! Patterns of a policy's own: linear time, bounded size.

use std::ops::Range;

use regex::Regex;
use regex_syntax::hir::HirKind;

use super::action::default_label;
use super::glob::Glob;
use crate::code::PartId;

/// Longest pattern in bytes.
const PATTERN_BYTES_MAX: usize = 4096;

/// Memory of a compiled pattern, and of the states that it makes while it runs, each.
const PROGRAM_BYTES_MAX: usize = 1 << 20;

/// Deepest nesting of groups.
const NEST_MAX: u32 = 32;

/// A pattern of a policy's own. It finds text as the rules of the registry do; what is done with
/// it is asked by its slot, [`super::RedactionPolicy::slot_of`].
#[derive(Clone, Debug)]
pub struct OwnPattern {
    pub(super) name: String,
    pub(super) regex: Regex,
    pub(super) words: Vec<String>,
    pub(super) models: Vec<Glob>,
    pub(super) parts: Vec<PartId>,
}

impl OwnPattern {
    /// Its name, in snake case: what counts and reports call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What stands between the brackets of its replacement.
    #[must_use]
    pub fn label(&self) -> String {
        default_label(&self.name)
    }

    /// Words of which one must stand beside a match, or be a word of a name on its path; none for
    /// a pattern that needs no context. In lower case, without spaces.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The matches in a text: byte ranges, ascending, apart from each other, none empty.
    pub fn find_iter<'t>(&self, text: &'t str) -> impl Iterator<Item = Range<usize>> + use<'_, 't> {
        self.regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty())
    }

    /// Whether it is looked for in this part of a record of this model.
    pub(super) fn reaches(&self, part: PartId, model: &str) -> bool {
        (self.parts.is_empty() || self.parts.contains(&part))
            && (self.models.is_empty() || self.models.iter().any(|glob| glob.matches(model)))
    }
}

/// Compiles a pattern, or says what is wrong with it and what to do. `labels` are the texts that
/// may take the place of a value.
pub(super) fn compile(
    pattern: &str,
    labels: impl Iterator<Item = String>,
) -> Result<Regex, (String, &'static str)> {
    if pattern.len() > PATTERN_BYTES_MAX {
        let what = format!("a pattern of more than {PATTERN_BYTES_MAX} bytes");
        return Err((what, "write several patterns"));
    }
    let mut parser = regex_syntax::ParserBuilder::new();
    let hir = parser.nest_limit(NEST_MAX).build().parse(pattern).map_err(|error| {
        let remedy = "write it in the syntax of the regex crate: no backreferences, no look-around";
        (format!("no pattern: {}", reason(&error)), remedy)
    })?;
    let properties = hir.properties();
    if properties.minimum_len().is_none_or(|len| len == 0) || matches!(hir.kind(), HirKind::Empty) {
        let what = "a pattern that matches the empty text, or nothing at all";
        return Err((what.to_owned(), "ask for at least one character: + instead of *"));
    }
    let mut builder = regex::RegexBuilder::new(pattern);
    builder.nest_limit(NEST_MAX).size_limit(PROGRAM_BYTES_MAX).dfa_size_limit(PROGRAM_BYTES_MAX);
    let regex = builder.build().map_err(|_| {
        let what = format!("a pattern that needs more than {PROGRAM_BYTES_MAX} bytes");
        (what, "repeat less often, or leave out Unicode classes: (?-u:\\w), [0-9] for \\d")
    })?;
    for label in labels {
        let replacement = format!("[{label}]");
        if regex.is_match(&replacement) {
            let what = format!("a pattern that finds the replacement {replacement} itself");
            return Err((what, "ask for a digit, or for what stands around the value"));
        }
    }
    Ok(regex)
}

/// The reason without the drawing of the pattern.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "it cannot be read".to_owned(),
    }
}
