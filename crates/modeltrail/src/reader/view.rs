//! An entry as JSON for people and programs.

use std::borrow::Cow;

use modeltrail_core::code::Encoding;
use modeltrail_core::lookup::Lookup;
use modeltrail_core::record::Part;
use modeltrail_core::time::{format_rfc3339, format_rfc3339_short};
use modeltrail_core::{Kind, PartId};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::store::Entry;

/// An entry with its parts as JSON. Numbers are the digits that were stored.
#[derive(Serialize)]
pub struct EntryView<'a> {
    /// Place in the ledger.
    pub index: u64,
    /// Kind.
    pub kind: &'a str,
    /// The caller's or an assigned request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// When it occurred, RFC 3339 in UTC.
    pub timestamp: String,
    /// When the sequencer took it, RFC 3339 in UTC.
    pub recorded_at: String,
    /// The model's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_name: Option<Cow<'a, str>>,
    /// The model's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_version: Option<Cow<'a, str>>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Cow<'a, str>>,
    /// Whom it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Cow<'a, str>>,
    /// The conversation or run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Cow<'a, str>>,
    /// `success`, `failure` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'a str>,
    /// Milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f64>,
    /// Label of the output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<Cow<'a, str>>,
    /// SHA-256 over the canonical redacted input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_hash: Option<String>,
    /// The parts.
    pub parts: Parts<'a>,
    /// Leaf hash, hex.
    pub leaf_hash: String,
    /// Leaf hash of the entry before, hex.
    pub prev: String,
    /// Id of the record, hex.
    pub record_id: String,
    /// Who captured it, hex.
    pub producer: String,
    /// The producer's number for it.
    pub producer_seq: u64,
}

/// The parts of an entry as JSON.
#[derive(Serialize, Default)]
pub struct Parts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parties: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    control: Option<Content<'a>>,
}

/// A part's content.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Json(&'a RawValue),
    Raw { base64: String },
}

fn content(part: &Part) -> Option<Content<'_>> {
    match part.encoding {
        Encoding::Json => serde_json::from_slice(&part.bytes).ok().map(Content::Json),
        Encoding::Raw => Some(Content::Raw { base64: modeltrail_core::hash::base64(&part.bytes) }),
    }
}

impl<'a> EntryView<'a> {
    /// The view of an entry; columns that its parts do not give are left out.
    #[must_use]
    pub fn new(entry: &'a Entry) -> Self {
        let kind = Kind::from_code(entry.leaf.kind);
        let lookup = kind
            .and_then(|kind| Lookup::derive(kind, entry.parts.iter().map(Part::as_ref)).ok())
            .unwrap_or_else(|| Lookup::unreadable(kind.unwrap_or(Kind::Prediction)));
        let recorded_ns = i64::try_from(entry.leaf.time_us.saturating_mul(1000));
        let hex = modeltrail_core::hash::hex;
        Self {
            index: entry.leaf.index,
            kind: kind.map_or("unknown", Kind::name),
            request_id: lookup.request_id,
            timestamp: format_rfc3339_short(lookup.time_ns),
            recorded_at: format_rfc3339(recorded_ns.unwrap_or(i64::MAX)),
            model_name: lookup.model_name,
            model_version: lookup.model_version,
            user_id: lookup.user_id,
            subject_id: lookup.subject_id,
            session_id: lookup.session_id,
            status: lookup.status.map(modeltrail_core::Status::name),
            latency_ms: lookup.latency_us.map(crate::report::ms),
            label: lookup.label,
            input_hash: lookup.input_hash.map(|hash| hash.to_hex()),
            parts: Parts::new(&entry.parts),
            leaf_hash: entry.leaf_hash.to_hex(),
            prev: entry.leaf.prev.to_hex(),
            record_id: hex(&entry.leaf.record_id),
            producer: hex(&entry.leaf.producer),
            producer_seq: entry.leaf.producer_seq,
        }
    }
}

impl<'a> Parts<'a> {
    fn new(parts: &'a [Part]) -> Self {
        let mut view = Self::default();
        for part in parts {
            let slot = match part.id {
                PartId::Header => &mut view.header,
                PartId::Input => &mut view.input,
                PartId::Output => &mut view.output,
                PartId::Parties => &mut view.parties,
                PartId::Metadata => &mut view.metadata,
                PartId::Pipeline => &mut view.pipeline,
                PartId::Error => &mut view.error,
                PartId::Control => &mut view.control,
            };
            *slot = content(part);
        }
        view
    }
}
