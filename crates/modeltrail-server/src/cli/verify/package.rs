//! `modeltrail verify --bundle` and `--receipt`: what an auditor holds, without ledger or network.

use std::fs::File;
use std::io::{self, BufReader, Write as _};
use std::path::{Path, PathBuf};

use modeltrail_core::bundle::{self, BundleFinding, BundleReport, Filter, Pinned};
use modeltrail_core::note::{VerifierKey, VerifyError};
use modeltrail_core::policy::{Policy, PolicyError};
use modeltrail_core::receipt::{RECEIPT_BYTES_MAX, Receipt, ReceiptVerifyError, VerifiedReceipt};
use modeltrail_core::time::{format_rfc3339_short, format_rfc3339_us, parse_rfc3339};
use serde_json::json;

use super::super::bundle::read_policy;
use super::super::context::Context;
use super::stamps;
use crate::exit::{Exit, Failure, even_if_unread};
use crate::files;
use crate::output::{Column, Format, Rows, clean, json_pretty, stdout, stdout_has_color};

/// What is of the ledger itself, and so of no use beside a file of an auditor's.
const OF_LEDGER: [&str; 6] =
    ["anchor", "against", "leaves_only", "incremental", "skip_indexes", "threads"];

/// Flags of files that are verified instead of the ledger.
#[derive(clap::Args)]
pub(super) struct Package {
    /// Check an evidence bundle instead of the ledger; give the ledger's key with --key
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_LEDGER)]
    bundle: Option<PathBuf>,
    /// Check a receipt instead of the ledger; give the ledger's key with --key
    #[arg(long, value_name = "FILE", conflicts_with_all = OF_LEDGER, conflicts_with = "bundle")]
    receipt: Option<PathBuf>,
    /// Of a bundle: the root certificate of the time stamping authority (PEM), had from it; `openssl ts` then verifies
    /// the stamps' signatures
    #[arg(long, value_name = "PEM", requires = "bundle")]
    tsa: Option<PathBuf>,
    /// Of a bundle or a receipt: believe this tlog-policy, with its witnesses, instead of --key; of a
    /// bundle --key can name the authority's key beside it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

impl Package {
    /// Verifies what was named; `None` when it is the ledger.
    pub(super) fn run(
        &self,
        keys: &[VerifierKey],
        context: &Context,
    ) -> Result<Option<Exit>, Failure> {
        let policy = self.policy.as_deref().map(read_policy).transpose()?;
        let of_keys = || Policy::logs_only(keys.iter().cloned()).map_err(Failure::input);
        match (&self.bundle, &self.receipt) {
            (Some(path), _) => {
                // Else a key that is none of a log would be found out only when the file was read.
                of_keys()?;
                let pinned = Pinned { policy: policy.as_ref(), keys };
                run_bundle(path, &pinned, self.tsa.as_deref(), context).map(Some)
            }
            (None, Some(_)) if policy.is_some() && !keys.is_empty() => {
                Err(Failure::input("a receipt is held against --key or --policy; give one of them"))
            }
            (None, Some(path)) => {
                let policy = match policy {
                    None if !keys.is_empty() => Some(of_keys()?),
                    policy => policy,
                };
                run_receipt(path, policy.as_ref(), context).map(Some)
            }
            (None, None) if self.policy.is_some() => {
                Err(Failure::input("--policy is for --bundle and --receipt; name one of them"))
            }
            (None, None) => Ok(None),
        }
    }
}

fn run_bundle(
    path: &Path,
    pinned: &Pinned<'_>,
    tsa: Option<&Path>,
    context: &Context,
) -> Result<Exit, Failure> {
    let cannot = |error: io::Error| Failure::input(at(path, &error));
    let file = File::open(path).map_err(cannot)?;
    if file.metadata().map_err(cannot)?.is_dir() {
        return Err(cannot(io::ErrorKind::IsADirectory.into()));
    }
    if let Some(tsa) = tsa {
        File::open(tsa).map_err(|error| Failure::input(at(tsa, &error)))?;
    }
    let mut report = bundle::verify(BufReader::new(file), pinned).map_err(|error| match error {
        bundle::BundleError::Refused { .. } => Failure::input(at(path, &error)),
        bundle::BundleError::Read(_) => Failure::failed(at(path, &error)),
    })?;
    if let Some(tsa) = tsa {
        stamps::verify(&mut report, tsa)?;
    }
    even_if_unread(write(&report, tsa.is_some(), context.settings.format))?;
    if !report.is_pinned {
        context.notes.warn(
            "no key was given: the bundle agrees with itself, which whoever made it can see to; give the \
             ledger's key, had from elsewhere, with --key",
        );
    }
    tell_keys(&report, pinned, context);
    for stamp in &report.timestamps {
        let signed = match tsa {
            Some(_) => "`openssl ts -verify` was asked about its signature",
            None => {
                "the authority's signature was not checked; give its root certificate with --tsa"
            }
        };
        let (file, time) = (&stamp.file, &stamp.time);
        context
            .notes
            .note(&format!("{file} says that the checkpoint was there at {time}: {signed}"));
    }
    Ok(if report.is_clean() { Exit::Fine } else { Exit::Findings })
}

