//! Publishing: from what is durable to a signed checkpoint.
//!
//! The sequencer does it, after its commits. A checkpoint is signed only over what the store gives
//! back when it is read again: bits flip in memory, and a signature over a wrong root cannot be taken
//! back. Before each signature
//!
//! 1. the transaction is durable;
//! 2. the leaves behind the last checkpoint are read from the store, hashed, and put on the frontier
//!    of that checkpoint; at every size that the sequencer committed the root must be the one that
//!    it had in memory;
//! 3. so the new checkpoint extends the last one, whose own root was held against the stored tree when
//!    the sequencer began;
//! 4. the anchor outside the database is read again, and must not know more.
//!
//! Then the checkpoint is stored, and then written to the anchor.

mod error;
mod outside;
#[cfg(test)]
mod tests;

pub use error::PublishError;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use modeltrail_core::Hash;
use modeltrail_core::anchor::{Anchor, Head};
use modeltrail_core::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use modeltrail_core::keys::{KeyHistory, KeyRole};
use modeltrail_core::leaf::leaf_hash;
use modeltrail_core::merkle::{Frontier, Nodes as _};
use modeltrail_core::note::VerifierKey;

use crate::anchor_file;
use crate::keys;
use crate::ledger::Ledger;
use crate::proofs::{self, ProofsError};
use crate::signer::{KeyRing, Stamp, stamps};
use crate::store::{Store, StoreError, Tip};

/// With somebody waiting for a checkpoint, it may come after this part of the usual time.
const HURRY: u32 = 10;

/// Most committed heads that are remembered until the next checkpoint. One a batch: at the largest
/// batches 4 million entries. More are merged, and checked at the later head of two.
const N_HEADS_MAX: usize = 1024;

/// How often checkpoints are published.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublishOptions {
    /// A ledger that grew gets a checkpoint after this time; 1 s by default. That is how long an
    /// entry can be without evidence outside the database, and what a caller at `published` waits.
    pub every: Duration,
    /// Or after this many entries; 65,536 by default, a complete subtree, and half a second of the
    /// fastest sequencing. It is also how many stored leaves are read again at a time, so that a
    /// long ledger that gets its first key goes on taking records.
    pub n_entries: u64,
}

impl Default for PublishOptions {
    fn default() -> Self {
        Self { every: Duration::from_secs(1), n_entries: 65_536 }
    }
}

/// What a sequencer knows of its ledger's checkpoints.
pub(crate) struct Publisher {
    origin: String,
    keys_dir: PathBuf,
    anchor: Option<PathBuf>,
    options: PublishOptions,
    ring: Option<KeyRing>,
    stamps: [Stamp; 4],
    /// The newest stored checkpoint.
    last: Option<SignedCheckpoint>,
    /// The tree over the stored leaves that were read again.
    frontier: Frontier,
    /// Heads as they were committed, ascending, that the stored leaves must give.
    heads: VecDeque<Head>,
    anchored_size: u64,
    /// When something was published or tried last.
    tried: Instant,
    in_a_hurry: bool,
    trouble: Option<String>,
}

impl Publisher {
    /// Looks at keys, checkpoints and what is kept outside the database.
    ///
    /// # Errors
    /// When the ledger is not the one that they know, or a key cannot be used. A key that is merely
    /// not there is [`Publisher::trouble`]: without it records can still be kept.
    pub(crate) fn open(
        ledger: &Ledger,
        store: &dyn Store,
        tip: &Tip,
        options: PublishOptions,
    ) -> Result<Self, PublishError> {
        let keys_dir = ledger.keys_dir();
        let stamps = stamps(&keys_dir);
        let ring = KeyRing::load(&keys_dir, store.origin())?;
        let last = store.checkpoint(None)?;
        if let Some(last) = &last {
            let known = of_checkpoint(last);
            outside::check(&PathBuf::from("its own last checkpoint"), &known, store, tip)?;
        }
        let size = last.as_ref().map_or(0, size_of);
        let now = Instant::now();
        let mut publisher = Self {
            origin: store.origin().to_owned(),
            keys_dir,
            anchor: (!ledger.is_memory()).then(|| ledger.anchor_path()),
            options,
            ring,
            stamps,
            last,
            frontier: frontier_at(store, size)?,
            heads: VecDeque::new(),
            anchored_size: 0,
            // The first one is due at once: entries may have been waiting since the last sequencer.
            tried: now.checked_sub(options.every).unwrap_or(now),
            in_a_hurry: false,
            trouble: None,
        };
        publisher.check_outside(ledger, store, tip)?;
        publisher.check_keys(store)?;
        publisher.heads.push_back(tip.head);
        if publisher.ring.is_some() {
            // Before anything is built on it.
            publisher.advance(store, tip.head.size)?;
        }
        Ok(publisher)
    }

