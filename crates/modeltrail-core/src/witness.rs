//! What a witness answers, as C2SP tlog-witness has it, without the HTTP around it: the body of an
//! `add-checkpoint` request, and the decision on it.
//!
//! A witness keeps one checkpoint per log, the last that it cosigned, and never cosigns one that does
//! not extend it. Whoever holds a cosigned checkpoint therefore knows that a second history of the
//! same log, shown to somebody else, lacks this witness's signature.
//!
//! The caller reads the state of the origin, asks [`decide`], writes the new state, and answers, all
//! under one lock or transaction; else two requests at once could take the state back.

use std::fmt;

use crate::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::hash::Hash;
use crate::lines::{Lines, parse_decimal};
use crate::merkle::{ProofError, empty_root, verify_consistency};
use crate::note::{KeyId, KeyName, NoteError, SignatureLine, VerifierKey, VerifyError};

/// Longest body of a request: 16 signatures of 5 kB in base64, which C2SP asks to be taken, and 63
/// hashes with room to spare.
pub const REQUEST_BYTES_MAX: usize = 128 * 1024;

/// Content type of the answer that tells the size a witness knows.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// The body of an `add-checkpoint` request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Size of the checkpoint that the witness is believed to know.
    pub old_size: u64,
    /// Consistency proof from there.
    pub proof: Vec<Hash>,
    /// The checkpoint to cosign.
    pub checkpoint: SignedCheckpoint,
}

/// Why bytes are no request; the answer is status 400.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestError {
    /// Longer than [`REQUEST_BYTES_MAX`].
    #[error("a request has at most {REQUEST_BYTES_MAX} bytes, this one {0}")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("not UTF-8 at byte {0}")]
    NotUtf8(usize),
    /// A line is not what it should be.
    #[error("line {line} is not {expected}")]
    Line {
        /// Which line, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
    },
    /// The part behind the empty line is no checkpoint; lines are counted from there.
    #[error("behind the empty line in line {line}: {error}")]
    Checkpoint {
        /// Line of the empty line, from 1.
        line: usize,
        /// What is wrong.
        error: CheckpointError,
    },
}

impl Request {
    /// Reads a request's body.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        if bytes.len() > REQUEST_BYTES_MAX {
            return Err(RequestError::TooLong(bytes.len()));
        }
        let text =
            std::str::from_utf8(bytes).map_err(|e| RequestError::NotUtf8(e.valid_up_to()))?;
        let error = |line, expected| RequestError::Line { line, expected };
        let mut lines = Lines { rest: text, line: 0 };
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(parse_decimal);
        let old_size = old.ok_or_else(|| error(1, "`old` with a size in decimal digits"))?;
        let expected = "a hash of the proof in base64 (at most 63), or empty";
        let proof = lines.hashes().map_err(|line| error(line, expected))?;
        let checkpoint = SignedCheckpoint::parse(lines.rest.as_bytes());
        let checkpoint =
            checkpoint.map_err(|error| RequestError::Checkpoint { line: lines.line, error })?;
        Ok(Self { old_size, proof, checkpoint })
    }
}

impl fmt::Display for Request {
    /// The body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// What a witness knows of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogState {
    /// The log's keys; those count whose name is the origin.
    pub keys: Vec<VerifierKey>,
    /// The last checkpoint that was cosigned, with the log's signature: half of the evidence, should
    /// the log sign another one of the same size.
    pub last: Option<SignedCheckpoint>,
}

/// What a witness is to do with a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Make the request's checkpoint the last one of its log, durably, then cosign it (status 200).
    Cosign,
    /// Refuse it.
    Refuse {
        /// Why, and with which status.
        refusal: Refusal,
        /// What is to be kept, as the log has signed what it should not have.
        evidence: Option<Evidence>,
    },
}

