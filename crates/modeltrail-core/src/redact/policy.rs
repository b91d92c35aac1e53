//! The registry of rules, what they count, and the digest that names a policy.

use std::fmt;

use crate::hash::sha256;

/// Changes when the same rules would mask other bytes because the engine reads differently.
const ENGINE_VERSION: u32 = 1;

/// Changes when a rule, a word list or a table of a rule changes.
const RULE_PACK_VERSION: u32 = 1;

/// A kind of personal data that is recognised by its shape. The order is that of the registry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Rule {
    /// An e-mail address.
    Email,
    /// A telephone number: North American, international, or national beside a word that says so.
    Phone,
    /// A US social security number.
    Ssn,
    /// A payment card number that passes its issuer's prefix and length and the Luhn check.
    CreditCard,
}

impl Rule {
    /// Every rule, in registry order.
    pub const ALL: [Self; 4] = [Self::Email, Self::Phone, Self::Ssn, Self::CreditCard];

    /// The name in counts and reports: `email`, `phone`, `ssn`, `credit_card`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Ssn => "ssn",
            Self::CreditCard => "credit_card",
        }
    }

    /// What stands in place of a masked span: `[EMAIL]`, `[PHONE]`, `[SSN]`, `[CC]`. Fixed text
    /// tells neither the length nor the form of what was there.
    pub const fn replacement(self) -> &'static str {
        match self {
            Self::Email => "[EMAIL]",
            Self::Phone => "[PHONE]",
            Self::Ssn => "[SSN]",
            Self::CreditCard => "[CC]",
        }
    }

    const fn slot(self) -> usize {
        match self {
            Self::Email => 0,
            Self::Phone => 1,
            Self::Ssn => 2,
            Self::CreditCard => 3,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    slots: [u32; Rule::ALL.len()],
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

/// Which rules are on.
#[derive(Clone, Copy, Debug)]
pub(super) struct RuleSet([bool; Rule::ALL.len()]);

impl RuleSet {
    pub(super) fn has(self, rule: Rule) -> bool {
        self.0.get(rule.slot()).copied().unwrap_or(false)
    }

    pub(super) fn is_empty(self) -> bool {
        !self.0.contains(&true)
    }

    /// See [`super::Redactor::policy_digest`] for the text that is hashed.
    pub(super) fn digest(self) -> String {
        let mut text = format!(
            "modeltrail/redaction\nengine {ENGINE_VERSION}\nrule pack {RULE_PACK_VERSION}\n"
        );
        for rule in Rule::ALL.into_iter().filter(|&rule| self.has(rule)) {
            text.push_str("rule ");
            text.push_str(rule.name());
            text.push('\n');
        }
        sha256(&[text.as_bytes()]).to_hex()
    }
}

impl FromIterator<Rule> for RuleSet {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        let mut set = Self([false; Rule::ALL.len()]);
        for rule in rules {
            if let Some(on) = set.0.get_mut(rule.slot()) {
                *on = true;
            }
        }
        set
    }
}
