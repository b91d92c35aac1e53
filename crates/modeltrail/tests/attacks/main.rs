//! Attacks on a ledger, each acted out by somebody who has what the attack says that he has, and what
//! catches it.
//!
//! | tier | who verifies has |
//! |---|---|
//! | T0 | the database and a pinned key |
//! | T1 | a checkpoint that was kept elsewhere, too |
//! | T2 | a witness, which saw the last checkpoint and is asked for each new one |
//!
//! Where a tier finds nothing the test says so: a blind spot that is not written down would be taken
//! for strength.

#[cfg(test)]
mod bundles;
#[cfg(test)]
mod erasures;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod room;
#[cfg(test)]
mod writer;
