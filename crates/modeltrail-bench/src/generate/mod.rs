//! The load: JSON Lines of predictions as a production system would submit them, in flat memory
//! and faster than anything that reads them.
//!
//! 55 % tabular fraud scoring (about 930 bytes), 30 % sentiment of short texts (770), 15 % chat with
//! prompts of 1 to 4 KB (4,400). Users follow Zipf's law. A fifth of the inputs repeat an earlier
//! one exactly, half of them a recent one and half one of a few hot ones, each under a new request
//! id. 15 % of the inputs carry made-up personal data. Times ascend over 30 days.

mod command;
mod payload;
mod personal;
#[cfg(test)]
mod tests;
mod words;
mod write;

pub(crate) use command::to_file;

use crate::random::{Law, Rng};
use payload::Family;
use words::Words;
use write::{decimal, hex, padded, whole};

/// The seed that every bench uses unless it is given another.
pub(crate) const SEED: u64 = 42;

/// Users that may appear; the heaviest asks for a tenth of the records.
const N_USERS: u32 = 50_000;

/// Share of inputs that repeat one.
const REPEAT_SHARE: f64 = 0.20;

/// Inputs that are asked for again and again.
const N_HOT: u32 = 2_000;

/// Recent inputs that can be repeated: 5 MB, and as far back as a client's retries reach.
const N_RECENT: usize = 4_096;

/// The load spans 30 days from 2026-05-31 to 2026-06-30, 00:00 UTC.
const SPAN_US: u64 = 30 * DAY_US;
const DAY_US: u64 = 86_400_000_000;

/// An input and the family that it is for.
struct Input {
    family: Family,
    json: String,
}

impl Input {
    const fn empty() -> Self {
        Self { family: Family::Fraud, json: String::new() }
    }

    fn refresh(&mut self, words: &Words, rng: &mut Rng, personal: Personal) {
        self.family = Family::draw(rng);
        self.json.clear();
        self.family.input(words, rng, &mut self.json, personal.share);
    }
}

/// How much personal data there is.
#[derive(Clone, Copy)]
pub(crate) struct Personal {
    /// Share of fresh inputs with some.
    pub(crate) share: f64,
    /// Whether each record's metadata has the address of a machine.
    pub(crate) address: bool,
}

impl Personal {
    /// Of the usual load.
    pub(crate) const USUAL: Self = Self { share: 0.15, address: true };
}

/// Makes `n` records, one line after the other.
pub(crate) struct Generator {
    personal: Personal,
    rng: Rng,
    words: Words,
    users: Law,
    hot: Vec<Input>,
    hot_law: Law,
    recent: Vec<Input>,
    /// Where the next fresh input goes when the window is full.
    oldest: usize,
    line: String,
    next: u64,
    n: u64,
}

impl Generator {
    /// The load of `n` records under this seed; `n` sets the distance between their times.
    pub(crate) fn new(n: u64, seed: u64) -> Self {
        Self::with(n, seed, Personal::USUAL)
    }

    /// The same load with more or less personal data.
    pub(crate) fn with(n: u64, seed: u64, personal: Personal) -> Self {
        let words = Words::new(seed ^ 0x776f_7264);
        let mut hot_rng = Rng::new(seed ^ 0x686f_7400);
        let hot = (0..N_HOT)
            .map(|_| {
                let mut input = Input::empty();
                input.refresh(&words, &mut hot_rng, personal);
                input
            })
            .collect();
        Self {
            personal,
            rng: Rng::new(seed),
            words,
            users: Law::zipf(N_USERS, 0.0, 1.05),
            hot,
            hot_law: Law::zipf(N_HOT, 0.0, 1.0),
            recent: Vec::new(),
            oldest: 0,
            line: String::new(),
            next: 0,
            n,
        }
    }

    /// The next record as one line of JSON without its line feed; `None` after the last one.
    pub(crate) fn next_line(&mut self) -> Option<&str> {
        if self.next >= self.n {
            return None;
        }
        let Self { rng, words, line, .. } = self;
        line.clear();
        push_ids(rng, line, self.next, self.n);
        let toss = rng.unit();
        let input = if toss < REPEAT_SHARE / 2.0 && !self.recent.is_empty() {
            let at = rng.index(self.recent.len());
            self.recent.get(at)
        } else if toss < REPEAT_SHARE {
            self.hot.get(self.hot_law.draw(rng))
        } else {
            fresh(&mut self.recent, &mut self.oldest, words, rng, self.personal)
        };
        let input = input?;
        let third = usize::try_from(3 * self.next / self.n).unwrap_or(0);
        let user = u64::try_from(self.users.draw(rng)).unwrap_or(0);
        push_rest(rng, words, line, input, third, user);
        push_metadata(line, input.family, user, self.personal.address);
        line.push('}');
        self.next += 1;
        Some(line)
    }

