//! What is wrong in a configuration of capture.

/// Why a [`super::CaptureConfig`] cannot be taken: where in it, what, and what to do.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{place}: {what}; {remedy}")]
pub struct CaptureConfigError {
    /// Where, such as `route 2, user`.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl CaptureConfigError {
    pub(super) fn new(
        place: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { place: place.into(), what: what.into(), remedy: remedy.into() }
    }
}