    /// Holds the ledger against the anchor and the last head outside it.
    fn check_outside(
        &mut self,
        ledger: &Ledger,
        store: &dyn Store,
        tip: &Tip,
    ) -> Result<(), PublishError> {
        for path in [ledger.head_path(), ledger.anchor_path()] {
            let Some(known) = outside::read(&path)? else { continue };
            outside::check(&path, &known.anchor, store, tip)?;
            let by_ring =
                self.ring.as_ref().is_some_and(|ring| outside::is_by(&known, ring.verifiers()));
            if known.signed.is_some() && !by_ring && !self.is_by_history(store, &known)? {
                let what = "it is signed by no key of this ledger";
                return Err(PublishError::Foreign { path, what });
            }
            if known.signed.is_some() {
                self.anchored_size = known.anchor.head.size;
            }
        }
        Ok(())
    }

    /// True as well for a ledger whose entries name no key: then nothing can be held against it.
    fn is_by_history(
        &self,
        store: &dyn Store,
        known: &outside::Outside,
    ) -> Result<bool, PublishError> {
        let (history, _) = keys::history(store)?;
        let mut ever = checkpoint_keys(&history).peekable();
        Ok((ever.peek().is_none() && self.ring.is_none()) || outside::is_by(known, ever))
    }

    /// Refuses keys that are not this ledger's. One that has signed the last checkpoint is; of others
    /// the entries tell.
    fn check_keys(&mut self, store: &dyn Store) -> Result<(), PublishError> {
        let Some(ring) = &self.ring else {
            if self.last.is_some() {
                let error = PublishError::KeyGone { dir: self.keys_dir.clone() };
                self.note_trouble(Some(error.to_string()));
            }
            return Ok(());
        };
        let last = self.last.as_ref();
        let signed = |key: &VerifierKey| last.is_some_and(|last| last.verify_log([key]).is_ok());
        if ring.verifiers().all(signed) {
            return Ok(());
        }
        let (history, _) = keys::history(store)?;
        let in_force = |key: &&VerifierKey| {
            history.in_force(KeyRole::Checkpoint, u64::MAX).any(|known| known == *key)
        };
        if let Some(other) = ring.verifiers().find(|key| !signed(key) && !in_force(key)) {
            let vkey = other.to_string();
            return Err(PublishError::OtherKey { vkey, dir: self.keys_dir.clone() });
        }
        if let Some(last) = last.filter(|last| last.verify_log(checkpoint_keys(&history)).is_err())
        {
            return Err(PublishError::OtherCheckpoint { size: size_of(last) });
        }
        Ok(())
    }

    /// True when the ledger has, or had, a key: then the anchor is a signed checkpoint.
    pub(crate) const fn is_signed(&self) -> bool {
        // The last is the size of an anchor that somebody signed, whatever became of the database.
        self.ring.is_some() || self.last.is_some() || self.anchored_size > 0
    }

    /// True when it can sign now.
    pub(crate) const fn can_sign(&self) -> bool {
        self.ring.is_some()
    }

    /// The newest checkpoint.
    pub(crate) const fn last(&self) -> Option<&SignedCheckpoint> {
        self.last.as_ref()
    }

    /// Size of the newest checkpoint.
    pub(crate) fn size(&self) -> u64 {
        self.last.as_ref().map_or(0, size_of)
    }

