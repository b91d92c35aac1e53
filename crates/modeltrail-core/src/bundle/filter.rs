//! What was asked: which entries match, and which range that asks for.

use serde::{Deserialize, Serialize};

use crate::time::parse_rfc3339;

use super::header::{HeaderView, is_time, party};
use crate::code::Kind;

/// Most that a record may come later than the time it tells of, in microseconds: ten years of 365 days.
pub const LATE_BY_US_MAX: u64 = 315_360_000_000_000;

/// How far clocks may run ahead: an event is not recorded before it happened, but a machine's clock
/// may think so.
const AHEAD_US: i128 = 24 * 3600 * 1_000_000;

/// Kinds from this code on are the ledger's own.
pub const CONTROL_KIND_MIN: u8 = 16;

/// A filter; all members that are there must hold. Members are declared in the order of canonical
/// bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Name of the leaf's kind. Without it control entries do not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How much later than `until` a record may have come, in microseconds; there if and only if
    /// `until` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_by_us: Option<u64>,
    /// Name of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_name: Option<String>,
    /// Version of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// Not before this time; RFC 3339 in UTC with nine digits after the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Status of the header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// About this subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_id: Option<String>,
    /// Before this time; written as `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Asked by this user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
}

/// The times of leaves that a filter's range has, in microseconds since 1970 UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The range begins with the first leaf that is not before this.
    first_us: Option<i128>,
    /// And ends before the first leaf that is behind this.
    last_us: Option<i128>,
}

impl Window {
    /// Of a filter without times.
    pub(super) const fn everything() -> Self {
        Self { first_us: None, last_us: None }
    }

    /// Whether a leaf of this time lies before the range.
    #[must_use]
    pub fn is_before(&self, time_us: u64) -> bool {
        self.first_us.is_some_and(|first_us| i128::from(time_us) < first_us)
    }

    /// Whether a leaf of this time lies behind the range.
    #[must_use]
    pub fn is_behind(&self, time_us: u64) -> bool {
        self.last_us.is_some_and(|last_us| i128::from(time_us) > last_us)
    }

    /// Whether the range begins with the first entry, whatever its time.
    #[must_use]
    pub const fn is_open_at_start(&self) -> bool {
        self.first_us.is_none()
    }

    /// Whether the range ends with the checkpoint, whatever the last entry's time.
    #[must_use]
    pub const fn is_open_at_end(&self) -> bool {
        self.last_us.is_none()
    }
}

