//! Which keys a verification believes: those that were handed over outside the ledger, and those that
//! followed them.

use std::collections::{BTreeMap, BTreeSet};

use crate::keys::{KeyChange, KeyChangeError, KeyEvent, KeyHistory, KeyRole};
use crate::note::{Note, VerifierKey};

/// The keys of a ledger, for a verification.
#[derive(Clone, Debug)]
pub struct Keys {
    history: KeyHistory,
    pinned: Vec<VerifierKey>,
    /// Public keys that are pinned, or vouched for by such; without pinned ones, not asked. Of the latter,
    /// which entry did so, and the key that signed it.
    believed: BTreeMap<[u8; 32], Option<(u64, [u8; 32])>>,
    without_effect: Vec<(u64, KeyChangeError)>,
}

impl Keys {
    /// From keys that were handed over outside the ledger, and what its `key` entries say, in the
    /// order of their indexes. Without pinned keys the entries are believed as they are, and then who
    /// can rewrite the whole ledger can also name the keys.
    #[must_use]
    pub fn new(origin: &str, pinned: Vec<VerifierKey>, changes: &[(u64, KeyChange)]) -> Self {
        let mut history = KeyHistory::new(origin);
        let (mut held, mut without_effect) = (Vec::new(), Vec::new());
        for (index, change) in changes {
            match history.apply(*index, change) {
                Ok(()) => held.push((*index, change)),
                Err(why) => without_effect.push((*index, why)),
            }
        }
        let believed = pinned.iter().map(|key| (*key.public(), None)).collect();
        let mut keys = Self { history, pinned, believed, without_effect };
        // The pinned key may be the first or the last: those after it are found on the way forward,
        // those before it on the way back, those of the other role on the way forward again.
        held.iter().for_each(|(index, change)| keys.follow(*index, change));
        held.iter().rev().for_each(|(index, change)| keys.follow(*index, change));
        held.iter().for_each(|(index, change)| keys.follow(*index, change));
        keys
    }

    /// Believes the keys that a change names if a key that is believed has signed it.
    fn follow(&mut self, index: u64, change: &KeyChange) {
        let Ok(note) = Note::parse(change.note.as_bytes()) else { return };
        let believed: Vec<&VerifierKey> = self
            .history
            .keys()
            .iter()
            .map(|known| &known.key)
            .chain(&self.pinned)
            .filter(|key| self.believed.contains_key(key.public()))
            .collect();
        let signed = note.verify(believed.iter().copied()).ok();
        let by = signed.and_then(|signed| Some(*signed.first()?.key.public()));
        let Some(by) = by.filter(|_| change.event != KeyEvent::Retired) else { return };
        for vkey in std::iter::once(&change.vkey).chain(&change.replaces) {
            if let Ok(key) = VerifierKey::parse(vkey) {
                self.believed.entry(*key.public()).or_insert(Some((index, by)));
            }
        }
    }

    /// Keys of a role that are believed for a checkpoint of `size` entries, or for the entry with the
    /// index `size`. Pinned keys that the ledger does not name count in every role.
    #[must_use]
    pub fn of(&self, role: KeyRole, size: u64) -> Vec<&VerifierKey> {
        let is_named = |key: &&VerifierKey| {
            self.history.keys().iter().any(|known| known.key.public() == key.public())
        };
        let unnamed = self.pinned.iter().filter(|key| !is_named(key));
        self.in_force(role, size).chain(unnamed).collect()
    }

    /// Keys of a role that the ledger's entries had put in force for a checkpoint of `size` entries, or
    /// for the entry with the index `size`, and that are believed: [`Keys::of`] without those that the
    /// ledger does not name.
    pub fn in_force(&self, role: KeyRole, size: u64) -> impl Iterator<Item = &VerifierKey> + Clone {
        let is_believed =
            |key: &&VerifierKey| self.pinned.is_empty() || self.believed.contains_key(key.public());
        self.history.in_force(role, size).filter(is_believed)
    }

    /// Indexes of the `key` entries by which a key follows from a pinned one, ascending; none for a pinned key,
    /// and for one that is not believed.
    #[must_use]
    pub fn way_to(&self, key: &VerifierKey) -> BTreeSet<u64> {
        let mut way = BTreeSet::new();
        let mut at = *key.public();
        // Each step leads to a key that was believed before, so this ends at a pinned one.
        while let Some(Some((index, by))) = self.believed.get(&at) {
            way.insert(*index);
            at = *by;
        }
        way
    }

    /// The entries that changed nothing, and why. Whoever may record can leave such entries.
    #[must_use]
    pub fn without_effect(&self) -> &[(u64, KeyChangeError)] {
        &self.without_effect
    }

