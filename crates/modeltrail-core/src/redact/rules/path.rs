//! Paths into a document: the part of JSONPath (RFC 9535) that names places and asks nothing of
//! values: `$.user.ssn`, `$..authorization`, `$.messages[*].content`, `$['a b']`, `$.rows[0]`.
//! No filters, no slices, no places counted from the end.

use std::fmt::{self, Write as _};

/// Longest path in bytes.
const PATH_BYTES_MAX: usize = 512;

/// Most segments of a path; records are 128 deep at most, and nobody names so many.
const SEGMENTS_MAX: usize = 32;

/// A path. Its display is the spelling that all spellings of it share, the normalized path of RFC
/// 9535 section 2.7 with `[*]` and `..` besides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct JsonPath {
    pub(super) segments: Vec<Segment>,
}

/// One step down.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Segment {
    /// Whether any number of steps may lie before it (`..`).
    pub(super) deep: bool,
    /// Any of these.
    pub(super) selectors: Vec<Selector>,
}

/// A child.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Selector {
    /// Every one.
    Any,
    /// The element at this place, from 0.
    Index(usize),
    /// The member of this name, exactly.
    Name(String),
}

/// A child on the way down.
#[derive(Clone, Copy, Debug)]
pub(super) enum Child<'n> {
    /// A member, by its name.
    Name(&'n str),
    /// An element, from 0.
    Index(usize),
}

impl Selector {
    pub(super) fn takes(&self, child: Child<'_>) -> bool {
        match (self, child) {
            (Self::Any, _) => true,
            (Self::Index(index), Child::Index(other)) => *index == other,
            (Self::Name(name), Child::Name(other)) => name == other,
            _ => false,
        }
    }
}

/// Why a text is no path.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PathError {
    /// The character of the path, from 1.
    pub(super) at: usize,
    pub(super) what: &'static str,
    pub(super) remedy: &'static str,
}

/// What can be written between brackets.
const BRACKETS: &str =
    "write ['name'], [0] or [*]; filters, slices and negative places are not read";

impl JsonPath {
    pub(super) fn parse(text: &str) -> Result<Self, PathError> {
        let mut parser = Parser { text, rest: text };
        if text.len() > PATH_BYTES_MAX {
            return Err(parser.error("a path of more than 512 bytes", "write a shorter one"));
        }
        if !parser.eat("$") {
            return Err(parser.error("a path begins with $", "write for example $.user.ssn"));
        }
        let mut segments = Vec::new();
        while !parser.rest.is_empty() {
            segments.push(parser.segment()?);
            if segments.len() > SEGMENTS_MAX {
                let what = "more than 32 steps";
                return Err(parser.error(what, "leave out the first ones with .."));
            }
        }
        Ok(Self { segments })
    }

    /// The first name of each step, where every step has one; `None` for the root and for other paths.
    pub(super) fn names(&self) -> Option<Vec<String>> {
        let name = |segment: &Segment| {
            segment.selectors.iter().find_map(|selector| match selector {
                Selector::Name(name) => Some(name.clone()),
                _ => None,
            })
        };
        self.segments.iter().map(name).collect::<Option<Vec<_>>>().filter(|names| !names.is_empty())
    }
}

