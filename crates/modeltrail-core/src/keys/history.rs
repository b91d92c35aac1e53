//! Which key was in force when.

use super::{KeyChange, KeyEvent, KeyRole};
use crate::note::{KeyError, KeyKind, Note, NoteError, VerifierKey, VerifyError};

/// Most keys of one ledger. A new one each day for eleven years; each is looked at for each change.
pub const N_KEYS_MAX: usize = 4096;

/// A key that the ledger names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LedgerKey {
    /// The key.
    pub key: VerifierKey,
    /// What it is for.
    pub role: KeyRole,
    /// Index of the entry that put it in force.
    pub since: u64,
    /// Index of the entry that retired it.
    pub until: Option<u64>,
}

impl LedgerKey {
    /// Whether it was in force for a checkpoint of `size` entries, which is also what the entry with
    /// the index `size` finds: an entry takes effect behind itself.
    #[must_use]
    pub fn is_in_force(&self, size: u64) -> bool {
        self.since < size && self.until.is_none_or(|until| until >= size)
    }
}

/// Why a `key` entry changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyChangeError {
    /// The key cannot be read.
    #[error("the key cannot be read: {0}")]
    Key(#[from] KeyError),
    /// Only Ed25519 keys of type 0x01 sign checkpoints and decisions.
    #[error("the key has type {0:#04x}, and those of a ledger have 0x01")]
    Kind(u8),
    /// A checkpoint key is not named like its ledger.
    #[error("a checkpoint key is named like its ledger, {0}")]
    Name(String),
    /// The note cannot be read.
    #[error("the note is none: {0}")]
    Note(#[from] NoteError),
    /// The note is about something else.
    #[error("the note is signed over another change than the entry tells of")]
    Text,
    /// The key was in force before; a key does not come back.
    #[error("the key was in force before, from entry {0} on; a key does not come back")]
    Known(u64),
    /// The role has a key in force, which has to be rotated.
    #[error("there is a {0} key in force, which a new one can only take over from")]
    NotFirst(KeyRole),
    /// The key that is replaced or retired is not in force.
    #[error("the key that it takes over from, or retires, is not in force")]
    NotInForce,
    /// A signature that the change needs is not there.
    #[error("it needs a signature by {who}: {error}")]
    Unsigned {
        /// Whose.
        who: &'static str,
        /// What is wrong with it.
        error: VerifyError,
    },
    /// More than [`N_KEYS_MAX`].
    #[error("a ledger names at most {N_KEYS_MAX} keys")]
    TooMany,
}

/// The keys of a ledger in the order of their entries.
///
/// Every key is in force from its entry on until it is retired, and none comes back, so that an entry
/// which is copied to a later place changes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyHistory {
    origin: String,
    keys: Vec<LedgerKey>,
}

