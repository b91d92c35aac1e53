//! From one exchange over HTTP (or anything like it) to one record: what every way in without a change to the
//! application's code shares: the tower layer, the reverse proxy, the middleware of the Python package.
//!
//! A [`CaptureConfig`] says what is captured and where names come from; checked, it is a [`Plan`]. For each request
//! that the plan wants ([`Plan::begin`]) the way in feeds an [`Exchange`] with head and bodies as they pass, and
//! ends it once, whatever happened ([`Ending`]). The [`Captured`] that this gives has everything in memory; its
//! record is made later, on the recorder's own thread ([`Captured::into_record`]): shapes are read and streams
//! assembled there and not where the answer waits.
//!
//! Nothing here fails on what passes by: a body that is not what its route says is recorded as it came, with the
//! reason, so that each request gives exactly one record.

mod body;
mod config;
mod exchange;
mod made;
mod path;
mod plan;
mod problem;
pub mod shape;
mod source;

#[cfg(test)]
mod tests;

pub use body::{Body, Budget, Tap};
pub use config::{CaptureConfig, OneOrMany, RouteConfig};
pub use exchange::{Captured, Ending, Exchange, Timing};
pub use plan::{Mode, Plan, Unpack};
pub use problem::CaptureConfigError;
pub use source::Source;
