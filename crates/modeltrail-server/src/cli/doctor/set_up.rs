//! What is looked at in a set-up: files, who sequences, redaction, what is outside.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use modeltrail::redaction::newest_policy;
use modeltrail::sequencer::is_sequenced;
use modeltrail::spool;
use modeltrail::store::{SqliteStore, Store as _};
use modeltrail::{Ledger, Place, anchor_file};

use super::Check;
use crate::cli::context::{Context, now_ns};
use crate::cli::triggers;
use crate::exit::Failure;

/// How far the newest entry's time may be ahead of the clock before that is told: what clocks of one machine that
/// is set right differ by.
const AHEAD_MS_MAX: u64 = 5_000;

/// A spool that is fuller than this is told of, in percent.
const FULL_PERCENT: u64 = 80;

pub(super) fn checks(ledger: &Ledger, context: &Context) -> Result<Vec<Check>, Failure> {
    let Place::Sqlite(path) = ledger.place() else { return Ok(Vec::new()) };
    let store = SqliteStore::open(path, modeltrail::store::Access::Read)?;
    let tip = store.tip()?;
    let head = tip.head;
    let origin = store.origin();
    let mut checks =
        vec![Check::ok("ledger", format!("{origin}, {} entries, {}", head.size, path.display()))];
    checks.push(anchor(ledger, origin, head.size));
    checks.push(triggers_check(&store)?);
    checks.push(secrets(ledger));
    checks.push(clock(tip.time_us));
    checks.extend(spool_checks(ledger, context)?);
    checks.push(redaction(&store, context)?);
    checks.push(outside(ledger, context)?);
    Ok(checks)
}

fn anchor(ledger: &Ledger, origin: &str, size: u64) -> Check {
    let path = ledger.anchor_path();
    let shown = path.display();
    match anchor_file::read(&path) {
        Err(error) => Check::wrong("anchor", format!("{shown}: {error}")),
        Ok(None) if size == 0 => Check::ok("anchor", "made with the first entry"),
        Ok(None) => {
            Check::wrong("anchor", format!("{shown} is not there; restore it, and run verify"))
        }
        Ok(Some(anchor)) if anchor.origin != origin => Check::wrong(
            "anchor",
            format!("{shown} is of {}; restore the ledger's own", anchor.origin),
        ),
        Ok(Some(anchor)) if anchor.head.size > size => Check::wrong(
            "anchor",
            format!(
                "{shown} knows {} entries and the database has {size}: it is an older copy; run `modeltrail recover`",
                anchor.head.size
            ),
        ),
        Ok(Some(anchor)) => Check::ok("anchor", format!("at {} entries", anchor.head.size)),
    }
}

fn triggers_check(store: &SqliteStore) -> Result<Check, Failure> {
    let warnings = triggers::warnings(&store.facts()?);
    Ok(match warnings.is_empty() {
        true => Check::ok("append only", "every trigger is as the ledger was made"),
        false => {
            Check::wrong("append only", format!("{}; run `modeltrail verify`", warnings.join("; ")))
        }
    })
}

/// Files that hold keys, and may be read by their owner alone.
fn secrets(ledger: &Ledger) -> Check {
    let mut files = vec![ledger.key_path()];
    for dir in [ledger.keys_dir(), ledger.pseudonym_keys().dir().to_owned()] {
        let listed = std::fs::read_dir(&dir).into_iter().flatten().flatten();
        files.extend(listed.map(|file| file.path()));
    }
    let open_to_others = |path: &PathBuf| {
        let mode = std::fs::metadata(path).map(|it| (it.is_file(), it.permissions().mode()));
        mode.is_ok_and(|(is_file, mode)| is_file && mode & 0o077 != 0 && holds_secret(path))
    };
    let open: Vec<String> = files
        .iter()
        .filter(|path| open_to_others(path))
        .map(|path| path.display().to_string())
        .collect();
    match open.is_empty() {
        true => Check::ok("keys", "no key file is open to other users"),
        false => Check::wrong(
            "keys",
            format!("other users can read or change {}; run chmod 600 on them", open.join(", ")),
        ),
    }
}

