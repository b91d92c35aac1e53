//! The keys of a ledger, as its own `key` entries tell of them (`spec/control.md`).
//!
//! Who verifies pins one verifier key that was handed over outside the ledger. What the entries add
//! is how that key was followed by others: each change is signed by the keys that may say so, so
//! that who can write to the database cannot name a key of their own.

mod change;
mod history;
#[cfg(test)]
mod tests;

pub use change::{KeyChange, KeyEvent, KeyReason, KeyRole};
pub use history::{KeyChangeError, KeyHistory, LedgerKey, N_KEYS_MAX};
