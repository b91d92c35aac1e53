//! Redaction before anything is framed: the type that only redaction can make.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::marker::PhantomData;

use super::header::{Capture, Header, HeaderModel, Parties, to_canonical};
use super::{Complete, Failure, Payload, Record, RecordError};
use crate::code::{Encoding, Kind, PartId, Status};
use crate::commitment::PartRef;
use crate::control::Control;
use crate::hash::{Hash, MacKey, sha256};
use crate::limits::Limits;
use crate::redact::{PartPlace, Redactor};
use crate::time::format_rfc3339;

/// What replaces a part that could not be redacted. The record is kept, the part is not.
pub(crate) const REDACTION_FAILED: &[u8] = b"\"[REDACTION_FAILED]\"";

/// A part with its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Which part.
    pub id: PartId,
    /// How its bytes are to be read.
    pub encoding: Encoding,
    /// Redacted bytes.
    pub bytes: Vec<u8>,
}

impl Part {
    /// As what is hashed.
    #[must_use]
    pub fn as_ref(&self) -> PartRef<'_> {
        PartRef { id: self.id, encoding: self.encoding, bytes: &self.bytes }
    }
}

/// Something whose personal data has been masked. It can be made in this module alone, so what
/// asks for it (frames, queues, stores) cannot be handed anything else.
#[derive(Clone, Debug)]
pub struct Redacted<T> {
    kind: Kind,
    request_id_assigned: bool,
    parts: Vec<Part>,
    of: PhantomData<fn() -> T>,
}

impl<T> Redacted<T> {
    /// The kind of the entry that it becomes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// True when the caller gave no request id.
    #[must_use]
    pub const fn request_id_assigned(&self) -> bool {
        self.request_id_assigned
    }

    /// The parts, ascending by id.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }
}

/// What a recorder brings to every record.
#[derive(Clone, Copy, Debug)]
pub struct CaptureContext<'a> {
    /// The rules in force.
    pub redactor: &'a Redactor,
    /// The ledger's key for `input_mac`.
    pub mac_key: &'a MacKey,
    /// The limits in force.
    pub limits: &'a Limits,
    /// Which way in: `api`, `cli`, …
    pub mode: &'a str,
}

/// A payload's bytes and how they are to be read.
type Bytes = (Encoding, Vec<u8>);

/// What the caller gave, in canonical bytes and not yet redacted. It never leaves this module.
struct Submitted {
    payloads: [(PartId, Option<Bytes>); 5],
    media_types: [Option<String>; 2],
}

impl Redacted<Record> {
    /// Turns a record into redacted parts. Request id and time must have been given or assigned.
    ///
    /// # Errors
    /// When a payload is no JSON that can be kept, or larger or deeper than the limits.
    pub fn new(mut record: Record, context: &CaptureContext<'_>) -> Result<Self, RecordError> {
        record.check()?;
        let submitted = Submitted::take(&mut record, context.limits)?;
        let submitted_mac = submitted_mac(&record, &submitted, context.mac_key);
        let input_mac =
            submitted.get(PartId::Input).map(|(_, bytes)| context.mac_key.mac(&[bytes]));
        let media_types = submitted.media_types.clone();
        let model = record.model.as_ref().map_or("", |model| &model.name);
        let (content, redactions) = submitted.redact(context.redactor, model);
        let parties = parties(&record, input_mac, submitted_mac);
        let header = header(&record, context, &content, redactions, &media_types);
        let json = |id, bytes| Part { id, encoding: Encoding::Json, bytes };
        let mut parts = vec![json(PartId::Header, header), json(PartId::Parties, parties)];
        parts.extend(content);
        parts.sort_by_key(|part| part.id);
        Ok(Self {
            kind: record.kind,
            request_id_assigned: record.request_id_assigned,
            parts,
            of: PhantomData,
        })
    }
}

/// What stands as the error of a request whose outcome nobody recorded.
const NO_OUTCOME: &str = "no_outcome";

impl Redacted<Record> {
    /// The record of a request of which only the intent is known, from the intent's header and parties: who asked
    /// whom and when, with status `unknown`. Nothing in those two parts is free text, and no more is taken.
    #[must_use]
    pub fn without_outcome(intent: &Header<'_>, parties: &Parties<'_>) -> Self {
        let header = Header {
            capture: intent.capture.as_ref().map(|capture| Capture {
                complete: Cow::Borrowed(Complete::Truncated.name()),
                mode: capture.mode.clone(),
            }),
            input_media_type: None,
            kind: Cow::Borrowed(Kind::Prediction.name()),
            latency_us: None,
            output_media_type: None,
            pipeline_digest: None,
            redactions: BTreeMap::new(),
            status: Some(Cow::Borrowed(Status::Unknown.name())),
            ..intent.clone()
        };
        let failure = Failure {
            code: Some(NO_OUTCOME.to_owned()),
            message: Some(
                "who was about to ask is gone, and recorded nothing of what came of it".to_owned(),
            ),
        };
        let parties = Parties { input_mac: None, submitted_mac: None, ..parties.clone() };
        let json = |id, bytes| Part { id, encoding: Encoding::Json, bytes };
        let parts = vec![
            json(PartId::Header, to_canonical(&header)),
            json(PartId::Parties, to_canonical(&parties)),
            json(PartId::Error, to_canonical(&failure)),
        ];
        let request_id_assigned = intent.assigned.iter().any(|name| name == "request_id");
        Self { kind: Kind::Prediction, request_id_assigned, parts, of: PhantomData }
    }
}

