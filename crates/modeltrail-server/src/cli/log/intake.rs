//! Lines into the ledger, and how many of them became what.

use std::fmt;
use std::io::BufRead;
use std::time::{Duration, Instant};

use modeltrail::{Ack, Ledger, Reader, Record, RecordError, Recorder, RecordingError};
use serde::Serialize;

use super::tally::{Tally, tally};
use super::{LINE_SLACK_BYTES, Line, Lines, Source};
use crate::cli::recording;
use crate::config::{OnFullChoice, Settings};
use crate::exit::Failure;
use crate::progress::Progress;

/// Refused lines that are told one by one; further ones are counted, so that a file of another
/// format does not fill a terminal or a disk.
pub(crate) const N_TOLD_MAX: u64 = 100;

/// How long a record waits for room: longer than any pause of a healthy sequencer, short enough
/// that nobody waits a day for one that is gone.
const BLOCK: Duration = Duration::from_secs(600);

/// How long nothing may be sequenced before that is told as a failure.
const STALL: Duration = Duration::from_secs(60);

/// How often the number of waiting records is looked at while they are sequenced.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How often, in records, the number of those waiting is looked at while a file is read.
const N_BETWEEN_LOOKS: u64 = 16 * 1024;

/// Most records that may wait for this process's own sequencer (about 100 MiB of the spool): a file
/// is read faster than it is sequenced, and the spool is for bursts.
const DEPTH_MAX: u64 = 64 * 1024;

/// How long the threads get to end after everything has reached its stage.
const CLOSE: Duration = Duration::from_secs(10);

/// What became of the lines. Counts that need the sequencer are absent where its work was not
/// waited for.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Lines read.
    #[serde(rename = "lines")]
    pub(crate) n_lines: u64,
    /// Of these, lines without anything on them.
    #[serde(rename = "blank")]
    pub(crate) n_blank: u64,
    /// New entries.
    #[serde(rename = "recorded")]
    pub(crate) n_recorded: Option<u64>,
    /// Records that were there already.
    #[serde(rename = "duplicates")]
    pub(crate) n_duplicates: Option<u64>,
    /// Records under a request id that holds another one; each is kept as a conflict entry.
    #[serde(rename = "conflicts")]
    pub(crate) n_conflicts: Option<u64>,
    /// Lines that are no record.
    #[serde(rename = "refused")]
    pub(crate) n_refused: u64,
    /// Records passed over for want of room; gap entries count them.
    #[serde(rename = "dropped")]
    pub(crate) n_dropped: u64,
    /// The stage that was waited for.
    pub(crate) ack: &'static str,
    /// Why no checkpoint is signed over the newest entries; absent when one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unsigned: Option<String>,
    #[serde(skip)]
    n_taken: u64,
}

impl Summary {
    /// True when every record is in the ledger as it was given.
    pub(crate) fn is_clean(&self) -> bool {
        self.n_refused == 0 && self.n_dropped == 0 && self.n_conflicts.unwrap_or(0) == 0
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} line{}: ", self.n_lines, if self.n_lines == 1 { "" } else { "s" })?;
        match self.n_recorded {
            Some(n) => write!(f, "{n} recorded")?,
            None => write!(f, "{} {}", self.n_taken, self.ack)?,
        }
        if let Some(n) = self.n_duplicates {
            write!(f, ", {n} already there")?;
        }
        if let Some(n) = self.n_conflicts {
            write!(f, ", {n} conflicts")?;
        }
        write!(f, ", {} refused", self.n_refused)?;
        if self.n_dropped > 0 {
            write!(f, ", {} dropped for want of room", self.n_dropped)?;
        }
        if self.n_blank > 0 {
            write!(f, ", {} blank", self.n_blank)?;
        }
        Ok(())
    }
}

/// Records lines into one ledger.
pub(crate) struct Intake<'a> {
    settings: &'a Settings,
    ledger: Ledger,
    recorder: Recorder,
    /// Number of entries before.
    size: u64,
    summary: Summary,
}

impl<'a> Intake<'a> {
    /// Opens the ledger for recording.
    pub(crate) fn open(settings: &'a Settings, ledger: &Ledger) -> Result<Self, Failure> {
        let size = Reader::of(ledger)?.size()?;
        // There is no application here to give way to.
        let options =
            recording::options(settings, "cli", BLOCK)?.give_way(false).close_timeout(CLOSE);
        let recorder = options.open(&settings.store)?;
        let summary = Summary { ack: settings.ack.name(), ..Summary::default() };
        Ok(Self { settings, ledger: ledger.clone(), recorder, size, summary })
    }

    /// Records each line of a source.
    ///
    /// # Errors
    /// When the source cannot be read on, or the recorder takes nothing more.
    pub(crate) fn take(&mut self, source: Source, progress: &Progress) -> Result<(), Failure> {
        let Source { name, from, .. } = source;
        let bytes_max = self.settings.limits.record_bytes_max;
        let mut lines = Lines::new(from, bytes_max.saturating_add(LINE_SLACK_BYTES));
        let done = self.take_lines(&name, &mut lines, progress);
        let n_untold = self.summary.n_refused.saturating_sub(N_TOLD_MAX);
        if n_untold > 0 {
            progress.tell(&format!("{name}: {n_untold} more refused lines are not shown"));
        }
        done
    }

