//! Making, rotating and retiring the keys of a ledger: files in its folder, and an entry for each
//! change that is signed by the keys that may say so (`spec/control.md`).
//!
//! A key signs nothing before its entry is sequenced, and its file is called `….new` until then. What
//! was interrupted goes on where it stopped when the same is asked for again.

mod error;
mod files;
mod history;
mod pseudonyms;
#[cfg(test)]
mod tests;

pub use error::KeysError;
pub use history::history;

use std::path::{Path, PathBuf};

use modeltrail_core::control::Control;
use modeltrail_core::keys::{KeyChange, KeyEvent, KeyHistory, KeyReason, KeyRole};
use modeltrail_core::note::{KeyName, NoteSigner, VerifierKey};

use crate::recorder::{Ack, Recorder};
use crate::signer::{
    AUTHORITY, CHECKPOINT, COMMAND, CommandSigner, FileSigner, KEY, NEXT, Signer, SignerError,
    load_one, sign_checked,
};
use files::{is_there, remove, rename};

/// What is put behind the origin to name the authority key that a ledger makes for itself.
const AUTHORITY_SUFFIX: &str = "/authority";

/// How a file ends whose key is not in force yet.
const NEW: &str = "new";

/// The keys of a ledger, to be changed. Entries are written through a recorder, so that another
/// process may be the sequencer.
pub struct LedgerKeys<'a> {
    recorder: &'a Recorder,
    origin: String,
    dir: PathBuf,
    authority: Option<PathBuf>,
}

type BoxedSigner = Box<dyn Signer>;

impl<'a> LedgerKeys<'a> {
    /// The keys of the ledger that a recorder records into.
    ///
    /// # Errors
    /// When the recorder cannot be used, or the ledger cannot be read.
    pub fn of(recorder: &'a Recorder) -> Result<Self, KeysError> {
        let ledger = recorder.ledger()?;
        let origin = ledger.open_read()?.origin().to_owned();
        Ok(Self { recorder, origin, dir: ledger.keys_dir(), authority: None })
    }

