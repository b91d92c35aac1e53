//! Python values as JSON text, written in one pass into a buffer; no tree in between.
//!
//! **Two ways.** A value that is made of the builtin types alone is written without running a line of Python, so
//! that nobody can change it meanwhile. The first value of any other type ends that; the whole is written again the
//! careful way, which works on copies of dictionaries and may call Python ([`objects`]).

mod arrays;
mod frozen;
mod keys;
mod numbers;
mod objects;

pub(crate) use frozen::{Frozen, freeze, freeze_bytes, freeze_json};

use std::cell::RefCell;

use modeltrail::Payload;
use modeltrail_core::canonical::write_string;
use modeltrail_core::limits::Limits;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};

use crate::errors;

/// Calls of [`Writer::object`] inside each other that add no level of JSON. An object array may hold itself and give
/// itself as its only item; nothing else needs more than a handful.
const N_HOPS_MAX: usize = 64;

/// Most bytes of the buffer that a thread keeps for its next value: a usual record fits, and a hundred threads that
/// once wrote a large one hold no more than 6 MiB.
const N_BYTES_KEPT_MAX: usize = 64 * 1024;

thread_local! {
    /// The buffer that a thread writes into. What is kept of it is a copy without room to spare.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The media type of bytes that are given as a whole input or output.
const BYTES: &str = "application/octet-stream";

/// Why a value was not written.
enum Stop {
    /// Something else than a builtin type: to be written the careful way.
    Other,
    /// It cannot be kept.
    Refused(Box<Refused>),
}

/// A value that cannot be kept, and where it stands.
struct Refused {
    /// Names of members and places in lists, the innermost first.
    place: Vec<String>,
    why: Why,
}

enum Why {
    /// Its type has no JSON.
    Type(String),
    /// Its type has, this value has not.
    Value { reason: String, remedy: &'static str },
    /// Python code that was asked for it raised.
    Raised(PyErr),
}

type Written = Result<(), Stop>;

impl Stop {
    fn value(reason: impl Into<String>, remedy: &'static str) -> Self {
        Self::because(Why::Value { reason: reason.into(), remedy })
    }

    fn because(why: Why) -> Self {
        Self::Refused(Box::new(Refused { place: Vec::new(), why }))
    }

    fn at(mut self, step: impl FnOnce() -> String) -> Self {
        if let Self::Refused(refused) = &mut self {
            refused.place.push(step());
        }
        self
    }
}

impl From<PyErr> for Stop {
    fn from(error: PyErr) -> Self {
        Self::because(Why::Raised(error))
    }
}

/// Writes one value.
struct Writer<'py> {
    py: Python<'py>,
    out: Vec<u8>,
    /// Deepest nesting.
    depth_max: usize,
    bytes_max: usize,
    /// Whether Python may be called, on copies of what is iterated over.
    careful: bool,
    /// Whether a type that has no JSON is told by its name.
    lenient: bool,
    /// Deepest nesting so far.
    deepest: usize,
    n_hops: usize,
}

/// The text of a value. `pointer` says in errors where the value itself stands.
///
/// # Errors
/// `UnsupportedTypeError` or `RecordError`, each with a JSON pointer.
pub(crate) fn write(value: &Bound<'_, PyAny>, pointer: &str) -> PyResult<Vec<u8>> {
    write_as(value, pointer, false).map(|(text, _)| text)
}

/// The text of a value, and how deep it is nested.
fn write_as(value: &Bound<'_, PyAny>, pointer: &str, lenient: bool) -> PyResult<(Vec<u8>, usize)> {
    let limits = Limits::default();
    let mut writer = Writer {
        py: value.py(),
        // While Python is called another value may be written; it finds none and makes its own.
        out: BUFFER.take(),
        // The record around it is a level too.
        depth_max: limits.depth_max - 1,
        bytes_max: limits.record_bytes_max,
        careful: false,
        lenient,
        deepest: 0,
        n_hops: 0,
    };
    let mut written = writer.value(value, 0);
    if matches!(written, Err(Stop::Other)) {
        writer.out.clear();
        writer.careful = true;
        written = writer.value(value, 0);
    }
    let text = writer.out.as_slice().to_vec();
    if writer.out.capacity() <= N_BYTES_KEPT_MAX {
        writer.out.clear();
        BUFFER.set(writer.out);
    }
    match written {
        Ok(()) => Ok((text, writer.deepest)),
        Err(Stop::Refused(refused)) => Err(refused.told(value.py(), pointer)),
        Err(Stop::Other) => Err(errors::inner("a value was given back by the careful way")),
    }
}

/// An input or output: bytes stay bytes, anything else becomes JSON.
pub(crate) fn payload(value: &Bound<'_, PyAny>, pointer: &str) -> PyResult<Payload> {
    if value.cast_exact::<PyDict>().is_err() {
        if let Some(bytes) = raw_bytes(value)? {
            return Ok(Payload::bytes(bytes, BYTES));
        }
        if let Ok(frozen) = value.cast::<Frozen>() {
            return Ok(frozen.get().payload());
        }
    }
    Ok(Payload::unread(write(value, pointer)?))
}

/// Metadata or a pipeline pin, which must be objects.
pub(crate) fn object(value: &Bound<'_, PyAny>, pointer: &str) -> PyResult<Payload> {
    let text = write(value, pointer)?;
    if text.first() != Some(&b'{') {
        let what = "is no object";
        return Err(errors::refused_at(value.py(), pointer, what, "give a dict"));
    }
    Ok(Payload::unread(text))
}

/// The JSON text of a value, as it would be recorded; for tests and for those who want to look.
#[pyfunction]
pub(crate) fn to_json<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(value.py(), &write(value, "")?))
}

