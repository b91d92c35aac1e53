//! Erasures: which parts of which entries were taken, and the authority's signature that allows it
//! (`spec/control.md`).
//!
//! The authority's key is neither the database's nor the one that signs checkpoints, so whoever can
//! write to the database can destroy bytes but cannot make that look lawful.

use serde::{Deserialize, Serialize};

use crate::code::PartId;
use crate::hash::sha256;
use crate::note::{Note, NoteError, NoteSigner, SignatureLine, VerifierKey, VerifyError};

/// What an `erasure` entry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Erasure {
    /// The entries, ascending, each with the codes of the parts that were taken, ascending.
    pub entries: Vec<(u64, Vec<u16>)>,
    /// A signed note of the authority over [`Erasure::text`].
    pub note: String,
    /// Why.
    pub reason: ErasureReason,
}

/// Why parts were erased; a code, as free text could name a person.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErasureReason {
    /// The person whom the data is about asked for it.
    SubjectRequest,
    /// The time for which it was to be kept is over.
    Expired,
    /// A court or an authority ordered it.
    Order,
    /// It should not have been recorded.
    RecordedInError,
}

impl ErasureReason {
    /// The name in JSON and in the text that is signed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SubjectRequest => "subject_request",
            Self::Expired => "expired",
            Self::Order => "order",
            Self::RecordedInError => "recorded_in_error",
        }
    }
}

/// Why an erasure does not count.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ErasureError {
    /// It names nothing, or not in ascending order.
    #[error("it does not name entries and parts in ascending order, each once")]
    Order,
    /// A part that is never erased, or that is not known.
    #[error("it names the part with the code {0}, which is never erased or not known")]
    Part(u16),
    /// An entry that is not before it.
    #[error("it names the entry {0}, which is not before it")]
    NotBefore(u64),
    /// What was signed is no note.
    #[error("what should be signed is no signed note: {0}")]
    Note(#[from] NoteError),
    /// The note says something else: other entries or parts, another reason, another ledger.
    #[error("what was signed is not this list of entries and parts, this reason and this ledger")]
    OtherText,
    /// The authority did not sign.
    #[error("{0}")]
    Signature(#[from] VerifyError),
}

/// First line of the text that is signed; no checkpoint begins so.
const HEADING: &str = "modeltrail/v1/erasure";

impl Erasure {
    /// An erasure that the authority allows.
    ///
    /// # Errors
    /// When the list is not one that can be erased.
    pub fn sign(
        origin: &str,
        reason: ErasureReason,
        entries: Vec<(u64, Vec<u16>)>,
        authority: &NoteSigner,
    ) -> Result<Self, ErasureError> {
        let line = authority.sign(&Self::text(origin, reason, &entries));
        Self::signed(origin, reason, entries, line)
    }

    /// An erasure with a signature over [`Erasure::text`] that was made elsewhere.
    ///
    /// # Errors
    /// When the list is not one that can be erased. Whether the signature holds is for
    /// [`Erasure::verify`] to say.
    pub fn signed(
        origin: &str,
        reason: ErasureReason,
        entries: Vec<(u64, Vec<u16>)>,
        line: SignatureLine,
    ) -> Result<Self, ErasureError> {
        check_list(&entries)?;
        let note = Note::new(Self::text(origin, reason, &entries), vec![line])?.to_string();
        Ok(Self { entries, note, reason })
    }

    /// What the authority signs: heading, origin, reason, number of entries, and the SHA-256 in hex
    /// over the list as canonical JSON, a line each.
    #[must_use]
    pub fn text(origin: &str, reason: ErasureReason, entries: &[(u64, Vec<u16>)]) -> String {
        let digest = sha256(&[&canonical_list(entries)]);
        format!("{HEADING}\n{origin}\n{}\n{}\n{digest}\n", reason.name(), entries.len())
    }

    /// Verifies that one of `keys` has signed this erasure, of the ledger `origin`, written at `index`;
    /// returns those that have.
    ///
    /// # Errors
    /// Why it does not count.
    pub fn verify<'k>(
        &self,
        origin: &str,
        index: u64,
        keys: impl IntoIterator<Item = &'k VerifierKey> + Clone,
    ) -> Result<Vec<&'k VerifierKey>, ErasureError> {
        check_list(&self.entries)?;
        if let Some((last, _)) = self.entries.last().filter(|(last, _)| *last >= index) {
            return Err(ErasureError::NotBefore(*last));
        }
        let note = Note::parse(self.note.as_bytes())?;
        if note.text() != Self::text(origin, self.reason, &self.entries) {
            return Err(ErasureError::OtherText);
        }
        Ok(note.verify(keys)?.into_iter().map(|by| by.key).collect())
    }
}

