//! `modeltrail redact`: what recording would mask, shown and not recorded.

mod changes;
mod diff;
mod explain;
mod hunks;
mod mask;
mod policy;
mod stats;

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use modeltrail_core::PartId;
use modeltrail_core::redact::Redactor;

use super::context::Context;
use super::log::{LINE_SLACK_BYTES, Line, Lines, N_TOLD_MAX, Source};
use crate::exit::{Exit, Failure};
use crate::output::{stdout, stdout_has_color};
use crate::progress::Progress;
use diff::Diff;
use mask::{Masked, Masker};
use stats::Tally;

/// Preview the redaction of JSON Lines or text; nothing is recorded
#[derive(clap::Args)]
#[command(
    after_help = "A line that is a record is masked as recording would mask it: its input, output, \
    metadata, pipeline and error, not its identifiers. In other JSON everything is masked. What is no \
    JSON is masked as text.\n\
    Without --policy it is done as the settings say. Pseudonyms of a preview are made with a key of \
    its own, so they are not those of a ledger, nor those of the next preview.\n\
    --diff shows the original beside what takes its place; all other output has masked text alone."
)]
pub(crate) struct Args {
    /// The file; - or nothing for standard input
    #[arg(value_name = "FILE", conflicts_with = "check")]
    file: Option<PathBuf>,
    /// Follow this redaction policy (TOML), not the settings
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Only say whether the policy can be used, its digest, and what it does with each type
    #[arg(long, requires = "policy", conflicts_with_all = ["diff", "explain", "stats", "instead_of"])]
    check: bool,
    /// Show what would change, the original included: place, old and new text
    #[arg(long)]
    diff: bool,
    /// Show what changes between this policy and that of --policy
    #[arg(long, value_name = "POLICY", requires = "policy")]
    instead_of: Option<PathBuf>,
    /// Say on standard error of each finding its place, rule, action and why, without the value
    #[arg(long)]
    explain: bool,
    /// Count what is found by type and part, and show nothing else
    #[arg(long, conflicts_with_all = ["diff", "explain", "instead_of"])]
    stats: bool,
    /// What a line that is no record counts as: input, output, metadata, pipeline or error
    #[arg(long, value_name = "PART", default_value = "input", value_parser = part)]
    part: PartId,
    /// The model that such a line counts as one of
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    model: String,
}

/// The parts of a record that are redacted.
fn part(name: &str) -> Result<PartId, String> {
    let parts = [PartId::Input, PartId::Output, PartId::Metadata, PartId::Pipeline, PartId::Error];
    let found = PartId::from_name(name).filter(|part| parts.contains(part));
    found.ok_or_else(|| "write input, output, metadata, pipeline or error".to_owned())
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    // Both files before the input: what is wrong with them is told at once.
    let read = |path: &Option<PathBuf>| path.as_deref().map(policy::read).transpose();
    let (policy, earlier) = (read(&args.policy)?, read(&args.instead_of)?);
    if args.check {
        return policy.map_or(Ok(Exit::Input), |policy| policy::check(policy, context));
    }
    let is_diff = args.diff || earlier.is_some();
    let now = match policy {
        Some(policy) => Redactor::with_policy(policy, None),
        None => context.settings.redactor()?,
    };
    let earlier = earlier.map(|policy| Redactor::with_policy(policy, None));
    let key = policy::throw_away_key()?;
    if earlier.iter().chain([&now]).any(Redactor::wants_key) {
        context.notes.note("pseudonyms are made with a key of this preview: no ledger has them");
    }
    let masker = |redactor: Redactor| {
        let redactor = if redactor.wants_key() { redactor.with_key(key.clone()) } else { redactor };
        Masker::new(redactor, context.settings.limits, args.part, &args.model)
            .keeping(is_diff || args.explain)
    };
    let (earlier, masker) = (earlier.map(masker), masker(now));
    let Source { name, bytes, from } = Source::open(args.file.as_deref(), context.notes)?;
    let bytes_max = context.settings.limits.record_bytes_max.saturating_add(LINE_SLACK_BYTES);
    let show = match (args.stats, is_diff) {
        (true, _) => Show::Nothing,
        (_, true) => Show::Diff(Diff::new(stdout(), stdout_has_color(), sides(args, &name))),
        _ => Show::Masked(stdout()),
    };
    let mut preview = Preview {
        name,
        masker,
        earlier,
        explain: args.explain,
        show,
        tally: Tally::default(),
        progress: Progress::bytes(bytes, args.stats && !context.notes.is_quiet(), "reading"),
    };
    let begun = Instant::now();
    preview.lines(Lines::new(from, bytes_max))?;
    let Preview { masker, show, tally, progress, .. } = preview;
    drop(progress);
    show.finish()?;
    context.notes.note(&if args.stats {
        let digest = masker.redactor.policy_digest();
        tally.write(begun.elapsed(), digest, context.settings.format)?
    } else {
        // Under a policy what was found may be kept.
        tally.text(if masker.redactor.policy().is_some() { "found" } else { "masked" })
    });
    Ok(if tally.n_refused == 0 { Exit::Fine } else { Exit::Input })
}