impl Redacted<Control> {
    /// Parts of an entry that the product itself writes. [`Control`] has no room for personal data.
    #[must_use]
    pub fn control(control: &Control, time_ns: i64) -> Self {
        let kind = control.kind();
        let header = Header {
            assigned: Vec::new(),
            capture: None,
            input_media_type: None,
            kind: Cow::Borrowed(kind.name()),
            latency_us: None,
            model: None,
            occurred_at: Cow::Owned(format_rfc3339(time_ns)),
            output_media_type: None,
            pipeline_digest: None,
            policy: None,
            redactions: BTreeMap::new(),
            status: None,
        };
        let json = |id, bytes| Part { id, encoding: Encoding::Json, bytes };
        let parts = vec![
            json(PartId::Header, to_canonical(&header)),
            json(PartId::Control, to_canonical(control)),
        ];
        Self { kind, request_id_assigned: false, parts, of: PhantomData }
    }
}

impl Submitted {
    fn take(record: &mut Record, limits: &Limits) -> Result<Self, RecordError> {
        let media_type = |payload: &Option<Payload>| {
            payload.as_ref().and_then(|payload| payload.media_type().map(str::to_owned))
        };
        let media_types = [media_type(&record.input), media_type(&record.output)];
        let bytes = |pointer: &str, payload: Option<Payload>| {
            payload.map(|payload| payload.into_bytes(pointer, limits)).transpose()
        };
        let error = record.failure.as_ref().map(|failure| (Encoding::Json, to_canonical(failure)));
        let payloads = [
            (PartId::Input, bytes("/input", record.input.take())?),
            (PartId::Output, bytes("/output", record.output.take())?),
            (PartId::Metadata, object("/metadata", bytes("/metadata", record.metadata.take())?)?),
            (PartId::Pipeline, object("/pipeline", bytes("/pipeline", record.pipeline.take())?)?),
            (PartId::Error, error),
        ];
        let total_bytes: usize =
            payloads.iter().filter_map(|(_, bytes)| bytes.as_ref()).map(|(_, b)| b.len()).sum();
        if total_bytes > limits.record_bytes_max {
            return Err(RecordError::too_large(limits.record_bytes_max));
        }
        Ok(Self { payloads, media_types })
    }

    fn get(&self, part: PartId) -> Option<&Bytes> {
        self.payloads.iter().find(|(id, _)| *id == part)?.1.as_ref()
    }

    fn redact(self, redactor: &Redactor, model: &str) -> (Vec<Part>, Redactions) {
        let mut redactions = Redactions::new();
        let parts = self
            .payloads
            .into_iter()
            .filter_map(|(id, payload)| {
                let (encoding, bytes) = payload?;
                let place = PartPlace { part: id, model };
                Some(redact_part(redactor, &place, encoding, bytes, &mut redactions))
            })
            .collect();
        (parts, redactions)
    }
}

type Redactions = BTreeMap<Cow<'static, str>, BTreeMap<Cow<'static, str>, u32>>;

fn redact_part(
    redactor: &Redactor,
    place: &PartPlace<'_>,
    encoding: Encoding,
    bytes: Vec<u8>,
    redactions: &mut Redactions,
) -> Part {
    let id = place.part;
    let redacted = match encoding {
        Encoding::Json => redactor.redact_part(place, &bytes),
        Encoding::Raw => redactor.redact_bytes_part(place, &bytes),
    };
    let counted = !matches!(redacted, Ok(None));
    let of_part =
        if counted { Some(redactions.entry(Cow::Borrowed(id.name())).or_default()) } else { None };
    let (encoding, bytes) = match (redacted, of_part) {
        (Ok(Some((masked, counts))), Some(of_part)) => {
            for (name, n) in counts.by_type() {
                *of_part.entry(Cow::Owned(name.to_owned())).or_default() += n;
            }
            (encoding, masked)
        }
        (Err(error), Some(of_part)) => {
            of_part.insert(Cow::Borrowed("failed"), 1);
            of_part.insert(Cow::Owned(format!("failed_{}", error.code())), 1);
            (Encoding::Json, REDACTION_FAILED.to_vec())
        }
        _ => (encoding, bytes),
    };
    Part { id, encoding, bytes }
}

