//! Words that say what a number is: those around it in the text, and the names on its path.
//!
//! Looked up only for a candidate whose shape alone does not tell. Names and texts are cut into
//! words (`userPhone` is `user` and `Phone`, `phone_2` is `phone`) and words are compared whole:
//! `telemetry` is no `tel` and `excellent` no `cell`.

use super::lexicon::{
    CARD, IDENTIFIER, OTHER, OTHER_IN_NAMES_ONLY, PHONE_STRONG, PHONE_STRONG_WIDE, PHONE_WEAK,
    PHONE_WEAK_TEXT, SSN, UNITS, is_in,
};
use super::phrases::PHRASES;
use super::rule::RuleSet;
pub(super) use super::said::Names;
use super::vocabulary::Vocabulary;
use super::{steps, topics, values};

/// Every word that means something here, alone or as the first of a phrase. Of the pairs that
/// [`phone_word`] and [`speaks_of_ssn`] know, the rarer word.
pub(super) static SPEAKING: Vocabulary = Vocabulary::of(
    &[&CARD, &IDENTIFIER, &OTHER, &PHONE_STRONG, &PHONE_WEAK, &PHONE_WEAK_TEXT, &SSN, &UNITS],
    &["number", "reach", "ring", "text", "social"],
    PHRASES,
);

/// A text with the path under which it stands.
#[derive(Clone, Copy)]
pub(super) struct Subject<'t> {
    pub(super) text: &'t str,
    pub(super) names: Option<&'t Names<'t>>,
}

/// What the surroundings of a number say about a telephone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Nearby {
    /// It names one (`phone`, `fax`).
    Strong,
    /// It tells of getting in touch (`call`, `contact`).
    Weak,
    /// Nothing.
    Silent,
    /// It names something else: an order, an identifier, a time.
    Other,
}

/// Bytes before a number that count as near: a sentence that names two ways to be reached still
/// reaches its second one past a long e-mail address ("reach me at … or …").
const BEFORE_BYTES: usize = 64;

/// Bytes after a number that count as near ("… is my mobile").
const AFTER_BYTES: usize = 24;

/// How many words before a number can name what it is instead ("order no. …").
const OTHER_WORDS_MAX: usize = 3;

/// What surrounds the bytes from `start` to `end` of the text.
pub(super) fn phone_nearby(subject: &Subject<'_>, start: usize, end: usize) -> Nearby {
    let in_text = phone_in_text(before(subject.text, start), after(subject.text, end));
    let Some(names) = subject.names.filter(|_| in_text != Nearby::Other) else { return in_text };
    // What the member itself is called outweighs what it lies in, not what the text says.
    if names.said().phone == Nearby::Other && in_text == Nearby::Silent {
        return Nearby::Other;
    }
    strongest(in_text, names.path().phone)
}

fn phone_in_text(before: &str, after: &str) -> Nearby {
    if !SPEAKING.may_speak(before) && !SPEAKING.may_speak(after) {
        return Nearby::Silent;
    }
    let mut nearest = Nearby::Silent;
    let mut other_for = None;
    let mut last = "";
    for word in words(before) {
        other_for = other_for.map(|n: usize| n + 1);
        match phone_word(last, word, true) {
            Nearby::Silent if is_in(&OTHER, word) && !is_in(&OTHER_IN_NAMES_ONLY, word) => {
                other_for = Some(1);
            }
            Nearby::Silent => {}
            said => {
                other_for = None;
                nearest = strongest(nearest, said);
            }
        }
        last = word;
    }
    if other_for.is_some_and(|n| n <= OTHER_WORDS_MAX) {
        return Nearby::Other;
    }
    let mut last = "";
    for (n, word) in words(after).enumerate() {
        if n == 0 && is_in(&UNITS, word) {
            return Nearby::Other;
        }
        nearest = strongest(nearest, phone_word(last, word, true));
        last = word;
    }
    nearest
}

/// The last word of a name says what it is: a `phone_order` is an order.
pub(super) fn phone_in_name(name: &str) -> Nearby {
    let (mut said, mut tail, mut last) = (Nearby::Silent, Nearby::Silent, "");
    for word in words(name) {
        tail = match phone_word(last, word, false) {
            Nearby::Silent if is_in(&OTHER, word) => Nearby::Other,
            other => other,
        };
        said = strongest(said, tail);
        last = word;
    }
    if tail == Nearby::Other { Nearby::Other } else { said }
}

/// `Other` counts as silence here.
pub(super) fn strongest(a: Nearby, b: Nearby) -> Nearby {
    match (a, b) {
        (Nearby::Strong, _) | (_, Nearby::Strong) => Nearby::Strong,
        (Nearby::Weak, _) | (_, Nearby::Weak) => Nearby::Weak,
        _ => Nearby::Silent,
    }
}

