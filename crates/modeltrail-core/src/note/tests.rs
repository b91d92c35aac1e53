//! Notes and keys: what is read, what is refused and why, and that reading is the reverse of writing.

use super::*;
use crate::cosignature::Cosigner;

fn name(text: &str) -> KeyName {
    KeyName::new(text).unwrap()
}

fn signer() -> NoteSigner {
    NoteSigner::new(name("example.com/ledger"), &[7; 32]).unwrap()
}

fn witness(seed: u8) -> Cosigner {
    Cosigner::new(name("witness.example/w1"), &[seed; 32]).unwrap()
}

const TEXT: &str = "one\n\n— two three\n";

fn note() -> Note {
    Note::new(TEXT.into(), vec![signer().sign(TEXT), witness(8).cosign(TEXT, 1_700_000_000)])
        .unwrap()
}

fn refused(text: &str) -> NoteError {
    Note::parse(text.as_bytes()).expect_err(&format!("{text:?} was read"))
}

#[test]
fn a_note_comes_back_as_it_went() {
    let text = note().to_string();
    assert!(text.starts_with("one\n\n— two three\n\n— example.com/ledger "));
    let read = Note::parse(text.as_bytes()).unwrap();
    assert_eq!(read, note());
    assert_eq!(read.to_string(), text);
    assert_eq!(read.text(), TEXT);
}

#[test]
fn signatures_are_told_by_key_and_time() {
    let (signer, cosigner) = (signer(), witness(8));
    let keys = [cosigner.verifier().clone(), signer.verifier().clone()];
    let note = note();
    let times: Vec<Option<u64>> =
        note.verify(&keys).unwrap().iter().map(|verified| verified.time_s).collect();
    assert_eq!(times, [None, Some(1_700_000_000)]);
    assert_eq!(note.verify(&keys[..1]).unwrap()[0].key, &keys[0]);
    assert_eq!(note.verify([]), Err(VerifyError::NoKnownKey));
    // The same name and secret make another key of the other kind.
    let other = NoteSigner::new(name("witness.example/w1"), &[8; 32]).unwrap();
    assert_eq!(note.verify([other.verifier()]), Err(VerifyError::NoKnownKey));
}

#[test]
fn one_wrong_signature_of_a_known_key_refuses_the_note() {
    let key = signer();
    let wrong = key.sign("something else\n");
    for lines in [vec![key.sign(TEXT), wrong.clone()], vec![wrong, key.sign(TEXT)]] {
        let note = Note::new(TEXT.into(), lines).unwrap();
        let (name, id) = (key.verifier().name().clone(), key.verifier().id());
        assert_eq!(note.verify([key.verifier()]), Err(VerifyError::Invalid { name, id }));
    }
}

#[test]
fn keys_that_share_a_name_and_an_id_are_both_tried() {
    let line = signer().sign(TEXT);
    let mut other = VerifierKey::new(
        name("example.com/ledger"),
        KeyKind::Ed25519,
        NoteSigner::new(name("x"), &[9; 32]).unwrap().verifier().public(),
    )
    .unwrap();
    other.force_id(line.id());
    let note = Note::new(TEXT.into(), vec![line]).unwrap();
    assert_eq!(note.verify([&other, signer().verifier()]).unwrap()[0].key, signer().verifier());
    assert!(matches!(note.verify([&other]), Err(VerifyError::Invalid { .. })));
}

#[test]
fn a_cosignature_binds_its_time() {
    let key = witness(8);
    let line = key.cosign(TEXT, 5);
    assert_eq!(key.verifier().verify(TEXT, &line).unwrap().time_s, Some(5));
    let mut bytes = line.signature().to_vec();
    bytes[7] = 6;
    let moved = SignatureLine::new(line.name().clone(), line.id(), bytes).unwrap();
    assert_eq!(key.verifier().verify(TEXT, &moved), None);
    // Times that C2SP does not have are refused whatever is signed, and not written.
    let late = key.cosign(TEXT, u64::MAX);
    let time = key.verifier().verify(TEXT, &late).unwrap().time_s;
    assert_eq!(time, Some(crate::cosignature::TIME_S_MAX));
    assert_eq!(key.verifier().verify(TEXT, &signer().sign(TEXT)), None);
    let same_secret = NoteSigner::new(name("x"), &[8; 32]).unwrap();
    let at = |time_s: u64| {
        let message = crate::cosignature::message(time_s, TEXT);
        let mut bytes = time_s.to_be_bytes().to_vec();
        bytes.extend(same_secret.sign(&message).signature());
        let line = SignatureLine::new(line.name().clone(), line.id(), bytes).unwrap();
        key.verifier().verify(TEXT, &line).is_some()
    };
    assert!(at(5) && at(crate::cosignature::TIME_S_MAX));
    assert!(!at(crate::cosignature::TIME_S_MAX + 1));
}