/// What the two sides of a diff are.
fn sides(args: &Args, input: &str) -> [String; 2] {
    let by = |path: &Path| format!("{input} by {}", path.display());
    let now = args.policy.as_deref().map_or_else(|| format!("{input} by the settings"), by);
    [args.instead_of.as_deref().map_or_else(|| input.to_owned(), by), now]
}

/// What goes to standard output.
enum Show<W: Write> {
    /// Masked lines.
    Masked(W),
    /// What changes in them.
    Diff(Diff<W>),
    /// Nothing until the end.
    Nothing,
}

impl<W: Write> Show<W> {
    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Masked(mut out) => Ok(out.flush()?),
            Self::Diff(diff) => Ok(diff.finish()?),
            Self::Nothing => Ok(()),
        }
    }
}

/// A run over lines.
struct Preview<W: Write> {
    name: String,
    masker: Masker,
    /// The policy that the diff begins with.
    earlier: Option<Masker>,
    explain: bool,
    show: Show<W>,
    tally: Tally,
    /// Where lines go by without being shown.
    progress: Progress,
}

impl<W: Write> Preview<W> {
    fn lines(&mut self, mut lines: Lines<impl BufRead>) -> Result<(), Failure> {
        loop {
            let line = lines.next().map_err(|e| Failure::failed(format!("{}: {e}", self.name)))?;
            let Some(line) = line else { break };
            self.tally.n_lines += 1;
            let at = format!("{}:{}", self.name, self.tally.n_lines);
            let done = match line {
                Line::Whole(bytes) => self.line(bytes, &at)?,
                Line::TooLong => Err("is longer than the largest record; shorten it".to_owned()),
            };
            // Nothing of a line that could not be read is shown: it was not masked.
            if let Err(why) = done {
                self.tally.n_refused += 1;
                if self.tally.n_refused <= N_TOLD_MAX {
                    self.progress.tell(&format!("{at}: {why}"));
                }
            }
            self.tally.n_bytes = lines.n_bytes();
            self.progress.position(self.tally.n_bytes);
        }
        let n_untold = self.tally.n_refused.saturating_sub(N_TOLD_MAX);
        if n_untold > 0 {
            self.progress.tell(&format!("{}: {n_untold} more such lines are not shown", self.name));
        }
        Ok(())
    }

    /// One line: outside it is what ends the run, inside why the line was refused.
    fn line(&mut self, line: &[u8], at: &str) -> Result<Result<(), String>, Failure> {
        let masked = match self.masker.mask(line) {
            Ok(masked) => masked,
            Err(why) => return Ok(Err(why)),
        };
        let was = match self.earlier.as_ref().map(|earlier| (earlier, earlier.mask(line))) {
            Some((_, Err(why))) => return Ok(Err(why)),
            Some((by, Ok(was))) => Some((by, was)),
            None => None,
        };
        match &mut self.show {
            Show::Masked(out) => {
                out.write_all(&masked.bytes)?;
                out.write_all(b"\n")?;
            }
            Show::Diff(diff) => {
                let was = was.as_ref().map(|(by, was)| (*by, was));
                diff.line(at, &self.masker, &masked, was)?;
            }
            Show::Nothing => {}
        }
        self.tally.add(&masked, self.masker.redactor.policy());
        if self.explain {
            return Ok(self.tell_why(&masked, at));
        }
        Ok(Ok(()))
    }

    fn tell_why(&self, masked: &Masked, at: &str) -> Result<(), String> {
        for document in &masked.documents {
            let told = explain::lines(&self.masker.redactor, document, &masked.model);
            for line in told.map_err(|error| error.to_string())? {
                tell(&format!("{at}: {line}"));
            }
        }
        Ok(())
    }
}

fn tell(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
