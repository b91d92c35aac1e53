//! Walks a JSON document once and lists the tokens that have to change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::PASSES_MAX;
use super::context::Names;
use super::json::{self, Cursor, DEPTH_MAX, DIGITS_MIN, RedactError, StringToken};
use super::leaf::{self, Patch};
use super::rule::{Rule, RuleSet};
use super::stream::{self, Fragment};

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
    /// The rules that matched in it, once for each match.
    pub(super) rules: Vec<Rule>,
}

/// What one walk found.
#[derive(Default)]
pub(super) struct Found {
    /// Ascending by offset.
    pub(super) edits: Vec<Edit>,
    /// Whether a further walk over the outcome could find more. Without it every text is settled.
    pub(super) again: bool,
}

/// Lists the edits of a document that sits under `names`.
pub(super) fn find(
    rules: RuleSet,
    json: &[u8],
    names: Option<&Names<'_>>,
) -> Result<Found, RedactError> {
    let mut finder = Finder::new(rules, Cursor::new(json)?, 0);
    finder.value(names, 0)?;
    finder.cursor.finish()?;
    Ok(finder.found)
}

/// Lists the edits of the documents, one after another, that a text holds. Names that become equal
/// are told apart here, because such a document is patched and not written anew.
pub(super) fn nested(
    rules: RuleSet,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
) -> Result<Found, RedactError> {
    let mut finder = Finder::new(rules, Cursor::new(text.as_bytes())?, depth);
    while finder.cursor.peek().is_some() {
        finder.value(names, 0)?;
    }
    Ok(finder.found)
}

struct Finder<'j> {
    rules: RuleSet,
    cursor: Cursor<'j>,
    found: Found,
    /// In how many encodings the document lies; 0 for one that is a document itself.
    nesting: usize,
    /// The lists around the value, from the outermost: whether each is a list of choices.
    lists: Vec<bool>,
    /// Pieces of streams in those lists.
    pieces: Vec<Fragment>,
    /// Kept between texts so that a dirty document allocates once.
    patches: Vec<Patch>,
    /// Kept between texts for the same reason.
    unescaped: String,
}

