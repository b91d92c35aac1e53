//! Walks a JSON document once and lists the tokens that have to change.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::PASSES_MAX;
use super::context::Names;
use super::json::{self, Cursor, DEPTH_MAX, DIGITS_MIN, RedactError, StringToken};
use super::leaf::{self, Leaf, Patch};
use super::order::{Order, What};
use super::rules::{Action, Denied, token_len};
use super::stream::{self, Fragment};

/// What is written in the place of something.
pub(super) enum New {
    /// A string of this text, unescaped.
    Text(String),
    /// `null`, or nothing where a member is taken out.
    Raw(&'static str),
}

impl New {
    /// Appends it as JSON.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => json::escape(text, out),
            Self::Raw(raw) => out.extend_from_slice(raw.as_bytes()),
        }
    }

    /// The text of a string.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Raw(raw) => raw,
        }
    }

    /// Its length in bytes, escapes aside.
    pub(super) fn len(&self) -> usize {
        self.text().len()
    }
}

/// What is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A string or a number.
    Token,
    /// The name of a member.
    Name,
    /// A value of any form, or a member with its comma.
    Range,
}

/// A stretch of a document that has to change.
pub(super) struct Edit {
    /// Offset of the first byte.
    pub(super) start: usize,
    /// Offset behind the last.
    pub(super) end: usize,
    pub(super) new: New,
    pub(super) kind: Kind,
    /// What matched in it, once for each match.
    pub(super) whats: Vec<What>,
}

/// What one walk found.
#[derive(Default)]
pub(super) struct Found {
    /// Ascending by offset.
    pub(super) edits: Vec<Edit>,
    /// What matched and stands by its action.
    pub(super) kept: Vec<What>,
    /// Whether a further walk over the outcome could find more. Without it every text is settled.
    pub(super) again: bool,
}

/// Lists the edits of a document that sits under `names`.
pub(super) fn find(
    order: &Order<'_>,
    json: &[u8],
    names: Option<&Names<'_>>,
) -> Result<Found, RedactError> {
    let mut finder = Finder::new(Cursor::new(json)?, 0);
    finder.cursor.peek();
    let start = finder.cursor.offset();
    if finder.value(order, names, 0)? {
        finder.leave_null(start);
    }
    finder.cursor.finish()?;
    Ok(finder.found)
}

/// Lists the edits of the documents, one after another, that a text holds. Names that become equal
/// are told apart here, because such a document is patched and not written anew.
pub(super) fn nested(
    order: &Order<'_>,
    text: &str,
    names: Option<&Names<'_>>,
    depth: usize,
) -> Result<Found, RedactError> {
    let mut finder = Finder::new(Cursor::new(text.as_bytes())?, depth);
    while finder.cursor.peek().is_some() {
        finder.value(order, names, 0)?;
    }
    Ok(finder.found)
}

struct Finder<'j, 'p> {
    cursor: Cursor<'j>,
    found: Found,
    /// In how many encodings the document lies; 0 for one that is a document itself.
    nesting: usize,
    /// The lists around the value, from the outermost: whether each is a list of choices.
    lists: Vec<bool>,
    /// Pieces of streams in those lists.
    pieces: Vec<Fragment<'p>>,
    /// Kept between texts so that a dirty document allocates once.
    leaf: Leaf,
    /// Kept between texts for the same reason.
    unescaped: String,
}

impl<'j> Finder<'j, '_> {
    fn new(cursor: Cursor<'j>, nesting: usize) -> Self {
        Self {
            cursor,
            found: Found::default(),
            nesting,
            lists: Vec::new(),
            pieces: Vec::new(),
            leaf: Leaf::default(),
            unescaped: String::new(),
        }
    }
}

/// The members of an object, as far as taking some out asks.
#[derive(Default)]
struct Siblings {
    /// Whether one of them stays so far.
    kept: bool,
    end_of_last: usize,
    /// An edit that takes one out with the comma behind it, whose end is not known yet.
    open: Option<usize>,
}

impl Siblings {
    /// The next one starts here.
    fn next(&mut self, start: usize, edits: &mut [Edit]) {
        let open = self.open.take().and_then(|edit| edits.get_mut(edit));
        if let Some(edit) = open {
            edit.end = start;
        }
    }

    /// It was read up to here. If it is taken out, its comma goes too: the one before it if
    /// something stays before it, else the one behind it.
    fn read(&mut self, start: usize, end: usize, removed: bool, edits: &mut [Edit]) {
        if !removed {
            self.kept = true;
        } else if let Some(edit) = edits.last_mut() {
            (edit.start, edit.end) = (if self.kept { self.end_of_last } else { start }, end);
            self.open = (!self.kept).then(|| edits.len() - 1);
        }
        self.end_of_last = end;
    }
}

