//! How a recorder behaves.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use modeltrail_core::Limits;
use modeltrail_core::redact::Redactor;
use modeltrail_core::redact::rules::RedactionPolicy;

use super::{Recorder, RecordingError, Stats};
use crate::publish::PublishOptions;
use crate::sequencer::{SequencerOptions, Trim};
use crate::spool::SpoolOptions;

/// The stage at which a call returns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ack {
    /// In memory, its place in the ring reserved; on disk some 20 ms later. Survives nothing.
    Accepted,
    /// Redacted and handed to the kernel. Survives `kill -9` of the process.
    Written,
    /// fdatasync returned. Survives power loss.
    Spooled,
    /// The store's transaction is committed: it can be queried.
    Sequenced,
    /// A signed checkpoint covers it, and the answer carries a receipt that was verified: a later
    /// change can be proven. The ledger needs a key.
    Published,
}

impl Ack {
    /// Every stage, the earliest first.
    pub const ALL: [Self; 5] =
        [Self::Accepted, Self::Written, Self::Spooled, Self::Sequenced, Self::Published];

    /// The name used in options and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Written => "written",
            Self::Spooled => "spooled",
            Self::Sequenced => "sequenced",
            Self::Published => "published",
        }
    }
}

/// What happens when neither ring nor disk has room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OnFull {
    /// Wait up to this long, then fail.
    Block(Duration),
    /// Fail at once (fail closed): the application decides whether to answer without a record.
    Fail,
    /// Go on without the record. Its number is used up, and a chained `gap` entry that counts it is
    /// written as soon as writing works.
    Gap,
}

type Callback = Arc<dyn Fn(&Stats) + Send + Sync>;

/// Options of a [`Recorder`].
#[derive(Clone)]
pub struct RecorderOptions {
    pub(super) ack: Ack,
    pub(super) on_full: OnFull,
    pub(super) create_as: Option<String>,
    pub(super) limits: Limits,
    pub(super) redactor: Redactor,
    pub(super) mode: String,
    pub(super) spool_dir: Option<PathBuf>,
    pub(super) spool: SpoolOptions,
    pub(super) sequence: bool,
    pub(super) sequencer: SequencerOptions,
    pub(super) give_way: bool,
    pub(super) ring_records_max: usize,
    pub(super) ring_bytes_max: usize,
    pub(super) flush_timeout: Duration,
    pub(super) close_timeout: Duration,
    pub(super) heartbeat: Duration,
    pub(super) canary: Duration,
    pub(super) deeper_than: Option<(u64, Callback)>,
    pub(super) full_within: Option<(Duration, Callback)>,
}

impl Default for RecorderOptions {
    fn default() -> Self {
        Self {
            ack: Ack::Accepted,
            on_full: OnFull::Block(Duration::from_millis(100)),
            create_as: None,
            limits: Limits::default(),
            redactor: Redactor::default(),
            mode: "api".to_owned(),
            spool_dir: None,
            spool: SpoolOptions::default(),
            sequence: true,
            sequencer: SequencerOptions::default(),
            give_way: true,
            // A tenth of a second of 160,000 records a second, which no single process makes.
            ring_records_max: 16 * 1024,
            // As many records of 4 KB; larger ones fill the ring by bytes first.
            ring_bytes_max: 64 * 1024 * 1024,
            flush_timeout: Duration::from_secs(60),
            close_timeout: Duration::from_secs(10),
            heartbeat: Duration::from_secs(60),
            canary: Duration::from_secs(24 * 3600),
            deeper_than: None,
            full_within: None,
        }
    }
}