fn phone_word(last: &str, word: &str, in_text: bool) -> Nearby {
    if is_in(&PHONE_STRONG, word)
        || (last.eq_ignore_ascii_case("caller") && is(word, "id"))
        || (in_text && is(last, "my") && is(word, "number"))
    {
        return Nearby::Strong;
    }
    if !word.is_ascii() {
        let lower = word.to_ascii_lowercase();
        if PHONE_STRONG_WIDE.iter().any(|wide| lower.contains(wide)) {
            return Nearby::Strong;
        }
    }
    if is_in(&PHONE_WEAK, word) || (in_text && is_in(&PHONE_WEAK_TEXT, word)) {
        return Nearby::Weak;
    }
    let someone = ["me", "us", "him", "her", "them", "at", "on"].iter().any(|who| is(word, who));
    if in_text && someone && ["reach", "ring", "text"].iter().any(|verb| is(last, verb)) {
        return Nearby::Weak;
    }
    Nearby::Silent
}

/// Whether the text around the bytes from `start` to `end`, or a name, speaks of an SSN.
pub(super) fn ssn_nearby(subject: &Subject<'_>, start: usize, end: usize) -> bool {
    speaks_of_ssn(before(subject.text, start))
        || speaks_of_ssn(after(subject.text, end))
        || subject.names.is_some_and(|names| names.path().ssn)
}

pub(super) fn speaks_of_ssn(text: &str) -> bool {
    if !SPEAKING.may_speak(text) {
        return false;
    }
    let mut last = "";
    for word in words(text) {
        let pair =
            is(last, "social") && ["security", "is", "number", "no"].iter().any(|w| is(word, w));
        if pair || is_in(&SSN, word) {
            return true;
        }
        last = word;
    }
    false
}

/// What the surroundings of a candidate speak of.
#[derive(Clone, Copy)]
pub(super) struct Around {
    /// The words near it and the names on its path.
    pub(super) rules: RuleSet,
    /// The last words before it, or the name it stands under.
    pub(super) near: RuleSet,
    /// Whether the last words before it name something else: an order, a version.
    pub(super) other: bool,
}

/// How many words before a candidate can name it as "passport no. …" does.
const NEAR_WORDS: usize = 4;

/// What surrounds the bytes from `start` to `end` of the text.
pub(super) fn around(subject: &Subject<'_>, start: usize, end: usize) -> Around {
    let own = subject.names.map_or(RuleSet::NONE, |names| names.said().topics);
    let path = subject.names.map_or(RuleSet::NONE, |names| names.path().topics);
    if start == 0 && end == subject.text.len() {
        return Around {
            rules: path,
            near: own,
            other: subject.names.is_some_and(|n| n.said().identifier),
        };
    }
    let (before, after) = (before(subject.text, start), after(subject.text, end));
    if !SPEAKING.may_speak(before) && !SPEAKING.may_speak(after) {
        return Around { rules: path, near: own, other: false };
    }
    let lower = lowered(before);
    let (said, near) = speaks_of(&lower, NEAR_WORDS);
    let after = speaks_of(&lowered(after), 0).0;
    let mut last = lower.split_terminator(' ').rev().take(2);
    let other =
        near.is_empty() && last.any(|w| is_in(&OTHER, w) && !is_in(&OTHER_IN_NAMES_ONLY, w));
    Around { rules: said.or(after).or(path), near: near.or(own), other }
}

/// What the words between the last number and `start` speak of, those behind `end`, and the name
/// that the text stands under: of two dates, a word names the one it precedes.
pub(super) fn named_since_number(subject: &Subject<'_>, start: usize, end: usize) -> RuleSet {
    let own = subject.names.map_or(RuleSet::NONE, |names| names.said().topics);
    if start == 0 && end == subject.text.len() {
        return own;
    }
    let before = before(subject.text, start);
    let from = before.bytes().rposition(|byte| byte.is_ascii_digit()).map_or(0, |at| at + 1);
    let after = after(subject.text, end);
    let to = after.bytes().position(|byte| byte.is_ascii_digit()).unwrap_or(after.len());
    let said = |text: &str| match SPEAKING.may_speak(text) {
        true => speaks_of(&lowered(text), 0).0,
        false => RuleSet::NONE,
    };
    let before = said(before.get(from..).unwrap_or_default());
    before.or(said(after.get(..to).unwrap_or_default())).or(own)
}

/// The words in lower case, each followed by a space.
pub(super) fn lowered(text: &str) -> String {
    let mut lower = String::with_capacity(text.len() + 8);
    for word in words(text) {
        if word.is_ascii() {
            lower.extend(word.chars().map(|c| c.to_ascii_lowercase()));
        } else {
            lower.push_str(&word.to_lowercase());
        }
        lower.push(' ');
    }
    lower
}

/// What such words speak of, and what those phrases do that start in the last `n_near` words.
pub(super) fn speaks_of(lower: &str, n_near: usize) -> (RuleSet, RuleSet) {
    let (mut said, mut near) = (RuleSet::NONE, RuleSet::NONE);
    let n_words = lower.split_terminator(' ').count();
    let mut rest = lower;
    let mut n = 0;
    while let Some((word, tail)) = rest.split_once(' ') {
        let rules = topics::spoken_of(rest, word);
        said = said.or(rules);
        if n + n_near >= n_words {
            near = near.or(rules);
        }
        (rest, n) = (tail, n + 1);
    }
    (said, near)
}

