//! Making the ledger of the next epoch, beside the one that ends.

use std::os::unix::fs::DirBuilderExt as _;

use modeltrail_core::anchor::Anchor;
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::control::{Control, Epoch, ProducerEvent};
use modeltrail_core::note::{KeyName, Note, NoteSigner, SignatureLine, VerifierKey};

use super::places::{KEYS, Places, at, copy, dir_of, ledger_at};
use super::{RecoverError, RecoverOptions};
use crate::anchor_file;
use crate::clock;
use crate::entropy::Entropy;
use crate::ledger::{Ledger, Place};
use crate::sequencer::{control_frame, producer_control};
use crate::signer::{
    AUTHORITY, CHECKPOINT, FileSigner, KEY, KeyRing, Signer, load_one, sign_checked,
};
use crate::store::{Batch, ProducerState, StoreError};

/// What stands between the name of a ledger and the number of its epoch.
const EPOCH: &str = "/epoch-";

/// What is known of a ledger that ends.
struct Ended {
    origin: String,
    size: u64,
    /// What was kept outside: the text of the anchor, and the largest size that any file knows.
    anchor: Option<String>,
    known: u64,
}

/// Makes the new ledger under its own name, with its first entry, and notes that it is to be put in
/// place.
pub(super) fn prepare(
    ledger: &Ledger,
    places: &Places,
    options: &RecoverOptions,
) -> Result<(), RecoverError> {
    let ended = look_at(ledger)?;
    let (base, number) = next_of(&ended.origin);
    let origin = format!("{base}{EPOCH}{number}");
    places.clear_next()?;
    let next = places.next();
    let dir = dir_of(&next);
    let keys = dir.join(KEYS);
    // The same key, so that exact inputs can be asked for in both.
    copy(&ledger.key_path(), &dir.join("mac.key"))?;
    let fresh = ledger_at(&next)?;
    fresh.create(&origin).map_err(|error| match error {
        crate::ledger::LedgerError::Origin => RecoverError::Origin(origin.clone()),
        error => error.into(),
    })?;
    std::fs::DirBuilder::new().mode(0o700).create(&keys).map_err(at(&keys))?;
    // A ledger that had keys goes on with keys: a new checkpoint key, since it is named like the
    // ledger, and the same authority.
    let ring = KeyRing::load(&ledger.keys_dir(), &ended.origin)?;
    let authority = options.authority_file.clone();
    let authority = authority.unwrap_or(ledger.keys_dir().join(format!("{AUTHORITY}.{KEY}")));
    let has_file = load_one(&ledger.keys_dir(), CHECKPOINT)?
        .is_some_and(|(path, _)| path.extension().is_some_and(|ending| ending == KEY));
    let vkey = match has_file {
        true => Some(new_key(&origin, &keys.join(format!("{CHECKPOINT}.{KEY}.new")))?),
        false => None,
    };
    copy(&authority, &keys.join(format!("{AUTHORITY}.{KEY}.new")))?;
    let missing =
        if ended.known > ended.size { vec![(ended.size, ended.known - 1)] } else { Vec::new() };
    let mut epoch = Epoch {
        anchor: ended.anchor,
        missing,
        note: None,
        number,
        origin_before: ended.origin,
        size_before: ended.size,
    };
    let text = epoch.text(&origin, vkey.as_ref().map(ToString::to_string).as_deref());
    let authority = match authority.exists() {
        true => Some(FileSigner::open(&authority)?),
        false => None,
    };
    epoch.note = note(text, ring.as_ref(), authority.as_ref())?;
    append_first(&fresh, epoch)?;
    places.begin(&places.aside(number - 1))
}

