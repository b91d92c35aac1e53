//! What a reader asks for.

use crate::code::{Kind, Status};
use crate::hash::Hash;

/// A combination of filters; all that are set must hold. Answers come newest first, by the time of
/// the event and then by index.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    /// Exactly this request id.
    pub request_id: Option<String>,
    /// This model.
    pub model_name: Option<String>,
    /// This version of a model.
    pub model_version: Option<String>,
    /// Asked by this user.
    pub user_id: Option<String>,
    /// About this subject.
    pub subject_id: Option<String>,
    /// In this session.
    pub session_id: Option<String>,
    /// SHA-256 over the canonical redacted input.
    pub input_hash: Option<Hash>,
    /// HMAC over the canonical unredacted input under the ledger's key.
    pub input_mac: Option<Hash>,
    /// This label (see [`crate::label::label`]).
    pub label: Option<String>,
    /// This status.
    pub status: Option<Status>,
    /// This kind.
    pub kind: Option<Kind>,
    /// Not before, nanoseconds since 1970 UTC.
    pub since_ns: Option<i64>,
    /// Before, nanoseconds since 1970 UTC.
    pub until_ns: Option<i64>,
    /// Only what comes after this place in the order of answers.
    pub after: Option<Cursor>,
}

/// A place in the order of answers: the last entry of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    /// Its time, nanoseconds since 1970 UTC.
    pub time_ns: i64,
    /// Its index.
    pub index: u64,
}

impl Cursor {
    /// The text that a caller passes back.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{}.{}", self.time_ns, self.index)
    }

    /// Reads the text back; `None` when it is no cursor.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (time_ns, index) = text.split_once('.')?;
        Some(Self { time_ns: time_ns.parse().ok()?, index: index.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back() {
        let cursor = Cursor { time_ns: -5, index: u64::MAX };
        assert_eq!(Cursor::parse(&cursor.to_text()), Some(cursor));
        assert_eq!(Cursor::parse("12"), None);
        assert_eq!(Cursor::parse("1.-2"), None);
    }
}
