//! Settings that fit each other.

use std::path::PathBuf;
use std::time::Duration;

use modeltrail::publish::PublishOptions;
use modeltrail::redaction::policy_file;
use modeltrail::spool::SpoolOptions;
use modeltrail::{Ack, Limits, Trim};
use modeltrail_core::redact::rules::PseudonymKey;
use modeltrail_core::redact::{Redactor, Rule};

use super::ConfigError;
use super::raw::{Given, Raw, Source, Value};
use super::table::{ALL_RULES, SETTINGS, Setting};
use crate::exit::Failure;
use crate::output::Format;

/// What `log` does when there is no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum OnFullChoice {
    /// Wait.
    Block,
    /// Stop.
    Fail,
    /// Go on; a gap entry counts what was passed over.
    Gap,
}

/// Settings of what goes outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct OutsideSettings {
    /// Second places as written.
    pub(crate) copies: Vec<String>,
    /// File of the policy.
    pub(crate) policy: Option<PathBuf>,
    /// Whether others run its witnesses.
    pub(crate) is_public: bool,
    /// Seconds between two rounds.
    pub(crate) every_s: u64,
    /// Address of a time-stamping authority.
    pub(crate) tsa: Option<String>,
    /// Seconds between two stamps.
    pub(crate) tsa_every_s: u64,
    /// Longest wait for an answer.
    pub(crate) timeout_ms: u64,
    /// Authorities for https.
    pub(crate) ca_file: Option<PathBuf>,
}

/// Longest time from one round or stamp to the next: a year. More is no interval but a mistake.
const EVERY_S_MAX: u64 = 366 * 86_400;

/// Longest wait for one answer. A round waits for its slowest place.
const TIMEOUT_MS_MAX: u64 = 60_000;

/// Settings of a witness.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WitnessSettings {
    /// The file of its key.
    pub(crate) key: PathBuf,
    /// The folder of its memory.
    pub(crate) state: PathBuf,
    /// Where it listens.
    pub(crate) listen: String,
    /// Verifier keys of its logs, not yet read.
    pub(crate) logs: Vec<String>,
}

/// A setting as `config` shows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    /// Its name.
    pub(crate) key: &'static str,
    /// Its value.
    pub(crate) value: Value,
    /// Where it comes from.
    pub(crate) source: Source,
}

/// All settings, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// URL of the ledger.
    pub(crate) store: String,
    /// Form of answers.
    pub(crate) format: Format,
    /// What `log` waits for.
    pub(crate) ack: Ack,
    /// What `log` does when there is no room.
    pub(crate) on_full: OnFullChoice,
    /// Sizes of the spool.
    pub(crate) spool: SpoolOptions,
    /// The spool's folder, if it is another than the one beside the database.
    pub(crate) spool_dir: Option<PathBuf>,
    /// When the spool may forget a record.
    pub(crate) trim: Trim,
    /// How often checkpoints are published.
    pub(crate) publish: PublishOptions,
    /// Limits of a record.
    pub(crate) limits: Limits,
    /// Rules that mask, where no policy is named.
    pub(crate) rules: Vec<Rule>,
    /// The file of the redaction policy, not yet read.
    pub(crate) policy: Option<PathBuf>,
    /// How often the redactor is tried out; zero at the start alone.
    pub(crate) canary: Duration,
    /// Of what goes outside.
    pub(crate) outside: OutsideSettings,
    /// Of `witness`.
    pub(crate) witness: WitnessSettings,
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    /// Each with its place.
    pub(crate) shown: Vec<Shown>,
}

/// A segment must be a multiple of this.
const SEGMENT_STEP_BYTES: u64 = 4096;

/// Longest segment: what the spool takes.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// Least room for a record: a model's names, an id and a short answer.
const RECORD_BYTES_MIN: u64 = 1024;

/// A frame of the spool holds 17 MiB, of which 1 MiB is for what surrounds the record.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// Shortest time between checkpoints: as often as a disk syncs with something else to do.
const EVERY_MS_MIN: u64 = 10;

/// Longest time between checkpoints: an hour without evidence outside the database is long.
const EVERY_MS_MAX: u64 = 3_600_000;

