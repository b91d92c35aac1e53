//! Policies of redaction: TOML in, a compiled policy out. The format is told in
//! `spec/redaction-policy.md`.
//!
//! ```toml
//! version = 1
//! name = "payments"
//!
//! [types]                                # what is found, and what is done with it
//! default = "replace"
//! email = "pseudonym"
//! cc = { mask = 4 }
//! ip_address = "off"
//!
//! [[deny]]                               # never stored, whatever it is
//! keys = ["password", "authorization"]   # words of names: also userPassword
//! paths = ["$.user.ssn", "$..token"]
//!
//! [[allow]]                              # never looked at
//! paths = ["$.embedding[*]"]
//! parts = ["input"]
//!
//! [[rule]]                               # another action by place
//! types = ["email"]
//! models = ["support-*"]
//! action = "keep"
//!
//! [values]                               # let through wherever they stand
//! allow = ["support@example.com"]
//!
//! [[pattern]]                            # found besides
//! name = "employee"
//! regex = '\bE[0-9]{6}\b'
//! words = ["employee", "staff"]
//! action = "pseudonym"
//! ```
//!
//! # How an engine asks
//!
//! Types are *slots*: those of the registry first, in the order in which they were given to
//! [`RedactionPolicy::parse`], then the policy's own patterns.
//!
//! 1. Once per policy: [`RedactionPolicy::is_on`] for each slot; what is off need not be searched.
//! 2. Once per part of a record: [`RedactionPolicy::scope`] with the part and the model's name. If
//!    it [has no places](Scope::has_places), nothing below is needed: [`Scope::action`] is the
//!    action of each slot, and a document is walked as if there were no policy. The
//!    [patterns](Scope::patterns) of the scope are to be run over each text.
//! 3. Else [`Scope::root`], and down the document [`Spot::member`] and [`Spot::element`]. At each
//!    value, whatever it is, [`Spot::deny`]: what is denied is replaced (or removed) with all
//!    beneath it and not scanned. At each leaf [`Spot::is_allowed`]: not scanned. For each finding
//!    [`Spot::action`].
//! 4. For each finding, before its action: [`RedactionPolicy::allows_value`]: it stays, uncounted.
//!
//! Deny goes before allow, and allow before what is found. Of several `[[deny]]` the first counts,
//! of several `[[rule]]` the last, as each later one says more.
//!
//! ```
//! # fn main() -> Result<(), modeltrail_core::redact::rules::PolicyProblems> {
//! use modeltrail_core::code::PartId;
//! use modeltrail_core::redact::rules::{Action, RedactionPolicy};
//!
//! let text = "version = 1\nname = 'p'\n[[deny]]\npaths = ['$.user.ssn']\n";
//! let policy = RedactionPolicy::parse(text, &[("email", "EMAIL"), ("ssn", "SSN")])?;
//! let scope = policy.scope(PartId::Input, "fraud");
//! assert!(scope.has_places());
//! let user = scope.root().member("user");
//! assert_eq!(user.member("ssn").deny().map(|denied| denied.label), Some("REDACTED".to_owned()));
//! assert!(user.deny().is_none());
//! assert_eq!(user.action(0), Action::Replace);
//! # Ok(())
//! # }
//! ```
//!
//! The texts that take a value's place: [`RedactionPolicy::replacement`], [`Denied::replacement`]. A
//! scan has to pass over [`token_len`] bytes
//! where that says so, else a policy's pattern could find what another rule has put there. Where
//! an action changes nothing (a mask over what is masked, `keep`), the engine must not ask for
//! another pass because of it.

mod action;
mod canonical;
mod glob;
mod key;
mod parse;
mod path;
mod pattern;
mod place;
mod problem;
mod read;
#[cfg(test)]
mod tests;
mod walk;

pub use action::{
    Action, KEEP_LAST_MAX, Normal, PseudonymKey, default_label, mask, pseudonym, token_len,
};
pub use canonical::{policy_lines, text_digest};
pub use pattern::OwnPattern;
pub use problem::{PolicyProblems, Problem};

use path::Child;
use place::Place;
use walk::{Frame, Places, RuleBits};

use crate::code::PartId;
use crate::hash::{Hash, sha256};

/// Longest policy file in bytes.
pub const POLICY_BYTES_MAX: usize = 256 * 1024;

