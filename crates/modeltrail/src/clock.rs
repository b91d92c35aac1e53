//! The system's clock, in the units of the formats.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970 UTC; saturates at the ends of what 64 bits hold.
pub(crate) fn now_ns() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, std::ops::Neg::neg)
        }
    }
}

/// Microseconds since 1970 UTC; 0 for a clock before that.
pub(crate) fn now_us() -> u64 {
    u64::try_from(now_ns() / 1_000).unwrap_or(0)
}
