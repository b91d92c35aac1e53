//! Redaction as a ledger knows it: which policies its records were redacted under, and the keys of
//! pseudonyms.

mod history;
mod policy_file;
mod pseudonyms;

pub use history::{InForce, newest_policy, policies};
pub(crate) use history::{epoch_state, known, newest_epoch};
pub use policy_file::{PolicyFileError, policy_file};
pub use pseudonyms::PseudonymKeys;
