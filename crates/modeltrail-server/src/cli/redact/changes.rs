//! Which values and names of a document differ from those of its masked copy, and where.
//!
//! Both are walked side by side, down to what differs. Names that were masked and elements that
//! were taken out are paired by what stands around them; where that is not certain, the parent is
//! told as one change, which is never wrong.

use std::collections::{BTreeMap, BTreeSet};

use modeltrail::Limits;
use modeltrail_core::canonical::object_fields;
use serde_json::value::RawValue;

use super::mask::Body;

/// What of a place differs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    /// The name of the member.
    Name,
    /// Its value.
    Value,
}

/// Something that differs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Change {
    /// Where, as a JSON pointer (RFC 6901) in the document as it came.
    pub(super) pointer: String,
    /// What of it.
    pub(super) target: Target,
    /// A text without its quotes, or JSON.
    pub(super) before: String,
    /// The same; `None` where it was taken out.
    pub(super) after: Option<String>,
}

/// Walks a document and its masked copy.
pub(super) struct Compare<'a> {
    pub(super) limits: &'a Limits,
    /// What a name becomes by itself.
    pub(super) renamed: &'a dyn Fn(&str) -> String,
    /// Places that are told as one even if they differ only beneath.
    pub(super) whole: &'a BTreeSet<String>,
}

type Members = Vec<(String, Vec<u8>)>;

impl Compare<'_> {
    /// What differs, in the order of the document.
    pub(super) fn changes(&self, pointer: &str, before: &Body, after: &Body) -> Vec<Change> {
        let mut changes = Vec::new();
        match (before, after) {
            (Body::Json(before), Body::Json(after)) => {
                self.walk(pointer, before, after, &mut changes);
            }
            (before, after) if before != after => {
                changes.push(change(pointer, Target::Value, before.shown(), Some(after.shown())));
            }
            _ => {}
        }
        changes
    }

    fn walk(&self, pointer: &str, before: &[u8], after: &[u8], changes: &mut Vec<Change>) {
        if before == after {
            return;
        }
        let done = !self.whole.contains(pointer)
            && match (before.first(), after.first()) {
                (Some(b'{'), Some(b'{')) => self.objects(pointer, before, after, changes),
                (Some(b'['), Some(b'[')) => self.lists(pointer, before, after, changes),
                _ => false,
            };
        if !done {
            changes.push(change(pointer, Target::Value, shown(before), Some(shown(after))));
        }
    }

    /// Whether it could be told member by member.
    fn objects(&self, at: &str, before: &[u8], after: &[u8], changes: &mut Vec<Change>) -> bool {
        let (Some(before), Some(after)) = (self.members(before), self.members(after)) else {
            return false;
        };
        let mut after: BTreeMap<String, Vec<u8>> = after.into_iter().collect();
        let mut pairs: Vec<Option<(String, Vec<u8>)>> =
            before.iter().map(|(name, _)| after.remove_entry(name)).collect();
        // Of names that became equal the first has no number, the others theirs in their order.
        let mut renamed: BTreeMap<(String, u64), (String, Vec<u8>)> = after
            .into_iter()
            .map(|(name, value)| (without_ordinal(&name), (name, value)))
            .collect();
        for ((name, _), pair) in before.iter().zip(&mut pairs).filter(|(_, pair)| pair.is_none()) {
            let masked = (self.renamed)(name);
            let first = renamed.range((masked.clone(), 0)..).next().map(|(key, _)| key.clone());
            if let Some(key) = first.filter(|(base, _)| masked != *name && *base == masked) {
                *pair = renamed.remove(&key);
            }
        }
        if let Some((_, last)) = renamed.pop_first() {
            // A name that is masked by what stands around it: if it is the only one, it is clear.
            let mut left = pairs.iter_mut().filter(|pair| pair.is_none());
            match (left.next(), left.next()) {
                (Some(pair), None) if renamed.is_empty() => *pair = Some(last),
                _ => return false,
            }
        }
        for ((name, value), pair) in before.iter().zip(pairs) {
            let here = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            let Some((new_name, masked)) = pair else {
                changes.push(change(&here, Target::Value, shown(value), None));
                continue;
            };
            if new_name != *name {
                changes.push(change(&here, Target::Name, name.clone(), Some(new_name)));
            }
            self.walk(&here, value, &masked, changes);
        }
        true
    }

    fn members(&self, object: &[u8]) -> Option<Members> {
        let fields = object_fields(object, self.limits).ok()?;
        Some(fields.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect())
    }

    /// Whether it could be told element by element.
    fn lists(&self, at: &str, before: &[u8], after: &[u8], changes: &mut Vec<Change>) -> bool {
        let read = |list| serde_json::from_slice::<Vec<&RawValue>>(list).ok();
        let (Some(before), Some(after)) = (read(before), read(after)) else { return false };
        let at_index = |n: usize| format!("{at}/{n}");
        if before.len() == after.len() {
            for (n, (raw, masked)) in before.iter().zip(&after).enumerate() {
                self.walk(&at_index(n), raw.get().as_bytes(), masked.get().as_bytes(), changes);
            }
            return true;
        }
        // Some were taken out. If nothing else changed it is clear which.
        let mut masked = after.iter().map(|raw| raw.get()).peekable();
        let mut taken = Vec::new();
        for (n, raw) in before.iter().enumerate() {
            if masked.next_if_eq(&raw.get()).is_none() {
                let value = shown(raw.get().as_bytes());
                taken.push(change(&at_index(n), Target::Value, value, None));
            }
        }
        let is_clear = masked.next().is_none();
        if is_clear {
            changes.append(&mut taken);
        }
        is_clear
    }
}

