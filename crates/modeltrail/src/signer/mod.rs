//! Who signs: keys in files, programs that have a key elsewhere, and which of them a ledger uses.
//!
//! The folder `audit.db.d/keys/` says it, for every process that may become the sequencer:
//!
//! | file | what it is |
//! |---|---|
//! | `checkpoint.key` | the checkpoint key as a signing key (`PRIVATE+KEY+…`), one line |
//! | `checkpoint.command` | in its place: a vkey, a program and its arguments, a line each |
//! | `next.key`, `next.command` | the key that takes over, while both sign |
//! | `authority.key` | the authority key; better kept on another machine |
//! | `….new` | a key that is not in force yet: its entry is on the way |
//!
//! All of them are refused when others than their owner can read them.

mod command;
mod file;
mod ring;
#[cfg(test)]
mod tests;

pub use command::CommandSigner;
pub(crate) use command::end_programs;
pub use file::FileSigner;
pub(crate) use file::write_closed;
pub use ring::KeyRing;
pub(crate) use ring::{AUTHORITY, CHECKPOINT, COMMAND, KEY, NEXT, Stamp, load_one, stamps};

use std::io;
use std::path::PathBuf;

use modeltrail_core::note::{KeyError, LineError, SignatureLine, VerifierKey};

/// Signs notes with one key.
///
/// **Contract.** [`Signer::sign`] signs exactly the text that it is given, with the key that
/// [`Signer::verifier`] names. It may be called from one thread at a time, and may take as long as
/// whoever waits for a checkpoint can wait. A line that does not verify is never published: callers
/// go through [`sign_checked`].
pub trait Signer: Send {
    /// What verifies its signatures.
    fn verifier(&self) -> &VerifierKey;

    /// Signs a note's text.
    ///
    /// # Errors
    /// When the key cannot be used now.
    fn sign(&self, text: &str) -> Result<SignatureLine, SignerError>;
}

/// Signs a text and verifies the line before it is handed on.
///
/// # Errors
/// As [`Signer::sign`], and [`SignerError::Wrong`] when the line does not hold.
pub fn sign_checked(signer: &dyn Signer, text: &str) -> Result<SignatureLine, SignerError> {
    let line = signer.sign(text)?;
    match signer.verifier().verify(text, &line) {
        Some(_) => Ok(line),
        None => Err(SignerError::Wrong { vkey: signer.verifier().to_string() }),
    }
}

/// Why nothing could be signed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignerError {
    /// A file cannot be used.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others can read the key, or write the command.
    #[error("{path}: others can read or write this key; run chmod 600 on it")]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// What stands in the file is no key.
    #[error("{path}: {source}; restore it from a backup")]
    Key {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// What stands in the file is no command.
    #[error("{path}: {what}")]
    Command {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and what should stand there.
        what: &'static str,
    },
    /// A key has two places.
    #[error(
        "{path}: this key is there as a file and as a command; remove the one that is not used"
    )]
    Twice {
        /// The first of the two.
        path: PathBuf,
    },
    /// A checkpoint key of another ledger.
    #[error(
        "{path}: the key is named {found}, and a checkpoint key of this ledger {expected}; restore the right one"
    )]
    Name {
        /// Which file.
        path: PathBuf,
        /// The key's name.
        found: String,
        /// The ledger's origin.
        expected: String,
    },
    /// The program did not give a signature.
    #[error(
        "the signing program {program}: {what}; run it by hand with a text on its standard input"
    )]
    Program {
        /// Which program.
        program: String,
        /// What went wrong.
        what: String,
    },
    /// What the program printed is no signature line.
    #[error(
        "the signing program {program} printed no signature line: {source}; it must print one line like `— NAME BASE64`"
    )]
    Line {
        /// Which program.
        program: String,
        /// What is wrong with it.
        source: LineError,
    },
    /// The signature does not hold.
    #[error("the signature does not verify under {vkey}; the signer has another key")]
    Wrong {
        /// The key that it should be by.
        vkey: String,
    },
}
