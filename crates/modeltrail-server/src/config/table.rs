//! The one table of settings: help, `config` and the documentation are made from it.

use modeltrail_core::redact::Rule;

/// What stands for every rule.
pub(super) const ALL_RULES: &str = "all";

/// Choices of `redaction.rules`.
#[expect(clippy::indexing_slicing, reason = "the compiler refuses an index that is not there")]
static RULES: [&str; Rule::ALL.len() + 1] = {
    let mut names = [ALL_RULES; Rule::ALL.len() + 1];
    let mut at = 0;
    while at < Rule::ALL.len() {
        names[at + 1] = Rule::ALL[at].name();
        at += 1;
    }
    names
};

/// What a setting's value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// Any text.
    Text,
    /// One of these.
    Choice(&'static [&'static str]),
    /// Some of these.
    Choices(&'static [&'static str]),
    /// Any number of texts; in a variable or flag separated by white space.
    Texts,
    /// A number of bytes; texts may end in KiB, MiB or GiB.
    Bytes,
    /// A number.
    Number,
}

impl Form {
    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Choice(names) => format!("one of {}", names.join(", ")),
            Self::Choices(names) => format!("a list of {}", names.join(", ")),
            Self::Texts => "a list of texts".to_owned(),
            Self::Bytes => "bytes, like 1048576 or \"1MiB\"".to_owned(),
            Self::Number => "a number".to_owned(),
        }
    }
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    /// Its name in the file, with the table it stands in.
    pub(crate) key: &'static str,
    /// Its variable.
    pub(crate) env: &'static str,
    /// Its flag, if it has one.
    pub(crate) flag: Option<&'static str>,
    /// What its value is.
    pub(crate) form: Form,
    /// Its value when nobody says one, as it would be written in a variable.
    pub(crate) default: &'static str,
    /// What it is for: a sentence that ends in a full stop.
    pub(crate) help: &'static str,
}

impl Setting {
    /// The help of its flag.
    pub(crate) fn flag_help(&self) -> String {
        let help = self.help.trim_end_matches('.');
        format!("{help} [env: {}] [default: {}]", self.env, self.default)
    }
}