impl Filter {
    /// The times of the range that this filter asks for.
    ///
    /// # Errors
    /// What is wrong with the filter's times.
    pub fn window(&self) -> Result<Window, &'static str> {
        let time_ns = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => {
                let time_ns = parse_rfc3339(text).ok().filter(|_| is_time(text));
                time_ns.map(Some).ok_or("a time that is not in UTC with nine digits and Z")
            }
        };
        let (since, until) = (time_ns(&self.since)?, time_ns(&self.until)?);
        if since.zip(until).is_some_and(|(since, until)| since >= until) {
            return Err("a `since` that is not before `until`");
        }
        if self.late_by_us.is_some() != until.is_some() {
            return Err("`until` without `late_by_us`, or `late_by_us` without `until`");
        }
        let late_us = self.late_by_us.unwrap_or(0);
        if late_us > LATE_BY_US_MAX {
            return Err("a `late_by_us` of more than ten years");
        }
        // Rounded down, before 1970 too.
        let micros = |time_ns: i64| i128::from(time_ns.div_euclid(1000));
        Ok(Window {
            first_us: since.map(|since| micros(since) - AHEAD_US),
            last_us: until.map(|until| micros(until) + i128::from(late_us)),
        })
    }

    /// Whether it asks for a person, and so for what headers do not show.
    #[must_use]
    pub const fn asks_for_person(&self) -> bool {
        self.user_id.is_some() || self.subject_id.is_some()
    }

    /// Whether an entry fits all but the person, by its leaf's kind code and its header. A header
    /// fits nothing that asks for what it lacks.
    #[must_use]
    pub fn fits_header(&self, kind: u8, header: &HeaderView<'_>) -> bool {
        let is_kind = match &self.kind {
            Some(name) => Kind::from_code(kind).is_some_and(|kind| kind.name() == name),
            None => kind < CONTROL_KIND_MIN,
        };
        let same = |asked: &Option<String>, is: Option<&str>| {
            asked.as_deref().is_none_or(|asked| is == Some(asked))
        };
        let occurred_at = header.occurred_at.as_deref();
        is_kind
            && same(&self.model_name, header.model_name.as_deref())
            && same(&self.model_version, header.model_version.as_deref())
            && same(&self.status, header.status.as_deref())
            && self.since.as_deref().is_none_or(|since| occurred_at.is_some_and(|at| at >= since))
            && self.until.as_deref().is_none_or(|until| occurred_at.is_some_and(|at| at < until))
    }

    /// Whether a part `parties` is of the person that is asked for.
    #[must_use]
    pub fn fits_parties(&self, encoding: u8, bytes: &[u8]) -> bool {
        let same = |asked: &Option<String>, name: &str| {
            asked.is_none() || party(encoding, bytes, name) == *asked
        };
        same(&self.user_id, "user_id") && same(&self.subject_id, "subject_id")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_US: u64 = 86_400_000_000;

    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    #[test]
    fn a_range_begins_a_day_before_and_ends_late() {
        let filter = Filter {
            since: text("1970-01-03T00:00:00.000000999Z"),
            until: text("1970-01-05T00:00:00.000000000Z"),
            late_by_us: Some(5),
            ..Filter::default()
        };
        let window = filter.window().unwrap();
        assert!(window.is_before(DAY_US - 1) && !window.is_before(DAY_US));
        assert!(window.is_before(0) && !window.is_behind(4 * DAY_US + 5));
        assert!(window.is_behind(4 * DAY_US + 6));
        let all = Filter::default().window().unwrap();
        assert!(!all.is_before(0) && !all.is_behind(u64::MAX));
        let old = Filter { since: text("1969-12-31T00:00:00.000000001Z"), ..Filter::default() };
        assert!(!old.window().unwrap().is_before(0));
    }

    #[test]
    fn filters_whose_times_mean_nothing_are_refused() {
        let refused = |filter: Filter| assert!(filter.window().is_err(), "{filter:?}");
        let time = "2026-01-01T00:00:00.000000000Z";
        refused(Filter { since: text("2026-01-01T00:00:00Z"), ..Filter::default() });
        refused(Filter { until: text(time), ..Filter::default() });
        refused(Filter { late_by_us: Some(1), ..Filter::default() });
        let late_by_us = Some(LATE_BY_US_MAX + 1);
        refused(Filter { until: text(time), late_by_us, ..Filter::default() });
        let (since, until) = (text(time), text(time));
        refused(Filter { since, until, late_by_us: Some(0), ..Filter::default() });
    }

    #[test]
    fn control_entries_match_only_where_their_kind_is_asked_for() {
        let none = HeaderView::default();
        let all = Filter::default();
        assert!(all.fits_header(1, &none) && all.fits_header(9, &none));
        assert!(!all.fits_header(20, &none));
        let gaps = Filter { kind: text("gap"), ..Filter::default() };
        assert!(gaps.fits_header(20, &none) && !gaps.fits_header(1, &none));
        let of_model = Filter { model_name: text("m"), ..Filter::default() };
        assert!(!of_model.fits_header(1, &none));
        let header = HeaderView { model_name: Some("m".into()), ..HeaderView::default() };
        assert!(of_model.fits_header(1, &header) && !of_model.fits_header(20, &header));
        let until = text("2026-01-01T00:00:00.000000000Z");
        let early = Filter { until, late_by_us: Some(0), ..Filter::default() };
        assert!(!early.fits_header(1, &header), "a header without a time fits no time");
    }
}