/// The bytes of `bytes`, `bytearray` and `memoryview`.
fn raw_bytes(value: &Bound<'_, PyAny>) -> PyResult<Option<Vec<u8>>> {
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Ok(Some(bytes.as_bytes().to_vec()));
    }
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Ok(Some(bytes.to_vec()));
    }
    if value.is_instance_of::<PyMemoryView>() {
        return Ok(Some(value.call_method0("tobytes")?.extract()?));
    }
    Ok(None)
}

impl Refused {
    fn told(self, py: Python<'_>, pointer: &str) -> PyErr {
        let mut place = pointer.to_owned();
        for step in self.place.iter().rev() {
            place.push('/');
            place.push_str(&step.replace('~', "~0").replace('/', "~1"));
        }
        match self.why {
            Why::Type(name) => errors::unsupported(
                py,
                &place,
                &format!("is a {name}, which has no JSON"),
                "give a dict, list, str, number, bool or None, or call what makes one of it",
            ),
            Why::Value { reason, remedy } => errors::refused_at(py, &place, &reason, remedy),
            Why::Raised(cause) if cause.is_instance_of::<PyException>(py) => {
                let reason = format!("raised when it was read: {cause}");
                let told = errors::refused_at(py, &place, &reason, "give a value that can be read");
                told.set_cause(py, Some(cause));
                told
            }
            // Ctrl-C and its like are not about this value.
            Why::Raised(cause) => cause,
        }
    }
}

impl Writer<'_> {
    fn value(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.text(text);
        }
        if let Ok(number) = value.cast_exact::<PyFloat>() {
            self.float(number.value());
            return Ok(());
        }
        if let Ok(members) = value.cast_exact::<PyDict>() {
            return self.dict(members, depth);
        }
        if let Ok(number) = value.cast_exact::<PyInt>() {
            return self.int(number);
        }
        if let Ok(items) = value.cast_exact::<PyList>() {
            return self.list(items, depth);
        }
        if value.is_none() {
            self.out.extend_from_slice(b"null");
            return Ok(());
        }
        if let Ok(truth) = value.cast_exact::<PyBool>() {
            self.out.extend_from_slice(if truth.is_true() { b"true" } else { b"false" });
            return Ok(());
        }
        if let Ok(items) = value.cast_exact::<PyTuple>() {
            return self.sequence(items.iter(), depth);
        }
        if !self.careful {
            return Err(Stop::Other);
        }
        if self.n_hops == N_HOPS_MAX {
            return Err(Stop::value("holds itself", "give a value without a cycle"));
        }
        self.n_hops += 1;
        let written = self.object(value, depth);
        self.n_hops -= 1;
        written
    }

    fn text(&mut self, text: &Bound<'_, PyString>) -> Written {
        let Ok(text) = text.to_str() else {
            let reason = "holds half of a surrogate pair, which is no character";
            return Err(Stop::value(reason, "give the pair, or encode with errors=\"replace\""));
        };
        self.check_size(text.len())?;
        write_string(&mut self.out, text);
        Ok(())
    }

    fn dict(&mut self, members: &Bound<'_, PyDict>, depth: usize) -> Written {
        let inside = self.deeper(depth)?;
        self.out.push(b'{');
        if self.careful {
            // A copy: reading one value may change the dictionary that it is in.
            self.members(members.copy()?.iter(), inside)?;
            if keys::any_other(members) {
                keys::check_apart(members)?;
            }
        } else {
            self.members(members.iter(), inside)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn members<'a>(
        &mut self,
        members: impl Iterator<Item = (Bound<'a, PyAny>, Bound<'a, PyAny>)>,
        depth: usize,
    ) -> Written {
        let mut is_first = true;
        for (key, value) in members {
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            self.member(&key, &value, depth)?;
        }
        Ok(())
    }

    fn member(
        &mut self,
        key: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
        depth: usize,
    ) -> Written {
        match key.cast_exact::<PyString>() {
            Ok(text) => self.text(text).map_err(|stop| stop.at(|| keys::shown(key)))?,
            Err(_) if self.careful => {
                let text = keys::text(key).map_err(|stop| stop.at(|| keys::shown(key)))?;
                self.check_size(text.len())?;
                write_string(&mut self.out, &text);
            }
            Err(_) => return Err(Stop::Other),
        }
        self.out.push(b':');
        self.value(value, depth).map_err(|stop| stop.at(|| keys::shown(key)))
    }

    fn list(&mut self, items: &Bound<'_, PyList>, depth: usize) -> Written {
        // Its iterator looks at the length each time, so that a list may shrink under it.
        self.sequence(items.iter(), depth)
    }

    fn sequence<'a>(
        &mut self,
        items: impl Iterator<Item = Bound<'a, PyAny>>,
        depth: usize,
    ) -> Written {
        let inside = self.deeper(depth)?;
        self.out.push(b'[');
        for (n, item) in items.enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.value(&item, inside).map_err(|stop| stop.at(|| n.to_string()))?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// The depth inside a container at `depth`.
    fn deeper(&mut self, depth: usize) -> Result<usize, Stop> {
        self.check_size(2)?;
        if depth >= self.depth_max {
            return Err(self.too_deep());
        }
        self.deepest = self.deepest.max(depth + 1);
        Ok(depth + 1)
    }

    fn too_deep(&self) -> Stop {
        let reason = format!("is nested deeper than {} levels, or holds itself", self.depth_max);
        Stop::value(reason, "flatten it or send it as a string")
    }

    /// Refuses to go on when `n` more bytes would be too many.
    fn check_size(&self, n: usize) -> Written {
        if self.out.len().saturating_add(n) <= self.bytes_max {
            return Ok(());
        }
        let reason = format!("makes the record larger than {} bytes", self.bytes_max);
        Err(Stop::value(reason, "send less, or a digest of the large part"))
    }
}
