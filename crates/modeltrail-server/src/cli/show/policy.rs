//! `modeltrail show --policy`: what a redaction policy says that a header names, and where it was in force.

use std::collections::BTreeMap;
use std::io::Write as _;

use modeltrail::redaction::{InForce, policies};
use modeltrail_core::hash::hex;
use modeltrail_core::time::format_rfc3339;
use serde::Serialize;

use super::super::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{Column, Format, Rows, clean, pretty, stdout, stdout_has_color};

/// A policy with every entry that says it came into force.
#[derive(Serialize)]
struct Shown {
    /// What headers name.
    policy: String,
    name: Option<String>,
    engine: u32,
    rule_pack: u32,
    /// Whether the text gives the digest.
    is_proven: bool,
    in_force: Vec<Since>,
    text: Option<String>,
}

/// From where a producer's records were redacted under it.
#[derive(Serialize)]
struct Since {
    index: u64,
    timestamp: String,
    producer: String,
}

const COLUMNS: &[Column] = &[
    Column::number("index"),
    Column::text("timestamp"),
    Column::text("producer"),
    Column::text("policy"),
    Column::text("name"),
];

/// Shows the policies whose digest begins like this.
pub(super) fn run(prefix: &str, context: &Context) -> Result<Exit, Failure> {
    let is_prefix = prefix.len() <= 64 && prefix.bytes().all(|byte| byte.is_ascii_hexdigit());
    if prefix.is_empty() || !is_prefix {
        let text = format!("`{}` is no digest", clean(prefix));
        return Err(
            Failure::input(text).hint("write its first hexadecimal digits, as the header has them")
        );
    }
    let store = context.ledger()?.open_read()?;
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for found in policies(store.as_ref(), &prefix.to_ascii_lowercase())? {
        add(&mut shown, found);
    }
    if shown.is_empty() {
        let text = format!("no entry of {} says what the policy {prefix} is", store.origin());
        return Err(Failure::failed(text).hint(
            "take the digest from a header (`modeltrail show ID`); versions before 0.1.0 wrote no such entries",
        ));
    }
    let shown: Vec<Shown> = shown.into_values().collect();
    write(&shown, context)?;
    let mut exit = Exit::Fine;
    for policy in shown.iter().filter(|policy| !policy.is_proven) {
        let what =
            if policy.text.is_some() { "is not what its digest says" } else { "is in no entry" };
        context.notes.warn(&format!("the text of the policy {} {what}", policy.policy));
        exit = Exit::Findings;
    }
    Ok(exit)
}

fn add(shown: &mut BTreeMap<String, Shown>, found: InForce) {
    let is_proven = found.policy.is_proven();
    let InForce { index, producer, time_ns, policy } = found;
    let known = shown.entry(policy.policy.clone()).or_insert_with(|| Shown {
        policy: policy.policy,
        name: policy.name,
        engine: policy.versions.engine,
        rule_pack: policy.versions.rule_pack,
        is_proven: false,
        in_force: Vec::new(),
        text: None,
    });
    if known.text.is_none() || is_proven && !known.is_proven {
        known.text = policy.text;
    }
    known.is_proven |= is_proven;
    let timestamp = format_rfc3339(time_ns);
    known.in_force.push(Since { index, timestamp, producer: hex(&producer) });
}

fn write(shown: &[Shown], context: &Context) -> Result<(), Failure> {
    let mut out = stdout();
    match context.settings.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut out, shown)?;
            out.write_all(b"\n")?;
        }
        Format::Csv => {
            let mut rows = Rows::csv(out, COLUMNS)?;
            for policy in shown {
                for Since { index, timestamp, producer } in &policy.in_force {
                    let name = policy.name.clone().unwrap_or_default();
                    let cells = [index.to_string(), timestamp.clone(), producer.clone()];
                    rows.row([cells.as_slice(), &[policy.policy.clone(), name]].concat())?;
                }
            }
            rows.finish()?;
            return Ok(());
        }
        Format::Table => {
            for (n, policy) in shown.iter().enumerate() {
                if n > 0 {
                    out.write_all(b"\n")?;
                }
                sheet(policy, &mut out)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn sheet(shown: &Shown, out: &mut impl std::io::Write) -> std::io::Result<()> {
    let Shown { policy, name, engine, rule_pack, in_force, text, .. } = shown;
    let title = format!("policy {policy}");
    match stdout_has_color() {
        true => writeln!(out, "\x1b[1m{title}\x1b[0m")?,
        false => writeln!(out, "{title}")?,
    }
    if let Some(name) = name {
        writeln!(out, "  {:<14}{}", "name", clean(name))?;
    }
    writeln!(out, "  {:<14}engine {engine}, rule pack {rule_pack}", "read by")?;
    for Since { index, timestamp, producer } in in_force {
        writeln!(out, "  {:<14}entry {index}, {timestamp}, producer {producer}", "in force from")?;
    }
    let Some(text) = text else { return Ok(()) };
    writeln!(out, "text")?;
    if text.starts_with('{') {
        return pretty(text, "  ").lines().try_for_each(|line| writeln!(out, "{}", clean(line)));
    }
    text.lines().try_for_each(|line| writeln!(out, "  {}", clean(line)))
}
