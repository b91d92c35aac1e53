//! The redactor: personal data leaves a record before its bytes leave memory.
//!
//! [`Redactor`] reads canonical JSON or plain text and answers with a masked copy, or with
//! nothing when there was nothing to mask, so that the caller keeps its own bytes. Strings at any
//! depth, member names and bare integers are read; decimals, literals and structure are not.
//!
//! The way of one value:
//!
//! ```text
//! find     walks the JSON once, token by token (json), and keeps the names on the path (said, names)
//! leaf     takes one text: whole, if its name condemns it; as JSON in a string (find again); or as it stands
//! fold     makes a plain copy where digits or marks are written in other characters
//! scan     goes through the text and stops only at bytes that a candidate can be told by
//!          digits     gathers digit groups; card, ssn, ids and phone judge them
//!          ids        words of letters and digits, dates, codes beside words (id_tables, check)
//!          network    addresses and URLs by their colons and dots
//!          secret     tokens of services (services), JSON web tokens, private keys, base64
//!          assign     what is assigned to a name of a secret (names, values)
//!          email      an '@'
//! stream   puts pieces of streamed text together and cuts what lies across them
//! edit     writes the new document: replaced tokens, and members sorted again where a name changed
//! ```
//!
//! A new rule is a line in the registry (`rule`), a check, and a line in a table or in the dispatch
//! of `scan`. What is ambiguous by its shape alone (ten digits, nine digits) needs a word beside
//! it or a name on its path (`phrases`), and those are looked up only then, behind a filter that most
//! words do not pass (`vocabulary`). What names say is remembered by thread (`known`).
//!
//! Masking can bring a word nearer to a number than it was. Every entry point therefore repeats
//! until a pass finds nothing, which makes redaction idempotent by construction. It ends: a match
//! holds something that no replacement is made of, so each pass leaves less. (The ordinals that
//! [`Redactor::redact_json`] appends to colliding names follow a '#', which no rule reads across.)
//!
//! Each byte is gathered once: what was judged is remembered by its end, and look-ahead and
//! look-back are bounded. `tests/properties` holds the counted steps against the length.
//!
//! Not done here: names of people and addresses in free text, which have no shape.

mod assign;
mod base64;
mod card;
mod check;
mod context;
mod dates;
mod digits;
mod edit;
mod email;
mod find;
mod fold;
mod id_tables;
mod ids;
mod json;
mod known;
mod leaf;
mod lexicon;
mod name_words;
mod names;
mod network;
mod phone;
mod phrases;
mod policy;
mod rule;
pub mod rules;
mod said;
mod scan;
mod secret;
mod services;
mod ssn;
mod steps;
mod stream;
mod topics;
mod values;
mod vocabulary;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use json::RedactError;
pub use policy::{Counts, Span};
pub use rule::Rule;

use context::Names;
use leaf::Patch;
use rule::RuleSet;

/// A pass takes more away, so that their number is bounded by the text; this bounds the time. Texts
/// that need more than three have been made for it.
const PASSES_MAX: usize = 24;

/// Masks personal data in JSON and in text. Cheap to clone, `Send + Sync`, without state of its
/// own: the same input gives the same output.
///
/// ```
/// # fn main() -> Result<(), modeltrail_core::redact::RedactError> {
/// use modeltrail_core::redact::{Redactor, Rule};
///
/// let redactor = Redactor::default();
/// let Some((json, counts)) = redactor.redact_json(br#"{"user_ssn":"123-45-6789"}"#)? else {
///     unreachable!("there is a number in it");
/// };
/// assert_eq!(json, br#"{"user_ssn":"[SSN]"}"#);
/// assert_eq!(counts.get(Rule::Ssn), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Redactor {
    rules: RuleSet,
    digest: Arc<str>,
}

impl Default for Redactor {
    /// Every rule on.
    fn default() -> Self {
        Self::with_rules(Rule::ALL)
    }
}

impl Redactor {
    /// A redactor that applies only these rules.
    pub fn with_rules(rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules.into_iter().collect::<RuleSet>();
        Self { rules, digest: policy::digest(rules).into() }
    }

    /// A redactor that masks nothing. Its digest says so.
    pub fn disabled() -> Self {
        Self::with_rules([])
    }

    /// What was in force, as 64 lower-case hexadecimal characters: SHA-256 over the lines
    /// `modeltrail/redaction`, `engine N`, `rule pack N` and one `rule NAME` for each rule that is
    /// on, in registry order, each ended by a line feed.
    pub fn policy_digest(&self) -> &str {
        &self.digest
    }

