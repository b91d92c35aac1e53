//! `modeltrail verify`.

mod package;
mod stamps;

use std::fmt::Display;
use std::io::{ErrorKind, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use modeltrail::check::{self, CheckOptions, CheckReport, KeysFrom, Mode};
use modeltrail::store::{Access, SqliteStore};
use modeltrail::{Ledger, Place, Reader};
use modeltrail_core::note::{NOTE_BYTES_MAX, VerifierKey};
use modeltrail_core::verify::Finding;
use serde::Serialize;

use super::context::Context;
use super::triggers;
use crate::exit::{Exit, Failure, even_if_unread};
use crate::files;
use crate::output::{Column, Format, Rows, json_pretty, stdout, stdout_has_color};
use crate::outside::Files;
use crate::outside::evidence::{self, Kept};
use crate::progress::Progress;
use package::Package;

/// Check parts, leaves, links, lookup rows, indexes, head and anchor; exit code 1 with findings
#[derive(clap::Args)]
#[command(
    after_help = "Every part is hashed again and held against its leaf, every leaf against the one \
    before it and the tree's root, the root against head, checkpoints and anchor, every searchable \
    column and index against the part that it comes from."
)]
pub(crate) struct Args {
    #[command(flatten)]
    package: Package,
    /// Hold the ledger against this copy of its anchor instead of the files beside it
    #[arg(long, value_name = "FILE")]
    anchor: Option<PathBuf>,
    /// Hold the ledger against a checkpoint or anchor that somebody kept elsewhere, as well; may be
    /// given several times
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Believe this verifier key, and those that it vouches for, instead of what the ledger says of
    /// its keys; may be given several times
    #[arg(long, value_name = "VKEY", value_parser = vkey)]
    key: Vec<VerifierKey>,
    /// Check leaves, links, tree, head, checkpoints and anchor, and leave the parts unread
    #[arg(long, conflicts_with_all = ["incremental", "skip_indexes"])]
    leaves_only: bool,
    /// Check in full what came since the last clean --incremental, and that the tree before is still
    /// the one that was found then. That is noted in a file beside the ledger, and whoever can write
    /// there can lie in it: a full verification is still due now and then
    #[arg(long)]
    incremental: bool,
    /// Leave the database's own indexes unchecked: faster, but an entry that only a search would miss is
    /// not found
    #[arg(long)]
    skip_indexes: bool,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

fn vkey(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(exit) = args.package.run(&args.key, context)? {
        return Ok(exit);
    }
    let ledger = context.ledger()?;
    let against: Result<Vec<check::Kept>, Failure> =
        args.against.iter().map(|p| read_kept(p)).collect();
    let options = CheckOptions {
        n_threads: args.threads,
        anchor: args.anchor.as_deref().map(read_kept).transpose()?,
        against: against?,
        keys: args.key.clone(),
        mode: if args.leaves_only { Mode::LeavesOnly } else { Mode::Full },
        incremental: args.incremental,
        remember: args.incremental,
        skip_indexes: args.skip_indexes,
    };
    let report = {
        let size = Reader::of(&ledger)?.size()?;
        let progress = Progress::count(size, !context.notes.is_quiet(), "verifying");
        check::run(&ledger, &options, |n, total| progress.set(n, total))?
    };
    let evidence = evidence::list(&Files::of(&ledger).evidence);
    even_if_unread(write(&report, &evidence, context.settings.format))?;
    tell(&report, args, &ledger, context);
    for Kept { whom, size, path } in &evidence {
        context.notes.warn(&format!(
            "there are two histories of this ledger: {whom} has another one of its first {size} entries, \
             signed by its key; the evidence is {}",
            path.display()
        ));
    }
    let is_clean = report.is_clean() && evidence.is_empty();
    Ok(if is_clean { Exit::Fine } else { Exit::Findings })
}

/// What the findings alone do not say: what was not looked at, and what it rests on.
fn tell(report: &CheckReport, args: &Args, ledger: &Ledger, context: &Context) {
    if report.anchored_size.is_none() {
        context.notes.warn(&no_anchor(ledger));
    }
    report.notes.iter().for_each(|note| context.notes.note(note));
    tell_triggers(ledger, context);
    if args.skip_indexes {
        context.notes.note("the database's indexes were not checked (--skip-indexes)");
    }
    if report.mode == Mode::LeavesOnly {
        context.notes.note(
            "parts, lookup rows, producer numbers and erasures were not checked (--leaves-only)",
        );
    }
    if report.since > 0 {
        context.notes.note(&format!(
            "entries before {} were held against the tree alone, as the last verification found it \
             (--incremental)",
            report.since
        ));
    }
    if report.keys == KeysFrom::Pinned && report.signed_size.is_none() {
        context.notes.warn(
            "no stored checkpoint is signed by a key that you gave: what was found, or not found, \
             rests on nobody's signature",
        );
    }
    let is_unpinned = report.keys == KeysFrom::Ledger;
    if is_unpinned {
        context.notes.note(
            "signatures were verified with the keys that the ledger itself names; give the one that \
             was handed to you with --key",
        );
    }
}

/// What somebody did to the triggers; where the file cannot be read, that was said before.
fn tell_triggers(ledger: &Ledger, context: &Context) {
    let Place::Sqlite(path) = ledger.place() else { return };
    let Ok(facts) = SqliteStore::open(path, Access::Read).and_then(|store| store.facts()) else {
        return;
    };
    for text in triggers::warnings(&facts) {
        context.notes.warn(&text);
    }
}

/// A file that was named must be there. A checkpoint of another ledger is a finding: either file may
/// have been put in the place of another.
fn read_kept(path: &Path) -> Result<check::Kept, Failure> {
    let input = |what: &dyn Display| Failure::input(format!("{}: {what}", path.display()));
    let bytes = match files::read(path, NOTE_BYTES_MAX) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(input(&"no such file; name a checkpoint or a copy of an anchor")),
        Err(error) if error.kind() == ErrorKind::InvalidData => return Err(input(&error)),
        Err(error) => return Err(Failure::file(path, &error)),
    };
    check::Kept::parse(&bytes).map_err(|error| input(&error))
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

/// What was found, and what was kept before that contradicts the ledger.
#[derive(Serialize)]
struct Verified<'a> {
    #[serde(flatten)]
    report: &'a CheckReport,
    /// Folders with two signed checkpoints that contradict each other.
    evidence: Vec<String>,
}

