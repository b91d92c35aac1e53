//! What a shape is, as data.

use super::stream::Family;

/// A shape. Places are JSON pointers, tried in turn.
#[derive(Debug)]
pub(super) struct Table {
    /// Ends of paths that it is recognised by, with `{model}` and `{version}` where the path names them.
    pub(super) paths: &'static [&'static str],
    /// Who serves it, where the shape alone says so.
    pub(super) provider: Option<&'static str>,
    /// The model in the request.
    pub(super) model: &'static [&'static str],
    /// The model in the answer, where the request does not say.
    pub(super) model_of_answer: &'static [&'static str],
    /// The exact model or its version in the answer.
    pub(super) version: &'static [&'static str],
    /// The end user in the request.
    pub(super) user: &'static [&'static str],
    /// The conversation in the request.
    pub(super) session: &'static [&'static str],
    /// What was used up, in the answer.
    pub(super) usage: &'static [&'static str],
    /// Why the answer ended, in the answer.
    pub(super) finish_reason: &'static [&'static str],
    /// Where in the request members of [`Table::decoding`] are; the request itself where `None`.
    pub(super) decoding_in: Option<&'static str>,
    /// Members of the request that say how to decode.
    pub(super) decoding: &'static [&'static str],
    /// How a streamed answer is put together.
    pub(super) stream: Family,
}

/// A shape that says nothing; tables name what they have.
pub(super) const NOTHING: Table = Table {
    paths: &[],
    provider: None,
    model: &[],
    model_of_answer: &[],
    version: &[],
    user: &[],
    session: &[],
    usage: &[],
    finish_reason: &[],
    decoding_in: None,
    decoding: &[],
    stream: Family::Events,
};
