//! Where a rule holds: names, paths, models, parts.

use super::glob::Glob;
use super::path::JsonPath;
use crate::code::PartId;

/// The parts that are redacted, by the names that a policy has for them.
pub(super) const PARTS: [PartId; 5] =
    [PartId::Input, PartId::Output, PartId::Metadata, PartId::Pipeline, PartId::Error];

/// Where a rule holds. An empty list asks nothing.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// Joined words in lower case; see [`super::key`]. Any of these or of `paths`.
    pub(super) keys: Vec<String>,
    pub(super) paths: Vec<JsonPath>,
    pub(super) models: Vec<Glob>,
    pub(super) parts: Vec<PartId>,
}

impl Place {
    /// Whether the rule holds anywhere in this part of a record of this model.
    pub(super) fn reaches(&self, part: PartId, model: &str) -> bool {
        (self.parts.is_empty() || self.parts.contains(&part))
            && (self.models.is_empty() || self.models.iter().any(|glob| glob.matches(model)))
    }

    /// Whether it holds in all of that part.
    pub(super) fn is_everywhere(&self) -> bool {
        self.keys.is_empty() && self.paths.is_empty()
    }
}
