//! One round: the ledger is held against the second places, the witnesses are asked, the checkpoint with
//! their cosignatures goes to the second places, and from time to time to a time-stamping authority.
//!
//! A place that fails keeps no other one back. One that contradicts the ledger does: nothing is put in the
//! place of what others still have, and no time stamp is had for it, in that round.

use std::path::Path;
use std::thread;

use modeltrail::Ledger;
use modeltrail::store::{Access, SqliteStore, Store};
use modeltrail_core::checkpoint::SignedCheckpoint;
use modeltrail_core::note::{SignatureLine, VerifierKey};
use modeltrail_core::policy::{POLICY_BYTES_MAX, Policy, PolicyWitness};
use serde::Serialize;

use super::copies::{CopyError, CopyPlace, Found};
use super::evidence::Piece;
use super::history::History;
use super::http::Client;
use super::memory::{Given, Memory, finding_key};
use super::witness_client::{AskError, cosign};
use super::{Files, evidence, memory, stamps};
use crate::config::OutsideSettings;
use crate::files;

/// Witnesses that are asked at once. Each has its own thread and its own handle on the store; more
/// than eight wait for their turn.
const N_AT_ONCE: usize = 8;

/// Who is to get checkpoints.
#[derive(Debug)]
pub(crate) struct Outside {
    /// Second places.
    pub(crate) copies: Vec<CopyPlace>,
    /// The witnesses with their addresses, and the quorum.
    pub(crate) policy: Option<Policy>,
    /// Whether others run the witnesses.
    pub(crate) is_public: bool,
    /// Seconds between two rounds.
    pub(crate) every_s: u64,
    /// Address of a time-stamping authority.
    pub(crate) tsa: Option<String>,
    /// Seconds from one stamp to the next.
    pub(crate) tsa_every_s: u64,
}

impl Outside {
    /// What the settings name. A policy that cannot be read is told beside what else there is, so that
    /// who only looks can say so and go on.
    pub(crate) fn of(settings: &OutsideSettings) -> (Self, Option<String>) {
        let (policy, problem) = match settings.policy.as_deref().map(read_policy).transpose() {
            Ok(policy) => (policy, None),
            Err(problem) => (None, Some(problem)),
        };
        let outside = Self {
            copies: settings.copies.iter().map(|text| CopyPlace::parse(text)).collect(),
            policy,
            is_public: settings.is_public,
            every_s: settings.every_s,
            tsa: settings.tsa.clone(),
            tsa_every_s: settings.tsa_every_s,
        };
        (outside, problem)
    }

    /// True when nothing is to go anywhere.
    pub(crate) fn is_empty(&self) -> bool {
        let has_witnesses = self.policy.as_ref().is_some_and(|p| !p.witnesses().is_empty());
        self.copies.is_empty() && self.tsa.is_none() && !has_witnesses
    }
}

fn read_policy(path: &Path) -> Result<Policy, String> {
    let at = |what: &dyn std::fmt::Display| format!("the policy {}: {what}", path.display());
    let read = files::read(path, POLICY_BYTES_MAX).map_err(|error| at(&error))?;
    let bytes = read.ok_or_else(|| at(&"no such file; mend `outside.policy`"))?;
    Policy::parse(&bytes).map_err(|error| at(&error))
}

/// What became of one place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(crate) struct Outcome {
    /// `sign`, `copy`, `witness` or `tsa`.
    pub(crate) what: &'static str,
    /// Which.
    pub(crate) whom: String,
    /// `done`, `not due`, `held back`, `failed`, or `finding`.
    pub(crate) state: State,
    /// What went wrong.
    pub(crate) detail: String,
}

/// How it went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// The checkpoint is there.
    Done,
    /// It is not time yet.
    NotDue,
    /// It is not sent, since another place contradicts the ledger.
    HeldBack,
    /// It is not there; the next round tries again.
    Failed,
    /// The place says that the ledger is not what it was.
    Finding,
}

impl State {
    /// As it is shown.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::NotDue => "not due",
            Self::HeldBack => "held back",
            Self::Failed => "failed",
            Self::Finding => "finding",
        }
    }
}

/// A round over one checkpoint.
struct Round<'a> {
    ledger: &'a Ledger,
    outside: &'a Outside,
    client: &'a Client,
    files: Files,
    history: History,
    memory: Memory,
    now_ns: i64,
    /// The ledger's checkpoint keys: who signs with another one is not this ledger.
    keys: Vec<VerifierKey>,
    outcomes: Vec<Outcome>,
}

/// Runs a round over a stored checkpoint.
///
/// # Errors
/// When the ledger itself cannot be read; what a place does is in its outcome.
pub(crate) fn run(
    ledger: &Ledger,
    outside: &Outside,
    client: &Client,
    checkpoint: SignedCheckpoint,
    now_ns: i64,
) -> Result<Vec<Outcome>, String> {
    let files = Files::of(ledger);
    let store = ledger.open_read().map_err(|error| error.to_string())?;
    let history = History::new(store);
    let mut keys = history.checkpoint_keys()?;
    keys.extend(outside.policy.iter().flat_map(|p| p.logs()).map(|log| log.key.clone()));
    let mut round = Round {
        ledger,
        outside,
        client,
        history,
        keys,
        memory: memory::read(&files.memory),
        files,
        now_ns,
        outcomes: Vec::new(),
    };
    let with_lines = round.witnesses_and_copies(checkpoint);
    round.stamp(&with_lines);
    if let Err(error) = memory::write(&round.files.memory, &round.memory) {
        tracing::warn!("{error}");
    }
    Ok(round.outcomes)
}

