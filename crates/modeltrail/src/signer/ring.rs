//! The keys that a ledger's checkpoints are signed with.

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::note::{Note, VerifierKey};

use super::{CommandSigner, FileSigner, Signer, SignerError, sign_checked};

/// The checkpoint key's file without its ending.
pub(crate) const CHECKPOINT: &str = "checkpoint";

/// The file of the key that takes over, without its ending.
pub(crate) const NEXT: &str = "next";

/// The authority key's file without its ending.
pub(crate) const AUTHORITY: &str = "authority";

/// How a signing key's file ends.
pub(crate) const KEY: &str = "key";

/// How a command's file ends.
pub(crate) const COMMAND: &str = "command";

/// What tells a file from what it was: inode, length, and the second and nanosecond of its last
/// change, which nobody can set.
pub(crate) type Stamp = Option<(u64, u64, i64, i64)>;

/// The keys that sign a ledger's checkpoints: one, or two while one takes over from the other.
pub struct KeyRing {
    signers: Vec<Box<dyn Signer>>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.verifiers()).finish()
    }
}

impl KeyRing {
    /// Reads the keys in the folder `dir` of the ledger `origin`; `None` when there are none.
    ///
    /// # Errors
    /// When one of them cannot be used: then nothing is signed, not even with the other.
    pub fn load(dir: &Path, origin: &str) -> Result<Option<Self>, SignerError> {
        let mut signers = Vec::new();
        for name in [CHECKPOINT, NEXT] {
            if let Some((path, signer)) = load_one(dir, name)? {
                let found = signer.verifier().name().as_str();
                if found != origin {
                    let (found, expected) = (found.to_owned(), origin.to_owned());
                    return Err(SignerError::Name { path, found, expected });
                }
                signers.push(signer);
            }
        }
        Ok((!signers.is_empty()).then_some(Self { signers }))
    }

    /// What verifies their signatures.
    pub fn verifiers(&self) -> impl Iterator<Item = &VerifierKey> + Clone {
        self.signers.iter().map(|signer| signer.verifier())
    }

    /// The signers, the one that takes over last.
    #[must_use]
    pub fn signers(&self) -> &[Box<dyn Signer>] {
        &self.signers
    }

    /// Signs a checkpoint with each of them.
    ///
    /// # Errors
    /// When one of them cannot.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Result<SignedCheckpoint, SignerError> {
        let text = checkpoint.to_string();
        let lines = self.signers.iter().map(|signer| sign_checked(signer.as_ref(), &text));
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        let none = || SignerError::Wrong { vkey: "any key of the ledger".to_owned() };
        let note = Note::new(text, lines).map_err(|_| none())?;
        SignedCheckpoint::parse(note.to_string().as_bytes()).map_err(|_| none())
    }
}

/// A signer and the file that it came from.
pub(crate) type Placed = (PathBuf, Box<dyn Signer>);

/// The signer of that name, from either of its files.
pub(crate) fn load_one(dir: &Path, name: &str) -> Result<Option<Placed>, SignerError> {
    let [key, command] = [KEY, COMMAND].map(|ending| dir.join(format!("{name}.{ending}")));
    let there = [&key, &command].map(|path| is_there(path));
    match there {
        [Err(source), _] => Err(SignerError::Io { path: key, source }),
        [_, Err(source)] => Err(SignerError::Io { path: command, source }),
        [Ok(true), Ok(true)] => Err(SignerError::Twice { path: key }),
        [Ok(true), Ok(false)] => {
            let signer = FileSigner::open(&key)?;
            Ok(Some((key, Box::new(signer))))
        }
        [Ok(false), Ok(true)] => {
            let signer = CommandSigner::open(&command)?;
            Ok(Some((command, Box::new(signer))))
        }
        [Ok(false), Ok(false)] => Ok(None),
    }
}

fn is_there(path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// What the key files of a folder look like from outside; another value when one was changed.
pub(crate) fn stamps(dir: &Path) -> [Stamp; 4] {
    let names = [(CHECKPOINT, KEY), (CHECKPOINT, COMMAND), (NEXT, KEY), (NEXT, COMMAND)];
    names.map(|(name, ending)| {
        let found = std::fs::metadata(dir.join(format!("{name}.{ending}"))).ok()?;
        Some((found.ino(), found.len(), found.ctime(), found.ctime_nsec()))
    })
}
