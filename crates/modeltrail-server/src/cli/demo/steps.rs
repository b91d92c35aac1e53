//! The steps of the demo. Every answer is computed from the ledger.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use modeltrail::check::{self, CheckOptions};
use modeltrail::keys::LedgerKeys;
use modeltrail::reader::{EntryView, ReadError};
use modeltrail::report::{Period, Request, data_access, model_usage};
use modeltrail::store::Entry;
use modeltrail::{Ledger, Query, Reader, Recorder};
use modeltrail_core::PartId;
use modeltrail_core::redact::Redactor;
use modeltrail_core::time::parse_rfc3339;
use modeltrail_core::verify::FindingKind;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::tale::Tale;
use super::tamper::{Candidate, copy_ledger, edit};
use crate::cli::entry::part_text;
use crate::cli::log::{Intake, Source};
use crate::cli::{init, show, verify};
use crate::config::Settings;
use crate::exit::Failure;
use crate::progress::Progress;

const ORIGIN: &str = "demo.example/tumour-classifier";
const MODEL: &str = "tumour_classifier";
const USER: &str = "analyst_jane";
/// The end of the month that the data covers: reports as of then are the same at every run.
const AS_OF: &str = "2026-03-31";
/// A day of that month, and the next one.
const DAY: (&str, &str) = ("2026-03-15", "2026-03-16");
/// Requests of the access report that are shown.
const N_REQUESTS_SHOWN: usize = 3;

/// What the demo reads of a line of its data.
#[derive(Deserialize)]
struct Given<'a> {
    request_id: &'a str,
    #[serde(borrow)]
    input_data: &'a RawValue,
    #[serde(borrow)]
    metadata: &'a RawValue,
}

/// The demo's folder, ledger and data.
pub(super) struct Demo<'a> {
    dir: PathBuf,
    database: PathBuf,
    ledger: Ledger,
    settings: Settings,
    data: &'a str,
    lines: Vec<Given<'a>>,
}

type Told<T> = Result<T, Failure>;

impl<'a> Demo<'a> {
    pub(super) fn new(dir: &Path, data: &'a str) -> Told<Self> {
        let database = dir.join("modeltrail.db");
        let settings = crate::config::defaults(&format!("sqlite:{}", database.display()))?;
        let ledger = Ledger::parse(&settings.store)?;
        let lines = data.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        let lines = lines.map_err(|error| Failure::failed(format!("the demo's data: {error}")))?;
        Ok(Self { dir: dir.to_owned(), database, ledger, settings, data, lines })
    }

    fn reader(&self) -> Told<Reader> {
        Ok(Reader::of(&self.ledger)?)
    }

    fn write(&self, name: &str, text: &str) -> Told<PathBuf> {
        let path = self.dir.join(name);
        std::fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        Ok(path)
    }

