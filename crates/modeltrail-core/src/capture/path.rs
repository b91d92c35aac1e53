//! Paths of routes: literal text, `{name}` for a variable within a segment, `*` at the end for the rest.

use super::problem::CaptureConfigError;

/// A path as a route writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PathPattern {
    tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Token {
    Literal(String),
    Variable(String),
    Rest,
}

/// The variables of a path that matched, percent-decoded.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct PathVars(Vec<(String, String)>);

impl PathVars {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(at, _)| at == name).map(|(_, value)| value.as_str())
    }
}

impl PathPattern {
    /// What every path matches.
    pub(super) fn anything() -> Self {
        Self { tokens: vec![Token::Rest] }
    }

    /// Reads a pattern such as `/v1/models/{model}:predict` or `/v1/*`.
    pub(super) fn parse(text: &str, place: &str) -> Result<Self, CaptureConfigError> {
        let refuse = |what: &str| {
            let remedy = "write a path like /v1/models/{model}:predict or /v1/*";
            Err(CaptureConfigError::new(place, format!("`{text}` {what}"), remedy))
        };
        if !text.starts_with('/') && text != "*" {
            return refuse("does not begin with a slash");
        }
        let (mut tokens, mut rest) = (Vec::new(), text);
        while let Some(at) = rest.find(['{', '*']) {
            let (literal, special) = rest.split_at(at);
            if !literal.is_empty() {
                tokens.push(Token::Literal(literal.to_owned()));
            }
            if special == "*" {
                tokens.push(Token::Rest);
                return Ok(Self { tokens });
            }
            let Some((name, behind)) = special.strip_prefix('{').and_then(|s| s.split_once('}'))
            else {
                return refuse("has a `*` that is not at its end, or a brace that is not closed");
            };
            if name.is_empty() || matches!(tokens.last(), Some(Token::Variable(_))) {
                return refuse("has a variable without a name, or two without text between them");
            }
            tokens.push(Token::Variable(name.to_owned()));
            rest = behind;
        }
        if !rest.is_empty() {
            tokens.push(Token::Literal(rest.to_owned()));
        }
        Ok(Self { tokens })
    }

    /// True when it has a variable of this name.
    pub(super) fn has_variable(&self, name: &str) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Variable(at) if at == name))
    }

    /// The variables, where a path matches. A variable ends at the next slash, or where the text behind it begins.
    pub(super) fn matches(&self, path: &str) -> Option<PathVars> {
        let (mut vars, mut rest) = (Vec::new(), path);
        for (n, token) in self.tokens.iter().enumerate() {
            match token {
                Token::Literal(literal) => rest = rest.strip_prefix(literal.as_str())?,
                Token::Rest => return Some(PathVars(vars)),
                Token::Variable(name) => {
                    let segment = rest.find('/').unwrap_or(rest.len());
                    let end = match self.tokens.get(n + 1) {
                        Some(Token::Literal(next)) if !next.starts_with('/') => {
                            rest.get(..segment)?.rfind(next.split('/').next()?)?
                        }
                        _ => segment,
                    };
                    let (value, behind) = rest.split_at_checked(end)?;
                    if value.is_empty() {
                        return None;
                    }
                    vars.push((name.clone(), percent_decode(value)));
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(PathVars(vars))
    }
}

/// Percent-encoded bytes as what they mean (RFC 3986, 2.1); what is no UTF-8 then stands as U+FFFD.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let coded = (*first == b'%')
            .then(|| behind.get(..2).and_then(|two| std::str::from_utf8(two).ok()))
            .flatten()
            .filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        bytes.push(coded.unwrap_or(*first));
        rest = if coded.is_some() { behind.get(2..).unwrap_or_default() } else { behind };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
