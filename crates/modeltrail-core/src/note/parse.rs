//! Reading notes: every rule of C2SP signed-note on their bytes.

use super::{
    KeyError, KeyId, KeyName, LINE_START, N_SIGNATURES_MAX, NOTE_BYTES_MAX, Note, SignatureLine,
};
use crate::hash::unbase64;

/// Why bytes are no signed note.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("a note has at most {NOTE_BYTES_MAX} bytes, this one {0}")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// A control character other than a line feed.
    #[error("control character at byte {0}; a note has none but line feeds")]
    Control(usize),
    /// The text or the note does not end in a line feed.
    #[error("it does not end in a line feed; was it cut?")]
    NoLineEnd,
    /// No empty line with signatures behind it.
    #[error("it has no signatures behind an empty line")]
    NoSignatures,
    /// More signature lines than [`N_SIGNATURES_MAX`].
    #[error("a note has at most {N_SIGNATURES_MAX} signatures, this one {0}")]
    TooManySignatures(usize),
    /// A signature line is none.
    #[error("line {line} is no signature: {error}")]
    Line {
        /// Which line of the note, from 1.
        line: usize,
        /// What is wrong.
        error: LineError,
    },
}

/// Why a line is no signature line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// It does not begin like one.
    #[error("it does not begin with an em dash and a space")]
    Start,
    /// There are not a name and a signature behind the dash.
    #[error("it is not a name, a space and a signature")]
    Parts,
    /// The name is no key name.
    #[error("{0}")]
    Name(KeyError),
    /// The signature is not base64, or not in its one spelling.
    #[error("the signature is not base64")]
    Base64,
    /// There is no room for a key ID and a signature.
    #[error("it has no signature behind the key ID")]
    Short,
}

/// Checks a text to be signed.
pub(super) fn check_text(text: &str) -> Result<(), NoteError> {
    if let Some(at) = text.bytes().position(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Control(at));
    }
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::NoLineEnd) }
}

fn check_bytes(bytes: &[u8]) -> Result<&str, NoteError> {
    if bytes.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong(bytes.len()));
    }
    let text = std::str::from_utf8(bytes).map_err(|e| NoteError::NotUtf8(e.valid_up_to()))?;
    check_text(text)?;
    Ok(text)
}

/// Reads a note.
pub(super) fn note(bytes: &[u8]) -> Result<Note, NoteError> {
    let all = check_bytes(bytes)?;
    // The last empty line ends the text; the line feed before it belongs to the text.
    let end = all.rfind("\n\n").ok_or(NoteError::NoSignatures)?;
    let (text, rest) = all.split_at(end + 1);
    let block = rest.get(1..).filter(|block| !block.is_empty()).ok_or(NoteError::NoSignatures)?;
    let n_before = text.matches('\n').count() + 1;
    let signatures = lines(block, n_before)?;
    Ok(Note { text: text.to_owned(), signatures })
}

/// Reads signature lines, each ended by a line feed; `n_before` lines came before them.
fn lines(block: &str, n_before: usize) -> Result<Vec<SignatureLine>, NoteError> {
    let block = block.strip_suffix('\n').ok_or(NoteError::NoLineEnd)?;
    let n_lines = block.split('\n').count();
    if n_lines > N_SIGNATURES_MAX {
        return Err(NoteError::TooManySignatures(n_lines));
    }
    let numbered = block.split('\n').zip(n_before + 1..);
    numbered
        .map(|(text, line)| {
            SignatureLine::parse(text).map_err(|error| NoteError::Line { line, error })
        })
        .collect()
}

impl SignatureLine {
    /// Reads one line, without its line end.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Self, LineError> {
        let rest = line.strip_prefix(LINE_START).ok_or(LineError::Start)?;
        let (name, signature) = rest.split_once(' ').ok_or(LineError::Parts)?;
        let name = KeyName::new(name).map_err(LineError::Name)?;
        let bytes = unbase64(signature).ok_or(LineError::Base64)?;
        let (id, signature) = bytes.split_first_chunk().ok_or(LineError::Short)?;
        Self::new(name, KeyId(*id), signature.to_vec())
    }

    /// Reads signature lines and nothing else, which is what a witness answers.
    ///
    /// # Errors
    /// What is wrong, and in which line.
    pub fn parse_all(bytes: &[u8]) -> Result<Vec<Self>, NoteError> {
        lines(check_bytes(bytes)?, 0)
    }
}