    /// The next `n` records, fewer at the end, each in its own allocation.
    pub(crate) fn take_lines(&mut self, n: usize) -> Vec<String> {
        let mut lines = Vec::new();
        while lines.len() < n
            && let Some(line) = self.next_line()
        {
            lines.push(line.to_owned());
        }
        lines
    }
}

/// Makes a fresh input in the window of recent ones.
fn fresh<'a>(
    recent: &'a mut Vec<Input>,
    oldest: &mut usize,
    words: &Words,
    rng: &mut Rng,
    personal: Personal,
) -> Option<&'a Input> {
    let at = if recent.len() < N_RECENT {
        recent.push(Input::empty());
        recent.len() - 1
    } else {
        let at = *oldest;
        *oldest = (at + 1) % N_RECENT;
        at
    };
    let slot = recent.get_mut(at)?;
    slot.refresh(words, rng, personal);
    Some(slot)
}

fn push_ids(rng: &mut Rng, line: &mut String, i: u64, n: u64) {
    line.push_str("{\"request_id\":\"");
    let (high, low) = (rng.bits(), rng.bits());
    hex(line, high >> 32, 8);
    line.push('-');
    hex(line, high >> 16, 4);
    line.push_str("-4");
    hex(line, high, 3);
    line.push_str("-a");
    hex(line, low >> 48, 3);
    line.push('-');
    hex(line, low, 12);
    line.push_str("\",\"timestamp\":\"");
    // Somewhere in its own step, so that times ascend and yet are not evenly spaced.
    let step_us = SPAN_US / n.max(1);
    push_time(line, i * step_us + rng.below(step_us));
    line.push('"');
}

/// Appends the time `us` microseconds after 2026-05-31T00:00:00Z, fewer than 31 days.
fn push_time(line: &mut String, us: u64) {
    let (day, us) = (us / DAY_US, us % DAY_US);
    line.push_str(if day == 0 { "2026-05-" } else { "2026-06-" });
    padded(line, if day == 0 { 31 } else { day }, 2);
    let seconds = us / 1_000_000;
    for (before, part) in [("T", seconds / 3600), (":", seconds / 60 % 60), (":", seconds % 60)] {
        line.push_str(before);
        padded(line, part, 2);
    }
    line.push('.');
    padded(line, us % 1_000_000, 6);
    line.push('Z');
}

fn push_rest(
    rng: &mut Rng,
    words: &Words,
    line: &mut String,
    input: &Input,
    third: usize,
    user: u64,
) {
    let family = input.family;
    let version = family.versions().get(third).copied().unwrap_or_default();
    for piece in [",\"model_name\":\"", family.model_name(), "\",\"model_version\":\"", version] {
        line.push_str(piece);
    }
    line.push_str("\",\"input\":");
    line.push_str(&input.json);
    line.push_str(",\"output\":");
    family.output(words, rng, line);
    push_user(line, user);
    line.push_str(",\"latency_ms\":");
    decimal(line, family.latency_ms(rng), 3);
}

/// One in fifty users is a service that asks in batches.
fn push_user(line: &mut String, user: u64) {
    if user.is_multiple_of(50) {
        line.push_str(",\"user_id\":\"svc-batch-");
        whole(line, user / 50);
    } else {
        line.push_str(",\"user_id\":\"user_");
        padded(line, user, 6);
    }
    line.push('"');
}

fn push_metadata(line: &mut String, family: Family, user: u64, address: bool) {
    line.push_str(",\"metadata\":{");
    if address {
        line.push_str("\"ip\":\"10");
        for part in [user % 200, user / 200 % 250, user % 17] {
            line.push('.');
            whole(line, part);
        }
        line.push_str("\",");
    }
    let region = match user % 3 {
        0 => "eu-west-1",
        1 => "us-east-1",
        _ => "ap-south-1",
    };
    let [preprocessing, weights] = family.preprocessing();
    let pieces = [
        "\"endpoint\":\"",
        family.endpoint(),
        "\",\"region\":\"",
        region,
        "\",\"pipeline\":{\"preproc\":\"",
        preprocessing,
        "\",\"weights_sha\":\"",
        weights,
        "\"}}",
    ];
    pieces.into_iter().for_each(|piece| line.push_str(piece));
}
