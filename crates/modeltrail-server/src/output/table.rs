//! Tables for people.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Column;

/// Rows that are held back to find the widths of the columns: a few screens. Later rows get the same
/// widths, so that a table of any length is written in flat memory.
const N_HELD_MAX: usize = 256;

/// Widest cell in characters; longer ones are cut, and `--format json` has them whole. A UUID has 36.
const WIDTH_MAX: usize = 40;

/// Writes rows as a table.
pub(crate) struct Table<W> {
    out: W,
    columns: &'static [Column],
    color: bool,
    held: Vec<Vec<String>>,
    widths: Option<Vec<usize>>,
}

impl<W: Write> Table<W> {
    pub(super) const fn new(out: W, columns: &'static [Column], color: bool) -> Self {
        Self { out, columns, color, held: Vec::new(), widths: None }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) -> io::Result<()> {
        let last = self.columns.len().saturating_sub(1);
        let cut = |(n, cell): (usize, String)| {
            let cell = clean(&cell).into_owned();
            if n == last { cell } else { shorten(cell) }
        };
        let cells: Vec<String> = cells.into_iter().enumerate().map(cut).collect();
        match &self.widths {
            Some(widths) => line(&mut self.out, self.columns, widths, &cells),
            None => {
                self.held.push(cells);
                if self.held.len() >= N_HELD_MAX { self.release() } else { Ok(()) }
            }
        }
    }

    pub(super) fn finish(mut self) -> io::Result<W> {
        self.release()?;
        Ok(self.out)
    }

    /// Fixes the widths and writes what was held back. A table without rows has no header either.
    fn release(&mut self) -> io::Result<()> {
        if self.widths.is_some() || self.held.is_empty() {
            return Ok(());
        }
        let width_of = |(n, column): (usize, &Column)| {
            let cells = self.held.iter().filter_map(|row| row.get(n));
            let widest = cells.map(|cell| width(cell)).max().unwrap_or(0);
            widest.max(width(column.name))
        };
        let widths: Vec<usize> = self.columns.iter().enumerate().map(width_of).collect();
        let names: Vec<String> = self.columns.iter().map(|c| c.name.to_owned()).collect();
        if self.color {
            self.out.write_all(b"\x1b[1m")?;
        }
        line(&mut self.out, self.columns, &widths, &names)?;
        if self.color {
            self.out.write_all(b"\x1b[0m")?;
        }
        for row in std::mem::take(&mut self.held) {
            line(&mut self.out, self.columns, &widths, &row)?;
        }
        self.widths = Some(widths);
        Ok(())
    }
}

fn line(
    out: &mut impl Write,
    columns: &[Column],
    widths: &[usize],
    cells: &[String],
) -> io::Result<()> {
    let mut text = String::new();
    for ((column, wide), cell) in columns.iter().zip(widths).zip(cells) {
        let missing = " ".repeat(wide.saturating_sub(width(cell)));
        if !text.is_empty() {
            text.push_str("  ");
        }
        let (before, behind) =
            if column.is_number { (missing.as_str(), "") } else { ("", missing.as_str()) };
        text.extend([before, cell, behind]);
    }
    writeln!(out, "{}", text.trim_end())
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn shorten(cell: String) -> String {
    if width(&cell) <= WIDTH_MAX {
        return cell;
    }
    cell.chars().take(WIDTH_MAX - 1).chain(['…']).collect()
}

/// Text that can be shown: characters that would move the cursor or turn the writing direction, and
/// so let one text look like another, become U+FFFD.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let bad = |c: char| c.is_control() || turns(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if bad(c) { '\u{fffd}' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[Column::number("n"), Column::text("name"), Column::text("id")];

    fn written(rows: &[[&str; 3]], color: bool) -> String {
        let mut table = Table::new(Vec::new(), COLUMNS, color);
        for row in rows {
            table.row(row.iter().map(|cell| (*cell).to_owned()).collect()).unwrap();
        }
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    #[test]
    fn numbers_stand_right_texts_left_and_nothing_trails() {
        assert_eq!(
            written(&[["7", "münchen", "a"], ["100", "x", ""]], false),
            "  n  name     id\n  7  münchen  a\n100  x\n"
        );
        assert_eq!(written(&[], false), "");
        assert!(written(&[["1", "a", "b"]], true).starts_with("\x1b[1m"));
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        let text = written(&[["1", "a\x1b[2Jb\n", "\u{202e}x"]], false);
        assert!(!text.contains(['\x1b', '\u{202e}']), "{text:?}");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn rows_beyond_those_held_are_written_at_once() {
        let mut table = Table::new(Vec::new(), COLUMNS, false);
        for n in 0..N_HELD_MAX + 10 {
            table.row(vec![n.to_string(), "x".repeat(60), "id".into()]).unwrap();
            assert!(table.held.len() < N_HELD_MAX);
        }
        let text = String::from_utf8(table.finish().unwrap()).unwrap();
        assert_eq!(text.lines().count(), N_HELD_MAX + 11);
        assert!(text.contains(&format!("{}…", "x".repeat(WIDTH_MAX - 1))));
    }
}
