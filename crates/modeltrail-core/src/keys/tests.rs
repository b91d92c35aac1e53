//! Changes of keys: who may say them, and that none can be said twice.

use super::*;
use crate::note::{KeyName, NoteSigner};

const ORIGIN: &str = "example.com/ledger";

fn checkpoint(n: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[n; 32]).unwrap()
}

fn authority(n: u8) -> NoteSigner {
    NoteSigner::new(KeyName::new("example.com/officer").unwrap(), &[n; 32]).unwrap()
}

fn change(event: KeyEvent, role: KeyRole, key: &NoteSigner) -> KeyChange {
    let reason = if event == KeyEvent::Added { KeyReason::Created } else { KeyReason::Routine };
    KeyChange::new(event, role, key.verifier(), reason)
}

fn by(change: &KeyChange, keys: &[&NoteSigner]) -> KeyChange {
    let text = change.text(ORIGIN);
    let lines = keys.iter().map(|key| key.sign(&text)).collect();
    change.clone().sign(ORIGIN, lines).unwrap()
}

/// Authority 9 from entry 1 on, checkpoint key 1 from entry 2 on.
fn begun() -> KeyHistory {
    let mut history = KeyHistory::new(ORIGIN);
    let nine = authority(9);
    history.apply(1, &by(&change(KeyEvent::Added, KeyRole::Authority, &nine), &[&nine])).unwrap();
    let one = checkpoint(1);
    let added = by(&change(KeyEvent::Added, KeyRole::Checkpoint, &one), &[&one, &nine]);
    history.apply(2, &added).unwrap();
    history
}

fn ids(history: &KeyHistory, role: KeyRole, size: u64) -> Vec<String> {
    history.in_force(role, size).map(|key| key.id().to_string()).collect()
}

fn id(key: &NoteSigner) -> String {
    key.verifier().id().to_string()
}

#[test]
fn a_rotation_overlaps_until_the_old_key_is_retired() {
    let mut history = begun();
    let (one, two) = (checkpoint(1), checkpoint(2));
    let rotated = change(KeyEvent::Rotated, KeyRole::Checkpoint, &two).replacing(one.verifier());
    history.apply(10, &by(&rotated, &[&one, &two])).unwrap();
    let retired = change(KeyEvent::Retired, KeyRole::Checkpoint, &one);
    history.apply(20, &by(&retired, &[&two])).unwrap();
    let in_force = |size| ids(&history, KeyRole::Checkpoint, size);
    assert_eq!(in_force(2), [] as [String; 0], "an entry takes effect behind itself");
    assert_eq!(in_force(3), [id(&one)]);
    assert_eq!(in_force(10), [id(&one)]);
    assert_eq!(in_force(11), [id(&one), id(&two)]);
    assert_eq!(in_force(20), [id(&one), id(&two)]);
    assert_eq!(in_force(21), [id(&two)]);
    assert_eq!(in_force(u64::MAX), [id(&two)]);
    assert_eq!(ids(&history, KeyRole::Authority, 2), [id(&authority(9))]);
}

#[test]
fn who_may_not_say_a_change_changes_nothing() {
    let (one, two, nine, other) = (checkpoint(1), checkpoint(2), authority(9), checkpoint(7));
    let rotated = change(KeyEvent::Rotated, KeyRole::Checkpoint, &two).replacing(one.verifier());
    let retired = change(KeyEvent::Retired, KeyRole::Checkpoint, &one);
    let refused: [(&KeyChange, &[&NoteSigner]); 6] = [
        (&rotated, &[&two]),
        (&rotated, &[&one]),
        (&rotated, &[&other, &two]),
        (&rotated, &[&nine]),
        (&retired, &[&one]),
        (&retired, &[&other]),
    ];
    for (n, (change, keys)) in refused.into_iter().enumerate() {
        let mut history = begun();
        let result = history.apply(10, &by(change, keys));
        assert!(matches!(result, Err(KeyChangeError::Unsigned { .. })), "{n}: {result:?}");
        assert_eq!(history, begun());
    }
    // The authority stands in for a key that was lost or stolen.
    let mut history = begun();
    history.apply(10, &by(&rotated, &[&nine, &two])).unwrap();
    history.apply(11, &by(&retired, &[&nine])).unwrap();
    assert_eq!(ids(&history, KeyRole::Checkpoint, u64::MAX), [id(&two)]);
}

