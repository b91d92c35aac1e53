//! Witnesses: which request gets which status, what is evidence, and how an answer is taken.

use modeltrail_core::Hash;
use modeltrail_core::anchor::Head;
use modeltrail_core::checkpoint::{Checkpoint, SignedCheckpoint};
use modeltrail_core::merkle::{ProofError, empty_root};
use modeltrail_core::note::{KeyName, NoteSigner, VerifyError};
use modeltrail_core::witness::{
    AnswerError, Decision, Evidence, LogState, REQUEST_BYTES_MAX, Refusal, Request, RequestError,
    add_answer, decide, is_equivocation, parse_size,
};

use super::ledger::{Ledger, ORIGIN, ledger, signer, witness};

fn knows(last: Option<SignedCheckpoint>) -> LogState {
    LogState { keys: vec![signer().verifier().clone()], last }
}

/// What is refused, with which status, and what it is evidence of.
fn refusal(request: &Request, known: &LogState) -> (Refusal, u16, Option<Evidence>) {
    match decide(request, Some(known)) {
        Decision::Refuse { refusal, evidence } => {
            let status = refusal.status();
            (refusal, status, evidence)
        }
        Decision::Cosign => panic!("{request} is cosigned"),
    }
}

/// A ledger that has the same beginning and another entry at `at`.
fn forked(n: u64, at: usize) -> Ledger {
    let mut fork = ledger(n);
    fork.hashes[at] = Hash([0x55; 32]);
    fork
}

#[test]
fn a_log_that_grows_is_cosigned_at_every_step() {
    let ledger = ledger(40);
    let mut known = knows(None);
    for (old, new) in [(0, 0), (0, 3), (3, 3), (3, 8), (8, 9), (9, 40), (40, 40)] {
        let request = ledger.request(old, new);
        let read = Request::parse(request.to_string().as_bytes()).unwrap();
        assert_eq!(read, request);
        assert_eq!(decide(&read, Some(&known)), Decision::Cosign, "{old} to {new}");
        known.last = Some(read.checkpoint);
    }
}

#[test]
fn what_is_not_known_or_not_signed_is_refused() {
    let ledger = ledger(5);
    let request = ledger.request(0, 5);
    let unknown = Decision::Refuse { refusal: Refusal::UnknownLog, evidence: None };
    assert_eq!(decide(&request, None), unknown);
    assert_eq!(Refusal::UnknownLog.status(), 404);
    let stranger = NoteSigner::new(KeyName::new(ORIGIN).unwrap(), &[2; 32]).unwrap();
    let mut other = request.clone();
    other.checkpoint = request.checkpoint.checkpoint().sign(&stranger).unwrap();
    let refused = Refusal::Signature(VerifyError::NoKnownKey);
    assert_eq!(refusal(&other, &knows(None)), (refused, 403, None));
    // The log's name and ID over a signature of something else.
    let mut forged = request.clone();
    forged.checkpoint = checkpoint_with(5, Hash([1; 32]), ledger.checkpoint(4));
    let (refused, status, evidence) = refusal(&forged, &knows(None));
    assert!(matches!(refused, Refusal::Signature(VerifyError::Invalid { .. })), "{refused}");
    assert_eq!((status, evidence), (403, None));
}

/// A checkpoint with the signatures of another one.
fn checkpoint_with(size: u64, root: Hash, signatures: SignedCheckpoint) -> SignedCheckpoint {
    let text = Checkpoint::new(ORIGIN, Head { size, root }).unwrap().to_string();
    let line = &signatures.note().signatures()[0];
    SignedCheckpoint::parse(format!("{text}\n{line}\n").as_bytes()).unwrap()
}

#[test]
fn sizes_that_do_not_fit_are_told() {
    let ledger = ledger(9);
    let known = knows(Some(ledger.checkpoint(5)));
    let mut above = ledger.request(9, 9);
    above.checkpoint = ledger.checkpoint(8);
    assert_eq!(refusal(&above, &known), (Refusal::OldSizeAbove { old: 9, new: 8 }, 400, None));
    for (old, new) in [(0, 9), (4, 9), (6, 9), (0, 5), (2, 4), (9, 9)] {
        let (refused, status, evidence) = refusal(&ledger.request(old, new), &known);
        assert_eq!((&refused, status), (&Refusal::OtherSize { known: 5 }, 409), "{old} {new}");
        assert_eq!(refused.size_body().as_deref(), Some("5\n"));
        assert_eq!(evidence, None, "an honest log that is behind is no evidence");
    }
    let first = refusal(&ledger.request(4, 9), &knows(None)).0;
    assert_eq!(first, Refusal::OtherSize { known: 0 });
}

#[test]
fn a_proof_that_does_not_hold_is_refused() {
    let ledger = ledger(9);
    let known = knows(Some(ledger.checkpoint(5)));
    let mut wrong = ledger.request(5, 9);
    wrong.proof[0].0[0] ^= 1;
    let (refused, status, evidence) = refusal(&wrong, &known);
    assert!(matches!(refused, Refusal::Proof(ProofError::OldRoot { .. })), "{refused}");
    assert_eq!((status, evidence), (422, Some(Evidence::Inconsistency)));
    let mut missing = ledger.request(5, 9);
    missing.proof.clear();
    assert_eq!(refusal(&missing, &known).1, 422);
    let mut needless = ledger.request(0, 9);
    needless.proof.push(Hash([1; 32]));
    assert_eq!(refusal(&needless, &knows(None)), (Refusal::ProofFromNothing(1), 422, None));
    let mut same = ledger.request(5, 5);
    same.proof.push(Hash([1; 32]));
    assert_eq!(refusal(&same, &known).1, 422);
}

