//! Evidence outside: what is put where the operator of a ledger cannot change it, and how far it goes.
//!
//! | tier | who keeps something | what it shows |
//! |---|---|---|
//! | T0 | nobody: the anchor lies beside the database | changes by whoever has no signing key |
//! | T1 | a second place has copies of checkpoints | a rewritten or cut ledger, to whoever compares |
//! | T2 | witnesses cosign | that, and a second history, at once and with evidence |
//! | T3 | witnesses whom others run, or a time-stamping authority | that, by a third party; backdating |
//!
//! What was committed since the newest checkpoint that is outside is exposed: it could still be
//! rewritten by whoever has database and key. `standing` tells since when.

pub(crate) mod copies;
pub(crate) mod evidence;
mod history;
pub(crate) mod http;
pub(crate) mod memory;
pub(crate) mod rfc3161;
pub(crate) mod round;
pub(crate) mod stamps;
pub(crate) mod standing;
mod witness_client;

use std::path::PathBuf;

use modeltrail::Ledger;

/// The files beside a ledger that tell of evidence outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Files {
    /// What was put where.
    pub(crate) memory: PathBuf,
    /// What speaks against the ledger.
    pub(crate) evidence: PathBuf,
    /// Time stamps.
    pub(crate) timestamps: PathBuf,
}

impl Files {
    pub(crate) fn of(ledger: &Ledger) -> Self {
        let beside = |name: &str| ledger.anchor_path().with_file_name(name);
        Self {
            memory: beside("outside.json"),
            evidence: beside("evidence"),
            timestamps: beside("timestamps"),
        }
    }
}
