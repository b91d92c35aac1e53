//! The large ledger that several benches read, made once.

use std::time::Instant;

use modeltrail::Ack;
use tempfile::TempDir;

use crate::Result;
use crate::bench::sequenced::record;
use crate::outcome::progress;
use crate::setup::{Setup, create_ledger, patient};

/// Records of the ledger: a week of a service that answers one to two requests a second.
const N: u64 = 1_000_000;

/// A ledger full of the load of its number of records.
pub(crate) struct SharedLedger {
    /// Goes with the value.
    _dir: TempDir,
    pub(crate) url: String,
    pub(crate) n: u64,
}

impl SharedLedger {
    pub(crate) fn build(setup: &Setup) -> Result<Self> {
        let n = setup.n(N);
        progress(&format!("building a ledger of {n} records"))?;
        let begun = Instant::now();
        let dir = setup.scratch()?;
        let url = create_ledger(dir.path(), "shared.db")?;
        let recorder = patient().ack(Ack::Accepted).open(&url)?;
        let mut generator = setup.generator(n);
        while let Some(line) = generator.next_line() {
            record(&recorder, line)?;
        }
        recorder.flush(Ack::Sequenced)?;
        recorder.close()?;
        progress(&format!("built in {:.1} s", begun.elapsed().as_secs_f64()))?;
        Ok(Self { _dir: dir, url, n })
    }
}
