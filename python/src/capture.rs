//! Requests as they pass through middleware: the same plan and the same record as the other ways in.

use std::sync::{Mutex, MutexGuard, PoisonError};

use modeltrail::capture::{CaptureConfig, CaptureConfigError, Ending};
use modeltrail::unpack::unpack;
use modeltrail::{Capturer, InFlight};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors;
use crate::logger::{AuditLogger, enter_process};

/// Ways in that the package has; headers of records name them.
const WAYS_IN: &[&str] = &["asgi", "wsgi"];

/// What is captured for a logger.
#[pyclass(frozen, module = "modeltrail._native")]
pub(crate) struct Capture {
    capturer: Capturer,
}

/// A request in flight.
#[pyclass(frozen, module = "modeltrail._native")]
pub(crate) struct Exchange {
    /// `None` once it has ended.
    flight: Mutex<Option<InFlight>>,
}

#[pymethods]
impl Capture {
    /// `config` is that of `docs/capture.md`, as JSON.
    #[new]
    fn new(py: Python<'_>, audit: &AuditLogger, config: &str, way_in: &str) -> PyResult<Self> {
        let Some(way_in) = WAYS_IN.iter().find(|name| **name == way_in) else {
            return Err(errors::refused_at(py, "/way_in", "is no way in", "use asgi or wsgi"));
        };
        let plan = CaptureConfig::from_json(config).map_err(|error| refused(py, &[error]))?.plan();
        let plan = plan.map_err(|problems| refused(py, &problems))?.unpack_with(unpack);
        let recorder = audit.recorder(py)?.clone();
        Ok(Self { capturer: Capturer::new(recorder, plan, way_in).at(audit.stage()) })
    }

    /// Most bytes that are kept of a body.
    #[getter]
    fn body_bytes_max(&self) -> usize {
        self.capturer.plan().body_bytes_max()
    }

    /// Begins with a request's method, path and query; `None` where it is not to be captured.
    #[pyo3(signature = (method, path, query=None))]
    fn begin(
        &self,
        py: Python<'_>,
        method: &str,
        path: &str,
        query: Option<&str>,
    ) -> PyResult<Option<Exchange>> {
        enter_process(py)?;
        let flight = self.capturer.begin(method, path, query);
        Ok(flight.map(|flight| Exchange { flight: Mutex::new(Some(flight)) }))
    }
}

impl Exchange {
    fn flight(&self) -> MutexGuard<'_, Option<InFlight>> {
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn feed(&self, feed: impl FnOnce(&mut modeltrail::capture::Exchange)) {
        if let Some(flight) = self.flight().as_mut() {
            flight.exchange(feed);
        }
    }
}

/// A header as servers hand it over: bytes in ASGI.
type Headers<'py> = Vec<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)>;

#[pymethods]
impl Exchange {
    fn request_headers(&self, headers: Headers<'_>) {
        self.feed(|exchange| {
            for (name, value) in &headers {
                let name = String::from_utf8_lossy(name.as_bytes());
                exchange.request_header(&name, value.as_bytes());
            }
        });
    }

    fn request_bytes(&self, bytes: &[u8]) {
        self.feed(|exchange| exchange.request_bytes(bytes));
    }

    /// Says that the request's body ended early, or that nobody read the rest of it.
    fn request_cut(&self) {
        self.feed(modeltrail::capture::Exchange::request_cut);
    }

    fn response_start(&self, status: u16, headers: Headers<'_>) {
        self.feed(|exchange| {
            exchange.response_status(status);
            for (name, value) in &headers {
                let name = String::from_utf8_lossy(name.as_bytes());
                exchange.response_header(&name, value.as_bytes());
            }
        });
    }

    fn response_bytes(&self, bytes: &[u8]) {
        if let Some(flight) = self.flight().as_mut() {
            flight.response_bytes(bytes);
        }
    }

    fn client_address(&self, address: &str) {
        self.feed(|exchange| exchange.client_address(address));
    }

    /// What the application knows of who asked; not marked as claimed.
    #[pyo3(signature = (*, user_id=None, subject_id=None, session_id=None, request_id=None))]
    fn identify(
        &self,
        user_id: Option<&str>,
        subject_id: Option<&str>,
        session_id: Option<&str>,
        request_id: Option<&str>,
    ) {
        self.feed(|exchange| {
            for (value, set) in [
                (user_id, modeltrail::capture::Exchange::user_id as fn(&mut _, String)),
                (subject_id, modeltrail::capture::Exchange::subject_id),
                (session_id, modeltrail::capture::Exchange::session_id),
                (request_id, modeltrail::capture::Exchange::request_id),
            ] {
                if let Some(value) = value {
                    set(exchange, value.to_owned());
                }
            }
        });
    }

    /// Whether an intent is to be recorded before the request goes on.
    #[getter]
    fn wants_intent(&self) -> bool {
        self.flight().as_ref().is_some_and(InFlight::wants_intent)
    }

    /// Records the intent. It waits for a disk.
    fn intent(&self, py: Python<'_>) -> PyResult<()> {
        let done = py.detach(|| self.flight().as_mut().map_or(Ok(()), InFlight::intent));
        done.map_err(|error| errors::recording(py, &error))
    }

    /// Ends it; gives the request id, or `None` where it had ended. `how` is `complete`, `client_disconnected` or
    /// `failed`, with a code and a message.
    #[pyo3(signature = (how, code="", message=""))]
    fn end(
        &self,
        py: Python<'_>,
        how: &str,
        code: &str,
        message: &str,
    ) -> PyResult<Option<String>> {
        let ending = match how {
            "complete" => Ending::Complete,
            "client_disconnected" => Ending::ClientDisconnected,
            "failed" => Ending::Failed { code: code.to_owned(), message: message.to_owned() },
            _ => return Err(errors::inner("no such ending of a request")),
        };
        let Some(flight) = self.flight().take() else { return Ok(None) };
        // Without the GIL: a full ring, and any stage behind `accepted`, is waited for.
        let recorded = py.detach(|| flight.end(ending));
        match recorded {
            Ok(recorded) => Ok(Some(recorded.request_id)),
            Err(error) => Err(errors::recording(py, &error)),
        }
    }
}

fn refused(py: Python<'_>, problems: &[CaptureConfigError]) -> PyErr {
    let what: Vec<String> = problems.iter().map(ToString::to_string).collect();
    errors::refused_at(py, "/config", &what.join("; "), "see docs/capture.md")
}
