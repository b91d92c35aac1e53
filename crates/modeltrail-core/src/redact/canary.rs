//! The canary scan: a redactor is handed values that are nobody's, on the path that records take, and must let
//! none of them through.
//!
//! One value for each type that is on, as text, as JSON within a string, and as a bare integer where its type
//! has that form; and the places that a policy denies. What a policy lets stand by its words (`off`, `keep`, an allowed
//! place) is not asked for. A value that is let through by `values.allow` counts as found by nobody: these
//! values are made up, so nobody has a reason to allow them.

use super::canary_vectors::{VECTORS, Vector};
use super::rule::Rule;
use super::rules::{Action, RedactionPolicy};
use super::{PartPlace, RedactError, Redactor};
use crate::code::PartId;

/// The model that the values are recorded under. Rules of a policy for certain models do not hold here, unless
/// they hold for all.
const MODEL: &str = "modeltrail-canary";

/// The parts that are redacted.
const PARTS: [PartId; 5] =
    [PartId::Input, PartId::Output, PartId::Metadata, PartId::Pipeline, PartId::Error];

/// What stands at a denied place: a word that no rule finds.
const WORD: &str = "nobody-may-read-this";

/// What a failed place counts as: what it is called would be the policy's own text.
const DENIED: &str = "denied_place";

/// What a scan found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CanaryReport {
    /// How many documents were redacted.
    pub n_vectors: u32,
    /// In how many of them a value was left, or which were refused.
    pub n_failed: u32,
    /// Rules whose value was left, each once, in the order of the registry; `denied_place` for a place that
    /// the policy denies.
    pub failed: Vec<String>,
}

impl CanaryReport {
    /// Whether no value was left.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.n_failed == 0
    }

    /// Whether something was asked for, and nothing at all was masked: no mistake in one rule does that.
    #[must_use]
    pub const fn is_dead(&self) -> bool {
        self.n_vectors > 0 && self.n_failed == self.n_vectors
    }

    fn add(&mut self, what: &str, left: bool) {
        self.n_vectors += 1;
        if left {
            self.n_failed += 1;
            if self.failed.last().is_none_or(|last| last != what) {
                self.failed.push(what.to_owned());
            }
        }
    }
}

/// What a document becomes; `None` where it stands as it is.
type Masked = Result<Option<Vec<u8>>, RedactError>;

impl Redactor {
    /// Hands the built-in values to [`Redactor::redact_part`].
    #[must_use]
    pub fn canary(&self) -> CanaryReport {
        let is_on = |rule| self.rules.has(rule);
        scan(self.policy(), is_on, &|place, json| {
            Ok(self.redact_part(place, json)?.map(|(masked, _)| masked))
        })
    }
}

/// The scan of whatever masks.
fn scan(
    policy: Option<&RedactionPolicy>,
    is_on: impl Fn(Rule) -> bool,
    mask: &dyn Fn(&PartPlace<'_>, &[u8]) -> Masked,
) -> CanaryReport {
    let mut report = CanaryReport::default();
    let left = |part, json: &str, value: &str| match mask(
        &PartPlace { part, model: MODEL },
        json.as_bytes(),
    ) {
        Ok(Some(masked)) => String::from_utf8_lossy(&masked).contains(value),
        Ok(None) => true,
        // The part is replaced as a whole then, but an engine that cannot read these is out of order.
        Err(_) => true,
    };
    for vector in VECTORS.iter().filter(|vector| is_on(vector.rule)) {
        let value = escaped(&vector.value.concat());
        for (json, path) in documents(vector) {
            if !policy.is_some_and(|policy| lets_stand(policy, vector.rule, &path)) {
                report.add(vector.rule.name(), left(PartId::Input, &json, &value));
            }
        }
    }
    for (part, json) in policy.map(denied).unwrap_or_default() {
        report.add(DENIED, left(part, &json, WORD));
    }
    report
}

/// The canonical documents that hold a value, each with the names on the value's path.
fn documents(vector: &Vector) -> Vec<(String, Vec<&'static str>)> {
    let Vector { name, before, value, after, integer_under, .. } = vector;
    let text = format!("{before}{}{after}", value.concat());
    let text = object(name, &format!("\"{}\"", escaped(&text)));
    let within = object("arguments", &format!("\"{}\"", escaped(&text)));
    let mut all = vec![(text, vec![*name]), (within, vec!["arguments", *name])];
    if let Some(under) = integer_under {
        let digits = value.concat().trim_start_matches('+').to_owned();
        all.push((object(under, &digits), vec![*under]));
    }
    all
}

fn object(name: &str, value: &str) -> String {
    format!("{{\"{}\":{value}}}", escaped(name))
}

/// The content of a JSON string, in its shortest escapes.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned()
}