    /// The first record in whose input something is masked.
    fn story(&self) -> Told<&Given<'a>> {
        let redactor = self.settings.redactor()?;
        let masked = |given: &&Given<'_>| redactor.redact_text(given.input_data.get()).is_some();
        self.lines
            .iter()
            .find(masked)
            .ok_or_else(|| Failure::failed("the demo's data has no notes"))
    }

    pub(super) fn create(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        tale.step("A new ledger")?;
        tale.command(&format!("modeltrail init --origin {ORIGIN}"))?;
        self.ledger.create(ORIGIN)?;
        let recorder = Recorder::open(&self.settings.store)?;
        let [_, vkey] = LedgerKeys::of(&recorder)?.begin()?;
        recorder.close()?;
        let reader = self.reader()?;
        let database = init::database(&self.ledger);
        tale.say(&format!(
            "{}: {} entries, in {database}; checkpoints are signed by {vkey}",
            reader.origin(),
            reader.size()?
        ))?;
        Ok(())
    }

    pub(super) fn record(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        tale.step("Record a month of predictions")?;
        tale.command("modeltrail log predictions.jsonl")?;
        let path = self.write("predictions.jsonl", self.data)?;
        let file = std::fs::File::open(&path).map_err(|error| Failure::file(&path, &error))?;
        let name = path.display().to_string();
        let source = Source { name, bytes: None, from: BufReader::new(Box::new(file)) };
        let mut intake = Intake::open(&self.settings, &self.ledger)?;
        intake.take(source, &Progress::hidden())?;
        let summary = intake.finish(self.settings.ack, &Progress::hidden())?;
        tale.say(&summary.to_string())?;
        Ok(())
    }

    pub(super) fn redaction(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        let story = self.story()?;
        tale.step("Personal data was masked before anything was stored")?;
        tale.command(&format!("modeltrail show {}", story.request_id))?;
        let reader = self.reader()?;
        let entry = first(reader.by_request_id(story.request_id)?)?;
        let stored = part_text(&entry, PartId::Input).unwrap_or_default();
        tale.say(&format!("given:  {}", note(story.input_data.get())))?;
        tale.say(&format!("stored: {}", note(&stored)))?;
        if let Some(text) = show::redactions(&entry) {
            tale.say(&format!("its header counts them: {text}"))?;
        }
        let redactor = self.settings.redactor()?;
        let mut masked: Vec<String> = Vec::new();
        for given in &self.lines {
            found(&redactor, given.input_data.get(), &mut masked);
            found(&redactor, given.metadata.get(), &mut masked);
        }
        let n_left = n_entries_with(&reader, &masked)?;
        let n = masked.len();
        tale.say(&format!(
            "of {n} e-mail addresses and telephone numbers given, {n_left} are stored"
        ))?;
        Ok(())
    }

    /// Shows one entry and gives its index.
    pub(super) fn look_up(&self, tale: &mut Tale<impl Write>) -> Told<u64> {
        let story = self.story()?;
        tale.step("One record by its request id")?;
        tale.command(&format!("modeltrail query --request-id {}", story.request_id))?;
        let entry = first(self.reader()?.by_request_id(story.request_id)?)?;
        tale.say(&answer(&entry))?;
        Ok(entry.leaf.index)
    }

    pub(super) fn version_on_a_day(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        let (day, next) = DAY;
        tale.step("Which version was running on 15 March 2026?")?;
        tale.command(&format!("modeltrail query --model {MODEL} --since {day} --until {next}"))?;
        let query = Query {
            model_name: Some(MODEL.to_owned()),
            since_ns: Some(midnight_ns(day)?),
            until_ns: Some(midnight_ns(next)?),
            ..Query::default()
        };
        let mut versions: BTreeMap<String, u64> = BTreeMap::new();
        self.reader()?.each(&query, |_, entry| {
            let version = EntryView::new(&entry).model_version.unwrap_or_default().into_owned();
            *versions.entry(version).or_default() += 1;
            Ok::<(), ReadError>(())
        })?;
        for (version, n) in &versions {
            tale.say(&format!("{version} ({n} predictions on that day)"))?;
        }
        Ok(())
    }

    pub(super) fn same_input(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        let story = self.story()?;
        tale.step("What did the model say to this exact input?")?;
        tale.command("modeltrail query --input @input.json")?;
        self.write("input.json", story.input_data.get())?;
        let reader = self.reader()?;
        let mac = reader.input_mac(story.input_data.get().as_bytes())?;
        let query = Query { input_mac: Some(mac), ..Query::default() };
        for entry in reader.query(&query, usize::MAX)?.entries {
            tale.say(&answer(&entry))?;
        }
        let other = story.input_data.get().replacen('.', ".1", 1);
        let query = Query { input_mac: Some(reader.input_mac(other.as_bytes())?), ..query };
        let n = reader.count(&query)?;
        tale.say(&format!("and to an input that differs in one digit: {n} answers"))?;
        Ok(())
    }

    pub(super) fn model_usage(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        tale.step("How was the model used in March?")?;
        tale.command(&format!(
            "modeltrail report model-usage --model {MODEL} --days 31 --as-of {AS_OF} --format json"
        ))?;
        let period = Period { days: 31, as_of_ns: Some(midnight_ns(AS_OF)?) };
        let report = model_usage(&self.reader()?, MODEL, &period)?;
        tale.say(&serde_json::to_string_pretty(&report)?)?;
        Ok(())
    }

    pub(super) fn data_access(&self, tale: &mut Tale<impl Write>) -> Told<()> {
        tale.step(&format!("What did {USER} ask for?"))?;
        tale.command(&format!(
            "modeltrail report data-access --user {USER} --days 90 --as-of {AS_OF} --format json"
        ))?;
        let period = Period { days: 90, as_of_ns: Some(midnight_ns(AS_OF)?) };
        let mut figures = None;
        let (mut shown, mut n): (Vec<Request>, usize) = (Vec::new(), 0);
        data_access::<Failure>(
            &self.reader()?,
            USER,
            &period,
            |report| {
                figures = Some(report.clone());
                Ok(())
            },
            |request| {
                n += 1;
                if shown.len() < N_REQUESTS_SHOWN {
                    shown.push(request);
                }
                Ok(())
            },
        )?;
        tale.say(&serde_json::to_string(&figures)?)?;
        for request in &shown {
            tale.say(&serde_json::to_string(request)?)?;
        }
        tale.say(&format!("… and {} more requests", n.saturating_sub(shown.len())))?;
        Ok(())
    }

    /// True when the ledger is clean.
    pub(super) fn verify(&self, tale: &mut Tale<impl Write>) -> Told<bool> {
        tale.step("Is everything as it was written?")?;
        tale.command("modeltrail verify")?;
        let report = check::run(&self.ledger, &CheckOptions::default(), |_, _| ())?;
        tale.say(&verify::verdict(&report))?;
        Ok(report.is_clean())
    }

    /// Edits a copy and verifies it; true when the edit was found.
    pub(super) fn tamper(&self, story: u64, tale: &mut Tale<impl Write>) -> Told<bool> {
        tale.step("Somebody edits one byte, in a copy of the files")?;
        tale.command("cp modeltrail.db copy.db; cp -r modeltrail.db.d copy.db.d")?;
        let candidates = self.candidates(story)?;
        let path = self.dir.join("copy.db");
        copy_ledger(&self.ledger, &self.database, &path)?;
        let edit = edit(&path, &candidates)?;
        tale.say(&format!(
            "byte {} of copy.db, in the output of entry {}:",
            edit.offset, edit.index
        ))?;
        tale.say(&format!("before: {}", edit.before))?;
        tale.say(&format!("after:  {}", edit.after))?;
        tale.step("Is the copy as it was written?")?;
        tale.command("modeltrail --store sqlite:copy.db verify")?;
        let copy = Ledger::parse(&format!("sqlite:{}", path.display()))?;
        let report = check::run(&copy, &CheckOptions::default(), |_, _| ())?;
        for finding in &report.findings {
            let index = verify::index(finding);
            tale.say(&format!("entry {index}  {}  {}", finding.kind.name(), finding.detail))?;
        }
        tale.say(&verify::verdict(&report))?;
        Ok(report.findings.iter().any(|finding| {
            finding.index == edit.index
                && finding.kind == FindingKind::ChangedPart
                && finding.detail.contains(PartId::Output.name())
        }))
    }

    /// Answers that may be edited, that of the entry `story` first.
    fn candidates(&self, story: u64) -> Told<Vec<Candidate>> {
        let mut candidates = Vec::new();
        self.reader()?.each(&Query::default(), |place, entry| {
            let output = entry.parts.into_iter().find(|part| part.id == PartId::Output);
            if let Some(part) = output {
                candidates.push(Candidate { index: place.index, output: part.bytes });
            }
            Ok::<(), ReadError>(())
        })?;
        candidates.sort_by_key(|candidate| (candidate.index != story, candidate.index));
        Ok(candidates)
    }

    pub(super) fn end(&self, kept: bool, tale: &mut Tale<impl Write>) -> Told<()> {
        tale.step("Try it")?;
        let dir = self.dir.display();
        if kept {
            tale.command(&format!("cd {dir}"))?;
            tale.command("modeltrail query --label malignant --limit 5")?;
            tale.command("modeltrail --store sqlite:copy.db verify; echo $?")?;
        } else {
            tale.command("modeltrail demo --keep modeltrail-demo")?;
        }
        tale.command("modeltrail init; modeltrail log FILE; modeltrail verify")?;
        tale.command("modeltrail help")?;
        Ok(())
    }
}