impl fmt::Debug for RecorderOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecorderOptions")
            .field("ack", &self.ack)
            .field("on_full", &self.on_full)
            .field("spool", &self.spool)
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl RecorderOptions {
    /// Opens the ledger at `url`.
    ///
    /// # Errors
    /// When no ledger is there (see [`RecorderOptions::create`]), or its files cannot be used.
    pub fn open(self, url: &str) -> Result<Recorder, RecordingError> {
        Recorder::open_with(url, self)
    }

    /// The stage of [`Recorder::record`]; [`Ack::Accepted`] by default.
    #[must_use]
    pub const fn ack(mut self, ack: Ack) -> Self {
        self.ack = ack;
        self
    }

    /// What happens when there is no room; wait 100 ms by default.
    #[must_use]
    pub const fn on_full(mut self, on_full: OnFull) -> Self {
        self.on_full = on_full;
        self
    }

    /// Makes the ledger under this origin when it is not there yet. It has no signing keys then:
    /// [`crate::keys::LedgerKeys::begin`] makes them.
    #[must_use]
    pub fn create(mut self, origin: impl Into<String>) -> Self {
        self.create_as = Some(origin.into());
        self
    }

    /// Limits of a record.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The redactor; with every rule on unless told otherwise.
    #[must_use]
    pub fn redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// A redaction policy, in place of [`RecorderOptions::redactor`]. Where it makes pseudonyms and has no key, the
    /// recorder takes the ledger's, and makes it if there is none.
    #[must_use]
    pub fn policy(self, policy: RedactionPolicy) -> Self {
        self.redactor(Redactor::with_policy(policy, None))
    }

    /// The redaction policy in a file; see [`RecorderOptions::policy`].
    ///
    /// # Errors
    /// [`RecordingError::Policy`] with everything that is wrong in the file, each with its line, column and
    /// remedy.
    pub fn policy_file(self, path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        Ok(self.policy(crate::redaction::policy_file(path.as_ref())?))
    }

    /// How often the redactor is handed built-in values while records come, after the first time when the recorder is
    /// opened; each scan is an entry. Every 24 hours by default; zero is at the start alone.
    #[must_use]
    pub const fn canary(mut self, every: Duration) -> Self {
        self.canary = every;
        self
    }

    /// The way in, as the header names it: `api` by default.
    #[must_use]
    pub fn capture_mode(mut self, mode: impl Into<String>) -> Self {
        self.mode = mode.into();
        self
    }

    /// Another spool directory than the one beside the database. All processes that record into one
    /// ledger must share it.
    #[must_use]
    pub fn spool_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.spool_dir = Some(dir.into());
        self
    }

    /// Sizes of the spool.
    #[must_use]
    pub const fn spool(mut self, options: SpoolOptions) -> Self {
        self.spool = options;
        self
    }

    /// Whether this process may become the sequencer; true by default. With false, another process
    /// has to take what this one spools.
    #[must_use]
    pub const fn sequence(mut self, sequence: bool) -> Self {
        self.sequence = sequence;
        self
    }

    /// When the spool may forget a record: once it is sequenced (default), or once it is published.
    /// All who record into one ledger should say the same. See [`Trim`].
    #[must_use]
    pub const fn trim(mut self, trim: Trim) -> Self {
        self.sequencer.trim = trim;
        self
    }

    /// How often this process publishes checkpoints while it is the sequencer of a ledger with a
    /// key: after 1 s or 65,536 entries by default.
    #[must_use]
    pub const fn publish(mut self, options: PublishOptions) -> Self {
        self.sequencer.publish = options;
        self
    }

    /// Whether the sequencer's thread runs at a lower priority than the application's (on Linux);
    /// true by default, so that inference on busy cores is not slowed. With false both share alike,
    /// which is right for a program that only records.
    #[must_use]
    pub const fn give_way(mut self, give_way: bool) -> Self {
        self.give_way = give_way;
        self
    }

    /// Bounds of the ring of accepted records: how many, and about how many bytes.
    #[must_use]
    pub const fn ring(mut self, records_max: usize, bytes_max: usize) -> Self {
        self.ring_records_max = records_max;
        self.ring_bytes_max = bytes_max;
        self
    }

    /// How long [`Recorder::flush`] and calls at [`Ack::Sequenced`] and [`Ack::Published`] wait; 60 s
    /// by default.
    #[must_use]
    pub const fn flush_timeout(mut self, timeout: Duration) -> Self {
        self.flush_timeout = timeout;
        self
    }

    /// How long closing and dropping wait for the sequencer; 10 s by default.
    #[must_use]
    pub const fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    /// How often a producer entry tells the ledger the last number, when records came since; 60 s.
    #[must_use]
    pub const fn heartbeat(mut self, every: Duration) -> Self {
        self.heartbeat = every;
        self
    }

    /// Calls back when more than `depth_max` records wait, once each time the threshold is crossed.
    #[must_use]
    pub fn when_deeper_than(
        mut self,
        depth_max: u64,
        callback: impl Fn(&Stats) + Send + Sync + 'static,
    ) -> Self {
        self.deeper_than = Some((depth_max, Arc::new(callback)));
        self
    }

    /// Calls back when the spool, filling as fast as in the last second, will be full within this
    /// time; once each time that comes true.
    #[must_use]
    pub fn when_full_within(
        mut self,
        time: Duration,
        callback: impl Fn(&Stats) + Send + Sync + 'static,
    ) -> Self {
        self.full_within = Some((time, Arc::new(callback)));
        self
    }
}
