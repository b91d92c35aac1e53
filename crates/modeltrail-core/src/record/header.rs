//! The parts `header` and `parties` as JSON. Members are declared in the order of canonical bytes,
//! so that serialising gives canonical bytes; a test holds them to it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::{Link, Part};
use crate::code::PartId;

/// Serde borrows a `Cow` that stands alone and copies one inside an `Option`; a verification reads a
/// dozen of them for each entry.
fn text<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<Cow<'a, str>>, D::Error> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    Ok(Option::<Text<'_>>::deserialize(from)?.map(|text| text.0))
}

/// How a record was captured.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Capture<'a> {
    /// `full`, `truncated` or `digest`.
    #[serde(borrow)]
    pub complete: Cow<'a, str>,
    /// Which way in: `api`, `cli`, `proxy`, …
    #[serde(borrow)]
    pub mode: Cow<'a, str>,
}

/// The model as it stands in the header.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeaderModel<'a> {
    /// Digest of the weights or the artefact.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub digest: Option<Cow<'a, str>>,
    /// Name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Who serves it.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub provider: Option<Cow<'a, str>>,
    /// Version.
    #[serde(borrow)]
    pub version: Cow<'a, str>,
}

/// The part `header`: no personal data, no free text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header<'a> {
    /// Which of `request_id` and `timestamp` the recorder assigned.
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    pub assigned: Vec<Cow<'a, str>>,
    /// How it was captured.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<Capture<'a>>,
    /// Media type of an input that is no JSON.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub input_media_type: Option<Cow<'a, str>>,
    /// Name of the kind.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// How long the model took, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_us: Option<u64>,
    /// The model.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub model: Option<HeaderModel<'a>>,
    /// When it occurred, RFC 3339 in UTC with nine digits after the second.
    #[serde(borrow)]
    pub occurred_at: Cow<'a, str>,
    /// Media type of an output that is no JSON.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub output_media_type: Option<Cow<'a, str>>,
    /// SHA-256 of the part `pipeline`, lower-case hex.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub pipeline_digest: Option<Cow<'a, str>>,
    /// Digest of the redaction policy in force.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub policy: Option<Cow<'a, str>>,
    /// How many spans each rule masked in each part.
    #[serde(borrow, default, skip_serializing_if = "BTreeMap::is_empty")]
    pub redactions: BTreeMap<Cow<'a, str>, BTreeMap<Cow<'a, str>, u32>>,
    /// `success`, `failure` or `unknown`.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub status: Option<Cow<'a, str>>,
}

/// The part `parties`: who asked, whom it is about, how it is linked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Parties<'a> {
    /// Where the request came from.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub client_address: Option<Cow<'a, str>>,
    /// HMAC-SHA-256 of the canonical unredacted input under the ledger's key, hex.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub input_mac: Option<Cow<'a, str>>,
    /// Links to other records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The request id.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Cow<'a, str>>,
    /// The conversation or run.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub session_id: Option<Cow<'a, str>>,
    /// Whom it is about.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<Cow<'a, str>>,
    /// HMAC-SHA-256 over all that the caller supplied, unredacted, under the ledger's key, hex; what
    /// a second record of the same request id is compared by.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub submitted_mac: Option<Cow<'a, str>>,
    /// The trace.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<Cow<'a, str>>,
    /// Who asked.
    #[serde(borrow, default, deserialize_with = "text", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Cow<'a, str>>,
}

impl<'a> Parties<'a> {
    /// The parties among an entry's or a frame's parts; `None` when there are none that can be read.
    #[must_use]
    pub fn of(parts: &'a [Part]) -> Option<Self> {
        let part = parts.iter().find(|part| part.id == PartId::Parties)?;
        serde_json::from_slice(&part.bytes).ok()
    }
}

/// Canonical bytes of a value whose members are declared in canonical order and whose numbers are
/// integers below 2^53: `serde_json`'s string escapes are those of RFC 8785.
pub(crate) fn to_canonical(value: &impl Serialize) -> Vec<u8> {
    // Room for a usual header or parties, so that the buffer does not grow step by step.
    let mut bytes = Vec::with_capacity(512);
    match serde_json::to_writer(&mut bytes, value) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
