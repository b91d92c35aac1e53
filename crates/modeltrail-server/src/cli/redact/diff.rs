//! What would change, as a diff: of a line and its masked form, or of what two policies make of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::changes::{Change, Compare, Target};
use super::hunks::{self, Piece};
use super::mask::{Document, Masked, Masker};
use crate::output::clean;

/// Writes a diff, a line at a time.
pub(super) struct Diff<W> {
    out: W,
    color: bool,
    /// What the two sides are called.
    sides: [String; 2],
    begun: bool,
}

/// What changes at one place.
struct Edit {
    pointer: String,
    target: Target,
    /// `None` where a side has nothing there.
    sides: [Option<String>; 2],
}

/// The policy that was, with what it makes of a line.
pub(super) type Earlier<'a> = (&'a Masker, &'a Masked);

impl<W: Write> Diff<W> {
    pub(super) fn new(out: W, color: bool, sides: [String; 2]) -> Self {
        Self { out, color, sides, begun: false }
    }

    /// One line of input. With an earlier policy: what that makes of it, and what the other does.
    pub(super) fn line(
        &mut self,
        at: &str,
        masker: &Masker,
        masked: &Masked,
        earlier: Option<Earlier<'_>>,
    ) -> io::Result<()> {
        for (n, document) in masked.documents.iter().enumerate() {
            let was = earlier.and_then(|(by, line)| Some((by, line.documents.get(n)?)));
            let edits = match was {
                None => edits(masker, document),
                Some((by, was)) => edits_between((by, was), (masker, document)),
            };
            for edit in edits {
                self.edit(at, document, &edit)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn edit(&mut self, at: &str, document: &Document, edit: &Edit) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            let [before, after] = self.sides.clone();
            self.styled("1", &format!("--- {}", clean(&before)))?;
            self.styled("1", &format!("+++ {}", clean(&after)))?;
        }
        let decoded = if document.is_encoded { " (decoded)" } else { "" };
        let name = if edit.target == Target::Name { " (name)" } else { "" };
        let space = if edit.pointer.is_empty() { "" } else { " " };
        let head = format!("@@ {at}{space}{}{decoded}{name} @@", edit.pointer);
        self.styled("36", &clean(&head))?;
        match &edit.sides {
            [Some(before), Some(after)] => {
                let (excerpts, n_more) = hunks::excerpts(before, after);
                for excerpt in &excerpts {
                    self.pieces("31", '-', &excerpt.before)?;
                    self.pieces("32", '+', &excerpt.after)?;
                }
                if n_more > 0 {
                    self.styled("36", &format!("  … and {n_more} more in this value"))?;
                }
            }
            [before, after] => {
                for (side, sign, color) in [(before, '-', "31"), (after, '+', "32")] {
                    if let Some(text) = side {
                        let text = hunks::shortened(text);
                        self.pieces(color, sign, &[Piece { text, differs: true }])?;
                    }
                }
            }
        }
        Ok(())
    }

    fn styled(&mut self, style: &str, text: &str) -> io::Result<()> {
        if self.color {
            writeln!(self.out, "\x1b[{style}m{text}\x1b[0m")
        } else {
            writeln!(self.out, "{text}")
        }
    }

    /// A line of a side; what differs stands out.
    fn pieces(&mut self, color: &str, sign: char, pieces: &[Piece]) -> io::Result<()> {
        if !self.color {
            let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            return writeln!(self.out, "{sign}{text}");
        }
        write!(self.out, "\x1b[{color}m{sign}")?;
        for piece in pieces {
            if piece.differs {
                write!(self.out, "\x1b[1m{}\x1b[22m", piece.text)?;
            } else {
                self.out.write_all(piece.text.as_bytes())?;
            }
        }
        self.out.write_all(b"\x1b[0m\n")
    }
}

fn changes(masker: &Masker, document: &Document, whole: &BTreeSet<String>) -> Vec<Change> {
    let renamed = |name: &str| {
        let masked = masker.redactor.redact_text(name);
        masked.map_or_else(|| name.to_owned(), |(masked, _)| masked)
    };
    let compare = Compare { limits: &masker.limits, renamed: &renamed, whole };
    compare.changes(&document.pointer, &document.before, &document.after)
}

fn edits(masker: &Masker, document: &Document) -> Vec<Edit> {
    let edit = |change: Change| Edit {
        pointer: change.pointer,
        target: change.target,
        sides: [Some(change.before), change.after],
    };
    changes(masker, document, &BTreeSet::new()).into_iter().map(edit).collect()
}

/// What an earlier and a later policy make of a document, where it is not the same. Both are held
/// against the document as it came: names that each of them masks in its own way are told by it.
fn edits_between(was: (&Masker, &Document), is: (&Masker, &Document)) -> Vec<Edit> {
    if was.1.after == is.1.after {
        return Vec::new();
    }
    let values = |changes: &[Change]| -> BTreeSet<String> {
        let values = changes.iter().filter(|change| change.target == Target::Value);
        values.map(|change| change.pointer.clone()).collect()
    };
    // What one of them takes as a whole is shown as a whole of the other too.
    let none = BTreeSet::new();
    let (first_was, first_is) = (changes(was.0, was.1, &none), changes(is.0, is.1, &none));
    let old = changes(was.0, was.1, &values(&first_is));
    let new = changes(is.0, is.1, &values(&first_was));
    let key = |change: &Change| (change.pointer.clone(), change.target);
    let mut left: BTreeMap<_, Change> = old.into_iter().map(|c| (key(&c), c)).collect();
    let mut edits = Vec::new();
    for change in new {
        let before = left.remove(&key(&change));
        let before = before.map_or(Some(change.before), |old| old.after);
        edits.push(Edit {
            pointer: change.pointer,
            target: change.target,
            sides: [before, change.after],
        });
    }
    edits.extend(left.into_values().map(|old| Edit {
        pointer: old.pointer,
        target: old.target,
        sides: [old.after, Some(old.before)],
    }));
    edits.retain(|Edit { sides: [before, after], .. }| before != after);
    edits
}
