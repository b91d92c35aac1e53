//! `modeltrail bundle`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use modeltrail::bundle::{self, BundleRequest, BundleSummary, DISCLOSED, Elsewhere, Timestamp};
use modeltrail::store::Store;
use modeltrail::{Kind, Status, keys};
use modeltrail_core::PartId;
use modeltrail_core::bundle::Filter;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::keys::KeyRole;
use modeltrail_core::policy::{POLICY_BYTES_MAX, Policy};
use modeltrail_core::time::format_rfc3339;

use super::behind;
use super::context::{Context, now_ns};
use super::time;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{Format, json_pretty, stdout};
use crate::outside::{Files, stamps};
use crate::progress::Progress;

/// Longest file of certificates or of a time stamp, in bytes; a verifier takes no longer one.
const TIMESTAMP_BYTES_MAX: usize = 1 << 20;

/// How much later than --until a record may have come when nothing is said of it, in microseconds: a
/// week, after which a machine that was cut off has been missed. More where matching records came later.
const LATE_BY_US: u64 = 7 * 24 * 3600 * 1_000_000;

/// Write an evidence bundle: entries, and the proof that none of those asked for was left out
#[derive(clap::Args)]
#[command(
    after_help = "Of matching entries everything is disclosed but `parties`, which says who asked and whom it \
    is about; --disclose header,input,output,parties adds it. Of other entries in the stretch of time only \
    the header is, so that one that was left out would show. An auditor checks the file with `modeltrail verify \
    --bundle FILE --key VKEY`, or with docs/verify.py alone."
)]
pub(crate) struct Args {
    /// Of this model
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Of this version
    #[arg(long, value_name = "VERSION")]
    model_version: Option<String>,
    /// Asked by this user; that no others are there cannot be proven then
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// About this subject; that no others are there cannot be proven then
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// With this status
    #[arg(long, value_parser = PossibleValuesParser::new(Status::ALL.iter().map(|status| status.name())))]
    status: Option<String>,
    /// Of this kind [default: every kind but the ledger's own]
    #[arg(long, value_parser = PossibleValuesParser::new(Kind::ALL.iter().map(|kind| kind.name())),
          hide_possible_values = true)]
    kind: Option<String>,
    /// Occurred at this time or later
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Occurred before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// How much later than --until a record may have been recorded [default: 7d, or as late as the last
    /// that matches was]
    #[arg(long, value_name = "SPAN")]
    late_by: Option<String>,
    /// Disclose these parts of matching entries and no others
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = parts(), conflicts_with = "withhold")]
    disclose: Vec<String>,
    /// Disclose all parts but `parties` and these
    #[arg(long, value_name = "PART,…", value_delimiter = ',', value_parser = parts())]
    withhold: Vec<String>,
    /// The tlog-policy to put in [default: outside.policy, else the ledger's keys and no witness]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Put in the newest time stamp, under the checkpoint that it is over, with these certificates of its
    /// authority (PEM, up to the root)
    #[arg(long, value_name = "FILE")]
    tsa: Option<PathBuf>,
    /// The file to make; it must not be there yet
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

fn parts() -> PossibleValuesParser {
    PossibleValuesParser::new(PartId::ALL.iter().map(|part| part.name()))
}

impl Args {
    fn filter(&self) -> Result<Filter, Failure> {
        let now_ns = now_ns();
        let time = |flag: &str, text: &Option<String>| {
            let read = |text: &String| {
                time::parse(text, now_ns)
                    .map(format_rfc3339)
                    .map_err(|error| Failure::input(format!("{flag}: {error}")))
            };
            text.as_ref().map(read).transpose()
        };
        let until = time("--until", &self.until)?;
        let late_by_us = match &until {
            None => None,
            Some(_) => Some(self.late_by_us()?),
        };
        Ok(Filter {
            kind: self.kind.clone(),
            late_by_us,
            model_name: self.model.clone(),
            model_version: self.model_version.clone(),
            since: time("--since", &self.since)?,
            status: self.status.clone(),
            subject_id: self.subject.clone(),
            until,
            user_id: self.user.clone(),
        })
    }

    fn late_by_us(&self) -> Result<u64, Failure> {
        let refused = |error: &str| Failure::input(format!("--late-by: {error}"));
        let text = match self.late_by.as_deref() {
            None => return Ok(LATE_BY_US),
            Some("0") => return Ok(0),
            Some(text) => text,
        };
        let seconds = time::parse_span_s(text).map_err(|error| refused(&error))?;
        seconds.checked_mul(1_000_000).ok_or_else(|| refused("at most ten years"))
    }

