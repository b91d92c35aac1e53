//! `modeltrail show`.

mod policy;

use std::io::{self, Write};

use modeltrail::reader::EntryView;
use modeltrail::store::Entry;
use modeltrail_core::record::Header;
use modeltrail_core::{Encoding, PartId};

use super::context::Context;
use super::entry::Entries;
use crate::exit::{Exit, Failure};
use crate::output::{Format, clean, pretty, stdout, stdout_has_color};

/// Show whole entries: a request id's, or the one at an index; or a redaction policy
#[derive(clap::Args)]
#[command(
    after_help = "A request id has one entry, and a conflict entry for each other record that came \
                        under it.\nNot found: exit code 3. In a shell, quote '#12'.\nWith --policy: the text of the \
                        redaction policy that a header names, and from which entries on it was in force."
)]
pub(crate) struct Args {
    /// A request id, or # and an index
    #[arg(value_name = "ID", required_unless_present = "policy", conflicts_with = "policy")]
    id: Option<String>,
    /// Show a redaction policy instead: its digest, as headers name it, or how that begins
    #[arg(long, value_name = "DIGEST")]
    policy: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    if let Some(prefix) = &args.policy {
        return policy::run(prefix, context);
    }
    let id = args.id.as_deref().unwrap_or_default();
    let index = match id.strip_prefix('#') {
        Some(digits) => {
            let refused = |_| Failure::input(format!("`{id}` is no index; write it like #12"));
            Some(digits.parse::<u64>().map_err(refused)?)
        }
        None => None,
    };
    if id.is_empty() {
        return Err(Failure::input("the request id is empty; write one, or an index like #12"));
    }
    let reader = context.reader()?;
    let entries = match index {
        Some(index) => reader.at(index)?.into_iter().collect(),
        None => reader.by_request_id(id)?,
    };
    if entries.is_empty() {
        let text = format!("no entry {id} in {}", reader.origin());
        return Err(Failure::failed(text).hint("`modeltrail query` finds entries by what is known"));
    }
    if context.settings.format != Format::Table {
        let mut out = Entries::to_stdout(context.settings.format, false)?;
        for entry in &entries {
            out.push(entry)?;
        }
        out.finish()?;
        return Ok(Exit::Fine);
    }
    let mut out = stdout();
    for (n, entry) in entries.iter().enumerate() {
        if n > 0 {
            out.write_all(b"\n")?;
        }
        Sheet { out: &mut out, color: stdout_has_color() }.entry(entry)?;
    }
    out.flush()?;
    Ok(Exit::Fine)
}

/// Writes an entry for people.
pub(crate) struct Sheet<'a, W: Write> {
    pub(crate) out: &'a mut W,
    pub(crate) color: bool,
}

impl<W: Write> Sheet<'_, W> {
    fn title(&mut self, text: &str) -> io::Result<()> {
        let text = clean(text);
        if self.color {
            writeln!(self.out, "\x1b[1m{text}\x1b[0m")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    fn line(&mut self, name: &str, value: &str) -> io::Result<()> {
        if value.is_empty() {
            return Ok(());
        }
        writeln!(self.out, "  {name:<14}{}", clean(value))
    }

    /// The entry with all its parts.
    pub(crate) fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let view = EntryView::new(entry);
        self.title(&format!("entry {}  {}", view.index, view.kind))?;
        self.what(&view)?;
        if let Some(text) = redactions(entry) {
            self.line("redacted", &text)?;
        }
        self.line("leaf hash", &view.leaf_hash)?;
        self.line("prev", &view.prev)?;
        self.line("record id", &view.record_id)?;
        self.line("producer", &format!("{} number {}", view.producer, view.producer_seq))?;
        if entry.parts.is_empty() {
            self.title("no parts")?;
        }
        for part in &entry.parts {
            self.title(part.id.name())?;
            match part.encoding {
                Encoding::Json => {
                    for line in pretty(&String::from_utf8_lossy(&part.bytes), "  ").lines() {
                        writeln!(self.out, "{}", clean(line))?;
                    }
                }
                Encoding::Raw => match std::str::from_utf8(&part.bytes) {
                    Ok(text) => {
                        text.lines().try_for_each(|line| writeln!(self.out, "  {}", clean(line)))?
                    }
                    Err(_) => {
                        writeln!(
                            self.out,
                            "  base64 {}",
                            modeltrail_core::hash::base64(&part.bytes)
                        )?;
                    }
                },
            }
        }
        Ok(())
    }

    fn what(&mut self, view: &EntryView<'_>) -> io::Result<()> {
        let text =
            |value: &Option<std::borrow::Cow<'_, str>>| value.as_deref().unwrap_or("").to_owned();
        let model = format!("{} {}", text(&view.model_name), text(&view.model_version));
        let latency = view.latency_ms.map_or_else(String::new, |ms| format!("{ms} ms"));
        self.line("request id", &text(&view.request_id))?;
        self.line("timestamp", &view.timestamp)?;
        self.line("recorded at", &view.recorded_at)?;
        self.line("model", model.trim())?;
        self.line("label", &text(&view.label))?;
        self.line("status", view.status.unwrap_or(""))?;
        self.line("latency", &latency)?;
        self.line("user", &text(&view.user_id))?;
        self.line("subject", &text(&view.subject_id))?;
        self.line("session", &text(&view.session_id))?;
        self.line("input hash", view.input_hash.as_deref().unwrap_or(""))
    }
}

/// How much was masked where, from the header: `input: email 1, phone 2`.
pub(crate) fn redactions(entry: &Entry) -> Option<String> {
    let part = entry.parts.iter().find(|part| part.id == PartId::Header)?;
    let header: Header<'_> = serde_json::from_slice(&part.bytes).ok()?;
    redactions_of(&header)
}

/// As [`redactions`], of a header that was read.
pub(crate) fn redactions_of(header: &Header<'_>) -> Option<String> {
    let of_part = |(part, rules): (&_, &std::collections::BTreeMap<_, u32>)| {
        let rules: Vec<String> = rules.iter().map(|(rule, n)| format!("{rule} {n}")).collect();
        format!("{part}: {}", rules.join(", "))
    };
    let parts: Vec<String> = header
        .redactions
        .iter()
        .map(|(part, rules)| of_part((part.as_ref() as &str, rules)))
        .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
