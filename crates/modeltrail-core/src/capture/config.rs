//! What is captured, and where names come from, as people write it: in TOML for the command line, as keyword
//! arguments in Python, as this type in Rust.

use serde::Deserialize;

use super::{CaptureConfigError, Plan};

/// A text or several that are tried in turn.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One.
    One(String),
    /// Several, the first that gives something counts.
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        }
    }
}

impl From<&str> for OneOrMany {
    fn from(text: &str) -> Self {
        Self::One(text.to_owned())
    }
}

/// A whole configuration. Members that a route has too are what holds where it does not say otherwise. Texts that
/// name a place are as [`super::Source`] reads them.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CaptureConfig {
    /// What holds for every route, and for requests that no route names.
    pub defaults: RouteConfig,
    /// Routes, the first that matches counts. Without any, every request with one of the default methods is captured.
    pub route: Vec<RouteConfig>,
    /// Names of request and response headers whose values are recorded; none by default. Headers that carry
    /// credentials are refused.
    pub record_headers: Vec<String>,
    /// Most bytes of a body that are kept, of request and answer each.
    pub body_bytes_max: Option<usize>,
}

/// One route.
#[derive(Clone, PartialEq, Default, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RouteConfig {
    /// The path, with `{name}` for a variable and `*` at the end for the rest.
    pub path: Option<String>,
    /// Methods, in capitals; POST, PUT and PATCH where none are given.
    pub methods: Option<Vec<String>>,
    /// A name of [`super::shape::Shape`], or `auto`.
    pub shape: Option<String>,
    /// `after` (one record when it ended), `before_response` (an intent first) or `off`.
    pub capture: Option<String>,
    /// Where the model's name comes from.
    pub model: Option<OneOrMany>,
    /// Where its version comes from.
    pub version: Option<OneOrMany>,
    /// Who serves it.
    pub provider: Option<OneOrMany>,
    /// Who asked.
    pub user: Option<OneOrMany>,
    /// Whom it is about.
    pub subject: Option<OneOrMany>,
    /// The conversation or run.
    pub session: Option<OneOrMany>,
    /// The caller's correlation id; assigned where there is none.
    pub request_id: Option<OneOrMany>,
    /// Those of the places above whose word was checked before (by a gateway that sets the header, say); what any
    /// other place says of user, subject and session is marked as `claimed`.
    pub trusted: Option<Vec<String>>,
}

impl CaptureConfig {
    /// Reads a configuration from TOML.
    ///
    /// # Errors
    /// When it is no TOML or has members that are none of a configuration's.
    pub fn from_toml(text: &str) -> Result<Self, CaptureConfigError> {
        toml::from_str(text).map_err(|error| unreadable(&error))
    }

    /// Reads a configuration from JSON.
    ///
    /// # Errors
    /// As [`CaptureConfig::from_toml`].
    pub fn from_json(text: &str) -> Result<Self, CaptureConfigError> {
        serde_json::from_str(text).map_err(|error| unreadable(&error))
    }

    /// Checks it.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn plan(&self) -> Result<Plan, Vec<CaptureConfigError>> {
        Plan::new(self)
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> CaptureConfigError {
    CaptureConfigError::new(
        "capture",
        error.to_string().trim_end(),
        "see the members of a route in the documentation",
    )
}
