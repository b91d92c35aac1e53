//! What the product's own entries say: the part `control`. It is never erased, so it holds codes,
//! numbers, random identifiers and redaction policies, and nothing about a person.

use serde::{Deserialize, Serialize};

use crate::code::Kind;
use crate::erasure::Erasure;
use crate::keys::KeyChange;
use crate::lifecycle::Lifecycle;

/// Producer numbers that became no entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gap {
    /// The producer whose numbers they are, 32 hex digits.
    pub producer: String,
    /// First and last number of each run, ascending.
    pub ranges: Vec<(u64, u64)>,
    /// Why.
    pub reason: GapReason,
}

/// Why a producer number became no entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The same record was there already under its request id.
    Duplicate,
    /// No room: the ring or the disk was full and inference went on.
    Dropped,
    /// The spool was damaged there; the bytes are in its quarantine.
    Quarantined,
    /// The record could not be kept as it was (too deep, too large, no JSON).
    Refused,
    /// They belong to the epoch before: entries of the ledger that this one goes on from, or lost
    /// with it.
    Epoch,
}

/// The life of a producer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Producer {
    /// What happened.
    pub event: ProducerEvent,
    /// The next number it would have used: all below are accounted for.
    pub next_seq: u64,
    /// Which producer, 32 hex digits.
    pub producer: String,
    /// Version of the program that wrote this.
    pub software: String,
}

/// What happened to a producer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProducerEvent {
    /// It began.
    Open,
    /// It lives.
    Heartbeat,
    /// It closed in order.
    Close,
    /// It died; written by the sequencer after it drained what was left.
    Lost,
}

/// Where a ledger goes on that had to end: what its first entry says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Epoch {
    /// The last checkpoint, or head, that was kept outside the database before, as it stood there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// First and last index of the run of entries that were there and are not any more.
    pub missing: Vec<(u64, u64)>,
    /// [`Epoch::text`] signed by keys of the ledger before, those that were at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Which epoch begins, from 1; the ledger as it was made is epoch 0.
    pub number: u64,
    /// Name of the ledger before.
    pub origin_before: String,
    /// How many entries were left of it.
    pub size_before: u64,
}

impl Epoch {
    /// What the keys of the ledger before sign, so that who trusts them can trust the new one:
    /// `origin` is its name and `vkey` its checkpoint key, if it has one.
    #[must_use]
    pub fn text(&self, origin: &str, vkey: Option<&str>) -> String {
        let Self { number, origin_before, size_before, .. } = self;
        let vkey = vkey.unwrap_or("-");
        format!("modeltrail/v1/epoch\n{origin_before}\n{size_before}\n{number}\n{origin}\n{vkey}\n")
    }
}

/// The part `control`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Control {
    /// Of a `gap` entry.
    Gap(Gap),
    /// Of a `producer` entry.
    Producer(Producer),
    /// Of an `erasure` entry.
    Erasure(Erasure),
    /// Of a `key` entry.
    Key(KeyChange),
    /// Of an `epoch` entry.
    Epoch(Epoch),
    /// Of a `lifecycle` entry that the ledger itself wrote.
    Lifecycle(Lifecycle),
}

impl Control {
    /// The kind of the entry that carries it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Gap(_) => Kind::Gap,
            Self::Producer(_) => Kind::Producer,
            Self::Erasure(_) => Kind::Erasure,
            Self::Key(_) => Kind::Key,
            Self::Epoch(_) => Kind::Epoch,
            Self::Lifecycle(_) => Kind::Lifecycle,
        }
    }

    /// Reads the control part of an entry of `kind`; `None` for kinds or shapes of a later version.
    #[must_use]
    pub fn read(kind: Kind, bytes: &[u8]) -> Option<Self> {
        match kind {
            Kind::Gap => serde_json::from_slice(bytes).ok().map(Self::Gap),
            Kind::Producer => serde_json::from_slice(bytes).ok().map(Self::Producer),
            Kind::Erasure => serde_json::from_slice(bytes).ok().map(Self::Erasure),
            Kind::Key => serde_json::from_slice(bytes).ok().map(Self::Key),
            Kind::Epoch => serde_json::from_slice(bytes).ok().map(Self::Epoch),
            Kind::Lifecycle => serde_json::from_slice(bytes).ok().map(Self::Lifecycle),
            _ => None,
        }
    }
}