#[test]
fn what_is_no_note_is_refused_with_its_reason() {
    let good = note().to_string();
    let line = signer().sign(TEXT).to_string();
    assert_eq!(refused(""), NoteError::NoLineEnd);
    assert_eq!(refused("text\n"), NoteError::NoSignatures);
    assert_eq!(refused("text\n\n"), NoteError::NoSignatures);
    assert_eq!(refused(good.strip_suffix('\n').unwrap()), NoteError::NoLineEnd);
    assert_eq!(refused(&good.replace("one", "o\te")), NoteError::Control(1));
    assert_eq!(refused(&good.replace("one\n", "one\r\n")), NoteError::Control(3));
    assert_eq!(Note::parse(b"a\xff\n\n"), Err(NoteError::NotUtf8(1)));
    assert_eq!(
        Note::parse(&vec![b'\n'; NOTE_BYTES_MAX + 1]),
        Err(NoteError::TooLong(NOTE_BYTES_MAX + 1))
    );
    let cases = [
        ("- dash AAAAAAA=", LineError::Start),
        ("—name AAAAAAA=", LineError::Start),
        ("— name", LineError::Parts),
        ("—  AAAAAAA=", LineError::Name(KeyError::Name)),
        ("— na+me AAAAAAA=", LineError::Name(KeyError::Name)),
        ("— na\u{a0}me AAAAAAA=", LineError::Name(KeyError::Name)),
        ("— name AAAAAAA", LineError::Base64),
        ("— name AAAAAAB=", LineError::Base64),
        ("— name  AAAAAAA=", LineError::Base64),
        ("— name AAAAAAA= ", LineError::Base64),
        ("— name AAAAAAA= x", LineError::Base64),
        ("— name ", LineError::Short),
        ("— name AAAA", LineError::Short),
        ("— name AAAAAA==", LineError::Short),
    ];
    for (bad, error) in cases {
        let found = refused(&format!("text\n\n{line}\n{bad}\n"));
        assert_eq!(found, NoteError::Line { line: 4, error }, "{bad}");
    }
}

#[test]
fn the_number_of_signatures_is_bounded() {
    let line = signer().sign(TEXT);
    let text_of = |n: usize| format!("{TEXT}\n{}", format!("{line}\n").repeat(n));
    let mut full = Note::parse(text_of(N_SIGNATURES_MAX).as_bytes()).unwrap();
    assert_eq!(refused(&text_of(101)), NoteError::TooManySignatures(101));
    full.add(line).expect("it is there already");
    let another = witness(8).cosign(TEXT, 1);
    assert_eq!(full.add(another), Err(NoteError::TooManySignatures(101)));
    assert_eq!(full.signatures().len(), 100);
    assert_eq!(Note::new(TEXT.into(), Vec::new()), Err(NoteError::NoSignatures));
}

#[test]
fn lines_of_a_witness_are_read_alone() {
    let lines = [witness(8).cosign(TEXT, 1), witness(9).cosign(TEXT, 1)];
    let body = format!("{}\n{}\n", lines[0], lines[1]);
    assert_eq!(SignatureLine::parse_all(body.as_bytes()).unwrap(), lines);
    let refused = |body: &str| SignatureLine::parse_all(body.as_bytes()).unwrap_err();
    assert_eq!(refused(body.trim_end()), NoteError::NoLineEnd);
    assert_eq!(refused(&format!("{body}\n")), NoteError::Line { line: 3, error: LineError::Start });
    assert_eq!(refused(""), NoteError::NoLineEnd);
}

#[test]
fn keys_come_back_from_their_texts() {
    // golang.org/x/mod sumdb/note, the example of its documentation.
    let text = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    let key = NoteSigner::parse(text).unwrap();
    assert_eq!(
        key.verifier().to_string(),
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    );
    assert_eq!(key.to_secret_text(), text);
    assert_eq!(NoteSigner::parse(&format!("{text}\n")).unwrap().to_secret_text(), text);
    assert!(!format!("{key:?}").contains("AYEK"), "a secret is not shown");
    let text = witness(8).to_secret_text();
    let again = Cosigner::parse(&text).unwrap();
    assert_eq!((again.verifier(), again.to_secret_text()), (witness(8).verifier(), text.clone()));
    assert!(!format!("{again:?}").contains("CAgI"), "a secret is not shown");
    let other = KeyError::OtherKind { needed: 1, found: 4 };
    assert_eq!(NoteSigner::parse(&text).err(), Some(other));
}

#[test]
fn what_is_no_key_is_refused_with_its_reason() {
    let good = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let key = |text: &str| VerifierKey::parse(text).err();
    assert_eq!(key(good), None);
    assert_eq!(key("PeterNeumann+c74f20a3"), Some(KeyError::Parts));
    assert_eq!(key(&good.replace("Peter", "Peter ")), Some(KeyError::Name));
    assert_eq!(key(&good.replace("c74f", "C74F")), Some(KeyError::Id));
    assert_eq!(key(&good.replace("c74f", "0c74f")), Some(KeyError::Id));
    assert_eq!(key(&good.replace("c74f", "c74e")), Some(KeyError::OtherId));
    assert_eq!(key(&good.replace("Peter", "Petra")), Some(KeyError::OtherId));
    assert_eq!(key(&good.replace("0TW", "0T")), Some(KeyError::Base64));
    assert_eq!(key(&good.replace("ARpc", "BRpc")), Some(KeyError::Kind(5)));
    assert_eq!(key("a+00000000+"), Some(KeyError::Length(0)));
    assert_eq!(key("a+00000000+AQ=="), Some(KeyError::Length(0)));
    assert_eq!(NoteSigner::parse(good).err(), Some(KeyError::NotPrivate));
    assert_eq!(NoteSigner::parse("PRIVATE+KEY+a+00000000+AQ==").err(), Some(KeyError::Length(0)));
    // The neutral element, which signs anything; the same in another spelling (y = p + 1); no point.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut respelt = [0xff; 32];
    (respelt[0], respelt[31]) = (0xee, 0x7f);
    let mut none = [0; 32];
    none[0] = 2;
    for bytes in [neutral, respelt, none] {
        let made = VerifierKey::new(name("a"), KeyKind::Ed25519, &bytes);
        assert_eq!(made.err(), Some(KeyError::Point));
    }
    assert_eq!(KeyName::new(&"a".repeat(KeyName::BYTES_MAX + 1)), Err(KeyError::Name));
}