#[test]
fn a_fork_is_refused_and_kept() {
    let (ledger, fork) = (ledger(9), forked(9, 2));
    let known = knows(Some(ledger.checkpoint(5)));
    // Another root at the size that was cosigned: proof for everybody.
    let (refused, status, evidence) = refusal(&fork.request(5, 5), &known);
    assert_eq!(
        (refused, status, evidence),
        (Refusal::OtherRoot, 409, Some(Evidence::Equivocation))
    );
    assert_eq!(Refusal::OtherRoot.size_body(), None);
    // The same, submitted so that the size is what is refused.
    let (refused, status, evidence) = refusal(&fork.request(0, 5), &known);
    let other_size = Refusal::OtherSize { known: 5 };
    assert_eq!((refused, status, evidence), (other_size, 409, Some(Evidence::Equivocation)));
    // An extension of another history: no proof by itself, but worth keeping.
    let (refused, status, evidence) = refusal(&fork.request(5, 9), &known);
    assert!(matches!(refused, Refusal::Proof(_)));
    assert_eq!((status, evidence), (422, Some(Evidence::Inconsistency)));
    // A fork behind what was cosigned is an extension like any other.
    assert_eq!(decide(&forked(9, 6).request(5, 9), Some(&known)), Decision::Cosign);
}

#[test]
fn equivocation_needs_both_signatures() {
    let (ledger, fork) = (ledger(5), forked(5, 0));
    let keys = [signer().verifier().clone()];
    assert!(is_equivocation(&ledger.checkpoint(5), &fork.checkpoint(5), &keys));
    assert!(!is_equivocation(&ledger.checkpoint(5), &ledger.checkpoint(5), &keys));
    assert!(!is_equivocation(&ledger.checkpoint(5), &fork.checkpoint(4), &keys));
    let forged = checkpoint_with(5, Hash([1; 32]), ledger.checkpoint(5));
    assert!(!is_equivocation(&ledger.checkpoint(5), &forged, &keys));
    assert!(!is_equivocation(&ledger.checkpoint(5), &fork.checkpoint(5), &[]));
}

#[test]
fn an_empty_tree_has_one_root() {
    let head = Head { size: 0, root: Hash([1; 32]) };
    assert_ne!(head.root, empty_root());
    let checkpoint = Checkpoint::new(ORIGIN, head).unwrap().sign(&signer()).unwrap();
    let request = Request { old_size: 0, proof: Vec::new(), checkpoint: checkpoint.clone() };
    let expected = (Refusal::EmptyRoot, 422, Some(Evidence::EmptyRoot));
    assert_eq!(refusal(&request, &knows(None)), expected);
}

#[test]
fn what_is_no_request_is_named() {
    let good = ledger(9).request(5, 9).to_string();
    let line = |text: &str| match Request::parse(text.as_bytes()) {
        Err(RequestError::Line { line, .. } | RequestError::Checkpoint { line, .. }) => line,
        other => panic!("{text:?}: {other:?}"),
    };
    assert_eq!(line(""), 1);
    for old in ["old", "old ", "old 05", "old +5", "old  5", "Old 5", "old 5 ", "5", "old 5\r"] {
        assert_eq!(line(&good.replacen("old 5", old, 1)), 1, "{old:?}");
    }
    assert_eq!(line(&good.replacen("old 5\n", "old 5\nAQ==\n", 1)), 2);
    let hash = format!("{}\n", Hash::default().to_base64());
    assert_eq!(line(&good.replacen("old 5\n", &format!("old 5\n{}", hash.repeat(64)), 1)), 65);
    assert_eq!(line("old 5\n"), 2);
    assert_eq!(line("old 5\n\n"), 2);
    assert_eq!(line(good.trim_end()), good[..good.find("\n\n").unwrap()].split('\n').count() + 1);
    let long = vec![b'a'; REQUEST_BYTES_MAX + 1];
    assert_eq!(Request::parse(&long), Err(RequestError::TooLong(REQUEST_BYTES_MAX + 1)));
    assert_eq!(Request::parse(b"old \xff"), Err(RequestError::NotUtf8(4)));
}

#[test]
fn an_answer_is_verified_before_it_is_added() {
    let mut checkpoint = ledger(5).checkpoint(5);
    let before = checkpoint.clone();
    let text = checkpoint.note().text().to_owned();
    let keys = [witness(1).verifier().clone(), witness(2).verifier().clone()];
    let line = |n: u8, text: &str| format!("{}\n", witness(n).cosign(text, 1_700_000_000));
    let mut add = |body: &str| add_answer(&mut checkpoint, body.as_bytes(), &keys);
    assert_eq!(add(&line(3, &text)), Err(AnswerError::NoKnownKey));
    let wrong = add(&(line(1, &text) + &line(2, "another\n")));
    assert!(matches!(wrong, Err(AnswerError::Invalid { .. })), "{wrong:?}");
    assert!(matches!(add("no line\n"), Err(AnswerError::Note(_))));
    assert!(matches!(add(""), Err(AnswerError::Note(_))));
    assert_eq!(add(&(line(3, &text) + &line(2, &text) + &line(1, &text))), Ok(2));
    assert_eq!(checkpoint.note().signatures().len(), before.note().signatures().len() + 2);
    assert_eq!(checkpoint.note().verify(&keys).unwrap().len(), 2);
}

#[test]
fn sizes_of_answers_are_plain() {
    assert_eq!(parse_size(b"0\n"), Some(0));
    assert_eq!(parse_size(b"20852163\n"), Some(20_852_163));
    for body in [&b"5"[..], b"05\n", b"", b"\n", b"5\n\n", b" 5\n", b"-1\n", b"\xff\n"] {
        assert_eq!(parse_size(body), None, "{body:?}");
    }
}