/// Most `key` entries without effect that are named; all of them are in the report as JSON.
const N_TOLD_MAX: usize = 10;

/// What is no finding, and is to be known of the ledger's keys.
fn tell_keys(report: &BundleReport, pinned: &Pinned<'_>, context: &Context) {
    for key in report.keys_without_effect.iter().take(N_TOLD_MAX) {
        let why = clean(&key.why);
        context.notes.note(&format!("the key entry {} has no effect: {why}", key.index));
    }
    if let Some(n) = report.keys_without_effect.len().checked_sub(N_TOLD_MAX).filter(|n| *n > 0) {
        context.notes.note(&format!("and {n} more; --format json names them"));
    }
    if !report.key_followed_by.is_empty() {
        let by: Vec<String> = report.key_followed_by.iter().map(u64::to_string).collect();
        context.notes.note(&format!(
            "the checkpoint is signed by a key that follows from the one that was given, by the key entries {}",
            by.join(", ")
        ));
    }
    let is_pinned = pinned.keys.iter().any(|key| key.name().as_str() != report.origin);
    if report.n_erasures > 0 && !is_pinned {
        let by = report.authorities.iter().map(|vkey| clean(vkey)).collect::<Vec<_>>().join(", ");
        context.notes.note(&format!(
            "erasures are believed of the key that the ledger itself names as the authority's: {by}; compare it \
             with one that you have from elsewhere, or give that with another --key"
        ));
    }
}

fn at(path: &Path, what: &dyn std::fmt::Display) -> String {
    format!("{}: {what}", path.display())
}

const COLUMNS: &[Column] = &[
    Column::text("file"),
    Column::number("line"),
    Column::text("index"),
    Column::text("kind"),
    Column::text("detail"),
];

