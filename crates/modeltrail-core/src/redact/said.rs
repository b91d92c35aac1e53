//! What the names on the path of a value say about it.

use std::cell::OnceCell;

use super::context::{
    Nearby, SPEAKING, lowered, phone_in_name, speaks_of, speaks_of_ssn, strongest, words,
};
use super::known;
use super::lexicon::{CARD, IDENTIFIER, is_in};
use super::names::{self, Verdict};
use super::rule::RuleSet;

/// A name on the path of a value, and those further out.
pub(super) struct Names<'n> {
    name: &'n str,
    outer: Option<&'n Names<'n>>,
    said: OnceCell<Said>,
    verdict: OnceCell<Option<Verdict>>,
    /// Read at the first ambiguous number beneath, so that the next ones cost nothing.
    path: OnceCell<Path>,
}

/// What a name says by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Said {
    /// About the values beneath it; see [`names::verdict`].
    verdict: Option<Verdict>,
    /// The same where it is a member of a person.
    of_person: Option<Verdict>,
    /// Whether it is a member of something secret that is not secret itself.
    aside: bool,
    /// About telephones.
    pub(super) phone: Nearby,
    /// Whether it speaks of social security.
    pub(super) ssn: bool,
    /// Whether it speaks of a card.
    pub(super) card: bool,
    /// Whether it ends as the name of an identifier or a time does.
    pub(super) identifier: bool,
    /// What it speaks of.
    pub(super) topics: RuleSet,
}

impl Said {
    /// Reads a name.
    pub(super) fn by(name: &str) -> Self {
        let silent = !SPEAKING.may_speak(name);
        let verdict = names::verdict(name, None);
        let of_person = names::verdict(name, Some(names::PERSON));
        let aside = names::is_aside(name);
        if silent {
            let phone = Nearby::Silent;
            let topics = RuleSet::NONE;
            let (ssn, card, identifier) = (false, false, false);
            return Self { verdict, of_person, aside, phone, ssn, card, identifier, topics };
        }
        Self {
            verdict,
            of_person,
            aside,
            phone: phone_in_name(name),
            ssn: speaks_of_ssn(name),
            card: words(name).any(|word| is_in(&CARD, word)),
            identifier: words(name).last().is_some_and(|word| is_in(&IDENTIFIER, word)),
            topics: speaks_of(&lowered(name), 0).0,
        }
    }
}

/// What the names on a path say together.
#[derive(Clone, Copy)]
pub(super) struct Path {
    /// About telephones; never [`Nearby::Other`].
    pub(super) phone: Nearby,
    pub(super) ssn: bool,
    pub(super) card: bool,
    pub(super) topics: RuleSet,
}

impl<'n> Names<'n> {
    pub(super) fn new(name: &'n str, outer: Option<&'n Names<'n>>) -> Self {
        let (said, verdict, path) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { name, outer, said, verdict, path }
    }

    pub(super) fn said(&self) -> &Said {
        self.said.get_or_init(|| known::said(self.name))
    }

    /// What the name, or one further out that holds for all beneath it, says about a value here.
    pub(super) fn verdict(&self) -> Option<Verdict> {
        *self.verdict.get_or_init(|| {
            let said = self.said();
            let person = || self.outer.is_some_and(|outer| names::is_person(outer.name));
            let own = if said.of_person != said.verdict && person() {
                said.of_person
            } else {
                said.verdict
            };
            own.or_else(|| {
                let deep = self.outer?.verdict().filter(|verdict| verdict.deep)?;
                (!said.aside).then_some(deep)
            })
        })
    }

    /// The name further out.
    pub(super) fn outer(&self) -> Option<&'n Names<'n>> {
        self.outer
    }

    /// The name itself.
    pub(super) fn name(&self) -> &'n str {
        self.name
    }

    pub(super) fn path(&self) -> &Path {
        self.path.get_or_init(|| {
            let said = self.said();
            let own = Path {
                phone: strongest(said.phone, Nearby::Silent),
                ssn: said.ssn,
                card: said.card,
                topics: said.topics,
            };
            let Some(outer) = self.outer.map(Self::path) else { return own };
            Path {
                phone: strongest(own.phone, outer.phone),
                ssn: own.ssn || outer.ssn,
                card: own.card || outer.card,
                topics: own.topics.or(outer.topics),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::phrases::PHRASES;
    use super::*;

    #[test]
    fn what_a_name_says_is_remembered_as_it_was_read() {
        let mut names: Vec<String> = (0..400_u32)
            .map(|n| n.to_string().bytes().map(|b| char::from(b - b'0' + b'a')).collect())
            .map(|name: String| format!("{name}_id"))
            .collect();
        names.extend(PHRASES.iter().map(|(phrase, _)| phrase.replace(' ', "_")));
        names.extend(
            ["user.password", "X-Api-Key", "name", "card_no", "a".repeat(40).as_str()]
                .map(str::to_owned),
        );
        for name in names.iter().chain(&names) {
            assert_eq!(known::said(name), Said::by(name), "{name}");
        }
    }
}