impl KeyHistory {
    /// The history of a ledger without `key` entries.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), keys: Vec::new() }
    }

    /// Every key, those that were retired included.
    #[must_use]
    pub fn keys(&self) -> &[LedgerKey] {
        &self.keys
    }

    /// Keys of a role that were in force for a checkpoint of `size` entries, or that the entry with
    /// the index `size` finds; `u64::MAX` for those in force now.
    pub fn in_force(&self, role: KeyRole, size: u64) -> impl Iterator<Item = &VerifierKey> + Clone {
        let fits = move |key: &&LedgerKey| key.role == role && key.is_in_force(size);
        self.keys.iter().filter(fits).map(|key| &key.key)
    }

    /// Takes the `key` entry at `index`, which must come in the order of indexes. One that is not
    /// right changes nothing.
    ///
    /// # Errors
    /// What is not right.
    pub fn apply(&mut self, index: u64, change: &KeyChange) -> Result<(), KeyChangeError> {
        let key = VerifierKey::parse(&change.vkey)?;
        let note = Note::parse(change.note.as_bytes())?;
        if note.text() != change.text(&self.origin) {
            return Err(KeyChangeError::Text);
        }
        match change.event {
            KeyEvent::Added => self.add(index, change, key, &note),
            KeyEvent::Rotated => self.rotate(index, change, key, &note),
            KeyEvent::Retired => self.retire(index, change, &key, &note),
        }
    }

    fn add(
        &mut self,
        index: u64,
        change: &KeyChange,
        key: VerifierKey,
        note: &Note,
    ) -> Result<(), KeyChangeError> {
        if change.replaces.is_some() {
            return Err(KeyChangeError::NotInForce);
        }
        if self.in_force(change.role, index).next().is_some() {
            return Err(KeyChangeError::NotFirst(change.role));
        }
        // The first key of all stands for itself: whoever verifies has pinned it, or another.
        let other = match change.role {
            KeyRole::Checkpoint => KeyRole::Authority,
            KeyRole::Authority => KeyRole::Checkpoint,
        };
        if self.in_force(other, index).next().is_some() {
            signed(note, self.in_force(other, index), "a key in force of the other role")?;
        }
        self.put(index, change.role, key, note)
    }

    fn rotate(
        &mut self,
        index: u64,
        change: &KeyChange,
        key: VerifierKey,
        note: &Note,
    ) -> Result<(), KeyChangeError> {
        let old = change.replaces.as_deref().ok_or(KeyChangeError::NotInForce)?;
        let old = VerifierKey::parse(old)?;
        if !self.in_force(change.role, index).any(|known| *known == old) {
            return Err(KeyChangeError::NotInForce);
        }
        let sayers = std::iter::once(&old).chain(self.in_force(KeyRole::Authority, index));
        signed(note, sayers, "the key that it takes over from, or an authority key")?;
        self.put(index, change.role, key, note)
    }

    fn retire(
        &mut self,
        index: u64,
        change: &KeyChange,
        key: &VerifierKey,
        note: &Note,
    ) -> Result<(), KeyChangeError> {
        if change.replaces.is_some() || !self.in_force(change.role, index).any(|k| k == key) {
            return Err(KeyChangeError::NotInForce);
        }
        // Not by itself: a key that somebody stole must not be able to leave the ledger without one.
        let others = self.in_force(change.role, index).filter(|known| *known != key);
        let authorities = self.in_force(KeyRole::Authority, index).filter(|known| *known != key);
        let sayers = others.chain(authorities);
        signed(note, sayers, "another key in force of its role, or an authority key")?;
        let known = self.keys.iter_mut().find(|known| known.key == *key);
        if let Some(known) = known {
            known.until = Some(index);
        }
        Ok(())
    }

    /// Puts a key in force that was not before and that has signed for itself.
    fn put(
        &mut self,
        index: u64,
        role: KeyRole,
        key: VerifierKey,
        note: &Note,
    ) -> Result<(), KeyChangeError> {
        if key.kind() != KeyKind::Ed25519 {
            return Err(KeyChangeError::Kind(key.kind().code()));
        }
        if role == KeyRole::Checkpoint && key.name().as_str() != self.origin {
            return Err(KeyChangeError::Name(self.origin.clone()));
        }
        // Under another name it would be the same secret.
        if let Some(known) = self.keys.iter().find(|known| known.key.public() == key.public()) {
            return Err(KeyChangeError::Known(known.since));
        }
        signed(note, std::iter::once(&key), "the new key itself")?;
        if self.keys.len() >= N_KEYS_MAX {
            return Err(KeyChangeError::TooMany);
        }
        self.keys.push(LedgerKey { key, role, since: index, until: None });
        Ok(())
    }
}

fn signed<'k>(
    note: &Note,
    keys: impl Iterator<Item = &'k VerifierKey> + Clone,
    who: &'static str,
) -> Result<(), KeyChangeError> {
    let verified = note.verify(keys).map(drop);
    verified.map_err(|error| KeyChangeError::Unsigned { who, error })
}