/// Every setting, in the order in which they are shown.
pub(crate) const SETTINGS: &[Setting] = &[
    Setting {
        key: "store",
        env: "MODELTRAIL_STORE",
        flag: Some("--store"),
        form: Form::Text,
        default: "sqlite:modeltrail.db",
        help: "Where the ledger is: sqlite:PATH, relative to the working folder.",
    },
    Setting {
        key: "format",
        env: "MODELTRAIL_FORMAT",
        flag: Some("--format"),
        form: Form::Choice(&["table", "json", "csv"]),
        default: "table",
        help: "The form of answers on standard output.",
    },
    Setting {
        key: "ack",
        env: "MODELTRAIL_ACK",
        flag: Some("--ack"),
        form: Form::Choice(&["written", "spooled", "sequenced", "published"]),
        default: "sequenced",
        help: "The stage that `log` waits for before it returns.",
    },
    Setting {
        key: "on_full",
        env: "MODELTRAIL_ON_FULL",
        flag: Some("--on-full"),
        form: Form::Choice(&["block", "fail", "gap"]),
        default: "block",
        help: "What `log` does when there is no room: wait, stop, or go on and write a gap entry.",
    },
    Setting {
        key: "spool.dir",
        env: "MODELTRAIL_SPOOL_DIR",
        flag: None,
        form: Form::Text,
        default: "",
        help: "The spool's folder; empty for the one beside the database. All who record must share it.",
    },
    Setting {
        key: "spool.segment_bytes",
        env: "MODELTRAIL_SPOOL_SEGMENT_BYTES",
        flag: None,
        form: Form::Bytes,
        default: "8MiB",
        help: "Length of a segment of the spool, a multiple of 4096.",
    },
    Setting {
        key: "spool.bytes_max",
        env: "MODELTRAIL_SPOOL_BYTES_MAX",
        flag: None,
        form: Form::Bytes,
        default: "1GiB",
        help: "Most bytes of all segments together.",
    },
    Setting {
        key: "spool.trim",
        env: "MODELTRAIL_SPOOL_TRIM",
        flag: None,
        form: Form::Choice(&["sequenced", "published"]),
        default: "sequenced",
        help: "When the spool may forget a record: once it is committed, or once a checkpoint covers it.",
    },
    Setting {
        key: "publish.every_ms",
        env: "MODELTRAIL_PUBLISH_EVERY_MS",
        flag: None,
        form: Form::Number,
        default: "1000",
        help: "A ledger that grew gets a checkpoint after this many milliseconds, 10 to 3600000.",
    },
    Setting {
        key: "publish.entries",
        env: "MODELTRAIL_PUBLISH_ENTRIES",
        flag: None,
        form: Form::Number,
        default: "65536",
        help: "Or after this many entries, 1 to 65536.",
    },
    Setting {
        key: "limits.record_bytes_max",
        env: "MODELTRAIL_RECORD_BYTES_MAX",
        flag: None,
        form: Form::Bytes,
        default: "16MiB",
        help: "Largest record, as submitted and in canonical form; at most 16 MiB.",
    },
    Setting {
        key: "limits.depth_max",
        env: "MODELTRAIL_DEPTH_MAX",
        flag: None,
        form: Form::Number,
        default: "128",
        help: "Deepest nesting of a record; at most 128.",
    },
    Setting {
        key: "redaction.rules",
        env: "MODELTRAIL_REDACTION_RULES",
        flag: None,
        form: Form::Choices(&RULES),
        default: "all",
        help: "Which rules mask what is recorded, or all; an empty list masks nothing, and the ledger says so.",
    },
    Setting {
        key: "redaction.policy",
        env: "MODELTRAIL_REDACTION_POLICY",
        flag: None,
        form: Form::Text,
        default: "",
        help: "A file that says what is masked, how and where (spec/redaction-policy.md), instead of `redaction.rules`.",
    },
    Setting {
        key: "redaction.canary_hours",
        env: "MODELTRAIL_REDACTION_CANARY_HOURS",
        flag: None,
        form: Form::Number,
        default: "24",
        help: "Hours after which the redactor is tried out again with built-in values, 0 to 8784; 0 is at the start alone.",
    },
    Setting {
        key: "outside.copies",
        env: "MODELTRAIL_OUTSIDE_COPIES",
        flag: None,
        form: Form::Texts,
        default: "",
        help: "Second places for checkpoints: folders, https://ADDRESS (GET, then PUT), post+https://ADDRESS (POST).",
    },
    Setting {
        key: "outside.policy",
        env: "MODELTRAIL_OUTSIDE_POLICY",
        flag: None,
        form: Form::Text,
        default: "",
        help: "A C2SP tlog-policy: the ledger's key, the witnesses with their addresses, the quorum.",
    },
    Setting {
        key: "outside.witnesses_of",
        env: "MODELTRAIL_OUTSIDE_WITNESSES_OF",
        flag: None,
        form: Form::Choice(&["us", "others"]),
        default: "us",
        help: "Who runs the witnesses of the policy: us (tier T2), or others whom an auditor believes (T3).",
    },
    Setting {
        key: "outside.every_s",
        env: "MODELTRAIL_OUTSIDE_EVERY_S",
        flag: None,
        form: Form::Number,
        default: "10",
        help: "Seconds between two rounds of `publish --every`, and so the longest exposure when all is well.",
    },
    Setting {
        key: "outside.tsa",
        env: "MODELTRAIL_OUTSIDE_TSA",
        flag: None,
        form: Form::Text,
        default: "",
        help: "Address of a time-stamping authority (RFC 3161).",
    },
    Setting {
        key: "outside.tsa_every_s",
        env: "MODELTRAIL_OUTSIDE_TSA_EVERY_S",
        flag: None,
        form: Form::Number,
        default: "3600",
        help: "Seconds from one time stamp to the next.",
    },
    Setting {
        key: "outside.timeout_ms",
        env: "MODELTRAIL_OUTSIDE_TIMEOUT_MS",
        flag: None,
        form: Form::Number,
        default: "5000",
        help: "Longest wait for one answer of a witness, second place or authority; it is asked three times.",
    },
    Setting {
        key: "outside.ca_file",
        env: "MODELTRAIL_OUTSIDE_CA_FILE",
        flag: None,
        form: Form::Text,
        default: "",
        help: "Certificate authorities (PEM) to trust for https in place of Mozilla's.",
    },
    Setting {
        key: "witness.key",
        env: "MODELTRAIL_WITNESS_KEY",
        flag: Some("--key"),
        form: Form::Text,
        default: "witness.key",
        help: "The file of the key that `witness` cosigns with.",
    },
    Setting {
        key: "witness.state",
        env: "MODELTRAIL_WITNESS_STATE",
        flag: Some("--state"),
        form: Form::Text,
        default: "witness.state",
        help: "The folder where `witness serve` remembers what it has cosigned; it must be there.",
    },
    Setting {
        key: "witness.listen",
        env: "MODELTRAIL_WITNESS_LISTEN",
        flag: Some("--listen"),
        form: Form::Text,
        default: "127.0.0.1:8700",
        help: "The address that `witness serve` listens at; with port 0 the system chooses one.",
    },
    Setting {
        key: "witness.logs",
        env: "MODELTRAIL_WITNESS_LOGS",
        flag: Some("--log"),
        form: Form::Texts,
        default: "",
        help: "Verifier keys of the logs that `witness serve` cosigns for.",
    },
];

/// The table as a Markdown document.
pub(crate) fn reference() -> String {
    let mut text = String::from(
        "A setting is taken from its flag, else its variable, else the configuration file \
         (`--config FILE`, `MODELTRAIL_CONFIG`, or `modeltrail.toml` in the working folder), else its \
         default. A name like `spool.dir` is the key `dir` in the table `[spool]`. In a variable a \
         list is separated by commas, one of texts by spaces.\n\n\
         | setting | variable | flag | value | default | what it is for |\n\
         |---|---|---|---|---|---|\n",
    );
    for setting in SETTINGS {
        let flag = setting.flag.map_or_else(String::new, |flag| format!("`{flag}`"));
        let default = match setting.default {
            "" => String::new(),
            default => format!("`{default}`"),
        };
        text.push_str(&format!(
            "| `{}` | `{}` | {flag} | {} | {default} | {} |\n",
            setting.key,
            setting.env,
            setting.form.words(),
            setting.help
        ));
    }
    text
}
