//! Requests that processes counted, against what the ledger has of them.

use modeltrail::Ledger;
use modeltrail::coverage::{self, Life, ProducerCoverage};
use serde::Serialize;

use super::Check;
use crate::cli::context::Context;
use crate::exit::Failure;

const CHECK: &str = "coverage";

/// The coverage of all processes together, and of each.
#[derive(Serialize)]
pub(super) struct Figures {
    /// Requests that were counted.
    n_requests: u64,
    /// Of them, those with an entry.
    n_recorded: u64,
    /// Of those that have none, the ones of processes that have ended.
    n_lost: u64,
    producers: Vec<ProducerCoverage>,
}

pub(super) fn figures(ledger: &Ledger, context: &Context) -> Result<(Figures, Check), Failure> {
    let producers = coverage::of(ledger, &context.spool_dir(ledger)).map_err(Failure::failed)?;
    let sum = |of: fn(&ProducerCoverage) -> u64| producers.iter().map(of).sum();
    let lost = |producer: &ProducerCoverage| match producer.life {
        Life::Open => 0,
        Life::Closed | Life::Lost => producer.n_missing(),
    };
    let figures = Figures {
        n_requests: sum(|producer| producer.n_requests),
        // Never above what was counted, so that one producer's surplus hides no other's loss.
        n_recorded: sum(|producer| producer.n_recorded.min(producer.n_requests)),
        n_lost: sum(lost),
        producers,
    };
    let check = figures.check();
    Ok((figures, check))
}

impl Figures {
    fn check(&self) -> Check {
        let Self { n_requests, n_recorded, n_lost, producers } = self;
        if *n_requests == 0 {
            return Check::note(
                CHECK,
                "no request was counted; nothing captures requests by itself here",
            );
        }
        let mut what = format!("{n_recorded} of {n_requests} requests are recorded{}", self.rate());
        let surplus: u64 =
            producers.iter().map(|it| it.n_recorded.saturating_sub(it.n_requests)).sum();
        if surplus > 0 {
            what += &format!(
                "; {surplus} more than were counted, so a counter lost its end (power loss) or was changed"
            );
        }
        let on_the_way = (n_requests - n_recorded).saturating_sub(*n_lost);
        if on_the_way > 0 {
            what += &format!("; {on_the_way} of processes that go on may be on their way");
        }
        if *n_lost == 0 {
            return if surplus > 0 { Check::note(CHECK, what) } else { Check::ok(CHECK, what) };
        }
        what += &format!("; {n_lost} are lost: {}", self.reasons());
        Check::wrong(CHECK, what)
    }

    /// In percent, cut and not rounded: one lost of a million is not 100 %.
    fn rate(&self) -> String {
        let hundredths =
            u128::from(self.n_recorded) * 1_000_000 / u128::from(self.n_requests.max(1));
        format!(" ({}.{:04} %)", hundredths / 10_000, hundredths % 10_000)
    }

    fn reasons(&self) -> String {
        let gone = |it: &&ProducerCoverage| it.life != Life::Open && it.n_missing() > 0;
        let of = |it: &ProducerCoverage| {
            let gaps: Vec<String> =
                it.gaps.iter().map(|(reason, n)| format!("{n} {reason}")).collect();
            let how = match (it.life, gaps.is_empty()) {
                (_, false) => format!("gap entries tell of {}", gaps.join(", ")),
                (Life::Lost, true) => "it was killed before they were on disk".to_owned(),
                _ => "no gap entry tells of them".to_owned(),
            };
            format!("producer {}: {} ({how})", it.producer, it.n_missing())
        };
        self.producers.iter().filter(gone).map(of).collect::<Vec<_>>().join("; ")
    }
}
