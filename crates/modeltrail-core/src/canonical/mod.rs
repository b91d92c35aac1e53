//! Canonical bytes of JSON (`spec/record.md`): RFC 8785, extended so that no digit is ever lost.
//!
//! The text is worked on as it was received. A general JSON reader loses what an audit trail must
//! keep: it takes the last of two equal keys, rounds long integers to doubles, and has no place for
//! a position in its errors. The reader here is one strict pass that writes canonical bytes as it
//! goes and refuses, with a JSON pointer, what cannot be kept exactly.

mod number;
mod parser;
mod string;

pub use number::canonical_number;
pub use parser::{Fields, canonicalize, object_fields};
pub use string::{unescape, write_string};

/// Why a text was refused, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}: {reason} (byte {offset})", if pointer.is_empty() { "the document" } else { pointer })]
pub struct JsonError {
    /// JSON pointer (RFC 6901) of the value; empty for the whole document.
    pub pointer: String,
    /// Where in the text, counted in bytes from 0.
    pub offset: usize,
    /// What is wrong there, and what to do.
    pub reason: JsonReason,
}

/// What can be wrong with a text.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JsonReason {
    /// Bytes that are no UTF-8.
    #[error("invalid UTF-8; send text, or bytes as base64 in `input_base64` or `output_base64`")]
    Utf8,
    /// Not the grammar of RFC 8259.
    #[error("no valid JSON, expected {0}")]
    Syntax(&'static str),
    /// The text ends inside a value.
    #[error("the JSON text ends here, expected {0}")]
    End(&'static str),
    /// `NaN`, `Infinity` or `-Infinity`.
    #[error("`{0}` is no JSON number; send it as a string, like \"{0}\"")]
    NotFinite(&'static str),
    /// The same key twice in one object.
    #[error("the key stands twice in this object; keep one of them")]
    DuplicateKey,
    /// `\ud800` and its like without its other half.
    #[error("a lone surrogate (\\u{0:04x}) is no character; send the pair or U+FFFD")]
    LoneSurrogate(u16),
    /// An unescaped control character in a string.
    #[error("control character U+{0:04X} must be escaped inside a string")]
    Control(u8),
    /// Nested too deep.
    #[error("nested deeper than {0} levels; flatten it or send it as a string")]
    Depth(usize),
    /// A number whose exponent has more digits than any use.
    #[error("the exponent of this number is out of range (±999999999); send it as a string")]
    Exponent,
    /// Larger than the limit, as received or in canonical form.
    #[error("larger than {0} bytes; send less, or a digest of the large part")]
    TooLarge(usize),
}

#[cfg(test)]
mod tests;
