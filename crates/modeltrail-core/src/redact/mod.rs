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
//! own      the patterns of a policy's own, behind the rules
//! order    what is searched at a place, and what is done with a match: by a policy (rules), or replaced
//! edit     writes the new document: replaced tokens, and members sorted again where a name changed
//! ```
//!
//! A new rule is a line in the registry (`rule`), a check, and a line in a table or in the dispatch
//! of `scan`. What is ambiguous by its shape alone (ten digits, nine digits) needs a word beside
//! it or a name on its path (`phrases`), and those are looked up only then, behind a filter that most
//! words do not pass (`vocabulary`). What names say is remembered by thread (`known`).
//!
//! Under a policy every value has an order of its own, made on the way down (`order`, `rules`);
//! without one, or without rules by place, there is one for the whole document.
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

mod about;
mod assign;
mod base64;
mod bytes;
mod canary;
mod canary_vectors;
mod card;
mod check;
mod context;
mod dates;
mod detector;
mod digits;
mod edit;
mod email;
mod explain;
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
mod order;
mod own;
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

pub use about::Beside;
pub use canary::CanaryReport;
pub use detector::{Detector, DetectorError, DetectorSpan, DetectorText};
pub use explain::{Finding, Why};
pub use json::RedactError;
pub use order::PartPlace;
pub use policy::{Counts, ENGINE_VERSION, RULE_PACK_VERSION, Span};
pub use rule::Rule;

use crate::hash::sha256;
use context::Names;
use find::Kind;
use leaf::{Leaf, Patch};
use order::{Held, Order, Part, What};
use rule::RuleSet;
use rules::{PseudonymKey, RedactionPolicy};

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
    held: Option<Arc<Held>>,
    detector: Option<Arc<dyn Detector>>,
}

