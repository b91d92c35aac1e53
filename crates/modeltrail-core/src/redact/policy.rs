//! What a scan gives, what is counted, and the digest that names a policy.

use super::rule::{Rule, RuleSet};
use crate::hash::sha256;

/// Changes when the same rules would mask other bytes because the engine reads differently.
const ENGINE_VERSION: u32 = 2;

/// Changes when a rule, a word list or a table of a rule changes.
const RULE_PACK_VERSION: u32 = 2;

/// A masked stretch of a text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// The rule that matched.
    pub rule: Rule,
}

/// How many spans each rule masked. Counts saturate.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    slots: [u32; Rule::ALL.len()],
}

impl Default for Counts {
    fn default() -> Self {
        Self { slots: [0; Rule::ALL.len()] }
    }
}

impl Counts {
    /// Adds `n` spans of a rule.
    pub fn add(&mut self, rule: Rule, n: u32) {
        if let Some(slot) = self.slots.get_mut(rule.slot()) {
            *slot = slot.saturating_add(n);
        }
    }

    /// The number of spans of a rule.
    pub fn get(&self, rule: Rule) -> u32 {
        self.slots.get(rule.slot()).copied().unwrap_or(0)
    }

    /// The rules that masked something, in registry order, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u32)> + '_ {
        Rule::ALL.into_iter().map(|rule| (rule, self.get(rule))).filter(|&(_, n)| n > 0)
    }

    /// Whether nothing was masked.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(|&n| n == 0)
    }

    /// Adds what another count holds.
    pub fn merge(&mut self, other: &Self) {
        for (rule, n) in other.iter() {
            self.add(rule, n);
        }
    }
}

/// See [`super::Redactor::policy_digest`] for the text that is hashed.
pub(super) fn digest(rules: RuleSet) -> String {
    let mut text =
        format!("modeltrail/redaction\nengine {ENGINE_VERSION}\nrule pack {RULE_PACK_VERSION}\n");
    for rule in Rule::ALL.into_iter().filter(|&rule| rules.has(rule)) {
        text.push_str("rule ");
        text.push_str(rule.name());
        text.push('\n');
    }
    sha256(&[text.as_bytes()]).to_hex()
}