    /// True when no key is known at all, so that no signature says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pinned.is_empty() && self.history.keys().is_empty()
    }

    /// True when keys were handed over outside the ledger.
    #[must_use]
    pub fn are_pinned(&self) -> bool {
        !self.pinned.is_empty()
    }

    /// What the ledger's entries say of its keys.
    #[must_use]
    pub const fn history(&self) -> &KeyHistory {
        &self.history
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyReason;
    use crate::note::{KeyName, NoteSigner};

    fn key(name: &str, n: u8) -> NoteSigner {
        NoteSigner::new(KeyName::new(name).unwrap(), &[n; 32]).unwrap()
    }

    fn change(
        event: KeyEvent,
        role: KeyRole,
        of: &NoteSigner,
        replaces: Option<&NoteSigner>,
        by: &[&NoteSigner],
    ) -> KeyChange {
        let mut change = KeyChange::new(event, role, of.verifier(), KeyReason::Routine);
        if let Some(old) = replaces {
            change = change.replacing(old.verifier());
        }
        let text = change.text("o");
        change.sign("o", by.iter().map(|key| key.sign(&text)).collect()).unwrap()
    }

    /// Checkpoint key 1, authority 9, checkpoint key 2 after 1.
    fn changes() -> Vec<(u64, KeyChange)> {
        let (one, two, nine) = (key("o", 1), key("o", 2), key("office", 9));
        vec![
            (0, change(KeyEvent::Added, KeyRole::Checkpoint, &one, None, &[&one])),
            (1, change(KeyEvent::Added, KeyRole::Authority, &nine, None, &[&nine, &one])),
            (9, change(KeyEvent::Rotated, KeyRole::Checkpoint, &two, Some(&one), &[&one, &two])),
        ]
    }

    fn ids(keys: &Keys, role: KeyRole) -> Vec<String> {
        keys.of(role, 100).iter().map(|key| key.id().to_string()).collect()
    }

    #[test]
    fn keys_are_believed_from_any_pinned_one_on_and_back() {
        let (one, two, nine) = (key("o", 1), key("o", 2), key("office", 9));
        let id = |key: &NoteSigner| key.verifier().id().to_string();
        for pinned in [vec![], vec![&one], vec![&two], vec![&one, &nine]] {
            let pinned = pinned.into_iter().map(|key| key.verifier().clone()).collect();
            let keys = Keys::new("o", pinned, &changes());
            assert_eq!(ids(&keys, KeyRole::Checkpoint), [id(&one), id(&two)]);
            assert_eq!(ids(&keys, KeyRole::Authority), [id(&nine)]);
        }
    }

    #[test]
    fn keys_that_no_pinned_one_vouches_for_are_not_believed() {
        let stranger = key("o", 7);
        let keys = Keys::new("o", vec![stranger.verifier().clone()], &changes());
        let id = stranger.verifier().id().to_string();
        assert_eq!(ids(&keys, KeyRole::Checkpoint), [id.as_str()]);
        assert_eq!(ids(&keys, KeyRole::Authority), [id.as_str()]);
        assert!(Keys::new("o", Vec::new(), &[]).is_empty());
    }

    #[test]
    fn changes_without_effect_are_told_of_and_keys_that_no_entry_names_are_not_in_force() {
        let (one, mine) = (key("o", 1), key("office", 66));
        let mut changes = changes();
        let tried = change(KeyEvent::Added, KeyRole::Authority, &mine, None, &[&mine, &one]);
        changes.push((12, tried));
        let keys = Keys::new("o", vec![mine.verifier().clone()], &changes);
        let why = KeyChangeError::NotFirst(KeyRole::Authority);
        assert_eq!(keys.without_effect(), [(12, why)]);
        assert_eq!(keys.of(KeyRole::Authority, 100), [mine.verifier()]);
        assert_eq!(keys.in_force(KeyRole::Authority, 100).next(), None);
        let keys = Keys::new("o", Vec::new(), &changes);
        let nine = key("office", 9);
        assert_eq!(keys.in_force(KeyRole::Authority, 100).collect::<Vec<_>>(), [nine.verifier()]);
        assert_eq!(keys.in_force(KeyRole::Authority, 1).next(), None, "not for its own entry");
    }

    #[test]
    fn an_authority_that_an_attacker_put_before_the_pinned_key_is_not_believed() {
        let (one, mine) = (key("o", 1), key("office", 66));
        let changes = [
            (0, change(KeyEvent::Added, KeyRole::Authority, &mine, None, &[&mine])),
            (1, change(KeyEvent::Added, KeyRole::Checkpoint, &one, None, &[&one, &mine])),
        ];
        let keys = Keys::new("o", vec![one.verifier().clone()], &changes);
        assert_eq!(ids(&keys, KeyRole::Checkpoint).len(), 1);
        assert_eq!(ids(&keys, KeyRole::Authority), [] as [String; 0]);
    }
}
