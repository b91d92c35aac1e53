//! The arguments of `AuditLogger.log` as a record.

use modeltrail::{Ack, Kind, Record, Status};
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyString, PyTuple};

use crate::{errors, json, times};

/// What `log` takes beside model, input and output. Each is checked where it is given: an error names its argument.
pub(crate) struct Arguments<'a, 'py> {
    pub(crate) user_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) latency_ms: Option<f64>,
    pub(crate) metadata: Option<&'a Bound<'py, PyAny>>,
    pub(crate) pipeline: Option<&'a Bound<'py, PyAny>>,
    pub(crate) request_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) timestamp: Option<&'a Bound<'py, PyAny>>,
    pub(crate) subject_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) session_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) trace_id: Option<&'a Bound<'py, PyAny>>,
    pub(crate) client_address: Option<&'a Bound<'py, PyAny>>,
    pub(crate) status: Option<&'a str>,
    pub(crate) error: Option<&'a Bound<'py, PyAny>>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) links: Option<&'a Bound<'py, PyAny>>,
}

impl Arguments<'_, '_> {
    /// Puts them into a record.
    pub(crate) fn fill(&self, py: Python<'_>, mut record: Record) -> PyResult<Record> {
        if let Some(latency_ms) = self.latency_ms {
            record = record.latency_ms(latency_ms);
        }
        macro_rules! texts {
            ($($field:ident at $pointer:literal;)+) => {
                $(if let Some(value) = self.$field {
                    record = record.$field(text(value, $pointer)?);
                })+
            };
        }
        texts! {
            user_id at "/user_id";
            request_id at "/request_id";
            subject_id at "/subject_id";
            session_id at "/session_id";
            trace_id at "/trace_id";
            client_address at "/client_address";
        }
        if let Some(metadata) = self.metadata {
            record = record.metadata(json::object(metadata, "/metadata")?);
        }
        if let Some(pipeline) = self.pipeline {
            record = record.pipeline(json::object(pipeline, "/pipeline")?);
        }
        if let Some(timestamp) = self.timestamp {
            record = record.timestamp_ns(times::to_ns(timestamp)?);
        }
        if let Some(name) = self.status {
            let status = Status::from_name(name);
            let unknown = || unknown(py, "/status", "success, failure or unknown");
            record = record.status(status.ok_or_else(unknown)?);
        }
        if let Some(error) = self.error {
            let (code, message) = failure(error)?;
            record = record.error(code, message);
        }
        if let Some(links) = self.links {
            record = linked(record, links)?;
        }
        Ok(record)
    }
}

/// The kind by its name.
pub(crate) fn kind(py: Python<'_>, name: Option<&str>) -> PyResult<Kind> {
    let Some(name) = name else { return Ok(Kind::Prediction) };
    Kind::from_name(name)
        .ok_or_else(|| unknown(py, "/kind", "a kind of record, like prediction or review"))
}

/// The stage by its name.
pub(crate) fn ack(py: Python<'_>, name: &str) -> PyResult<Ack> {
    let found = Ack::ALL.into_iter().find(|ack| ack.name() == name);
    found.ok_or_else(|| unknown(py, "/ack", "accepted, written, spooled, sequenced or published"))
}

fn unknown(py: Python<'_>, pointer: &str, names: &str) -> PyErr {
    errors::refused_at(py, pointer, "is none of the known names", &format!("use {names}"))
}

/// An id: a text, or an integer or UUID as one.
fn text(value: &Bound<'_, PyAny>, pointer: &str) -> PyResult<String> {
    let text = match value.cast::<PyString>() {
        Ok(text) => text.clone(),
        Err(_) if value.is_instance_of::<PyInt>() || is_uuid(value) => value.str()?,
        Err(_) => {
            let what = format!("is a {}", value.get_type().name()?);
            return Err(errors::unsupported(value.py(), pointer, &what, "give a str"));
        }
    };
    let text = text.to_str().map_err(|_| {
        let what = "holds half of a surrogate pair, which is no character";
        errors::refused_at(value.py(), pointer, what, "give the pair, or leave it out")
    })?;
    Ok(text.to_owned())
}

fn is_uuid(value: &Bound<'_, PyAny>) -> bool {
    value.get_type().fully_qualified_name().is_ok_and(|name| name == "uuid.UUID")
}

/// Code and message of a failure: an exception, a pair, or a message alone.
fn failure(error: &Bound<'_, PyAny>) -> PyResult<(String, String)> {
    if error.is_instance_of::<PyBaseException>() {
        let message =
            error.str().map_or_else(|_| String::new(), |text| text.to_string_lossy().into_owned());
        return Ok((error.get_type().name()?.to_str()?.to_owned(), message));
    }
    if error.is_instance_of::<PyTuple>() {
        return error.extract();
    }
    Ok(("error".to_owned(), text(error, "/error")?))
}

/// Links as pairs of relation and request id, or as objects with these two.
fn linked(mut record: Record, links: &Bound<'_, PyAny>) -> PyResult<Record> {
    for link in links.try_iter()? {
        let link = link?;
        let (rel, request_id): (String, String) = match link.cast::<PyDict>() {
            Ok(link) => {
                let part = |name: &str| -> PyResult<String> {
                    let missing = || {
                        let what = format!("has no {name}");
                        errors::refused_at(link.py(), "/links", &what, "give rel and request_id")
                    };
                    link.get_item(name)?.ok_or_else(missing)?.extract()
                };
                (part("rel")?, part("request_id")?)
            }
            Err(_) => link.extract()?,
        };
        record = record.link(rel, request_id);
    }
    Ok(record)
}