    /// Takes the authority key from another file than the one in the ledger's folder, as when it is
    /// kept on a medium of its own.
    #[must_use]
    pub fn authority_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.authority = Some(path.into());
        self
    }

    /// The keys that the entries name so far, in the order of their entries.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn history(&self) -> Result<KeyHistory, KeysError> {
        let store = self.recorder.ledger()?.open_read()?;
        Ok(history(store.as_ref())?.0)
    }

    /// Makes what a new ledger needs: an authority key and a checkpoint key. Gives both.
    ///
    /// # Errors
    /// [`KeysError::There`] when there is a checkpoint key, else when files or entries cannot be
    /// written.
    pub fn begin(&self) -> Result<[VerifierKey; 2], KeysError> {
        let authority = match self.in_force(KeyRole::Authority)? {
            Some(key) => key,
            None => self.generate(KeyRole::Authority)?,
        };
        Ok([authority, self.generate(KeyRole::Checkpoint)?])
    }

    /// Makes the first key of a role and puts it in force.
    ///
    /// # Errors
    /// [`KeysError::There`] when the role has one, [`KeysError::NoSayer`] when a key of the other
    /// role has to sign and is not at hand, else when files or entries cannot be written.
    pub fn generate(&self, role: KeyRole) -> Result<VerifierKey, KeysError> {
        let (name, key_name) = match role {
            KeyRole::Checkpoint => (CHECKPOINT, self.origin.clone()),
            KeyRole::Authority => (AUTHORITY, format!("{}{AUTHORITY_SUFFIX}", self.origin)),
        };
        let staged = self.path(name, KEY, true);
        self.not_there(role, &staged)?;
        let signer: BoxedSigner = Box::new(self.staged_key(&staged, &key_name)?);
        self.add(role, name, KEY, signer.as_ref())
    }

    /// Has a program sign checkpoints from the beginning; its key becomes the first of the ledger.
    ///
    /// # Errors
    /// As [`LedgerKeys::generate`], and when the program gives no valid signature.
    pub fn use_command(&self, signer: &CommandSigner) -> Result<VerifierKey, KeysError> {
        let staged = self.path(CHECKPOINT, COMMAND, true);
        self.not_there(KeyRole::Checkpoint, &staged)?;
        self.stage_command(&staged, signer)?;
        self.add(KeyRole::Checkpoint, CHECKPOINT, COMMAND, signer)
    }

    /// Lets a new checkpoint key take over. For [`KeyReason::Routine`] both keys sign from then on
    /// until [`LedgerKeys::retire`]; for the other reasons the old one is retired at once. `next`
    /// is a program that has the new key; without it one is made.
    ///
    /// # Errors
    /// [`KeysError::None`], [`KeysError::Overlap`], [`KeysError::NoSayer`] when neither the old key
    /// nor the authority key is at hand, else when files or entries cannot be written.
    pub fn rotate(
        &self,
        reason: KeyReason,
        next: Option<&CommandSigner>,
    ) -> Result<VerifierKey, KeysError> {
        let role = KeyRole::Checkpoint;
        let history = self.history()?;
        let mut in_force = history.in_force(role, u64::MAX);
        let old = in_force.next().ok_or(KeysError::None { role })?.clone();
        let ending = if next.is_some() { COMMAND } else { KEY };
        let staged = self.path(NEXT, ending, true);
        if let Some(second) = in_force.next() {
            // Its entry was written, and then something came in between.
            let own = self.placed(NEXT).is_none() && self.is_key_of(&staged, second);
            if !own {
                return Err(KeysError::Overlap);
            }
            self.place(NEXT, ending)?;
            return Ok(second.clone());
        }
        let made;
        let signer: &dyn Signer = match next {
            Some(next) => {
                self.stage_command(&staged, next)?;
                next
            }
            None => {
                made = self.staged_key(&staged, &self.origin)?;
                &made
            }
        };
        let change = KeyChange::new(KeyEvent::Rotated, role, signer.verifier(), reason);
        let change = change.replacing(&old);
        let mut sayers = self.at_hand(&history, reason)?;
        if sayers.is_empty() {
            return Err(KeysError::NoSayer { who: "the old checkpoint key or the authority key" });
        }
        sayers.insert(0, Sayer::Borrowed(signer));
        self.say(change, &sayers)?;
        self.place(NEXT, ending)?;
        if reason != KeyReason::Routine {
            self.retire(reason)?;
        }
        Ok(signer.verifier().clone())
    }

    /// Ends the overlap: the older checkpoint key is retired and its file removed. Gives the key
    /// that was retired.
    ///
    /// # Errors
    /// [`KeysError::NoOverlap`], else when files or entries cannot be written.
    pub fn retire(&self, reason: KeyReason) -> Result<VerifierKey, KeysError> {
        let role = KeyRole::Checkpoint;
        let history = self.history()?;
        let (_, next) = load_one(&self.dir, NEXT)?.ok_or(KeysError::NoOverlap)?;
        let mut others = history
            .keys()
            .iter()
            .filter(|known| known.role == role && known.key != *next.verifier());
        let in_force = others.clone().find(|known| known.is_in_force(u64::MAX));
        let old = match in_force {
            Some(known) => {
                let change = KeyChange::new(KeyEvent::Retired, role, &known.key, reason);
                let mut sayers = vec![Sayer::Borrowed(next.as_ref())];
                sayers.extend(self.authority_at_hand(&history)?);
                self.say(change, &sayers)?;
                known.key.clone()
            }
            // The entry was written, and the files were not changed.
            None => others.next_back().ok_or(KeysError::NoOverlap)?.key.clone(),
        };
        for ending in [KEY, COMMAND] {
            remove(&self.path(CHECKPOINT, ending, false))?;
        }
        for ending in [KEY, COMMAND] {
            let from = self.path(NEXT, ending, false);
            if is_there(&from)? {
                rename(&from, &self.path(CHECKPOINT, ending, false))?;
            }
        }
        Ok(old)
    }

    /// Ends the overlap the other way round: the newer checkpoint key is retired and its file removed, as
    /// when it was stolen before the older one was retired. Gives the key that was retired.
    ///
    /// # Errors
    /// As [`LedgerKeys::retire`].
    pub fn retire_newer(&self, reason: KeyReason) -> Result<VerifierKey, KeysError> {
        let role = KeyRole::Checkpoint;
        let history = self.history()?;
        let (_, older) = load_one(&self.dir, CHECKPOINT)?.ok_or(KeysError::NoOverlap)?;
        let (_, next) = load_one(&self.dir, NEXT)?.ok_or(KeysError::NoOverlap)?;
        let newer = next.verifier().clone();
        if history.in_force(role, u64::MAX).any(|key| *key == newer) {
            let change = KeyChange::new(KeyEvent::Retired, role, &newer, reason);
            let mut sayers = vec![Sayer::Borrowed(older.as_ref())];
            sayers.extend(self.authority_at_hand(&history)?);
            self.say(change, &sayers)?;
        }
        for ending in [KEY, COMMAND] {
            remove(&self.path(NEXT, ending, false))?;
        }
        Ok(newer)
    }

    /// Lets a new authority key take over, without an overlap: what the old one signed stays signed.
    ///
    /// # Errors
    /// [`KeysError::None`], [`KeysError::NoSayer`] when the old key is not at hand, else when files or
    /// entries cannot be written.
    pub fn rotate_authority(&self, reason: KeyReason) -> Result<VerifierKey, KeysError> {
        let role = KeyRole::Authority;
        let history = self.history()?;
        let old = history.in_force(role, u64::MAX).next().ok_or(KeysError::None { role })?.clone();
        let staged = self.path(AUTHORITY, KEY, true);
        let name = format!("{}{AUTHORITY_SUFFIX}", self.origin);
        let new = self.staged_key(&staged, &name)?;
        if !history.in_force(role, u64::MAX).any(|key| key == new.verifier()) {
            let sayer = self.authority_at_hand(&history)?;
            let sayer = sayer.ok_or(KeysError::NoSayer { who: "the old authority key" })?;
            let change = KeyChange::new(KeyEvent::Rotated, role, new.verifier(), reason);
            self.say(change.replacing(&old), &[Sayer::Borrowed(&new), sayer])?;
        }
        let change = KeyChange::new(KeyEvent::Retired, role, &old, reason);
        self.say(change, &[Sayer::Borrowed(&new)])?;
        // Over the old one, if that was here.
        self.place(AUTHORITY, KEY)?;
        Ok(new.verifier().clone())
    }

    fn in_force(&self, role: KeyRole) -> Result<Option<VerifierKey>, KeysError> {
        Ok(self.history()?.in_force(role, u64::MAX).next().cloned())
    }

    /// Refuses a second first key, unless it is the one that was being made here.
    fn not_there(&self, role: KeyRole, staged: &Path) -> Result<(), KeysError> {
        match self.in_force(role)? {
            Some(key) if !self.is_key_of(staged, &key) => {
                Err(KeysError::There { role, vkey: key.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// Writes the entry of a first key, unless it is there, and gives the file its name.
    fn add(
        &self,
        role: KeyRole,
        name: &str,
        ending: &str,
        signer: &dyn Signer,
    ) -> Result<VerifierKey, KeysError> {
        let history = self.history()?;
        let key = signer.verifier().clone();
        if !history.in_force(role, u64::MAX).any(|known| *known == key) {
            let mut sayers = vec![Sayer::Borrowed(signer)];
            match role {
                KeyRole::Checkpoint => sayers.extend(self.authority_at_hand(&history)?),
                KeyRole::Authority => sayers.extend(self.checkpoint_at_hand(&history)?),
            }
            let change = KeyChange::new(KeyEvent::Added, role, &key, KeyReason::Created);
            self.say(change, &sayers)?;
        }
        self.place(name, ending)?;
        Ok(key)
    }

    /// Signs a change, sees that the ledger will believe it, has it sequenced, and sees that it does.
    fn say(&self, change: KeyChange, sayers: &[Sayer<'_>]) -> Result<(), KeysError> {
        let text = change.text(&self.origin);
        let lines = sayers.iter().map(|sayer| sign_checked(sayer.signer(), &text));
        let change = change.sign(&self.origin, lines.collect::<Result<_, _>>()?)?;
        let mut history = self.history()?;
        let expected = |history: &KeyHistory| {
            let there = history.keys().iter().find(|known| known.key.to_string() == change.vkey);
            let there = there.filter(|known| known.role == change.role);
            there.is_some_and(|known| known.until.is_some() == (change.event == KeyEvent::Retired))
        };
        // At an index behind all others; which one it gets is not known here, and does not matter.
        history.apply(u64::MAX - 1, &change)?;
        self.recorder.control(&Control::Key(change.clone()))?;
        self.recorder.flush(Ack::Sequenced)?;
        if expected(&self.history()?) { Ok(()) } else { Err(KeysError::NoEffect) }
    }

    /// Who can say that a checkpoint key takes over: the old one, unless it is lost, and the
    /// authority.
    fn at_hand(
        &self,
        history: &KeyHistory,
        reason: KeyReason,
    ) -> Result<Vec<Sayer<'static>>, KeysError> {
        let old = match reason {
            KeyReason::Lost => None,
            _ => self.checkpoint_at_hand(history)?,
        };
        Ok(old.into_iter().chain(self.authority_at_hand(history)?).collect())
    }

    fn checkpoint_at_hand(
        &self,
        history: &KeyHistory,
    ) -> Result<Option<Sayer<'static>>, KeysError> {
        let signer = load_one(&self.dir, CHECKPOINT)?.map(|(_, signer)| signer);
        Ok(in_force_only(signer, history, KeyRole::Checkpoint))
    }

    fn authority_at_hand(&self, history: &KeyHistory) -> Result<Option<Sayer<'static>>, KeysError> {
        let signer: Option<BoxedSigner> = match &self.authority {
            Some(path) => Some(Box::new(FileSigner::open(path)?)),
            None => load_one(&self.dir, AUTHORITY)?.map(|(_, signer)| signer),
        };
        Ok(in_force_only(signer, history, KeyRole::Authority))
    }

    fn path(&self, name: &str, ending: &str, new: bool) -> PathBuf {
        let file = format!("{name}.{ending}");
        self.dir.join(if new { format!("{file}.{NEW}") } else { file })
    }

    /// The key that waits in a file, or a new one that is put there.
    fn staged_key(&self, path: &Path, name: &str) -> Result<FileSigner, KeysError> {
        if is_there(path)? {
            return Ok(FileSigner::open(path)?);
        }
        let named = KeyName::new(name);
        let name =
            named.map_err(|source| KeysError::Origin { origin: self.origin.clone(), source })?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(KeysError::Random)?;
        let made = NoteSigner::new(name, &seed);
        let key = made.map_err(|source| SignerError::Key { path: path.to_owned(), source })?;
        Ok(FileSigner::create(path, key)?)
    }

    fn stage_command(&self, path: &Path, signer: &CommandSigner) -> Result<(), KeysError> {
        let text = signer.to_text().ok_or(KeysError::Lines)?;
        // What an earlier attempt left may name another program.
        remove(path)?;
        Ok(crate::signer::write_closed(path, &text)?)
    }

    fn is_key_of(&self, path: &Path, key: &VerifierKey) -> bool {
        let file = FileSigner::open(path).map(|signer| signer.verifier() == key);
        let command = || CommandSigner::open(path).map(|signer| signer.verifier() == key);
        file.or_else(|_| command()).unwrap_or(false)
    }

    fn placed(&self, name: &str) -> Option<PathBuf> {
        let paths = [KEY, COMMAND].map(|ending| self.path(name, ending, false));
        paths.into_iter().find(|path| path.exists())
    }

    /// Gives a file whose key is in force its name.
    fn place(&self, name: &str, ending: &str) -> Result<(), KeysError> {
        rename(&self.path(name, ending, true), &self.path(name, ending, false))
    }
}

/// Somebody who signs a change.
enum Sayer<'a> {
    Borrowed(&'a dyn Signer),
    Owned(BoxedSigner),
}

impl Sayer<'_> {
    fn signer(&self) -> &dyn Signer {
        match self {
            Self::Borrowed(signer) => *signer,
            Self::Owned(signer) => signer.as_ref(),
        }
    }
}

fn in_force_only(
    signer: Option<BoxedSigner>,
    history: &KeyHistory,
    role: KeyRole,
) -> Option<Sayer<'static>> {
    let signer = signer?;
    let in_force = history.in_force(role, u64::MAX).any(|key| key == signer.verifier());
    in_force.then_some(Sayer::Owned(signer))
}
