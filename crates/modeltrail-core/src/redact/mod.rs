//! The redactor: personal data leaves a record before its bytes leave memory.
//!
//! [`Redactor`] reads canonical JSON or plain text and answers with a masked copy, or with
//! nothing when there was nothing to mask, so that the caller keeps its own bytes. Strings at any
//! depth, member names and bare integers are read; decimals, literals and structure are not.
//!
//! The way of one value:
//!
//! ```text
//! find   walks the JSON once, token by token (json), and keeps the names on the path (context, lexicon)
//! scan   goes through one text and stops only at a digit, an '@' or a '%'
//! digits gathers the run of digit groups there; card, ssn and phone judge it, email judges an '@'
//! edit   writes the new document: replaced tokens, and members sorted again where a name changed
//! ```
//!
//! A new rule is a file of its own with a judge, a variant of [`Rule`] and a line in the dispatch
//! of `scan`. What is ambiguous by its shape alone (ten digits, nine digits) needs a word beside
//! it or a name on its path, and those are looked up only then.
//!
//! Masking can bring a word nearer to a number than it was. Every entry point therefore repeats
//! until a pass finds nothing, which makes redaction idempotent by construction. It ends: no
//! replacement holds a digit or an '@', so each pass leaves fewer of them. (The ordinals that
//! [`Redactor::redact_json`] appends to colliding names follow a '#', which no rule reads across.)
//!
//! Not done here: names of people, addresses and other things without a shape; text split over
//! several strings; base64 and other encodings; digits outside ASCII.

mod card;
#[cfg_attr(not(test), expect(dead_code, reason = "the scanner does not call every validator yet"))]
mod check;
mod context;
mod digits;
mod edit;
mod email;
mod find;
mod json;
mod lexicon;
mod phone;
mod policy;
pub mod rules;
mod scan;
mod ssn;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use json::RedactError;
pub use policy::{Counts, Rule, Span};

use context::Names;
use policy::RuleSet;

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
        Self { rules, digest: rules.digest().into() }
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
        let Some((mut masked, mut counts)) = self.pass(canonical, names)? else { return Ok(None) };
        while let Some((again, more)) = self.pass(&masked, names)? {
            masked = again;
            counts.merge(&more);
        }
        Ok(Some((masked, counts)))
    }

    fn pass(
        &self,
        json: &[u8],
        names: Option<&Names<'_>>,
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        let found = find::find(self.rules, json, names)?;
        if found.edits.is_empty() {
            return Ok(None);
        }
        Ok(Some((edit::apply(json, &found.edits)?, found.counts)))
    }

    /// Masks plain text: a part that is no JSON, the message of an error. `None` when nothing was
    /// found.
    pub fn redact_text(&self, text: &str) -> Option<(String, Counts)> {
        let spans = self.settled(text, None);
        if spans.is_empty() {
            return None;
        }
        let mut counts = Counts::default();
        for span in &spans {
            counts.add(span.rule, 1);
        }
        Some((scan::mask(text, &spans), counts))
    }

    /// The spans that [`Redactor::redact_text`] would mask, as byte ranges in `text`, ascending
    /// and apart from each other. `context` is the name of the member that holds the text.
    pub fn find(&self, text: &str, context: Option<&str>) -> Vec<Span> {
        let names = context.map(|name| Names::new(name, None));
        self.settled(text, names.as_ref())
    }

    /// Spans in `text` after which a further pass over the masked text finds nothing.
    fn settled(&self, text: &str, names: Option<&Names<'_>>) -> Vec<Span> {
        let mut spans = Vec::new();
        scan::scan(self.rules, text, names, &mut spans);
        let mut more = Vec::new();
        while !spans.is_empty() {
            more.clear();
            scan::scan(self.rules, &scan::mask(text, &spans), names, &mut more);
            if more.is_empty() {
                break;
            }
            spans = scan::lift(&spans, &more);
        }
        spans
    }
}