/// Why a witness does not cosign.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Refusal {
    /// The origin is none that this witness serves: status 404.
    #[error("this witness does not know the log; its operator has to add its verifier key")]
    UnknownLog,
    /// No key of the log has signed, or a signature does not hold: status 403.
    #[error("{0}")]
    Signature(VerifyError),
    /// The size to begin with is above that of the checkpoint: status 400.
    #[error("the old size {old} is above the checkpoint's size {new}")]
    OldSizeAbove {
        /// What the request says.
        old: u64,
        /// Size of the checkpoint.
        new: u64,
    },
    /// The witness knows another size: status 409, and the size as the body.
    #[error("the last checkpoint that this witness cosigned has size {known}; begin there")]
    OtherSize {
        /// Size that the witness knows.
        known: u64,
    },
    /// The consistency proof does not hold: status 422.
    #[error("the consistency proof does not hold: {0}")]
    Proof(ProofError),
    /// A proof where there can be none: status 422.
    #[error("the proof has {0} hashes; from an empty tree there is nothing to prove")]
    ProofFromNothing(usize),
    /// The root of size 0 is not that of the empty tree: status 422.
    #[error("the root of an empty tree is SHA-256 of nothing, this is another one")]
    EmptyRoot,
    /// The witness has cosigned another root at this size: status 409.
    #[error("this witness has cosigned another root at this size")]
    OtherRoot,
}

impl Refusal {
    /// The HTTP status that C2SP has for it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::OldSizeAbove { .. } => 400,
            Self::Signature(_) => 403,
            Self::UnknownLog => 404,
            Self::OtherSize { .. } | Self::OtherRoot => 409,
            Self::Proof(_) | Self::ProofFromNothing(_) | Self::EmptyRoot => 422,
        }
    }

    /// The body of [`SIZE_CONTENT_TYPE`] that C2SP has for it, if any; other refusals say why.
    #[must_use]
    pub fn size_body(&self) -> Option<String> {
        match self {
            Self::OtherSize { known } => Some(format!("{known}\n")),
            _ => None,
        }
    }
}

/// What a log has signed that an honest one would not. Keep the request and the last checkpoint with
/// it, durably, and tell somebody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evidence {
    /// The request's checkpoint and the last one have one size and different roots, both signed by
    /// the log: proof against it for anybody who has its key.
    Equivocation,
    /// The request's checkpoint is signed, and its consistency with the last one was not shown. No
    /// proof by itself: anybody can send a public checkpoint with hashes that are wrong, so keep a
    /// bounded number of these. If the log cannot show the right ones, it is.
    Inconsistency,
    /// The request's checkpoint is signed, and has another root than an empty tree has: proof by
    /// itself.
    EmptyRoot,
}

/// Whether two checkpoints are proof that their log has equivocated: the same origin and size,
/// different roots, and both signed by one of the log's keys.
#[must_use]
pub fn is_equivocation(a: &SignedCheckpoint, b: &SignedCheckpoint, keys: &[VerifierKey]) -> bool {
    let (one, other) = (a.checkpoint(), b.checkpoint());
    one.origin() == other.origin()
        && one.head().size == other.head().size
        && one.head().root != other.head().root
        && a.verify_log(keys).is_ok()
        && b.verify_log(keys).is_ok()
}

/// Decides on a request; `known` is what the witness knows of the origin of its checkpoint, `None`
/// for a log that it does not serve. Checks come in the order in which C2SP has them.
#[must_use]
pub fn decide(request: &Request, known: Option<&LogState>) -> Decision {
    let Some(known) = known else { return refuse(Refusal::UnknownLog, None) };
    if let Err(error) = request.checkpoint.verify_log(&known.keys) {
        return refuse(Refusal::Signature(error), None);
    }
    match judge(request, known) {
        Ok(()) => Decision::Cosign,
        Err(refusal) => {
            let evidence = evidence(request, known, &refusal);
            refuse(refusal, evidence)
        }
    }
}

const fn refuse(refusal: Refusal, evidence: Option<Evidence>) -> Decision {
    Decision::Refuse { refusal, evidence }
}