/// Whether a policy lets a finding of this rule stand at the end of this path.
fn lets_stand(policy: &RedactionPolicy, rule: Rule, path: &[&str]) -> bool {
    let Some(slot) = policy.slot_of(rule.name()) else { return true };
    let mut spot = policy.scope(PartId::Input, MODEL).root();
    for name in path {
        if spot.deny().is_some() {
            return false;
        }
        if spot.is_allowed() {
            return true;
        }
        spot = spot.member(name);
    }
    spot.deny().is_none() && (spot.is_allowed() || spot.action(slot) == Action::Keep)
}

/// Documents with [`WORD`] at each place that the policy denies by a key or a path of names, each in the first part
/// in which that holds.
fn denied(policy: &RedactionPolicy) -> Vec<(PartId, String)> {
    let holds = |part: &PartId, path: &[String]| {
        let mut spot = policy.scope(*part, MODEL).root();
        path.iter().any(|name| {
            spot = spot.member(name);
            spot.deny().is_some()
        })
    };
    let document = |path: Vec<String>| {
        let part = PARTS.into_iter().find(|part| holds(part, &path))?;
        let word = format!("\"{WORD}\"");
        Some((part, path.iter().rev().fold(word, |value, name| object(name, &value))))
    };
    policy.denied_names().into_iter().filter_map(document).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> RedactionPolicy {
        RedactionPolicy::parse(&format!("version = 1\nname = 'p'\n{text}"), &Rule::TYPES).unwrap()
    }

    #[test]
    fn every_rule_finds_its_own_value_alone_and_among_all() {
        assert!(Rule::ALL.iter().zip(&VECTORS).all(|(rule, vector)| vector.rule == *rule));
        for rule in Rule::ALL {
            let report = Redactor::with_rules([rule]).canary();
            assert!(report.is_clean() && report.n_vectors >= 2, "{report:?}");
        }
        let all = Redactor::default().canary();
        assert!(all.is_clean(), "{all:?}");
        let n_integers = VECTORS.iter().filter(|vector| vector.integer_under.is_some()).count();
        assert_eq!(usize::try_from(all.n_vectors).unwrap(), 2 * VECTORS.len() + n_integers);
        assert_eq!(Redactor::disabled().canary(), CanaryReport::default());
    }

    #[test]
    fn a_rule_that_no_longer_finds_is_named() {
        // As it would be after a change that lost the rule for cards.
        let broken = Redactor::with_rules([Rule::Iban]);
        let expected = |rule| matches!(rule, Rule::CreditCard | Rule::Iban);
        let report = scan(None, expected, &|place, json| {
            Ok(broken.redact_part(place, json)?.map(|(masked, _)| masked))
        });
        assert_eq!(report.failed, ["credit_card"]);
        assert_eq!((report.n_vectors, report.n_failed), (5, 3));
        assert!(!report.is_clean() && !report.is_dead());
        let dead = scan(None, |rule| rule == Rule::Iban, &|_, _| Ok(None));
        assert!(dead.is_dead());
        let refusing =
            scan(None, |rule| rule == Rule::Iban, &|_, _| Err(RedactError::TooDeep { offset: 0 }));
        assert_eq!(refusing.n_failed, 2);
    }

    #[test]
    fn what_a_policy_lets_stand_is_not_asked_for() {
        let left = |text: &str| Redactor::with_policy(policy(text), None).canary();
        let all = left("");
        assert!(all.is_clean(), "{all:?}");
        let off = left("[types]\ndefault = 'off'\nemail = 'replace'\n");
        assert_eq!((off.n_vectors, off.n_failed), (2, 0));
        let kept = left("[types]\nemail = 'keep'\n");
        assert_eq!((kept.n_vectors, kept.n_failed), (all.n_vectors - 2, 0));
        let allowed = left("[[allow]]\npaths = ['$.text']\n");
        assert!(allowed.is_clean() && allowed.n_vectors < all.n_vectors, "{allowed:?}");
    }

    #[test]
    fn a_value_that_is_allowed_and_a_denied_place_are_seen() {
        let allowed = policy("[values]\nallow = ['canary.k7q2@example.com']\n");
        let report = Redactor::with_policy(allowed, None).canary();
        assert_eq!(report.failed, ["email"]);
        let denied = policy(
            "[types]\ndefault = 'off'\n[[deny]]\nkeys = ['internal_note']\npaths = ['$.user.tale']\nparts = ['error']\n",
        );
        let report = Redactor::with_policy(denied.clone(), None).canary();
        assert_eq!((report.n_vectors, report.n_failed), (2, 0));
        let broken = scan(Some(&denied), |_| false, &|_, _| Ok(None));
        assert_eq!(broken.failed, ["denied_place"]);
    }
}
