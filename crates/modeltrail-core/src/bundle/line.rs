//! Lines of `entries.ndjson` and `outside.ndjson`: an entry's commitments, and the parts that are
//! disclosed with their salts.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::commitment::coded_body;
use crate::hash::{Hash, base64, unbase64};

use super::NUMBER_MAX;

/// A part that is disclosed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinePart<'a> {
    /// Code of the part.
    pub part: u16,
    /// Code of its encoding.
    pub encoding: u8,
    /// Its own salt; not the secret, from which the salts of the others would follow.
    pub salt: Hash,
    /// Its bytes as they were hashed.
    pub bytes: Cow<'a, [u8]>,
}

/// A line: what is shown of an entry beside its leaf.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryLine<'a> {
    /// Place of the entry.
    pub index: u64,
    /// Part code and commitment of every part, ascending by code.
    pub commitments: Vec<(u16, Hash)>,
    /// The disclosed parts, ascending by code.
    pub parts: Vec<LinePart<'a>>,
}

/// The line as JSON; members in canonical order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine<'a> {
    #[serde(borrow)]
    commitments: Vec<(u16, Cow<'a, str>)>,
    index: u64,
    #[serde(borrow)]
    parts: Vec<RawPart<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart<'a> {
    #[serde(borrow)]
    bytes: Cow<'a, str>,
    encoding: u8,
    part: u16,
    #[serde(borrow)]
    salt: Cow<'a, str>,
}

impl EntryLine<'_> {
    /// The line, its line feed included.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let commitments =
            self.commitments.iter().map(|(part, c)| (*part, Cow::Owned(c.to_hex()))).collect();
        let parts = self.parts.iter().map(|part| RawPart {
            bytes: Cow::Owned(base64(&part.bytes)),
            encoding: part.encoding,
            part: part.part,
            salt: Cow::Owned(part.salt.to_hex()),
        });
        let raw = RawLine { commitments, index: self.index, parts: parts.collect() };
        let mut line = crate::record::to_canonical(&raw);
        line.push(b'\n');
        line
    }

    /// Reads a line without its line feed; `None` unless it is byte for byte what
    /// [`EntryLine::to_bytes`] writes and its codes ascend.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<EntryLine<'static>> {
        let raw: RawLine<'_> = serde_json::from_slice(line).ok()?;
        let commitment = |(part, hex): (u16, Cow<'_, str>)| Some((part, Hash::from_hex(&hex)?));
        let commitments: Option<Vec<_>> = raw.commitments.into_iter().map(commitment).collect();
        let part = |raw: RawPart<'_>| {
            Some(LinePart {
                part: raw.part,
                encoding: raw.encoding,
                salt: Hash::from_hex(&raw.salt)?,
                bytes: Cow::Owned(unbase64(&raw.bytes)?),
            })
        };
        let parts: Option<Vec<_>> = raw.parts.into_iter().map(part).collect();
        let read = EntryLine { index: raw.index, commitments: commitments?, parts: parts? };
        let is_ordered = read.commitments.is_sorted_by(|a, b| a.0 < b.0)
            && read.parts.is_sorted_by(|a, b| a.part < b.part);
        let written = read.to_bytes();
        let is_same = written.strip_suffix(b"\n") == Some(line);
        (is_ordered && is_same && read.index <= NUMBER_MAX).then_some(read)
    }

    /// What the commitments give for the leaf's body.
    #[must_use]
    pub fn body(&self) -> Hash {
        coded_body(&self.commitments)
    }

    /// The commitment to a part.
    #[must_use]
    pub fn commitment(&self, part: u16) -> Option<&Hash> {
        self.commitments.iter().find(|(code, _)| *code == part).map(|(_, commitment)| commitment)
    }

    /// A part, if it is disclosed.
    #[must_use]
    pub fn part(&self, part: u16) -> Option<&LinePart<'_>> {
        self.parts.iter().find(|shown| shown.part == part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> EntryLine<'static> {
        let bytes = Cow::Borrowed(&b"{}"[..]);
        let parts = vec![LinePart { part: 1, encoding: 1, salt: Hash([3; 32]), bytes }];
        let commitments = vec![(1, Hash([1; 32])), (2, Hash([2; 32]))];
        EntryLine { index: 7, commitments, parts }
    }

    #[test]
    fn a_line_comes_back_and_no_other_spelling_of_it_does() {
        let bytes = line().to_bytes();
        let text = String::from_utf8(bytes).unwrap();
        let text = text.trim_end();
        let start = format!("{{\"commitments\":[[1,\"{}\"],", "01".repeat(32));
        assert!(text.starts_with(&start), "{text}");
        assert!(text.contains("\"parts\":[{\"bytes\":\"e30=\",\"encoding\":1,\"part\":1,\"salt\""));
        assert_eq!(EntryLine::parse(text.as_bytes()), Some(line()));
        for other in [
            text.replace("\"index\":7", "\"index\": 7"),
            text.replace("\"index\":7", "\"index\":7.0"),
            text.replace("\"index\":7", "\"index\":7,\"more\":1"),
            text.replace("\"index\":7", "\"index\":9223372036854775808"),
            text.replace("e30=", "e30"),
            text.replace("e30=", "e31="),
            text.replace("\"part\":1", "\"part\":65536"),
            text.replace("[1,\"01", "[2,\"01"),
            text.replace("[1,\"01", "[3,\"01"),
            text.replace("0303", "03"),
            text.replace("salt", "s\\u0061lt"),
            text.replace(&"01".repeat(32), &"0A".repeat(32)),
            format!("{text} "),
            String::new(),
        ] {
            assert_eq!(EntryLine::parse(other.as_bytes()), None, "{other}");
        }
    }
}
