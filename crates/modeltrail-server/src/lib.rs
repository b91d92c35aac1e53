//! The `modeltrail` command line.
//!
//! # Manners
//!
//! What was asked for goes to standard output, everything else to standard error: notes, progress
//! bars (only where that is a terminal), `error:` with a `hint:`. Exit codes: 0 fine, 1 findings, 2
//! usage or bad input, 3 could not do it. A reader of standard output that goes away early is no error.
//!
//! # Where things are
//!
//! `cli/` has a file or folder for each subcommand, `config/` the one table that declares every
//! setting, `output/` the writers for tables, CSV and JSON, `witness/` the witness of other ledgers,
//! `outside/` what is put where the operator cannot change it.
//!
//! Architecture invariant: nothing here holds a whole ledger, file or answer in memory, and nothing
//! here hashes, redacts or writes an entry by itself; the crates below do.

mod cli;
mod config;
mod exit;
mod files;
mod output;
mod outside;
mod progress;
mod proxy;
mod witness;

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the command line `args`, the program's name first, and gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    cli::run(args).code()
}
