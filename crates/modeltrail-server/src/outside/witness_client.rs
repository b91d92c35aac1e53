//! Asking a witness for its cosignature: C2SP tlog-witness, the log's side.

use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::{SignatureLine, VerifierKey};
use modeltrail_core::policy::PolicyWitness;
use modeltrail_core::witness::{AnswerError, Request, SIZE_CONTENT_TYPE, add_answer, parse_size};

use super::evidence::Piece;
use super::history::History;
use super::http::{Answer, Client, HttpError, Method};

/// Longest answer: 16 post-quantum signatures and more.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

/// Requests to one witness in one round: the size it is believed to know, the size it says, and once
/// more should another publisher of the same ledger have been between.
const N_REQUESTS_MAX: usize = 3;

/// Why a witness has not cosigned.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Its address is none.
    #[error("the policy has no address for it; write it behind its key")]
    NoAddress,
    /// Nobody answered.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It does not serve this ledger, or does not know its key, or is in trouble.
    #[error("status {status}: {text}; {todo}")]
    Status {
        /// HTTP status.
        status: u16,
        /// What it says.
        text: String,
        /// What to do about it.
        todo: &'static str,
    },
    /// Its answer is no cosignature of this checkpoint.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// It says another size each time.
    #[error("it knows another size each time it is asked; does another process publish too?")]
    Unsteady,
    /// The ledger cannot prove its own checkpoint.
    #[error("this ledger cannot prove that it only grew: {0}")]
    Own(String),
    /// It has cosigned a larger ledger than this one.
    #[error(
        "it has cosigned {known} entries and this ledger has {size}: entries are missing here, or \
         somebody else publishes under this name"
    )]
    Behind {
        /// Entries that the witness knows.
        known: u64,
        /// Entries of the checkpoint.
        size: u64,
    },
    /// It has cosigned another history of this ledger, and shows it.
    #[error("it has cosigned another history of this ledger (status {status})")]
    OtherHistory {
        /// HTTP status.
        status: u16,
        /// The two checkpoints.
        piece: Box<Piece>,
    },
    /// It says that what it knows is not what this ledger begins with, and shows nothing.
    #[error(
        "refused by the witness with status {status}: {text}. Its answer has no signed checkpoint of another \
         history, so it proves nothing; ask its operator what it has cosigned"
    )]
    Refused {
        /// HTTP status.
        status: u16,
        /// What it says.
        text: String,
    },
}

impl AskError {
    /// True when it means that the ledger is not what it was, or is not what it says elsewhere.
    pub(crate) const fn is_finding(&self) -> bool {
        matches!(
            self,
            Self::Own(_) | Self::Behind { .. } | Self::OtherHistory { .. } | Self::Refused { .. }
        )
    }
}

/// What a witness has given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cosigned {
    /// Its lines, verified.
    pub(crate) lines: Vec<SignatureLine>,
}

/// Asks for a cosignature. `remembered` is the size that this witness is believed to know, `keys` have
/// signed the ledger's checkpoints.
///
/// # Errors
/// Why there is none; what is a finding about the ledger says so.
pub(crate) fn cosign(
    client: &Client,
    witness: &PolicyWitness,
    checkpoint: &SignedCheckpoint,
    remembered: u64,
    history: &History,
    keys: &[VerifierKey],
) -> Result<Cosigned, AskError> {
    let url = witness.url.as_ref().and_then(|url| std::str::from_utf8(url.as_bytes()).ok());
    let url = url.ok_or(AskError::NoAddress)?;
    let url = format!("{}/add-checkpoint", url.trim_end_matches('/'));
    let head = checkpoint.checkpoint().head();
    let mut old_size = remembered.min(head.size);
    for _ in 0..N_REQUESTS_MAX {
        let proof = history.consistency(old_size, &head).map_err(AskError::Own)?;
        let request = Request { old_size, proof, checkpoint: checkpoint.clone() };
        let text = request.to_string();
        let content_type = "text/plain; charset=utf-8";
        let answer =
            client.send(Method::Post, &url, content_type, text.as_bytes(), ANSWER_BYTES_MAX)?;
        match judge(&answer, &request)? {
            Step::Refused => return Err(refused(&answer, checkpoint, history, keys)),
            Step::Cosigned => return take(&answer, witness, checkpoint),
            Step::Knows(known) if known > head.size => {
                return Err(AskError::Behind { known, size: head.size });
            }
            Step::Knows(known) => old_size = known,
        }
    }
    Err(AskError::Unsteady)
}

enum Step {
    Cosigned,
    /// The witness knows this size.
    Knows(u64),
    /// The witness knows something else.
    Refused,
}

fn judge(answer: &Answer, request: &Request) -> Result<Step, AskError> {
    let (status, text) = (answer.status, answer.text());
    let refused = |todo| Err(AskError::Status { status, text: text.clone(), todo });
    match status {
        200 => Ok(Step::Cosigned),
        409 if answer.content_type == SIZE_CONTENT_TYPE => match parse_size(&answer.body) {
            Some(known) if known != request.old_size => Ok(Step::Knows(known)),
            _ => refused("the size in its answer is none that helps; tell its operator"),
        },
        // The proof was verified here: what it begins with is not what the witness has. With an
        // empty tree at the beginning there is nothing that could differ.
        409 | 422 if request.old_size > 0 => Ok(Step::Refused),
        403 => refused("give its operator the ledger's verifier key that is in force now"),
        404 => refused("ask its operator to add this ledger's verifier key, and check the address"),
        _ => refused("tell its operator if this goes on"),
    }
}

/// What a refusal shows: behind an empty line, `modeltrail witness` gives the checkpoint that it knows.
/// C2SP tlog-witness v1.0 leaves that text open, so other witnesses may show nothing.
fn refused(
    answer: &Answer,
    checkpoint: &SignedCheckpoint,
    history: &History,
    keys: &[VerifierKey],
) -> AskError {
    let (status, text) = (answer.status, answer.text());
    let body = String::from_utf8_lossy(&answer.body);
    let known = body.split_once("\n\n").and_then(|(_, note)| {
        SignedCheckpoint::parse(format!("{}\n", note.trim_end()).as_bytes()).ok()
    });
    match known.and_then(|known| Piece::of(history, checkpoint, &known, keys)) {
        Some(piece) => AskError::OtherHistory { status, piece: Box::new(piece) },
        None => AskError::Refused { status, text },
    }
}

/// The lines by this witness's key, verified.
fn take(
    answer: &Answer,
    witness: &PolicyWitness,
    checkpoint: &SignedCheckpoint,
) -> Result<Cosigned, AskError> {
    let mut with = checkpoint.clone();
    add_answer(&mut with, &answer.body, std::slice::from_ref(&witness.key))?;
    let lines = with.note().signatures().iter().filter(|line| witness.key.made(line));
    Ok(Cosigned { lines: lines.cloned().collect() })
}