fn write(report: &CheckReport, evidence: &[Kept], format: Format) -> Result<(), Failure> {
    let mut out = stdout();
    let rows = match format {
        Format::Json => {
            let evidence = evidence.iter().map(|kept| kept.path.display().to_string()).collect();
            json_pretty(&mut out, &Verified { report, evidence })?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    let mut out = write_findings(rows, &report.findings)?;
    if format == Format::Table {
        match evidence.len() {
            0 => writeln!(out, "{}", verdict(report))?,
            n => writeln!(out, "CONTRADICTED, {n} pieces of evidence; else {}", verdict(report))?,
        }
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
    let CheckReport { origin, size, root, part_bytes, findings, .. } = report;
    let result = match findings.len() {
        0 => "clean".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    let read = match (report.mode, report.since) {
        (Mode::LeavesOnly, _) => "leaves alone".to_owned(),
        (Mode::Full, 0) => format!("{part_bytes} bytes of parts"),
        (Mode::Full, since) => format!("{part_bytes} bytes of parts from entry {since} on"),
    };
    let anchored = match report.anchored_size {
        Some(size) => format!("held against the anchor of {size}"),
        None => "held against no anchor".to_owned(),
    };
    let signed = match report.n_checkpoints {
        0 => String::new(),
        1 => " and 1 stored checkpoint".to_owned(),
        n => format!(" and {n} stored checkpoints"),
    };
    format!("{result}: {origin}, {size} entries, {read}, {anchored}{signed}, root {root}")
}
