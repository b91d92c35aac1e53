//! What NumPy and pandas make. Neither is imported for it: a value of theirs means that it is there.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use super::{Stop, Writer, Written};

impl Writer<'_> {
    /// A scalar or an array of NumPy; false when it is something else of theirs.
    pub(super) fn numpy(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Stop> {
        let Some(dtype) = value.getattr_opt("dtype")? else { return Ok(false) };
        let kind = dtype.getattr("kind")?.extract::<String>()?;
        let n_bytes = dtype.getattr("itemsize")?.extract::<usize>()?;
        let Some(n_dimensions) = value.getattr_opt("ndim")? else { return Ok(false) };
        let n_dimensions = n_dimensions.extract::<usize>()?;
        match (kind.as_str(), n_bytes) {
            ("f", 8) | ("b" | "i" | "u" | "U" | "O" | "S", _) => {
                self.value(&value.call_method0("tolist")?, depth)?;
            }
            ("f", 4) => self.singles(&value.call_method0("tolist")?, depth)?,
            // Halves and long doubles: their own text has the digits that they have.
            ("f", _) if n_dimensions == 0 => self.own_digits(value)?,
            ("f", _) => self.sequence(items_of(value)?.into_iter(), depth)?,
            // Points in time and spans, as ISO 8601 and as NumPy says them. As integers, which is what
            // `tolist` gives, they would have lost their unit.
            ("M" | "m", _) => {
                let text = value.call_method1("astype", ("str",))?.call_method0("tolist")?;
                self.value(&text, depth)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Numbers of 32 bits, in lists inside each other, each with the digits of such a number.
    fn singles(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        let Ok(items) = value.cast::<PyList>() else {
            if value.is_none() {
                return self.value(value, depth);
            }
            self.single(value.extract()?);
            return Ok(());
        };
        let inside = self.deeper(depth)?;
        self.out.push(b'[');
        for (n, item) in items.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            self.singles(&item, inside)?;
        }
        self.out.push(b']');
        self.check_size(0)
    }

    fn own_digits(&mut self, value: &Bound<'_, PyAny>) -> Written {
        let number = value.call_method0("__float__")?.extract::<f64>()?;
        let text = value.str()?.extract::<String>()?;
        if text.contains(['n', 'N']) {
            self.float(number);
            return Ok(());
        }
        self.token(&text)
    }

    /// What pandas makes; false when it is something else of theirs, like a time stamp.
    pub(super) fn pandas(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Result<bool, Stop> {
        let name = value.get_type().name()?;
        match name.to_str()? {
            "NAType" => self.out.extend_from_slice(b"null"),
            "Series" => {
                let values = Column::of(value)?;
                let index = value.getattr("index")?;
                if index.get_type().name()?.to_str()? == "RangeIndex" {
                    self.column(&values, depth)?;
                } else {
                    let names = items_of(&index)?;
                    self.row(&names, names.len(), depth, |n| values.item(n))?;
                }
            }
            "DataFrame" => self.frame(value, depth)?,
            "RangeIndex" | "Index" | "DatetimeIndex" | "Categorical" => {
                self.sequence(items_of(value)?.into_iter(), depth)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A list of rows, each an object.
    fn frame(&mut self, value: &Bound<'_, PyAny>, depth: usize) -> Written {
        let names = items_of(&value.getattr("columns")?)?;
        let at = value.getattr("iloc")?;
        let all = pyo3::types::PySlice::full(value.py());
        let mut columns = Vec::with_capacity(names.len());
        for n in 0..names.len() {
            // By place: two columns may have one name, and then a name gives both.
            columns.push(Column::of(&at.get_item((&all, n))?)?);
        }
        let inside = self.deeper(depth)?;
        self.out.push(b'[');
        for n_row in 0..value.len()? {
            if n_row > 0 {
                self.out.push(b',');
            }
            let cell = |n: usize| match columns.get(n) {
                Some(column) => column.item(n_row),
                None => Err(Stop::value("has no such column", "give a whole frame")),
            };
            self.row(&names, columns.len(), inside, cell)
                .map_err(|stop| stop.at(|| n_row.to_string()))?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn column(&mut self, column: &Column<'_>, depth: usize) -> Written {
        if column.is_single {
            return self.singles(column.items.as_any(), depth);
        }
        self.list(&column.items, depth)
    }

    /// An object of cells; names that are no strings become some as those of a dict do.
    fn row<'a>(
        &mut self,
        names: &[Bound<'a, PyAny>],
        n_cells: usize,
        depth: usize,
        cell: impl Fn(usize) -> Result<Cell<'a>, Stop>,
    ) -> Written {
        let inside = self.deeper(depth)?;
        let Some(first) = names.first() else {
            self.out.extend_from_slice(b"{}");
            return Ok(());
        };
        let apart = PyDict::new(first.py());
        self.out.push(b'{');
        for (n, name) in names.iter().enumerate().take(n_cells) {
            if n > 0 {
                self.out.push(b',');
            }
            let text = super::keys::text(name)?;
            if apart.contains(&text)? {
                let stop = Stop::value("stands twice in this row", "name columns apart");
                return Err(stop.at(|| text));
            }
            apart.set_item(&text, true)?;
            match cell(n)? {
                Cell::Single(number) => {
                    self.text(&PyString::new(first.py(), &text))?;
                    self.out.push(b':');
                    self.single(number);
                }
                Cell::Any(value) => {
                    self.member(PyString::new(first.py(), &text).as_any(), &value, inside)?;
                }
            }
        }
        self.out.push(b'}');
        Ok(())
    }
}

/// A column of a frame, or a series.
struct Column<'py> {
    items: Bound<'py, PyList>,
    /// Numbers of 32 bits.
    is_single: bool,
}

enum Cell<'py> {
    Single(f64),
    Any(Bound<'py, PyAny>),
}

impl<'py> Column<'py> {
    fn of(series: &Bound<'py, PyAny>) -> Result<Self, Stop> {
        let dtype = series.getattr("dtype")?.str()?;
        let dtype = dtype.to_str()?;
        let items = match dtype {
            // As NumPy's scalars, which know their own digits.
            "float16" | "float128" | "longdouble" => {
                PyList::new(series.py(), items_of(&series.call_method0("to_numpy")?)?)?
            }
            _ => series.call_method0("tolist")?.cast_into::<PyList>().map_err(PyErr::from)?,
        };
        Ok(Self { items, is_single: dtype == "float32" })
    }

    fn item(&self, n: usize) -> Result<Cell<'py>, Stop> {
        let item = self.items.get_item(n)?;
        if self.is_single {
            return Ok(Cell::Single(item.extract()?));
        }
        Ok(Cell::Any(item))
    }
}

fn items_of<'py>(value: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, PyAny>>> {
    value.try_iter()?.collect()
}
