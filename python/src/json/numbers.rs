//! Numbers, with every digit that they have and none more.

use modeltrail_core::canonical::{canonical_number, write_string};
use pyo3::prelude::*;
use pyo3::types::PyInt;

use super::{Stop, Writer, Written};

/// What is written for the doubles that JSON has no number for.
fn not_finite(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// As `serde_json` writes a number, which is the shortest text that reads back as the same.
fn push(out: &mut Vec<u8>, number: &impl serde::Serialize) {
    // Writing to a `Vec` does not fail.
    drop(serde_json::to_writer(out, number));
}

impl Writer<'_> {
    pub(super) fn float(&mut self, number: f64) {
        if number.is_finite() {
            push(&mut self.out, &number);
        } else {
            write_string(&mut self.out, not_finite(number));
        }
    }

    /// A number of 32 bits that Python or NumPy hands over as one of 64.
    pub(super) fn single(&mut self, number: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "it was one of 32 bits before")]
        let single = number as f32;
        if single.is_finite() {
            push(&mut self.out, &single);
        } else {
            write_string(&mut self.out, not_finite(number));
        }
    }

    /// An integer of any size.
    pub(super) fn int(&mut self, number: &Bound<'_, PyInt>) -> Written {
        if let Ok(small) = number.extract::<i64>() {
            push(&mut self.out, &small);
            return Ok(());
        }
        if !self.careful {
            return Err(Stop::Other);
        }
        // `str(int)` refuses more than 4,300 digits; `Decimal` has each of them.
        let decimal = self.py.import("decimal")?.getattr("Decimal")?.call1((number,))?;
        self.decimal(&decimal)
    }

    /// A `decimal.Decimal`, digit by digit.
    pub(super) fn decimal(&mut self, number: &Bound<'_, PyAny>) -> Written {
        if !number.call_method0("is_finite")?.is_truthy()? {
            let text = number.str()?.extract::<String>()?;
            let signed = if text.starts_with('-') { "-Infinity" } else { "Infinity" };
            let is_nan = text.contains("NaN");
            write_string(&mut self.out, if is_nan { "NaN" } else { signed });
            return Ok(());
        }
        let text = number.str()?.extract::<String>()?;
        self.token(&text)
    }

    /// The text of a number, as something else wrote it.
    pub(super) fn token(&mut self, text: &str) -> Written {
        self.check_size(text.len())?;
        let is_number = text.ends_with(|last: char| last.is_ascii_digit());
        if !is_number || canonical_number(text).is_none() {
            let reason = "is a number whose exponent is out of range (±999999999)";
            return Err(Stop::value(reason, "send it as a string"));
        }
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}
