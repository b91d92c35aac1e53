//! The two streams: findings and closing lines on one, progress and errors on the other.

use std::fmt::Display;
use std::io::Write;

/// Where output goes: stdout and stderr, or what a test reads.
pub(crate) struct Output<'a> {
    /// Findings and closing lines.
    pub(crate) out: &'a mut dyn Write,
    /// Progress, notes and errors.
    pub(crate) err: &'a mut dyn Write,
}

impl Output<'_> {
    /// Writes a finding or a closing line. A reader that went away (`| head`) is no error.
    pub(crate) fn tell(&mut self, line: impl Display) {
        drop(writeln!(self.out, "{line}"));
    }

    /// Writes progress, a note or an error. A reader that went away is no error.
    pub(crate) fn tell_error(&mut self, line: impl Display) {
        drop(writeln!(self.err, "{line}"));
    }
}
