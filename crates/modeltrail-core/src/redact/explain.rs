//! What would be done with a document and why: for previews. It names places, so nothing of it
//! belongs into a ledger.

use serde_json::Value;

use super::context::Names;
use super::leaf::{self, Leaf};
use super::order::{Match, Order, What};
use super::rule::Rule;
use super::rules::Action;
use super::{PartPlace, RedactError, Redactor};

/// Something that is found, or denied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// The token's place in the document that was given, as a JSON pointer (RFC 6901); empty for
    /// the whole.
    pub pointer: String,
    /// Whether it stands in the name of that member, not in its value.
    pub is_name: bool,
    /// Its type, as it is counted: `email`, the name of an own pattern, a denied type.
    pub type_name: String,
    /// The rule of the registry that matched; none for own patterns and denied places.
    pub rule: Option<Rule>,
    /// What is done with it.
    pub action: Action,
    /// First byte and one past the last in the token's text, unescaped; none where the value goes
    /// whatever it is. Of JSON in a text it is a whole token of that.
    pub span: Option<(usize, usize)>,
    /// Why it is found.
    pub why: Why,
}

/// Why something is found.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Why {
    /// By its shape and check digits: it is found wherever it stands.
    Shape,
    /// With the words beside it.
    WordNear,
    /// With this name of a member on its path.
    Name(String),
    /// A `[[deny]]` of the policy names its place.
    Denied,
    /// A pattern of the policy's own.
    Pattern,
}

impl Redactor {
    /// What [`Redactor::redact_part`] does with a JSON document, match by match in the order of the
    /// document. What lies across pieces of streamed text is not among them.
    ///
    /// # Errors
    ///
    /// [`RedactError::Syntax`] when the document is no JSON.
    pub fn explain(
        &self,
        place: Option<&PartPlace<'_>>,
        json: &[u8],
    ) -> Result<Vec<Finding>, RedactError> {
        let value: Value = serde_json::from_slice(json).map_err(|error| RedactError::Syntax {
            offset: error.column().saturating_sub(1),
            expected: "JSON",
        })?;
        let mut explainer = Explainer { findings: Vec::new() };
        let place = place.unwrap_or(&PartPlace::ANY);
        self.under(place, |order| explainer.value(order, String::new(), None, &value));
        Ok(explainer.findings)
    }

    /// What [`Redactor::redact_text_part`] does with a text.
    pub fn explain_text(&self, place: Option<&PartPlace<'_>>, text: &str) -> Vec<Finding> {
        let mut explainer = Explainer { findings: Vec::new() };
        let value = Value::from(text);
        let place = place.unwrap_or(&PartPlace::ANY);
        self.under(place, |order| explainer.value(order, String::new(), None, &value));
        explainer.findings
    }
}

struct Explainer {
    findings: Vec<Finding>,
}

impl Explainer {
    fn value(
        &mut self,
        order: &Order<'_>,
        pointer: String,
        names: Option<&Names<'_>>,
        value: &Value,
    ) {
        if let Some(denied) = order.deny() {
            self.findings.push(Finding {
                pointer,
                is_name: false,
                type_name: denied.type_name.to_owned(),
                rule: None,
                action: denied.action,
                span: None,
                why: Why::Denied,
            });
            return;
        }
        match value {
            Value::String(text) => self.text(order, &pointer, names, text, false),
            Value::Number(number) => self.text(order, &pointer, names, &number.to_string(), false),
            Value::Array(items) => {
                for (n, item) in items.iter().enumerate() {
                    let below = order.element(n);
                    let order = below.as_ref().unwrap_or(order);
                    self.value(order, format!("{pointer}/{n}"), names, item);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    let escaped = name.replace('~', "~0").replace('/', "~1");
                    let pointer = format!("{pointer}/{escaped}");
                    self.text(order, &pointer, names, name, true);
                    let below = order.member(name);
                    let order = below.as_ref().unwrap_or(order);
                    self.value(order, pointer, Some(&Names::new(name, names)), member);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn text(
        &mut self,
        order: &Order<'_>,
        pointer: &str,
        names: Option<&Names<'_>>,
        text: &str,
        is_name: bool,
    ) {
        if order.is_empty() || order.is_allowed() {
            return;
        }
        let look = if is_name { leaf::look_plain } else { leaf::look };
        let mut leaf = Leaf::default();
        look(order, text, names, 0, &mut leaf);
        let patched = leaf.patches.iter().flat_map(|patch| {
            patch.whats().map(|what| Match { start: patch.start, end: patch.end, what })
        });
        let mut hits: Vec<Match> = patched.chain(leaf.kept.iter().copied()).collect();
        hits.sort_by_key(|hit| hit.start);
        for hit in hits {
            let rule = match hit.what {
                What::Rule(rule) => Some(rule),
                _ => None,
            };
            self.findings.push(Finding {
                pointer: pointer.to_owned(),
                is_name,
                type_name: order.type_name(hit.what).to_owned(),
                rule,
                action: order.action(hit.what),
                span: Some((hit.start, hit.end)),
                why: match hit.what {
                    What::Rule(_) => why(order, names, text, &hit),
                    What::Own(_) => Why::Pattern,
                    What::Denied(_) => Why::Denied,
                },
            });
        }
    }
}

/// Why a rule matched: what has to be taken from around the value until it does not any more.
fn why(order: &Order<'_>, names: Option<&Names<'_>>, text: &str, hit: &Match) -> Why {
    let plain = Order::rules(order.rules);
    let is_found = |text: &str, names: Option<&Names<'_>>, start: usize, end: usize| {
        let mut leaf = Leaf::default();
        leaf::look(&plain, text, names, 0, &mut leaf);
        leaf.patches.iter().any(|patch| patch.start < end && start < patch.end)
    };
    let value = text.get(hit.start..hit.end).unwrap_or_default();
    if is_found(value, None, 0, value.len()) {
        return Why::Shape;
    }
    if is_found(text, None, hit.start, hit.end) {
        return Why::WordNear;
    }
    let path: Vec<&str> =
        std::iter::successors(names, |names| names.outer()).map(Names::name).collect();
    for n in 1..=path.len() {
        // The innermost names, from the outer one of them inwards.
        let some = path.get(..n).unwrap_or_default();
        if under(some, None, &mut |names| is_found(text, names, hit.start, hit.end)) {
            return Why::Name(some.last().copied().unwrap_or_default().to_owned());
        }
    }
    Why::WordNear
}

/// Asks under a path of names, of which the last is the outermost.
fn under(
    path: &[&str],
    outer: Option<&Names<'_>>,
    ask: &mut dyn FnMut(Option<&Names<'_>>) -> bool,
) -> bool {
    match path.split_last() {
        Some((name, inner)) => under(inner, Some(&Names::new(name, outer)), ask),
        None => ask(outer),
    }
}
