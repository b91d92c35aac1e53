//! The note of the last clean verification, beside the ledger.

use std::io;
use std::path::PathBuf;

use modeltrail_core::anchor::Head;
use modeltrail_core::hash::{Hash, hex, unhex};
use modeltrail_core::time::{format_rfc3339, parse_rfc3339};
use modeltrail_core::verify::ProducerNumbers;

use super::CheckReport;
use crate::ledger::Ledger;
use crate::sequencer::SOFTWARE;
use crate::{anchor_file, clock, small_file};

/// First line of the note.
const HEADING: &str = "modeltrail/v1/verified";

/// Longest note, in bytes: a hundred or two for each producer, and room for a hundred thousand of them.
const BYTES_MAX: usize = 16 << 20;

/// What a clean verification leaves, so that a later one can go on from there.
///
/// It is a convenience and no evidence: whoever can write the file can name a root of their own, and a
/// verification that goes on from it believes that root. A full one asks nothing of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verified {
    /// Name of the ledger.
    pub origin: String,
    /// Size and root.
    pub head: Head,
    /// When, nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// The program that did it.
    pub software: String,
    /// Producers that lived then, and their next numbers.
    pub producers: Vec<ProducerNumbers>,
}

/// Why the note cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifiedError {
    /// The file system's own error.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// It is not what a verification writes.
    #[error("{path}: line {line} is not what a verification writes")]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

impl VerifiedError {
    /// True when the file is there and holds something else.
    pub(super) const fn is_unreadable(&self) -> bool {
        matches!(self, Self::Line { .. })
    }
}

impl Verified {
    /// Heading, origin, size, root in hex, time and software, a line each, and one for each producer:
    /// id, next number, and runs of numbers that were covered ahead.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { origin, head, time_ns, software, producers } = self;
        let time = format_rfc3339(*time_ns);
        let (size, root) = (head.size, head.root);
        let mut text = format!("{HEADING}\n{origin}\n{size}\n{root}\n{time}\n{software}\n");
        for ProducerNumbers { id, next_seq, covered } in producers {
            let run = |(first, last): &(u64, u64)| format!(" {first}-{last}");
            let runs: String = covered.iter().map(run).collect();
            text.push_str(&format!("producer {} {next_seq}{runs}\n", hex(id)));
        }
        text
    }

    /// Reads the text back.
    ///
    /// # Errors
    /// The line, from 1, that is not as [`Verified::to_text`] writes it.
    pub fn parse(text: &str) -> Result<Self, usize> {
        let mut lines = text.split('\n');
        let mut next = |line: usize| lines.next().ok_or(line);
        if next(1)? != HEADING {
            return Err(1);
        }
        let origin = next(2)?.to_owned();
        let size = next(3)?.parse().map_err(|_| 3_usize)?;
        let root = Hash::from_hex(next(4)?).ok_or(4_usize)?;
        let time_ns = parse_rfc3339(next(5)?).map_err(|_| 5_usize)?;
        let software = next(6)?.to_owned();
        let mut producers = Vec::new();
        for (line, number) in lines.zip(7_usize..).filter(|(line, _)| !line.is_empty()) {
            producers.push(parse_producer(line).ok_or(number)?);
        }
        Ok(Self { origin, head: Head { size, root }, time_ns, software, producers })
    }
}

fn parse_producer(line: &str) -> Option<ProducerNumbers> {
    let mut words = line.strip_prefix("producer ")?.split(' ');
    let id = unhex(words.next()?)?.try_into().ok()?;
    let next_seq = words.next()?.parse().ok()?;
    let run = |word: &str| {
        let (first, last) = word.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    };
    let covered: Option<Vec<(u64, u64)>> = words.map(run).collect();
    Some(ProducerNumbers { id, next_seq, covered: covered? })
}

fn path(ledger: &Ledger) -> PathBuf {
    ledger.dir().join("verified")
}

/// The note beside a ledger; `None` when there is none.
pub(super) fn read(ledger: &Ledger) -> Result<Option<Verified>, VerifiedError> {
    let path = path(ledger);
    match small_file::read(&path, BYTES_MAX) {
        Ok(Some(bytes)) => Verified::parse(&String::from_utf8_lossy(&bytes))
            .map(Some)
            .map_err(|line| VerifiedError::Line { path, line }),
        Ok(None) => Ok(None),
        Err(source) => Err(VerifiedError::Io { path, source }),
    }
}

/// Writes the note. An auditor may have no right to write there; then the next verification is a full
/// one again, which is said and no more.
pub(super) fn remember(
    ledger: &Ledger,
    origin: &str,
    head: Head,
    producers: Vec<ProducerNumbers>,
    report: &mut CheckReport,
) {
    if ledger.is_memory() {
        return;
    }
    let note = Verified {
        origin: origin.to_owned(),
        head,
        time_ns: clock::now_ns(),
        software: SOFTWARE.to_owned(),
        producers,
    };
    if let Err(error) = anchor_file::write_text(&path(ledger), &note.to_text()) {
        report.notes.push(format!("this verification could not be noted: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_a_damaged_one_does_not() {
        let producer = |n: u8, covered| ProducerNumbers { id: [n; 16], next_seq: 7, covered };
        let note = Verified {
            origin: "example.com/a".to_owned(),
            head: Head { size: 9, root: Hash([3; 32]) },
            time_ns: 1_700_000_000_000_000_000,
            software: "modeltrail/0".to_owned(),
            producers: vec![producer(1, vec![]), producer(2, vec![(9, 9), (11, 20)])],
        };
        assert_eq!(Verified::parse(&note.to_text()), Ok(note.clone()));
        for (n, line) in note.to_text().lines().enumerate().filter(|(n, _)| *n != 1 && *n != 5) {
            let damaged = note.to_text().replacen(line, &format!("{line}~"), 1);
            assert_eq!(Verified::parse(&damaged), Err(n + 1), "{damaged}");
        }
        assert_eq!(Verified::parse(""), Err(1));
    }
}