/// What takes the place of a text that could not be redacted.
const FAILED: &str = "[REDACTION_FAILED]";

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
        Self { rules, digest: policy::digest(rules).into(), held: None, detector: None }
    }

    /// A redactor that masks nothing. Its digest says so.
    pub fn disabled() -> Self {
        Self::with_rules([])
    }

    /// A redactor that follows a policy which was parsed with [`Rule::TYPES`]. Without a key what
    /// should become a pseudonym is replaced.
    ///
    /// A policy asks where a text stands: see [`Redactor::redact_part`]. The other ways in take what
    /// they get for the input of a model without a name.
    pub fn with_policy(policy: RedactionPolicy, key: Option<PseudonymKey>) -> Self {
        let rules = Rule::ALL.into_iter().filter(|rule| policy.is_on(rule.slot())).collect();
        let digest = policy.header_digest(ENGINE_VERSION, RULE_PACK_VERSION).to_hex().into();
        Self { rules, digest, held: Some(Arc::new(Held { policy, key })), detector: None }
    }

    /// The same with this key for pseudonyms.
    #[must_use]
    pub fn with_key(self, key: PseudonymKey) -> Self {
        let held = self
            .held
            .as_ref()
            .map(|held| Arc::new(Held { policy: held.policy.clone(), key: Some(key) }));
        Self { held, ..self }
    }

    /// The same with a recogniser behind the rules. There is none by default.
    #[must_use]
    pub fn with_detector(self, detector: Arc<dyn Detector>) -> Self {
        let lines = match self.policy() {
            Some(policy) => {
                rules::policy_lines(ENGINE_VERSION, RULE_PACK_VERSION, &policy.digest())
            }
            None => policy::text(self.rules),
        };
        let lines = lines + &detector::line(&*detector);
        let digest = sha256(&[lines.as_bytes()]).to_hex().into();
        Self { digest, detector: Some(detector), ..self }
    }

    /// Name and version of its recogniser.
    pub fn detector(&self) -> Option<(&str, &str)> {
        self.detector.as_deref().map(|detector| (detector.name(), detector.version()))
    }

    /// The policy that it follows.
    pub fn policy(&self) -> Option<&RedactionPolicy> {
        self.held.as_ref().map(|held| &held.policy)
    }

    /// Whether its policy asks for pseudonyms and it has no key for them.
    pub fn wants_key(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.key.is_none() && held.policy.has_pseudonyms())
    }

    /// What is in force, as a text: the policy's canonical form, or without a policy the lines that
    /// [`Redactor::policy_digest`] is over.
    pub fn policy_text(&self) -> String {
        match self.policy() {
            Some(policy) => policy.canonical().to_owned(),
            None => policy::text(self.rules),
        }
    }

    /// What was in force, as 64 lower-case hexadecimal characters: SHA-256 over the lines
    /// `modeltrail/redaction`, `engine N`, `rule pack N` and one `rule NAME` for each rule that is
    /// on, in registry order, each ended by a line feed. Under a policy
    /// [`RedactionPolicy::header_digest`]. With a recogniser the line `detector NAME VERSION` follows
    /// the others.
    pub fn policy_digest(&self) -> &str {
        &self.digest
    }

    /// Does something under the order for a place.
    fn under<T>(&self, place: &PartPlace<'_>, then: impl FnOnce(&Order<'_>) -> T) -> T {
        match &self.held {
            None => then(&Order::rules(self.rules)),
            Some(held) => then(&Order::policy(self.rules, &Part::new(held, place))),
        }
    }

    /// Masks a part of a record that is JSON, as what holds for this part and model says.
    ///
    /// `canonical` is canonical JSON (RFC 8785: no white space, members sorted by UTF-16 code
    /// units, shortest escapes). `None` means that nothing was found and the caller's bytes stand.
    /// Otherwise the answer is canonical too: a masked integer has become a string, and where a
    /// member's name was masked its object is sorted again; names that became equal get `#2`,
    /// `#3`… in the order in which they stood. Every place of the document is still there, but for
    /// members and elements that a policy denies with the action `remove`; a whole document that
    /// it removes becomes `null`.
    ///
    /// The counts hold what was masked and what the action `keep` let stand.
    ///
    /// # Errors
    ///
    /// [`RedactError`] when the input is no JSON (or nested deeper than any record may be), or was
    /// made so that masking never ends. The error names a byte offset and never holds content.
    pub fn redact_part(
        &self,
        place: &PartPlace<'_>,
        canonical: &[u8],
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        self.under(place, |order| self.json(order, canonical, None))
    }

    fn json(
        &self,
        order: &Order<'_>,
        canonical: &[u8],
        names: Option<&Names<'_>>,
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        let masked = redact_json(order, canonical, names, true)?;
        let Some(detector) = &self.detector else { return Ok(masked) };
        let (masked, mut counts) = masked.unzip();
        let counts = counts.get_or_insert_default();
        let so_far = masked.as_deref().unwrap_or(canonical);
        let Some(more) = detector::redact_json(&**detector, order, so_far, counts)? else {
            let counts = std::mem::take(counts);
            let found = masked.is_some() || !counts.is_empty();
            return Ok(found.then(|| (masked.unwrap_or_else(|| canonical.to_vec()), counts)));
        };
        // What it took away may have stood between a word and a number.
        let last = redact_json(order, &more, names, false)?;
        Ok(Some(match last {
            Some((document, again)) => {
                counts.merge(&again);
                (document, std::mem::take(counts))
            }
            None => (more, std::mem::take(counts)),
        }))
    }

    /// Masks a part of a record that is text. `None` when nothing was found.
    ///
    /// # Errors
    ///
    /// [`RedactError::NotSettled`].
    pub fn redact_text_part(
        &self,
        place: &PartPlace<'_>,
        text: &str,
    ) -> Result<Option<(String, Counts)>, RedactError> {
        self.under(place, |order| {
            let (patches, kept) = settled(order, text, None)?;
            let mut counts = Counts::default();
            let whats = patches.iter().flat_map(Patch::whats);
            whats.chain(kept).for_each(|what| order.count(what, &mut counts));
            let mut masked = (!patches.is_empty()).then(|| leaf::apply(text, &patches));
            if let Some(detector) = &self.detector {
                let so_far = masked.as_deref().unwrap_or(text);
                let more = detector::redact_text(&**detector, order, so_far, &mut counts)?;
                if let Some(more) = more {
                    let (patches, _) = settled(order, &more, None)?;
                    let whats = patches.iter().flat_map(Patch::whats);
                    whats.for_each(|what| order.count(what, &mut counts));
                    masked = Some(leaf::apply(&more, &patches));
                }
            }
            let found = masked.is_some() || !counts.is_empty();
            Ok(found.then(|| (masked.unwrap_or_else(|| text.to_owned()), counts)))
        })
    }

    /// Masks a JSON document: [`Redactor::redact_part`] of an input.
    ///
    /// # Errors
    ///
    /// As [`Redactor::redact_part`].
    pub fn redact_json(&self, canonical: &[u8]) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        self.redact_part(&PartPlace::ANY, canonical)
    }

    /// [`Redactor::redact_json`], where `name` is the member name under which the document sits
    /// (`input`, `output`…): it counts as the outermost name on every path.
    ///
    /// # Errors
    ///
    /// As [`Redactor::redact_part`].
    pub fn redact_json_under(
        &self,
        name: &str,
        canonical: &[u8],
    ) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
        let names = Names::new(name, None);
        self.under(&PartPlace::ANY, |order| self.json(order, canonical, Some(&names)))
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
    /// found. A text that was made so that masking never ends goes as a whole, for
    /// `[REDACTION_FAILED]`.
    pub fn redact_text(&self, text: &str) -> Option<(String, Counts)> {
        let failed = |_| Some((FAILED.to_owned(), Counts::default()));
        self.redact_text_part(&PartPlace::ANY, text).unwrap_or_else(failed)
    }

    /// The spans that [`Redactor::redact_text`] would mask by rules of the registry, as byte ranges
    /// in `text`, ascending and apart from each other. `context` is the name of the member that
    /// holds the text. In a text that is JSON itself a span is a whole token.
    pub fn find(&self, text: &str, context: Option<&str>) -> Vec<Span> {
        let names = context.map(|name| Names::new(name, None));
        let span = |patch: &Patch| match patch.what {
            What::Rule(rule) => Some(Span { start: patch.start, end: patch.end, rule }),
            _ => None,
        };
        self.under(&PartPlace::ANY, |order| {
            let found = settled(order, text, names.as_ref());
            found.map(|(patches, _)| patches.iter().filter_map(span).collect()).unwrap_or_default()
        })
    }
}

