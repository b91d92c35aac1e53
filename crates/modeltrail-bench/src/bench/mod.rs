//! One file per bench: the baseline and the product in turns, and their ratio.

pub(crate) mod accepted;
pub(crate) mod bundle;
pub(crate) mod memory;
pub(crate) mod proof;
pub(crate) mod proxy;
pub(crate) mod query;
pub(crate) mod redact;
pub(crate) mod report;
pub(crate) mod sequenced;
pub(crate) mod sequenced_signed;
pub(crate) mod spooled_many;
pub(crate) mod spooled_one;
pub(crate) mod tower;
pub(crate) mod verify;
pub(crate) mod verify_leaves;

use crate::Result;
use crate::outcome::Outcome;
use crate::setup::Setup;
use crate::shared::SharedLedger;

type Own = fn(&Setup) -> Result<Outcome>;
type Shared = fn(&Setup, &SharedLedger) -> Result<Outcome>;

/// Benches that make a ledger of their own, with their names on the command line.
pub(crate) const WITH_OWN_LEDGER: [(&str, Own); 10] = [
    ("accepted", accepted::run),
    ("spooled-one", spooled_one::run),
    ("spooled-many", spooled_many::run),
    ("sequenced", sequenced::run),
    ("sequenced-signed", sequenced_signed::run),
    ("bundle", bundle::run),
    ("proof", proof::run),
    ("redact", redact::run),
    ("proxy", proxy::run),
    ("tower", tower::run),
];

/// Benches that read the large ledger.
pub(crate) const ON_SHARED_LEDGER: [(&str, Shared); 5] = [
    ("verify", verify::run),
    ("verify-leaves", verify_leaves::run),
    ("query", query::run),
    ("report", report::run),
    ("memory", memory::run),
];
