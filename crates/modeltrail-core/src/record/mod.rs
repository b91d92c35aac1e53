//! The record: what an application submits (`spec/record.md`).
//!
//! A [`Record`] is checked but may still hold personal data. It leaves memory only as a
//! [`Redacted`] one, and only that can become a [`crate::Frame`].

mod error;
mod header;
mod parse;
mod payload;
mod redacted;

#[cfg(test)]
mod tests;

pub use error::RecordError;
pub(crate) use header::to_canonical;
pub use header::{Capture, Header, HeaderModel, Parties};
pub use payload::Payload;
pub use redacted::{CaptureContext, Part, Redacted};

use crate::code::{Kind, Status};
use crate::limits::{ID_BYTES_MAX, Limits, N_LINKS_MAX, NAME_BYTES_MAX};

/// The model that answered.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Digest of the weights or the artefact, as the caller names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Name, not empty.
    pub name: String,
    /// Who serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Version, not empty.
    pub version: String,
}

/// How a record is linked to another one.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// `reviews`, `decides`, `outcome_of`, `supersedes`, `caused_by` or `explains`.
    pub rel: String,
    /// Request id of the other record.
    pub request_id: String,
}

/// Names that [`Link::rel`] may have.
pub const LINK_RELS: &[&str] =
    &["reviews", "decides", "outcome_of", "supersedes", "caused_by", "explains"];

/// What failed.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// A code that programs can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// A text for people; redacted like any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How much of what passed was captured.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Complete {
    /// All of it.
    #[default]
    Full,
    /// The first bytes of a body that was longer than what is kept.
    Truncated,
    /// Length and hash alone of a body that could not be read, and so not redacted.
    Digest,
}

impl Complete {
    /// The name in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Truncated => "truncated",
            Self::Digest => "digest",
        }
    }
}

/// A record as submitted, checked field by field.
///
/// ```
/// use modeltrail_core::Record;
/// let record = Record::prediction("fraud_detector", "v3.2.1")
///     .input(serde_json::json!({"transaction_amount": 1250.0}))
///     .output(serde_json::json!({"prediction": "legitimate"}))
///     .user_id("analyst_jane")
///     .latency_ms(23.5);
/// assert!(record.check().is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Record {
    pub(crate) kind: Kind,
    pub(crate) request_id: Option<String>,
    pub(crate) request_id_assigned: bool,
    pub(crate) time_ns: Option<i64>,
    pub(crate) time_assigned: bool,
    pub(crate) model: Option<Model>,
    pub(crate) input: Option<Payload>,
    pub(crate) output: Option<Payload>,
    pub(crate) user_id: Option<String>,
    pub(crate) subject_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) trace_id: Option<String>,
    pub(crate) client_address: Option<String>,
    pub(crate) latency_us: Option<u64>,
    pub(crate) status: Option<Status>,
    pub(crate) failure: Option<Failure>,
    pub(crate) pipeline: Option<Payload>,
    pub(crate) links: Vec<Link>,
    pub(crate) metadata: Option<Payload>,
    /// How much of it was captured, and the way in, where they are not the recorder's own.
    pub(crate) complete: Complete,
    pub(crate) mode: Option<&'static str>,
    /// Of an intent, and of the record of what became of it: the record id that both have.
    pub(crate) record_id: Option<[u8; 16]>,
    /// The first thing a builder call refused, given back when the record is submitted.
    pub(crate) refused: Option<RecordError>,
}

/// A setter for an optional text.
macro_rules! text_setters {
    ($($(#[$doc:meta])* $field:ident;)+) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $field(mut self, value: impl Into<String>) -> Self {
            self.$field = Some(value.into());
            self
        })+
    };
}