/// Passes over a document until one finds nothing more. What stands by its action is counted if
/// `is_first`: it is found again by every pass.
fn redact_json(
    order: &Order<'_>,
    canonical: &[u8],
    names: Option<&Names<'_>>,
    is_first: bool,
) -> Result<Option<(Vec<u8>, Counts)>, RedactError> {
    let mut counts = Counts::default();
    let mut masked: Option<Vec<u8>> = None;
    for n in 0..PASSES_MAX {
        let (document, again) = pass(
            order,
            masked.as_deref().unwrap_or(canonical),
            names,
            is_first && n == 0,
            &mut counts,
        )?;
        let is_done = document.is_none() || !again;
        masked = document.or(masked);
        if is_done {
            let found = masked.is_some() || !counts.is_empty();
            return Ok(found.then(|| (masked.unwrap_or_else(|| canonical.to_vec()), counts)));
        }
    }
    Err(RedactError::NotSettled { offset: 0 })
}

/// One pass: the document anew, if something changed, and whether another pass could find more.
fn pass(
    order: &Order<'_>,
    json: &[u8],
    names: Option<&Names<'_>>,
    is_first: bool,
    counts: &mut Counts,
) -> Result<(Option<Vec<u8>>, bool), RedactError> {
    let mut found = find::find(order, json, names)?;
    // What stands is found again by each pass.
    if is_first {
        found.kept.iter().for_each(|what| order.count(*what, counts));
    }
    let edits = &mut found.edits;
    if edits.is_empty() {
        return Ok((None, false));
    }
    if edits.iter().any(|edit| edit.kind == Kind::Range) {
        // Names have their turn in the next pass: an object is put in order as a whole.
        edits.retain(|edit| edit.kind != Kind::Name);
    }
    for what in edits.iter().flat_map(|edit| &edit.whats) {
        order.count(*what, counts);
    }
    Ok((Some(edit::apply(json, edits)?), found.again))
}

/// Patches of `text` after which a further pass over the masked text finds nothing, and what
/// stands by its action.
fn settled(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
) -> Result<(Vec<Patch>, Vec<What>), RedactError> {
    if let Some(denied) = order.deny() {
        let becomes = order.denied(&denied, text);
        let what = What::Denied(denied.rule);
        let hit = order::Match { start: 0, end: text.len(), what };
        let patch = (becomes != text).then(|| Patch::new(&hit, becomes.into()));
        return Ok((patch.into_iter().collect(), Vec::new()));
    }
    if order.is_empty() || order.is_allowed() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut leaf = Leaf::default();
    leaf::look(order, text, names, 0, &mut leaf);
    let mut patches = std::mem::take(&mut leaf.patches);
    let kept: Vec<What> = leaf.kept.iter().map(|hit| hit.what).collect();
    for _ in 0..PASSES_MAX {
        if patches.is_empty() && !leaf.unsettled {
            return Ok((patches, kept));
        }
        leaf.clear();
        leaf::look(order, &leaf::apply(text, &patches), names, 0, &mut leaf);
        if leaf.unsettled {
            break;
        }
        if leaf.patches.is_empty() {
            return Ok((patches, kept));
        }
        patches = leaf::lift(&patches, std::mem::take(&mut leaf.patches));
    }
    Err(RedactError::NotSettled { offset: 0 })
}
