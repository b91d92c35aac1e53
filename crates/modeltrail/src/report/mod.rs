//! The auditor's questions, answered through [`crate::Reader`] alone. Figures are summed in integers,
//! so that every run and every store gives the same bytes, and in flat memory over any number of
//! records.

mod data_access;
mod distinct;
mod latency;
mod model_usage;

#[cfg(test)]
mod tests;

pub use data_access::{DataAccess, Request, data_access};
pub use latency::LatencyStats;
pub use model_usage::{ModelUsage, model_usage};

use modeltrail_core::time::format_rfc3339_short;

use crate::clock;

/// The time that a report covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// Whole days back from the end.
    pub days: u32,
    /// The end, nanoseconds since 1970 UTC; `None` for now, and then nothing is cut off at the end,
    /// as in the seed document.
    pub as_of_ns: Option<i64>,
}

const NS_PER_DAY: i64 = 86_400 * 1_000_000_000;

impl Period {
    /// The last `days` days.
    #[must_use]
    pub const fn last_days(days: u32) -> Self {
        Self { days, as_of_ns: None }
    }

    /// The first point in time that counts.
    #[must_use]
    pub fn since_ns(&self) -> i64 {
        let end = self.as_of_ns.unwrap_or_else(clock::now_ns);
        end.saturating_sub(i64::from(self.days).saturating_mul(NS_PER_DAY))
    }

    /// The first point in time that no longer counts.
    #[must_use]
    pub fn until_ns(&self) -> Option<i64> {
        self.as_of_ns.map(|end| end.saturating_add(1))
    }
}

/// Microseconds as milliseconds: the double nearest to the decimal fraction, the same on every
/// machine, since division is exactly rounded (IEEE 754).
#[must_use]
pub fn ms(us: u64) -> f64 {
    ratio(u128::from(us), 1000)
}

/// The quotient of two integers as the double nearest to it, as far as both are below 2^53; larger
/// sums are halved together first, which moves the quotient by less than one part in 2^52.
fn ratio(mut sum: u128, mut by: u128) -> f64 {
    while sum >= 1 << 53 {
        sum >>= 1;
        by = (by >> 1).max(1);
    }
    let double = |value: u128| {
        let (high, low) = ((value >> 32) as u32, (value & 0xffff_ffff) as u32);
        f64::from(high) * 4_294_967_296.0 + f64::from(low)
    };
    double(sum) / double(by)
}

/// A point in time as reports print it.
fn time_text(time_ns: i64) -> String {
    format_rfc3339_short(time_ns)
}