impl<'j> Finder<'j> {
    fn new(rules: RuleSet, cursor: Cursor<'j>, nesting: usize) -> Self {
        Self {
            rules,
            cursor,
            found: Found::default(),
            nesting,
            lists: Vec::new(),
            pieces: Vec::new(),
            patches: Vec::new(),
            unescaped: String::new(),
        }
    }
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
        let first_piece = self.pieces.len();
        let mut taken = BTreeMap::new();
        let mut index = None;
        if self.cursor.take(b'}') {
            return Ok(());
        }
        loop {
            let token = self.cursor.string()?;
            self.name(token, names, &mut taken)?;
            if !self.cursor.take(b':') {
                return Err(self.cursor.expected("':'"));
            }
            let mut name = Cow::Borrowed(token.raw);
            if token.escaped {
                let mut text = String::new();
                json::unescape(token.raw, token.start, &mut text)?;
                name = Cow::Owned(text);
            }
            let at = self.cursor.offset();
            self.value(Some(&Names::new(&name, names)), depth + 1)?;
            if name == "index" {
                index = self.cursor.since(at).trim().parse::<u64>().ok();
            }
            if self.cursor.take(b'}') {
                break;
            }
            if !self.cursor.take(b',') {
                return Err(self.cursor.expected("',' or '}'"));
            }
        }
        if let Some(index) = index {
            for piece in self.pieces.iter_mut().skip(first_piece) {
                piece.key = stream::with_index(piece.key, index);
            }
        }
        Ok(())
    }

    /// A member's name. `taken` holds those of its object that were changed, and how often.
    fn name(
        &mut self,
        token: StringToken<'_>,
        names: Option<&Names<'_>>,
        taken: &mut BTreeMap<String, u32>,
    ) -> Result<(), RedactError> {
        let before = self.found.edits.len();
        self.string(token, names, true)?;
        let Some(edit) = self.found.edits.get_mut(before).filter(|_| self.nesting > 0) else {
            return Ok(());
        };
        let n = taken.entry(edit.text.clone()).and_modify(|n| *n += 1).or_insert(1);
        if *n > 1 {
            edit.text.push_str(&format!("#{n}"));
        }
        Ok(())
    }

    fn array(&mut self, names: Option<&Names<'_>>, depth: usize) -> Result<(), RedactError> {
        self.open(b'[', depth)?;
        if self.cursor.take(b']') {
            return Ok(());
        }
        self.lists.push(names.is_some_and(|names| names.name() == "choices"));
        loop {
            self.value(names, depth + 1)?;
            if self.cursor.take(b']') {
                break;
            }
            if !self.cursor.take(b',') {
                return Err(self.cursor.expected("',' or ']'"));
            }
        }
        self.lists.pop();
        let list = self.lists.len();
        if self.pieces.last().is_some_and(|piece| piece.list == list) {
            let first =
                self.pieces.iter().rposition(|piece| piece.list != list).map_or(0, |n| n + 1);
            let pieces = self.pieces.split_off(first);
            stream::resolve(self.rules, pieces, &mut self.found.edits);
        }
        Ok(())
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
        if self.rules.is_empty() {
            return Ok(());
        }
        // The names on a name's path say what it is, not that it is secret.
        let named = !is_name && names.is_some_and(|names| names.verdict().is_some());
        let piece =
            if is_name || self.lists.is_empty() { None } else { names.and_then(stream::key) };
        if !token.candidate && !named && piece.is_none() {
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.unescaped);
        text.clear();
        if token.escaped {
            json::unescape(token.raw, token.start, &mut text)?;
        }
        let read = if token.escaped { text.as_str() } else { token.raw };
        if let Some(key) = piece {
            self.piece(token, key, read);
        }
        if token.candidate || named {
            self.text(read, (token.start, token.end), names, is_name);
        }
        self.unescaped = text;
        Ok(())
    }

    /// Keeps a piece of a stream until its list ends: the nearest that is no list of choices.
    fn piece(&mut self, token: StringToken<'_>, key: u64, text: &str) {
        // What is masked in one piece can change what lies across pieces.
        self.found.again = true;
        let list = self.lists.iter().rposition(|choices| !choices).unwrap_or(0);
        self.pieces.push(Fragment {
            start: token.start,
            end: token.end,
            list,
            key,
            text: text.to_owned(),
        });
    }

    /// A bare integer is read as the text of its digits; decimals, which is what arrays of
    /// features hold, never get that far.
    fn number(&mut self, names: Option<&Names<'_>>) -> Result<(), RedactError> {
        let token = self.cursor.number()?;
        let Some(digits) = token.digits.filter(|_| !self.rules.is_empty()) else { return Ok(()) };
        let long = u32::try_from(digits.len()).is_ok_and(|n| n >= DIGITS_MIN);
        if long || (digits.len() >= 3 && names.is_some_and(|names| names.verdict().is_some())) {
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
        self.patches.clear();
        if is_name {
            leaf::inner(self.rules, text, names, self.nesting, &mut self.patches);
        } else {
            leaf::patches(self.rules, text, names, self.nesting, &mut self.patches);
        }
        if self.patches.is_empty() {
            return;
        }
        let mut rules: Vec<Rule> = Vec::new();
        let mut text = Cow::Borrowed(text);
        for _ in 0..PASSES_MAX {
            rules.extend(self.patches.iter().flat_map(Patch::rules));
            text = Cow::Owned(leaf::apply(&text, &self.patches));
            self.patches.clear();
            if is_name {
                leaf::inner(self.rules, &text, names, self.nesting, &mut self.patches);
            } else {
                leaf::patches(self.rules, &text, names, self.nesting, &mut self.patches);
            }
            if self.patches.is_empty() {
                break;
            }
        }
        // Another name changes what lies beneath it.
        self.found.again |= is_name;
        let text = text.into_owned();
        self.found.edits.push(Edit { start, end, text, is_name, rules });
    }
}
