//! The auditor's questions, verification and redaction, as Python values.

use modeltrail::check::{self, CheckOptions};
use modeltrail::reader::ReadError;
use modeltrail::report::{self, Period};
use modeltrail::{Ledger, Stats};
use modeltrail_core::redact::Redactor;
use modeltrail_core::time::parse_rfc3339;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::logger::AuditLogger;
use crate::{errors, json, times};

/// What serialises to JSON as the value that Python's `json` reads from it.
fn loaded<'py>(py: Python<'py>, value: &impl serde::Serialize) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_vec(value).map_err(|error| errors::inner(&error.to_string()))?;
    py.import("json")?.call_method1("loads", (PyBytes::new(py, &text),))
}

/// The seed document's `isoformat()` of a time that a report prints.
fn iso<'py>(py: Python<'py>, text: &str) -> PyResult<Bound<'py, PyAny>> {
    match parse_rfc3339(text) {
        Ok(time_ns) => times::to_datetime(py, time_ns)?.call_method0("isoformat"),
        Err(_) => Ok(PyString::new(py, text).into_any()),
    }
}

/// `model_usage_report`, with the seed document's keys.
pub(crate) fn model_usage<'py>(
    py: Python<'py>,
    logger: &AuditLogger,
    model_name: &str,
    days: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let period = Period::last_days(days);
    let usage = logger.read(py, |reader| report::model_usage(reader, model_name, &period))?;
    let told = loaded(py, &usage)?;
    if let Some(figures) = &usage.figures {
        for (key, text) in [
            ("first_prediction", &figures.first_prediction),
            ("last_prediction", &figures.last_prediction),
        ] {
            told.set_item(key, iso(py, text)?)?;
        }
        told.set_item(
            "prediction_distribution",
            distribution(py, &figures.prediction_distribution)?,
        )?;
    }
    Ok(told)
}

/// Labels with their counts; no label is `None`, as the seed document counts it.
fn distribution<'py>(
    py: Python<'py>,
    labels: &std::collections::BTreeMap<String, u64>,
) -> PyResult<Bound<'py, PyDict>> {
    let counted = PyDict::new(py);
    for (label, n) in labels {
        match label.as_str() {
            "null" => counted.set_item(py.None(), n)?,
            "\"null\"" => counted.set_item("null", n)?,
            label => counted.set_item(label, n)?,
        }
    }
    Ok(counted)
}

/// `data_access_report`, with the seed document's keys.
pub(crate) fn data_access<'py>(
    py: Python<'py>,
    logger: &AuditLogger,
    user_id: &str,
    days: u32,
) -> PyResult<Bound<'py, PyAny>> {
    let period = Period::last_days(days);
    let (figures, requests) = logger.read(py, |reader| {
        let (mut told, mut requests) = (None, Vec::new());
        report::data_access::<ReadError>(
            reader,
            user_id,
            &period,
            |figures| {
                told = Some(figures.clone());
                Ok(())
            },
            |request| {
                requests.push(request);
                Ok(())
            },
        )?;
        Ok((told, requests))
    })?;
    let told = loaded(py, &figures)?;
    let listed = PyList::empty(py);
    for request in requests {
        let one = PyDict::new(py);
        one.set_item("request_id", request.request_id)?;
        one.set_item("timestamp", iso(py, &request.timestamp)?)?;
        one.set_item("model", request.model)?;
        listed.append(one)?;
    }
    told.set_item("requests", listed)?;
    Ok(told)
}

/// What a recorder counts.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyDict>> {
    let told = PyDict::new(py);
    for (name, n) in [
        ("n_recorded", stats.n_recorded),
        ("n_refused", stats.n_refused),
        ("n_dropped", stats.n_dropped),
        ("n_sequenced", stats.n_sequenced),
        ("n_duplicates", stats.n_duplicates),
        ("n_conflicts", stats.n_conflicts),
        ("n_canaries_failed", stats.n_canaries_failed),
        ("depth", stats.depth),
        ("lag_ms", stats.lag_ms),
        ("spool_bytes", stats.spool_bytes),
        ("spool_bytes_max", stats.spool_bytes_max),
    ] {
        told.set_item(name, n)?;
    }
    told.set_item("seconds_until_full", stats.seconds_until_full)?;
    told.set_item("is_sequencer", stats.is_sequencer)?;
    Ok(told)
}

/// Verifies the whole ledger; the report as a dict, with `is_clean`.
pub(crate) fn verify<'py>(py: Python<'py>, url: &str) -> PyResult<Bound<'py, PyAny>> {
    let checked = py.detach(|| -> Result<_, Box<dyn std::error::Error + Send + Sync>> {
        Ok(check::run(&Ledger::parse(url)?, &CheckOptions::default(), |_, _| {})?)
    });
    let report = checked.map_err(|error| errors::ledger(py, error.as_ref()))?;
    let told = loaded(py, &report)?;
    told.set_item("is_clean", report.is_clean())?;
    Ok(told)
}

/// Masks personal data in a dict and gives a new one; all rules are on.
#[pyfunction]
pub(crate) fn redact_pii<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let text = json::write(data, "")?;
    let masked = py.detach(|| Redactor::default().redact_pii(&text));
    let masked = masked.map_err(|error| {
        errors::refused_at(py, "", &error.to_string(), "give a dict that can be masked")
    })?;
    py.import("json")?.call_method1("loads", (PyBytes::new(py, &masked),))
}
