//! `modeltrail publish`: a checkpoint is signed if one is due, and taken outside.

mod sign;

use std::time::{Duration, Instant};

use modeltrail::Ledger;
use modeltrail_core::checkpoint::SignedCheckpoint;
use serde::Serialize;

use super::context::{Context, now_ns};
use super::time::parse_span_s;
use crate::exit::{Exit, Failure, even_if_unread};
use crate::output::{Column, Format, Rows, json_line, stdout, stdout_has_color};
use crate::outside::http::Client;
use crate::outside::round::{self, Outcome, Outside, State};

/// Put the newest checkpoint where nobody here can change it: copies, witnesses, a time stamp
#[derive(clap::Args)]
#[command(
    after_help = "Where it goes stands in the settings outside.*; `modeltrail status` tells how far it \
                        got. Exit code 1 when a place knows another history of this ledger, or more of it \
                        than is here."
)]
pub(crate) struct Args {
    /// Go on, one round each so long [default without a value: outside.every_s]
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "", value_parser = every)]
    every: Option<Every>,
}

/// How often; `None` for as often as the settings say.
#[derive(Clone, Copy, Debug)]
struct Every(Option<u64>);

fn every(text: &str) -> Result<Every, String> {
    if text.is_empty() { Ok(Every(None)) } else { parse_span_s(text).map(|s| Every(Some(s))) }
}

/// A round as JSON.
#[derive(Serialize)]
struct Report<'a> {
    origin: &'a str,
    size: u64,
    root: String,
    outcomes: &'a [Outcome],
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Failure> {
    let ledger = context.ledger()?;
    let settings = &context.settings.outside;
    let (outside, problem) = Outside::of(settings);
    if let Some(problem) = problem {
        return Err(Failure::input(problem));
    }
    if outside.is_empty() {
        let text =
            "there is no place to publish to; set outside.copies, outside.policy or outside.tsa";
        return Err(Failure::input(text));
    }
    let timeout = Duration::from_millis(settings.timeout_ms);
    let client = Client::new(timeout, settings.ca_file.as_deref()).map_err(Failure::input)?;
    let mut publisher = Publisher { context, ledger, outside, client, last: None };
    let Some(Every(every_s)) = args.every else { return publisher.once() };
    let every = Duration::from_secs(every_s.unwrap_or(settings.every_s));
    loop {
        let began = Instant::now();
        match publisher.once() {
            Ok(_) => {}
            Err(Failure::Pipe) => return Err(Failure::Pipe),
            // The next round may find it mended; what it is was told.
            Err(Failure::Told { message, hint, .. }) => {
                context.notes.error(&message, hint.as_deref())
            }
        }
        std::thread::sleep(every.saturating_sub(began.elapsed()));
    }
}

struct Publisher<'a> {
    context: &'a Context,
    ledger: Ledger,
    outside: Outside,
    client: Client,
    /// The checkpoint, with its signatures, for which everything was done.
    last: Option<SignedCheckpoint>,
}

impl Publisher<'_> {
    fn once(&mut self) -> Result<Exit, Failure> {
        let signed = sign::if_due(&self.ledger, self.context);
        // What was signed before goes outside even if nothing can be signed now.
        let checkpoint = self.checkpoint()?;
        let is_known = self.last.as_ref() == Some(&checkpoint);
        if is_known && self.outside.tsa.is_none() && signed.state == State::Done {
            return Ok(Exit::Fine);
        }
        let head = checkpoint.checkpoint().head();
        let round =
            round::run(&self.ledger, &self.outside, &self.client, checkpoint.clone(), now_ns())
                .map_err(Failure::failed)?;
        let outcomes: Vec<Outcome> = std::iter::once(signed).chain(round).collect();
        let report = Report {
            origin: checkpoint.checkpoint().origin(),
            size: head.size,
            root: head.root.to_hex(),
            outcomes: &outcomes,
        };
        even_if_unread(write(&report, self.context.settings.format))?;
        let any = |state| outcomes.iter().any(|outcome| outcome.state == state);
        if any(State::Finding) {
            return Ok(Exit::Findings);
        }
        if any(State::Failed) {
            return Ok(Exit::Failed);
        }
        // As it is stored now: with the cosignatures of this round.
        self.last = self.checkpoint().ok();
        Ok(Exit::Fine)
    }

    /// The newest checkpoint.
    fn checkpoint(&self) -> Result<SignedCheckpoint, Failure> {
        let store = self.ledger.open_read()?;
        store.checkpoint(None)?.ok_or_else(|| {
            Failure::failed(
                "no checkpoint of this ledger is signed yet; make a key with `modeltrail key generate`, and \
                 record something",
            )
        })
    }
}

const COLUMNS: &[Column] = &[
    Column::text("what"),
    Column::text("whom"),
    Column::text("state"),
    Column::number("size"),
    Column::text("detail"),
];

fn write(report: &Report<'_>, format: Format) -> Result<(), Failure> {
    let mut out = stdout();
    let mut rows = match format {
        Format::Json => {
            // A line a round, so that `--every` can be read as it comes.
            json_line(&mut out, report)?;
            return Ok(());
        }
        Format::Csv => Rows::csv(out, COLUMNS)?,
        Format::Table => Rows::table(out, COLUMNS, stdout_has_color()),
    };
    for Outcome { what, whom, state, detail } in report.outcomes {
        let size = report.size.to_string();
        let state = state.name().to_owned();
        rows.row(vec![(*what).to_owned(), whom.clone(), state, size, detail.clone()])?;
    }
    rows.finish()?;
    Ok(())
}