/// The checks on a checkpoint that the log has signed.
fn judge(request: &Request, known: &LogState) -> Result<(), Refusal> {
    let new = request.checkpoint.checkpoint().head();
    let old = request.old_size;
    if old > new.size {
        return Err(Refusal::OldSizeAbove { old, new: new.size });
    }
    let last = known.last.as_ref().map(|last| last.checkpoint().head());
    let known_size = last.map_or(0, |last| last.size);
    if old != known_size {
        return Err(Refusal::OtherSize { known: known_size });
    }
    if new.size == 0 && new.root != empty_root() {
        return Err(Refusal::EmptyRoot);
    }
    let last = match last {
        Some(last) if last.size > 0 => last,
        // C2SP: the proof is empty when the old size is zero, for every tree extends the empty one.
        _ if request.proof.is_empty() => return Ok(()),
        _ => return Err(Refusal::ProofFromNothing(request.proof.len())),
    };
    match verify_consistency(&last, &new, &request.proof) {
        Err(ProofError::Root { .. }) if new.size == last.size => Err(Refusal::OtherRoot),
        Err(error) => Err(Refusal::Proof(error)),
        Ok(()) => Ok(()),
    }
}

/// What a refused checkpoint is evidence of. Two roots at one size are looked for whatever the
/// refusal: the request may have begun at another size.
fn evidence(request: &Request, known: &LogState, refusal: &Refusal) -> Option<Evidence> {
    let submitted = &request.checkpoint;
    if let Some(earlier) = &known.last
        && is_equivocation(earlier, submitted, &known.keys)
    {
        return Some(Evidence::Equivocation);
    }
    let head = submitted.checkpoint().head();
    if head.size == 0 && head.root != empty_root() {
        return Some(Evidence::EmptyRoot);
    }
    match refusal {
        Refusal::Proof(_) => Some(Evidence::Inconsistency),
        _ => None,
    }
}

/// Reads the size in an answer of status 409; `None` when it is none, as after [`Refusal::OtherRoot`].
#[must_use]
pub fn parse_size(body: &[u8]) -> Option<u64> {
    parse_decimal(std::str::from_utf8(body).ok()?.strip_suffix('\n')?)
}

/// Why the answer of a witness is not taken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is not signature lines, or the checkpoint cannot take more of them.
    #[error("the witness's answer: {0}")]
    Note(#[from] NoteError),
    /// A line by a key that is known does not hold.
    #[error("the cosignature by {name} (key ID {id}) does not hold for this checkpoint")]
    Invalid {
        /// The key's name.
        name: KeyName,
        /// Its ID.
        id: KeyId,
    },
    /// No line is by one of the keys.
    #[error("no cosignature is by a witness that is known here")]
    NoKnownKey,
}

/// Adds what a witness has answered with status 200 to a checkpoint: the cosignatures by `keys`, each
/// verified first. Lines by other keys are left out. Returns how many were added.
///
/// # Errors
/// When there is none, or one does not hold; the checkpoint is as it was then.
pub fn add_answer(
    checkpoint: &mut SignedCheckpoint,
    body: &[u8],
    keys: &[VerifierKey],
) -> Result<usize, AnswerError> {
    let text = checkpoint.note().text();
    let mut found: Vec<SignatureLine> = Vec::new();
    for line in SignatureLine::parse_all(body)? {
        if !keys.iter().any(|key| key.made(&line)) {
            continue;
        }
        if !keys.iter().any(|key| key.verify(text, &line).is_some()) {
            return Err(AnswerError::Invalid { name: line.name().clone(), id: line.id() });
        }
        found.push(line);
    }
    if found.is_empty() {
        return Err(AnswerError::NoKnownKey);
    }
    let mut with = checkpoint.clone();
    let n_added = found.len();
    found.into_iter().try_for_each(|line| with.add(line))?;
    *checkpoint = with;
    Ok(n_added)
}