    /// Masks a JSON document.
    ///
    /// `canonical` is canonical JSON (RFC 8785: no white space, members sorted by UTF-16 code
    /// units, shortest escapes). `None` means that nothing was found and the caller's bytes stand.
    /// Otherwise the answer is canonical too: a masked integer has become a string, and where a
    /// member's name was masked its object is sorted again; names that became equal get `#2`,
    /// `#3`… in the order in which they stood.
    ///
    /// # Errors
    ///
    /// [`RedactError`] when the input is no JSON (or nested deeper than any record may be). The
    /// error names a byte offset and never holds content.
    pub fn redact_json(&self, canonical: &[u8]) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        self.redact_json_in(canonical, None)
    }

    /// [`Redactor::redact_json`], where `name` is the member name under which the document sits
    /// (`input`, `output`…): it counts as the outermost name on every path.
    ///
    /// # Errors
    ///
    /// As [`Redactor::redact_json`].
    pub fn redact_json_under(
        &self,
        name: &str,
        canonical: &[u8],
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        self.redact_json_in(canonical, Some(&Names::new(name, None)))
    }

    fn redact_json_in(
        &self,
        canonical: &[u8],
        names: Option<&Names<'_>>,
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        let Some((mut masked, mut counts, mut again)) = self.pass(canonical, names)? else {
            return Ok(None);
        };
        for _ in 1..PASSES_MAX {
            let next = if again { self.pass(&masked, names)? } else { None };
            let Some((document, more, further)) = next else { break };
            (masked, again) = (document, further);
            counts.merge(&more);
        }
        Ok(Some((masked, counts)))
    }

    fn pass(
        &self,
        json: &[u8],
        names: Option<&Names<'_>>,
    ) -> Result<Option<(Vec<u8>, Counts, bool)>, RedactError> {
        let found = find::find(self.rules, json, names)?;
        if found.edits.is_empty() {
            return Ok(None);
        }
        let mut counts = Counts::default();
        for rule in found.edits.iter().flat_map(|edit| &edit.rules) {
            counts.add(*rule, 1);
        }
        Ok(Some((edit::apply(json, &found.edits)?, counts, found.again)))
    }

    /// Masks a JSON object and answers with the whole of it, changed or not: what the seed
    /// document's `redact_pii(data)` does, with every rule that is on, and in lists, names of
    /// members and integers too. White space and the order of members stay, but where a name was
    /// masked its object is written anew as [`Redactor::redact_json`] does.
    ///
    /// # Errors
    ///
    /// As [`Redactor::redact_json`], and [`RedactError::Syntax`] at the first byte when the document
    /// is no object.
    pub fn redact_pii(&self, object: &[u8]) -> Result<Vec<u8>, RedactError> {
        let start = object.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
        if object.get(start) != Some(&b'{') {
            return Err(RedactError::Syntax { offset: start, expected: "an object" });
        }
        Ok(self.redact_json(object)?.map_or_else(|| object.to_vec(), |(masked, _)| masked))
    }

    /// Masks plain text: a part that is no JSON, the message of an error. `None` when nothing was
    /// found.
    pub fn redact_text(&self, text: &str) -> Option<(String, Counts)> {
        let patches = self.settled(text, None);
        if patches.is_empty() {
            return None;
        }
        let mut counts = Counts::default();
        for rule in patches.iter().flat_map(Patch::rules) {
            counts.add(rule, 1);
        }
        Some((leaf::apply(text, &patches), counts))
    }

    /// The spans that [`Redactor::redact_text`] would mask, as byte ranges in `text`, ascending
    /// and apart from each other. `context` is the name of the member that holds the text. In a
    /// text that is JSON itself a span is a whole token.
    pub fn find(&self, text: &str, context: Option<&str>) -> Vec<Span> {
        let names = context.map(|name| Names::new(name, None));
        let patches = self.settled(text, names.as_ref());
        let span = |patch: &Patch| Span { start: patch.start, end: patch.end, rule: patch.rule };
        patches.iter().map(span).collect()
    }

    /// Patches of `text` after which a further pass over the masked text finds nothing.
    fn settled(&self, text: &str, names: Option<&Names<'_>>) -> Vec<Patch> {
        let mut patches = Vec::new();
        if self.rules.is_empty() {
            return patches;
        }
        leaf::patches(self.rules, text, names, 0, &mut patches);
        for _ in 1..PASSES_MAX {
            let mut more = Vec::new();
            leaf::patches(self.rules, &leaf::apply(text, &patches), names, 0, &mut more);
            if patches.is_empty() || more.is_empty() {
                break;
            }
            patches = leaf::lift(&patches, more);
        }
        patches
    }
}
