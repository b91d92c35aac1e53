//! Progress on standard error, where that is a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often a spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// A progress bar, or nothing where nobody would see it.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Nothing is shown.
    pub(crate) const fn hidden() -> Self {
        Self { bar: None }
    }

    fn new(total: Option<u64>, shown: bool, template: &str, what: &'static str) -> Self {
        if !shown || !std::io::stderr().is_terminal() {
            return Self::hidden();
        }
        let bar = match total {
            Some(total) => ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr()),
            None => ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()),
        };
        let style = ProgressStyle::with_template(template).ok();
        bar.set_style(style.unwrap_or_else(ProgressStyle::default_bar).progress_chars("=> "));
        bar.set_prefix(what);
        bar.enable_steady_tick(TICK);
        Self { bar: Some(bar) }
    }

    /// Bytes of `total`, or a count of them where the end is not known.
    pub(crate) fn bytes(total: Option<u64>, shown: bool, what: &'static str) -> Self {
        let template = match total {
            Some(_) => "{prefix} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
            None => "{prefix} {spinner} {bytes} {bytes_per_sec} {msg}",
        };
        Self::new(total, shown, template, what)
    }

    /// Things out of a total, which [`Progress::set`] may correct.
    pub(crate) fn count(total: u64, shown: bool, what: &'static str) -> Self {
        let template = "{prefix} [{bar:32}] {human_pos}/{human_len} {per_sec} {eta} {msg}";
        Self::new(Some(total), shown, template, what)
    }

    /// Moves to `n` of `total`.
    pub(crate) fn set(&self, n: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(n);
        }
    }

    /// Moves to `n`.
    pub(crate) fn position(&self, n: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(n);
        }
    }

    /// Words behind the bar.
    pub(crate) fn message(&self, text: impl FnOnce() -> String) {
        if let Some(bar) = &self.bar {
            bar.set_message(text());
        }
    }

    /// A line on standard error, above the bar.
    pub(crate) fn tell(&self, line: &str) {
        let write = || drop(writeln!(std::io::stderr().lock(), "{line}"));
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
