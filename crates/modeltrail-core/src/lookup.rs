//! Lookup columns: what is searched by. Each is derived from one part, so that a verifier can derive
//! it again (the table is in `spec/record.md`).

use std::borrow::Cow;

use crate::code::{Kind, PartId, Status};
use crate::commitment::PartRef;
use crate::hash::{Hash, sha256};
use crate::label::label;
use crate::record::{Header, Parties};
use crate::time::parse_rfc3339;

/// The lookup columns of one entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lookup<'a> {
    /// From the header: when it occurred, nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// From the leaf.
    pub kind: Kind,
    /// From the header.
    pub model_name: Option<Cow<'a, str>>,
    /// From the header.
    pub model_version: Option<Cow<'a, str>>,
    /// From the header, microseconds.
    pub latency_us: Option<u64>,
    /// From the header.
    pub status: Option<Status>,
    /// From the parties.
    pub request_id: Option<Cow<'a, str>>,
    /// From the parties.
    pub user_id: Option<Cow<'a, str>>,
    /// From the parties.
    pub subject_id: Option<Cow<'a, str>>,
    /// From the parties.
    pub session_id: Option<Cow<'a, str>>,
    /// From the parties.
    pub input_mac: Option<Hash>,
    /// SHA-256 over the bytes of the part `input`.
    pub input_hash: Option<Hash>,
    /// From the output.
    pub label: Option<Cow<'a, str>>,
}

/// Why lookup columns could not be derived.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LookupError {
    /// The entry has no header.
    #[error("the entry has no header")]
    NoHeader,
    /// The header is not what `spec/record.md` says.
    #[error("the header is not what spec/record.md says")]
    Header,
    /// The parties are not what `spec/record.md` says.
    #[error("the parties are not what spec/record.md says")]
    Parties,
}

/// SHA-256 over an input part's bytes.
#[must_use]
pub fn input_hash(bytes: &[u8]) -> Hash {
    sha256(&[bytes])
}

impl<'a> Lookup<'a> {
    /// Derives the columns of an entry from the kind in its leaf and from its parts.
    ///
    /// # Errors
    /// When header or parties cannot be read.
    pub fn derive(
        kind: Kind,
        parts: impl IntoIterator<Item = PartRef<'a>>,
    ) -> Result<Self, LookupError> {
        let (mut header, mut parties, mut input_hash, mut of_output) = (None, None, None, None);
        for part in parts {
            match part.id {
                PartId::Header => header = Some(part.bytes),
                PartId::Parties => parties = Some(part.bytes),
                PartId::Input => input_hash = Some(self::input_hash(part.bytes)),
                PartId::Output if part.encoding == crate::Encoding::Json => {
                    of_output = label(part.bytes);
                }
                _ => {}
            }
        }
        let header: Header<'a> = serde_json::from_slice(header.ok_or(LookupError::NoHeader)?)
            .map_err(|_| LookupError::Header)?;
        let parties: Parties<'a> = match parties {
            Some(bytes) => serde_json::from_slice(bytes).map_err(|_| LookupError::Parties)?,
            None => Parties::default(),
        };
        let (model_name, model_version) =
            header.model.map_or((None, None), |model| (Some(model.name), Some(model.version)));
        Ok(Self {
            time_ns: parse_rfc3339(&header.occurred_at).map_err(|_| LookupError::Header)?,
            kind,
            model_name,
            model_version,
            latency_us: header.latency_us,
            status: header.status.as_deref().and_then(Status::from_name),
            request_id: parties.request_id,
            user_id: parties.user_id,
            subject_id: parties.subject_id,
            session_id: parties.session_id,
            input_mac: parties.input_mac.as_deref().and_then(Hash::from_hex),
            input_hash,
            label: of_output,
        })
    }

    /// What stands for an entry whose header or parties a program cannot read: found by its index
    /// and kind alone.
    #[must_use]
    pub const fn unreadable(kind: Kind) -> Lookup<'static> {
        Lookup {
            time_ns: 0,
            kind,
            model_name: None,
            model_version: None,
            latency_us: None,
            status: None,
            request_id: None,
            user_id: None,
            subject_id: None,
            session_id: None,
            input_mac: None,
            input_hash: None,
            label: None,
        }
    }

    /// The same columns, holding their own texts.
    #[must_use]
    pub fn into_owned(self) -> Lookup<'static> {
        fn own(text: Option<Cow<'_, str>>) -> Option<Cow<'static, str>> {
            text.map(|text| Cow::Owned(text.into_owned()))
        }
        Lookup {
            time_ns: self.time_ns,
            kind: self.kind,
            model_name: own(self.model_name),
            model_version: own(self.model_version),
            latency_us: self.latency_us,
            status: self.status,
            request_id: own(self.request_id),
            user_id: own(self.user_id),
            subject_id: own(self.subject_id),
            session_id: own(self.session_id),
            input_mac: self.input_mac,
            input_hash: self.input_hash,
            label: own(self.label),
        }
    }
}
