//! What a scan gives, what is counted, and the digest that names a policy.

use std::collections::BTreeMap;

use super::rule::{Rule, RuleSet};
use crate::hash::sha256;

/// Changes when the same rules would mask other bytes because the engine reads differently.
pub const ENGINE_VERSION: u32 = 3;

/// Changes when a rule, a word list or a table of a rule changes.
pub const RULE_PACK_VERSION: u32 = 3;

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
    /// Types that only a policy knows: its own patterns, and what it denies.
    named: BTreeMap<String, u32>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { slots: [0; Rule::ALL.len()], named: BTreeMap::new() }
    }
}

impl Counts {
    /// Adds `n` spans of a rule.
    pub fn add(&mut self, rule: Rule, n: u32) {
        if let Some(slot) = self.slots.get_mut(rule.slot()) {
            *slot = slot.saturating_add(n);
        }
    }

    /// Adds `n` spans of a type by its name, be it that of a rule or one that only a policy knows.
    pub fn add_named(&mut self, type_name: &str, n: u32) {
        if let Some(rule) = Rule::named(type_name) {
            return self.add(rule, n);
        }
        let named = self.named.entry(type_name.to_owned()).or_default();
        *named = named.saturating_add(n);
    }

    /// The number of spans of a rule.
    pub fn get(&self, rule: Rule) -> u32 {
        self.slots.get(rule.slot()).copied().unwrap_or(0)
    }

    /// The rules that masked something, in registry order, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u32)> + '_ {
        Rule::ALL.into_iter().map(|rule| (rule, self.get(rule))).filter(|&(_, n)| n > 0)
    }

    /// Every type of which something was masked, by its name, with the number: the rules in
    /// registry order, then what only a policy knows.
    pub fn by_type(&self) -> impl Iterator<Item = (&str, u32)> + '_ {
        let named = self.named.iter().map(|(name, n)| (name.as_str(), *n));
        self.iter().map(|(rule, n)| (rule.name(), n)).chain(named)
    }

    /// Whether nothing was masked.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.slots.iter().all(|&n| n == 0)
    }

    /// Adds what another count holds.
    pub fn merge(&mut self, other: &Self) {
        for (rule, n) in other.iter() {
            self.add(rule, n);
        }
        for (name, n) in &other.named {
            self.add_named(name, *n);
        }
    }
}

/// The text whose SHA-256 is [`super::Redactor::policy_digest`].
pub(super) fn text(rules: RuleSet) -> String {
    let mut text =
        format!("modeltrail/redaction\nengine {ENGINE_VERSION}\nrule pack {RULE_PACK_VERSION}\n");
    for rule in Rule::ALL.into_iter().filter(|&rule| rules.has(rule)) {
        text.push_str("rule ");
        text.push_str(rule.name());
        text.push('\n');
    }
    text
}

/// See [`super::Redactor::policy_digest`].
pub(super) fn digest(rules: RuleSet) -> String {
    sha256(&[text(rules).as_bytes()]).to_hex()
}
