//! From TOML to a policy.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::action::{Action, KEEP_LAST_DEFAULT, KEEP_LAST_MAX, default_label};
use super::glob::Glob;
use super::path::JsonPath;
use super::pattern::{OwnPattern, compile};
use super::place::{PARTS, Place};
use super::problem::{PolicyProblems, Problems};
use super::read::{At, Table, integer};
use super::walk::{Places, RULES_MAX, STEPS_MAX};
use super::{
    DENIED_TYPE, DenyRule, POLICY_BYTES_MAX, POLICY_VERSION, PlaceRule, RedactionPolicy, Setting,
};
use crate::code::PartId;
use crate::hash::Hash;

/// Most names, paths, models or types of one rule.
const PLACES_MAX: usize = 64;
/// Most values that are let through.
const VALUES_MAX: usize = 10_000;
/// Most patterns: each is run over every text.
const PATTERNS_MAX: usize = 64;
/// Most context words of a pattern.
const WORDS_MAX: usize = 32;
/// Longest name of a policy and of a type.
const NAME_BYTES_MAX: usize = 32;

const ACTIONS: &str =
    "write \"replace\", \"mask\", { mask = 4 }, \"remove\", \"pseudonym\" or \"keep\"";

/// What has been read so far, and what was wrong with it.
struct Reader<'t> {
    problems: Problems<'t>,
    policy: RedactionPolicy,
}

pub(super) fn parse(text: &str, types: &[(&str, &str)]) -> Result<RedactionPolicy, PolicyProblems> {
    let mut problems = Problems::new(text);
    if text.len() > POLICY_BYTES_MAX {
        let what = format!("{} bytes, at most {POLICY_BYTES_MAX}", text.len());
        problems.add(0, what, "give long lists of values as sha256, or split the policy by ledger");
        problems.finish()?;
        return Ok(RedactionPolicy::empty(types));
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            problems.add(at, error.message().trim().replace('\n', " "), "write it as TOML has it");
        }
        problems.finish()?;
        return Ok(RedactionPolicy::empty(types));
    }
    let mut reader = Reader { problems, policy: RedactionPolicy::empty(types) };
    reader.document(&Table { title: "a policy", at: 0, table: document.get_ref() });
    let Reader { problems, mut policy } = reader;
    problems.finish()?;
    policy.seal();
    Ok(policy)
}

