//! The `modeltrail` program from outside: what it prints, what it leaves behind, how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "what the tests share may fail as the tests do, and says when it skips; the lints know test \
              functions alone"
)]

mod both_verifiers;
mod bundle;
mod canary;
mod config;
mod demo;
mod doctor;
mod key;
mod log;
mod manners;
mod outside;
mod policy;
mod query;
mod redact;
mod refusals;
mod report;
mod second_verifier;
mod support;
mod tiles;
mod verify;
mod verify_modes;
