//! Reads labelled cases and counts what the redactor finds of them.
//!
//! A case is a line of JSON: `json` is the document, `expect` what has to go (path as a JSON
//! pointer, type, text and, where it stands in a string as it is, the character it starts at),
//! `ignore` what may go. A value counts as found only if all of it is gone, and a masked span that
//! touches no label counts against precision.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use modeltrail_core::redact::{Redactor, Rule};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Case {
    id: String,
    json: Value,
    expect: Vec<Label>,
    #[serde(default)]
    ignore: Vec<Label>,
    tier: String,
}

#[derive(Deserialize)]
struct Label {
    path: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    text: String,
    /// In characters.
    start: Option<usize>,
}

/// A masked stretch of a text, in bytes.
#[derive(Debug)]
struct Mask {
    start: usize,
    end: usize,
    kind: String,
}

/// Counts of one type or one tier.
#[derive(Default)]
pub(crate) struct Score {
    labels: usize,
    found: usize,
    typed: usize,
    masks: usize,
    right: usize,
    pub(crate) negatives: usize,
    pub(crate) untouched: usize,
}

impl Score {
    pub(crate) fn recall(&self) -> f64 {
        share(self.found, self.labels)
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.right, self.masks)
    }
}

pub(crate) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap())
    }
}

#[derive(Default)]
pub(crate) struct Board {
    pub(crate) tiers: BTreeMap<String, Score>,
    types: BTreeMap<String, Score>,
    pub(crate) misses: String,
}

pub(crate) fn print(board: &Board, what: &str) {
    println!(
        "{what}\n{:<18} {:>6} {:>7} {:>6} {:>10} {:>10}",
        "type", "labels", "recall", "typed", "precision", "untouched"
    );
    for (name, score) in board.types.iter().chain(&board.tiers) {
        println!(
            "{name:<18} {:>6} {:>7.3} {:>6.3} {:>10.3} {:>6}/{}",
            score.labels,
            score.recall(),
            share(score.typed, score.found),
            score.precision(),
            score.untouched,
            score.negatives,
        );
    }
    println!("{}", board.misses);
}

pub(crate) fn score(text: &str) -> Board {
    let mut board = Board::default();
    let redactor = Redactor::default();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let case: Case = serde_json::from_str(line).unwrap();
        let json = serde_json::to_vec(&case.json).unwrap();
        let redacted = redactor.redact_json(&json).unwrap();
        let after: Value = match &redacted {
            Some((bytes, _)) => serde_json::from_slice(bytes).unwrap(),
            None => case.json.clone(),
        };
        let mut texts = BTreeMap::new();
        pair(String::new(), &case.json, &after, &mut texts);
        judge(&case, &texts, &mut board);
    }
    board
}

/// A text before and after; the path of a member's name ends in "#name".
type Texts = BTreeMap<String, (String, String)>;

fn pair(path: String, before: &Value, after: &Value, texts: &mut Texts) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            assert_eq!(before.len(), after.len(), "a member is lost at {path}");
            let mut changed: Vec<&String> =
                after.keys().filter(|key| !before.contains_key(*key)).collect();
            for (key, value) in before {
                let at = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                if let Some(same) = after.get(key) {
                    pair(at, value, same, texts);
                    continue;
                }
                let n = changed
                    .iter()
                    .position(|new| aligned(key, new).is_some())
                    .expect("a name that was masked");
                let new = changed.remove(n);
                texts.insert(format!("{at}#name"), (key.clone(), new.clone()));
                pair(at, value, &after[new], texts);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            assert_eq!(before.len(), after.len(), "an item is lost at {path}");
            for (n, (before, after)) in before.iter().zip(after).enumerate() {
                pair(format!("{path}/{n}"), before, after, texts);
            }
        }
        _ => {
            let text =
                |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            texts.insert(path, (text(before), text(after)));
        }
    }
}

fn replacements() -> impl Iterator<Item = (&'static str, String)> {
    Rule::ALL.into_iter().map(|rule| {
        let kind = match rule {
            Rule::Ssn => "US_SSN".to_owned(),
            Rule::CreditCard => "CREDIT_CARD".to_owned(),
            other => other.replacement().trim_matches(['[', ']']).to_owned(),
        };
        (rule.replacement(), kind)
    })
}

