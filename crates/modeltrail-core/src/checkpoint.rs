//! Checkpoints, as C2SP tlog-checkpoint has them: a ledger's origin, size and root as a signed note
//! (`spec/checkpoint.md`).

use std::fmt;

use crate::anchor::Head;
use crate::hash::Hash;
use crate::lines::parse_decimal;
use crate::note::{Note, NoteError, NoteSigner, SignatureLine, VerifierKey, VerifyError};

/// What a checkpoint says, signed or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    origin: String,
    head: Head,
    extensions: Vec<String>,
}

/// Why a text is no checkpoint.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It is no signed note.
    #[error("no checkpoint: {0}")]
    Note(#[from] NoteError),
    /// A line of the text is not what it should be.
    #[error("no checkpoint: line {line} is not {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
}

impl Checkpoint {
    /// A checkpoint of a ledger. It has no extension lines: nobody could audit them.
    ///
    /// # Errors
    /// When the origin is not a line of text.
    pub fn new(origin: &str, head: Head) -> Result<Self, CheckpointError> {
        let checkpoint = Self { origin: origin.to_owned(), head, extensions: Vec::new() };
        // The origin may hold what another line could be taken for; reading it back tells.
        match Self::parse(&checkpoint.to_string()) {
            Ok(read) if read == checkpoint && !origin.contains(|c: char| c.is_control()) => {
                Ok(checkpoint)
            }
            _ => Err(CheckpointError::Line { line: 1, expected: ORIGIN }),
        }
    }

    /// Reads a checkpoint's text: what is signed, without signatures.
    ///
    /// # Errors
    /// The line that is not what it should be.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let error = |line, expected| CheckpointError::Line { line, expected };
        let n_lines = text.matches('\n').count();
        let body = text.strip_suffix('\n');
        let mut lines = body.ok_or_else(|| error(n_lines + 1, "ended by a line feed"))?.split('\n');
        let origin = lines.next().filter(|line| !line.is_empty());
        let origin = origin.ok_or_else(|| error(1, ORIGIN))?.to_owned();
        let size = lines.next().and_then(parse_decimal);
        let size = size.ok_or_else(|| error(2, "the size in decimal digits"))?;
        let root = lines.next().and_then(Hash::from_base64);
        let root = root.ok_or_else(|| error(3, "the root, 32 bytes in base64"))?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if let Some(at) = extensions.iter().position(String::is_empty) {
            return Err(error(at + 4, "an extension line, which is not empty"));
        }
        Ok(Self { origin, head: Head { size, root }, extensions })
    }

    /// Name of the ledger.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Size and root.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    /// Lines of another log behind the root; empty for a ledger of this program.
    #[must_use]
    pub fn extensions(&self) -> &[String] {
        &self.extensions
    }

    /// Signs it. What makes a checkpoint honest is not the signature but that only a durable head,
    /// consistent with the last one, is signed; that is the caller's part.
    ///
    /// # Errors
    /// When the text is no note's, which [`Checkpoint::new`] has seen to.
    pub fn sign(&self, key: &NoteSigner) -> Result<SignedCheckpoint, CheckpointError> {
        let text = self.to_string();
        let line = key.sign(&text);
        Ok(SignedCheckpoint { note: Note::new(text, vec![line])?, checkpoint: self.clone() })
    }
}

const ORIGIN: &str = "the ledger's origin, a line of text";

impl fmt::Display for Checkpoint {
    /// The text that is signed, its last line feed included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { size, root } = &self.head;
        write!(f, "{}\n{size}\n{}\n", self.origin, root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with signatures, which may or may not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedCheckpoint {
    note: Note,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a signed checkpoint; verifying it is another matter.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { note, checkpoint })
    }

    /// What it says, whoever signed it.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note that it is.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a cosignature, verified or not.
    ///
    /// # Errors
    /// When the note has as many signatures as it can have.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), NoteError> {
        self.note.add(line)
    }

    /// Whether a log with one of these keys has signed it. A key's name counts only with the origin
    /// of the same name, as C2SP's policies have it.
    ///
    /// # Errors
    /// Why not.
    pub fn verify_log<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k VerifierKey>,
    ) -> Result<(), VerifyError> {
        let origin = self.checkpoint.origin();
        let named = keys.into_iter().filter(|key| key.name().as_str() == origin);
        let named: Vec<&VerifierKey> = named.collect();
        self.note.verify(named.iter().copied()).map(drop)
    }
}

impl fmt::Display for SignedCheckpoint {
    /// The note as it is published.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::KeyName;

    const TEXT: &str = "example.com/ledger\n17\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";

    fn signer(name: &str) -> NoteSigner {
        NoteSigner::new(KeyName::new(name).unwrap(), &[1; 32]).unwrap()
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_went() {
        let root = Hash(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        let head = Head { size: 17, root };
        let checkpoint = Checkpoint::new("example.com/ledger", head).unwrap();
        assert_eq!(checkpoint.to_string(), TEXT);
        assert_eq!(Checkpoint::parse(TEXT), Ok(checkpoint.clone()));
        let signed = checkpoint.sign(&signer("example.com/ledger")).unwrap();
        let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify_log([signer("example.com/ledger").verifier()]), Ok(()));
        let anchor = crate::anchor::Anchor::parse(&signed.to_string()).unwrap();
        assert_eq!((anchor.origin.as_str(), anchor.head), ("example.com/ledger", head));
    }

    #[test]
    fn extension_lines_of_others_are_kept() {
        let text = format!("{TEXT}first\n \n");
        let checkpoint = Checkpoint::parse(&text).unwrap();
        assert_eq!(checkpoint.extensions(), ["first", " "]);
        assert_eq!(checkpoint.to_string(), text);
    }

    #[test]
    fn a_key_of_another_origin_is_no_key_of_this_log() {
        let checkpoint = Checkpoint::parse(TEXT).unwrap();
        let signed = checkpoint.sign(&signer("example.com/other")).unwrap();
        let result = signed.verify_log([signer("example.com/other").verifier()]);
        assert_eq!(result, Err(VerifyError::NoKnownKey));
    }

    #[test]
    fn lines_that_are_not_what_they_should_be_are_named() {
        let line = |text: &str| match Checkpoint::parse(text) {
            Err(CheckpointError::Line { line, .. }) => line,
            other => panic!("{text:?}: {other:?}"),
        };
        assert_eq!(line(""), 1);
        assert_eq!(line("\n17\n"), 1);
        for size in ["", "017", "00", "+17", "-1", "1e3", "17 ", " 17", "٣", "18446744073709551616"]
        {
            assert_eq!(line(&TEXT.replace("17", size)), 2, "{size:?}");
        }
        assert_eq!(Checkpoint::parse(&TEXT.replace("17", "0")).unwrap().head().size, 0);
        for root in ["AAEC", "", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="] {
            assert_eq!(line(&format!("a\n1\n{root}\n")), 3, "{root:?}");
        }
        assert_eq!(line("a\n1\n"), 3);
        assert_eq!(line(&format!("{TEXT}\n")), 4);
        assert_eq!(line(&format!("{TEXT}a\n\nb\n")), 5);
        assert_eq!(line(TEXT.trim_end()), 3);
    }

    #[test]
    fn an_origin_is_one_line() {
        let head = Head { size: 0, root: Hash::default() };
        for origin in ["", "a\nb", "a\n1\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "a\tb"] {
            assert!(Checkpoint::new(origin, head).is_err(), "{origin:?}");
        }
        assert!(Checkpoint::new("go.sum database tree", head).is_ok());
    }
}
