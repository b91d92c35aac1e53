//! Values of other types than the builtin ones. Python is called here.

use std::collections::BTreeSet;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple, PyType};

use super::{Frozen, Stop, Why, Writer, Written, raw_bytes};

/// Types of the standard library that are looked for.
struct Types {
    enumeration: Py<PyType>,
    decimal: Py<PyType>,
    /// Those whose `isoformat()` is written.
    iso: [Py<PyType>; 3],
    timedelta: Py<PyType>,
    /// Those whose `str()` is written.
    text: [Py<PyType>; 3],
    mapping: Py<PyAny>,
    sequence: Py<PyAny>,
}

impl Types {
    fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static TYPES: PyOnceLock<Types> = PyOnceLock::new();
        TYPES.get_or_try_init(py, || {
            let of = |module: &str, name: &str| -> PyResult<Py<PyType>> {
                Ok(py.import(module)?.getattr(name)?.cast_into::<PyType>()?.unbind())
            };
            let abc = py.import("collections.abc")?;
            Ok(Self {
                enumeration: of("enum", "Enum")?,
                decimal: of("decimal", "Decimal")?,
                iso: [
                    of("datetime", "datetime")?,
                    of("datetime", "date")?,
                    of("datetime", "time")?,
                ],
                timedelta: of("datetime", "timedelta")?,
                text: [
                    of("uuid", "UUID")?,
                    of("pathlib", "PurePath")?,
                    of("ipaddress", "_IPAddressBase")?,
                ],
                mapping: abc.getattr("Mapping")?.unbind(),
                sequence: abc.getattr("Sequence")?.unbind(),
            })
        })
    }
}

impl<'py> Writer<'py> {
    /// Writes a value of any type that has a meaning as JSON.
    pub(super) fn object(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        let py = self.py;
        if let Ok(frozen) = value.cast::<Frozen>() {
            return self.frozen(frozen.get(), depth);
        }
        let types = Types::get(py)?;
        if value.is_instance(types.enumeration.bind(py))? {
            return self.value(&value.getattr("value")?, depth);
        }
        if self.of_a_library(value, depth)? || self.subclass(value, depth)? {
            return Ok(());
        }
        if self.scalar(value, types)? || self.container(value, depth, types)? {
            return Ok(());
        }
        if self.lenient {
            let told = PyDict::new(py);
            told.set_item("unsupported_type", type_name(value))?;
            return self.dict(&told, depth);
        }
        Err(Stop::because(Why::Type(type_name(value))))
    }

