//! The voice of the demo.

use std::io::{self, Write};

use crate::output::clean;

/// Says what is done, in short lines.
pub(super) struct Tale<W: Write> {
    out: W,
    color: bool,
    n_steps: u32,
}

impl<W: Write> Tale<W> {
    pub(super) const fn new(out: W, color: bool) -> Self {
        Self { out, color, n_steps: 0 }
    }

    /// A new step.
    pub(super) fn step(&mut self, title: &str) -> io::Result<()> {
        self.n_steps += 1;
        let n = self.n_steps;
        self.out.flush()?;
        if self.color {
            writeln!(self.out, "\n\x1b[1m{n}. {title}\x1b[0m")
        } else {
            writeln!(self.out, "\n{n}. {title}")
        }
    }

    /// The command that does the same.
    pub(super) fn command(&mut self, command: &str) -> io::Result<()> {
        if self.color {
            writeln!(self.out, "   \x1b[36m$ {command}\x1b[0m")
        } else {
            writeln!(self.out, "   $ {command}")
        }
    }

    /// A line or several.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        let indent = if self.n_steps == 0 { "" } else { "   " };
        text.lines().try_for_each(|line| writeln!(self.out, "{indent}{}", clean(line)))
    }

    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