/// The version of the format that is read.
const POLICY_VERSION: i64 = 1;

/// The type of a denied value for which a rule names none; its replacement is `[REDACTED]`.
const DENIED_TYPE: &str = "redacted";

/// Whether a type is searched, and what is done with what is found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Setting {
    Off,
    On(Action),
}

/// Values that are never stored.
#[derive(Clone, Debug)]
struct DenyRule {
    place: Place,
    type_name: String,
    action: Action,
}

/// Another action at some place.
#[derive(Clone, Debug)]
struct PlaceRule {
    place: Place,
    /// Sorted; none is all.
    slots: Vec<usize>,
    action: Action,
}

/// A compiled policy. `Send + Sync`, without state of its own.
#[derive(Clone, Debug)]
pub struct RedactionPolicy {
    name: String,
    /// Names of all types, by slot.
    types: Vec<String>,
    /// What stands between the brackets of their replacements, by slot.
    labels: Vec<String>,
    default: Setting,
    /// What the file says of a type, by slot.
    settings: Vec<Option<Setting>>,
    deny: Vec<DenyRule>,
    allow: Vec<Place>,
    rules: Vec<PlaceRule>,
    places: Places,
    /// Sorted.
    allow_values: Vec<String>,
    /// Sorted.
    allow_hashes: Vec<Hash>,
    patterns: Vec<OwnPattern>,
    canonical: String,
    digest: Hash,
}

impl RedactionPolicy {
    /// Reads a policy. `types` are the names of the registry's types with the label of each
    /// (`("cc", "CC")`), in slot order; names and labels hold no digits.
    ///
    /// # Errors
    ///
    /// [`PolicyProblems`]: everything that is wrong, each with line, column and remedy. Where the
    /// text is no TOML, that alone.
    pub fn parse(text: &str, types: &[(&str, &str)]) -> Result<Self, PolicyProblems> {
        parse::parse(text, types)
    }

    fn empty(types: &[(&str, &str)]) -> Self {
        Self {
            name: String::new(),
            types: types.iter().map(|(name, _)| (*name).to_owned()).collect(),
            labels: types.iter().map(|(_, label)| (*label).to_owned()).collect(),
            default: Setting::On(Action::Replace),
            settings: vec![None; types.len()],
            deny: Vec::new(),
            allow: Vec::new(),
            rules: Vec::new(),
            places: Places::default(),
            allow_values: Vec::new(),
            allow_hashes: Vec::new(),
            patterns: Vec::new(),
            canonical: String::new(),
            digest: Hash::default(),
        }
    }

    fn set(&mut self, slot: usize, setting: Setting) {
        if let Some(known) = self.settings.get_mut(slot) {
            *known = Some(setting);
        }
    }

    fn add_pattern(&mut self, pattern: OwnPattern, action: Option<Action>) {
        self.types.push(pattern.name.clone());
        self.labels.push(pattern.label());
        self.settings.push(action.map(Setting::On));
        self.patterns.push(pattern);
    }

    /// Sorts what is searched, and computes canonical form and digest.
    fn seal(&mut self) {
        self.allow_values.sort_unstable();
        self.allow_values.dedup();
        self.allow_hashes.sort_unstable();
        self.allow_hashes.dedup();
        self.canonical = canonical::write(self);
        self.digest = text_digest(&self.canonical);
    }

    /// The places of all rules: deny, allow, rule, each in the order of the file.
    fn all_places(&self) -> impl Iterator<Item = &Place> {
        let deny = self.deny.iter().map(|rule| &rule.place);
        deny.chain(&self.allow).chain(self.rules.iter().map(|rule| &rule.place))
    }

    /// Its name, as the file has it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it says, without comments, spellings and orders that mean nothing: canonical JSON.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// SHA-256 over `modeltrail/v1/redaction-policy`, a zero byte, and the canonical form.
    #[must_use]
    pub fn digest(&self) -> Hash {
        self.digest
    }

    /// What a record's header names: SHA-256 over the lines `modeltrail/redaction`, `engine N`,
    /// `rule pack N` and `policy HEX`, each ended by a line feed. The same policy masks other bytes
    /// under another engine.
    #[must_use]
    pub fn header_digest(&self, engine: u32, rule_pack: u32) -> Hash {
        sha256(&[policy_lines(engine, rule_pack, &self.digest).as_bytes()])
    }

