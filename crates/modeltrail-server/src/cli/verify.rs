//! `modeltrail verify`.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use modeltrail::anchor_file;
use modeltrail::check::{self, CheckOptions, CheckReport};
use modeltrail::{Ledger, Reader};
use modeltrail_core::anchor::Anchor;
use modeltrail_core::verify::Finding;

use super::context::Context;
use crate::exit::{Exit, Failure, even_if_unread};
use crate::output::{Column, Format, Rows, stdout, stdout_has_color};
use crate::progress::Progress;

/// Check parts, leaves, links, lookup rows, indexes, head and anchor; exit code 1 with findings
#[derive(clap::Args)]
#[command(
    after_help = "Every part is hashed again and held against its leaf, every leaf against the one \
    before it and the tree's root, the root against the anchor, every searchable column and index \
    against the part that it comes from."
)]
pub(crate) struct Args {
    /// Hold the ledger against this copy of its anchor instead of the one beside it
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Leave the database's own indexes unchecked: faster, but an entry that only a search would miss is
    /// not found
    #[arg(long)]
    skip_indexes: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let options = CheckOptions {
        n_threads: args.threads,
        anchor: args.anchor.as_deref().map(read_anchor).transpose()?,
        skip_indexes: args.skip_indexes,
    };
    let report = {
        let size = Reader::of(&ledger)?.size()?;
        let progress = Progress::count(size, !context.notes.is_quiet(), "verifying");
        check::run(&ledger, &options, |n, total| progress.set(n, total))?
    };
    even_if_unread(write(&report, context.settings.format))?;
    if report.anchored_size.is_none() {
        context.notes.warn(&no_anchor(&ledger));
    }
    if args.skip_indexes {
        context.notes.note("the database's indexes were not checked (--skip-indexes)");
    }
    Ok(if report.is_clean() { Exit::Fine } else { Exit::Findings })
}

/// An anchor that was named must be there. One of another ledger is a finding: either file may have
/// been put in the place of another.
fn read_anchor(path: &Path) -> Result<Anchor, Failure> {
    let read = anchor_file::read(path).map_err(Failure::input)?;
    let missing = || format!("{}: no such file; name a copy of an anchor", path.display());
    read.ok_or_else(|| Failure::input(missing()))
}

/// What it means that nothing outside the database was there.
fn no_anchor(ledger: &Ledger) -> String {
    format!(
        "there is no anchor at {}: the ledger was checked against itself alone, so entries cut off at \
         its end, or a history that was rewritten as a whole, would not show; give a copy with --anchor",
        ledger.anchor_path().display()
    )
}

const COLUMNS: &[Column] = &[Column::text("index"), Column::text("kind"), Column::text("detail")];

fn write(report: &CheckReport, format: Format) -> Result<(), Failure> {
    let mut out = stdout();
    let rows = match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            out.write_all(b"\n")?;
            out.flush()?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    let mut out = write_findings(rows, &report.findings)?;
    if format == Format::Table {
        writeln!(out, "{}", verdict(report))?;
        out.flush()?;
    }
    Ok(())
}

fn write_findings<W: std::io::Write>(
    mut rows: Rows<W>,
    findings: &[Finding],
) -> Result<W, Failure> {
    for finding in findings {
        rows.row(vec![index(finding), finding.kind.name().to_owned(), finding.detail.clone()])?;
    }
    Ok(rows.finish()?)
}

/// `12`, or `12-15` for a run.
pub(crate) fn index(finding: &Finding) -> String {
    if finding.index == finding.index_end {
        finding.index.to_string()
    } else {
        format!("{}-{}", finding.index, finding.index_end)
    }
}

/// The result in a line.
pub(crate) fn verdict(report: &CheckReport) -> String {
    let CheckReport { origin, size, root, part_bytes, anchored_size, findings } = report;
    let result = match findings.len() {
        0 => "clean".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    let anchored = match anchored_size {
        Some(size) => format!("held against the anchor of {size}"),
        None => "held against no anchor".to_owned(),
    };
    format!(
        "{result}: {origin}, {size} entries, {part_bytes} bytes of parts, {anchored}, root {root}"
    )
}
