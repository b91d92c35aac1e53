//! Points in time as people write them on a command line.

use modeltrail_core::time::parse_rfc3339;

/// What a time may be, for messages.
const FORMS: &str = "write 2026-03-15T09:30:00Z, 2026-03-15 (its beginning in UTC), or 7d, 24h, 30m back \
                     from now";

/// Nanoseconds since 1970 UTC of an RFC 3339 time, a date (its beginning in UTC), or a span back
/// from `now_ns`: a number with `d`, `h`, `m` or `s`.
///
/// # Errors
/// What may be written instead.
pub(crate) fn parse(text: &str, now_ns: i64) -> Result<i64, String> {
    if let Some(span_ns) = span(text) {
        return now_ns.checked_sub(span_ns).ok_or_else(|| refused(text));
    }
    let is_date = text.len() == 10 && text.bytes().filter(|c| *c == b'-').count() == 2;
    let full = if is_date { format!("{text}T00:00:00Z") } else { text.to_owned() };
    parse_rfc3339(&full).map_err(|_| refused(text))
}

/// Seconds of a span like `10s` or `2h`, at least one.
///
/// # Errors
/// What may be written instead.
pub(crate) fn parse_span_s(text: &str) -> Result<u64, String> {
    let seconds = span(text).map(|span_ns| span_ns / 1_000_000_000).filter(|seconds| *seconds > 0);
    let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
    seconds.ok_or_else(|| "write a number with s, m, h or d, like 10s".to_owned())
}

fn refused(text: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    format!("`{shown}` is no time; {FORMS}")
}

fn span(text: &str) -> Option<i64> {
    let units = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
    let (unit, seconds) = units.into_iter().find(|(unit, _)| text.ends_with(*unit))?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|c| c.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read_and_others_are_refused() {
        let at = |text: &str| parse(text, 1_000_000_000_000_000_000);
        let midnight = parse_rfc3339("2026-03-15T00:00:00Z").unwrap();
        assert_eq!(at("2026-03-15"), Ok(midnight));
        assert_eq!(at("2026-03-15T01:00:00+01:00"), Ok(midnight));
        assert_eq!(at("2d"), Ok(1_000_000_000_000_000_000 - 2 * 86_400 * 1_000_000_000));
        assert_eq!(at("90s"), Ok(1_000_000_000_000_000_000 - 90_000_000_000));
        for bad in ["", "d", "-1d", "1w", "2026-3-15", "2026-02-30", "yesterday", "99999999999999d"]
        {
            assert!(at(bad).is_err(), "{bad}");
        }
        assert_eq!((parse_span_s("10s"), parse_span_s("2h")), (Ok(10), Ok(7200)));
        assert!(["0s", "10", "-1s", "s", "1w"].iter().all(|bad| parse_span_s(bad).is_err()));
    }
}
