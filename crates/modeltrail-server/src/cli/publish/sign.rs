//! Signing what is due before it goes outside.

use modeltrail::Ledger;
use modeltrail::publish::PublishError;
use modeltrail::sequencer::{Sequencer, SequencerError, SequencerOptions};

use crate::cli::context::Context;
use crate::outside::round::{Outcome, State};

/// Most batches that are sequenced on the way, a million entries. What else waits belongs to the next
/// round, or to a program that records: this one must get to the places outside.
const N_STEPS_MAX: usize = 256;

/// Sequences what waits and publishes a checkpoint, unless another process does that already.
pub(super) fn if_due(ledger: &Ledger, context: &Context) -> Outcome {
    let outcome = |state, detail: String| {
        let whom = ledger.anchor_path().display().to_string();
        Outcome { what: "sign", whom, state, detail }
    };
    match sequence(ledger, context) {
        Ok(Signed::Done) => outcome(State::Done, String::new()),
        Ok(Signed::Elsewhere) => {
            outcome(State::Done, "another process sequences this ledger, and signs".to_owned())
        }
        Ok(Signed::Trouble(trouble)) => outcome(State::Failed, trouble),
        Err(error) => {
            let state = if is_finding(&error) { State::Finding } else { State::Failed };
            outcome(state, error.to_string())
        }
    }
}

enum Signed {
    Done,
    Elsewhere,
    Trouble(String),
}

fn sequence(ledger: &Ledger, context: &Context) -> Result<Signed, SequencerError> {
    let settings = &context.settings;
    let options = SequencerOptions { publish: settings.publish, trim: settings.trim };
    let dir = context.spool_dir(ledger);
    let opened = Sequencer::try_open_with(ledger, &dir, settings.spool, options)?;
    let Some(mut sequencer) = opened else { return Ok(Signed::Elsewhere) };
    for _ in 0..N_STEPS_MAX {
        if sequencer.step()?.n_taken == 0 {
            break;
        }
    }
    let trouble = sequencer.close()?;
    Ok(trouble.map_or(Signed::Done, Signed::Trouble))
}

/// True when the ledger is not what it was.
fn is_finding(error: &SequencerError) -> bool {
    match error {
        SequencerError::BehindAnchor { .. } | SequencerError::ForeignAnchor { .. } => true,
        SequencerError::Publish(error) => matches!(
            error.as_ref(),
            PublishError::Behind { .. }
                | PublishError::Foreign { .. }
                | PublishError::Leaf { .. }
                | PublishError::Root { .. }
                | PublishError::OtherCheckpoint { .. }
        ),
        _ => false,
    }
}