fn check_list(entries: &[(u64, Vec<u16>)]) -> Result<(), ErasureError> {
    let ascends = entries.is_sorted_by(|a, b| a.0 < b.0);
    let has_parts =
        |(_, parts): &(u64, Vec<u16>)| !parts.is_empty() && parts.is_sorted_by(|a, b| a < b);
    if entries.is_empty() || !ascends || !entries.iter().all(has_parts) {
        return Err(ErasureError::Order);
    }
    let mut codes = entries.iter().flat_map(|(_, parts)| parts);
    let refused = |code: &&u16| !PartId::from_code(**code).is_some_and(PartId::is_erasable);
    codes.find(refused).map_or(Ok(()), |code| Err(ErasureError::Part(*code)))
}

/// The list as canonical JSON: arrays of integers, without white space.
fn canonical_list(entries: &[(u64, Vec<u16>)]) -> Vec<u8> {
    let join = |items: Vec<String>| items.join(",");
    let item = |(index, parts): &(u64, Vec<u16>)| {
        format!("[{index},[{}]]", join(parts.iter().map(u16::to_string).collect()))
    };
    format!("[{}]", join(entries.iter().map(item).collect())).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::KeyName;

    fn key(seed: u8) -> NoteSigner {
        NoteSigner::new(KeyName::new("example.com/authority").unwrap(), &[seed; 32]).unwrap()
    }

    fn signed() -> Erasure {
        let entries = vec![(3, vec![2, 3]), (9, vec![4])];
        Erasure::sign("o", ErasureReason::SubjectRequest, entries, &key(1)).unwrap()
    }

    #[test]
    fn what_the_authority_signed_counts_and_nothing_else() {
        let erasure = signed();
        let verify = |erasure: &Erasure| erasure.verify("o", 10, [key(1).verifier()]).map(drop);
        assert_eq!(verify(&erasure), Ok(()));
        let digest = sha256(&[b"[[3,[2,3]],[9,[4]]]"]);
        let text = format!("modeltrail/v1/erasure\no\nsubject_request\n2\n{digest}\n");
        assert_eq!(Erasure::text("o", erasure.reason, &erasure.entries), text);
        let others: [fn(&mut Erasure); 4] = [
            |e| e.entries[0].0 = 4,
            |e| e.entries[0].1 = vec![2],
            |e| drop(e.entries.pop()),
            |e| e.reason = ErasureReason::Order,
        ];
        for other in others {
            let mut erasure = erasure.clone();
            other(&mut erasure);
            assert_eq!(verify(&erasure), Err(ErasureError::OtherText));
        }
        assert_eq!(erasure.verify("other", 10, [key(1).verifier()]), Err(ErasureError::OtherText));
        assert_eq!(
            erasure.verify("o", 10, [key(2).verifier()]),
            Err(ErasureError::Signature(VerifyError::NoKnownKey))
        );
        assert_eq!(erasure.verify("o", 9, [key(1).verifier()]), Err(ErasureError::NotBefore(9)));
        let unsigned = Erasure { note: String::new(), ..erasure };
        assert!(matches!(verify(&unsigned), Err(ErasureError::Note(_))));
    }

    #[test]
    fn lists_that_are_none_are_refused() {
        let sign = |entries| Erasure::sign("o", ErasureReason::Expired, entries, &key(1));
        for list in [
            vec![],
            vec![(1, vec![])],
            vec![(2, vec![2]), (1, vec![2])],
            vec![(1, vec![2]), (1, vec![3])],
            vec![(1, vec![3, 2])],
        ] {
            assert_eq!(sign(list), Err(ErasureError::Order));
        }
        for part in [0, 1, 8, 9] {
            assert_eq!(sign(vec![(1, vec![part])]), Err(ErasureError::Part(part)));
        }
    }

    #[test]
    fn the_list_that_is_signed_is_canonical_json_of_the_list_that_is_stored() {
        let entries = vec![(0, vec![2]), (u64::from(u32::MAX) + 1, vec![3, 4])];
        assert_eq!(canonical_list(&entries), serde_json::to_vec(&entries).unwrap());
    }
}