#[test]
fn a_first_key_needs_the_other_role_once_there_is_one() {
    let (one, nine, other) = (checkpoint(1), authority(9), authority(8));
    let mut history = KeyHistory::new(ORIGIN);
    let added = change(KeyEvent::Added, KeyRole::Checkpoint, &one);
    history.apply(0, &by(&added, &[&one])).unwrap();
    let officer = change(KeyEvent::Added, KeyRole::Authority, &other);
    let alone = history.apply(1, &by(&officer, &[&other]));
    assert!(matches!(alone, Err(KeyChangeError::Unsigned { .. })), "{alone:?}");
    let officer = change(KeyEvent::Added, KeyRole::Authority, &nine);
    history.apply(2, &by(&officer, &[&nine, &one])).unwrap();
    let again = change(KeyEvent::Added, KeyRole::Authority, &other);
    let again = history.apply(3, &by(&again, &[&other, &nine, &one]));
    assert_eq!(again, Err(KeyChangeError::NotFirst(KeyRole::Authority)));
}

#[test]
fn an_entry_copied_to_a_later_place_changes_nothing() {
    let mut history = begun();
    let (one, two, nine) = (checkpoint(1), checkpoint(2), authority(9));
    let rotated = change(KeyEvent::Rotated, KeyRole::Checkpoint, &two).replacing(one.verifier());
    let rotated = by(&rotated, &[&one, &two]);
    history.apply(10, &rotated).unwrap();
    assert_eq!(history.apply(11, &rotated), Err(KeyChangeError::Known(10)));
    let retired = by(&change(KeyEvent::Retired, KeyRole::Checkpoint, &one), &[&two]);
    history.apply(12, &retired).unwrap();
    assert_eq!(history.apply(13, &retired), Err(KeyChangeError::NotInForce));
    assert_eq!(history.apply(14, &rotated), Err(KeyChangeError::NotInForce));
    // Nor does the old one come back, under any name.
    let back = NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[1; 32]).unwrap();
    let back = change(KeyEvent::Rotated, KeyRole::Checkpoint, &back).replacing(two.verifier());
    let back = history.apply(15, &by(&back, &[&two, &one, &nine]));
    assert_eq!(back, Err(KeyChangeError::Known(2)));
}

#[test]
fn a_note_about_something_else_is_refused() {
    let (one, nine) = (checkpoint(1), authority(9));
    let added = by(&change(KeyEvent::Added, KeyRole::Authority, &nine), &[&nine]);
    let mut elsewhere = KeyHistory::new("example.com/other");
    assert_eq!(elsewhere.apply(0, &added), Err(KeyChangeError::Text));
    let mut edited = added.clone();
    edited.reason = KeyReason::Lost;
    assert_eq!(KeyHistory::new(ORIGIN).apply(0, &edited), Err(KeyChangeError::Text));
    let mut unsigned = added;
    unsigned.note = unsigned.text(ORIGIN);
    let result = KeyHistory::new(ORIGIN).apply(0, &unsigned);
    assert_eq!(result, Err(KeyChangeError::Note(crate::note::NoteError::NoSignatures)));
    let misnamed = by(&change(KeyEvent::Added, KeyRole::Checkpoint, &nine), &[&nine]);
    let result = KeyHistory::new(ORIGIN).apply(0, &misnamed);
    assert_eq!(result, Err(KeyChangeError::Name(ORIGIN.into())));
    drop(one);
}

#[test]
fn a_change_comes_back_from_its_json() {
    let (one, two) = (checkpoint(1), checkpoint(2));
    let change = change(KeyEvent::Rotated, KeyRole::Checkpoint, &two).replacing(one.verifier());
    let change = by(&change, &[&one, &two]);
    let control = crate::control::Control::Key(change.clone());
    let redacted = crate::Redacted::control(&control, 0);
    let frame = crate::Frame::new(redacted, [0; 16], [0; 32]);
    assert_eq!(frame.kind(), crate::Kind::Key);
    let part = frame.part(crate::PartId::Control).unwrap();
    assert_eq!(crate::control::Control::read(crate::Kind::Key, &part.bytes), Some(control));
    for (role, name) in KeyRole::ALL.iter().zip(["\"checkpoint\"", "\"authority\""]) {
        assert_eq!(serde_json::to_string(role).unwrap(), name);
    }
    for reason in KeyReason::ALL {
        assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{reason}\""));
    }
    for event in KeyEvent::ALL {
        assert_eq!(serde_json::to_string(event).unwrap(), format!("\"{event}\""));
    }
}