/// What is left of the ledger, and what is known of it outside.
fn look_at(ledger: &Ledger) -> Result<Ended, RecoverError> {
    let store = if ledger.exists() { Some(ledger.open_read()?) } else { None };
    let anchor = anchor_file::read_text(&ledger.anchor_path())?;
    let head = anchor_file::read(&ledger.head_path())?;
    let name = |anchor: &Anchor| anchor.origin.clone();
    let origin = match (&store, &anchor, &head) {
        (Some(store), _, _) => store.origin().to_owned(),
        (None, Some((anchor, _)), _) => name(anchor),
        (None, None, Some(head)) => name(head),
        (None, None, None) => {
            let Place::Sqlite(path) = ledger.place() else { return Err(RecoverError::Memory) };
            return Err(RecoverError::Nothing(path.clone()));
        }
    };
    let size = match &store {
        Some(store) => store.tip()?.head.size,
        None => 0,
    };
    let sizes = anchor.iter().map(|(anchor, _)| anchor.head.size);
    let known = sizes.chain(head.iter().map(|head| head.head.size)).max().unwrap_or(0);
    // Only what is a head or a checkpoint is kept; somebody may have put more behind it.
    let clean = |(anchor, text): (Anchor, String)| match SignedCheckpoint::parse(text.as_bytes()) {
        Ok(signed) => signed.to_string(),
        Err(_) => anchor.to_text(),
    };
    let anchor = anchor.map(clean).or_else(|| head.map(|head| head.to_text()));
    Ok(Ended { origin, size, anchor, known })
}

/// The name without its epoch, and the number of the next.
fn next_of(origin: &str) -> (&str, u64) {
    let parsed = origin.rsplit_once(EPOCH).and_then(|(base, number)| {
        let number: u64 = number.parse().ok()?;
        Some((base, number.checked_add(1)?))
    });
    parsed.unwrap_or((origin, 1))
}

fn new_key(origin: &str, path: &std::path::Path) -> Result<VerifierKey, RecoverError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(RecoverError::Random)?;
    let unusable = |_| RecoverError::Origin(origin.to_owned());
    let name = KeyName::new(origin).map_err(unusable)?;
    let key = NoteSigner::new(name, &seed).map_err(unusable)?;
    Ok(FileSigner::create(path, key)?.verifier().clone())
}

/// Signed by all keys of the ledger before that are at hand.
fn note(
    text: String,
    ring: Option<&KeyRing>,
    authority: Option<&FileSigner>,
) -> Result<Option<String>, RecoverError> {
    let mut lines: Vec<SignatureLine> = Vec::new();
    for signer in ring.map_or(&[][..], KeyRing::signers) {
        match sign_checked(signer.as_ref(), &text) {
            Ok(line) => lines.push(line),
            // Better an epoch that one key less vouches for than none.
            Err(error) => tracing::warn!(%error, "a key does not sign for the next epoch"),
        }
    }
    if let Some(authority) = authority {
        lines.push(sign_checked(authority, &text)?);
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let what = "its note cannot be signed";
    let note = Note::new(text, lines).map_err(|_| StoreError::Damaged { index: 0, what })?;
    Ok(Some(note.to_string()))
}

/// The first entry, and the end of the producer that it is by.
fn append_first(fresh: &Ledger, epoch: Epoch) -> Result<(), RecoverError> {
    let mut store = fresh.open_write()?;
    let tip = store.tip()?;
    let expected = tip.head;
    let mut entropy = Entropy::new();
    let own_id = entropy.uuid_v7().map_err(RecoverError::Random)?;
    let close = producer_control(&own_id, ProducerEvent::Close, 2);
    let mut batch = Batch::new(tip);
    for (seq, control) in [Control::Epoch(epoch), close].iter().enumerate() {
        let frame = control_frame(control, &mut entropy).map_err(RecoverError::Random)?;
        batch.push(frame, own_id, u64::try_from(seq).unwrap_or(0), clock::now_us());
    }
    batch.account(own_id, ProducerState { next_seq: 2, ended: true });
    Ok(store.append(&batch, &expected)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_are_counted_in_the_name() {
        assert_eq!(next_of("example.com/a"), ("example.com/a", 1));
        assert_eq!(next_of("example.com/a/epoch-1"), ("example.com/a", 2));
        assert_eq!(next_of("example.com/a/epoch-x"), ("example.com/a/epoch-x", 1));
        let last = format!("a/epoch-{}", u64::MAX);
        assert_eq!(next_of(&last), (last.as_str(), 1));
    }
}