    /// A path of names to a place that each `[[deny]]` names: a key, or a path of nothing but names. For those who see
    /// whether the places are kept to.
    #[must_use]
    pub fn denied_names(&self) -> Vec<Vec<String>> {
        let places = self.deny.iter().map(|rule| &rule.place);
        places
            .flat_map(|place| {
                let keys = place.keys.iter().map(|key| vec![key.clone()]);
                keys.chain(place.paths.iter().filter_map(path::JsonPath::names))
            })
            .collect()
    }

    /// Whether some of what it finds or denies becomes a pseudonym, so that a key is wanted.
    #[must_use]
    pub fn has_pseudonyms(&self) -> bool {
        let settings = self.settings.iter().flatten().chain([&self.default]);
        settings.copied().any(|setting| setting == Setting::On(Action::Pseudonym))
            || self.deny.iter().any(|rule| rule.action == Action::Pseudonym)
            || self.rules.iter().any(|rule| rule.action == Action::Pseudonym)
    }

    /// How many slots there are.
    #[must_use]
    pub fn n_slots(&self) -> usize {
        self.types.len()
    }

    /// The slot of a type, by its name.
    #[must_use]
    pub fn slot_of(&self, type_name: &str) -> Option<usize> {
        self.types.iter().position(|name| name == type_name)
    }

    /// The name of the type in a slot.
    #[must_use]
    pub fn type_name(&self, slot: usize) -> Option<&str> {
        self.types.get(slot).map(String::as_str)
    }

    /// What stands between the brackets of its replacement.
    #[must_use]
    pub fn label(&self, slot: usize) -> Option<&str> {
        self.labels.get(slot).map(String::as_str)
    }

    /// What a value counts as that the `[[deny]]` of this number names.
    pub(in crate::redact) fn denied_type(&self, rule: usize) -> Option<&str> {
        self.deny.get(rule).map(|rule| rule.type_name.as_str())
    }

    /// Whether a type is searched at all.
    #[must_use]
    pub fn is_on(&self, slot: usize) -> bool {
        slot < self.types.len() && self.setting(slot) != Setting::Off
    }

    fn setting(&self, slot: usize) -> Setting {
        let own = slot + self.patterns.len() >= self.types.len();
        match (self.settings.get(slot).copied().flatten(), self.default) {
            (Some(setting), _) => setting,
            // Whoever writes a pattern wants it looked for.
            (None, Setting::Off) if own => Setting::On(Action::Replace),
            (None, default) => default,
        }
    }

    fn action(&self, slot: usize) -> Action {
        match self.setting(slot) {
            Setting::On(action) => action,
            Setting::Off => Action::Keep,
        }
    }

    /// The text that takes the place of a finding: `None` where it stays, the empty text where it
    /// is removed. Without a key a pseudonym is a replacement: nothing is left in the clear for
    /// want of one.
    #[must_use]
    pub fn replacement(
        &self,
        slot: usize,
        action: Action,
        value: &str,
        key: Option<&PseudonymKey>,
    ) -> Option<String> {
        let own = slot + self.patterns.len() >= self.types.len();
        let name = self.type_name(slot).unwrap_or(DENIED_TYPE);
        let label = self.label(slot).map_or_else(|| default_label(DENIED_TYPE), str::to_owned);
        let normal = if own { Normal::Exact } else { Normal::of(name) };
        action::replacement(action, name, &label, normal, value, key)
    }

    /// The policy's own patterns; the first has the slot behind the registry's last.
    #[must_use]
    pub fn patterns(&self) -> &[OwnPattern] {
        &self.patterns
    }

    /// Whether a value, as it stands in the text, is one of those that are let through.
    #[must_use]
    pub fn allows_value(&self, value: &str) -> bool {
        self.allow_values.binary_search_by(|known| known.as_str().cmp(value)).is_ok()
            || (!self.allow_hashes.is_empty()
                && self.allow_hashes.binary_search(&sha256(&[value.as_bytes()])).is_ok())
    }

    /// What holds in one part of a record of a model.
    #[must_use]
    pub fn scope(&self, part: PartId, model: &str) -> Scope<'_> {
        let mut rules = RuleBits::default();
        for (n, place) in self.all_places().enumerate() {
            if place.reaches(part, model) {
                rules.add(n);
            }
        }
        let reaching = |pattern: &OwnPattern| pattern.reaches(part, model);
        Scope { policy: self, rules, patterns: self.patterns.iter().map(reaching).collect() }
    }
}

