//! Writes the document that a list of edits makes of another.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::find::{Edit, Kind};
use super::json::{self, Cursor, RedactError};

/// Applies edits, ascending by offset, to the document in which they were found.
///
/// As long as no name changed the document is spliced; otherwise it is walked again, and each
/// object with a changed name is put in order.
///
/// Edits of names and edits that take more than a token cannot be told here at the same time.
pub(super) fn apply(json: &[u8], edits: &[Edit]) -> Result<Vec<u8>, RedactError> {
    if edits.iter().any(|edit| edit.kind == Kind::Name) {
        let mut writer = Writer { cursor: Cursor::new(json)?, edits, out: Vec::new() };
        writer.out.reserve(json.len());
        writer.value()?;
        return Ok(writer.out);
    }
    let mut out = Vec::with_capacity(json.len());
    let mut copied = 0;
    for edit in edits {
        out.extend_from_slice(json.get(copied..edit.start).unwrap_or_default());
        edit.new.write(&mut out);
        copied = edit.end;
    }
    out.extend_from_slice(json.get(copied..).unwrap_or_default());
    Ok(out)
}

/// A member as it was written, before its object is put in order.
struct Member {
    name: String,
    changed: bool,
    /// The bytes of the value in the output.
    value: Range<usize>,
}

/// Walks a document that the finder has accepted: its depth and its syntax are known to be good.
struct Writer<'j> {
    cursor: Cursor<'j>,
    /// The edits that are still to come.
    edits: &'j [Edit],
    out: Vec<u8>,
}

impl Writer<'_> {
    fn value(&mut self) -> Result<(), RedactError> {
        match self.cursor.peek() {
            Some(b'{') => self.object(),
            Some(b'[') => self.array(),
            Some(b'"') => {
                self.string()?;
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => {
                let start = self.cursor.number()?.start;
                self.copy(start);
                Ok(())
            }
            _ => {
                let start = self.cursor.offset();
                self.cursor.literal()?;
                self.copy(start);
                Ok(())
            }
        }
    }

    fn array(&mut self) -> Result<(), RedactError> {
        self.cursor.take(b'[');
        self.out.push(b'[');
        while !self.cursor.take(b']') {
            self.value()?;
            if self.cursor.take(b',') {
                self.out.push(b',');
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn object(&mut self) -> Result<(), RedactError> {
        self.cursor.take(b'{');
        self.out.push(b'{');
        let first = self.out.len();
        let mut members = Vec::new();
        while !self.cursor.take(b'}') {
            let (name, changed) = self.string()?;
            self.cursor.take(b':');
            self.out.push(b':');
            let start = self.out.len();
            self.value()?;
            members.push(Member { name, changed, value: start..self.out.len() });
            if self.cursor.take(b',') {
                self.out.push(b',');
            }
        }
        if members.iter().any(|member| member.changed) {
            self.reorder(first, members);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Writes the members again from `first` on, under names that differ and in their order.
    fn reorder(&mut self, first: usize, mut members: Vec<Member>) {
        tell_apart(&mut members);
        members.sort_by(|a, b| a.name.encode_utf16().cmp(b.name.encode_utf16()));
        let written = self.out.split_off(first);
        for (n, member) in members.iter().enumerate() {
            if n > 0 {
                self.out.push(b',');
            }
            json::escape(&member.name, &mut self.out);
            self.out.push(b':');
            let value = member.value.start - first..member.value.end - first;
            self.out.extend_from_slice(written.get(value).unwrap_or_default());
        }
    }

    /// Writes a string, edited if an edit is for it; its text and whether it was.
    fn string(&mut self) -> Result<(String, bool), RedactError> {
        let token = self.cursor.string()?;
        if let Some(edit) = self.edit_at(token.start) {
            edit.new.write(&mut self.out);
            return Ok((edit.new.text().to_owned(), true));
        }
        self.out.extend_from_slice(self.cursor.since(token.start).as_bytes());
        let mut text = String::new();
        json::unescape(token.raw, token.start, &mut text)?;
        Ok((text, false))
    }

    /// Writes the token that started at `start`, edited if an edit is for it.
    fn copy(&mut self, start: usize) {
        match self.edit_at(start) {
            Some(edit) => edit.new.write(&mut self.out),
            None => self.out.extend_from_slice(self.cursor.since(start).as_bytes()),
        }
    }
}

impl<'j> Writer<'j> {
    fn edit_at(&mut self, start: usize) -> Option<&'j Edit> {
        let (edit, rest) = self.edits.split_first().filter(|(edit, _)| edit.start == start)?;
        self.edits = rest;
        Some(edit)
    }
}

/// Gives `#2`, `#3`… to changed names that are taken. A name that did not change keeps itself.
fn tell_apart(members: &mut [Member]) {
    let mut taken: BTreeSet<String> =
        members.iter().filter(|member| !member.changed).map(|member| member.name.clone()).collect();
    let mut ordinals: BTreeMap<String, u32> = BTreeMap::new();
    for member in members.iter_mut().filter(|member| member.changed) {
        if taken.insert(member.name.clone()) {
            continue;
        }
        let ordinal = ordinals.entry(member.name.clone()).or_insert(1);
        member.name = loop {
            *ordinal += 1;
            let name = format!("{}#{ordinal}", member.name);
            if taken.insert(name.clone()) {
                break name;
            }
        };
    }
}
