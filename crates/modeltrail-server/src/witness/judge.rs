//! What a witness answers, without HTTP: read the state, decide, make the state durable, cosign, all
//! under the lock of the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use modeltrail_core::cosignature::Cosigner;
use modeltrail_core::note::VerifierKey;
use modeltrail_core::witness::{Decision, LogState, Request, SIZE_CONTENT_TYPE, decide};

use super::{StateDir, WitnessError};

/// Content type of all answers but those that tell a size.
const TEXT: &str = "text/plain; charset=utf-8";

/// A log that the witness serves.
struct Log {
    keys: Vec<VerifierKey>,
    /// Held from reading the state to writing it.
    turn: Mutex<()>,
}

/// A witness.
pub(crate) struct Witness {
    cosigner: Cosigner,
    state: StateDir,
    /// By origin. Fixed at the start, so requests of one log never wait for another's.
    logs: BTreeMap<String, Log>,
    /// Seconds since 1970; `None` before.
    clock: fn() -> Option<u64>,
}

/// What goes back over HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// Of the body.
    pub(crate) content_type: &'static str,
    /// Signature lines at 200, a size or a reason else.
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn text(status: u16, body: impl ToString) -> Self {
        let mut body = body.to_string();
        body.push('\n');
        Self { status, content_type: TEXT, body }
    }
}

/// The system's clock.
pub(crate) fn system_clock() -> Option<u64> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.ok().map(|since| since.as_secs())
}

impl Witness {
    /// A witness of the logs that have these keys; a key's name is its log's origin. All states are
    /// read once, so that a damaged one is told now and not to a log.
    ///
    /// # Errors
    /// When a state is damaged or there is no clock.
    pub(crate) fn new(
        cosigner: Cosigner,
        state: StateDir,
        keys: Vec<VerifierKey>,
        clock: fn() -> Option<u64>,
    ) -> Result<Self, WitnessError> {
        clock().ok_or(WitnessError::Clock)?;
        let mut logs: BTreeMap<String, Log> = BTreeMap::new();
        for key in keys {
            let origin = key.name().as_str().to_owned();
            let log = logs.entry(origin).or_insert(Log { keys: Vec::new(), turn: Mutex::new(()) });
            if !log.keys.contains(&key) {
                log.keys.push(key);
            }
        }
        for (origin, log) in &logs {
            state.last(origin, &log.keys)?;
        }
        Ok(Self { cosigner, state, logs, clock })
    }

    /// What verifies this witness's cosignatures.
    pub(crate) const fn verifier(&self) -> &VerifierKey {
        self.cosigner.verifier()
    }

    /// Number of logs.
    pub(crate) fn n_logs(&self) -> usize {
        self.logs.len()
    }

    /// Answers an `add-checkpoint` request.
    pub(crate) fn add_checkpoint(&self, body: &[u8]) -> Answer {
        let request = match Request::parse(body) {
            Ok(request) => request,
            Err(error) => return Answer::text(400, error),
        };
        self.consider(&request).unwrap_or_else(|error| {
            // The caller learns that it is not his fault; what it is stands in the log of the witness.
            tracing::error!("{error}");
            Answer::text(500, "the witness cannot use its state; its operator has to look")
        })
    }

    fn consider(&self, request: &Request) -> Result<Answer, WitnessError> {
        let origin = request.checkpoint.checkpoint().origin();
        let Some(log) = self.logs.get(origin) else {
            return Ok(self.refused(request, None, decide(request, None)));
        };
        // Nothing is kept in memory that a panic could leave half-changed.
        let _turn = log.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let last = self.state.last(origin, &log.keys)?;
        let known = LogState { keys: log.keys.clone(), last };
        match decide(request, Some(&known)) {
            Decision::Cosign => self.cosign(request, &known),
            refused => Ok(self.refused(request, Some(&known), refused)),
        }
    }

    fn cosign(&self, request: &Request, known: &LogState) -> Result<Answer, WitnessError> {
        let checkpoint = &request.checkpoint;
        // The same checkpoint again needs no write; its signatures may be others now.
        if known.last.as_ref() != Some(checkpoint) {
            self.state.set_last(checkpoint)?;
        }
        let time_s = (self.clock)().ok_or(WitnessError::Clock)?;
        let line = self.cosigner.cosign(checkpoint.note().text(), time_s);
        let (origin, size) =
            (checkpoint.checkpoint().origin(), checkpoint.checkpoint().head().size);
        tracing::info!("cosigned {origin} at size {size}");
        Ok(Answer::text(200, line))
    }

    fn refused(&self, request: &Request, known: Option<&LogState>, why: Decision) -> Answer {
        let Decision::Refuse { refusal, evidence } = why else {
            return Answer::text(500, "the witness contradicts itself; its operator has to look");
        };
        let origin = request.checkpoint.checkpoint().origin();
        let size = request.checkpoint.checkpoint().head().size;
        if let Some(kind) = evidence {
            let last = known.and_then(|known| known.last.as_ref());
            match self.state.keep_evidence(kind, request, last) {
                Ok(Some(dir)) => {
                    let dir = dir.display();
                    tracing::error!("{origin}, size {size}: {refusal}; evidence is kept in {dir}");
                }
                Ok(None) => tracing::error!("{origin}, size {size}: {refusal}; once more"),
                Err(error) => tracing::error!("evidence against {origin} cannot be kept: {error}"),
            }
        } else {
            tracing::info!("refused {origin} at size {size}: {refusal}");
        }
        match refusal.size_body() {
            Some(body) => {
                Answer { status: refusal.status(), content_type: SIZE_CONTENT_TYPE, body }
            }
            // The two checkpoints together are what anybody can verify, so the log gets the other one.
            None => {
                match known.and_then(|known| known.last.as_ref()).filter(|_| evidence.is_some()) {
                    Some(last) => {
                        let last = last.to_string();
                        Answer::text(refusal.status(), format!("{refusal}\n\n{}", last.trim_end()))
                    }
                    None => Answer::text(refusal.status(), refusal),
                }
            }
        }
    }
}