fn change(pointer: &str, target: Target, before: String, after: Option<String>) -> Change {
    Change { pointer: pointer.to_owned(), target, before, after }
}

/// `[EMAIL]#2` as `[EMAIL]` and 2; a name without such an end counts as the first.
fn without_ordinal(name: &str) -> (String, u64) {
    let parted = name.rsplit_once('#').and_then(|(base, n)| Some((base, n.parse().ok()?)));
    let (base, n) = parted.unwrap_or((name, 1));
    (base.to_owned(), n)
}

/// A text without its quotes, or JSON as it stands.
pub(super) fn shown(json: &[u8]) -> String {
    match serde_json::from_slice::<String>(json) {
        Ok(text) => text,
        Err(_) => String::from_utf8_lossy(json).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(before: &str, after: &str, whole: &[&str]) -> Vec<String> {
        let renamed =
            |name: &str| name.replace("jo@x.org", "[EMAIL]").replace("ann@x.org", "[EMAIL]");
        let whole = whole.iter().map(|at| (*at).to_owned()).collect();
        let compare = Compare { limits: &Limits::default(), renamed: &renamed, whole: &whole };
        let body = |text: &str| Body::Json(text.as_bytes().to_vec());
        let tell = |change: Change| {
            let name = if change.target == Target::Name { " name" } else { "" };
            let after = change.after.unwrap_or_else(|| "(gone)".to_owned());
            format!("{}{name}: {} -> {after}", change.pointer, change.before)
        };
        compare.changes("", &body(before), &body(after)).into_iter().map(tell).collect()
    }

    #[test]
    fn values_are_told_where_they_stand() {
        let before = r#"{"a":["x","jo@x.org"],"b/c":{"n":123456789,"s":"ok"},"same":1.50}"#;
        let after = r#"{"a":["x","[EMAIL]"],"b/c":{"n":"[SSN]","s":"ok"},"same":1.50}"#;
        assert_eq!(
            told(before, after, &[]),
            ["/a/1: jo@x.org -> [EMAIL]", "/b~1c/n: 123456789 -> [SSN]"]
        );
        assert_eq!(
            told(before, after, &["/b~1c"])[1],
            r#"/b~1c: {"n":123456789,"s":"ok"} -> {"n":"[SSN]","s":"ok"}"#
        );
        assert!(told(before, before, &[""]).is_empty());
    }

    #[test]
    fn names_find_their_values_again() {
        assert_eq!(
            told(
                r#"{"ann@x.org":1,"jo@x.org":{"ssn":"1"},"z":2}"#,
                r#"{"[EMAIL]":1,"[EMAIL]#2":{"ssn":"[SSN]"},"z":2}"#,
                &[]
            ),
            [
                "/ann@x.org name: ann@x.org -> [EMAIL]",
                "/jo@x.org name: jo@x.org -> [EMAIL]#2",
                "/jo@x.org/ssn: 1 -> [SSN]",
            ]
        );
        // Not what the name becomes by itself, but there is no other.
        assert_eq!(told(r#"{"a":1,"b":2}"#, r#"{"[X]":1,"b":2}"#, &[]), ["/a name: a -> [X]"]);
        // Which is which is not known.
        assert_eq!(
            told(r#"{"a":1,"b":2}"#, r#"{"[X]":1,"[Y]":2}"#, &[]),
            [r#": {"a":1,"b":2} -> {"[X]":1,"[Y]":2}"#]
        );
    }

    #[test]
    fn what_was_taken_out_is_told() {
        assert_eq!(told(r#"{"a":1,"b":{"c":2}}"#, r#"{"a":1}"#, &[]), [r#"/b: {"c":2} -> (gone)"#]);
        // Which of the four became which of the three is not known.
        assert_eq!(
            told(r#"[1,2,"jo@x.org",3]"#, r#"[1,"[EMAIL]",3]"#, &[]),
            [r#": [1,2,"jo@x.org",3] -> [1,"[EMAIL]",3]"#]
        );
        assert_eq!(told("[1,2,3]", "[1,3]", &[]), ["/1: 2 -> (gone)"]);
        assert_eq!(told("[1,2,3]", "[]", &[]).len(), 3);
        assert_eq!(told("[1,2,3]", "[1,2]", &[]), ["/2: 3 -> (gone)"]);
        assert_eq!(told("[1]", "[1,2]", &[]), [": [1] -> [1,2]"]);
    }
}
