//! From errors of the Rust crates to the exceptions of `modeltrail._errors`.

use modeltrail::RecordingError;
use modeltrail_core::RecordError;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// An exception of the package by its name.
fn exception<'py, A>(py: Python<'py>, name: &str, arguments: A) -> PyErr
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error = PyErr>,
{
    let make = || -> PyResult<Bound<'py, PyAny>> {
        let arguments = arguments.into_pyobject(py)?;
        py.import("modeltrail._errors")?.getattr(name)?.call1(arguments)
    };
    match make() {
        Ok(value) => PyErr::from_value(value),
        Err(error) => error,
    }
}

/// A refused record: where, what, and what to do.
pub(crate) fn refused(py: Python<'_>, error: &RecordError) -> PyErr {
    exception(
        py,
        "RecordError",
        (error.pointer.as_str(), error.reason.as_str(), error.remedy.as_str()),
    )
}

/// A refused value, by its pointer.
pub(crate) fn refused_at(py: Python<'_>, pointer: &str, reason: &str, remedy: &str) -> PyErr {
    exception(py, "RecordError", (pointer, reason, remedy))
}

/// A value of a type that has no JSON.
pub(crate) fn unsupported(py: Python<'_>, pointer: &str, reason: &str, remedy: &str) -> PyErr {
    exception(py, "UnsupportedTypeError", (pointer, reason, remedy))
}

/// A call that was made after the end.
pub(crate) fn closed(py: Python<'_>) -> PyErr {
    exception(py, "ClosedError", (RecordingError::Closed.to_string(),))
}

/// Whatever keeps a ledger from being opened, read or written.
pub(crate) fn ledger(py: Python<'_>, error: &dyn std::error::Error) -> PyErr {
    exception(py, "LedgerError", (error.to_string(),))
}

/// What a recorder says.
pub(crate) fn recording(py: Python<'_>, error: &RecordingError) -> PyErr {
    let text = error.to_string();
    match error {
        RecordingError::Refused(error) => refused(py, error),
        RecordingError::Full(_) => exception(py, "FullError", (text,)),
        RecordingError::Conflict { request_id, index } => {
            exception(py, "ConflictError", (text, request_id.as_str(), *index))
        }
        RecordingError::Timeout { ack, .. } => {
            exception(py, "StageTimeoutError", (text, ack.name()))
        }
        RecordingError::Closed => exception(py, "ClosedError", (text,)),
        _ => exception(py, "LedgerError", (text,)),
    }
}

/// Something that cannot be, told and not hidden.
pub(crate) fn inner(what: &str) -> PyErr {
    PyRuntimeError::new_err(format!("modeltrail: {what}"))
}