fn write(report: &BundleReport, are_stamps_signed: bool, format: Format) -> Result<(), Failure> {
    let mut out = stdout();
    let mut rows = match format {
        Format::Json => {
            json_pretty(&mut out, report)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    for finding in &report.findings {
        rows.row(cells(finding))?;
    }
    let mut out = rows.finish()?;
    if format == Format::Table {
        writeln!(out, "{}", verdict(report, are_stamps_signed))?;
        out.flush()?;
    }
    Ok(())
}

fn cells(finding: &BundleFinding) -> Vec<String> {
    let BundleFinding { file, line, index, index_end, kind, detail } = finding;
    let line = line.map_or_else(String::new, |line| line.to_string());
    let index = match (index, index_end) {
        (Some(first), Some(last)) if first != last => format!("{first}-{last}"),
        (Some(index), _) => index.to_string(),
        (None, _) => String::new(),
    };
    vec![file.clone(), line, index, kind.name().to_owned(), detail.clone()]
}

/// The result in a line.
fn verdict(report: &BundleReport, are_stamps_signed: bool) -> String {
    let result = match report.n_findings {
        0 => "clean".to_owned(),
        1 => "1 finding".to_owned(),
        n => format!("{n} findings"),
    };
    let is_shown = report.disclose.iter().any(|part| part == "parties");
    let complete = match (report.is_clean(), report.filter.asks_for_person(), is_shown) {
        (false, ..) => "",
        (true, false, _) => ", and none that matches was left out",
        (true, true, true) => ", whether others match is not proven (a filter on a person)",
        (true, true, false) => {
            ", whether others match, and whether these are of that person, is not proven (parties are not disclosed)"
        }
    };
    let says =
        if report.filter.asks_for_person() && !is_shown { "are said to match" } else { "match" };
    let covered =
        if report.is_clean() { covered(report, are_stamps_signed) } else { String::new() };
    let cosigned = match report.cosigned_by.as_slice() {
        [] => String::new(),
        names => format!(", cosigned by {}", names.join(", ")),
    };
    let BundleReport { origin, size, root, n_matching, .. } = report;
    format!(
        "{result}: {}, checkpoint of {size} entries{cosigned}, entries from {} to before {}, of which {n_matching} \
         {says} ({}){complete}{covered}, root {root}",
        clean(origin),
        report.range.first,
        report.range.end,
        clean(&asked(&report.filter)),
    )
}

/// Up to when a clean bundle says anything, and who dates that.
fn covered(report: &BundleReport, are_stamps_signed: bool) -> String {
    let last = report.last_recorded_us.and_then(format_rfc3339_us);
    let last = last.map_or_else(String::new, |at| format!(" (the last entry recorded at {at})"));
    let is_stamped = are_stamps_signed && !report.timestamps.is_empty();
    let dated = match (report.is_pinned && !report.cosigned_by.is_empty(), is_stamped) {
        (true, true) => "dated by witnesses and time stamps",
        (true, false) => "dated by witnesses",
        (false, true) => "dated by time stamps",
        (false, false) => "dated by the ledger's clock alone",
    };
    let later = match report.range.end == report.size {
        true => "; what was recorded after it is not covered",
        false => "",
    };
    format!(", up to this checkpoint{last}, {dated}{later}")
}

/// What the bundle's filter asks for, in words.
fn asked(filter: &Filter) -> String {
    let mut words = Vec::new();
    for (name, value) in [
        ("model", &filter.model_name),
        ("version", &filter.model_version),
        ("user", &filter.user_id),
        ("subject", &filter.subject_id),
        ("status", &filter.status),
        ("kind", &filter.kind),
        ("from", &filter.since),
        ("to before", &filter.until),
    ] {
        words.extend(value.as_ref().map(|value| format!("{name} {value}")));
    }
    let until_ns = filter.until.as_deref().and_then(|until| parse_rfc3339(until).ok());
    if let Some((until_ns, late_us)) = until_ns.zip(filter.late_by_us) {
        let late_ns = i64::try_from(late_us).ok().and_then(|late_us| late_us.checked_mul(1000));
        let last_ns = late_ns.and_then(|late_ns| until_ns.checked_add(late_ns));
        words.extend(last_ns.map(|last| format!("recorded by {}", format_rfc3339_short(last))));
    }
    if words.is_empty() { "everything".to_owned() } else { words.join(", ") }
}

fn run_receipt(path: &Path, policy: Option<&Policy>, context: &Context) -> Result<Exit, Failure> {
    let Some(policy) = policy else {
        let text = "a receipt says nothing without a key; give the ledger's with --key";
        return Err(Failure::input(text));
    };
    let bytes =
        files::read(path, RECEIPT_BYTES_MAX).map_err(|error| Failure::input(at(path, &error)))?;
    let missing = || Failure::input(format!("{}: no such file", path.display()));
    let bytes = bytes.ok_or_else(missing)?;
    let verified = Receipt::parse(&bytes)
        .map_err(|error| error.to_string())
        .and_then(|receipt| receipt.verify(policy).map_err(|error| why(&receipt, &error)));
    match verified {
        Ok(receipt) => {
            even_if_unread(write_receipt(&receipt, context.settings.format))?;
            Ok(Exit::Fine)
        }
        Err(error) => {
            let shown = match context.settings.format {
                Format::Json => format!("{:#}", json!({"kind": "bad_receipt", "detail": error})),
                _ => format!("bad_receipt: {}", clean(&error)),
            };
            even_if_unread(line(&shown))?;
            Ok(Exit::Findings)
        }
    }
}

/// Why a receipt does not hold. It has no room for the change of a key.
fn why(receipt: &Receipt, error: &ReceiptVerifyError) -> String {
    let checkpoint = &receipt.checkpoint;
    let origin = checkpoint.checkpoint().origin();
    let is_named = checkpoint.note().signatures().iter().any(|line| line.name().as_str() == origin);
    match error {
        ReceiptVerifyError::Policy(
            PolicyError::Signature(VerifyError::NoKnownKey) | PolicyError::NoLogSignature,
        ) if is_named => {
            "the checkpoint is signed by another key of this name; if the key was rotated, a bundle or the ledger holds \
             the change"
                .to_owned()
        }
        error => error.to_string(),
    }
}

fn line(text: &str) -> Result<(), Failure> {
    let mut out = stdout();
    writeln!(out, "{text}")?;
    Ok(out.flush()?)
}

fn write_receipt(receipt: &VerifiedReceipt, format: Format) -> Result<(), Failure> {
    let leaf = receipt.leaf();
    let signed = receipt.checkpoint().signed().checkpoint();
    let kind = bundle::view::kind_name(leaf.kind);
    let recorded_at = format_rfc3339_us(leaf.time_us);
    let cosigned: Vec<String> =
        receipt.checkpoint().cosigned().iter().map(|by| by.witness.to_string()).collect();
    let (origin, size) = (signed.origin(), signed.head().size);
    if format == Format::Json {
        let told = json!({
            "origin": origin, "size": size, "index": leaf.index, "kind": kind,
            "recorded_at": recorded_at, "leaf_hash": receipt.leaf_hash().to_hex(),
            "body": leaf.body.to_hex(), "cosigned_by": cosigned,
        });
        return line(&format!("{told:#}"));
    }
    let at = recorded_at.map_or_else(String::new, |at| format!(", recorded at {at}"));
    let by = if cosigned.is_empty() {
        String::new()
    } else {
        format!(", cosigned by {}", clean(&cosigned.join(", ")))
    };
    line(&format!(
        "clean: entry {} of {} ({size} entries): {kind}{at}{by}, leaf hash {}",
        leaf.index,
        clean(origin),
        receipt.leaf_hash()
    ))
}