impl Reader<'_> {
    fn add(&mut self, at: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.add(at, what, remedy);
    }

    fn document(&mut self, document: &Table<'_>) {
        let known = ["version", "name", "types", "deny", "allow", "rule", "values", "pattern"];
        document.refuse_others(&known, &mut self.problems);
        self.version(document);
        if let Some(name) = document.required("name", &mut self.problems) {
            let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if name.value.is_empty()
                || name.value.len() > NAME_BYTES_MAX
                || !name.value.chars().all(sound)
            {
                let what = "a name of other characters, or not of 1 to 32 of them";
                self.add(name.at, what, "use letters, digits, '-', '_' and '.'");
            }
            self.policy.name = name.value.to_owned();
        }
        // Patterns come first: what follows may name their types.
        let patterns = document.tables("pattern", "[[pattern]]", &mut self.problems);
        self.at_most(&patterns, PATTERNS_MAX);
        for table in patterns.iter().take(PATTERNS_MAX) {
            self.pattern(table);
        }
        if let Some(table) = document.table("types", "[types]", &mut self.problems) {
            self.types(&table);
        }
        if let Some(table) = document.table("values", "[values]", &mut self.problems) {
            self.values(&table);
        }
        let deny = document.tables("deny", "[[deny]]", &mut self.problems);
        let allow = document.tables("allow", "[[allow]]", &mut self.problems);
        let rules = document.tables("rule", "[[rule]]", &mut self.problems);
        deny.iter().for_each(|table| self.deny(table));
        allow.iter().for_each(|table| self.allow(table));
        rules.iter().for_each(|table| self.rule(table));
        let n_rules = deny.len() + allow.len() + rules.len();
        if n_rules > RULES_MAX {
            let what = format!("{n_rules} rules by place, at most {RULES_MAX}");
            self.add(0, what, "put several keys and paths into one rule");
        }
        self.policy.places = Places::new(self.policy.all_places());
        let n_steps = self.policy.places.n_steps();
        if n_steps > STEPS_MAX {
            let what = format!("{n_steps} steps in all paths together, at most {STEPS_MAX}");
            self.add(0, what, "use .. or [*] where paths are alike");
        }
    }

    fn at_most(&mut self, tables: &[Table<'_>], n_max: usize) {
        if let Some(table) = tables.get(n_max) {
            let what = format!("more than {n_max} {}", table.title);
            self.add(table.at, what, "leave out the ones from here on");
        }
    }

    fn version(&mut self, document: &Table<'_>) {
        let given = document.get("version");
        if given.and_then(|value| integer(value.get_ref())) != Some(POLICY_VERSION) {
            let at = given.map_or(0, |value| value.span().start);
            let what = if given.is_some() { "a version that is not known" } else { "no version" };
            self.add(at, what, format!("write version = {POLICY_VERSION}"));
        }
    }

    /// The slot of a type that a rule names.
    fn slot(&mut self, name: At<&str>) -> Option<usize> {
        let slot = self.policy.slot_of(name.value);
        if slot.is_none() {
            let known = self.policy.types.join(", ");
            self.add(name.at, format!("no type {:?}", name.value), format!("use one of {known}"));
        }
        slot
    }

    fn types(&mut self, table: &Table<'_>) {
        for (name, value) in table.entries() {
            let setting = self.setting(value);
            if name.value == "default" {
                self.policy.default = setting.unwrap_or(self.policy.default);
            } else if let (Some(slot), Some(setting)) = (self.slot(name), setting) {
                self.policy.set(slot, setting);
            }
        }
    }

    /// An action, or `off`.
    fn setting(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Setting> {
        if value.get_ref().as_str() == Some("off") {
            return Some(Setting::Off);
        }
        self.action_of(value, ", or \"off\"").map(Setting::On)
    }

    fn action_of(&mut self, value: &Spanned<DeValue<'_>>, more: &str) -> Option<Action> {
        let at = value.span().start;
        let action = match value.get_ref() {
            DeValue::String(text) => match text.as_ref() {
                "replace" => Some(Action::Replace),
                "mask" => Some(Action::Mask { keep_last: KEEP_LAST_DEFAULT }),
                "remove" => Some(Action::Remove),
                "pseudonym" => Some(Action::Pseudonym),
                "keep" => Some(Action::Keep),
                _ => None,
            },
            DeValue::Table(table) => {
                let table = Table { title: "an action", at, table };
                table.refuse_others(&["mask"], &mut self.problems);
                let n = table.get("mask").map(|n| (n.span().start, integer(n.get_ref())))?;
                let keep_last = n.1.and_then(|n| u8::try_from(n).ok());
                let keep_last = keep_last.filter(|n| (1..=KEEP_LAST_MAX).contains(n));
                if keep_last.is_none() {
                    let remedy = format!("let 1 to {KEEP_LAST_MAX} characters stand");
                    self.add(n.0, "a mask that lets stand nothing, or too much", remedy);
                }
                return keep_last.map(|keep_last| Action::Mask { keep_last });
            }
            _ => None,
        };
        if action.is_none() {
            self.add(at, "no action", format!("{ACTIONS}{more}"));
        }
        action
    }

    fn action(&mut self, table: &Table<'_>) -> Option<Action> {
        table.get("action").and_then(|value| self.action_of(value, ""))
    }

    fn values(&mut self, table: &Table<'_>) {
        table.refuse_others(&["allow", "allow_sha256"], &mut self.problems);
        let exact = table.texts("allow", VALUES_MAX, &mut self.problems);
        self.policy.allow_values = exact.iter().map(|value| value.value.to_owned()).collect();
        for hash in table.texts("allow_sha256", VALUES_MAX, &mut self.problems) {
            match Hash::from_hex(hash.value) {
                Some(hash) => self.policy.allow_hashes.push(hash),
                None => {
                    let remedy = "write the SHA-256 of the value in 64 hexadecimal digits";
                    self.add(hash.at, "no SHA-256", remedy);
                }
            }
        }
    }

    fn deny(&mut self, table: &Table<'_>) {
        let known = ["keys", "paths", "models", "parts", "type", "action"];
        table.refuse_others(&known, &mut self.problems);
        let place = self.place(table);
        if !table.has_any(&["keys", "paths"]) {
            let remedy = "name keys or paths; paths = [\"$\"] is all of a part";
            self.add(table.at, "[[deny]] without a place", remedy);
        }
        let action = self.action(table).unwrap_or(Action::Replace);
        if action == Action::Keep {
            let at = table.get("action").map_or(table.at, |value| value.span().start);
            self.add(at, "a denied value that is kept", "write it as [[allow]]");
        }
        let type_name = match table.text("type", &mut self.problems) {
            Some(name) if is_type_name(name.value) => name.value,
            Some(name) => {
                self.add(
                    name.at,
                    "no name of a type",
                    "use small letters and '_', 1 to 32, not failed",
                );
                return;
            }
            None => DENIED_TYPE,
        };
        self.policy.deny.push(DenyRule { place, type_name: type_name.to_owned(), action });
    }

    fn allow(&mut self, table: &Table<'_>) {
        table.refuse_others(&["keys", "paths", "models", "parts"], &mut self.problems);
        let place = self.place(table);
        if !table.has_any(&["keys", "paths", "models", "parts"]) {
            let remedy =
                "name keys, paths, models or parts; to find nothing: [types] default = \"off\"";
            self.add(table.at, "[[allow]] without a place", remedy);
        }
        self.policy.allow.push(place);
    }

    fn rule(&mut self, table: &Table<'_>) {
        let known = ["keys", "paths", "models", "parts", "types", "action"];
        table.refuse_others(&known, &mut self.problems);
        let place = self.place(table);
        let names = table.texts("types", PLACES_MAX, &mut self.problems);
        let mut slots: Vec<_> = names.into_iter().filter_map(|name| self.slot(name)).collect();
        slots.sort_unstable();
        slots.dedup();
        if !table.has_any(&["keys", "paths", "models", "parts"]) {
            let remedy =
                "name keys, paths, models or parts; what holds everywhere belongs into [types]";
            self.add(table.at, "[[rule]] without a place", remedy);
        }
        if table.get("action").is_none() {
            self.add(table.at, "[[rule]] without \"action\"", ACTIONS);
        }
        let action = self.action(table).unwrap_or(Action::Replace);
        self.policy.rules.push(PlaceRule { place, slots, action });
    }

    fn place(&mut self, table: &Table<'_>) -> Place {
        let mut place = Place::default();
        for key in table.texts("keys", PLACES_MAX, &mut self.problems) {
            match super::key::joined(key.value) {
                Some(joined) => place.keys.push(joined),
                None => {
                    let remedy = "write the words of a name, as in api_key; 1 to 6 words, 64 bytes";
                    self.add(key.at, "a key without words, or too long", remedy);
                }
            }
        }
        for path in table.texts("paths", PLACES_MAX, &mut self.problems) {
            match JsonPath::parse(path.value) {
                Ok(path) => place.paths.push(path),
                Err(error) => {
                    let what = format!("no path: {} at its character {}", error.what, error.at);
                    self.add(path.at, what, error.remedy);
                }
            }
        }
        place.models = self.models(table);
        place.parts = self.parts(table);
        place.keys.sort();
        place.keys.dedup();
        place.paths.sort();
        place.paths.dedup();
        place
    }

    fn models(&mut self, table: &Table<'_>) -> Vec<Glob> {
        let mut models = Vec::new();
        for model in table.texts("models", PLACES_MAX, &mut self.problems) {
            match Glob::new(model.value) {
                Some(glob) => models.push(glob),
                None => {
                    let remedy = "write a name of at most 256 bytes, with * and ? as wild cards";
                    self.add(model.at, "no name of a model", remedy);
                }
            }
        }
        models.sort();
        models.dedup();
        models
    }

    fn parts(&mut self, table: &Table<'_>) -> Vec<PartId> {
        let mut parts = Vec::new();
        for name in table.texts("parts", PLACES_MAX, &mut self.problems) {
            match PARTS.iter().find(|part| part.name() == name.value) {
                Some(part) => parts.push(*part),
                None => {
                    let known = PARTS.map(|part| part.name()).join(", ");
                    let what = format!("no part {:?}", name.value);
                    self.add(name.at, what, format!("use one of {known}"));
                }
            }
        }
        parts.sort();
        parts.dedup();
        parts
    }

    fn pattern(&mut self, table: &Table<'_>) {
        let known = ["name", "regex", "words", "models", "parts", "action"];
        table.refuse_others(&known, &mut self.problems);
        let name = table.required("name", &mut self.problems);
        let regex = table.required("regex", &mut self.problems);
        let action = self.action(table);
        let models = self.models(table);
        let parts = self.parts(table);
        let mut words = Vec::new();
        for word in table.texts("words", WORDS_MAX, &mut self.problems) {
            match super::key::joined(word.value) {
                Some(joined) => words.push(joined),
                None => self.add(word.at, "no word", "write one word of letters or digits"),
            }
        }
        words.sort();
        words.dedup();
        let (Some(name), Some(regex)) = (name, regex) else { return };
        if !is_type_name(name.value) || name.value == "default" {
            // A replacement never holds a digit: no rule may read a number in it.
            self.add(
                name.at,
                "no name of a type",
                "use small letters and '_', 1 to 32, not failed",
            );
            return;
        }
        if name.value == DENIED_TYPE || self.policy.slot_of(name.value).is_some() {
            let what = format!("a second type {:?}", name.value);
            self.add(name.at, what, "give it another name");
            return;
        }
        let own = [name.value, DENIED_TYPE].map(default_label);
        let labels = self.policy.labels.iter().cloned().chain(own);
        match compile(regex.value, labels) {
            Ok(regex) => {
                let name = name.value.to_owned();
                self.policy.add_pattern(OwnPattern { name, regex, words, models, parts }, action);
            }
            Err((what, remedy)) => self.add(regex.at, what, remedy),
        }
    }
}

/// Small letters and underscores: what a replacement can be made of.
fn is_type_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && name.bytes().any(|byte| byte != b'_')
        // In a header these say of a part that it could not be redacted.
        && name != "failed"
        && !name.starts_with("failed_")
}