/// The words near the bytes from `start` to `end` of the text, and those of all names on its path.
pub(super) fn words_about<'t>(
    subject: &Subject<'t>,
    start: usize,
    end: usize,
) -> impl Iterator<Item = &'t str> {
    /// Longer names are data, and would be read for each match beneath them.
    const NAME_BYTES_MAX: usize = 512;
    let names = std::iter::successors(subject.names, |names| names.outer())
        .filter(|names| names.name().len() <= NAME_BYTES_MAX);
    words(before(subject.text, start))
        .chain(words(after(subject.text, end)))
        .chain(names.flat_map(|names| words(names.name())))
}

/// Whether the whole value sits under a name that makes it an identifier or a time.
pub(super) fn is_identifier(names: Option<&Names<'_>>) -> bool {
    names.is_some_and(|names| names.said().identifier && !names.path().card)
}

/// The words before `start` that are near; one that is cut by the window is left out.
fn before(text: &str, start: usize) -> &str {
    steps::add(BEFORE_BYTES);
    let mut from = start.saturating_sub(BEFORE_BYTES);
    while from < start && !text.is_char_boundary(from) {
        from += 1;
    }
    let window = text.get(from..start).unwrap_or_default();
    let cut = from.checked_sub(1).and_then(|at| text.as_bytes().get(at)).is_some_and(is_word_byte);
    if !cut {
        return window;
    }
    let whole = window.bytes().position(|byte| !is_word_byte(&byte)).unwrap_or(window.len());
    window.get(whole..).unwrap_or_default()
}

/// The words after `end` that are near; one that is cut by the window is left out.
fn after(text: &str, end: usize) -> &str {
    let mut to = end.saturating_add(AFTER_BYTES).min(text.len());
    while to > end && !text.is_char_boundary(to) {
        to -= 1;
    }
    let window = text.get(end..to).unwrap_or_default();
    if !text.as_bytes().get(to).is_some_and(is_word_byte) {
        return window;
    }
    let whole = window.bytes().rposition(|byte| !is_word_byte(&byte)).map_or(0, |at| at + 1);
    window.get(..whole).unwrap_or_default()
}

fn is_word_byte(byte: &u8) -> bool {
    byte.is_ascii_alphabetic() || !byte.is_ascii()
}

/// The words of a text: runs of letters, cut where a small letter meets a capital. What the
/// redactor itself put there (`[PHONE]`) is no word.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let start = rest.bytes().position(|byte| is_word_byte(&byte))?;
            let bracketed = start.checked_sub(1).and_then(|at| rest.get(at..)).unwrap_or_default();
            if let Some(len) = values::placeholder_len(bracketed.as_bytes()) {
                rest = bracketed.get(len..)?;
                continue;
            }
            let tail = rest.get(start..)?;
            let mut small = false;
            let len = tail.bytes().position(|byte| {
                let camel = small && byte.is_ascii_uppercase();
                small = byte.is_ascii_lowercase();
                camel || !is_word_byte(&byte)
            });
            let (word, after) = tail.split_at_checked(len.unwrap_or(tail.len()))?;
            rest = after;
            return Some(word);
        }
    })
}

fn is(word: &str, lower: &str) -> bool {
    word.eq_ignore_ascii_case(lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_case_digits_and_marks() {
        let cut = |text: &'static str| words(text).collect::<Vec<_>>();
        assert_eq!(cut("userPhone2_TEL-no"), ["user", "Phone", "TEL", "no"]);
        assert_eq!(cut("a [PHONE] b[CC][c"), ["a", "b", "c"]);
        assert_eq!(cut("전화번호: x"), ["전화번호", "x"]);
        assert!(cut(" 12 ").is_empty());
    }

    #[test]
    fn the_filter_passes_every_word_that_means_something() {
        let lists = [&CARD, &IDENTIFIER, &OTHER, &PHONE_STRONG, &PHONE_WEAK, &SSN, &UNITS];
        let listed = lists.iter().flat_map(|list| list.list()).copied();
        let first = PHRASES.iter().filter_map(|(phrase, _)| phrase.split(' ').next());
        for word in listed.chain(first) {
            let (head, tail) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
            for text in [
                word.to_owned(),
                format!("7{}_", word.to_uppercase()),
                format!("a {word}, q"),
                format!("qx{}{tail}", head.to_uppercase()),
            ] {
                assert!(SPEAKING.may_speak(&text), "{text}");
            }
        }
        assert!(!SPEAKING.may_speak("the quick brown fox jumps over 12 lazy dogs"));
    }

    #[test]
    fn windows_leave_out_the_words_they_cut() {
        let text = format!("telephone{}", " ".repeat(BEFORE_BYTES - 3));
        assert!(words(before(&text, text.len())).next().is_none());
        assert_eq!(words(before("my cell ", 8)).last(), Some("cell"));
        assert!(
            words(after(&format!("{}cellar", " ".repeat(AFTER_BYTES - 4)), 0)).next().is_none()
        );
        assert!(before("ééééééééééééééééééééééééééééééééééé1", 70).is_empty());
    }
}
