//! `modeltrail redact`: what recording would mask, shown and not recorded.

mod explain;
mod mask;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::path::PathBuf;

use modeltrail_core::redact::Rule;

use super::context::Context;
use super::log::{LINE_SLACK_BYTES, Line, Lines, Source};
use crate::exit::{Exit, Failure};
use crate::output::stdout;
use mask::{Masked, Masker};

/// Preview the redaction of JSON Lines or text; nothing is recorded
#[derive(clap::Args)]
#[command(
    after_help = "A line that is a record is masked as recording would mask it: its input, output, \
    metadata, pipeline and error, not its identifiers. In other JSON everything is masked. What is no \
    JSON is masked as text."
)]
pub(crate) struct Args {
    /// The file; - or nothing for standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Say on standard error which rule masked what place, without the value
    #[arg(long)]
    explain: bool,
}

/// What was done, for the end.
#[derive(Default)]
struct Totals {
    n_lines: u64,
    n_masked_lines: u64,
    n_refused: u64,
    by_rule: BTreeMap<Rule, u64>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let Source { name, from, .. } = Source::open(args.file.as_deref(), context.notes)?;
    let bytes_max = context.settings.limits.record_bytes_max.saturating_add(LINE_SLACK_BYTES);
    let masker = Masker::new(context.settings.redactor()?, context.settings.limits);
    let mut totals = Totals::default();
    let mut out = stdout();
    mask_lines(&name, Lines::new(from, bytes_max), &masker, args.explain, &mut totals, &mut out)?;
    out.flush()?;
    context.notes.note(&totals.text());
    Ok(if totals.n_refused == 0 { Exit::Fine } else { Exit::Input })
}

fn mask_lines(
    name: &str,
    mut lines: Lines<impl BufRead>,
    masker: &Masker,
    explain: bool,
    totals: &mut Totals,
    out: &mut impl Write,
) -> Result<(), Failure> {
    loop {
        let line = lines.next().map_err(|e| Failure::failed(format!("{name}: {e}")))?;
        let Some(line) = line else { return Ok(()) };
        totals.n_lines += 1;
        let masked = match line {
            Line::Whole(bytes) => masker.mask(bytes, explain),
            Line::TooLong => Err("is longer than the largest record; shorten it".to_owned()),
        };
        let at = totals.n_lines;
        match masked {
            Ok(masked) => {
                out.write_all(&masked.bytes)?;
                out.write_all(b"\n")?;
                totals.add(&masked);
                for place in &masked.places {
                    tell(&format!("{name}:{at}: {place}"));
                }
            }
            // Nothing of a line that could not be read is shown: it was not masked.
            Err(why) => {
                totals.n_refused += 1;
                tell(&format!("{name}:{at}: {why}"));
            }
        }
    }
}

fn tell(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

impl Totals {
    fn add(&mut self, masked: &Masked) {
        self.n_masked_lines += u64::from(!masked.counts.is_empty());
        for (rule, n) in masked.counts.iter() {
            *self.by_rule.entry(rule).or_default() += u64::from(n);
        }
    }

    fn text(&self) -> String {
        let rules: Vec<String> =
            self.by_rule.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        let rules = if rules.is_empty() { "nothing".to_owned() } else { rules.join(", ") };
        let refused = match self.n_refused {
            0 => String::new(),
            n => format!("; {n} lines could not be read and are left out"),
        };
        format!("masked {rules} in {} of {} lines{refused}", self.n_masked_lines, self.n_lines)
    }
}
