//! What is kept outside the database and knows how far the ledger goes.

use std::io::ErrorKind;
use std::path::Path;

use modeltrail_core::anchor::{Anchor, AnchorError};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::NOTE_BYTES_MAX;
use modeltrail_core::verify::{Finding, FindingKind, Keys, KnownHead, Source};

use super::{CheckError, CheckOptions, io_error};
use crate::ledger::Ledger;
use crate::small_file;

/// A head that somebody kept as text: an anchor, or a checkpoint with its signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// With signatures, verified or not.
    Signed(SignedCheckpoint),
    /// Without.
    Plain(Anchor),
}

impl From<SignedCheckpoint> for Kept {
    fn from(checkpoint: SignedCheckpoint) -> Self {
        Self::Signed(checkpoint)
    }
}

impl From<Anchor> for Kept {
    fn from(anchor: Anchor) -> Self {
        Self::Plain(anchor)
    }
}

impl Kept {
    /// Reads a checkpoint or, where that is none, an anchor.
    ///
    /// # Errors
    /// When it is neither: what an anchor lacks.
    pub fn parse(bytes: &[u8]) -> Result<Self, AnchorError> {
        match SignedCheckpoint::parse(bytes) {
            Ok(checkpoint) => Ok(Self::Signed(checkpoint)),
            // Bytes that are no text are no anchor either.
            Err(_) => Anchor::parse(&String::from_utf8_lossy(bytes)).map(Self::Plain),
        }
    }

    fn known(self, source: Source, keys: &Keys) -> KnownHead {
        match self {
            Self::Signed(checkpoint) => KnownHead::signed(source, &checkpoint, keys),
            Self::Plain(anchor) => KnownHead::plain(source, anchor),
        }
    }
}

/// What was read, before the keys are known.
pub(super) struct Outside {
    kept: Vec<(Source, Kept)>,
    findings: Vec<Finding>,
}

impl Outside {
    /// Reads the files beside the ledger, or takes what the options have instead, and what they have
    /// besides.
    pub(super) fn read(ledger: &Ledger, options: &CheckOptions) -> Result<Self, CheckError> {
        let mut outside = Self { kept: Vec::new(), findings: Vec::new() };
        match &options.anchor {
            Some(anchor) => outside.kept.push((Source::Anchor, anchor.clone())),
            None => {
                outside.file(Source::Anchor, &ledger.anchor_path())?;
                outside.file(Source::HeadFile, &ledger.head_path())?;
            }
        }
        outside.kept.extend(options.against.iter().map(|kept| (Source::Given, kept.clone())));
        Ok(outside)
    }

    /// A file that may be missing. What it holds may be anything, which is a finding.
    fn file(&mut self, source: Source, path: &Path) -> Result<(), CheckError> {
        let parsed = match small_file::read(path, NOTE_BYTES_MAX) {
            Ok(Some(bytes)) => Kept::parse(&bytes).map_err(|error| error.to_string()),
            Ok(None) => return Ok(()),
            Err(error) if is_something_else(&error) => Err(error.to_string()),
            Err(error) => return Err(io_error(path.to_owned(), error).into()),
        };
        match parsed {
            Ok(kept) => self.kept.push((source, kept)),
            Err(error) => {
                let detail = format!("what stands in the place of {} is {error}", source.name());
                self.findings.push(Finding::at(0, FindingKind::AnchorMismatch, detail));
            }
        }
        Ok(())
    }

    /// Verifies the signatures.
    pub(super) fn judge(self, keys: &Keys) -> (Vec<KnownHead>, Vec<Finding>) {
        let known = self.kept.into_iter().map(|(source, kept)| kept.known(source, keys));
        (known.collect(), self.findings)
    }
}

/// Whether something lies there that cannot be the file.
fn is_something_else(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::IsADirectory)
}
