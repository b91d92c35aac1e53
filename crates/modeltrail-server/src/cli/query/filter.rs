//! The filters of a query as flags.

use std::io::Read as _;
use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use modeltrail::{Kind, Query, Reader, Status};
use modeltrail_core::canonical::canonicalize;
use modeltrail_core::lookup::input_hash;
use modeltrail_core::redact::PartPlace;
use modeltrail_core::{Hash, PartId};

use crate::cli::context::{Context, now_ns};
use crate::cli::log::Source;
use crate::cli::time;
use crate::exit::Failure;

/// Flags that narrow a query down.
#[derive(clap::Args, Default)]
pub(crate) struct Filter {
    /// Exactly this request id
    #[arg(long, value_name = "ID")]
    pub(crate) request_id: Option<String>,
    /// Answered by this model
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// Answered by this version
    #[arg(long, value_name = "VERSION")]
    pub(crate) model_version: Option<String>,
    /// Asked by this user
    #[arg(long, value_name = "ID")]
    pub(crate) user: Option<String>,
    /// About this subject
    #[arg(long, value_name = "ID")]
    pub(crate) subject: Option<String>,
    /// In this session
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Asked exactly this, before redaction; spaces and order of keys do not matter
    #[arg(long, value_name = "JSON|@FILE|-", conflicts_with = "input_hash")]
    pub(crate) input: Option<String>,
    /// SHA-256 over the canonical redacted input
    #[arg(long, value_name = "HEX")]
    pub(crate) input_hash: Option<String>,
    /// Answered with this label
    #[arg(long)]
    pub(crate) label: Option<String>,
    /// With this status
    #[arg(long, value_parser = names(Status::ALL.iter().map(|status| status.name())))]
    pub(crate) status: Option<String>,
    /// Of this kind
    #[arg(long, value_parser = names(Kind::ALL.iter().map(|kind| kind.name())), hide_possible_values = true)]
    pub(crate) kind: Option<String>,
    /// Not before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

fn names(names: impl Iterator<Item = &'static str>) -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(names)
}

impl Filter {
    /// The query that the flags ask for.
    pub(crate) fn to_query(&self, reader: &Reader, context: &Context) -> Result<Query, Failure> {
        let now_ns = now_ns();
        let time = |flag: &str, text: &Option<String>| {
            let read = |text: &String| {
                time::parse(text, now_ns).map_err(|e| Failure::input(format!("{flag}: {e}")))
            };
            text.as_ref().map(read).transpose()
        };
        let hash = |text: &String| {
            let text = text.strip_prefix("sha256:").unwrap_or(text);
            let refused = || Failure::input("--input-hash: write 64 hex digits");
            Hash::from_hex(text).ok_or_else(refused)
        };
        let mut query = Query {
            request_id: self.request_id.clone(),
            model_name: self.model.clone(),
            model_version: self.model_version.clone(),
            user_id: self.user.clone(),
            subject_id: self.subject.clone(),
            session_id: self.session.clone(),
            input_hash: self.input_hash.as_ref().map(hash).transpose()?,
            label: self.label.clone(),
            status: self.status.as_deref().and_then(Status::from_name),
            kind: self.kind.as_deref().and_then(Kind::from_name),
            since_ns: time("--since", &self.since)?,
            until_ns: time("--until", &self.until)?,
            ..Query::default()
        };
        if let Some(input) = &self.input {
            by_input(&mut query, &read_input(input, context)?, reader, context)?;
        }
        Ok(query)
    }
}

/// The JSON of `--input`: the value itself, `@FILE`, or `-` for standard input.
fn read_input(given: &str, context: &Context) -> Result<Vec<u8>, Failure> {
    let source = match (given, given.strip_prefix('@')) {
        ("-", _) => Source::open(None, context.notes)?,
        (_, Some(path)) => Source::open(Some(Path::new(path)), context.notes)?,
        _ => return Ok(given.as_bytes().to_vec()),
    };
    let bytes_max = context.settings.limits.record_bytes_max;
    let bound = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = source.from.take(bound).read_to_end(&mut bytes);
    read.map_err(|error| Failure::input(format!("{}: {error}", source.name)))?;
    // Longer ones are refused by the reader of JSON, with the bound in words.
    Ok(bytes)
}

/// Asks for an exact input by its MAC, and by the hash of its redacted form where no entry has
/// that MAC: its parties were erased, or the ledger's key is not here.
fn by_input(
    query: &mut Query,
    json: &[u8],
    reader: &Reader,
    context: &Context,
) -> Result<(), Failure> {
    let canonical = canonicalize(json, &context.settings.limits)
        .map_err(|error| Failure::input(format!("--input: {error}")))?;
    match reader.input_mac(&canonical) {
        Ok(mac) => {
            query.input_mac = Some(mac);
            let alone = Query { input_mac: Some(mac), ..Query::default() };
            if !reader.query(&alone, 1)?.entries.is_empty() {
                return Ok(());
            }
        }
        Err(error) => context.notes.warn(&error.to_string()),
    }
    let key = context.ledger()?.pseudonym_keys().current()?;
    let redactor = context.settings.redactor_with(key)?;
    // A policy may say something else for each model.
    let model = query.model_name.clone().unwrap_or_default();
    let place = PartPlace { part: PartId::Input, model: &model };
    let redacted = redactor.redact_part(&place, &canonical).map_err(Failure::input)?;
    let hash = input_hash(redacted.as_ref().map_or(canonical.as_slice(), |(bytes, _)| bytes));
    let alone = Query { input_hash: Some(hash), ..Query::default() };
    if !reader.query(&alone, 1)?.entries.is_empty() {
        query.input_mac = None;
        query.input_hash = Some(hash);
        context.notes.warn(
            "no entry has exactly this input; these have the same input after redaction, which others \
             can share",
        );
    } else if query.input_mac.is_none() {
        query.input_hash = Some(hash);
    }
    Ok(())
}
