//! The `modeltrail` program from outside: what it prints, what it leaves behind, how it ends.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what the tests share may fail as the tests do; the lints know test functions alone"
)]

mod config;
mod demo;
mod log;
mod manners;
mod query;
mod redact;
mod refusals;
mod report;
mod second_verifier;
mod support;
mod tiles;
mod verify;
