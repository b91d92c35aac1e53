//! Recognisers of what has no shape: names of people and places in free text. None is built in;
//! whoever has a model plugs it in here, behind the rules.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::context::Names;
use super::edit;
use super::find::{Edit, Kind, New};
use super::json::{self, Cursor, RedactError};
use super::order::{Done, Order, What};
use super::policy::Counts;
use super::rule::Rule;
use super::rules::token_len;

/// A recogniser that is asked about the texts of a part once the rules have masked it: what they
/// found it never sees.
///
/// It runs in the capture path of whoever records, so mind three things. *Time*: a record waits for
/// it; with the stages `accepted` that is the capture thread, and a slow model fills the ring.
/// *Memory*: a part has up to 16 MiB of text. *Determinism*: the digest in each header names it by
/// name and version, so the same name and version should find the same. An error, a panic, and
/// spans that do not fit the texts make a part `[REDACTION_FAILED]` (`failed_detector`): nothing
/// goes on in the clear because a model did not answer.
///
/// What it finds is treated as a finding of the rule that it names: replaced, or what the policy
/// says for that type and place.
///
/// ```
/// use std::sync::Arc;
///
/// use modeltrail_core::redact::{
///     Detector, DetectorError, DetectorSpan, DetectorText, Redactor, Rule,
/// };
///
/// /// Given names from a list, with the capitalised words behind them.
/// struct GivenNames(&'static [&'static str]);
///
/// impl Detector for GivenNames {
///     fn name(&self) -> &str {
///         "given-names"
///     }
///
///     fn version(&self) -> &str {
///         "1"
///     }
///
///     fn find(&self, texts: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError> {
///         let mut spans = Vec::new();
///         for (n, DetectorText { text, .. }) in texts.iter().enumerate() {
///             let mut words = text.split_inclusive(' ').scan(0, |at, word| {
///                 *at += word.len();
///                 Some((*at - word.len(), word.trim_end_matches(|c: char| !c.is_alphabetic())))
///             }).peekable();
///             while let Some((start, word)) = words.next() {
///                 if !self.0.contains(&word) {
///                     continue;
///                 }
///                 let mut end = start + word.len();
///                 while let Some((at, next)) = words.next_if(|(_, w)| w.starts_with(char::is_uppercase)) {
///                     end = at + next.len();
///                 }
///                 spans.push(DetectorSpan { text: n, start, end, rule: Rule::PersonName });
///             }
///         }
///         Ok(spans)
///     }
/// }
///
/// # fn main() -> Result<(), modeltrail_core::redact::RedactError> {
/// let redactor = Redactor::default().with_detector(Arc::new(GivenNames(&["Ada", "Jo"])));
/// let (json, counts) = redactor.redact_json(br#"{"note":"Ada Lovelace (ada@example.com) called"}"#)?.unwrap();
/// assert_eq!(json, br#"{"note":"[PERSON_NAME] ([EMAIL]) called"}"#);
/// assert_eq!(counts.get(Rule::PersonName), 1);
/// # Ok(())
/// # }
/// ```
pub trait Detector: Send + Sync {
    /// What it is called in digests and texts of what was in force: printable ASCII without spaces.
    fn name(&self) -> &str;

    /// Its version, with that of its model: printable ASCII without spaces. It changes whenever
    /// something else would be found.
    fn version(&self) -> &str;

    /// Finds spans in the texts of one part, in any order.
    ///
    /// # Errors
    ///
    /// [`DetectorError`] where it cannot say; the part is not recorded then.
    fn find(&self, texts: &[DetectorText<'_>]) -> Result<Vec<DetectorSpan>, DetectorError>;
}

/// A text that a detector is asked about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DetectorText<'a> {
    /// The text, with what the rules have masked (`[EMAIL]`).
    pub text: &'a str,
    /// The name of the member that holds it, or the list that does; none for a part that is a text.
    pub name: Option<&'a str>,
}

/// What a detector found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DetectorSpan {
    /// In which of the texts, from 0.
    pub text: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is, for example [`Rule::PersonName`].
    pub rule: Rule,
}

/// A detector could not say. It holds nothing, so that nothing of a text gets into a log.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, thiserror::Error)]
#[error("the detector could not say")]
pub struct DetectorError;

impl fmt::Debug for dyn Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Detector({} {})", self.name(), self.version())
    }
}

/// The line of a detector in what is in force.
pub(super) fn line(detector: &dyn Detector) -> String {
    format!("detector {} {}\n", detector.name(), detector.version())
}

/// A text of a document with its place.
struct Leaf<'p> {
    order: Order<'p>,
    start: usize,
    end: usize,
    text: String,
    name: Option<String>,
}

/// Masks what a detector finds in a document that the rules have gone through.
pub(super) fn redact_json(
    detector: &dyn Detector,
    order: &Order<'_>,
    json: &[u8],
    counts: &mut Counts,
) -> Result<Option<Vec<u8>>, RedactError> {
    let mut leaves = Vec::new();
    let mut cursor = Cursor::new(json)?;
    collect(&mut cursor, order, None, &mut leaves)?;
    let mut edits = Vec::new();
    let texts: Vec<DetectorText<'_>> = leaves
        .iter()
        .map(|leaf| DetectorText { text: &leaf.text, name: leaf.name.as_deref() })
        .collect();
    let spans = ask(detector, &texts)?;
    for of_leaf in spans.chunk_by(|a, b| a.text == b.text) {
        let Some(leaf) = of_leaf.first().and_then(|span| leaves.get(span.text)) else { continue };
        if let Some(text) = masked(&leaf.order, &leaf.text, of_leaf, counts)? {
            let (start, end, new) = (leaf.start, leaf.end, New::Text(text));
            edits.push(Edit { start, end, new, kind: Kind::Token, whats: Vec::new() });
        }
    }
    if edits.is_empty() { Ok(None) } else { edit::apply(json, &edits).map(Some) }
}