    /// Why nothing is published, if that is so.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Says whether somebody waits for a checkpoint.
    pub(crate) const fn hurry(&mut self, in_a_hurry: bool) {
        self.in_a_hurry = in_a_hurry;
    }

    /// Notes a head that was committed: the stored leaves must give its root.
    pub(crate) fn committed(&mut self, head: Head) {
        if self.heads.back().is_some_and(|last| last.size == head.size) {
            return;
        }
        if self.heads.len() >= N_HEADS_MAX {
            self.heads.pop_back();
        }
        self.heads.push_back(head);
    }

    /// Publishes a checkpoint if one is due, or if `now` asks for it and the ledger grew; gives its
    /// size. What passes is kept as [`Publisher::trouble`] and tried again when the next one is due.
    ///
    /// # Errors
    /// When the ledger is not what it was: nothing may be built on it.
    pub(crate) fn step(
        &mut self,
        store: &mut dyn Store,
        tip: &Tip,
        now: bool,
    ) -> Result<Option<u64>, PublishError> {
        if !now && !self.is_due(tip.head.size) {
            return Ok(None);
        }
        match self.try_step(store, tip) {
            Ok(size) => {
                if self.ring.is_some() {
                    self.note_trouble(None);
                }
                Ok(size)
            }
            Err(error) if error.is_passing() => {
                self.note_trouble(Some(error.to_string()));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn is_due(&self, size: u64) -> bool {
        let every = if self.in_a_hurry { self.options.every / HURRY } else { self.options.every };
        let many = size.saturating_sub(self.size()) >= self.options.n_entries;
        // After trouble only time helps: a signer that fails must not be asked after every batch.
        let many = many && self.trouble.is_none() && self.ring.is_some();
        many || self.tried.elapsed() >= every
    }

    fn try_step(&mut self, store: &mut dyn Store, tip: &Tip) -> Result<Option<u64>, PublishError> {
        self.tried = Instant::now();
        self.look_at_keys(store)?;
        if self.ring.is_none() {
            return Ok(None);
        }
        self.committed(tip.head);
        self.advance(store, tip.head.size)?;
        let size = self.frontier.size();
        if size > self.size() {
            self.check_anchor(tip)?;
            let signed = self.sign()?;
            store.put_checkpoint(&signed)?;
            self.last = Some(signed);
            self.write_anchor()?;
            return Ok(Some(size));
        }
        // One that could not be written after the last checkpoint.
        self.write_anchor()?;
        Ok(None)
    }

    /// Reads the keys again when a file was changed: a rotation, or the first key of the ledger.
    fn look_at_keys(&mut self, store: &dyn Store) -> Result<(), PublishError> {
        let stamps = stamps(&self.keys_dir);
        if stamps == self.stamps {
            return Ok(());
        }
        // With the old stamps kept until all is well, it is tried again.
        let before =
            std::mem::replace(&mut self.ring, KeyRing::load(&self.keys_dir, &self.origin)?);
        if let Err(error) = self.check_keys(store) {
            self.ring = before;
            return Err(error);
        }
        self.stamps = stamps;
        Ok(())
    }

    /// Reads the next stored leaves, up to `end`, and puts them on the frontier.
    fn advance(&mut self, store: &dyn Store, end: u64) -> Result<(), PublishError> {
        let start = self.frontier.size();
        let end = end.min(start.saturating_add(self.options.n_entries.max(1)));
        let mut frontier = self.frontier.clone();
        let mut heads = self.heads.iter().skip_while(|head| head.size <= start).peekable();
        let mut wrong = None;
        store.leaves(start..end, &mut |index, leaf, stored| {
            if wrong.is_none() {
                wrong = add_leaf(&mut frontier, index, leaf, stored).err();
            }
            while wrong.is_none()
                && let Some(head) = heads.next_if(|head| head.size <= frontier.size())
            {
                if head.size == frontier.size() && head.root != frontier.root() {
                    wrong = Some(PublishError::Root { size: head.size });
                }
            }
        })?;
        if let Some(error) = wrong {
            return Err(error);
        }
        if frontier.size() < end {
            let what = "its leaf is not in the database";
            return Err(PublishError::Leaf { index: frontier.size(), what });
        }
        self.frontier = frontier;
        while self.heads.front().is_some_and(|head| head.size < self.frontier.size()) {
            self.heads.pop_front();
        }
        Ok(())
    }

    /// Somebody may have put another anchor there, or another ledger under it.
    fn check_anchor(&self, tip: &Tip) -> Result<(), PublishError> {
        let Some(path) = &self.anchor else { return Ok(()) };
        let Some(known) = outside::read(path)? else { return Ok(()) };
        let path = path.clone();
        if known.anchor.origin != self.origin {
            return Err(PublishError::Foreign { path, what: "it names another origin" });
        }
        let (size, known) = (tip.head.size, known.anchor.head.size);
        if known > size { Err(PublishError::Behind { size, known, path }) } else { Ok(()) }
    }

    fn sign(&self) -> Result<SignedCheckpoint, PublishError> {
        let head = Head { size: self.frontier.size(), root: self.frontier.root() };
        let unusable = |error: CheckpointError| StoreError::Checkpoint {
            size: head.size,
            what: error.to_string(),
        };
        let checkpoint = Checkpoint::new(&self.origin, head).map_err(unusable)?;
        let gone = || PublishError::KeyGone { dir: self.keys_dir.clone() };
        Ok(self.ring.as_ref().ok_or_else(gone)?.sign(&checkpoint)?)
    }

    fn write_anchor(&mut self) -> Result<(), PublishError> {
        let (Some(path), Some(last)) = (&self.anchor, &self.last) else { return Ok(()) };
        let size = size_of(last);
        if self.anchored_size < size {
            anchor_file::write_text(path, &last.to_string())?;
            self.anchored_size = size;
        }
        Ok(())
    }

    fn note_trouble(&mut self, trouble: Option<String>) {
        if let Some(text) = trouble.as_deref().filter(|text| self.trouble.as_deref() != Some(*text))
        {
            tracing::error!(trouble = text, "no checkpoint is published; it is tried again");
        }
        self.trouble = trouble;
    }
}

/// Puts a stored leaf on the frontier, if it is the one that belongs there.
fn add_leaf(
    frontier: &mut Frontier,
    index: u64,
    leaf: &[u8],
    stored: &[u8],
) -> Result<(), PublishError> {
    let expected = frontier.size();
    if index != expected {
        let what = "its leaf is not in the database";
        return Err(PublishError::Leaf { index: expected, what });
    }
    let hash = leaf_hash(leaf);
    if hash.as_bytes().as_slice() != stored {
        return Err(PublishError::Leaf { index, what: "its leaf is not the one that was hashed" });
    }
    frontier.push(hash);
    Ok(())
}

/// The right edge of the tree of the first `size` entries, from stored tiles.
fn frontier_at(store: &dyn Store, size: u64) -> Result<Frontier, PublishError> {
    let mut nodes = proofs::nodes(store, size);
    let mut bytes = Vec::new();
    for level in (0..64_u8).rev().filter(|level| size >> level & 1 == 1) {
        let before = size >> level;
        let node: Hash = nodes.node(level, before - 1).map_err(|error| {
            ProofsError::from(modeltrail_core::merkle::BuildError::Nodes(error))
        })?;
        bytes.extend(node.0);
    }
    let what = "the right edge of the tree cannot be read";
    let index = size.saturating_sub(1);
    Ok(Frontier::from_parts(size, &bytes).ok_or(StoreError::Damaged { index, what })?)
}

fn checkpoint_keys(history: &KeyHistory) -> impl Iterator<Item = &VerifierKey> {
    let keys = history.keys().iter().filter(|known| known.role == KeyRole::Checkpoint);
    keys.map(|known| &known.key)
}

fn size_of(checkpoint: &SignedCheckpoint) -> u64 {
    checkpoint.checkpoint().head().size
}

fn of_checkpoint(checkpoint: &SignedCheckpoint) -> Anchor {
    let said = checkpoint.checkpoint();
    Anchor { origin: said.origin().to_owned(), head: said.head() }
}
