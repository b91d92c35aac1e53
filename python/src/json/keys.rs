//! Names of members, as `json.dumps` makes them of keys that are no strings.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use super::{Stop, Why, Written};

/// The name for a key.
pub(super) fn text(key: &Bound<'_, PyAny>) -> Result<String, Stop> {
    if let Ok(text) = key.cast::<PyString>() {
        // Of a `str` that is an enumeration's member or NumPy's this is the text itself.
        let text = text.to_str().map_err(|_| {
            let reason = "has a name with half of a surrogate pair, which is no character";
            Stop::value(reason, "give the pair, or encode with errors=\"replace\"")
        })?;
        return Ok(text.to_owned());
    }
    if key.is_none() {
        return Ok("null".to_owned());
    }
    if let Ok(truth) = key.cast::<PyBool>() {
        return Ok(if truth.is_true() { "true" } else { "false" }.to_owned());
    }
    let builtin = if key.is_instance_of::<PyInt>() {
        key.py().get_type::<PyInt>()
    } else if key.is_instance_of::<PyFloat>() {
        key.py().get_type::<PyFloat>()
    } else {
        let named = key.get_type().name()?;
        return Err(Stop::because(Why::Type(format!("member whose name is a {named}"))));
    };
    // Not the `repr` of a subclass, which may be anything.
    let text = builtin.call_method1("__repr__", (key,))?.extract::<String>()?;
    Ok(match text.as_str() {
        "nan" => "NaN".to_owned(),
        "inf" => "Infinity".to_owned(),
        "-inf" => "-Infinity".to_owned(),
        _ => text,
    })
}

/// A key in a pointer.
pub(super) fn shown(key: &Bound<'_, PyAny>) -> String {
    text(key).unwrap_or_else(|_| "?".to_owned())
}

/// Whether some key is no plain string.
pub(super) fn any_other(members: &Bound<'_, PyDict>) -> bool {
    members.keys().iter().any(|key| !key.is_exact_instance_of::<PyString>())
}

/// Refuses keys that differ in Python and are the same in JSON, like `1` and `"1"`.
pub(super) fn check_apart(members: &Bound<'_, PyDict>) -> Written {
    let mut seen = HashSet::new();
    for key in members.keys().iter() {
        let text = text(&key)?;
        if !seen.insert(text) {
            let reason = "stands twice in this dict as JSON has it, once as a str and once not";
            return Err(Stop::value(reason, "keep one of the two").at(|| shown(&key)));
        }
    }
    Ok(())
}