/// Public halves may be read by all.
fn holds_secret(path: &Path) -> bool {
    path.extension().is_none_or(|extension| extension != "vkey" && extension != "pub")
}

fn clock(newest_us: u64) -> Check {
    let now_us = u64::try_from(now_ns() / 1000).unwrap_or(0);
    let ahead_ms = newest_us.saturating_sub(now_us) / 1000;
    match ahead_ms > AHEAD_MS_MAX {
        true => Check::wrong(
            "clock",
            format!(
                "the newest entry is {ahead_ms} ms ahead of this machine's clock; set the clock right"
            ),
        ),
        false => Check::ok("clock", "not behind the newest entry"),
    }
}

fn spool_checks(ledger: &Ledger, context: &Context) -> Result<Vec<Check>, Failure> {
    let dir = context.spool_dir(ledger);
    let state = spool::peek(&dir)?;
    let n_alive = spool::n_alive(&dir)?;
    let sequenced = is_sequenced(ledger).map_err(Failure::failed)?;
    let mut checks = vec![match (sequenced, state.n_segments) {
        (true, _) => Check::ok("sequencer", format!("one runs, {n_alive} producers live")),
        (false, 0) => Check::ok("sequencer", "none runs, and nothing waits for one"),
        (false, _) if n_alive > 0 => Check::wrong(
            "sequencer",
            format!(
                "none runs, {n_alive} producers live and records wait in {}; start a recorder that sequences, or \
                 `modeltrail log /dev/null`",
                dir.display()
            ),
        ),
        (false, _) => Check::note(
            "sequencer",
            format!(
                "none runs; what waits in {} is sequenced when the next one starts",
                dir.display()
            ),
        ),
    }];
    let (bytes, bytes_max) = (state.bytes, context.settings.spool.bytes_max);
    let percent = bytes.saturating_mul(100) / bytes_max.max(1);
    checks.push(match percent >= FULL_PERCENT {
        true => Check::wrong(
            "spool",
            format!("{percent} % full ({bytes} of {bytes_max} bytes); is the sequencer behind, or `spool.bytes_max` too small?"),
        ),
        false => Check::ok("spool", format!("{percent} % full, {}", dir.display())),
    });
    if state.n_quarantined > 0 {
        let n = state.n_quarantined;
        checks.push(Check::wrong(
            "quarantine",
            format!("{n} damaged spans are in {}/quarantine; is the disk sound?", dir.display()),
        ));
    }
    Ok(checks)
}

fn redaction(store: &SqliteStore, context: &Context) -> Result<Check, Failure> {
    let redactor = match context.settings.redactor() {
        Ok(redactor) => redactor,
        Err(Failure::Told { message, .. }) => return Ok(Check::wrong("redaction", message)),
        Err(other) => return Err(other),
    };
    let report = redactor.canary();
    if !report.is_clean() {
        return Ok(Check::wrong(
            "redaction",
            format!(
                "{} of {} built-in values are not masked, of {}; look at the settings redaction.rules and redaction.policy",
                report.n_failed,
                report.n_vectors,
                report.failed.join(", ")
            ),
        ));
    }
    let digest = redactor.policy_digest();
    Ok(match newest_policy(store)? {
        Some(in_force) if in_force.policy.policy != digest => Check::note(
            "redaction",
            format!(
                "what these settings say ({digest}) is not what recorders said last ({}); \
                 another process may have other settings",
                in_force.policy.policy
            ),
        ),
        _ => Check::ok("redaction", format!("all {} built-in values are masked", report.n_vectors)),
    })
}

fn outside(ledger: &Ledger, context: &Context) -> Result<Check, Failure> {
    let outside = context.outside(ledger)?;
    let line = outside.line();
    Ok(if !outside.contradicted_by.is_empty() {
        Check::wrong(
            "outside",
            format!("{line}; a place contradicts this ledger, run `modeltrail verify`"),
        )
    } else if outside.is_late {
        Check::wrong(
            "outside",
            format!("{line}; what goes outside is late, does `modeltrail publish --every` run?"),
        )
    } else {
        Check::ok("outside", line)
    })
}