    fn disclosed(&self) -> Vec<PartId> {
        let named = |names: &[String]| -> Vec<PartId> {
            names.iter().filter_map(|name| PartId::from_name(name)).collect()
        };
        if !self.disclose.is_empty() {
            return named(&self.disclose);
        }
        let withheld = named(&self.withhold);
        DISCLOSED.into_iter().filter(|part| !withheld.contains(part)).collect()
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let store = ledger.open_read()?;
    behind::warn(&ledger, store.tip()?.head.size, context);
    let (checkpoint, timestamps) = match &args.tsa {
        None => (None, Vec::new()),
        Some(path) => {
            let (checkpoint, stamp) = stamped(&Files::of(&ledger), store.as_ref(), path)?;
            (Some(checkpoint), vec![stamp])
        }
    };
    let mut request = BundleRequest {
        filter: args.filter()?,
        disclose: args.disclosed(),
        policy: policy(args, context, store.as_ref())?,
        checkpoint,
        timestamps,
    };
    // Once: with a policy that asks for witnesses the search goes back through a day of checkpoints.
    request.checkpoint = Some(bundle::checkpoint_of(store.as_ref(), &request)?);
    widen(&mut request, args, store.as_ref(), context)?;
    let summary = {
        let shown = !context.notes.is_quiet();
        let progress = Progress::count(store.tip()?.head.size, shown, "bundling");
        bundle::write(store.as_ref(), &request, &args.output, |n, total| progress.set(n, total))?
    };
    tell(&summary, args, context)?;
    Ok(Exit::Fine)
}

/// Makes room for matching records that came later than a week, or says that there are some.
fn widen(
    request: &mut BundleRequest,
    args: &Args,
    store: &dyn Store,
    context: &Context,
) -> Result<(), Failure> {
    let Elsewhere { n_late, late_by_us, n_early, n_newer, size, .. } =
        bundle::elsewhere(store, request)?;
    let days = late_by_us.div_ceil(24 * 3600 * 1_000_000);
    if n_late > 0 && args.late_by.is_none() {
        request.filter.late_by_us = Some(late_by_us);
        context.notes.note(&format!(
            "{n_late} matching records were recorded up to {days} days after --until; the bundle goes that \
             far"
        ));
    } else if n_late > 0 {
        context.notes.warn(&format!(
            "{n_late} more records match and were recorded later than --late-by allows; with --late-by \
             {days}d they are in the bundle"
        ));
    }
    if n_newer > 0 {
        let what = if args.tsa.is_some() { "it" } else { "the newest that the policy accepts" };
        context.notes.warn(&format!(
            "{n_newer} more records match and are newer than the bundle's checkpoint of {size} entries, {what}; \
             they are not in the bundle; `modeltrail publish` brings checkpoints to the witnesses"
        ));
    }
    if n_early > 0 {
        context.notes.warn(&format!(
            "{n_early} more records match and were recorded more than a day before --since, as by a clock \
             that ran ahead; they are not in the bundle"
        ));
    }
    Ok(())
}

/// The policy that was named, else that of the settings, else the ledger's keys in force.
fn policy(args: &Args, context: &Context, store: &dyn Store) -> Result<Policy, Failure> {
    if let Some(path) = args.policy.as_ref().or(context.settings.outside.policy.as_ref()) {
        return read_policy(path);
    }
    let (history, _) = keys::history(store)?;
    let mut in_force = history.in_force(KeyRole::Checkpoint, u64::MAX).cloned().peekable();
    if in_force.peek().is_none() {
        let text = "the ledger has no checkpoint key, so nothing signs for its entries";
        return Err(Failure::failed(text).hint("`modeltrail key generate` makes one"));
    }
    Policy::logs_only(in_force).map_err(Failure::failed)
}

/// A policy that was named must be there.
pub(super) fn read_policy(path: &Path) -> Result<Policy, Failure> {
    let cannot = |error| Failure::input(format!("{}: {error}", path.display()));
    let bytes = files::read(path, POLICY_BYTES_MAX).map_err(cannot)?;
    let missing = || Failure::input(format!("{}: no such file", path.display()));
    Policy::parse(&bytes.ok_or_else(missing)?)
        .map_err(|error| Failure::input(format!("{}: {error}", path.display())))
}

/// The newest time stamp, and the stored checkpoint that it is over.
fn stamped(
    files: &Files,
    store: &dyn Store,
    certificates: &Path,
) -> Result<(SignedCheckpoint, Timestamp), Failure> {
    let none = || {
        let text = "no time stamp is kept beside the ledger";
        Failure::failed(text).hint("set outside.tsa, and run `modeltrail publish`")
    };
    let kept = stamps::newest(&files.timestamps).map_err(Failure::failed)?.ok_or_else(none)?;
    let size = kept.checkpoint.head().size;
    let stored = store.checkpoint(Some(size))?;
    let stored = stored.filter(|stored| *stored.checkpoint() == kept.checkpoint);
    let other = || Failure::failed("the newest time stamp is over no checkpoint of this ledger");
    let read = |path: &Path| {
        let bytes = files::read(path, TIMESTAMP_BYTES_MAX);
        let bytes = bytes.map_err(|error| Failure::file(path, &error))?;
        bytes.ok_or_else(|| Failure::input(format!("{}: no such file", path.display())))
    };
    let response = read(&files.timestamps.join(format!("{size}.tsr")))?;
    let certificates = read(certificates)?;
    Ok((stored.ok_or_else(other)?, Timestamp { response, certificates }))
}

fn tell(summary: &BundleSummary, args: &Args, context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    if context.settings.format == Format::Json {
        json_pretty(&mut out, summary)?;
        return Ok(());
    }
    let BundleSummary { size, range, n_matching, n_bytes, completeness, .. } = summary;
    writeln!(
        out,
        "{}: {n_bytes} bytes, {n_matching} matching entries among those from {} to before {}, under the \
         checkpoint of {size} entries",
        args.output.display(),
        range.first,
        range.end
    )?;
    out.flush()?;
    if !completeness.provable {
        context.notes.note(
            "a filter on a person: the bundle does not prove that no matching entry was left out, nor, without \
             --disclose parties, that those in it are of that person",
        );
    }
    Ok(())
}
