//! Points in time between Python and records.

use modeltrail_core::time::parse_rfc3339;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyString;

use crate::errors;

const NS_PER_US: i64 = 1000;
const US_PER_S: i64 = 1_000_000;
const S_PER_DAY: i64 = 86_400;

/// 1970-01-01 in UTC as a `datetime`.
fn epoch(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static EPOCH: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let epoch = EPOCH.get_or_try_init(py, || {
        let datetime = py.import("datetime")?;
        let utc = datetime.getattr("timezone")?.getattr("utc")?;
        let class = datetime.getattr("datetime")?;
        let keywords = pyo3::types::PyDict::new(py);
        keywords.set_item("tzinfo", utc)?;
        PyResult::Ok(class.call((1970, 1, 1), Some(&keywords))?.unbind())
    })?;
    Ok(epoch.bind(py))
}

/// A `datetime` in UTC; what is below a microsecond is cut, which `datetime` cannot hold.
pub(crate) fn to_datetime(py: Python<'_>, time_ns: i64) -> PyResult<Bound<'_, PyAny>> {
    let micros = time_ns.div_euclid(NS_PER_US);
    let days = micros.div_euclid(US_PER_S * S_PER_DAY);
    let rest = micros.rem_euclid(US_PER_S * S_PER_DAY);
    let delta = py.import("datetime")?.getattr("timedelta")?;
    epoch(py)?.add(delta.call1((days, rest / US_PER_S, rest % US_PER_S))?)
}

/// Nanoseconds since 1970 UTC of an aware `datetime`, a pandas `Timestamp` or a text in RFC 3339.
///
/// # Errors
/// When it is none of these or has no time zone.
pub(crate) fn to_ns(value: &Bound<'_, PyAny>) -> PyResult<i64> {
    let py = value.py();
    let refused = |reason: &str, remedy: &str| errors::refused_at(py, "/timestamp", reason, remedy);
    if let Ok(text) = value.cast::<PyString>() {
        let parsed = parse_rfc3339(text.to_str()?);
        return parsed.map_err(|_| refused("is no RFC 3339 time", "write 2026-03-15T12:00:00Z"));
    }
    let datetime = py.import("datetime")?.getattr("datetime")?;
    if !value.is_instance(&datetime)? {
        return Err(PyTypeError::new_err("timestamp must be a datetime or a text in RFC 3339"));
    }
    if value.call_method0("utcoffset")?.is_none() {
        let remedy = "give one with a time zone, like datetime.now(timezone.utc)";
        return Err(refused("has no time zone", remedy));
    }
    let since = value.sub(epoch(py)?)?;
    let part = |name: &str| -> PyResult<i64> { since.getattr(name)?.extract() };
    let seconds = i128::from(part("days")?) * i128::from(S_PER_DAY) + i128::from(part("seconds")?);
    let micros = seconds * i128::from(US_PER_S) + i128::from(part("microseconds")?);
    // pandas counts nanoseconds beside the microseconds.
    let nanos = match since.getattr_opt("nanoseconds")? {
        Some(nanos) => nanos.extract::<i64>()?,
        None => 0,
    };
    i64::try_from(micros * i128::from(NS_PER_US) + i128::from(nanos)).map_err(|_| {
        refused("is outside the years 1678 to 2261", "give a time that a model lived in")
    })
}