/// What was masked, if `after` is `before` with stretches replaced.
fn aligned(before: &str, after: &str) -> Option<Vec<Mask>> {
    let mut pieces = vec![(String::new(), None)];
    let mut rest = after;
    'text: while let Some(c) = rest.chars().next() {
        for (replacement, kind) in replacements() {
            // What stood there before stands there still.
            let stood = before.contains(replacement);
            if let Some(tail) = rest.strip_prefix(replacement).filter(|_| !stood) {
                pieces.push((String::new(), Some(kind)));
                rest = tail;
                continue 'text;
            }
        }
        pieces.last_mut()?.0.push(c);
        rest = &rest[c.len_utf8()..];
    }
    let n = pieces.len();
    let mut masks = Vec::new();
    let mut at = 0;
    for (index, (literal, kind)) in pieces.into_iter().enumerate() {
        let tail = &before[at..];
        // Names that became equal have an ordinal behind them.
        let ordinal = index + 1 == n && literal.starts_with('#');
        let found = match (&kind, index + 1 == n) {
            (None, _) => tail.starts_with(&literal).then_some(0),
            (Some(_), true) if literal.is_empty() || ordinal => Some(tail.len()),
            (Some(_), true) => tail.ends_with(&literal).then(|| tail.len() - literal.len()),
            (Some(_), false) => tail
                .char_indices()
                .skip(1)
                .map(|(n, _)| n)
                .find(|n| tail[*n..].starts_with(&literal)),
        }?;
        if let Some(kind) = kind {
            masks.push(Mask { start: at, end: at + found, kind });
        }
        at += found + if ordinal { 0 } else { literal.len() };
    }
    (at == before.len()).then_some(masks)
}

/// What was masked; where that cannot be told piece by piece, the part in which the texts differ.
fn masks(before: &str, after: &str) -> Vec<Mask> {
    if before == after {
        return Vec::new();
    }
    aligned(before, after).unwrap_or_else(|| {
        let same = |a: &str, b: &str| {
            a.chars()
                .zip(b.chars())
                .take_while(|(a, b)| a == b)
                .map(|(a, _)| a.len_utf8())
                .sum::<usize>()
        };
        let start = same(before, after);
        let tail: usize = before[start..]
            .chars()
            .rev()
            .zip(after[start..].chars().rev())
            .take_while(|(a, b)| a == b)
            .map(|(a, _)| a.len_utf8())
            .sum();
        vec![Mask { start, end: before.len() - tail, kind: "?".to_owned() }]
    })
}

fn judge(case: &Case, texts: &Texts, board: &mut Board) {
    let found: BTreeMap<&String, Vec<Mask>> =
        texts.iter().map(|(path, (before, after))| (path, masks(before, after))).collect();
    let tier = board.tiers.entry(case.tier.clone()).or_default();
    for label in &case.expect {
        let path = label.path.clone().unwrap();
        let name = format!("{path}#name");
        let path =
            if texts.contains_key(&name) || !texts.contains_key(&path) { name } else { path };
        let (hit, typed) = texts
            .get(&path)
            .map_or((false, false), |(before, after)| hit(label, before, after, &found[&path]));
        let kind = board.types.entry(label.kind.clone().unwrap()).or_default();
        for score in [&mut *tier, kind] {
            score.labels += 1;
            score.found += usize::from(hit);
            score.typed += usize::from(hit && typed);
        }
        if !hit || !typed {
            let what = if hit { "other type" } else { "missed" };
            writeln!(
                board.misses,
                "{} {what}: {:?} {:?} in {:?}",
                case.id,
                label.kind,
                label.text,
                texts.get(&path)
            )
            .unwrap();
        }
    }
    let mut n_masks = 0;
    for (path, masks) in &found {
        let before = &texts[*path].0;
        for mask in masks {
            n_masks += 1;
            let touches = |label: &Label| match (&label.path, byte_range(label, before)) {
                (Some(at), _) if at != path.trim_end_matches("#name") => false,
                (_, Some((start, end))) => mask.start < end && start < mask.end,
                (_, None) => true,
            };
            let right = case.expect.iter().chain(&case.ignore).any(touches);
            let kind = board.types.entry(mask.kind.clone()).or_default();
            for score in [&mut *tier, kind] {
                score.masks += 1;
                score.right += usize::from(right);
            }
            if !right {
                writeln!(
                    board.misses,
                    "{} wrong: {} {:?} in {before:?}",
                    case.id,
                    mask.kind,
                    &before[mask.start..mask.end]
                )
                .unwrap();
            }
        }
    }
    if case.expect.is_empty() && case.ignore.is_empty() {
        tier.negatives += 1;
        tier.untouched += usize::from(n_masks == 0);
    }
}

/// The bytes of a label's text, where it says at which character it starts or stands there once.
fn byte_range(label: &Label, text: &str) -> Option<(usize, usize)> {
    let start = match label.start {
        Some(start) => text.char_indices().nth(start)?.0,
        None => text.find(&label.text)?,
    };
    Some((start, start + label.text.len()))
}

fn hit(label: &Label, before: &str, after: &str, masks: &[Mask]) -> (bool, bool) {
    let of_kind = |mask: &Mask| Some(&mask.kind) == label.kind.as_ref() || mask.kind == "?";
    match label.start.and_then(|_| byte_range(label, before)) {
        Some((start, end)) => {
            let covering: Vec<_> =
                masks.iter().filter(|mask| mask.start < end && start < mask.end).collect();
            let (mut at, mut typed) = (start, false);
            for mask in covering {
                if mask.start <= at {
                    at = at.max(mask.end);
                }
                typed |= of_kind(mask);
            }
            (at >= end, typed)
        }
        // Escaped or encoded: it must be gone, and something must have been put there.
        None => (before != after && !after.contains(&label.text), masks.iter().any(of_kind)),
    }
}
