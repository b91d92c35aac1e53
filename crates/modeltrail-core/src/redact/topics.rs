//! Which kind of number, date or code some words speak of.

use super::lexicon::Shapes;
use super::phrases::{PHRASES, WIDE};
use super::rule::RuleSet;

/// The first words of all phrases.
static FIRST: Shapes = Shapes::of_first_words(PHRASES);

/// What a phrase at the start of `text` speaks of. `text` is lower-case words, each followed by
/// one space; `word` is its first.
pub(super) fn spoken_of(text: &str, word: &str) -> RuleSet {
    if word.is_ascii() && !FIRST.may_have(word) {
        return RuleSet::NONE;
    }
    let first = PHRASES.partition_point(|(phrase, _)| *phrase < word);
    let mut found = RuleSet::NONE;
    for (phrase, rules) in PHRASES.get(first..).unwrap_or_default() {
        if !phrase.starts_with(word) {
            break;
        }
        let whole = text.strip_prefix(phrase).is_some_and(|rest| rest.starts_with(' '));
        if whole {
            found = found.or(*rules);
        }
    }
    if !word.is_ascii() {
        for (wide, rules) in WIDE {
            if word.contains(wide) {
                found = found.or(*rules);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::rule::Rule::{AuTfn, CnRic};
    use super::*;

    #[test]
    fn phrases_are_sorted_and_in_lower_case() {
        assert!(PHRASES.is_sorted_by(|a, b| a.0 < b.0));
        for (phrase, rules) in PHRASES {
            assert_eq!(*phrase, phrase.to_lowercase());
            assert!(!rules.is_empty(), "{phrase}");
        }
    }

    #[test]
    fn a_phrase_is_found_whole_only() {
        let at = |text| spoken_of(text, text.split(' ').next().unwrap());
        assert!(at("tax file number ").has(AuTfn));
        assert!(at("tax filed ").is_empty());
        assert!(at("peseled ").is_empty());
        assert!(at("身份证号码 ").has(CnRic));
    }
}