impl Round<'_> {
    fn tell(&mut self, what: &'static str, whom: impl ToString, state: State, detail: String) {
        let whom = whom.to_string();
        match state {
            State::Finding => tracing::error!("{what} {whom}: {detail}"),
            State::Failed => tracing::warn!("{what} {whom}: {detail}"),
            State::Done | State::NotDue | State::HeldBack => {
                tracing::debug!("{what} {whom}: {}", state.name());
            }
        }
        let key = finding_key(what, &whom);
        match state {
            State::Finding => drop(self.memory.findings.insert(key, detail.clone())),
            State::Done => drop(self.memory.findings.remove(&key)),
            // What it said before stands until it says something else.
            State::NotDue | State::HeldBack | State::Failed => {}
        }
        self.outcomes.push(Outcome { what, whom, state, detail });
    }

    fn given(&self, checkpoint: &SignedCheckpoint) -> Given {
        let head = checkpoint.checkpoint().head();
        let time_s = self.now_ns.div_euclid(1_000_000_000);
        Given { size: head.size, root: head.root.to_hex(), time_s, is_compared: false }
    }

    /// The copies as they are, the witnesses, and the copies with what these have signed.
    fn witnesses_and_copies(&mut self, mut checkpoint: SignedCheckpoint) -> SignedCheckpoint {
        let outside = self.outside;
        let compared: Vec<_> = outside
            .copies
            .iter()
            .filter_map(|place| Some((place, self.compare(place, &checkpoint)?)))
            .collect();
        let lines = self.ask_witnesses(&checkpoint);
        for line in &lines {
            if let Err(error) = checkpoint.add(line.clone()) {
                self.tell("witness", line.name(), State::Failed, error.to_string());
            }
        }
        self.keep_lines(&checkpoint, &lines);
        for (place, found) in compared {
            self.copy(place, &found, &checkpoint);
        }
        checkpoint
    }

    /// True when some place has contradicted the ledger in this round.
    fn is_contradicted(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.state == State::Finding)
    }

    fn hold_back(&mut self, what: &'static str, whom: impl ToString) {
        let why = "not sent, since another place contradicts this ledger";
        self.tell(what, whom, State::HeldBack, why.to_owned());
    }

    /// What is at a place; `None` when nothing can be put there, which is told.
    fn compare(&mut self, place: &CopyPlace, checkpoint: &SignedCheckpoint) -> Option<Found> {
        match place.compare(checkpoint, &self.history, self.client) {
            Ok(found) => Some(found),
            Err(error) => {
                let mut detail = error.to_string();
                if let CopyError::OtherHistory { note, .. } = &error
                    && let Some(piece) = Piece::of(&self.history, checkpoint, note, &self.keys)
                {
                    detail.push_str(&self.keep_evidence(&place.to_string(), &piece));
                }
                let state = if error.is_finding() { State::Finding } else { State::Failed };
                self.tell("copy", place, state, detail);
                None
            }
        }
    }

    fn copy(&mut self, place: &CopyPlace, found: &Found, checkpoint: &SignedCheckpoint) {
        let is_there = matches!(found, Found::Kept(kept) if **kept == *checkpoint);
        if self.is_contradicted() && !is_there {
            return self.hold_back("copy", place);
        }
        match place.put(checkpoint, found, self.client, self.now_ns) {
            Ok(()) => {
                let (detail, is_compared) = match found {
                    Found::Unread(why) => (format!("sent, and held against nothing: {why}"), false),
                    Found::Nothing | Found::Kept(_) => (String::new(), true),
                };
                let given = Given { is_compared, ..self.given(checkpoint) };
                self.memory.copies.insert(place.to_string(), given);
                self.tell("copy", place, State::Done, detail);
            }
            Err(error) => self.tell("copy", place, State::Failed, error.to_string()),
        }
    }

    /// Asks each witness that has not cosigned this checkpoint yet.
    fn ask_witnesses(&mut self, checkpoint: &SignedCheckpoint) -> Vec<SignatureLine> {
        let Some(policy) = &self.outside.policy else { return Vec::new() };
        let text = checkpoint.note().text();
        let has_signed = |witness: &PolicyWitness| {
            let mut lines = checkpoint.note().signatures().iter();
            lines.any(|line| witness.key.verify(text, line).is_some())
        };
        let (signed, due): (Vec<_>, Vec<_>) =
            policy.witnesses().iter().partition(|w| has_signed(w));
        for witness in signed {
            self.tell("witness", witness.key.name(), State::Done, String::new());
        }
        let mut lines = Vec::new();
        for some in due.chunks(N_AT_ONCE) {
            for (witness, asked) in self.ask_some(some, checkpoint) {
                let name = witness.key.name();
                match asked {
                    Ok(new) => {
                        lines.extend(new);
                        self.memory
                            .witnesses
                            .insert(witness.key.to_string(), self.given(checkpoint));
                        self.tell("witness", name, State::Done, String::new());
                    }
                    Err(error) => self.refused(witness, &error),
                }
            }
        }
        lines
    }

    fn ask_some<'w>(
        &self,
        witnesses: &[&'w PolicyWitness],
        checkpoint: &SignedCheckpoint,
    ) -> Vec<(&'w PolicyWitness, Result<Vec<SignatureLine>, AskError>)> {
        thread::scope(|scope| {
            let ask = |witness: &'w PolicyWitness| {
                let history = self.history.another();
                let known = self.memory.witnesses.get(&witness.key.to_string());
                let known = known.map_or(0, |given| given.size);
                let (client, keys) = (self.client.clone(), &self.keys);
                let asked = scope.spawn(move || {
                    let history = history.map_err(AskError::Own)?;
                    let done = cosign(&client, witness, checkpoint, known, &history, keys);
                    done.map(|done| done.lines)
                });
                (witness, asked)
            };
            let asked: Vec<_> = witnesses.iter().map(|witness| ask(witness)).collect();
            let died = || Err(AskError::Own("the thread that asked died".to_owned()));
            asked
                .into_iter()
                .map(|(who, done)| (who, done.join().unwrap_or_else(|_| died())))
                .collect()
        })
    }

    fn refused(&mut self, witness: &PolicyWitness, error: &AskError) {
        let mut detail = error.to_string();
        if let AskError::OtherHistory { piece, .. } = error {
            detail.push_str(&self.keep_evidence(witness.key.name().as_str(), piece));
        }
        let state = if error.is_finding() { State::Finding } else { State::Failed };
        self.tell("witness", witness.key.name(), state, detail);
    }

    /// Keeps a piece of evidence; gives what is to be told of it.
    fn keep_evidence(&self, whom: &str, piece: &Piece) -> String {
        match evidence::keep(&self.files.evidence, whom, piece) {
            Ok(Some(dir)) => format!("; evidence: {}", dir.display()),
            Ok(None) => "; as much evidence as there can be is kept already".to_owned(),
            Err(error) => format!("; evidence cannot be kept: {error}"),
        }
    }

    /// Keeps cosignatures with the checkpoint. They are no entries, so the sequencer has no part in it.
    fn keep_lines(&mut self, checkpoint: &SignedCheckpoint, lines: &[SignatureLine]) {
        if lines.is_empty() {
            return;
        }
        let size = checkpoint.checkpoint().head().size;
        let kept = open_write(self.ledger).and_then(|mut store| {
            let mut add = |line| store.add_signature(size, line).map_err(|e| e.to_string());
            lines.iter().try_for_each(&mut add)
        });
        if let Err(error) = kept {
            self.tell(
                "witness",
                "all",
                State::Failed,
                format!("cosignatures cannot be kept: {error}"),
            );
        }
    }

    fn stamp(&mut self, checkpoint: &SignedCheckpoint) {
        let Some(url) = &self.outside.tsa else { return };
        let whom = super::http::shown(url);
        match self.is_stamp_due(checkpoint) {
            Ok(false) => return self.tell("tsa", whom, State::NotDue, String::new()),
            Ok(true) => {}
            // A stamp that is damaged is told, and another one asked for.
            Err(error) => tracing::warn!("{error}"),
        }
        if self.is_contradicted() {
            return self.hold_back("tsa", whom);
        }
        match stamps::stamp(self.client, url, &self.files.timestamps, checkpoint) {
            Ok(_) => self.tell("tsa", whom, State::Done, String::new()),
            Err(error) => self.tell("tsa", whom, State::Failed, error.to_string()),
        }
    }

    fn is_stamp_due(&self, checkpoint: &SignedCheckpoint) -> Result<bool, stamps::StampsError> {
        let Some(newest) = stamps::newest(&self.files.timestamps)? else { return Ok(true) };
        if newest.checkpoint == *checkpoint.checkpoint() {
            return Ok(false);
        }
        let age_s = self.now_ns.div_euclid(1_000_000_000).saturating_sub(newest.time_s);
        // A stamp from the future says that one of the clocks is wrong; another one does no harm.
        Ok(!(0..i64::try_from(self.outside.tsa_every_s).unwrap_or(i64::MAX)).contains(&age_s))
    }
}

/// The store for writing a signature line.
fn open_write(ledger: &Ledger) -> Result<Box<dyn Store>, String> {
    match ledger.place() {
        modeltrail::Place::Sqlite(path) => {
            let store =
                SqliteStore::open(path, Access::Write).map_err(|error| error.to_string())?;
            Ok(Box::new(store))
        }
        modeltrail::Place::Memory => Err("a ledger in memory keeps no cosignatures".to_owned()),
    }
}
