//! Walks a JSON document once and lists the tokens that have to change.

use std::borrow::Cow;

use super::context::Names;
use super::json::{self, Cursor, DEPTH_MAX, DIGITS_MIN, RedactError, StringToken};
use super::policy::{Counts, RuleSet, Span};
use super::scan;

/// A token that has to change.
pub(super) struct Edit {
    /// Offset of the token's first byte.
    pub(super) start: usize,
    /// Offset behind the token.
    pub(super) end: usize,
    /// The new text, unescaped. The new token is always a string.
    pub(super) text: String,
    /// Whether the token is a member's name.
    pub(super) is_name: bool,
}

/// What one walk found.
#[derive(Default)]
pub(super) struct Found {
    /// Ascending by offset.
    pub(super) edits: Vec<Edit>,
    pub(super) counts: Counts,
}

/// Lists the edits of a document that sits under `names`.
pub(super) fn find(
    rules: RuleSet,
    json: &[u8],
    names: Option<&Names<'_>>,
) -> Result<Found, RedactError> {
    let cursor = Cursor::new(json)?;
    let mut finder = Finder {
        rules,
        cursor,
        found: Found::default(),
        spans: Vec::new(),
        unescaped: String::new(),
    };
    finder.value(names, 0)?;
    finder.cursor.finish()?;
    Ok(finder.found)
}

struct Finder<'j> {
    rules: RuleSet,
    cursor: Cursor<'j>,
    found: Found,
    /// Kept between texts so that a dirty document allocates once.
    spans: Vec<Span>,
    /// Kept between texts for the same reason.
    unescaped: String,
}

impl Finder<'_> {
    fn value(&mut self, names: Option<&Names<'_>>, depth: usize) -> Result<(), RedactError> {
        match self.cursor.peek() {
            Some(b'"') => {
                let token = self.cursor.string()?;
                self.string(token, names, false)
            }
            Some(b'{') => self.object(names, depth),
            Some(b'[') => self.array(names, depth),
            Some(b'-' | b'0'..=b'9') => self.number(names),
            _ => self.cursor.literal(),
        }
    }

    fn object(&mut self, names: Option<&Names<'_>>, depth: usize) -> Result<(), RedactError> {
        self.open(b'{', depth)?;
        if self.cursor.take(b'}') {
            return Ok(());
        }
        loop {
            let token = self.cursor.string()?;
            self.string(token, names, true)?;
            if !self.cursor.take(b':') {
                return Err(self.cursor.expected("':'"));
            }
            let mut name = Cow::Borrowed(token.raw);
            if token.escaped {
                let mut text = String::new();
                json::unescape(token.raw, token.start, &mut text)?;
                name = Cow::Owned(text);
            }
            self.value(Some(&Names::new(&name, names)), depth + 1)?;
            if self.cursor.take(b'}') {
                return Ok(());
            }
            if !self.cursor.take(b',') {
                return Err(self.cursor.expected("',' or '}'"));
            }
        }
    }

    fn array(&mut self, names: Option<&Names<'_>>, depth: usize) -> Result<(), RedactError> {
        self.open(b'[', depth)?;
        if self.cursor.take(b']') {
            return Ok(());
        }
        loop {
            self.value(names, depth + 1)?;
            if self.cursor.take(b']') {
                return Ok(());
            }
            if !self.cursor.take(b',') {
                return Err(self.cursor.expected("',' or ']'"));
            }
        }
    }

    fn open(&mut self, bracket: u8, depth: usize) -> Result<(), RedactError> {
        if depth >= DEPTH_MAX {
            return Err(RedactError::TooDeep { offset: self.cursor.offset() });
        }
        self.cursor.take(bracket);
        Ok(())
    }

    fn string(
        &mut self,
        token: StringToken<'_>,
        names: Option<&Names<'_>>,
        is_name: bool,
    ) -> Result<(), RedactError> {
        if !token.candidate {
            return Ok(());
        }
        if !token.escaped {
            self.text(token.raw, (token.start, token.end), names, is_name);
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.unescaped);
        text.clear();
        json::unescape(token.raw, token.start, &mut text)?;
        self.text(&text, (token.start, token.end), names, is_name);
        self.unescaped = text;
        Ok(())
    }

    /// A bare integer is read as the text of its digits; decimals, which is what arrays of
    /// features hold, never get that far.
    fn number(&mut self, names: Option<&Names<'_>>) -> Result<(), RedactError> {
        let token = self.cursor.number()?;
        if let Some(digits) = token.digits
            && u32::try_from(digits.len()).is_ok_and(|n| n >= DIGITS_MIN)
        {
            self.text(digits, (token.start, token.end), names, false);
        }
        Ok(())
    }

    fn text(
        &mut self,
        text: &str,
        (start, end): (usize, usize),
        names: Option<&Names<'_>>,
        is_name: bool,
    ) {
        self.spans.clear();
        scan::scan(self.rules, text, names, &mut self.spans);
        if self.spans.is_empty() {
            return;
        }
        for span in &self.spans {
            self.found.counts.add(span.rule, 1);
        }
        let text = scan::mask(text, &self.spans);
        self.found.edits.push(Edit { start, end, text, is_name });
    }
}
