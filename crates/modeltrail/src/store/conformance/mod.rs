//! What every store must pass. Whoever writes a store calls [`run_all`] in a test:
//!
//! ```
//! use modeltrail::store::{MemoryStore, conformance};
//! conformance::run_all(&mut || Box::new(MemoryStore::new("example.com/audit")));
//! ```
//!
//! The checks know of a store what [`Store`] says and nothing else: what is asked of one that
//! compresses, shares contents or keeps short keys is the same as of one that does not. What was
//! put in is kept beside the store, and queries are held against a loop over it. All randomness
//! comes from fixed seeds, so that a failure comes again.

mod append;
mod generate;
mod requests;
mod scan;
mod tree;
mod usage;
mod whole;

use std::fmt;

use super::Store;

/// Makes an empty ledger, another one at each call.
pub type Make<'a> = dyn FnMut() -> Box<dyn Store> + 'a;

/// One thing that every store must do.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// What it holds the store to.
    pub name: &'static str,
    run: fn(&mut Make<'_>) -> Outcome,
}

impl Check {
    /// Runs the check on empty ledgers of `make`.
    ///
    /// # Errors
    /// What the store did instead.
    pub fn run(&self, make: &mut Make<'_>) -> Result<(), Failed> {
        (self.run)(make)
    }
}

/// What a store did instead of what it must do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed(String);

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A call that must not fail and did. `Failed` is no error itself, so that this can hold for all.
impl<E: std::error::Error> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(format!("a call that must not fail gave: {error}"))
    }
}

type Outcome = Result<(), Failed>;

/// Every check, from the simple to the long.
pub const CHECKS: &[Check] = &[
    Check { name: "an empty ledger ends at nothing", run: append::empty },
    Check { name: "what was appended is read back byte by byte", run: append::read_back },
    Check { name: "parts of every size come back", run: append::sizes },
    Check { name: "parts of 17 MiB come back", run: append::large },
    Check { name: "equal inputs may be shared and each entry stays whole", run: append::shared },
    Check { name: "another head is a conflict and leaves nothing", run: append::conflict },
    Check {
        name: "a batch of another place is refused and leaves nothing",
        run: append::misplaced,
    },
    Check { name: "head, frontier and links are those of the leaves", run: append::tree },
    Check { name: "leaves and leaf hashes are those of the entries", run: tree::leaves },
    Check { name: "a tile is there when its last entry is", run: tree::tiles },
    Check { name: "checkpoints are kept with every line", run: tree::checkpoints },
    Check {
        name: "a checkpoint that cannot be the ledger's is refused",
        run: tree::refused_checkpoints,
    },
    Check { name: "what is known of producers is kept", run: requests::producers },
    Check {
        name: "request ids find the record and no conflict entry",
        run: requests::find_request,
    },
    Check { name: "several reads in one go are done once", run: requests::one_read },
    Check { name: "queries give what a loop over all entries gives", run: scan::random_queries },
    Check { name: "pages hold each entry once while others append", run: scan::pages },
    Check { name: "usage rows come in the order of time", run: usage::rows },
    Check { name: "a verification meets every row in order", run: whole::verify_scan },
    Check { name: "other handles see whole batches", run: whole::batches },
];

/// Runs every check of [`CHECKS`].
///
/// # Panics
/// At the first check that fails, naming it.
pub fn run_all(make: &mut Make<'_>) {
    for check in CHECKS {
        let outcome = check.run(make);
        assert!(outcome.is_ok(), "store conformance, {}: {}", check.name, told(&outcome));
    }
}

fn told(outcome: &Outcome) -> String {
    outcome.as_ref().err().map(Failed::to_string).unwrap_or_default()
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failed(otherwise())) }
}

fn same<T: PartialEq + fmt::Debug>(what: &str, is: &T, should_be: &T) -> Outcome {
    ensure(is == should_be, || format!("{what} is {is:?} and should be {should_be:?}"))
}
