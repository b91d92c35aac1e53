//! What every command is handed: its settings, and a voice on standard error.

use std::fmt;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use modeltrail::{Ledger, Place, Reader};

use crate::config::Settings;
use crate::exit::Failure;
use crate::output::stderr_has_color;
use crate::outside::round::Outside;
use crate::outside::standing::{self, OutsideStanding};

/// Speaks on standard error.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    quiet: bool,
    color: bool,
}

impl Notes {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, color: stderr_has_color() }
    }

    /// True when only errors are to be told.
    pub(crate) const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Something worth knowing.
    pub(crate) fn note(self, text: &str) {
        if !self.quiet {
            line(format_args!("{text}"));
        }
    }

    /// Something that may need attention.
    pub(crate) fn warn(self, text: &str) {
        if !self.quiet {
            self.labelled("warning", "\x1b[1;33m", text);
        }
    }

    /// What went wrong, and what to do.
    pub(crate) fn error(self, message: &str, hint: Option<&str>) {
        self.labelled("error", "\x1b[1;31m", message);
        if let Some(hint) = hint {
            self.labelled("hint", "\x1b[1;36m", hint);
        }
    }

    fn labelled(self, label: &str, color: &str, text: &str) {
        if self.color {
            line(format_args!("{color}{label}:\x1b[0m {text}"));
        } else {
            line(format_args!("{label}: {text}"));
        }
    }
}

/// Nobody may be there to read it; there is nowhere left to say so.
fn line(text: fmt::Arguments<'_>) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// What every command is handed.
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) notes: Notes,
}

impl Context {
    /// The ledger that the settings name.
    pub(crate) fn ledger(&self) -> Result<Ledger, Failure> {
        let ledger = Ledger::parse(&self.settings.store)?;
        if matches!(ledger.place(), Place::Memory) {
            let text = "a ledger in memory ends with its process; write --store sqlite:PATH";
            return Err(Failure::input(text));
        }
        Ok(ledger)
    }

    /// A reader of that ledger.
    pub(crate) fn reader(&self) -> Result<Reader, Failure> {
        Ok(Reader::of(&self.ledger()?)?)
    }

    /// How the ledger stands to the evidence outside. A policy that cannot be read is told, and counts
    /// as none.
    pub(crate) fn outside(&self, ledger: &Ledger) -> Result<OutsideStanding, Failure> {
        let (outside, problem) = Outside::of(&self.settings.outside);
        if let Some(problem) = problem {
            self.notes.warn(&problem);
        }
        standing::of(ledger, &outside, now_ns()).map_err(Failure::failed)
    }

    /// The same for a report: without the places, which `status` shows.
    pub(crate) fn outside_in_short(&self) -> Result<OutsideStanding, Failure> {
        let mut standing = self.outside(&self.ledger()?)?;
        standing.places.clear();
        Ok(standing)
    }

    /// Where the ledger's spool is.
    pub(crate) fn spool_dir(&self, ledger: &Ledger) -> PathBuf {
        self.settings.spool_dir.clone().unwrap_or_else(|| ledger.spool_dir())
    }
}

/// Nanoseconds since 1970 UTC.
pub(crate) fn now_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)
}
