//! `AuditLogger`: what a Python program holds to record and to ask.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use modeltrail::reader::ReadError;
use modeltrail::{Ack, Offered, Query, Reader, Record, Recorder, RecordingError};
use modeltrail_core::record::Model;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::engines::{self, Wanted};
use crate::entry::AuditRecord;
use crate::record::{self, Arguments};
use crate::{errors, json, reports};

/// Most answers of a query at once: they are held in memory, 16 MiB each at the most.
const N_LIMIT_MAX: usize = 1_000_000;

/// Records predictions into a ledger and answers questions about it.
#[pyclass(subclass, frozen, weakref, module = "modeltrail._native")]
pub(crate) struct AuditLogger {
    wanted: Wanted,
    recorder: Recorder,
    ack: Ack,
    is_closed: AtomicBool,
}

impl Drop for AuditLogger {
    fn drop(&mut self) {
        if !self.is_closed.swap(true, Ordering::AcqRel) {
            // The recorder stays for the next logger; the end of the process closes it.
            drop(engines::leave(&self.wanted, false));
        }
    }
}

/// Whether this process was told how to end in order. A fork takes it back.
static IS_ENTERED: AtomicBool = AtomicBool::new(false);

/// Tells the package that this process records, once: a process that `multiprocessing` started has to be told how to
/// end in order.
pub(crate) fn enter_process(py: Python<'_>) -> PyResult<()> {
    if !IS_ENTERED.load(Ordering::Relaxed) {
        py.import("modeltrail._process")?.call_method0("enter")?;
        IS_ENTERED.store(true, Ordering::Relaxed);
    }
    Ok(())
}

/// Called in a forked child.
#[pyfunction]
pub(crate) fn after_fork() {
    IS_ENTERED.store(false, Ordering::Relaxed);
}

impl AuditLogger {
    pub(crate) fn recorder(&self, py: Python<'_>) -> PyResult<&Recorder> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(errors::closed(py));
        }
        Ok(&self.recorder)
    }

    /// Reads after everything of this process that was recorded so far is in the ledger.
    pub(crate) fn read<T: Send>(
        &self,
        py: Python<'_>,
        read: impl FnOnce(&Reader) -> Result<T, ReadError> + Send,
    ) -> PyResult<T> {
        let recorder = self.recorder(py)?;
        enter_process(py)?;
        let answer = py.detach(|| {
            recorder.reader().and_then(|reader| read(&reader).map_err(RecordingError::from))
        });
        answer.map_err(|error| errors::recording(py, &error))
    }

    fn query(&self, py: Python<'_>, query: &Query, limit: usize) -> PyResult<Vec<AuditRecord>> {
        let limit = limit.min(N_LIMIT_MAX);
        let page = self.read(py, |reader| reader.query(query, limit))?;
        page.entries.into_iter().map(|entry| AuditRecord::new(py, entry)).collect()
    }

    /// The stage at which it hands over.
    pub(crate) const fn stage(&self) -> Ack {
        self.ack
    }

    /// Hands a record over; gives its request id.
    fn hand_over<'py>(
        &self,
        py: Python<'py>,
        record: Record,
        ack: Ack,
    ) -> PyResult<Bound<'py, PyString>> {
        let recorder = self.recorder(py)?;
        enter_process(py)?;
        // Where there is nothing to wait for, letting go of the GIL would cost more than the call.
        let offered = match ack {
            Ack::Accepted => recorder.offer(record),
            _ => Ok(Offered::Back(Box::new(record))),
        };
        let request_id = match offered {
            Ok(Offered::Taken(request_id)) => Ok(request_id),
            Ok(Offered::Back(record)) => {
                py.detach(|| recorder.record_at(*record, ack)).map(|recorded| recorded.request_id)
            }
            Err(error) => Err(error),
        };
        let request_id = request_id.map_err(|error| errors::recording(py, &error))?;
        Ok(PyString::new(py, &request_id))
    }
}

#[pymethods]
impl AuditLogger {
    #[new]
    #[pyo3(signature = (url=None, *, ack="accepted", origin=None, policy=None, on_full="block", mode="api"))]
    fn new(
        py: Python<'_>,
        url: Option<&str>,
        ack: &str,
        origin: Option<String>,
        policy: Option<PathBuf>,
        on_full: &str,
        mode: &str,
    ) -> PyResult<Self> {
        let given = url.map_or_else(engines::default_url, str::to_owned);
        let wanted = Wanted {
            url: engines::absolute(py, &given)?,
            origin,
            policy,
            on_full: engines::on_full(py, on_full)?,
            mode: mode.to_owned(),
        };
        let ack = record::ack(py, ack)?;
        let recorder = engines::take(py, &wanted)?;
        Ok(Self { wanted, recorder, ack, is_closed: AtomicBool::new(false) })
    }

