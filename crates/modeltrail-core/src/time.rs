//! Points in time as nanoseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.

use jiff::Timestamp;

/// Why a text is no point in time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TimeError {
    /// Not RFC 3339 with a zone.
    #[error(
        "`{0}` is not an RFC 3339 time with a zone; write it like 2026-03-15T09:30:00.123Z or \
         2026-03-15T10:30:00+01:00"
    )]
    NotRfc3339(String),
    /// Outside what 64-bit nanoseconds hold.
    #[error("`{0}` lies outside the years 1678 to 2261, which 64-bit nanoseconds hold")]
    OutOfRange(String),
}

/// Parses an RFC 3339 time with a zone to nanoseconds UTC.
///
/// # Errors
/// When the text is no such time, has no zone, or lies outside 64-bit nanoseconds.
pub fn parse_rfc3339(text: &str) -> Result<i64, TimeError> {
    let parsed = if has_rfc3339_shape(text) { text.parse::<Timestamp>().ok() } else { None };
    let time = parsed.ok_or_else(|| TimeError::NotRfc3339(clip(text)))?;
    i64::try_from(time.as_nanosecond()).map_err(|_| TimeError::OutOfRange(clip(text)))
}

/// The grammar of RFC 3339 section 5.6, which is narrower than what jiff reads.
fn has_rfc3339_shape(text: &str) -> bool {
    fn fits(text: &[u8], pattern: &[u8]) -> bool {
        text.len() == pattern.len()
            && text.iter().zip(pattern).all(|(c, p)| match p {
                b'0' => c.is_ascii_digit(),
                b'T' => matches!(c, b'T' | b't' | b' '),
                b'+' => matches!(c, b'+' | b'-'),
                other => c == other,
            })
    }
    let Some((start, rest)) = text.as_bytes().split_at_checked(19) else { return false };
    let zone = match rest.strip_prefix(b".") {
        Some(rest) => {
            let n_digits = rest.iter().take_while(|c| c.is_ascii_digit()).count();
            if n_digits == 0 {
                return false;
            }
            rest.get(n_digits..).unwrap_or(&[])
        }
        None => rest,
    };
    fits(start, b"0000-00-00T00:00:00") && (matches!(zone, b"Z" | b"z") || fits(zone, b"+00:00"))
}

/// RFC 3339 in UTC with nine digits after the second, so that texts of one ledger sort as times.
#[must_use]
pub fn format_rfc3339(time_ns: i64) -> String {
    match Timestamp::from_nanosecond(i128::from(time_ns)) {
        Ok(time) => format!("{time:.9}"),
        // Every i64 lies inside jiff's range (years -9999 to 9999).
        Err(_) => format!("{time_ns}ns"),
    }
}

/// As [`format_rfc3339`], without trailing zeros in the fraction; for people.
#[must_use]
pub fn format_rfc3339_short(time_ns: i64) -> String {
    Timestamp::from_nanosecond(i128::from(time_ns))
        .map_or_else(|_| format!("{time_ns}ns"), |time| time.to_string())
}

/// RFC 3339 in UTC with six digits after the second, of microseconds since 1970 UTC; `None` from the
/// year 10000 on, for which RFC 3339 has no text.
#[must_use]
pub fn format_rfc3339_us(time_us: u64) -> Option<String> {
    const SECONDS_END: u64 = 253_402_300_800;
    let (seconds, micros) = (time_us / 1_000_000, time_us % 1_000_000);
    if seconds >= SECONDS_END {
        return None;
    }
    // jiff ends 26 hours before the year 9999 does, so the date is counted here: days since
    // 0000-03-01 in eras of 400 years, so that a leap day ends each year.
    let days = seconds / 86_400 + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    Some(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z"))
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_become_utc_and_nothing_of_the_fraction_is_lost() {
        let ns = parse_rfc3339("2026-03-15T10:30:00.123456789+01:00").unwrap();
        assert_eq!(format_rfc3339(ns), "2026-03-15T09:30:00.123456789Z");
        assert_eq!(
            format_rfc3339_short(parse_rfc3339("2026-03-15T09:30:00Z").unwrap()),
            "2026-03-15T09:30:00Z"
        );
    }

    #[test]
    fn microseconds_have_a_text_to_the_end_of_the_year_9999() {
        assert_eq!(format_rfc3339_us(0).as_deref(), Some("1970-01-01T00:00:00.000000Z"));
        let last = format_rfc3339_us(253_402_300_799_999_999);
        assert_eq!(last.as_deref(), Some("9999-12-31T23:59:59.999999Z"));
        assert_eq!(format_rfc3339_us(253_402_300_800_000_000), None);
        assert_eq!(format_rfc3339_us(u64::MAX), None);
        // Against jiff, at steps of 11 days and some that meet every month and leap day.
        for step in 0..9000_i64 {
            let time_us = step * 977_777_777_777;
            let text = Timestamp::from_microsecond(time_us).unwrap();
            let ours = format_rfc3339_us(time_us.try_into().unwrap());
            assert_eq!(ours, Some(format!("{text:.6}")));
        }
    }

    #[test]
    fn refusals_say_why() {
        for bad in [
            "",
            "yesterday",
            "2026-03-15",
            "2026-03-15T09:30:00",
            "2026-13-15T09:30:00Z",
            "2026-03-15T09:30:00Z[UTC]",
            "2026-03-15T09:30:00+01",
            "2026-03-15T09:30:00+0100",
            "2026-03-15T09:30:00,5Z",
            "2026-03-15T09:30:00.Z",
            "2026-03-15T09:30Z",
            "-002026-03-15T09:30:00Z",
        ] {
            assert!(matches!(parse_rfc3339(bad), Err(TimeError::NotRfc3339(_))), "{bad}");
        }
        assert!(matches!(parse_rfc3339("1500-01-01T00:00:00Z"), Err(TimeError::OutOfRange(_))));
    }
}