/// Longest time between two canary scans: a year, as for what goes outside.
const CANARY_HOURS_MAX: u64 = EVERY_S_MAX / 3600;

/// What `serde_json` and most JSON readers take.
const DEPTH_MAX: u64 = 128;

/// Reads typed values and notes what cannot be.
struct Checker<'a> {
    raw: &'a Raw,
    errors: &'a mut Vec<ConfigError>,
}

impl Checker<'_> {
    fn given(&self, key: &str) -> Option<Given> {
        SETTINGS.iter().find(|setting| setting.key == key).and_then(|setting| self.raw.get(setting))
    }

    fn text(&self, key: &str) -> String {
        match self.given(key) {
            Some(Given { value: Value::Text(text), .. }) => text,
            _ => String::new(),
        }
    }

    fn texts(&self, key: &str) -> Vec<String> {
        match self.given(key) {
            Some(Given { value: Value::List(texts), .. }) => texts,
            _ => Vec::new(),
        }
    }

    fn outside(&mut self) -> OutsideSettings {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        let tsa = filled(self.text("outside.tsa"));
        let is_http = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if tsa.as_ref().is_some_and(|url| !is_http(url)) {
            self.refuse("outside.tsa", "is no address; it begins with https:// or http://");
        }
        OutsideSettings {
            copies: self.texts("outside.copies"),
            policy: filled(self.text("outside.policy")).map(PathBuf::from),
            is_public: self.text("outside.witnesses_of") == "others",
            every_s: self.number("outside.every_s", 1, EVERY_S_MAX),
            tsa,
            tsa_every_s: self.number("outside.tsa_every_s", 1, EVERY_S_MAX),
            timeout_ms: self.number("outside.timeout_ms", 1, TIMEOUT_MS_MAX),
            ca_file: filled(self.text("outside.ca_file")).map(PathBuf::from),
        }
    }

    fn witness(&self) -> WitnessSettings {
        WitnessSettings {
            key: self.text("witness.key").into(),
            state: self.text("witness.state").into(),
            listen: self.text("witness.listen"),
            logs: self.texts("witness.logs"),
        }
    }

    fn refuse(&mut self, key: &str, what: &str) {
        let at = self.given(key).map_or(Source::Default, |given| given.source);
        self.errors.push(ConfigError { at, what: format!("`{key}` {what}") });
    }

    /// A number between two bounds, both included.
    fn number(&mut self, key: &str, min: u64, max: u64) -> u64 {
        let Some(Given { value: Value::Number(number), .. }) = self.given(key) else { return min };
        if !(min..=max).contains(&number) {
            self.refuse(key, &format!("cannot be {number}; it must be from {min} to {max}"));
        }
        number
    }

    fn rules(&self) -> Vec<Rule> {
        match self.given("redaction.rules") {
            Some(Given { value: Value::List(names), .. }) => Rule::ALL
                .into_iter()
                .filter(|rule| names.iter().any(|n| n == rule.name() || n == ALL_RULES))
                .collect(),
            _ => Rule::ALL.to_vec(),
        }
    }

    fn policy(&mut self) -> Option<PathBuf> {
        let path = self.text("redaction.policy");
        if path.is_empty() {
            return None;
        }
        let rules = self.given("redaction.rules").map(|given| given.source);
        if let Some(source) = rules.filter(|source| *source != Source::Default) {
            let drop = format!(
                "and `redaction.rules` ({source}) are both given; leave `redaction.rules` out: the policy's [types] say \
                 what is masked"
            );
            self.refuse("redaction.policy", &drop);
        }
        Some(path.into())
    }

    fn spool(&mut self) -> SpoolOptions {
        let segment = "spool.segment_bytes";
        let (min, max) = (2 * SEGMENT_STEP_BYTES, SEGMENT_BYTES_MAX);
        let segment_bytes = self.number(segment, 0, u64::MAX);
        let fits = (min..=max).contains(&segment_bytes)
            && segment_bytes.is_multiple_of(SEGMENT_STEP_BYTES);
        if !fits {
            let must = format!("a multiple of {SEGMENT_STEP_BYTES} from {min} to {max}");
            self.refuse(segment, &format!("cannot be {segment_bytes}; it must be {must}"));
        }
        let bytes_max = self.number("spool.bytes_max", 2 * SEGMENT_STEP_BYTES, u64::MAX);
        if bytes_max < segment_bytes {
            let what = format!("is {bytes_max}, less than one segment of {segment_bytes}");
            self.refuse("spool.bytes_max", &what);
        }
        SpoolOptions { segment_bytes, bytes_max, ..SpoolOptions::default() }
    }
}