    /// Writes what NumPy, pandas and Pydantic make; false when it is something else.
    fn of_a_library(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Stop> {
        let kind = value.get_type();
        let module = kind.module()?;
        let module = module.to_str()?;
        let library = module.split('.').next().unwrap_or(module);
        match library {
            "numpy" => return self.numpy(value, depth),
            "pandas" if self.pandas(value, depth)? => return Ok(true),
            _ => {}
        }
        if kind.hasattr("__pydantic_fields__")? && kind.hasattr("model_dump")? {
            self.value(&value.call_method0("model_dump")?, depth)?;
        } else if kind.hasattr("__fields__")? && kind.hasattr("__get_validators__")? {
            // Pydantic 1.
            self.value(&value.call_method0("dict")?, depth)?;
        } else if library.starts_with("pydantic") {
            // Its URLs, and secrets as stars.
            self.text(&value.str()?)?;
        } else if kind.hasattr("__dataclass_fields__")? {
            let fields = kind.getattr("__dataclass_fields__")?;
            self.fields(value, fields.try_iter()?, depth)?;
        } else if kind.hasattr("__attrs_attrs__")? {
            let names: Vec<Bound<'_, PyAny>> = kind
                .getattr("__attrs_attrs__")?
                .try_iter()?
                .map(|field| field?.getattr("name"))
                .collect::<PyResult<_>>()?;
            self.fields(value, names.into_iter().map(Ok), depth)?;
        } else if kind.hasattr("__array__")? && !value.is_instance_of::<PyType>() {
            let array = py_array(value)?;
            // Where NumPy has no kind of number for it either, it says so.
            return self.numpy(&array, depth);
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// An object with these attributes as its members.
    fn fields<'a>(
        &mut self,
        value: &Bound<'a, PyAny>,
        names: impl Iterator<Item = PyResult<Bound<'a, PyAny>>>,
        depth: usize,
    ) -> Written {
        let members = PyDict::new(value.py());
        for name in names {
            let name = name?.cast_into::<PyString>().map_err(PyErr::from)?;
            members.set_item(&name, value.getattr(&name)?)?;
        }
        self.dict(&members, depth)
    }

    /// Writes what is a builtin type with something added; false when it is something else.
    fn subclass(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Stop> {
        if let Ok(text) = value.cast::<PyString>() {
            self.text(text)?;
        } else if let Ok(number) = value.cast::<PyFloat>() {
            self.float(number.value());
        } else if let Ok(number) = value.cast::<PyInt>() {
            self.int(number)?;
        } else if let Ok(members) = value.cast::<PyDict>() {
            self.dict(members, depth)?;
        } else if let Ok(items) = value.cast::<PyList>() {
            self.list(items, depth)?;
        } else if let Ok(items) = value.cast::<PyTuple>() {
            // A named tuple says more than its values.
            match value.get_type().getattr_opt("_fields")? {
                Some(names) => self.fields(value, names.try_iter()?, depth)?,
                None => self.sequence(items.iter(), depth)?,
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn scalar(&mut self, value: &Bound<'_, PyAny>, types: &Types) -> Result<bool, Stop> {
        let py = self.py;
        let is_one_of = |types: &[Py<PyType>]| -> PyResult<bool> {
            for one in types {
                if value.is_instance(one.bind(py))? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if value.is_instance(types.decimal.bind(py))? {
            self.decimal(value)?;
        } else if is_one_of(&types.iso)? {
            self.text(&value.call_method0("isoformat")?.str()?)?;
        } else if value.is_instance(types.timedelta.bind(py))? {
            self.duration(value)?;
        } else if is_one_of(&types.text)? {
            self.text(&value.str()?)?;
        } else if let Some(bytes) = raw_bytes(value)? {
            self.base64(&bytes)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// ISO 8601, in seconds alone: `PT93784.5S`.
    fn duration(&mut self, value: &Bound<'_, PyAny>) -> Written {
        let part = |name: &str| -> PyResult<i64> { value.getattr(name)?.extract() };
        let seconds = i128::from(part("days")?) * 86_400 + i128::from(part("seconds")?);
        let micros = seconds * 1_000_000 + i128::from(part("microseconds")?);
        let (sign, size) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
        let fraction = format!(".{:06}", size % 1_000_000);
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        let text = format!("\"{sign}PT{}{fraction}S\"", size / 1_000_000);
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn container(
        &mut self,
        value: &Bound<'_, PyAny>,
        depth: usize,
        types: &Types,
    ) -> Result<bool, Stop> {
        let py = self.py;
        if value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
            self.set(value, depth)?;
        } else if value.is_instance(types.mapping.bind(py))? {
            let members = PyDict::new(py);
            for item in value.call_method0("items")?.try_iter()? {
                let (key, item) = item?.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
                members.set_item(key, item)?;
            }
            self.dict(&members, depth)?;
        } else if value.is_instance(types.sequence.bind(py))?
            || type_name(value) == "collections.deque"
        {
            let items = value.try_iter()?.collect::<PyResult<Vec<_>>>()?;
            self.sequence(items.into_iter(), depth)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// A set has no order; its items stand in that of their texts, so that equal sets give equal bytes.
    fn set(&mut self, items: &Bound<'_, PyAny>, depth: usize) -> Written {
        let inside = self.deeper(depth)?;
        let mut texts = BTreeSet::new();
        let before = std::mem::take(&mut self.out);
        let mut n_bytes = before.len();
        for item in items.try_iter()? {
            self.value(&item?, inside).map_err(|stop| stop.at(|| "-".to_owned()))?;
            n_bytes += self.out.len() + 1;
            texts.insert(std::mem::take(&mut self.out));
        }
        self.out = before;
        self.check_size(n_bytes - self.out.len())?;
        self.out.push(b'[');
        for (n, text) in texts.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.out.extend_from_slice(text);
        }
        self.out.push(b']');
        Ok(())
    }
}

/// The name of a value's type, with its module.
pub(super) fn type_name(value: &Bound<'_, PyAny>) -> String {
    let kind = value.get_type();
    kind.fully_qualified_name().map_or_else(|_| "value".to_owned(), |name| name.to_string())
}

/// What gives itself as an array (tensors do), as one of NumPy.
fn py_array<'a>(value: &Bound<'a, PyAny>) -> PyResult<Bound<'a, PyAny>> {
    value.py().import("numpy")?.call_method1("asarray", (value,))
}