/// Masks what a detector finds in a text that the rules have gone through.
pub(super) fn redact_text(
    detector: &dyn Detector,
    order: &Order<'_>,
    text: &str,
    counts: &mut Counts,
) -> Result<Option<String>, RedactError> {
    let texts = [text.to_owned()];
    Ok(redact_texts(detector, order, &texts, counts)?.pop().map(|(_, text)| text))
}

/// The same for all texts of a part that is no JSON: those that change, with their numbers.
pub(super) fn redact_texts(
    detector: &dyn Detector,
    order: &Order<'_>,
    texts: &[String],
    counts: &mut Counts,
) -> Result<Vec<(usize, String)>, RedactError> {
    if order.is_allowed() || order.deny().is_some() {
        return Ok(Vec::new());
    }
    let asked: Vec<_> = texts.iter().map(|text| DetectorText { text, name: None }).collect();
    let spans = ask(detector, &asked)?;
    let mut changed = Vec::new();
    for of_text in spans.chunk_by(|a, b| a.text == b.text) {
        let Some(n) = of_text.first().map(|span| span.text) else { continue };
        let text = texts.get(n).map_or("", String::as_str);
        if let Some(text) = masked(order, text, of_text, counts)? {
            changed.push((n, text));
        }
    }
    Ok(changed)
}

/// Its spans in the order of texts and places; those that fit none are an error.
fn ask(
    detector: &dyn Detector,
    texts: &[DetectorText<'_>],
) -> Result<Vec<DetectorSpan>, RedactError> {
    let answer = catch_unwind(AssertUnwindSafe(|| detector.find(texts)));
    let Ok(Ok(mut spans)) = answer else { return Err(RedactError::Detector) };
    let fits = |span: &DetectorSpan| {
        let text = texts.get(span.text).map(|text| text.text);
        span.start < span.end && text.and_then(|text| text.get(span.start..span.end)).is_some()
    };
    if !spans.iter().all(fits) {
        return Err(RedactError::Detector);
    }
    spans.sort_by_key(|span| (span.text, span.start, std::cmp::Reverse(span.end)));
    Ok(spans)
}

/// The text with what is done with some spans, ascending; none where all of it stands. What stands
/// for a value already is left out of them.
fn masked(
    order: &Order<'_>,
    text: &str,
    spans: &[DetectorSpan],
    counts: &mut Counts,
) -> Result<Option<String>, RedactError> {
    let mut out = String::with_capacity(text.len());
    let (mut copied, mut changed) = (0, false);
    for span in spans.iter().filter(|span| !order.is_off(span.rule)) {
        for (start, end) in between_tokens(text, span.start.max(copied), span.end) {
            let value = text.get(start..end).ok_or(RedactError::Detector)?;
            let what = What::Rule(span.rule);
            let done = order.done(what, value);
            if !matches!(done, Done::Stands) {
                order.count(what, counts);
            }
            if let Done::Becomes(new) = done {
                out.push_str(text.get(copied..start).unwrap_or_default());
                out.push_str(&new);
                (copied, changed) = (end, true);
            }
        }
    }
    out.push_str(text.get(copied..).unwrap_or_default());
    Ok(changed.then_some(out))
}

/// The stretches of a span that hold something besides what stands for values.
fn between_tokens(text: &str, start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut stretches = Vec::new();
    let mut from = start;
    let mut at = start;
    let mut push = |from: usize, to: usize| {
        let inside = text.get(from..to).unwrap_or_default();
        let trimmed = inside.trim_start();
        let from = to - trimmed.len();
        let to = from + trimmed.trim_end().len();
        if inside.contains(char::is_alphanumeric) {
            stretches.push((from, to));
        }
    };
    while at < end {
        match text.get(at..).and_then(token_len) {
            Some(len) => {
                push(from, at);
                at = (at + len).max(at + 1);
                from = at.min(end);
            }
            None => at += 1,
        }
    }
    push(from, end.max(from));
    stretches
}

/// The strings of a document that are looked at, in its order.
fn collect<'p>(
    cursor: &mut Cursor<'_>,
    order: &Order<'p>,
    names: Option<&Names<'_>>,
    leaves: &mut Vec<Leaf<'p>>,
) -> Result<(), RedactError> {
    match cursor.peek() {
        Some(b'"') => {
            let token = cursor.string()?;
            if order.is_allowed() || order.deny().is_some() {
                return Ok(());
            }
            let mut text = String::new();
            json::unescape(token.raw, token.start, &mut text)?;
            let name = names.map(|names| names.name().to_owned());
            leaves.push(Leaf { order: *order, start: token.start, end: token.end, text, name });
            Ok(())
        }
        Some(b'-' | b'0'..=b'9') => cursor.number().map(drop),
        Some(open @ (b'{' | b'[')) => {
            cursor.take(open);
            // In ASCII the closing bracket of either stands two behind the opening one.
            let close = open + 2;
            let mut n = 0;
            while !cursor.take(close) {
                if open == b'{' {
                    let token = cursor.string()?;
                    let mut name = String::new();
                    json::unescape(token.raw, token.start, &mut name)?;
                    cursor.take(b':');
                    let below = order.member(&name);
                    let names = Names::new(&name, names);
                    collect(cursor, below.as_ref().unwrap_or(order), Some(&names), leaves)?;
                } else {
                    let below = order.element(n);
                    collect(cursor, below.as_ref().unwrap_or(order), names, leaves)?;
                }
                n += 1;
                cursor.take(b',');
            }
            Ok(())
        }
        _ => cursor.literal(),
    }
}