impl Settings {
    /// Checks what was said. `None` together with errors.
    pub(super) fn of(
        raw: &Raw,
        file: Option<PathBuf>,
        errors: &mut Vec<ConfigError>,
    ) -> Option<Self> {
        let mut check = Checker { raw, errors };
        let spool = check.spool();
        let record_bytes_max =
            check.number("limits.record_bytes_max", RECORD_BYTES_MIN, RECORD_BYTES_MAX);
        let depth_max = check.number("limits.depth_max", 1, DEPTH_MAX);
        let store = check.text("store");
        if let Err(error) = modeltrail::Ledger::parse(&store) {
            let source = check.given("store").map_or(Source::Default, |given| given.source);
            check.errors.push(ConfigError { at: source, what: error.to_string() });
        }
        let dir = check.text("spool.dir");
        let publish = PublishOptions {
            every: Duration::from_millis(check.number(
                "publish.every_ms",
                EVERY_MS_MIN,
                EVERY_MS_MAX,
            )),
            n_entries: check.number("publish.entries", 1, PublishOptions::default().n_entries),
        };
        let shown = |setting: &Setting| {
            let Given { value, source } = raw.get(setting)?;
            Some(Shown { key: setting.key, value, source })
        };
        Some(Self {
            store,
            format: format(&check.text("format")),
            ack: ack(&check.text("ack")),
            on_full: on_full(&check.text("on_full")),
            spool,
            spool_dir: (!dir.is_empty()).then(|| PathBuf::from(dir)),
            trim: match check.text("spool.trim").as_str() {
                "published" => Trim::Published,
                _ => Trim::Sequenced,
            },
            publish,
            limits: Limits {
                record_bytes_max: usize::try_from(record_bytes_max).ok()?,
                depth_max: usize::try_from(depth_max).ok()?,
            },
            rules: check.rules(),
            policy: check.policy(),
            canary: Duration::from_secs(
                3600 * check.number("redaction.canary_hours", 0, CANARY_HOURS_MAX),
            ),
            outside: check.outside(),
            witness: check.witness(),
            file,
            shown: SETTINGS.iter().filter_map(shown).collect(),
        })
    }

    /// The redactor of these settings, without a key for pseudonyms.
    ///
    /// # Errors
    /// When the file of the policy cannot be read, or with everything that is wrong in it.
    pub(crate) fn redactor(&self) -> Result<Redactor, Failure> {
        self.redactor_with(None)
    }

    /// The redactor of these settings; a policy makes pseudonyms under this key.
    ///
    /// # Errors
    /// As [`Settings::redactor`].
    pub(crate) fn redactor_with(&self, key: Option<PseudonymKey>) -> Result<Redactor, Failure> {
        Ok(match &self.policy {
            Some(path) => Redactor::with_policy(policy_file(path)?, key),
            None => Redactor::with_rules(self.rules.iter().copied()),
        })
    }
}

// The table of settings lets no other names through.

fn format(name: &str) -> Format {
    match name {
        "json" => Format::Json,
        "csv" => Format::Csv,
        _ => Format::Table,
    }
}

fn ack(name: &str) -> Ack {
    match name {
        "written" => Ack::Written,
        "spooled" => Ack::Spooled,
        "published" => Ack::Published,
        _ => Ack::Sequenced,
    }
}

fn on_full(name: &str) -> OnFullChoice {
    match name {
        "fail" => OnFullChoice::Fail,
        "gap" => OnFullChoice::Gap,
        _ => OnFullChoice::Block,
    }
}
