//! An entry of the ledger as an object with the seed document's attributes.

use modeltrail::store::Entry;
use modeltrail_core::lookup::Lookup;
use modeltrail_core::record::{Header, Part, Parties};
use modeltrail_core::{Encoding, Kind, PartId};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::times;

/// An entry that was read; its parts become Python values when they are asked for.
#[pyclass(frozen, module = "modeltrail._native")]
pub(crate) struct AuditRecord {
    entry: Entry,
    lookup: Lookup<'static>,
}

impl AuditRecord {
    pub(crate) fn new(_: Python<'_>, entry: Entry) -> PyResult<Self> {
        let kind = Kind::from_code(entry.leaf.kind).unwrap_or(Kind::Prediction);
        let lookup = Lookup::derive(kind, entry.parts.iter().map(Part::as_ref));
        let lookup = lookup.map_or_else(|_| Lookup::unreadable(kind), Lookup::into_owned);
        Ok(Self { entry, lookup })
    }

    fn part(&self, id: PartId) -> Option<&Part> {
        self.entry.parts.iter().find(|part| part.id == id)
    }

    /// A part as Python's `json` reads it, or as bytes.
    fn value<'py>(&self, py: Python<'py>, id: PartId) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(part) = self.part(id) else { return Ok(None) };
        let bytes = PyBytes::new(py, &part.bytes);
        match part.encoding {
            Encoding::Raw => Ok(Some(bytes.into_any())),
            Encoding::Json => Ok(Some(py.import("json")?.call_method1("loads", (bytes,))?)),
        }
    }

    fn bytes<'py>(&self, py: Python<'py>, id: PartId) -> Option<Bound<'py, PyBytes>> {
        Some(PyBytes::new(py, &self.part(id)?.bytes))
    }

    fn header(&self) -> Option<Header<'_>> {
        serde_json::from_slice(&self.part(PartId::Header)?.bytes).ok()
    }

    fn parties(&self) -> Parties<'_> {
        Parties::of(&self.entry.parts).unwrap_or_default()
    }
}

#[pymethods]
impl AuditRecord {
    /// The seed document's row number: the place in the ledger, counted from 1.
    #[getter]
    fn id(&self) -> u64 {
        self.entry.leaf.index + 1
    }

    #[getter]
    fn index(&self) -> u64 {
        self.entry.leaf.index
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.lookup.kind.name()
    }

    #[getter]
    fn request_id(&self) -> Option<&str> {
        self.lookup.request_id.as_deref()
    }

    #[getter]
    fn timestamp<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        times::to_datetime(py, self.lookup.time_ns)
    }

    #[getter]
    fn timestamp_ns(&self) -> i64 {
        self.lookup.time_ns
    }

    #[getter]
    fn recorded_at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let time_ns = i64::try_from(self.entry.leaf.time_us.saturating_mul(1000));
        times::to_datetime(py, time_ns.unwrap_or(i64::MAX))
    }

    #[getter]
    fn model_name(&self) -> Option<&str> {
        self.lookup.model_name.as_deref()
    }

    #[getter]
    fn model_version(&self) -> Option<&str> {
        self.lookup.model_version.as_deref()
    }

    #[getter]
    fn input_hash(&self) -> Option<String> {
        self.lookup.input_hash.map(|hash| hash.to_hex())
    }

    #[getter]
    fn input_data<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Input)
    }

    #[getter]
    fn output_data<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Output)
    }

    #[getter]
    fn metadata<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Metadata)
    }

    #[getter]
    fn pipeline<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Pipeline)
    }

    #[getter]
    fn error<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Error)
    }

    #[getter]
    fn header_data<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.value(py, PartId::Header)
    }

    #[getter]
    fn input_bytes<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.bytes(py, PartId::Input)
    }

    #[getter]
    fn output_bytes<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.bytes(py, PartId::Output)
    }

    #[getter]
    fn input_media_type(&self) -> Option<String> {
        self.header()?.input_media_type.map(std::borrow::Cow::into_owned)
    }

    #[getter]
    fn output_media_type(&self) -> Option<String> {
        self.header()?.output_media_type.map(std::borrow::Cow::into_owned)
    }

    #[getter]
    fn user_id(&self) -> Option<&str> {
        self.lookup.user_id.as_deref()
    }

    #[getter]
    fn subject_id(&self) -> Option<&str> {
        self.lookup.subject_id.as_deref()
    }

    #[getter]
    fn session_id(&self) -> Option<&str> {
        self.lookup.session_id.as_deref()
    }

    #[getter]
    fn trace_id(&self) -> Option<String> {
        self.parties().trace_id.map(std::borrow::Cow::into_owned)
    }

    #[getter]
    fn client_address(&self) -> Option<String> {
        self.parties().client_address.map(std::borrow::Cow::into_owned)
    }

    /// Pairs of relation and request id.
    #[getter]
    fn links(&self) -> Vec<(String, String)> {
        self.parties().links.into_iter().map(|link| (link.rel, link.request_id)).collect()
    }

    #[getter]
    fn latency_ms(&self) -> Option<f64> {
        self.lookup.latency_us.map(modeltrail::report::ms)
    }

    #[getter]
    fn status(&self) -> Option<&'static str> {
        self.lookup.status.map(modeltrail_core::Status::name)
    }

    #[getter]
    fn label(&self) -> Option<&str> {
        self.lookup.label.as_deref()
    }

    #[getter]
    fn leaf_hash(&self) -> String {
        self.entry.leaf_hash.to_hex()
    }

    #[getter]
    fn record_id(&self) -> String {
        modeltrail_core::hash::hex(&self.entry.leaf.record_id)
    }

    fn __repr__(&self) -> String {
        let named =
            |text: &Option<std::borrow::Cow<'static, str>>| text.clone().unwrap_or_default();
        format!(
            "<AuditRecord {} {} {} {} {}>",
            self.entry.leaf.index,
            self.lookup.kind.name(),
            named(&self.lookup.request_id),
            named(&self.lookup.model_name),
            named(&self.lookup.model_version),
        )
    }
}
