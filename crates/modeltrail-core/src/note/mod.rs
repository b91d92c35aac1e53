//! Signed notes, as C2SP signed-note has them: a text, an empty line, and signature lines.
//!
//! Reading a note says nothing about its signatures: [`Note::verify`] does. Lines by keys that the
//! reader does not know are kept and passed over, so that keys can be rotated and witnesses added.

#[cfg(test)]
mod ed25519_tests;
mod key;
mod parse;
mod secret;
#[cfg(test)]
mod tests;

pub use key::{KeyError, KeyId, KeyKind, KeyName, VerifierKey};
pub use parse::{LineError, NoteError};
pub use secret::NoteSigner;
pub(crate) use secret::Secret;

use std::fmt;

use crate::hash::base64;

/// Most signature lines of a note. C2SP asks for 16 at least; 100 is what Go's `sumdb/note` takes, so
/// that a note one reads can be read by the other.
pub const N_SIGNATURES_MAX: usize = 100;

/// Longest note in bytes, signatures included; Go's `sumdb/note` has the same bound. A checkpoint
/// with a hundred post-quantum signatures of 5 kB is half as long.
pub const NOTE_BYTES_MAX: usize = 1_000_000;

/// What every signature line begins with: an em dash and a space.
pub(crate) const LINE_START: &str = "\u{2014} ";

/// A signature as it stands in a note; nothing is known about it before it is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureLine {
    name: KeyName,
    id: KeyId,
    signature: Vec<u8>,
}

impl SignatureLine {
    /// A line from its parts. `signature` is what the key's kind says: 64 bytes for
    /// [`KeyKind::Ed25519`], 8 bytes of time and 64 for [`KeyKind::CosignatureV1`].
    ///
    /// # Errors
    /// [`LineError::Short`] for an empty signature.
    pub fn new(name: KeyName, id: KeyId, signature: Vec<u8>) -> Result<Self, LineError> {
        if signature.is_empty() { Err(LineError::Short) } else { Ok(Self { name, id, signature }) }
    }

    /// Name of the key that is said to have signed.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// Its key ID.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The signature without the key ID.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl fmt::Display for SignatureLine {
    /// The line without its line end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: Vec<u8> = self.id.0.iter().chain(&self.signature).copied().collect();
        write!(f, "{LINE_START}{} {}", self.name, base64(&bytes))
    }
}

/// A note that was read or signed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    text: String,
    signatures: Vec<SignatureLine>,
}

/// A signature that was verified, with the key that did it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Verified<'a> {
    /// The key.
    pub key: &'a VerifierKey,
    /// When a cosigner signed, seconds since 1970 UTC; `None` for a plain signature.
    pub time_s: Option<u64>,
}

/// Why no signature of a note counts.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum VerifyError {
    /// No line is by one of the keys.
    #[error("no signature is by a key that is known here; give the verifier key of who signed")]
    NoKnownKey,
    /// A line by one of the keys is wrong. The whole note is refused then: whoever made it is
    /// either broken or hostile.
    #[error(
        "the signature by {name} (key ID {id}) does not hold: the text or the line was changed"
    )]
    Invalid {
        /// The key's name.
        name: KeyName,
        /// Its ID.
        id: KeyId,
    },
}

impl Note {
    /// A note from its text and signatures.
    ///
    /// # Errors
    /// When the text could not be read back: it does not end in a line feed, or has another control
    /// character. When there is no signature, or too many of them.
    pub fn new(text: String, signatures: Vec<SignatureLine>) -> Result<Self, NoteError> {
        parse::check_text(&text)?;
        let note = Self { text, signatures };
        note.check_bounds()?;
        Ok(note)
    }

    /// Reads a note.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        parse::note(bytes)
    }

    /// What is signed: the text with its last line feed, without the empty line behind it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines in their order, verified or not.
    #[must_use]
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// Adds a signature line behind the others. A line that is there already is not added again.
    ///
    /// # Errors
    /// When the note has as many as it can have.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        if self.signatures.contains(&line) {
            return Ok(());
        }
        self.signatures.push(line);
        let checked = self.check_bounds();
        if checked.is_err() {
            self.signatures.pop();
        }
        checked
    }

    fn check_bounds(&self) -> Result<(), NoteError> {
        match self.signatures.len() {
            0 => return Err(NoteError::NoSignatures),
            1..=N_SIGNATURES_MAX => {}
            n => return Err(NoteError::TooManySignatures(n)),
        }
        let n_bytes = self.to_string().len();
        if n_bytes > NOTE_BYTES_MAX { Err(NoteError::TooLong(n_bytes)) } else { Ok(()) }
    }

    /// Verifies every line that is by one of `keys`, and passes over the others.
    ///
    /// # Errors
    /// [`VerifyError::NoKnownKey`] when no line is by one of them, and [`VerifyError::Invalid`] when
    /// one that is does not hold, even if another one does.
    pub fn verify<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey> + Clone,
    ) -> Result<Vec<Verified<'k>>, VerifyError> {
        let mut verified = Vec::new();
        for line in &self.signatures {
            let mut known = keys.clone().into_iter().filter(|key| key.made(line)).peekable();
            if known.peek().is_none() {
                continue;
            }
            // Two keys can have one name and ID by accident; one of them made the line.
            let found = known.find_map(|key| key.verify(&self.text, line));
            verified.push(
                found
                    .ok_or_else(|| VerifyError::Invalid { name: line.name.clone(), id: line.id })?,
            );
        }
        if verified.is_empty() { Err(VerifyError::NoKnownKey) } else { Ok(verified) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
