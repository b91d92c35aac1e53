//! Which kind of number, date or code some words speak of.

use super::lexicon::Shapes;
use super::phrases::{PHRASES, of};
use super::rule::{Rule::*, RuleSet};

/// Sought inside a word, because these scripts set no spaces.
const WIDE: &[(&str, RuleSet)] = &[
    ("身份证", of(&[CnRic])),
    ("身份證", of(&[CnRic])),
    ("居民身份", of(&[CnRic])),
    ("주민등록", of(&[KrRrn])),
    ("주민번호", of(&[KrRrn])),
    ("マイナンバー", of(&[JpMyNumber])),
    ("個人番号", of(&[JpMyNumber])),
    ("บัตรประชาชน", of(&[ThTnin])),
    ("ประจำตัวประชาชน", of(&[ThTnin])),
    ("आधार", of(&[InAadhaar])),
    ("护照", of(&[Passport])),
    ("護照", of(&[Passport])),
    ("パスポート", of(&[Passport])),
    ("旅券", of(&[Passport])),
    ("여권", of(&[Passport])),
    ("生年月日", of(&[DateOfBirth])),
    ("出生日期", of(&[DateOfBirth])),
    ("出生", of(&[DateOfBirth])),
    ("생년월일", of(&[DateOfBirth])),
    ("生日", of(&[DateOfBirth])),
    ("账号", of(&[BankAccount])),
    ("帳號", of(&[BankAccount])),
    ("口座番号", of(&[BankAccount])),
    ("계좌", of(&[BankAccount])),
    ("驾驶证", of(&[DriverLicense])),
    ("駕照", of(&[DriverLicense])),
    ("運転免許", of(&[DriverLicense])),
    ("운전면허", of(&[DriverLicense])),
    ("身分證", of(&[TwId])),
];

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