    fn take_lines(
        &mut self,
        name: &str,
        lines: &mut Lines<impl BufRead>,
        progress: &Progress,
    ) -> Result<(), Failure> {
        loop {
            let at = self.summary.n_lines + 1;
            let line = match lines.next() {
                Ok(Some(line)) => line,
                Ok(None) => return Ok(()),
                Err(error) => {
                    return Err(Failure::failed(format!(
                        "{name}: line {at} cannot be read: {error}"
                    )));
                }
            };
            self.summary.n_lines = at;
            match self.take_line(&line) {
                Ok(()) => {}
                Err(RecordingError::Refused(error)) => {
                    self.summary.n_refused += 1;
                    if self.summary.n_refused <= N_TOLD_MAX {
                        progress.tell(&format!("{name}:{at}: {error}"));
                    }
                }
                Err(error) => {
                    let hint =
                        "what was taken before is recorded; the same file can be recorded again";
                    return Err(Failure::failed(format!("{name}:{at}: {error}")).hint(hint));
                }
            }
            progress.position(lines.n_bytes());
            if at.is_multiple_of(N_BETWEEN_LOOKS) {
                self.keep_up(progress)?;
            }
        }
    }

    /// Lets the sequencer catch up where it is this process's own and far behind.
    fn keep_up(&self, progress: &Progress) -> Result<(), Failure> {
        let stats = self.recorder.stats()?;
        if !stats.is_sequencer || stats.depth <= DEPTH_MAX {
            return Ok(());
        }
        self.settle(Ack::Sequenced, progress)
    }

    fn take_line(&mut self, line: &Line<'_>) -> Result<(), RecordingError> {
        let bytes = match line {
            Line::Whole(bytes) => *bytes,
            Line::TooLong => return Err(too_long(self.settings.limits.record_bytes_max).into()),
        };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            self.summary.n_blank += 1;
            return Ok(());
        }
        let record = Record::from_json(bytes, &self.settings.limits)?;
        // Where a full spool is to be told at once, the ring of accepted records, which is full
        // whenever a file is read faster than it is written, must not be in between.
        let ack = match self.settings.on_full {
            OnFullChoice::Block => Ack::Accepted,
            OnFullChoice::Fail | OnFullChoice::Gap => Ack::Written,
        };
        let recorded = self.recorder.record_at(record, ack)?;
        self.summary.n_taken += 1;
        self.summary.n_dropped += u64::from(recorded.dropped);
        Ok(())
    }

    /// Waits until everything has reached the stage, and counts what became of it.
    pub(crate) fn finish(mut self, ack: Ack, progress: &Progress) -> Result<Summary, Failure> {
        self.settle(ack, progress)?;
        match self.recorder.close() {
            // What was promised has been reached; the rest waits in the spool.
            Err(RecordingError::Timeout { .. }) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
        self.summary.unsigned = self.recorder.unsigned()?;
        // Records that were taken but could not be framed are no entries either.
        let stats = self.recorder.stats()?;
        self.summary.n_refused += stats.n_refused;
        let n_kept = self.summary.n_taken.saturating_sub(self.summary.n_dropped + stats.n_refused);
        if ack >= Ack::Sequenced {
            let reader = Reader::of(&self.ledger)?;
            let Tally { n_duplicates, n_conflicts, n_lost } =
                tally(&reader, self.size, &self.recorder.producer()?, &stats)?;
            if n_lost > 0 {
                let text = format!(
                    "{n_lost} records were damaged in the spool; record the same file again"
                );
                return Err(Failure::failed(text));
            }
            self.summary.n_duplicates = Some(n_duplicates);
            self.summary.n_conflicts = Some(n_conflicts);
            self.summary.n_recorded = Some(n_kept.saturating_sub(n_duplicates + n_conflicts));
        }
        Ok(self.summary)
    }

    /// Waits for a stage as long as there is some progress.
    fn settle(&self, ack: Ack, progress: &Progress) -> Result<(), Failure> {
        let mut best = (u64::MAX, Instant::now());
        loop {
            match self.recorder.flush_within(ack, LOOK_EVERY) {
                Ok(()) => return Ok(()),
                Err(error @ RecordingError::Timeout { .. }) => {
                    let depth = self.recorder.stats()?.depth;
                    if depth < best.0 {
                        best = (depth, Instant::now());
                    } else if best.1.elapsed() > STALL {
                        return Err(error.into());
                    }
                    progress.message(|| format!("{depth} to sequence"));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn too_long(bytes_max: usize) -> RecordError {
    RecordError {
        pointer: String::new(),
        reason: format!("is larger than {bytes_max} bytes"),
        remedy: "send less, or a digest of the large part".to_owned(),
    }
}
