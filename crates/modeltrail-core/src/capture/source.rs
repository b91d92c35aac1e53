//! Where a name or an identity is taken from.

use super::path::PathVars;
use super::problem::CaptureConfigError;

/// A place that a text can be read from, as configurations write it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The text itself: `fraud_detector`.
    Literal(String),
    /// A header of the request: `header:x-user-id`. Names are kept in lower case.
    Header(String),
    /// A header of the answer: `response-header:x-model-version`.
    ResponseHeader(String),
    /// A variable of the route's path: `path:model` where the path has `{model}`.
    Path(String),
    /// A parameter of the query: `query:user`.
    Query(String),
    /// A member of the request's JSON by its pointer (RFC 6901): `body:/model`.
    Body(String),
    /// A member of the answer's JSON: `response:/model`.
    Response(String),
}

/// What sources are read from. Headers are a few, so a list is searched.
pub(super) struct Places<'a> {
    pub(super) headers: &'a [(String, String)],
    pub(super) response_headers: &'a [(String, String)],
    pub(super) path: &'a PathVars,
    pub(super) query: Option<&'a str>,
    pub(super) body: Option<&'a serde_json::Value>,
    pub(super) response: Option<&'a serde_json::Value>,
}

impl Source {
    /// Reads a source as configurations write it; a text without one of the prefixes is a literal.
    ///
    /// # Errors
    /// When a header's name or a pointer cannot be one.
    pub fn parse(text: &str, place: &str) -> Result<Self, CaptureConfigError> {
        let refuse = |what: &str, remedy: &str| {
            Err(CaptureConfigError::new(place, format!("`{text}` {what}"), remedy))
        };
        let Some((kind, rest)) = text.split_once(':') else {
            return Ok(Self::Literal(text.to_owned()));
        };
        let is_header_name = || {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        };
        let header = "write a header's name in letters, digits and dashes behind the colon";
        let pointer = "write a JSON pointer behind the colon, like body:/model";
        match kind {
            "header" if is_header_name() => Ok(Self::Header(rest.to_ascii_lowercase())),
            "response-header" if is_header_name() => {
                Ok(Self::ResponseHeader(rest.to_ascii_lowercase()))
            }
            "header" | "response-header" => refuse("names no header", header),
            "path" if !rest.is_empty() => Ok(Self::Path(rest.to_owned())),
            "query" if !rest.is_empty() => Ok(Self::Query(rest.to_owned())),
            "path" | "query" => refuse("names nothing", "write a name behind the colon"),
            "body" if rest.starts_with('/') => Ok(Self::Body(rest.to_owned())),
            "response" if rest.starts_with('/') => Ok(Self::Response(rest.to_owned())),
            "body" | "response" => refuse("has no JSON pointer", pointer),
            _ => Ok(Self::Literal(text.to_owned())),
        }
    }

    /// True for places that are known with the request's head.
    pub(super) const fn is_before_bodies(&self) -> bool {
        !matches!(self, Self::Body(_) | Self::Response(_) | Self::ResponseHeader(_))
    }

    /// As configurations write it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Header(name) => format!("header:{name}"),
            Self::ResponseHeader(name) => format!("response-header:{name}"),
            Self::Path(name) => format!("path:{name}"),
            Self::Query(name) => format!("query:{name}"),
            Self::Body(pointer) => format!("body:{pointer}"),
            Self::Response(pointer) => format!("response:{pointer}"),
        }
    }

    /// The text at this place; `None` where there is none, or an empty one.
    pub(super) fn read(&self, places: &Places<'_>) -> Option<String> {
        let header = |headers: &[(String, String)], name: &str| {
            headers.iter().find(|(at, _)| at == name).map(|(_, value)| value.clone())
        };
        let text = match self {
            Self::Literal(text) => Some(text.clone()),
            Self::Header(name) => header(places.headers, name),
            Self::ResponseHeader(name) => header(places.response_headers, name),
            Self::Path(name) => places.path.get(name).map(str::to_owned),
            Self::Query(name) => query_parameter(places.query?, name),
            Self::Body(pointer) => scalar(places.body?.pointer(pointer)?),
            Self::Response(pointer) => scalar(places.response?.pointer(pointer)?),
        };
        text.filter(|text| !text.is_empty())
    }
}

/// A JSON value that can be a name: a text or a number.
fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The first value of a parameter (WHATWG `application/x-www-form-urlencoded`).
fn query_parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| super::path::percent_decode(&text.replace('+', " "));
        (plain(key) == name).then(|| plain(value))
    })
}
