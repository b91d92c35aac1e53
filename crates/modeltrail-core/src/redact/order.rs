//! What is searched at a place of a document, and what is done with what is found there.

use std::borrow::Cow;
use std::sync::Arc;

use super::policy::Counts;
use super::rule::{Rule, RuleSet};
use super::rules::{
    Action, Denied, OwnPattern, PseudonymKey, RedactionPolicy, Scope, Spot, default_label,
};
use crate::code::PartId;

/// Where a part of a record stands: what a policy asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartPlace<'a> {
    /// Which part.
    pub part: PartId,
    /// Name of the model that made the record; empty where it names none.
    pub model: &'a str,
}

impl PartPlace<'_> {
    /// The input of a model without a name.
    pub(super) const ANY: Self = PartPlace { part: PartId::Input, model: "" };
}

/// What matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum What {
    Rule(Rule),
    /// An own pattern of the policy, by its slot.
    Own(usize),
    /// A denied place of the policy, by the number of its rule.
    Denied(usize),
}

/// A stretch of a text in which something matched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: What,
}

/// What is done with a match.
pub(super) enum Done {
    /// It stands, by the action `keep`, and is counted.
    Kept,
    /// It stands as if it had not been found: an allowed value, or one that its action does not
    /// change any more.
    Stands,
    /// Another text takes its place.
    Becomes(Cow<'static, str>),
}

/// A policy with the key of its pseudonyms, as a redactor holds it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) policy: RedactionPolicy,
    pub(super) key: Option<PseudonymKey>,
}

/// A policy for one part of a record.
pub(super) struct Part<'p> {
    held: &'p Held,
    scope: Scope<'p>,
    /// What to look for besides the rules, with the slot of each.
    patterns: Vec<(usize, &'p OwnPattern)>,
}

impl<'p> Part<'p> {
    pub(super) fn new(held: &'p Arc<Held>, place: &PartPlace<'_>) -> Self {
        let scope = held.policy.scope(place.part, place.model);
        let patterns = scope.patterns().collect();
        Self { held, scope, patterns }
    }
}

/// What is searched at one place, and what is done there.
#[derive(Clone, Copy)]
pub(super) struct Order<'p> {
    pub(super) rules: RuleSet,
    policy: Option<&'p Part<'p>>,
    /// Where anything depends on the place.
    spot: Option<Spot<'p>>,
}

impl<'p> Order<'p> {
    /// These rules, everywhere, and each match replaced.
    pub(super) fn rules(rules: RuleSet) -> Self {
        Self { rules, policy: None, spot: None }
    }

    /// What a policy says of a part, at its root. `rules` are those that it has on.
    pub(super) fn policy(rules: RuleSet, part: &'p Part<'p>) -> Self {
        let spot = part.scope.has_places().then(|| part.scope.root());
        Self { rules, policy: Some(part), spot }
    }

    /// Whether nothing can be found or denied.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
            && self.spot.is_none()
            && self.policy.is_none_or(|part| part.patterns.is_empty())
    }

    /// The order for a member's value; `None` where it is the same.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        Some(Self { spot: Some(self.spot.as_ref()?.member(name)), ..*self })
    }

    /// The order for an element; `None` where it is the same.
    pub(super) fn element(&self, index: usize) -> Option<Self> {
        Some(Self { spot: Some(self.spot.as_ref()?.element(index)), ..*self })
    }

    /// Whether the policy has a rule off.
    pub(super) fn is_off(&self, rule: Rule) -> bool {
        self.policy.is_some() && !self.rules.has(rule)
    }

    /// Whether the value here is never stored, and what takes its place.
    pub(super) fn deny(&self) -> Option<Denied<'p>> {
        self.spot.as_ref()?.deny()
    }

    /// Whether the value here is not looked at.
    pub(super) fn is_allowed(&self) -> bool {
        self.spot.as_ref().is_some_and(Spot::is_allowed)
    }

    /// The policy's own patterns, with the slot of each.
    pub(super) fn patterns(&self) -> &'p [(usize, &'p OwnPattern)] {
        self.policy.map_or(&[], |part| part.patterns.as_slice())
    }

    /// The text that takes the place of a denied value: the content of a string, or the JSON of
    /// anything else.
    pub(super) fn denied(&self, denied: &Denied<'_>, value: &str) -> String {
        let key = self.policy.and_then(|part| part.held.key.as_ref());
        denied.replacement(value, key)
    }

    /// Adds a match to the counts, by the name of its type.
    pub(super) fn count(&self, what: What, counts: &mut Counts) {
        match what {
            What::Rule(rule) => counts.add(rule, 1),
            _ => counts.add_named(self.type_name(what), 1),
        }
    }

    /// The name of what matched.
    pub(super) fn type_name(&self, what: What) -> &'p str {
        let policy = self.policy.map(|part| &part.held.policy);
        let name = match what {
            What::Rule(rule) => Some(rule.name()),
            What::Own(slot) => policy.and_then(|policy| policy.type_name(slot)),
            What::Denied(rule) => policy.and_then(|policy| policy.denied_type(rule)),
        };
        name.unwrap_or_default()
    }

    /// What is done with matches of this kind here.
    pub(super) fn action(&self, what: What) -> Action {
        let slot = match what {
            What::Rule(rule) => rule.slot(),
            What::Own(slot) => slot,
            What::Denied(_) => return Action::Replace,
        };
        match (&self.spot, self.policy) {
            (Some(spot), _) => spot.action(slot),
            (None, Some(part)) => part.scope.action(slot),
            (None, None) => Action::Replace,
        }
    }

    /// What is done with a match. `value` is its text, in plain characters.
    pub(super) fn done(&self, what: What, value: &str) -> Done {
        let Some(part) = self.policy else {
            return match what {
                What::Rule(rule) => Done::Becomes(Cow::Borrowed(rule.replacement())),
                _ => Done::Stands,
            };
        };
        let policy = &part.held.policy;
        let slot = match what {
            What::Rule(rule) => rule.slot(),
            What::Own(slot) => slot,
            // Within an encoding, which goes as a whole.
            What::Denied(_) => {
                let label = default_label(self.type_name(what));
                return Done::Becomes(Cow::Owned(format!("[{label}]")));
            }
        };
        if policy.allows_value(value) {
            return Done::Stands;
        }
        let action = self.action(what);
        match (action, what) {
            (Action::Keep, _) => return Done::Kept,
            (Action::Replace, What::Rule(rule)) => {
                return Done::Becomes(Cow::Borrowed(rule.replacement()));
            }
            _ => {}
        }
        match policy.replacement(slot, action, value, part.held.key.as_ref()) {
            Some(text) if text != value => Done::Becomes(Cow::Owned(text)),
            _ => Done::Stands,
        }
    }
}
