//! `modeltrail status`.

use modeltrail::redaction::{InForce, newest_policy};
use modeltrail::spool::{self, SpoolState};
use modeltrail::store::{Access, SqliteFacts, SqliteStore, Store as _};
use modeltrail::{Ledger, Place, anchor_file};
use serde::Serialize;

use super::context::Context;
use super::init::database;
use super::triggers;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, json_pretty, stdout, stdout_has_color};
use crate::outside::standing::{Contradiction, OutsideStanding, PlaceStanding};

/// Show the ledger's size, head, anchor and spool
#[derive(clap::Args)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Report {
    origin: String,
    database: String,
    database_bytes: u64,
    format_version: u32,
    /// Number of entries.
    size: u64,
    root: String,
    anchor: AnchorReport,
    append_only: AppendOnly,
    outside: OutsideStanding,
    redaction: RedactionReport,
    spool: SpoolReport,
}

/// What is known of redaction.
#[derive(Serialize)]
struct RedactionReport {
    /// The policy that came into force last, as headers name it; another process may have another.
    policy: Option<String>,
    /// Its name; a list of rules has none.
    name: Option<String>,
    /// The entry that says so.
    since: Option<u64>,
    /// Epochs of pseudonyms whose keys are here; the last one is in use.
    pseudonym_epochs: Vec<u32>,
}

#[derive(Serialize)]
struct AnchorReport {
    path: String,
    /// `current`, `behind`, `ahead`, `other root`, `other ledger`, `missing` or `unreadable`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

#[derive(Serialize)]
struct AppendOnly {
    n_triggers: usize,
    changed_triggers: Vec<&'static str>,
}

#[derive(Serialize)]
struct SpoolReport {
    dir: String,
    bytes: u64,
    bytes_max: u64,
    n_segments: u64,
    n_free: u64,
    n_quarantined: u64,
    /// Records that wait; absent where only the sequencer can know.
    depth: Option<u64>,
}

pub(crate) fn run(_: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let Place::Sqlite(path) = ledger.place() else {
        return Err(Failure::input("only a ledger in a file has a status"));
    };
    let store = SqliteStore::open(path, Access::Read)?;
    let head = store.tip()?.head;
    let facts = store.facts()?;
    for text in triggers::warnings(&facts) {
        context.notes.warn(&format!("{text}; run `modeltrail verify`"));
    }
    let dir = context.spool_dir(&ledger);
    let report = Report {
        origin: store.origin().to_owned(),
        database: database(&ledger),
        database_bytes: facts.database_bytes,
        format_version: facts.format_version,
        size: head.size,
        root: head.root.to_hex(),
        anchor: anchor(&ledger, store.origin(), &head),
        append_only: append_only(facts),
        outside: context.outside(&ledger)?,
        redaction: redaction(&ledger, &store)?,
        spool: spool_report(&dir.display().to_string(), spool::peek(&dir)?, context),
    };
    write(&report, context)?;
    warn(&report, context);
    Ok(Exit::Fine)
}

fn anchor(ledger: &Ledger, origin: &str, head: &modeltrail_core::anchor::Head) -> AnchorReport {
    let path = ledger.anchor_path();
    let read = anchor_file::read(&path);
    let state = match &read {
        Err(_) => "unreadable",
        Ok(None) => "missing",
        Ok(Some(anchor)) if anchor.origin != origin => "other ledger",
        Ok(Some(anchor)) if anchor.head.size > head.size => "ahead",
        Ok(Some(anchor)) if anchor.head.size < head.size => "behind",
        Ok(Some(anchor)) if anchor.head.root != head.root => "other root",
        Ok(Some(_)) => "current",
    };
    let size = read.ok().flatten().map(|anchor| anchor.head.size);
    AnchorReport { path: path.display().to_string(), state, size }
}

fn redaction(ledger: &Ledger, store: &SqliteStore) -> Result<RedactionReport, Failure> {
    let newest = newest_policy(store)?;
    let pseudonym_epochs = ledger.pseudonym_keys().epochs()?;
    Ok(match newest {
        None => RedactionReport { policy: None, name: None, since: None, pseudonym_epochs },
        Some(InForce { index, policy, .. }) => RedactionReport {
            policy: Some(policy.policy),
            name: policy.name,
            since: Some(index),
            pseudonym_epochs,
        },
    })
}

impl RedactionReport {
    fn policy_line(&self) -> String {
        let Self { policy: Some(policy), name, since, .. } = self else {
            return "no entry says what it is".to_owned();
        };
        let name = name.as_ref().map_or_else(String::new, |name| format!("{name}, "));
        let since = since.map_or_else(String::new, |since| format!(", from entry {since}"));
        format!("{name}{policy}{since}")
    }