impl Record {
    /// A record of another kind than a prediction.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            request_id: None,
            request_id_assigned: false,
            time_ns: None,
            time_assigned: false,
            model: None,
            input: None,
            output: None,
            user_id: None,
            subject_id: None,
            session_id: None,
            trace_id: None,
            client_address: None,
            latency_us: None,
            status: None,
            failure: None,
            pipeline: None,
            links: Vec::new(),
            metadata: None,
            complete: Complete::Full,
            mode: None,
            record_id: None,
            refused: None,
        }
    }

    /// A prediction of the model `name` in `version`.
    #[must_use]
    pub fn prediction(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self::new(Kind::Prediction).model(Model {
            digest: None,
            name: name.into(),
            provider: None,
            version: version.into(),
        })
    }

    text_setters! {
        /// The caller's correlation id, at most 128 bytes, unique in the ledger; assigned when absent.
        request_id;
        /// Who asked.
        user_id;
        /// Whom it is about.
        subject_id;
        /// The conversation or run it belongs to.
        session_id;
        /// The trace it belongs to.
        trace_id;
        /// Where the request came from.
        client_address;
    }

    /// The model, with digest and provider.
    #[must_use]
    pub fn model(mut self, model: Model) -> Self {
        self.model = Some(model);
        self
    }

    /// What the model was given.
    #[must_use]
    pub fn input(mut self, input: impl Into<Payload>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// What the model answered.
    #[must_use]
    pub fn output(mut self, output: impl Into<Payload>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Anything else; must be a JSON object.
    #[must_use]
    pub fn metadata(mut self, metadata: impl Into<Payload>) -> Self {
        self.metadata = Some(metadata.into());
        self
    }

    /// The pipeline pin; must be a JSON object.
    #[must_use]
    pub fn pipeline(mut self, pipeline: impl Into<Payload>) -> Self {
        self.pipeline = Some(pipeline.into());
        self
    }

    /// When it occurred, nanoseconds since 1970 UTC; assigned when absent.
    #[must_use]
    pub const fn timestamp_ns(mut self, time_ns: i64) -> Self {
        self.time_ns = Some(time_ns);
        self
    }

    /// How long the model took, in milliseconds; kept as whole microseconds, half rounded up.
    #[must_use]
    pub fn latency_ms(mut self, latency_ms: f64) -> Self {
        match parse::microseconds(&latency_ms.to_string()) {
            Some(us) => self.latency_us = Some(us),
            None => self.refuse(RecordError::latency()),
        }
        self
    }

    /// How long the model took, in microseconds.
    #[must_use]
    pub const fn latency_us(mut self, latency_us: u64) -> Self {
        self.latency_us = Some(latency_us);
        self
    }

    /// The way in, as the header names it, in place of the recorder's; and how much was captured.
    #[must_use]
    pub const fn captured(mut self, mode: &'static str, complete: Complete) -> Self {
        self.mode = Some(mode);
        self.complete = complete;
        self
    }

    /// An intent: what is about to be asked, recorded before it is. Its entry has the record id given, and so has
    /// that of the record of what became of it ([`Record::outcome_of_intent`]).
    #[must_use]
    pub const fn into_intent(mut self, record_id: [u8; 16]) -> Self {
        self.kind = Kind::Intent;
        self.record_id = Some(record_id);
        self
    }

    /// What became of an intent.
    #[must_use]
    pub const fn outcome_of_intent(mut self, record_id: [u8; 16]) -> Self {
        self.record_id = Some(record_id);
        self
    }

    /// The record id that an intent and its record have; of others it is made when they are framed.
    #[must_use]
    pub const fn record_id(&self) -> Option<[u8; 16]> {
        self.record_id
    }

    /// Whether the model answered; `success` when absent, `failure` when only an error is given.
    #[must_use]
    pub const fn status(mut self, status: Status) -> Self {
        self.status = Some(status);
        self
    }

    /// What failed.
    #[must_use]
    pub fn error(mut self, code: impl Into<String>, message: impl Into<String>) -> Self {
        self.failure = Some(Failure { code: Some(code.into()), message: Some(message.into()) });
        self
    }

    /// Links the record to another one by its request id.
    #[must_use]
    pub fn link(mut self, rel: impl Into<String>, request_id: impl Into<String>) -> Self {
        self.links.push(Link { rel: rel.into(), request_id: request_id.into() });
        self
    }

    /// The kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The request id, if one was given or assigned.
    #[must_use]
    pub fn request_id_ref(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The record without input and output, for one whose bodies cannot be kept; it says so in its header.
    #[must_use]
    pub fn without_bodies(&self) -> Self {
        Self {
            request_id: self.request_id.clone(),
            request_id_assigned: self.request_id_assigned,
            time_ns: self.time_ns,
            time_assigned: self.time_assigned,
            model: self.model.clone(),
            user_id: self.user_id.clone(),
            subject_id: self.subject_id.clone(),
            session_id: self.session_id.clone(),
            trace_id: self.trace_id.clone(),
            client_address: self.client_address.clone(),
            latency_us: self.latency_us,
            status: self.status,
            failure: self.failure.clone(),
            metadata: self.metadata.clone(),
            complete: Complete::Digest,
            mode: self.mode,
            record_id: self.record_id,
            ..Self::new(self.kind)
        }
    }

    /// Fills what the caller left out. Assigned values are marked as such in the header, so that a
    /// second submission is compared without them.
    pub fn assign(&mut self, request_id: impl FnOnce() -> String, now_ns: impl FnOnce() -> i64) {
        if self.request_id.is_none() {
            self.request_id = Some(request_id());
            self.request_id_assigned = true;
        }
        if self.time_ns.is_none() {
            self.time_ns = Some(now_ns());
            self.time_assigned = true;
        }
    }

    /// Checks everything that can be checked without walking the payloads; cheap enough for the
    /// thread that answers the request.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn check(&self) -> Result<(), RecordError> {
        if let Some(error) = &self.refused {
            return Err(error.clone());
        }
        let is_intent = self.kind == Kind::Intent && self.record_id.is_some();
        if !self.kind.is_submittable() && !is_intent {
            return Err(RecordError::own_kind(self.kind));
        }
        self.check_ids()?;
        self.check_media_types()?;
        self.check_model()?;
        self.check_links()
    }

    fn check_ids(&self) -> Result<(), RecordError> {
        if self.request_id.as_deref() == Some("") {
            return Err(RecordError::empty("/request_id"));
        }
        let fields = [
            ("/request_id", &self.request_id),
            ("/user_id", &self.user_id),
            ("/subject_id", &self.subject_id),
            ("/session_id", &self.session_id),
            ("/trace_id", &self.trace_id),
            ("/client_address", &self.client_address),
        ];
        fields.iter().try_for_each(|(pointer, id)| check_text(pointer, id.as_deref(), ID_BYTES_MAX))
    }

    fn check_media_types(&self) -> Result<(), RecordError> {
        let media_type = |payload: &Option<Payload>| {
            payload.as_ref().and_then(|payload| payload.media_type().map(str::to_owned))
        };
        for (pointer, payload) in
            [("/input_media_type", &self.input), ("/output_media_type", &self.output)]
        {
            let media_type = media_type(payload);
            check_text(pointer, media_type.as_deref(), NAME_BYTES_MAX)?;
            if media_type.is_some_and(|text| !text.is_ascii() || !text.contains('/')) {
                return Err(RecordError::wrong_type(pointer, "a media type, like image/png"));
            }
        }
        Ok(())
    }

    fn check_model(&self) -> Result<(), RecordError> {
        let Some(model) = &self.model else {
            return if matches!(self.kind, Kind::Prediction | Kind::Intent) {
                Err(RecordError::missing("/model"))
            } else {
                Ok(())
            };
        };
        for (pointer, text) in [("/model/name", &model.name), ("/model/version", &model.version)] {
            if text.trim().is_empty() {
                return Err(RecordError::empty(pointer));
            }
            check_text(pointer, Some(text), NAME_BYTES_MAX)?;
        }
        check_text("/model/digest", model.digest.as_deref(), NAME_BYTES_MAX)?;
        check_text("/model/provider", model.provider.as_deref(), NAME_BYTES_MAX)
    }

    fn check_links(&self) -> Result<(), RecordError> {
        if self.links.len() > N_LINKS_MAX {
            return Err(RecordError::too_long("/links", N_LINKS_MAX, "items"));
        }
        for (n, link) in self.links.iter().enumerate() {
            if !LINK_RELS.contains(&link.rel.as_str()) {
                return Err(RecordError::one_of(&format!("/links/{n}/rel"), LINK_RELS));
            }
            let pointer = format!("/links/{n}/request_id");
            if link.request_id.is_empty() {
                return Err(RecordError::empty(&pointer));
            }
            check_text(&pointer, Some(&link.request_id), ID_BYTES_MAX)?;
        }
        Ok(())
    }

    /// Checks that the payloads together stay inside the limits without turning them into text.
    ///
    /// # Errors
    /// When a payload is nested too deep or all are too large.
    pub fn check_size(&self, limits: &Limits) -> Result<(), RecordError> {
        let payloads = [
            ("/input", &self.input),
            ("/output", &self.output),
            ("/metadata", &self.metadata),
            ("/pipeline", &self.pipeline),
        ];
        let mut total_bytes = 0_usize;
        for (pointer, payload) in payloads {
            let Some(payload) = payload else { continue };
            total_bytes = total_bytes.saturating_add(payload.measure(pointer, limits)?);
        }
        if total_bytes > limits.record_bytes_max {
            return Err(RecordError::too_large(limits.record_bytes_max));
        }
        Ok(())
    }

    /// About how many bytes the record holds in memory; what bounds a ring of waiting records.
    #[must_use]
    pub fn size_hint_bytes(&self) -> usize {
        [&self.input, &self.output, &self.metadata, &self.pipeline]
            .iter()
            .filter_map(|payload| payload.as_ref())
            .map(Payload::size_hint_bytes)
            .sum::<usize>()
            + 512
    }

    fn refuse(&mut self, error: RecordError) {
        self.refused.get_or_insert(error);
    }
}

fn check_text(pointer: &str, text: Option<&str>, bytes_max: usize) -> Result<(), RecordError> {
    match text {
        Some(text) if text.len() > bytes_max => {
            Err(RecordError::too_long(pointer, bytes_max, "bytes"))
        }
        // They would make tables and log lines of whoever reads the ledger unreadable, or worse.
        Some(text) if text.chars().any(char::is_control) => Err(RecordError::new(
            pointer,
            "holds a control character",
            "send the identifier without it",
        )),
        _ => Ok(()),
    }
}