    #[pyo3(signature = (
        model_name, model_version, input_data, output_data, user_id=None, latency_ms=None, metadata=None, *,
        pipeline=None, ack=None, request_id=None, timestamp=None, subject_id=None, session_id=None, trace_id=None,
        client_address=None, status=None, error=None, kind=None, links=None
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are those of a record, by keyword")]
    fn log<'py>(
        &self,
        py: Python<'py>,
        model_name: String,
        model_version: String,
        input_data: &Bound<'py, PyAny>,
        output_data: &Bound<'py, PyAny>,
        user_id: Option<&Bound<'py, PyAny>>,
        latency_ms: Option<f64>,
        metadata: Option<&Bound<'py, PyAny>>,
        pipeline: Option<&Bound<'py, PyAny>>,
        ack: Option<&str>,
        request_id: Option<&Bound<'py, PyAny>>,
        timestamp: Option<&Bound<'py, PyAny>>,
        subject_id: Option<&Bound<'py, PyAny>>,
        session_id: Option<&Bound<'py, PyAny>>,
        trace_id: Option<&Bound<'py, PyAny>>,
        client_address: Option<&Bound<'py, PyAny>>,
        status: Option<&str>,
        error: Option<&Bound<'py, PyAny>>,
        kind: Option<&str>,
        links: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyString>> {
        let arguments = Arguments {
            user_id,
            latency_ms,
            metadata,
            pipeline,
            request_id,
            timestamp,
            subject_id,
            session_id,
            trace_id,
            client_address,
            status,
            error,
            kind,
            links,
        };
        let model =
            Model { digest: None, name: model_name, provider: None, version: model_version };
        let record = Record::new(record::kind(py, arguments.kind)?)
            .model(model)
            .input(json::payload(input_data, "/input")?)
            .output(json::payload(output_data, "/output")?);
        let ack = ack.map_or(Ok(self.ack), |name| record::ack(py, name))?;
        self.hand_over(py, arguments.fill(py, record)?, ack)
    }

    #[pyo3(signature = (model_name, limit=100))]
    fn query_by_model(
        &self,
        py: Python<'_>,
        model_name: String,
        limit: usize,
    ) -> PyResult<Vec<AuditRecord>> {
        self.query(py, &Query { model_name: Some(model_name), ..Query::default() }, limit)
    }

    #[pyo3(signature = (user_id, limit=100))]
    fn query_by_user(
        &self,
        py: Python<'_>,
        user_id: String,
        limit: usize,
    ) -> PyResult<Vec<AuditRecord>> {
        self.query(py, &Query { user_id: Some(user_id), ..Query::default() }, limit)
    }

    fn get_by_request_id(&self, py: Python<'_>, request_id: &str) -> PyResult<Option<AuditRecord>> {
        let mut entries = self.read(py, |reader| reader.by_request_id(request_id))?;
        // The record itself comes before conflicts with it.
        entries.truncate(1);
        entries.pop().map(|entry| AuditRecord::new(py, entry)).transpose()
    }

    #[pyo3(signature = (stage="sequenced", timeout=None))]
    fn flush(&self, py: Python<'_>, stage: &str, timeout: Option<f64>) -> PyResult<()> {
        let (recorder, ack) = (self.recorder(py)?, record::ack(py, stage)?);
        let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
        let timeout = timeout.map_err(|_| {
            errors::refused_at(py, "/timeout", "is no length of time", "give seconds from 0 on")
        })?;
        let flushed = py.detach(|| match timeout {
            Some(timeout) => recorder.flush_within(ack, timeout),
            None => recorder.flush(ack),
        });
        flushed.map_err(|error| errors::recording(py, &error))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let last = engines::leave(&self.wanted, true);
        let closed = py.detach(|| match last {
            Some(recorder) => recorder.close(),
            // Others go on with it; what came through this one is made durable.
            None if self.recorder.is_started() => self.recorder.flush(Ack::Spooled),
            None => Ok(()),
        });
        match closed {
            // The end of the process was faster.
            Err(RecordingError::Closed) => Ok(()),
            closed => closed.map_err(|error| errors::recording(py, &error)),
        }
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let recorder = self.recorder(py)?;
        let stats =
            py.detach(|| recorder.stats()).map_err(|error| errors::recording(py, &error))?;
        reports::stats(py, &stats)
    }

    fn verify<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.read(py, |_| Ok(()))?;
        reports::verify(py, &self.wanted.url)
    }

    fn _model_usage<'py>(
        &self,
        py: Python<'py>,
        model_name: &str,
        days: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        reports::model_usage(py, self, model_name, days)
    }

    fn _data_access<'py>(
        &self,
        py: Python<'py>,
        user_id: &str,
        days: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        reports::data_access(py, self, user_id, days)
    }

    /// The ledger, with an absolute path.
    #[getter]
    fn url(&self) -> &str {
        &self.wanted.url
    }

    /// The stage at which `log` returns.
    #[getter]
    fn ack(&self) -> &'static str {
        self.ack.name()
    }

    /// Whether it was closed.
    #[getter]
    fn closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    fn __repr__(&self) -> String {
        format!("AuditLogger({:?}, ack={:?})", self.wanted.url, self.ack.name())
    }
}