struct Parser<'t> {
    text: &'t str,
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn error(&self, what: &'static str, remedy: &'static str) -> PathError {
        let n_read = self.text.chars().count() - self.rest.chars().count();
        PathError { at: n_read + 1, what, remedy }
    }

    fn eat(&mut self, token: &str) -> bool {
        let after = self.rest.strip_prefix(token);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn segment(&mut self) -> Result<Segment, PathError> {
        let deep = self.eat("..");
        if self.eat("[") {
            return Ok(Segment { deep, selectors: self.brackets()? });
        }
        if !deep && !self.eat(".") {
            return Err(self.error("neither . nor [ nor ..", BRACKETS));
        }
        let selector =
            if self.eat("*") { Selector::Any } else { Selector::Name(self.shorthand()?) };
        Ok(Segment { deep, selectors: vec![selector] })
    }

    /// A name behind a dot.
    fn shorthand(&mut self) -> Result<String, PathError> {
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii();
        let len = self.rest.find(|c| !named(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            let remedy = "write a name, * or, for names of other characters, ['the name']";
            return Err(self.error("no name behind the dot", remedy));
        }
        self.rest = rest;
        if !self.rest.is_empty() && !self.rest.starts_with(['.', '[']) {
            let what = "a character that a name behind a dot cannot have";
            return Err(self.error(what, "write the name as ['the-name']"));
        }
        Ok(name.to_owned())
    }

    fn brackets(&mut self) -> Result<Vec<Selector>, PathError> {
        let mut selectors = Vec::new();
        loop {
            self.skip_blanks();
            selectors.push(self.selector()?);
            self.skip_blanks();
            if self.eat("]") {
                selectors.sort();
                selectors.dedup();
                return Ok(selectors);
            }
            if !self.eat(",") {
                return Err(self.error("neither , nor ]", BRACKETS));
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, PathError> {
        if self.eat("*") {
            return Ok(Selector::Any);
        }
        if self.eat("'") {
            return self.quoted('\'').map(Selector::Name);
        }
        if self.eat("\"") {
            return self.quoted('"').map(Selector::Name);
        }
        let len = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, ""));
        let plain = digits == "0" || !digits.starts_with('0');
        match digits.parse() {
            Ok(index) if plain => {
                self.rest = rest;
                Ok(Selector::Index(index))
            }
            _ => Err(self.error("nothing that can stand between brackets", BRACKETS)),
        }
    }

    /// The name up to its closing quote, with the escapes of RFC 9535.
    fn quoted(&mut self, quote: char) -> Result<String, PathError> {
        let mut name = String::new();
        loop {
            let mut chars = self.rest.chars();
            let Some(c) = chars.next() else {
                return Err(self.error("a name without closing quote", "close it before the ]"));
            };
            if c < ' ' {
                return Err(self.error("a control character", "write it as an escape (\\u0009)"));
            }
            self.rest = chars.as_str();
            match c {
                _ if c == quote => return Ok(name),
                '\\' => name.push(self.escape(quote)?),
                _ => name.push(c),
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<char, PathError> {
        let mut chars = self.rest.chars();
        let c = chars.next();
        let plain = match c {
            Some('b') => Some('\u{8}'),
            Some('f') => Some('\u{c}'),
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('/') => Some('/'),
            Some('\\') => Some('\\'),
            c if c == Some(quote) => c,
            _ => None,
        };
        if let Some(plain) = plain {
            self.rest = chars.as_str();
            return Ok(plain);
        }
        let unit = |parser: &mut Self| {
            let digits = parser.rest.strip_prefix('u').and_then(|rest| rest.get(..4))?;
            let unit = u16::from_str_radix(digits, 16).ok()?;
            let hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            parser.rest = parser.rest.get(5..).filter(|_| hex)?;
            Some(unit)
        };
        let error = self.error("an escape that JSON does not have", "write \\\\ for a backslash");
        let high = unit(self).ok_or_else(|| error.clone())?;
        let low =
            if (0xd800..0xdc00).contains(&high) && self.eat("\\") { unit(self) } else { None };
        let units = [Some(high), low].into_iter().flatten();
        match char::decode_utf16(units).collect::<Result<Vec<_>, _>>().as_deref() {
            Ok([c]) => Ok(*c),
            _ => Err(error),
        }
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('$')?;
        for segment in &self.segments {
            f.write_str(if segment.deep { "..[" } else { "[" })?;
            for (n, selector) in segment.selectors.iter().enumerate() {
                f.write_str(if n > 0 { "," } else { "" })?;
                match selector {
                    Selector::Any => f.write_char('*')?,
                    Selector::Index(index) => write!(f, "{index}")?,
                    Selector::Name(name) => write_name(f, name)?,
                }
            }
            f.write_char(']')?;
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in name.chars() {
        match c {
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\'' | '\\' => write!(f, "\\{c}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('\'')
}
