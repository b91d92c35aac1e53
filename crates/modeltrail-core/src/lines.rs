//! What C2SP's texts of lines have in common: numbers, and lists of hashes.

use crate::hash::Hash;
use crate::merkle::PROOF_HASHES_MAX;

/// A number as C2SP's formats write it: decimal digits, no leading zeros, no sign.
pub(crate) fn parse_decimal(text: &str) -> Option<u64> {
    let is_plain =
        text.bytes().all(|c| c.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if is_plain { text.parse().ok() } else { None }
}

/// Lines that end in a line feed, counted from 1.
pub(crate) struct Lines<'a> {
    /// What was not read yet.
    pub(crate) rest: &'a str,
    /// Number of the line that was read last.
    pub(crate) line: usize,
}

impl<'a> Lines<'a> {
    /// The next line without its line feed; `None` when there is no line feed any more.
    pub(crate) fn next(&mut self) -> Option<&'a str> {
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        self.line += 1;
        Some(line)
    }

    /// Hashes in base64, a line each, up to and with an empty line; at most as many as a proof can
    /// have. The error is the line that is neither.
    pub(crate) fn hashes(&mut self) -> Result<Vec<Hash>, usize> {
        let mut hashes = Vec::new();
        loop {
            let line = self.next().ok_or(self.line + 1)?;
            if line.is_empty() {
                return Ok(hashes);
            }
            let hash = Hash::from_base64(line).filter(|_| hashes.len() < PROOF_HASHES_MAX);
            hashes.push(hash.ok_or(self.line)?);
        }
    }
}
