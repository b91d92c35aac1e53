//! A value as it was at some time: what a decorator keeps of an input while the function runs that may change it.

use modeltrail::Payload;
use modeltrail_core::canonical::canonicalize;
use modeltrail_core::hash::base64;
use modeltrail_core::limits::{Limits, NAME_BYTES_MAX};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::{BYTES, Writer, Written, raw_bytes};

/// JSON text, or bytes with their media type.
#[pyclass(frozen, module = "modeltrail._native")]
pub(crate) struct Frozen(Form);

enum Form {
    /// How deep it is nested, with its text.
    Json(usize, Vec<u8>),
    Bytes(Vec<u8>, String),
}

#[pymethods]
impl Frozen {
    fn __len__(&self) -> usize {
        match &self.0 {
            Form::Json(_, bytes) | Form::Bytes(bytes, _) => bytes.len(),
        }
    }
}

impl Frozen {
    pub(super) fn payload(&self) -> Payload {
        match &self.0 {
            Form::Json(_, text) => Payload::unread(text.clone()),
            Form::Bytes(bytes, media_type) => Payload::bytes(bytes.clone(), media_type.as_str()),
        }
    }
}

impl Writer<'_> {
    /// Writes it inside another value.
    pub(super) fn frozen(&mut self, frozen: &Frozen, depth: usize) -> Written {
        match &frozen.0 {
            Form::Json(deepest, text) => {
                if depth + deepest > self.depth_max {
                    return Err(self.too_deep());
                }
                self.deepest = self.deepest.max(depth + deepest);
                self.check_size(text.len())?;
                self.out.extend_from_slice(text);
                Ok(())
            }
            Form::Bytes(bytes, _) => self.base64(bytes),
        }
    }

    /// Bytes inside another value.
    pub(super) fn base64(&mut self, bytes: &[u8]) -> Written {
        self.check_size(bytes.len() / 3 * 4)?;
        self.out.extend_from_slice(b"{\"base64\":\"");
        self.out.extend_from_slice(base64(bytes).as_bytes());
        self.out.extend_from_slice(b"\"}");
        Ok(())
    }
}

/// Keeps a value as it is now. With `lenient` what has no JSON is told by its type.
#[pyfunction]
#[pyo3(signature = (value, *, lenient=false))]
pub(crate) fn freeze(value: &Bound<'_, PyAny>, lenient: bool) -> PyResult<Frozen> {
    if let Some(bytes) = raw_bytes(value)? {
        return Ok(Frozen(Form::Bytes(bytes, BYTES.to_owned())));
    }
    let (text, deepest) = super::write_as(value, "", lenient)?;
    Ok(Frozen(Form::Json(deepest, text)))
}

/// Keeps JSON text as it was received, digit by digit.
#[pyfunction]
pub(crate) fn freeze_json(py: Python<'_>, text: &[u8]) -> PyResult<Frozen> {
    let limits = Limits::default();
    // The record around it is a level too.
    let depth_max = limits.depth_max - 1;
    let read = py.detach(|| canonicalize(text, &Limits { depth_max, ..limits }));
    match read {
        Ok(canonical) => Ok(Frozen(Form::Json(depth_max, canonical))),
        Err(error) => Err(PyValueError::new_err(error.to_string())),
    }
}

/// Keeps bytes of a media type.
#[pyfunction]
pub(crate) fn freeze_bytes(data: &[u8], media_type: &str) -> Frozen {
    let is_plain = media_type.contains('/')
        && media_type.len() <= NAME_BYTES_MAX
        && media_type.bytes().all(|byte| byte.is_ascii_graphic());
    Frozen(Form::Bytes(data.to_vec(), if is_plain { media_type } else { BYTES }.to_owned()))
}