    fn epochs_line(&self) -> String {
        match self.pseudonym_epochs.split_last() {
            None => "none".to_owned(),
            Some((last, [])) => format!("{last} in use"),
            Some((last, earlier)) => {
                let earlier: Vec<String> = earlier.iter().map(u32::to_string).collect();
                format!("{last} in use, {} kept", earlier.join(", "))
            }
        }
    }
}

fn append_only(facts: SqliteFacts) -> AppendOnly {
    AppendOnly { n_triggers: facts.n_triggers, changed_triggers: facts.changed_triggers }
}

fn spool_report(dir: &str, state: SpoolState, context: &Context) -> SpoolReport {
    SpoolReport {
        dir: dir.to_owned(),
        bytes: state.bytes,
        bytes_max: context.settings.spool.bytes_max,
        n_segments: state.n_segments,
        n_free: state.n_free,
        n_quarantined: state.n_quarantined,
        // A segment in use may hold anything from no record to thousands.
        depth: (state.n_segments == 0).then_some(0),
    }
}

/// What is not as it should be.
fn warn(report: &Report, context: &Context) {
    let notes = context.notes;
    let AnchorReport { path, state, .. } = &report.anchor;
    match *state {
        "current" | "behind" => {}
        // The first entry makes it.
        "missing" if report.size == 0 => {}
        "missing" => notes.warn(&format!("{path} is not there; restore it, and run verify")),
        state => notes.warn(&format!("the anchor {path} is: {state}; run `modeltrail verify`")),
    }
    warn_outside(&report.outside, context);
    if report.spool.n_quarantined > 0 {
        let (n, dir) = (report.spool.n_quarantined, &report.spool.dir);
        notes.warn(&format!("{n} damaged spans are in {dir}/quarantine; gap entries name them"));
    }
}

fn warn_outside(outside: &OutsideStanding, context: &Context) {
    let notes = context.notes;
    for PlaceStanding { whom, problem, is_finding, .. } in &outside.places {
        let todo = if *is_finding { "; run `modeltrail verify`" } else { "" };
        if !problem.is_empty() {
            notes.warn(&format!("{whom} does not count: {problem}{todo}"));
        }
    }
    if outside.is_late {
        notes.warn("what goes outside is late; does `modeltrail publish --every` run?");
    }
    for Contradiction { whom, what, evidence } in &outside.contradicted_by {
        let evidence =
            evidence.as_ref().map_or_else(String::new, |path| format!("; evidence: {path}"));
        notes.warn(&format!(
            "{whom} contradicts this ledger: {what}{evidence}; run `modeltrail verify`"
        ));
    }
    if outside.n_evidence > 0 {
        let n = outside.n_evidence;
        notes.warn(&format!(
            "{n} pieces of evidence that there are two histories lie beside the ledger"
        ));
    }
}

/// A place in a cell.
fn place(place: &PlaceStanding) -> String {
    let PlaceStanding { whom, size, time, problem, is_stamp, .. } = place;
    match (problem.as_str(), time) {
        ("", Some(time)) if *is_stamp => {
            format!("{whom}, {size} entries, {time}, signature not verified")
        }
        ("", Some(time)) => format!("{whom}, {size} entries, {time}"),
        ("", None) => format!("{whom}, {size} entries"),
        (problem, _) => format!("{whom}: {problem}"),
    }
}

const COLUMNS: &[Column] = &[Column::text("what"), Column::text("is")];

fn write(report: &Report, context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    let mut rows = match context.settings.format {
        Format::Json => {
            json_pretty(&mut out, report)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    let Report { anchor, append_only, outside, redaction, spool, .. } = report;
    let anchored = match anchor.size {
        Some(size) => format!("{}, at {size} entries, {}", anchor.state, anchor.path),
        None => format!("{}, {}", anchor.state, anchor.path),
    };
    let n_changed = append_only.changed_triggers.len();
    let guarded =
        format!("{} of {} triggers", append_only.n_triggers - n_changed, append_only.n_triggers);
    let depth =
        spool.depth.map_or_else(|| "only the sequencer knows".to_owned(), |n| n.to_string());
    let mut cells = vec![
        ("origin", report.origin.clone()),
        ("database", report.database.clone()),
        ("database_bytes", report.database_bytes.to_string()),
        ("format_version", report.format_version.to_string()),
        ("entries", report.size.to_string()),
        ("root", report.root.clone()),
        ("anchor", anchored),
        ("append_only", guarded),
        ("outside", outside.line()),
    ];
    let place_cell = |of: &PlaceStanding| (of.tier.name(), place(of));
    cells.extend(outside.places.iter().map(place_cell));
    cells.extend([
        ("redaction", redaction.policy_line()),
        ("pseudonym_epochs", redaction.epochs_line()),
        ("spool", spool.dir.clone()),
        ("spool_bytes", format!("{} of {}", spool.bytes, spool.bytes_max)),
        ("spool_segments", format!("{} in use, {} free", spool.n_segments, spool.n_free)),
        ("quarantined", spool.n_quarantined.to_string()),
        ("depth", depth),
    ]);
    for (what, is) in cells {
        rows.row(vec![what.to_owned(), is])?;
    }
    rows.finish()?;
    Ok(())
}