/// What holds in one part of a record of a model.
#[derive(Clone, Debug)]
pub struct Scope<'p> {
    policy: &'p RedactionPolicy,
    rules: RuleBits,
    /// Which patterns are looked for.
    patterns: Vec<bool>,
}

impl<'p> Scope<'p> {
    /// Whether anything depends on the place within the document.
    #[must_use]
    pub fn has_places(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The root of the document.
    #[must_use]
    pub fn root(&self) -> Spot<'p> {
        let frame = self.policy.places.root(self.rules);
        Spot { policy: self.policy, active: self.rules, frame }
    }

    /// What is done with a finding of the type in this slot where no place says otherwise.
    #[must_use]
    pub fn action(&self, slot: usize) -> Action {
        self.policy.action(slot)
    }

    /// The patterns to look for, with their slots.
    pub fn patterns(&self) -> impl Iterator<Item = (usize, &'p OwnPattern)> + '_ {
        let policy = self.policy;
        let first = policy.types.len() - policy.patterns.len();
        policy.patterns.iter().enumerate().zip(&self.patterns).filter_map(
            move |((n, pattern), on)| {
                let slot = first + n;
                (*on && policy.is_on(slot)).then_some((slot, pattern))
            },
        )
    }
}

/// A denied value: what takes its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Denied<'p> {
    /// The type that it counts as; not always one of the registry's.
    pub type_name: &'p str,
    /// What stands between the brackets of its replacement.
    pub label: String,
    /// The number of its rule, from 0.
    pub(in crate::redact) rule: usize,
    /// Never [`Action::Keep`]. A value that is no text is masked and given a pseudonym by its JSON.
    pub action: Action,
}

impl Denied<'_> {
    /// The text that takes the place of the value: the content of a string, the JSON of anything
    /// else. Empty where the member or element is removed.
    #[must_use]
    pub fn replacement(&self, value: &str, key: Option<&PseudonymKey>) -> String {
        let normal = Normal::of(self.type_name);
        action::replacement(self.action, self.type_name, &self.label, normal, value, key)
            .unwrap_or_default()
    }
}

/// A value of a document, and the rules that hold there.
#[derive(Clone, Copy, Debug)]
pub struct Spot<'p> {
    policy: &'p RedactionPolicy,
    /// The rules that are asked at all.
    active: RuleBits,
    frame: Frame,
}

impl<'p> Spot<'p> {
    /// A member's value, by its unescaped name.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        self.child(Child::Name(name))
    }

    /// An element, from 0.
    #[must_use]
    pub fn element(&self, index: usize) -> Self {
        self.child(Child::Index(index))
    }

    fn child(&self, child: Child<'_>) -> Self {
        Self { frame: self.policy.places.child(&self.frame, self.active, child), ..*self }
    }

    /// Whether the value here is denied with all beneath it, and what takes its place.
    #[must_use]
    pub fn deny(&self) -> Option<Denied<'p>> {
        let first = self.frame.rules().iter().next()?;
        let rule = self.policy.deny.get(first)?;
        let known = self.policy.slot_of(&rule.type_name);
        let label = known.and_then(|slot| self.policy.label(slot)).map(str::to_owned);
        Some(Denied {
            type_name: &rule.type_name,
            label: label.unwrap_or_else(|| default_label(&rule.type_name)),
            rule: first,
            action: rule.action,
        })
    }

    /// Whether the value here is not looked at.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        let first = self.policy.deny.len();
        let allows = first..first + self.policy.allow.len();
        self.frame.rules().iter().any(|rule| allows.contains(&rule))
    }

    /// What is done with a finding of the type in this slot here.
    #[must_use]
    pub fn action(&self, slot: usize) -> Action {
        let first = self.policy.deny.len() + self.policy.allow.len();
        let rules = self.frame.rules().iter().rev();
        let mut here = rules.filter_map(|rule| self.policy.rules.get(rule.checked_sub(first)?));
        let rule = here.find(|rule| rule.slots.is_empty() || rule.slots.contains(&slot));
        rule.map_or_else(|| self.policy.action(slot), |rule| rule.action)
    }
}
