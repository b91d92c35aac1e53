//! The `modeltrail` program from outside: what it prints, what it leaves behind, how it ends.

mod config;
mod demo;
mod log;
mod manners;
mod query;
mod redact;
mod refusals;
mod report;
mod support;
mod verify;
