//! Of `redact`: the seed document's way, made as fast as it can be in Rust: each string through four
//! patterns, one after the other, with the `regex` crate.

use regex::Regex;
use serde_json::Value;

use crate::Result;

/// Pattern and replacement, as the seed document has them.
const PATTERNS: [(&str, &str); 4] = [
    (r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b", "[EMAIL]"),
    (r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b", "[PHONE]"),
    (r"\b\d{3}-\d{2}-\d{4}\b", "[SSN]"),
    (r"\b\d{4}[\s-]?\d{4}[\s-]?\d{4}[\s-]?\d{4}\b", "[CC]"),
];

pub(crate) struct Patterns(Vec<(Regex, &'static str)>);

impl Patterns {
    pub(crate) fn new() -> Result<Self> {
        let build = |(pattern, replacement)| Ok((Regex::new(pattern)?, replacement));
        Ok(Self(PATTERNS.into_iter().map(build).collect::<Result<_>>()?))
    }

    /// Parses a document, masks each of its strings, and writes it.
    pub(crate) fn redact(&self, json: &[u8]) -> Result<Vec<u8>> {
        let mut value: Value = serde_json::from_slice(json)?;
        self.mask(&mut value);
        Ok(serde_json::to_vec(&value)?)
    }

    fn mask(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                for (pattern, replacement) in &self.0 {
                    if let std::borrow::Cow::Owned(masked) = pattern.replace_all(text, *replacement)
                    {
                        *text = masked;
                    }
                }
            }
            // The seed's passes lists by; whoever masks does not.
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.mask(member)),
            _ => {}
        }
    }
}