fn first(entries: Vec<Entry>) -> Told<Entry> {
    entries.into_iter().next().ok_or_else(|| Failure::failed("the record is not in the ledger"))
}

fn midnight_ns(day: &str) -> Told<i64> {
    parse_rfc3339(&format!("{day}T00:00:00Z")).map_err(Failure::failed)
}

/// The referral note of an input.
fn note(input: &str) -> String {
    let input: serde_json::Value = serde_json::from_str(input).unwrap_or_default();
    input.get("referral_note").map_or_else(|| "nothing".to_owned(), ToString::to_string)
}

/// What the rules find in the texts of a document.
fn found(redactor: &Redactor, json: &str, into: &mut Vec<String>) {
    let mut values: Vec<serde_json::Value> = serde_json::from_str(json).into_iter().collect();
    while let Some(value) = values.pop() {
        match value {
            serde_json::Value::String(text) => {
                let spans = redactor.find(&text, None);
                into.extend(
                    spans.iter().filter_map(|s| text.get(s.start..s.end)).map(str::to_owned),
                );
            }
            serde_json::Value::Array(items) => values.extend(items),
            serde_json::Value::Object(members) => values.extend(members.into_iter().map(|m| m.1)),
            _ => {}
        }
    }
}

/// Number of these texts that stand in any part of any entry.
fn n_entries_with(reader: &Reader, texts: &[String]) -> Told<usize> {
    let mut is_stored = vec![false; texts.len()];
    reader.each(&Query::default(), |_, entry| {
        for part in &entry.parts {
            let part = String::from_utf8_lossy(&part.bytes);
            for (is_stored, text) in is_stored.iter_mut().zip(texts) {
                *is_stored |= part.contains(text);
            }
        }
        Ok::<(), ReadError>(())
    })?;
    Ok(is_stored.into_iter().filter(|is_stored| *is_stored).count())
}

/// An entry in a line.
fn answer(entry: &Entry) -> String {
    let view = EntryView::new(entry);
    format!(
        "entry {}: {} {} answered {} at {}, asked by {}",
        view.index,
        view.model_name.as_deref().unwrap_or("?"),
        view.model_version.as_deref().unwrap_or("?"),
        part_text(entry, PartId::Output).unwrap_or_default(),
        view.timestamp,
        view.user_id.as_deref().unwrap_or("?"),
    )
}