impl<'p> Finder<'_, 'p> {
    /// Reads a value; whether it is to be taken out. The last edit then says why.
    fn value(
        &mut self,
        order: &Order<'p>,
        names: Option<&Names<'_>>,
        depth: usize,
    ) -> Result<bool, RedactError> {
        if let Some(denied) = order.deny() {
            return self.denied(order, &denied, depth);
        }
        match self.cursor.peek() {
            Some(b'"') => {
                let token = self.cursor.string()?;
                self.string(order, token, names, false)?;
            }
            Some(b'{') => self.object(order, names, depth)?,
            Some(b'[') => self.array(order, names, depth)?,
            Some(b'-' | b'0'..=b'9') => self.number(order, names)?,
            _ => self.cursor.literal()?,
        }
        Ok(false)
    }

    /// A value that is never stored, whatever it is.
    fn denied(
        &mut self,
        order: &Order<'p>,
        denied: &Denied<'_>,
        depth: usize,
    ) -> Result<bool, RedactError> {
        let is_text = self.cursor.peek() == Some(b'"');
        let start = self.cursor.offset();
        self.skip(depth)?;
        let end = self.cursor.offset();
        let raw = self.cursor.since(start);
        let mut value = String::new();
        match raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).filter(|_| is_text) {
            Some(inner) => json::unescape(inner, start, &mut value)?,
            None => value.push_str(raw),
        }
        let removed = denied.action == Action::Remove;
        let text = order.denied(denied, &value);
        let is_token = denied.action == Action::Pseudonym && token_len(&value) == Some(value.len());
        if !removed && is_text && (is_token || text == value) {
            return Ok(false);
        }
        let whats = vec![What::Denied(denied.rule)];
        let new = if removed { New::Raw("") } else { New::Text(text) };
        self.found.edits.push(Edit { start, end, new, kind: Kind::Range, whats });
        Ok(removed)
    }

    /// Leaves `null` of a value from `start` on that has no name to be taken out with: an element
    /// keeps its place, so that the places of those behind it are still theirs.
    fn leave_null(&mut self, start: usize) {
        let is_null = self.cursor.since(start) == "null";
        if is_null {
            self.found.edits.pop();
        } else if let Some(edit) = self.found.edits.last_mut() {
            edit.new = New::Raw("null");
        }
    }

    /// Reads past a value.
    fn skip(&mut self, depth: usize) -> Result<(), RedactError> {
        match self.cursor.peek() {
            Some(b'"') => self.cursor.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.cursor.number().map(drop),
            Some(open @ (b'{' | b'[')) => {
                self.open(open, depth)?;
                // In ASCII the closing bracket of either stands two behind the opening one.
                let close = open + 2;
                if self.cursor.take(close) {
                    return Ok(());
                }
                loop {
                    if open == b'{' {
                        self.cursor.string()?;
                        if !self.cursor.take(b':') {
                            return Err(self.cursor.expected("':'"));
                        }
                    }
                    self.skip(depth + 1)?;
                    if self.cursor.take(close) {
                        return Ok(());
                    }
                    if !self.cursor.take(b',') {
                        return Err(self.cursor.expected("',' or the closing bracket"));
                    }
                }
            }
            _ => self.cursor.literal(),
        }
    }

    fn object(
        &mut self,
        order: &Order<'p>,
        names: Option<&Names<'_>>,
        depth: usize,
    ) -> Result<(), RedactError> {
        self.open(b'{', depth)?;
        let first_piece = self.pieces.len();
        let (mut taken, mut siblings) = (BTreeMap::new(), Siblings::default());
        let mut index = None;
        if self.cursor.take(b'}') {
            return Ok(());
        }
        loop {
            let token = self.cursor.string()?;
            siblings.next(token.start, &mut self.found.edits);
            let n_edits = self.found.edits.len();
            self.name(order, token, names, &mut taken)?;
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
            let below = order.member(&name);
            let order = below.as_ref().unwrap_or(order);
            let removed = self.value(order, Some(&Names::new(&name, names)), depth + 1)?;
            if removed && self.found.edits.len() > n_edits + 1 {
                // Its name goes with it, whatever was found there.
                self.found.edits.drain(n_edits..self.found.edits.len() - 1);
            }
            if name == "index" {
                index = self.cursor.since(at).trim().parse::<u64>().ok();
            }
            let end = self.cursor.offset();
            siblings.read(token.start, end, removed, &mut self.found.edits);
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
        order: &Order<'p>,
        token: StringToken<'_>,
        names: Option<&Names<'_>>,
        taken: &mut BTreeMap<String, u32>,
    ) -> Result<(), RedactError> {
        let before = self.found.edits.len();
        self.string(order, token, names, true)?;
        let Some(edit) = self.found.edits.get_mut(before).filter(|_| self.nesting > 0) else {
            return Ok(());
        };
        let New::Text(text) = &mut edit.new else { return Ok(()) };
        let n = taken.entry(text.clone()).and_modify(|n| *n += 1).or_insert(1);
        if *n > 1 {
            text.push_str(&format!("#{n}"));
        }
        Ok(())
    }

    fn array(
        &mut self,
        order: &Order<'p>,
        names: Option<&Names<'_>>,
        depth: usize,
    ) -> Result<(), RedactError> {
        self.open(b'[', depth)?;
        if self.cursor.take(b']') {
            return Ok(());
        }
        self.lists.push(names.is_some_and(|names| names.name() == "choices"));
        let mut n = 0;
        loop {
            self.cursor.peek();
            let start = self.cursor.offset();
            let below = order.element(n);
            if self.value(below.as_ref().unwrap_or(order), names, depth + 1)? {
                self.leave_null(start);
            }
            n += 1;
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
            stream::resolve(pieces, &mut self.found);
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
        order: &Order<'p>,
        token: StringToken<'_>,
        names: Option<&Names<'_>>,
        is_name: bool,
    ) -> Result<(), RedactError> {
        if order.is_empty() || order.is_allowed() {
            return Ok(());
        }
        // The names on a name's path say what it is, not that it is secret.
        let named = !is_name && names.is_some_and(|names| names.verdict().is_some());
        let piece =
            if is_name || self.lists.is_empty() { None } else { names.and_then(stream::key) };
        let wanted = token.candidate || named || !order.patterns().is_empty();
        if !wanted && piece.is_none() {
            return Ok(());
        }
        let mut text = std::mem::take(&mut self.unescaped);
        text.clear();
        if token.escaped {
            json::unescape(token.raw, token.start, &mut text)?;
        }
        let read = if token.escaped { text.as_str() } else { token.raw };
        if let Some(key) = piece {
            self.piece(order, token, key, read);
        }
        let looked = if wanted {
            self.text(order, read, (token.start, token.end), names, is_name)
        } else {
            Ok(())
        };
        self.unescaped = text;
        looked
    }

    /// Keeps a piece of a stream until its list ends: the nearest that is no list of choices.
    fn piece(&mut self, order: &Order<'p>, token: StringToken<'_>, key: u64, text: &str) {
        // What is masked in one piece can change what lies across pieces.
        self.found.again = true;
        let list = self.lists.iter().rposition(|choices| !choices).unwrap_or(0);
        self.pieces.push(Fragment {
            order: *order,
            start: token.start,
            end: token.end,
            list,
            key,
            text: text.to_owned(),
        });
    }

    /// A bare integer is read as the text of its digits; decimals, which is what arrays of
    /// features hold, never get that far.
    fn number(&mut self, order: &Order<'p>, names: Option<&Names<'_>>) -> Result<(), RedactError> {
        let token = self.cursor.number()?;
        let Some(digits) = token.digits.filter(|_| !order.is_empty() && !order.is_allowed()) else {
            return Ok(());
        };
        let long = u32::try_from(digits.len()).is_ok_and(|n| n >= DIGITS_MIN);
        let wanted = long
            || !order.patterns().is_empty()
            || (digits.len() >= 3 && names.is_some_and(|names| names.verdict().is_some()));
        if wanted {
            self.text(order, digits, (token.start, token.end), names, false)?;
        }
        Ok(())
    }

    fn text(
        &mut self,
        order: &Order<'p>,
        text: &str,
        (start, end): (usize, usize),
        names: Option<&Names<'_>>,
        is_name: bool,
    ) -> Result<(), RedactError> {
        let look = if is_name { leaf::look_plain } else { leaf::look };
        self.leaf.clear();
        look(order, text, names, self.nesting, &mut self.leaf);
        self.found.kept.extend(self.leaf.kept.iter().map(|hit| hit.what));
        if self.leaf.patches.is_empty() && !self.leaf.unsettled {
            return Ok(());
        }
        let mut whats: Vec<What> = Vec::new();
        let mut text = Cow::Borrowed(text);
        let mut n_passes = 0;
        while !self.leaf.patches.is_empty() && !self.leaf.unsettled && n_passes < PASSES_MAX {
            whats.extend(self.leaf.patches.iter().flat_map(Patch::whats));
            text = Cow::Owned(leaf::apply(&text, &self.leaf.patches));
            self.leaf.clear();
            look(order, &text, names, self.nesting, &mut self.leaf);
            n_passes += 1;
        }
        if !self.leaf.patches.is_empty() || self.leaf.unsettled {
            return Err(RedactError::NotSettled { offset: start });
        }
        // Another name changes what lies beneath it.
        self.found.again |= is_name;
        let kind = if is_name { Kind::Name } else { Kind::Token };
        let new = New::Text(text.into_owned());
        self.found.edits.push(Edit { start, end, new, kind, whats });
        Ok(())
    }
}