fn object(pointer: &str, payload: Option<Bytes>) -> Result<Option<Bytes>, RecordError> {
    match &payload {
        Some((Encoding::Json, bytes)) if bytes.first() == Some(&b'{') => Ok(payload),
        None => Ok(None),
        Some(_) => Err(RecordError::wrong_type(pointer, "an object")),
    }
}

fn parties(record: &Record, input_mac: Option<Hash>, submitted_mac: Hash) -> Vec<u8> {
    fn text(field: &Option<String>) -> Option<Cow<'_, str>> {
        field.as_deref().map(Cow::Borrowed)
    }
    to_canonical(&Parties {
        client_address: text(&record.client_address),
        input_mac: input_mac.map(|mac| Cow::Owned(mac.to_hex())),
        links: record.links.clone(),
        request_id: text(&record.request_id),
        session_id: text(&record.session_id),
        subject_id: text(&record.subject_id),
        submitted_mac: Some(Cow::Owned(submitted_mac.to_hex())),
        trace_id: text(&record.trace_id),
        user_id: text(&record.user_id),
    })
}

fn header(
    record: &Record,
    context: &CaptureContext<'_>,
    content: &[Part],
    redactions: Redactions,
    media_types: &[Option<String>; 2],
) -> Vec<u8> {
    let [input_media_type, output_media_type] = media_types;
    let mut assigned = Vec::new();
    if record.request_id_assigned {
        assigned.push(Cow::Borrowed("request_id"));
    }
    if record.time_assigned {
        assigned.push(Cow::Borrowed("timestamp"));
    }
    let status = record.status.unwrap_or(match record.failure {
        Some(_) => Status::Failure,
        None => Status::Success,
    });
    let pipeline = content.iter().find(|part| part.id == PartId::Pipeline);
    to_canonical(&Header {
        assigned,
        capture: Some(Capture {
            complete: Cow::Borrowed(record.complete.name()),
            mode: Cow::Borrowed(record.mode.unwrap_or(context.mode)),
        }),
        input_media_type: input_media_type.as_deref().map(Cow::Borrowed),
        kind: Cow::Borrowed(record.kind.name()),
        latency_us: record.latency_us,
        model: record.model.as_ref().map(|model| HeaderModel {
            digest: model.digest.as_deref().map(Cow::Borrowed),
            name: Cow::Borrowed(&model.name),
            provider: model.provider.as_deref().map(Cow::Borrowed),
            version: Cow::Borrowed(&model.version),
        }),
        occurred_at: Cow::Owned(format_rfc3339(record.time_ns.unwrap_or_default())),
        output_media_type: output_media_type.as_deref().map(Cow::Borrowed),
        pipeline_digest: pipeline.map(|part| Cow::Owned(sha256(&[&part.bytes]).to_hex())),
        policy: Some(Cow::Borrowed(context.redactor.policy_digest())),
        redactions,
        status: Some(Cow::Borrowed(status.name())),
    })
}

/// HMAC over what the caller supplied and nothing that was assigned: for each field in a fixed
/// order one byte of presence, one of encoding, then its length as u64 and its bytes. It is made on
/// the capture path for every record, so that nothing is copied on the way.
fn submitted_mac(record: &Record, submitted: &Submitted, key: &MacKey) -> Hash {
    let mut mac = key.begin();
    let mut field = |encoding: u8, bytes: Option<&[u8]>| {
        let body = bytes.unwrap_or(&[]);
        let len = u64::try_from(body.len()).unwrap_or(u64::MAX).to_be_bytes();
        mac.update(&[u8::from(bytes.is_some()), encoding]);
        mac.update(&len);
        mac.update(body);
    };
    fn text(field: &Option<String>) -> Option<&[u8]> {
        field.as_deref().map(str::as_bytes)
    }
    let supplied_time = if record.time_assigned { None } else { record.time_ns };
    field(0, Some(record.kind.name().as_bytes()));
    field(0, supplied_time.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    field(0, record.model.as_ref().map(to_canonical).as_deref());
    field(0, text(&record.user_id));
    field(0, text(&record.subject_id));
    field(0, text(&record.session_id));
    field(0, text(&record.trace_id));
    field(0, text(&record.client_address));
    field(0, record.latency_us.map(u64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
    field(0, record.status.map(|status| [status.code()]).as_ref().map(<[u8; 1]>::as_slice));
    field(0, (!record.links.is_empty()).then(|| to_canonical(&record.links)).as_deref());
    for (_, payload) in &submitted.payloads {
        match payload {
            Some((encoding, bytes)) => field(encoding.code(), Some(bytes)),
            None => field(0, None),
        }
    }
    for media_type in &submitted.media_types {
        field(0, text(media_type));
    }
    mac.finish()
}
